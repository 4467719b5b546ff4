"""A rule's query bound to its tables, as far as that can be without rows.

In go a rule and a source of tables, out come the columns of the query's rows, or None where they can't be told yet: a table
is not there, or its columns depend on data (`bag_unpack`, `pivot`). Reads no row.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from workbench.alerts.rule import Measure, Rule
from workbench.base.diagnostics import alerts as diagnostics
from workbench.base.dtypes import ScalarType, Schema
from workbench.base.errors import Span, WorkbenchError
from workbench.query.backends.polars import TableScan
from workbench.query.frames import Tables, empty_scan, surroundings_of
from workbench.query.operators._several import opened
from workbench.query.plan import Rel
from workbench.query.runner import Runner

NO_TABLE = "KQL102"
_OF_COLUMNS = frozenset({"KQL101", "KQL104"})
_NUMBERS = (ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL)
_RECURSION = 6_000


def columns(rule: Rule, source: Tables) -> Schema | None:
    """The columns of the rows that the rule's query gives; None where they can't be told without rows.

    Raises
    ------
    WorkbenchError
        KQL…, with the place in the query, for what is wrong in any case.

    Examples
    --------
    >>> from workbench.query.frames import FrameTables
    >>> [(c.name, c.type.value) for c in columns(Rule("r", "print n = 1"), FrameTables({}))]
    [('n', 'long')]
    """
    if sys.getrecursionlimit() < _RECURSION:
        sys.setrecursionlimit(_RECURSION)
    runner = _Borders(_Empty(source), None, rule.parameters)
    try:
        rel = runner.bind(rule.query, None).rel
        first = next(iter(opened(rel, runner.evaluate)))[1]
    except WorkbenchError as error:
        if error.code == NO_TABLE or (runner.asked and error.code in _OF_COLUMNS):
            return None
        raise runner.located(error, rule.query) from None
    return None if runner.asked else tuple(c for c in first.schema if not c.hidden)


def check_columns(rule: Rule, source: Tables, when: Span | None = None, split: Span | None = None) -> None:
    """Refuse a rule whose query can't be bound, or doesn't give what is measured or split by.

    Raises
    ------
    WorkbenchError
        KQL…, ALR109, ALR110; `when` and `split` are the places that it shows.
    """
    there = columns(rule, source)
    if there is None:
        return
    names = [c.name for c in there]
    if rule.measure is not Measure.COUNT:
        if rule.column not in names:
            raise diagnostics.no_column(when, "when", rule.column, names)
        type_ = next(c.type for c in there if c.name == rule.column)
        if type_ not in _NUMBERS:
            raise diagnostics.not_a_number(when, rule.column, type_.value)
    for dimension in rule.dimensions:
        if dimension.name not in names:
            raise diagnostics.no_column(split, "split by", dimension.name, names)


class _Empty:
    """The tables of a source, without their rows."""

    def __init__(self, source: Tables) -> None:
        self._source = source
        self.surroundings = surroundings_of(source)

    def tables(self) -> list[str]:
        return self._source.tables()

    def schema(self, table: str) -> Schema | None:
        return self._source.schema(table)

    def scan(self, table: str, columns: Sequence[str] | None, time_range: tuple[int | None, int | None]) -> TableScan:  # fmt: skip
        return empty_scan(self._source.schema(table) or (), columns)


class _Borders(Runner):
    """Knows whether the binder had to look at rows."""

    asked = False

    def evaluate(self, rel: Rel) -> Any:
        self.asked = True
        return super().evaluate(rel)
