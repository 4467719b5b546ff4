"""What an evaluation leaves: states, positions, alerts, records and notices, written in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.alerts import told
from workbench.alerts.evaluating import NO_TABLE, Answer, Window
from workbench.alerts.judging import Change, Health, Series, State, Verdict, judge
from workbench.alerts.measuring import Measured
from workbench.alerts.notice import FIRED, RESOLVED, Notice
from workbench.alerts.reading import written
from workbench.alerts.rule import Rule
from workbench.alerts.schema import table
from workbench.alerts.store import Alerts, first_due
from workbench.alerts.told import AlertChange, RuleChange
from workbench.base import clock

if TYPE_CHECKING:
    from sqlalchemy import Connection

SECOND = 1_000_000
RECENT = 20
"""Evaluations of a rule that are kept to be shown."""
PERMANENT = 10
"""Evaluations in a row that only a change of the rule could mend, after which it is disabled."""
_CHANGES = {
    State.FIRING: AlertChange.FIRED,
    State.PENDING: AlertChange.PENDING,
    State.RESOLVED: AlertChange.RESOLVED,
}


def commit(
    alerts: Alerts,
    connection: Connection,
    row: Mapping[str, Any],
    rule: Rule,
    window: Window,
    answer: Answer,
    asked: tuple[int, int],
) -> None:
    """Write what follows from an evaluation.

    Parameters
    ----------
    alerts : Alerts
    connection : Connection
        In a write transaction.
    row : mapping
        The rule's row, as it is.
    rule : Rule
    window : Window
    answer : Answer
    asked : (int, int)
        When the query began and ended, in µs since 1970.
    """
    writing = _Writing(alerts, connection, row, rule, window, asked)
    values: dict[str, Any] = {"next_due": first_due(str(row["id"]), rule, window.at)}
    health, why = Health.OK, ""
    if answer.measured is None:
        health, why = _refused(answer)
    elif _is_empty(rule, answer.measured):
        health, why = Health.NO_DATA, "no records to measure"
    if answer.measured is not None and health is Health.OK:
        writing.judged(answer.measured)
    if answer.refused is None:  # what could not be asked is looked at by the next evaluation
        values["last_due"] = window.at
        writing.keep_position(answer.until)
    values |= writing.health(health, why, answer)
    values["recent"] = _recent(row, window, answer, health, asked)
    rules = table("alert_rules")
    connection.execute(rules.update().where(rules.c.id == row["id"]).values(values))


def _refused(answer: Answer) -> tuple[Health, str]:
    if answer.refused is None:
        return Health.NO_DATA, "records could not come in for the whole window"
    if answer.refused.code == NO_TABLE:
        return Health.NO_DATA, answer.refused.message
    return Health.ERROR, answer.refused.message


def _is_empty(rule: Rule, measured: Measured) -> bool:
    """Whether there was nothing to measure, which is not the same as nothing that is violated."""
    return not rule.dimensions and not rule.per_row and all(g.value is None for g in measured.groups)


def _recent(row: Mapping[str, Any], window: Window, answer: Answer, health: Health, asked: tuple[int, int]) -> str:  # fmt: skip
    groups = answer.measured.groups if answer.measured is not None else ()
    values = [g.value for g in groups if g.value is not None]
    this = {
        "at": clock.moment(window.at), "health": health.value, "milliseconds": (asked[1] - asked[0]) // 1000,
        "count": answer.measured.count if answer.measured is not None else None,
        "value": max(values) if values else None, "violated": sum(g.violated for g in groups),
    }  # fmt: skip
    return json.dumps([this, *json.loads(row["recent"])[: RECENT - 1]])


class _Writing:
    """One evaluation's writes."""

    def __init__(
        self,
        alerts: Alerts,
        connection: Connection,
        row: Mapping[str, Any],
        rule: Rule,
        window: Window,
        asked: tuple[int, int],
    ) -> None:
        self.alerts, self.connection, self.row, self.rule = alerts, connection, row, rule
        self.window, self.asked = window, asked
        self.id, self.version = str(row["id"]), int(row["version"])

    def judged(self, measured: Measured) -> None:
        known = self._series()
        verdict = judge(self.rule, self.id, known, measured.groups, self.window.at)
        self._keep_series(verdict, known)
        records, notices = [], []
        for change in verdict.changes:
            if not change.late:
                records.append(self._record(change))
                self._keep_alert(change)
            if change.tell:
                notices.append(self._notice(change, measured))
            if change.late:
                self._mark_told(change)
        self.alerts.records.add(self.connection, told.ALERT, records)
        self.alerts.outbox.add(self.connection, notices)

    # ---- series ----------------------------------------------------------------------------------

    def _series(self) -> dict[str, Series]:
        series = table("alert_series")
        rows = self.connection.execute(series.select().where(series.c.rule == self.id))
        return {
            r.series: Series(
                json.loads(r.dimensions), State(r.state), r.since, r.history, r.clean, r.missing, r.muted_until,
                r.alert, bool(r.told), r.fired_at, r.value,
            )
            for r in rows
        }  # fmt: skip

    def _keep_series(self, verdict: Verdict, known: Mapping[str, Series]) -> None:
        series = table("alert_series")
        fresh = []
        for key, after in verdict.series.items():
            here = (series.c.rule == self.id) & (series.c.series == key)
            if after is None:
                self.connection.execute(series.delete().where(here))
                continue
            values = {
                "dimensions": json.dumps(dict(after.dimensions)), "state": after.state.value, "since": after.since,
                "history": after.history, "clean": min(after.clean, 10**6), "missing": after.missing,
                "muted_until": after.muted_until, "alert": after.alert, "told": after.told,
                "fired_at": after.fired_at, "value": after.value,
            }  # fmt: skip
            if key in known:
                self.connection.execute(series.update().where(here).values(values))
            else:
                fresh.append({"rule": self.id, "series": key, **values})
        if fresh:
            self.connection.execute(series.insert(), fresh)

    # ---- transitions -----------------------------------------------------------------------------

    def _record(self, change: Change) -> dict[str, Any]:
        resolved = self.window.at if change.state is State.RESOLVED else None
        return told.alert_row(
            self.rule, self.id, self.version, clock.now_us(), _CHANGES[change.state], state=change.state.value,
            alert=change.alert, asked=self.asked, value=change.value, count=change.count,
            dimensions=change.dimensions, fired_at=change.fired_at, resolved_at=resolved,
            muted=change.state is State.FIRING and not change.tell, detail=change.reason,
        )  # fmt: skip

    def _keep_alert(self, change: Change) -> None:
        alerts = table("alerts")
        if change.state is State.FIRING:
            row = {
                "id": change.alert, "rule": self.id, "rule_name": self.rule.name,
                "severity": self.rule.severity.value, "dimensions": json.dumps(dict(change.dimensions)),
                "condition": FIRED, "fired_at": change.fired_at, "resolved_at": None, "reason": "",
                "value": change.value, "count": change.count, "told": change.tell, "response": "New",
                "responder": "", "comments": "[]",
            }  # fmt: skip
            self.connection.execute(alerts.insert().values(row))
        elif change.state is State.RESOLVED:
            values = {"condition": RESOLVED, "resolved_at": self.window.at, "reason": change.reason}
            self.connection.execute(alerts.update().where(alerts.c.id == change.alert).values(values))

    def _mark_told(self, change: Change) -> None:
        alerts = table("alerts")
        self.connection.execute(alerts.update().where(alerts.c.id == change.alert).values(told=True))

    def _notice(self, change: Change, measured: Measured) -> Notice:
        fired = change.state is State.FIRING
        condition = FIRED if fired else RESOLVED
        part = change.series if change.row is None else f"row {change.row}"
        return Notice(
            f"{self.id}/{part}/{condition}/{self.window.at}",
            change.alert,
            condition,
            written(self.rule),
            self.id,
            self.version,
            self.alerts.workspace_id,
            change.fired_at if change.fired_at is not None else self.window.at,
            None if fired else self.window.at,
            self.window.start,
            self.window.at,
            change.value,
            dict(change.dimensions),
            change.count,
            measured.columns,
            measured.records(change.series, change.row) if fired else (),
            self.rule.actions,
        )

    # ---- the rule --------------------------------------------------------------------------------

    def keep_position(self, until: Mapping[str, Mapping[int, int]]) -> None:
        """Keep how far the tables were, as long as a window of a later evaluation may begin there."""
        positions = table("alert_positions")
        mine = positions.c.rule == self.id
        newest = positions.select().where(mine).order_by(positions.c.at.desc()).limit(1)
        last = self.connection.execute(newest).one_or_none()
        text = json.dumps(until, sort_keys=True)
        if last is not None and last.position == text:
            here = mine & (positions.c.at == last.at)
            self.connection.execute(positions.update().where(here).values(through=self.window.at))
            return
        at = {"rule": self.id, "at": self.window.at, "through": self.window.at, "position": text}
        self.connection.execute(positions.insert().values(at))
        begins = self.window.at + (self.rule.frequency - self.rule.window) * SECOND
        oldest = positions.select().with_only_columns(positions.c.at).where(mine, positions.c.at <= min(begins, self.window.at))  # fmt: skip
        first = self.connection.scalar(oldest.order_by(positions.c.at.desc()).limit(1))
        if first is not None:
            self.connection.execute(positions.delete().where(mine, positions.c.at < first))

    def health(self, health: Health, why: str, answer: Answer) -> dict[str, Any]:
        """The values of the rule's row that say how it is; what is new of that is told."""
        code = answer.refused.code if answer.refused is not None else ""
        failures = self.row["failures"] + 1 if answer.permanent else 0
        values: dict[str, Any] = {
            "error_code": code, "error": why if health is not Health.OK else "", "failures": failures,
        }  # fmt: skip
        if health.value != self.row["health"]:
            values |= {"health": health.value, "health_since": self.window.at}
            if health is not Health.OK or self.row["health"]:
                change = {
                    Health.OK: RuleChange.RECOVERED, Health.NO_DATA: RuleChange.NO_DATA, Health.ERROR: RuleChange.FAILED,
                }[health]  # fmt: skip
                self._tell(change, code, why)
        if failures >= PERMANENT:
            values |= {"enabled": False, "next_due": None}
            self._tell(RuleChange.DISABLED, code, f"it failed {failures} times in a row: {why}")
        return values

    def _tell(self, change: RuleChange, code: str, detail: str) -> None:
        record = told.rule_row(
            self.rule.name, self.id, self.version, clock.now_us(), change, code=code, detail=detail
        )
        self.alerts.records.add(self.connection, told.ALERT_RULE, [record])
