"""A start that is kept, to be made again and again: by a schedule or a webhook.

In go what people ask for, out come the values that are kept, and from these a checked start each time. What starts so is
one of `kind` and `name`: jobs of one of them overlap as it says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from workbench.actions.jobs import Start
from workbench.actions.jobs.states import Overlap
from workbench.actions.runbook.automation import Automation
from workbench.base.diagnostics import jobs as diagnostics
from workbench.base.diagnostics import service as service_messages

ALLOW = "allow"
OVERLAPS = (*(o.value for o in Overlap), ALLOW)
"""What becomes of a run while one of before is not at its end."""
_ASKED = ("parameters", "group", "timeout", "retries", "retry_delay")


def texts(asked: Mapping[str, Any], *names: str) -> dict[str, str]:
    """Some values of a JSON object, which are texts or missing; raises SRV013.

    Examples
    --------
    >>> texts({"runbook": "clean"}, "runbook", "zone")
    {'runbook': 'clean', 'zone': ''}
    """
    found = {name: asked.get(name) or "" for name in names}
    for name, value in found.items():
        if not isinstance(value, str) or "\0" in value:
            raise service_messages.bad_request(f"{name!r} is no text")
    return found


def kept(asked: Mapping[str, Any], overlap: str) -> dict[str, Any]:
    """Values for the columns `runbook`, `asked` and `overlap`.

    Raises
    ------
    WorkbenchError
        JOB004, SRV013.
    """
    overlap = texts(asked, "overlap")["overlap"] or overlap
    if overlap not in OVERLAPS:
        raise diagnostics.bad_policy(overlap[:40], OVERLAPS)
    if not isinstance(asked.get("parameters") or {}, Mapping):
        raise service_messages.bad_request("'parameters' is no JSON object")
    wanted = json.dumps({name: asked[name] for name in _ASKED if asked.get(name) is not None})
    return {**texts(asked, "runbook"), "asked": wanted, "overlap": overlap}


def prepared(
    automation: Automation, kind: str, row: Mapping[str, Any], *, by: str, key: str, more: Mapping[str, Any] | None = None
) -> Start:  # fmt: skip
    """The start that a row with these columns asks for, checked against its runbook as it is now.

    Parameters
    ----------
    automation : Automation
    kind : str
        What starts it: `schedule`, `webhook`.
    row : mapping
    by, key : str
        See `Automation.prepared`.
    more : mapping, optional
        Parameters beside those that are kept.
    """
    asked = json.loads(row["asked"])
    if more:
        asked["parameters"] = {**asked.get("parameters", {}), **more}
    if row["overlap"] != ALLOW:
        asked |= {"concurrency": f"{kind} {row['name']}", "overlap": row["overlap"]}
    return automation.prepared(row["runbook"], asked, trigger=kind, by=by, key=key)


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """What such a row asks for, as JSON for people."""
    asked = json.loads(row["asked"])
    return {
        "runbook": row["runbook"], "overlap": row["overlap"], "parameters": asked.get("parameters") or {},
        **{name: asked.get(name) for name in _ASKED if name != "parameters"},
    }  # fmt: skip
