"""The alert rules of a workspace and what people do with them and with their alerts.

In go rules and what somebody asks, out come rows of the control database and records, in one transaction each. When and
how a rule is evaluated is `evaluator`'s affair.
"""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from workbench.alerts import told
from workbench.alerts.checks import checked
from workbench.alerts.closing import close_alert
from workbench.alerts.judging import State
from workbench.alerts.outbox import AlertOutbox
from workbench.alerts.reading import as_text, written
from workbench.alerts.rule import Rule
from workbench.alerts.schema import metadata, table
from workbench.alerts.told import AlertChange, RuleChange
from workbench.base import clock
from workbench.base.diagnostics import alerting as diagnostics
from workbench.collect.record_outbox import RecordOutbox

if TYPE_CHECKING:
    from sqlalchemy import Connection

SECOND = 1_000_000
NEW, ACKNOWLEDGED, CLOSED = "New", "Acknowledged", "Closed"
FIRED, RESOLVED = "Fired", "Resolved"
MOST_COMMENT = 4_000
_Row = dict[str, Any]


class Alerts:
    """The rules and alerts in a control database. Safe for threads, and for several processes.

    Parameters
    ----------
    records : RecordOutbox
        Where their records go.
    outbox : AlertOutbox
        Where notices go.
    workspace_id : str

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from workbench.base.database import Database
    >>> database = Database.open(Path(tempfile.mkdtemp()))
    >>> alerts = Alerts(RecordOutbox(database, told.TYPES), AlertOutbox(database), "w")
    >>> alerts.put(Rule("Errors", "Event | where Level == 'Error'"), "ada")["version"]
    1
    """

    def __init__(self, records: RecordOutbox, outbox: AlertOutbox, workspace_id: str) -> None:
        self.records, self.outbox, self.workspace_id = records, outbox, workspace_id
        self.database = records.database
        self.database.ensure(metadata())
        self.on_news: list[Callable[[], None]] = []
        """Called after a rule was made or changed."""

    # ---- rules -----------------------------------------------------------------------------------

    def put(self, rule: Rule, by: str) -> _Row:
        """Make a rule, or change the one of that name; as it is shown.

        Open alerts of a rule that changes stay, and end by what it then measures.

        Raises
        ------
        WorkbenchError
            ALR002 to ALR005, KQL… for a query that can't be read.
        """
        rule = checked(rule)
        text = json.dumps(rule.as_json())
        rules = table("alert_rules")
        with self.database.begin() as connection:
            now = clock.now_us()
            known = self._find(connection, rule.name)
            if known is not None and known["rule"] == text:
                return self._shown(connection, known)
            values: _Row = {
                "rule": text, "enabled": rule.enabled, "changed": now, "changed_by": by, "failures": 0,
            }  # fmt: skip
            if known is None:
                row = {
                    "id": str(uuid.uuid4()), "name": rule.name, "version": 1, "created": now, "last_due": None,
                    "health": "", "health_since": None, "error_code": "", "error": "", "recent": "[]", **values,
                }  # fmt: skip
                row["next_due"] = first_due(row["id"], rule, now) if rule.enabled else None
                connection.execute(rules.insert().values(row))
            else:
                row = {**known, **values, "version": known["version"] + 1}
                row["next_due"] = first_due(row["id"], rule, now) if rule.enabled else None
                connection.execute(rules.update().where(rules.c.id == row["id"]).values(row))
            version = {"rule": row["id"], "version": row["version"], "text": text, "changed": now, "changed_by": by}  # fmt: skip
            connection.execute(table("alert_rule_versions").insert().values(version))
            self._tell_rule(connection, row, RuleChange.CREATED if known is None else RuleChange.CHANGED, by)
            self._news(connection)
            return self._shown(connection, row)

    def get(self, name: str) -> _Row:
        """A rule as it is shown, with its text and its series; raises ALR001."""
        with self.database.read() as connection:
            row = self._row(connection, name)
            series = table("alert_series")
            found = connection.execute(series.select().where(series.c.rule == row["id"])).all()
            shown = self._shown(connection, row)
            kept = Rule.read(json.loads(row["rule"]))
            shown |= {"rule": written(kept), "text": as_text(kept)}
            shown["evaluations"] = json.loads(row["recent"])
            shown["series"] = [
                {
                    "dimensions": json.loads(s.dimensions), "state": s.state, "since": clock.moment(s.since),
                    "value": s.value, "alert_id": s.alert, "muted_until": clock.moment(s.muted_until or None),
                }
                for s in found
            ]  # fmt: skip
            return shown

    def rule(self, name: str) -> Rule:
        """A rule as it is kept; raises ALR001."""
        with self.database.read() as connection:
            return Rule.read(json.loads(self._row(connection, name)["rule"]))

    def all(self) -> list[_Row]:
        """All rules as they are shown, by name."""
        rules = table("alert_rules")
        with self.database.read() as connection:
            rows = [dict(r._mapping) for r in connection.execute(rules.select().order_by(rules.c.name))]
            return [self._shown(connection, row) for row in rows]

    def enable(self, name: str, by: str) -> _Row:
        """Have a rule evaluated, from its next moment on; raises ALR001."""
        return self._switch(name, by, RuleChange.ENABLED)

    def disable(self, name: str, by: str) -> _Row:
        """Have a rule evaluated no more; its open alerts stay open. Raises ALR001."""
        return self._switch(name, by, RuleChange.DISABLED)

    def run(self, name: str, by: str) -> _Row:
        """Have a rule evaluated at once, and then at its next moment again; one that is disabled is not. Raises ALR001."""
        rules = table("alert_rules")
        with self.database.begin() as connection:
            row = self._row(connection, name)
            if row["enabled"]:
                row["next_due"] = min(row["next_due"], clock.now_us())
                here = rules.update().where(rules.c.id == row["id"])
                connection.execute(here.values(next_due=row["next_due"]))
                self._news(connection)
            return self._shown(connection, row)

    def _switch(self, name: str, by: str, change: RuleChange) -> _Row:
        enabled = change is RuleChange.ENABLED
        rules = table("alert_rules")
        with self.database.begin() as connection:
            row = self._row(connection, name)
            if bool(row["enabled"]) != enabled:
                now = clock.now_us()
                rule = Rule.read(json.loads(row["rule"]))
                due = first_due(row["id"], rule, now) if enabled else None
                row |= {"enabled": enabled, "next_due": due, "failures": 0, "changed": now, "changed_by": by}
                if enabled:  # what came while it was off is none of its affair
                    row["last_due"] = None
                    positions = table("alert_positions")
                    connection.execute(positions.delete().where(positions.c.rule == row["id"]))
                connection.execute(rules.update().where(rules.c.id == row["id"]).values(row))
                self._tell_rule(connection, row, change, by)
                self._news(connection)
            return self._shown(connection, row)

    def remove(self, name: str, by: str) -> None:
        """Remove a rule and what is known of its series; its open alerts are resolved. Raises ALR001."""
        with self.database.begin() as connection:
            row = self._row(connection, name)
            alerts = table("alerts")
            open_ones = alerts.select().where(alerts.c.rule == row["id"], alerts.c.condition == FIRED)
            for found in connection.execute(open_ones).all():
                close_alert(self, connection, dict(found._mapping), row, by, "the rule was removed")
            for name_, column in (
                ("alert_series", "rule"),
                ("alert_positions", "rule"),
                ("alert_rules", "id"),
            ):
                gone = table(name_)
                connection.execute(gone.delete().where(gone.c[column] == row["id"]))
            self._tell_rule(connection, row, RuleChange.REMOVED, by)
            self._news(connection)

    # ---- alerts ----------------------------------------------------------------------------------

    def alerts(self, *, rule: str = "", open_only: bool = False, most: int = 100) -> list[_Row]:
        """Alerts as they are shown, the newest first."""
        found = table("alerts")
        asked = found.select().order_by(found.c.fired_at.desc(), found.c.id).limit(most)
        if rule:
            asked = asked.where(found.c.rule_name == rule)
        if open_only:
            asked = asked.where(found.c.condition == FIRED, found.c.response != CLOSED)
        with self.database.read() as connection:
            return [shown_alert(dict(r._mapping)) for r in connection.execute(asked)]

    def alert(self, number: str) -> _Row:
        """An alert by its id, or a beginning of it that is clear; raises ALR021, ALR022."""
        with self.database.read() as connection:
            return shown_alert(self._alert(connection, number))

    def acknowledge(self, number: str, by: str, comment: str = "") -> _Row:
        """Say that somebody looks after an alert; raises ALR021 to ALR023."""
        return self._respond(number, by, comment, AlertChange.ACKNOWLEDGED)

    def close(self, number: str, by: str, comment: str = "") -> _Row:
        """Say that an alert is dealt with. One that resolves itself does so by what is measured; another is resolved."""
        return self._respond(number, by, comment, AlertChange.CLOSED)

    def comment(self, number: str, by: str, comment: str) -> _Row:
        """Put a comment on an alert; raises ALR021 to ALR023."""
        if not comment.strip():
            raise diagnostics.empty_comment()
        return self._respond(number, by, comment, AlertChange.COMMENTED)

    def _respond(self, number: str, by: str, comment: str, change: AlertChange) -> _Row:
        if len(comment) > MOST_COMMENT:
            raise diagnostics.empty_comment()
        alerts = table("alerts")
        with self.database.begin() as connection:
            row = self._alert(connection, number)
            now = clock.now_us()
            rule_row = self._rule_of(connection, row)
            values: _Row = {}
            if change is not AlertChange.COMMENTED:
                values |= {"response": change.value, "responder": by}
            if comment.strip():
                said = [*json.loads(row["comments"]), {"by": by, "time": clock.moment(now), "text": comment}]
                values["comments"] = json.dumps(said)
            connection.execute(alerts.update().where(alerts.c.id == row["id"]).values(values))
            row |= values
            rule, rule_id, version = rule_row
            record = told.alert_row(
                rule, rule_id, version, now, change, state=_state(row), alert=row["id"], by=by, comment=comment,
                value=row["value"], count=row["count"], dimensions=json.loads(row["dimensions"]),
                fired_at=row["fired_at"], resolved_at=row["resolved_at"],
            )  # fmt: skip
            self.records.add(connection, told.ALERT, [record])
            if change is AlertChange.CLOSED and row["condition"] == FIRED and not rule.auto_resolve:
                known = self._by_id(connection, rule_id)
                row = close_alert(self, connection, row, known, by, f"closed by {by}", rule=rule)
            return shown_alert(row)

    # ---- inside a transaction --------------------------------------------------------------------

    def _rule_of(self, connection: Connection, alert: Mapping[str, Any]) -> tuple[Rule, str, int]:
        """The rule of an alert; one that was removed as it was last."""
        import sqlalchemy as sa

        versions = table("alert_rule_versions")
        newest = (
            versions.select().where(versions.c.rule == alert["rule"]).order_by(sa.desc(versions.c.version))
        )
        found = connection.execute(newest.limit(1)).one()
        return Rule.read(json.loads(found.text)), alert["rule"], int(found.version)

    def _alert(self, connection: Connection, number: str) -> _Row:
        alerts = table("alerts")
        like = alerts.select().where(alerts.c.id.startswith(number.lower(), autoescape=True)).limit(2)
        found = connection.execute(like).all() if number else []
        if not found:
            raise diagnostics.no_such_alert(number)
        if len(found) > 1:
            raise diagnostics.several_alerts(number)
        return dict(found[0]._mapping)

    def _by_id(self, connection: Connection, number: str) -> _Row | None:
        rules = table("alert_rules")
        found = connection.execute(rules.select().where(rules.c.id == number)).one_or_none()
        return None if found is None else dict(found._mapping)

    def _find(self, connection: Connection, name: str) -> _Row | None:
        rules = table("alert_rules")
        found = connection.execute(rules.select().where(rules.c.name == name)).one_or_none()
        return None if found is None else dict(found._mapping)

    def _row(self, connection: Connection, name: str) -> _Row:
        found = self._find(connection, name)
        if found is None:
            rules = table("alert_rules")
            known = connection.scalars(rules.select().with_only_columns(rules.c.name)).all()
            raise diagnostics.no_such_rule(name[:100], known)
        return found

    def _shown(self, connection: Connection, row: Mapping[str, Any]) -> _Row:
        series = table("alert_series")
        states = connection.scalars(
            series.select().with_only_columns(series.c.state).where(series.c.rule == row["id"]).distinct()
        ).all()
        return shown_rule(row, states)

    def _tell_rule(self, connection: Connection, row: Mapping[str, Any], change: RuleChange, by: str, *, code: str = "", detail: str = "") -> None:  # fmt: skip
        record = told.rule_row(
            row["name"], row["id"], row["version"], clock.now_us(), change, by=by, code=code, detail=detail
        )
        self.records.add(connection, told.ALERT_RULE, [record])

    def _news(self, connection: Connection) -> None:
        for call in self.on_news:
            self.database.after_commit(connection, call)


def first_due(rule_id: str, rule: Rule, after: int) -> int:
    """The first moment of a rule's grid behind `after`: rules of one frequency are spread over it by their ids."""
    step = rule.frequency * SECOND
    phase = zlib.crc32(rule_id.encode()) % rule.frequency * SECOND
    return after + step - (after - phase) % step


def shown_rule(row: Mapping[str, Any], states: Any = ()) -> _Row:
    """A rule as JSON; times are ISO text."""
    rule = Rule.read(json.loads(row["rule"]))
    order = (State.FIRING, State.PENDING, State.RESOLVED, State.NORMAL)
    state = next((s.value for s in order if s.value in states), State.NORMAL.value)
    if row["health"] in ("Error", "NoData") and state != State.FIRING.value:
        state = row["health"]
    last = json.loads(row["recent"])[:1]
    return {
        "name": row["name"], "id": row["id"], "version": row["version"], "enabled": bool(row["enabled"]),
        "state": state, "severity": rule.severity.value, "frequency": rule.frequency, "window": rule.window,
        "query": rule.query, "description": rule.description, "last": clock.moment(row["last_due"]),
        "value": last[0]["value"] if last else None, "next": clock.moment(row["next_due"]),
        "error": f"{row['error_code']}: {row['error']}" if row["error_code"] else "",
        "changed": clock.moment(row["changed"]), "changed_by": row["changed_by"],
    }  # fmt: skip


def shown_alert(row: Mapping[str, Any]) -> _Row:
    """An alert as JSON."""
    return {
        "id": row["id"], "rule": row["rule_name"], "severity": row["severity"], "state": _state(row),
        "condition": row["condition"], "response": row["response"], "responder": row["responder"],
        "fired": clock.moment(row["fired_at"]), "resolved": clock.moment(row["resolved_at"]), "reason": row["reason"],
        "value": row["value"], "count": row["count"], "dimensions": json.loads(row["dimensions"]),
        "told": bool(row["told"]), "comments": json.loads(row["comments"]),
    }  # fmt: skip


def _state(row: Mapping[str, Any]) -> str:
    return State.FIRING.value if row["condition"] == FIRED else State.RESOLVED.value


__all__ = ["Alerts", "first_due", "shown_alert", "shown_rule"]
