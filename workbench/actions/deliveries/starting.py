"""A runbook as an action: a job that gets the alert as its `WebhookData`, as a webhook of OMS would have told it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from workbench.actions.deliveries.groups import Action
from workbench.actions.notify.payloads import oms
from workbench.actions.notify.telling import MOST_RECORDS, Told
from workbench.actions.notify.webhook import AGENT, header_key
from workbench.actions.runbook import webhook_data
from workbench.actions.runbook.automation import Automation
from workbench.actions.runbook.declaration import MOST_BYTES

TRIGGER = "alert"


def start(automation: Automation, told: Told, group: str, action: Action) -> dict[str, Any]:
    """Start its runbook; the row of the job. However often it is tried there is one job for a notice and an action.

    Raises
    ------
    WorkbenchError
        JOB0xx to JOB2xx; nothing was started.
    """
    fields = action.fields
    asked = {name: fields[name] for name in ("group", "timeout", "retries") if fields.get(name)}
    fixed = dict(fields.get("parameters") or {})
    kind = webhook_data.kind(automation, fields["runbook"])
    most = MOST_RECORDS
    while True:
        parameters = {**fixed, **webhook_data.given(kind, data(told.with_records(most), action))}
        # Fewer records where all of them are more than a job may be given; the payload says how many there were.
        if most == 0 or len(json.dumps(parameters, default=str).encode()) <= MOST_BYTES:
            break
        most //= 2
    key = f"{told.notice.key}\n{group}\n{action.name}"
    return automation.start(
        fields["runbook"],
        {**asked, "parameters": parameters},
        trigger=TRIGGER,
        by=told.rule.name[:200],
        key=f"alert/{hashlib.sha256(key.encode()).hexdigest()}",
    )


def data(told: Told, action: Action) -> dict[str, Any]:
    """The `WebhookData` of an alert."""
    headers = {
        "content-type": "application/json", "user-agent": AGENT, "idempotency-key": header_key(told.notice.key),
    }  # fmt: skip
    body = json.dumps(oms.body(told), default=str, ensure_ascii=False)
    return webhook_data.made(action.name, headers, body)
