"""The records of a span of time, read once: each table with those columns that a query uses, in the order in which they came.

In go a query and the tables of a workspace, out comes a source of tables that can be cut to any window without reading
again. A record that came in more than an hour after its time (an import) is taken as if it had come in at its time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from workbench.alerts.evaluating import timeless
from workbench.base.diagnostics import alerts as diagnostics
from workbench.base.dtypes import Schema, format_datetime
from workbench.query import syntax
from workbench.query.backends.polars import TableScan
from workbench.query.control import Control, Limits
from workbench.query.frames import EmptyScan, Tables, empty_scan, surroundings_of
from workbench.query.parser import parse
from workbench.query.run import run
from workbench.repository.layout import RECEIVED, TIME

MOST_ROWS = 20_000_000
"""Of one table: what is held in memory."""
_CAME = "__came"
_HOUR = 3_600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Reads:
    """What a query reads: columns by table, and how far before its `now()` it looks by time (µs)."""

    columns: Mapping[str, tuple[str, ...]]
    reach: int


def reads_of(query: str, parameters: Mapping[str, Any], source: Tables, now: int) -> Reads:
    """What a query would read as of `now` (µs since 1970), found by running it over no rows."""
    watching = _Watching(source)
    run(query, watching, parameters=parameters, limit=1, options={"query_now": format_datetime(now * 10)})
    return Reads(
        {t: tuple(dict.fromkeys(c)) for t, c in watching.columns.items()},
        max((now - start for start in watching.starts), default=0),
    )


class Recorded:
    """Tables of a span of time in memory.

    Parameters
    ----------
    query : str
        Whose tables they are; conditions that stand first in it are applied while reading.
    parameters : mapping
    source : Tables
    reads : Reads
    start, end : int
        The span in which records came, µs since 1970.
    """

    def __init__(
        self, query: str, parameters: Mapping[str, Any], source: Tables, reads: Reads, start: int, end: int
    ) -> None:
        self._source = source
        self.rows = 0
        """How many records were read."""
        self._frames: dict[str, pl.DataFrame] = {}
        self._came: dict[str, list[int]] = {}
        for table, columns in reads.columns.items():
            frame = self._read(table, columns, first_conditions(query, table), parameters, start, end)
            self._came[table] = frame[_CAME].to_list()
            self._frames[table] = frame.drop(_CAME)
            self.rows += frame.height

    @property
    def tables(self) -> Sequence[str]:
        return tuple(self._frames)

    def places(self, start: int, end: int) -> dict[str, tuple[int, int]]:
        """Where in each table the records begin and end that came behind `start` and up to `end`."""
        return {t: (bisect_right(came, start), bisect_right(came, end)) for t, came in self._came.items()}

    def cut(self, start: int, end: int) -> Cut:
        """The tables of a window."""
        return Cut(self._source, self._frames, self.places(start, end), start)

    def _read(self, table: str, columns: Sequence[str], conditions: str, parameters: Mapping[str, Any], start: int, end: int) -> pl.DataFrame:  # fmt: skip
        known = {c.name for c in self._source.schema(table) or ()}
        wanted = list(dict.fromkeys([*columns, *(c for c in (TIME, RECEIVED) if c in known)]))
        listed = ", ".join(f"['{c}']" for c in wanted)
        span = f"{format_datetime((start - _HOUR) * 10)}/{format_datetime((end + _HOUR) * 10)}"
        result = run(
            f"{conditions or table}\n| project {listed}", self._source, parameters=parameters, limit=MOST_ROWS,
            timespan=span if TIME in known else None, control=Control(Limits(seconds=600.0)),
        )  # fmt: skip
        if result.truncated:
            raise diagnostics.too_many_records(table, MOST_ROWS)
        came = pl.lit(end - 1)
        if TIME in wanted:
            came = time = pl.col(TIME).to_physical()
            if RECEIVED in wanted:
                late = pl.col(RECEIVED).to_physical() - time
                came = pl.when(late.is_between(-_HOUR, _HOUR)).then(pl.col(RECEIVED).to_physical()).otherwise(time)  # fmt: skip
        frame = result.frame.with_columns(came.cast(pl.Int64).alias(_CAME))
        frame = frame.filter(pl.col(_CAME).is_between(start, end, closed="right"))
        return frame.sort(_CAME).select(*columns, _CAME)


class Cut:
    """Tables of one window, as `query.run.Tables`; what is asked for times before it gets all that came before its end.

    `history` tells whether that was so.
    """

    def __init__(self, source: Tables, frames: Mapping[str, pl.DataFrame], places: Mapping[str, tuple[int, int]], start: int) -> None:  # fmt: skip
        self._source, self._frames, self._places, self._start = source, frames, places, start
        self.surroundings = surroundings_of(source)
        self.history = False

    def tables(self) -> list[str]:
        return self._source.tables()

    def schema(self, table: str) -> Schema | None:
        return self._source.schema(table)

    def scan(self, table: str, columns: Sequence[str] | None, time_range: tuple[int | None, int | None]) -> TableScan:  # fmt: skip
        first, last = self._places[table]
        if time_range[0] is not None and time_range[0] < self._start:
            self.history, first = True, 0
        frame = self._frames[table].slice(first, last - first).lazy()
        return EmptyScan(frame if columns is None else frame.select(columns))


class _Watching:
    """Tables without rows that remember what was asked of them."""

    def __init__(self, source: Tables) -> None:
        self._source = source
        self.surroundings = surroundings_of(source)
        self.columns: dict[str, list[str]] = {}
        self.starts: list[int] = []

    def tables(self) -> list[str]:
        return self._source.tables()

    def schema(self, table: str) -> Schema | None:
        return self._source.schema(table)

    def scan(self, table: str, columns: Sequence[str] | None, time_range: tuple[int | None, int | None]) -> TableScan:  # fmt: skip
        schema = self._source.schema(table) or ()
        asked = [c.name for c in schema] if columns is None else list(columns)
        self.columns.setdefault(table, []).extend(asked)
        if time_range[0] is not None:
            self.starts.append(time_range[0])
        return empty_scan(schema, columns)


def first_conditions(query: str, table: str, *, whole: bool = False) -> str:
    """The beginning of a query that only chooses records of `table`, "" where there is none that is sure.

    `whole`: only where that is all that the query does.

    Examples
    --------
    >>> first_conditions("let n = 3;\\nT | where A == n | where B > ago(1h) | count", "T")
    'let n = 3;\\nT\\n| where A == n'
    >>> first_conditions("T | where A == 1 | join (T) on A", "T")
    ''
    """
    found = parse(query)
    if len(found.pipelines) != 1 or query.count(table) != 1:
        return ""
    pipeline = found.pipelines[0]
    if not isinstance(pipeline.source, syntax.Name) or pipeline.source.name != table:
        return ""
    head = query[: pipeline.span.start]
    kept = []
    for step in pipeline.operators:
        text = query[step.span.start : step.span.end]
        if step.keyword != "where" or not timeless(text) or not timeless(head):
            break
        kept.append(text.removeprefix("|").strip())
    if not kept or (whole and len(kept) < len(pipeline.operators)):
        return ""
    return "\n| ".join([head + table, *kept])
