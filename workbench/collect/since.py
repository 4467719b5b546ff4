"""The rows that came since last time: tables cut by position, not by time, so that late records are neither lost nor doubled.

In goes a source of tables and a position in each table (`{writer: last sequence}`), out comes a source of the rows
behind it. What is visible of a writer is always a prefix of what it wrote (repository/FORMAT.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

import polars as pl

from workbench.base.dtypes import Schema
from workbench.query.frames import Tables, surroundings_of
from workbench.repository.layout import RECEIVED, SEQUENCE, WRITER

Position = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class _Cut:
    """A scan whose rows are filtered; it has no files to choose from."""

    lazy: pl.LazyFrame
    files_total: int
    behind: Any  # keeps the files readable
    files: tuple[str, ...] = ()


class Since:
    """Tables without the rows up to a position, and without those that came after the first look.

    Parameters
    ----------
    base : Tables
    since : mapping of str to Position
        By table; rows of others come from their beginning.
    until : mapping of str to Position, optional
        Where to end; tables that it lacks end where they are when they are first read.
    history_before : int, optional
        In µs since 1970: what asks for times before it reads a table from its beginning, by time.
    came_from : int, optional
        In µs since 1970: of what is behind `since`, that which came before is left out too.

    Attributes
    ----------
    until : dict
        Where each table that was read ends.
    """

    def __init__(self, base: Tables, since: Mapping[str, Position], until: Mapping[str, Position] | None = None, history_before: int | None = None, came_from: int | None = None) -> None:  # fmt: skip
        self._base = base
        self._since = since
        behind = getattr(base, "behind", None)
        self._behind: Tables = base if behind is None else behind(since)
        self._history_before = history_before
        self._came_from = came_from
        self.until: dict[str, Position] = dict(until or {})
        self.surroundings = surroundings_of(base)

    def tables(self) -> list[str]:
        return self._base.tables()

    def schema(self, table: str) -> Schema | None:
        return self._base.schema(table)

    def scan(
        self, table: str, columns: Sequence[str] | None, time_range: tuple[int | None, int | None]
    ) -> Any:
        if table not in self.until:
            self.until[table] = position(self._base, table)
        if columns is None:
            columns = [c.name for c in self._base.schema(table) or ()]
        asked = list(dict.fromkeys([*columns, WRITER, SEQUENCE, *([] if self._came_from is None else [RECEIVED])]))  # fmt: skip
        start = time_range[0]
        whole = self._history_before is not None and start is not None and start < self._history_before
        scan = (self._base if whole else self._behind).scan(table, asked, time_range)
        low: Position = {} if whole else self._since.get(table, {})
        rows = scan.lazy.filter(_between(low, self.until[table]))
        if self._came_from is not None and not whole:
            rows = rows.filter(pl.col(RECEIVED) > _moment(self._came_from))
        return _Cut(rows.select(columns), scan.files_total, scan)


def position(source: Tables, table: str) -> dict[int, int]:
    """Where each writer of a table is."""
    known = getattr(source, "position", None)
    if known is not None:
        return dict(known(table))
    scan = source.scan(table, [WRITER, SEQUENCE], (None, None))
    last = scan.lazy.group_by(WRITER).agg(pl.col(SEQUENCE).max()).collect(engine="streaming")
    return {int(writer): int(number) for writer, number in last.iter_rows()}


def position_at(source: Tables, table: str, time: int) -> dict[int, int]:
    """Where each writer of a table was at a time (µs since 1970), as far as the clock of the intake told."""
    scan = source.scan(table, [WRITER, SEQUENCE, RECEIVED], (None, None))
    rows = scan.lazy.filter(pl.col(RECEIVED) <= _moment(time))
    last = rows.group_by(WRITER).agg(pl.col(SEQUENCE).max()).collect(engine="streaming")
    return {int(writer): int(number) for writer, number in last.iter_rows()}


def _moment(time: int) -> pl.Expr:
    return pl.lit(time).cast(pl.Datetime("us", "UTC"))


def _between(low: Position, high: Position) -> pl.Expr:
    parts = [
        (pl.col(WRITER) == writer) & (pl.col(SEQUENCE) > low.get(writer, 0)) & (pl.col(SEQUENCE) <= last)
        for writer, last in high.items()
        if last > low.get(writer, 0)
    ]
    return reduce(or_, parts) if parts else pl.lit(False)
