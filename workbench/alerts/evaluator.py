"""Evaluates the rules that are due: asks, judges, and commits state, records and notices in one transaction.

In go the rules of a control database and the tables of a workspace. One process evaluates at a time (`Lease`), and an
evaluation is committed only where its rule is as it was looked at and that process still has the lease; so whatever is
killed or stopped, no transition is lost and none is there twice.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.alerts.commit import commit
from workbench.alerts.evaluating import Answer, Evaluating, Window, seconds_of
from workbench.alerts.judging import violates
from workbench.alerts.patience import Asked
from workbench.alerts.rule import Measure, Rule
from workbench.alerts.schema import table
from workbench.alerts.store import SECOND, Alerts
from workbench.base import clock
from workbench.base.diagnostics import query as query_diagnostics

if TYPE_CHECKING:
    from sqlalchemy import Connection

log = logging.getLogger("workbench.alerts")
LEASE_SECONDS = 10
"""How long another process waits for one that evaluates and says nothing. Who asks longer than that may lose his turn."""
KEPT_DAYS = 90
"""How long an alert is listed after it fired; its records stay as long as their table keeps them."""
_HOUR = 3_600 * SECOND
PATIENCE_SECONDS = 3.0
"""How long the other rules wait for the query of one."""
GIVE_UP_SECONDS = 5.0
"""How long behind its limit a query is waited for."""
GRACE_SECONDS = 600
"""In which senders bring what waited while nothing could come in."""


@dataclass(frozen=True, slots=True)
class Due:
    """A rule as it was looked at, and the moment of its grid at which it is evaluated now."""

    row: Mapping[str, Any]
    rule: Rule
    at: int

    @property
    def id(self) -> str:
        return str(self.row["id"])


class Evaluator:
    """Evaluates rules; several, of several processes, take turns.

    Parameters
    ----------
    alerts : Alerts
    asking : Evaluating
    taking_in_since : callable, optional
        Since when (µs since 1970) records came in without a break. Where that is less than a window (or `GRACE_SECONDS`),
        a rule that is violated by too few records tells nothing: what is missing may wait before the door.
    """

    def __init__(
        self, alerts: Alerts, asking: Evaluating, taking_in_since: Callable[[], int] = lambda: 0
    ) -> None:
        self.alerts, self.asking = alerts, asking
        self.holder = str(uuid.uuid4())
        self._taking_in_since = taking_in_since
        self._held_until = 0
        self._looked_for_old = 0
        self.patience = PATIENCE_SECONDS
        self._slow: dict[tuple[str, int], Asked] = {}
        self._database = alerts.database

    def next_due(self) -> int | None:
        """The first due moment of all rules, in µs since 1970."""
        import sqlalchemy as sa

        with self._database.read() as connection:
            found = connection.scalar(sa.select(sa.func.min(table("alert_rules").c.next_due)))
        return None if found is None else int(found)

    def turn(self, stop: Callable[[], bool] = lambda: False) -> int:
        """Evaluate what is due, each rule once at most; how many evaluations were committed.

        Raises
        ------
        WorkbenchError
            CTL001; what was not committed is still due.
        """
        now = clock.now_us()
        rules = table("alert_rules")
        due = rules.select().where(rules.c.next_due <= now).order_by(rules.c.next_due, rules.c.id)
        with self._database.read() as connection:
            rows = [dict(r._mapping) for r in connection.execute(due)]
        if not rows or not self._hold():
            return 0
        self._forget_old(now)
        asked = {(row["id"], row["version"]) for row in rows}
        self._slow = {key: one for key, one in self._slow.items() if key in asked or not one.done}
        done = 0
        for row in rows:
            if stop() or not self._hold():
                break
            done += self.evaluate(row)
        return done

    def evaluate(self, row: Mapping[str, Any]) -> bool:
        """Evaluate a rule at the newest moment of its grid that is over; whether it was committed.

        Moments that were missed before (the service was off) are not made up: what came then is read now.
        """
        rule = Rule.read(json.loads(row["rule"]))
        step = rule.frequency * SECOND
        late = max(0, clock.now_us() - row["next_due"]) // step
        due = Due(row, rule, row["next_due"] + late * step)
        asked, answer = self._asked(due)
        if answer is None:
            return False
        answer = self._held_back(due, answer)
        with self._database.begin() as connection:
            if not self._unchanged(connection, row):
                self.asking.forget(due.id)
                self._held_until = 0
                return False  # somebody else was faster, or it was changed meanwhile
            times = (asked.began, clock.now_us())
            commit(self.alerts, connection, row, rule, asked.window, answer, times)
        return True

    def _asked(self, due: Due) -> tuple[Asked, Answer | None]:
        """What a rule is answered; None while that takes long, and the others go first."""
        key = (due.id, due.row["version"])
        asked, patience = self._slow.get(key), 0.0
        if asked is not None and asked.row["next_due"] != due.row["next_due"] and asked.done:
            asked = None  # it was given up
        if asked is None:
            self._slow.pop(key, None)
            window, patience = self._window(due), self.patience
            asked = Asked(lambda: self.asking.ask(due.id, due.rule, window), due.row, window)
        answer = asked.wait(patience)
        if answer is not None:
            self._slow.pop(key, None)
            return asked, answer
        self._slow[key] = asked
        most = seconds_of(due.rule)
        if asked.seconds < most + GIVE_UP_SECONDS:
            return asked, None
        # It can't be ended, so it is not asked again before it ends.
        return asked, Answer(None, {}, query_diagnostics.out_of_time(most))

    def _held_back(self, due: Due, answer: Answer) -> Answer:
        """The answer, unless it says that records are missing while none could come in."""
        rule = due.rule
        if answer.measured is None or rule.measure is not Measure.COUNT or not violates(rule, 0.0):
            return answer
        if self._taking_in_since() <= due.at - min(rule.window, GRACE_SECONDS) * SECOND:
            return answer
        return Answer(None, answer.until, None)

    def _window(self, due: Due) -> Window:
        rule, at, last = due.rule, due.at, due.row["last_due"]
        start = at - rule.window * SECOND
        if last is None:  # none yet, or none that could ask
            start = min(start, due.row["changed"])
        elif rule.per_row:
            start = last
        elif last < at - rule.frequency * SECOND:
            start = min(start, last)  # what came while nobody evaluated is looked at once, at least
        positions = table("alert_positions")
        newest = (
            positions.select()
            .where(positions.c.rule == due.id, positions.c.at <= start)
            .order_by(positions.c.at.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            found = connection.execute(newest).one_or_none()
        if found is None:
            return Window(at, start, None)
        low = {t: {int(w): n for w, n in p.items()} for t, p in json.loads(found.position).items()}
        return Window(at, start, low, exact=start <= found.through)

    def _unchanged(self, connection: Connection, row: Mapping[str, Any]) -> bool:
        rules = table("alert_rules")
        found = connection.execute(rules.select().where(rules.c.id == row["id"])).one_or_none()
        if found is None or (found.next_due, found.version) != (row["next_due"], row["version"]):
            return False
        lease = table("alert_evaluator")
        return connection.scalar(lease.select().with_only_columns(lease.c.holder)) == self.holder

    def _hold(self) -> bool:
        """Take or renew the lease; whether this process has it."""
        now, whole = clock.now_us(), LEASE_SECONDS * SECOND
        if now < self._held_until - whole // 2 <= now + whole:
            return True  # each commit looks whether it is so
        lease = table("alert_evaluator")
        with self._database.begin() as connection:
            found = connection.execute(lease.select()).one_or_none()
            # A clock that was set back must not keep it for ever.
            if found is not None and found.holder != self.holder and now < found.until <= now + whole:
                return False
            values = {"holder": self.holder, "until": now + whole}
            if found is None:
                connection.execute(lease.insert().values(id=1, **values))
            else:
                connection.execute(lease.update().values(values))
        self._held_until = now + whole
        return True

    def _forget_old(self, now: int) -> None:
        """Once an hour: list no alerts any more that fired long ago, but those of series that still fire."""
        if self._looked_for_old <= now < self._looked_for_old + _HOUR:
            return
        alerts, series = table("alerts"), table("alert_series")
        still = series.select().with_only_columns(series.c.alert).where(series.c.alert != "")
        old = (alerts.c.fired_at < now - KEPT_DAYS * 24 * _HOUR) & alerts.c.id.not_in(still)
        with self._database.begin() as connection:
            connection.execute(alerts.delete().where(old))
        self._looked_for_old = now

    def release(self) -> None:
        """Let another process evaluate at once."""
        lease = table("alert_evaluator")
        self._held_until = 0
        with self._database.begin() as connection:
            connection.execute(lease.delete().where(lease.c.holder == self.holder))
