"""Alertmanager's words: the webhook that it sends (version 4), and the alerts that it takes (`/api/v2/alerts`)."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from workbench.actions.notify.telling import Told, moment, shortened

RECEIVER = "workbench"
NEVER = "0001-01-01T00:00:00Z"
_LABEL = re.compile(r"[^a-zA-Z0-9_]")


def webhook(told: Told) -> dict[str, Any]:
    """What a receiver of Alertmanager's webhook is sent: one alert, in a group of its rule."""
    labels, notes = _labels(told), _annotations(told)
    group = {"alertname": told.rule.name}
    status = "firing" if told.fired else "resolved"
    alert = {
        "status": status,
        "labels": labels,
        "annotations": notes,
        "startsAt": moment(told.notice.fired_at),
        "endsAt": _end(told) or NEVER,
        "generatorURL": told.link,
        "fingerprint": hashlib.sha256(told.notice.alert_id.encode()).hexdigest()[:16],
    }
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{_escaped(told.rule.name)}"}}',
        "truncatedAlerts": 0,
        "status": status,
        "receiver": RECEIVER,
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": notes,
        "externalURL": told.service,
        "alerts": [alert],
    }


def alerts(told: Told) -> list[dict[str, Any]]:
    """What `POST /api/v2/alerts` takes. A firing alert has no end: Alertmanager resolves it after its `resolve_timeout`
    unless it is told again."""
    made: dict[str, Any] = {
        "labels": _labels(told),
        "annotations": _annotations(told),
        "startsAt": moment(told.notice.fired_at),
        "generatorURL": told.link,
    }
    end = _end(told)
    return [made | ({"endsAt": end} if end else {})]


def _end(told: Told) -> str:
    resolved = told.notice.resolved_at
    return "" if told.fired else moment(resolved if resolved is not None else told.notice.window_end)


def _labels(told: Told) -> dict[str, str]:
    """What makes an alert the same one from firing to resolved: nothing in it may change."""
    found = {_label(name): value for name, value in told.notice.dimensions.items() if value}
    return {
        **found, "alertname": told.rule.name, "severity": told.rule.severity.value.lower(),
        "workspace": told.notice.workspace_id, "rule_id": told.notice.rule_id,
    }  # fmt: skip


def _annotations(told: Told) -> dict[str, str]:
    notes = {"summary": f"{told.rule.name}: {told.notice.count} records", "query": told.rule.query}
    if told.rule.description:
        notes["description"] = told.rule.description
    if told.objects:
        notes["first_record"] = shortened(told.objects[0], 1000)
    return notes


def _label(name: str) -> str:
    """A column's name as a label can be.

    Examples
    --------
    >>> _label("my column"), _label("1st")
    ('my_column', '_1st')
    """
    made = _LABEL.sub("_", name)
    return f"_{made}" if not made or made[0].isdigit() else made


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
