"""Deaths at every statement and commit of evaluations, over a generated run: each transition is there once.

The points of an evaluation are its statements, before and after, and its commits, before and after. At each moment of the run the
process dies at one of them, is started again, may die at a later one, and then comes through. An oracle that knows only in which order records came, and when evaluations were,
says which transitions there are. `WORKBENCH_CRASHES` says how many deaths (`make soak`: 10,000), `WORKBENCH_CRASH_SEED`
where chance starts. In place of the query engine a list of records is asked; it knows positions, windows and no more.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from toldrows import rows

from workbench.alerts import told
from workbench.alerts.evaluating import Answer, Evaluating, Window
from workbench.alerts.evaluator import Evaluator
from workbench.alerts.judging import Group
from workbench.alerts.measuring import Measured
from workbench.alerts.outbox import AlertOutbox
from workbench.alerts.rule import Dimension, Rule
from workbench.alerts.store import Alerts
from workbench.base import clock
from workbench.base.database import Database
from workbench.collect.record_outbox import RecordOutbox

CRASHES = int(os.environ.get("WORKBENCH_CRASHES", "300"))
SEED = int(os.environ.get("WORKBENCH_CRASH_SEED", "1"))
POINTS = 60
"""More than the statements and commits of any turn: some deaths come not at all."""
BEGIN = 1_764_000_000_000_000
SECOND = 1_000_000
RULES = (
    Rule("each", "E", frequency=60, window=60, dimensions=(Dimension("C"),), threshold=1.0),
    Rule("wide", "E", frequency=60, window=180, dimensions=(Dimension("C"),), threshold=3.0, periods=3, failing=2),
    Rule("slow", "E", frequency=120, window=200, threshold=4.0, clean=2),
    Rule("rows", "E", frequency=60, window=60, per_row=True),
)  # fmt: skip


class Death(BaseException):
    """The process is no more."""


@dataclass
class Arrivals:
    """What came: for each sequence number from 1, when it came, and of which computer."""

    came: list[tuple[int, str]] = field(default_factory=list)

    def between(self, low: int, high: int, behind: int | None) -> list[str]:
        return [c for at, c in self.came[low:high] if behind is None or at > behind]


class ListAsking(Evaluating):
    """Asks a list of records, as a query of all of a table would."""

    def __init__(self, arrivals: Arrivals) -> None:
        self.arrivals = arrivals

    def ask(self, rule_id: str, rule: Rule, window: Window) -> Answer:
        high = len(self.arrivals.came)
        low = 0 if window.low is None else window.low["E"].get(0, 0)
        behind = window.start if window.low is None or not window.exact else None
        found = self.arrivals.between(low, high, behind)
        until = {"E": {0: high}}
        if rule.per_row:
            groups = tuple(Group({}, 1.0, True, 1, n) for n in range(len(found)))
        elif rule.dimensions:
            names = sorted(set(found))
            groups = tuple(_group(rule, {"C": c}, found.count(c)) for c in names)
        else:
            groups = (_group(rule, {}, len(found)),)
        return Answer(_Found(groups, (), len(found), None, {}), until)  # type: ignore[arg-type]

    def forget(self, rule_id: str) -> None:
        pass


class _Found(Measured):
    def records(self, series: str, row: int | None = None) -> tuple[tuple[Any, ...], ...]:
        return ()


def _group(rule: Rule, dimensions: Mapping[str, str], count: int) -> Group:
    return Group(dimensions, float(count), count > rule.threshold, count)


class Run:
    """A control database, evaluators that die, and what really happened."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.arrivals = Arrivals()
        self.evaluated: dict[str, list[tuple[int, int]]] = defaultdict(list)  # rule → (moment, position)
        self.left: int | None = None
        self.start()
        for rule in RULES:
            self.alerts.put(rule, "ada")
        with self.database.read() as connection:
            found = connection.execute(sa.text("SELECT id, name, changed FROM alert_rules")).all()
        self.rules = {number: (name, changed) for number, name, changed in found}

    def start(self) -> None:
        self.database = Database.open(self.folder)
        sa.event.listen(self.database.engine, "before_cursor_execute", self._point)
        sa.event.listen(self.database.engine, "after_cursor_execute", self._point)
        sa.event.listen(self.database.engine, "commit", self._point)
        self.opened: list[Any] = []
        sa.event.listen(self.database.engine, "connect", lambda raw, _: self.opened.append(raw))
        self.alerts = Alerts(RecordOutbox(self.database, told.TYPES), AlertOutbox(self.database), "w")
        self.evaluator = Evaluator(self.alerts, ListAsking(self.arrivals))

    def _point(self, *_: object) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise Death

    @contextmanager
    def dying_after_commit(self) -> Iterator[None]:
        """Commits are points when they are done, too."""
        real = Database.begin

        @contextmanager
        def begin(database: Database) -> Iterator[Any]:
            with real(database) as connection:
                yield connection
            self._point()

        Database.begin = begin  # type: ignore[method-assign]
        try:
            yield
        finally:
            Database.begin = real  # type: ignore[method-assign]

    def turn(self, point: int) -> bool:
        """Evaluate what is due, dying at a point; whether it died."""
        self.left = point
        died = False
        try:
            self.evaluator.turn()
        except Death:
            died = True
        self.left = None
        if died:
            for raw in self.opened:
                with contextlib.suppress(sqlite3.ProgrammingError):  # closed before
                    raw.rollback()  # as the next process does with the journal of the dead
                    raw.close()
            gc.collect()  # a cursor that is still there would keep its transaction
            self.opened.clear()
            self.database.engine.dispose()
            self.evaluator = Evaluator(self.alerts, ListAsking(self.arrivals))
        self._look()
        return died

    def _look(self) -> None:
        """Which evaluations there were, as the database has it."""
        with self.database.read() as connection:
            for number, moment in connection.execute(sa.text("SELECT id, last_due FROM alert_rules")):
                known = self.evaluated[number]
                if moment is not None and (not known or known[-1][0] != moment):
                    known.append((moment, len(self.arrivals.came)))

    # ---- the oracle ------------------------------------------------------------------------------

    def expected(self, number: str, rule: Rule) -> list[tuple[str, str, int]]:
        """Transitions of a rule: what, of which computer, when."""
        found: list[tuple[str, str, int]] = []
        past: list[tuple[int, dict[str, int]]] = []
        for place, (moment, high) in enumerate(self.evaluated[number]):
            rows = self._rows(number, rule, place, moment, high)
            if rule.per_row:
                found += [("Fired", "", moment)] * len(rows)
                continue
            counts = {c: rows.count(c) for c in set(rows)} if rule.dimensions else {"": len(rows)}
            past.append((moment, counts))
        for computer in sorted({c for _, counts in past for c in counts}):
            found += _transitions(rule, computer, past)
        return sorted(found, key=lambda t: (t[2], t[1], t[0]))

    def _rows(self, number: str, rule: Rule, place: int, moment: int, high: int) -> list[str]:
        before = self.evaluated[number][:place]
        start = moment - rule.window * SECOND
        if not before:
            return self.arrivals.between(0, high, min(start, self.rules[number][1]))
        last = before[-1][0]
        if rule.per_row:
            start = last
        elif moment - last > rule.frequency * SECOND:
            start = min(start, last)
        kept = [e for e in before if e[0] <= start]
        if not kept:
            return self.arrivals.between(0, high, start)
        at, low = kept[-1]
        return self.arrivals.between(low, high, None if at == start else start)


def _transitions(rule: Rule, computer: str, past: Sequence[tuple[int, dict[str, int]]]) -> list[tuple[str, str, int]]:  # fmt: skip
    """Of one computer, from all that was measured of it since it was last new."""
    found: list[tuple[str, str, int]] = []
    firing, pending, absent = False, False, 99
    hits: list[bool] = []
    for moment, counts in past:
        if computer not in counts:
            absent += 1
            hits.append(False)
            if absent == 2 and firing:
                found.append(("Resolved", computer, moment))
            if absent >= 2:
                firing, pending, hits = False, False, []
        else:
            absent = 0
            hits.append(counts[computer] > rule.threshold)
        recent = hits[-rule.periods :]
        if firing:
            if absent == 0 and len(hits) >= rule.clean and not any(hits[-rule.clean :]):
                found.append(("Resolved", computer, moment))
                firing, pending, hits = False, False, []
        elif hits and hits[-1] and sum(recent) >= rule.failing:
            found.append(("Fired", computer, moment))
            firing, pending = True, False
        else:
            waits = bool(hits and hits[-1]) or (pending and any(recent))
            if waits and not pending:
                found.append(("Pending", computer, moment))
            pending = waits
    return found


@pytest.mark.slow
def test_no_transition_is_lost_or_doubled_wherever_it_dies(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    deaths = 0
    with clock.frozen(BEGIN * 10):
        run = Run(tmp_path)
        gc.freeze()
        now = BEGIN
        with run.dying_after_commit():
            while deaths < CRASHES:
                for _ in range(chance.choice((0, 0, 1, 2, 5, 9))):
                    run.arrivals.came.append((now, chance.choice("aab")))
                    now += chance.randrange(1, SECOND)
                due = run.evaluator.next_due()
                assert due is not None
                # Mostly on time, at times a service that was off.
                now = max(now, due + chance.choice((0, 0, 0, 0, 0, 5, 300)) * SECOND)
                clock._frozen = now * 10
                points = sorted(chance.sample(range(POINTS), 2))
                while points and run.turn(points.pop(0)):
                    deaths += 1
                    now += 11 * SECOND  # the lease of the dead runs out
                    clock._frozen = now * 10
                run.turn(10**9)
        gc.unfreeze()
        _compare(run)
    print(f"{deaths} deaths, {sum(map(len, run.evaluated.values()))} evaluations")


def _compare(run: Run) -> None:
    records = rows(run.alerts.records, told.ALERT)
    with run.database.read() as connection:
        notices = [json.loads(n) for n in connection.scalars(sa.text("SELECT notice FROM alert_notices"))]
        alerts = connection.execute(sa.text("SELECT id, rule FROM alerts")).all()
    key: Callable[[Any], Any] = lambda t: (t[2], t[1], t[0])  # noqa: E731
    for number, (name, _) in run.rules.items():
        rule = next(r for r in RULES if r.name == name)
        wanted = run.expected(number, rule)
        kinds = {kind for kind, _, _ in wanted}
        assert rule.per_row or {"Fired", "Resolved"} <= kinds, "the run shows nothing"
        mine = [n for n in notices if n["rule_id"] == number]
        sent = [
            (n["condition"], n["dimensions"].get("C", ""), n["resolved_at"] or n["fired_at"]) for n in mine
        ]
        assert sorted(sent, key=key) == [t for t in wanted if t[0] != "Pending"]
        assert len({n["key"] for n in mine}) == len(mine)
        of_rule = [r for r in records if r["AlertRuleId"] == number]
        assert sorted((r["Change"], r["Dimensions"].get("C", "")) for r in of_rule) == sorted(t[:2] for t in wanted)  # fmt: skip
        assert sum(r == number for _, r in alerts) == sum(t[0] == "Fired" for t in wanted)
