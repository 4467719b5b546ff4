"""Asks what the tiles of a dashboard ask: a tile and the chosen values in, an `Answer` out.

All tiles of one refresh share the same end of time, so that their figures belong together. An `Answer` never
raises: a query that can't be answered, a table that is not there, records that stopped coming are what it says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from workbench.base import clock
from workbench.base.dtypes import Column, ScalarType, format_datetime
from workbench.base.errors import WorkbenchError
from workbench.collect.query_history import History
from workbench.kernel_ext.cells import printable
from workbench.kernel_ext.dashboards.parameters import let_statements, literal
from workbench.kernel_ext.dashboards.spec import Dashboard, Parameter, Tile
from workbench.kernel_ext.history import DASHBOARDS
from workbench.query.control import Control
from workbench.query.lexer import Kind, tokenize
from workbench.query.result import Result
from workbench.query.timerange import duration

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MOST_CHOICES = 1_000
_LOGGED_AFTER = 60.0  # seconds: a dashboard asks often, and each commit is a file


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tile shows.

    Attributes
    ----------
    result : Result or None
        None where there is an `error` or the table is `missing`.
    before : Result or None
        The same query over the period before, for the trend.
    newest : datetime or None
        When the newest record of the tile's table was made.
    start, end : datetime
        The time that was asked about.
    stored : bool
        It was found at `end` and not asked now.
    """

    tile: Tile
    start: dt.datetime
    end: dt.datetime
    result: Result | None = None
    before: Result | None = None
    source: str = ""
    newest: dt.datetime | None = None
    missing: str = ""
    error: str = ""
    query: str = ""
    stored: bool = False


class Asker:
    """Asks for one dashboard.

    Parameters
    ----------
    workspace : Workspace
    dashboard : Dashboard
    """

    def __init__(self, workspace: Any, dashboard: Dashboard) -> None:
        self._workspace = workspace
        self._history = History(workspace.repository, DASHBOARDS, after=_LOGGED_AFTER)
        self.dashboard = dashboard
        self._newest: dict[str, dt.datetime | None] = {}
        self._end = _now()

    def begin(self) -> dt.datetime:
        """Start a refresh: what is asked from now on is asked up to this moment, which it gives."""
        self._newest.clear()
        self._end = _now()
        return self._end

    def answer(
        self, tile: Tile, values: Mapping[str, Any], timespan: str, control: Control | None = None
    ) -> Answer:
        """What a tile shows with these values, over its own time or `timespan`."""
        span = dt.timedelta(microseconds=(duration(tile.timespan or timespan) or 0) // 10)
        answer = Answer(tile, self._end - span, self._end)
        if tile.kind == "text":
            return answer
        try:
            query = tile.query or self._workspace.searches.get(tile.search).query
            tables = self._workspace.tables
            source = tile.source or _first_table(query, tables)
            answer = replace(answer, query=query, source=source)
            if source and source not in tables:
                return replace(answer, missing=source)
            result = self._ask(query, values, answer.start, answer.end, control)
            before = (
                self._ask(query, values, answer.start - span, answer.start, control) if tile.trend else None
            )
            return replace(answer, result=result, before=before, newest=self._newest_of(source))
        except WorkbenchError as error:
            return replace(answer, error=error.render())

    def choices(self, parameter: Parameter) -> list[str]:
        """What a viewer can choose from: as listed, or the first column of the query's rows, as text."""
        if not isinstance(parameter.choices, str):
            return list(parameter.choices)
        if not parameter.choices:
            return []
        try:
            found = self._workspace.query(parameter.choices, limit=_MOST_CHOICES)
        except WorkbenchError:
            return []  # the table is not there yet: nothing to choose from, which the form shows
        import polars as pl

        texts = (
            found.frame.to_series(0).cast(pl.String, strict=False).drop_nulls().unique(maintain_order=True)
        )
        return [text for text in texts.to_list() if text.isprintable()]

    def _ask(self, query: str, values: Mapping[str, Any], start: dt.datetime, end: dt.datetime, control: Control | None) -> Result:  # fmt: skip
        timespan = f"{_iso(start)}/{_iso(end)}"
        self._history.before(query)
        with self._history.noting(query, timespan) as note:
            found: Result = self._workspace.query(
                query, timespan=timespan, scope=lambda name: values[name], control=control
            )
            note.answered(found)
        return found

    def _newest_of(self, table: str) -> dt.datetime | None:
        if not table:
            return None
        if table not in self._newest:
            schema = self._workspace.source.schema(table)
            timed = schema is not None and Column("TimeGenerated", ScalarType.DATETIME) in schema
            found = (
                self._workspace.query(f"['{table}'] | top 1 by TimeGenerated | project TimeGenerated")
                if timed
                else None
            )
            self._newest[table] = found.frame.item() if found is not None and len(found) else None
        return self._newest[table]


def _now() -> dt.datetime:
    return _EPOCH + dt.timedelta(microseconds=clock.now_us())


def _first_table(query: str, tables: list[str]) -> str:
    return next((str(t.value) for t in tokenize(query) if t.kind is Kind.NAME and t.value in tables), "")


def _iso(moment: dt.datetime) -> str:
    return format_datetime((moment - _EPOCH) // dt.timedelta(microseconds=1) * 10)


# ---- the search behind a tile -----------------------------------------------------------------


def drill_down(title: str, answer: Answer, values: Mapping[str, Any], row: int | None = None) -> str:
    """The cell that asks what the tile shows: the same query, time and values; of one row with it as a filter.

    Parameters
    ----------
    title : str
        Of the dashboard.
    row : int, optional
        The row of the result whose name was clicked.
    """
    query, asked = answer.query, dict(values)
    result = answer.result
    if row is not None and result is not None and 0 <= row < len(result):
        column, name = result.schema[0], result.frame.to_series(0)[row]
        if answer.tile.drill:
            query, asked = answer.tile.drill, {**asked, "selected": "" if name is None else str(name)}
        elif name is None:
            query = f"{query}\n| where isnull({_named(column.name)})"
        elif isinstance(name, bool | str | int | float | dt.datetime | dt.timedelta):
            query = f"{query}\n| where {_named(column.name)} == {literal(name)}"
    used = {str(t.value) for t in tokenize(query) if t.kind is Kind.NAME}
    lets = let_statements({name: value for name, value in asked.items() if name in used})
    place = printable(" › ".join(part for part in (title, answer.tile.title) if part))
    return f"%%logsearch --timespan {_iso(answer.start)}/{_iso(answer.end)}\n// {place}\n{lets}{query}"


def _named(column: str) -> str:
    """The column's name as KQL reads it."""
    return column if column.isidentifier() and column.isascii() else f"[{literal(column)}]"
