"""When a rule would have fired: its evaluations over stored records, judged as they are when it runs.

In go a rule, the tables and a span of time, out comes a `Backtest`. The records are read once (`recorded`); an evaluation
asks the query of those in its window; one that sees the same records as the one before is not asked again, and where a rule
only counts chosen records none is. Nothing is kept, and nobody is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from workbench.alerts.checks import checked
from workbench.alerts.evaluating import EVERY_ROW, SECOND, timeless
from workbench.alerts.judging import Change, Group, Series, State, judge, violates
from workbench.alerts.measuring import measure
from workbench.alerts.recorded import Cut, Recorded, first_conditions, reads_of
from workbench.alerts.rule import Measure, Rule
from workbench.base.diagnostics import alerts as diagnostics
from workbench.base.dtypes import Column, ScalarType, format_datetime
from workbench.query.control import Control, Limits
from workbench.query.frames import FrameTables, Tables, surroundings_of
from workbench.query.result import Result
from workbench.query.run import run

MOST_EVALUATIONS = 50_000
_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Firing:
    """One alert: moments in µs since 1970; `resolved_at` None: it would still fire. `told`: not muted."""

    at: int
    resolved_at: int | None
    dimensions: Mapping[str, str]
    value: float | None
    count: int
    told: bool


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a rule would have done.

    Attributes
    ----------
    firings : tuple of Firing
        In their order.
    measured : tuple of (int, float or None, bool)
        An evaluation each: when, the value of its worst combination of dimensions, and whether it was violated.
    asked : int
        How many evaluations had to ask the query.
    records : int
        How many records were read.
    """

    rule: Rule
    firings: tuple[Firing, ...]
    measured: tuple[tuple[int, float | None, bool], ...]
    asked: int
    records: int

    def chart(self) -> Result:
        """The measured values and the threshold over time, as a rendered result."""
        rows = {
            "TimeGenerated": [at for at, _, _ in self.measured],
            "Measured": [value for _, value, _ in self.measured],
            "Threshold": [self.rule.threshold] * len(self.measured),
        }
        types = (ScalarType.DATETIME, ScalarType.REAL, ScalarType.REAL)
        schema = tuple(Column(name, type_) for name, type_ in zip(rows, types, strict=True))
        frame = pl.DataFrame(
            rows, schema={"TimeGenerated": pl.Int64, "Measured": pl.Float64, "Threshold": pl.Float64}
        )
        frame = frame.with_columns(pl.col("TimeGenerated").cast(pl.Datetime("us", "UTC")))
        return run("source | render timechart", FrameTables({"source": (frame, schema)}), limit=EVERY_ROW)


def backtest(rule: Rule, source: Tables, start: int, end: int, progress: Callable[[int, int], None] | None = None) -> Backtest:  # fmt: skip
    """When a rule would have fired between two moments.

    Parameters
    ----------
    rule : Rule
    source : Tables
    start, end : int
        µs since 1970.
    progress : callable, optional
        Told how many evaluations of how many are done.

    Raises
    ------
    WorkbenchError
        ALR0xx, ALR131, ALR132, and what the query is refused for.
    """
    rule = checked(rule)
    step = rule.frequency * SECOND
    moments = range(start - start % step + step, end + 1, step)
    if len(moments) > MOST_EVALUATIONS:
        raise diagnostics.too_many_evaluations(len(moments), MOST_EVALUATIONS)
    reads = reads_of(rule.query, rule.parameters, source, end)
    back = max(rule.window * SECOND, reads.reach + SECOND)
    records = Recorded(rule.query, rule.parameters, source, reads, start - back, end)
    asking = _Asking(rule, records, timeless(rule.query, surroundings_of(source).functions()))
    known: dict[str, Series] = {}
    found = _Found()
    for number, at in enumerate(moments, 1):
        groups = asking.groups(at)
        verdict = judge(rule, "backtest", known, groups, at)
        for key, series in verdict.series.items():
            if series is None:
                known.pop(key, None)
            else:
                known[key] = series
        found.add(at, groups, verdict.changes)
        if progress is not None and number % 100 == 0:
            progress(number, len(moments))
    return Backtest(rule, found.firings(), tuple(found.measured), asking.asked, records.rows)


class _Asking:
    """What evaluations measure; the last answer is given again where the records are the same."""

    def __init__(self, rule: Rule, records: Recorded, timeless: bool) -> None:
        self._rule, self._records, self._timeless = rule, records, timeless
        self._counts = _only_counts(rule, list(records.tables))
        self.asked = 0
        self._last: tuple[Any, tuple[Group, ...]] | None = None
        self._of_none: tuple[Group, ...] | None = None

    def groups(self, at: int) -> tuple[Group, ...]:
        start = at - (self._rule.frequency if self._rule.per_row else self._rule.window) * SECOND
        places = self._records.places(start, at)
        if self._counts:
            [(first, last)] = places.values()
            value = float(last - first)
            return (Group({}, value, violates(self._rule, value), last - first),)
        empty = all(first == last for first, last in places.values()) and bool(places)
        if empty and self._of_none is not None:
            return self._of_none
        if self._timeless and self._last is not None and self._last[0] == places:
            return self._last[1]
        cut = self._records.cut(start, at)
        found = self._ask(cut, start, at)
        self._last = (places, found)
        if empty and not cut.history:  # nothing but the moment could make another difference
            self._of_none = found
        return found

    def _ask(self, cut: Cut, start: int, at: int) -> tuple[Group, ...]:
        self.asked += 1
        result = run(
            self._rule.query, cut, parameters=self._rule.parameters, limit=EVERY_ROW,
            control=Control(Limits(seconds=_SECONDS)), options={"query_now": format_datetime(at * 10)}, arrived_from=start,
        )  # fmt: skip
        return measure(self._rule, result).groups


def _only_counts(rule: Rule, tables: list[str]) -> bool:
    """Whether how many records there are is all that an evaluation finds out."""
    plain = rule.measure is Measure.COUNT and not (rule.dimensions or rule.violations or rule.per_row)
    return plain and len(tables) == 1 and bool(first_conditions(rule.query, tables[0], whole=True))


class _Found:
    """Collects what evaluations came to."""

    def __init__(self) -> None:
        self.measured: list[tuple[int, float | None, bool]] = []
        self._fired: dict[str, Change] = {}
        self._resolved: dict[str, int] = {}
        self._at: dict[str, int] = {}

    def add(self, at: int, groups: tuple[Group, ...], changes: tuple[Change, ...]) -> None:
        violated = [g for g in groups if g.violated]
        values = [g.value for g in (violated or groups) if g.value is not None]
        # Of rules with a row an alert each, how many there are is what is compared.
        value = float(len(groups)) if groups and groups[0].row is not None else max(values, default=None)
        self.measured.append((at, value, bool(violated)))
        for change in changes:
            if change.state is State.FIRING and not change.late:
                self._fired[change.alert], self._at[change.alert] = change, at
            elif change.state is State.RESOLVED:
                self._resolved[change.alert] = at

    def firings(self) -> tuple[Firing, ...]:
        return tuple(
            Firing(self._at[a], self._resolved.get(a), c.dimensions, c.value, c.count, c.tell)
            for a, c in self._fired.items()
        )
