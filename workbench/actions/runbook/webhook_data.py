"""`WebhookData`: the one parameter in which a runbook gets what came from outside, of a webhook's caller or of an alert."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from workbench.actions.runbook.automation import Automation

PARAMETER = "WebhookData"
TAKES = ("dict", "str", "any")
"""The types that a runbook may declare it as."""


def made(name: str, headers: Mapping[str, str], body: str) -> dict[str, Any]:
    """The value: which webhook or action it was, with which headers, and what was said.

    Examples
    --------
    >>> made("deploy", {"user-agent": "curl"}, "{}")
    {'WebhookName': 'deploy', 'RequestHeader': {'user-agent': 'curl'}, 'RequestBody': '{}'}
    """
    return {"WebhookName": name, "RequestHeader": dict(headers), "RequestBody": body}


def kind(automation: Automation, runbook: str) -> str | None:
    """The type that a runbook declares its `WebhookData` as; None when it takes none. Raises JOB201 and its like."""
    declared = automation.library.published(runbook).parameters
    return next((p.type for p in declared if p.name == PARAMETER), None)


def given(kind: str | None, value: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a start: the value as its declared type takes it, or none."""
    if kind is None:
        return {}
    return {PARAMETER: json.dumps(value) if kind == "str" else dict(value)}
