"""Alerts that end without being measured: closed by a person, or with their rule. In the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from workbench.alerts import told
from workbench.alerts.notice import RESOLVED, Notice
from workbench.alerts.outbox import AlertOutbox
from workbench.alerts.reading import written
from workbench.alerts.rule import Rule
from workbench.alerts.schema import table
from workbench.alerts.told import AlertChange
from workbench.base import clock
from workbench.collect.record_outbox import RecordOutbox

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Place(Protocol):
    """Where records and notices go."""

    records: RecordOutbox
    outbox: AlertOutbox
    workspace_id: str


def close_alert(
    place: Place,
    connection: Connection,
    alert: Mapping[str, Any],
    rule_row: Mapping[str, Any] | None,
    by: str,
    reason: str,
    rule: Rule | None = None,
) -> dict[str, Any]:
    """Resolve an alert, tell its record, and those who heard of its firing; the alert as it then is."""
    now = clock.now_us()
    rule = rule or Rule.read(json.loads((rule_row or {})["rule"]))
    version = int(rule_row["version"]) if rule_row is not None else 0
    alerts = table("alerts")
    values = {"condition": RESOLVED, "resolved_at": now, "reason": reason}
    connection.execute(alerts.update().where(alerts.c.id == alert["id"]).values(values))
    dimensions = json.loads(alert["dimensions"])
    record = told.alert_row(
        rule, alert["rule"], version, now, AlertChange.RESOLVED, state="Resolved", alert=alert["id"], by=by,
        value=alert["value"], count=alert["count"], dimensions=dimensions, fired_at=alert["fired_at"],
        resolved_at=now, detail=reason,
    )  # fmt: skip
    place.records.add(connection, told.ALERT, [record])
    if alert["told"]:
        notice = Notice(
            f"{alert['rule']}/{alert['id']}/{RESOLVED}", alert["id"], RESOLVED, written(rule), alert["rule"], version,
            place.workspace_id, alert["fired_at"], now, alert["fired_at"], now, alert["value"], dimensions,
            count=alert["count"], actions=rule.actions,
        )  # fmt: skip
        place.outbox.add(connection, [notice])
    return {**alert, **values}
