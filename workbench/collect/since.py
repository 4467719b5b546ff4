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
from workbench.repository.layout import SEQUENCE, WRITER

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

    Attributes
    ----------
    until : dict
        Where each table that was read ends.
    """

    def __init__(self, base: Tables, since: Mapping[str, Position], until: Mapping[str, Position] | None = None) -> None:  # fmt: skip
        self._base = base
        self._since = since
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
        asked = list(dict.fromkeys([*columns, WRITER, SEQUENCE]))
        scan = self._base.scan(table, asked, time_range)
        rows = scan.lazy.filter(_between(self._since.get(table, {}), self.until[table])).select(columns)
        return _Cut(rows, scan.files_total, scan)


def position(source: Tables, table: str) -> dict[int, int]:
    """Where each writer of a table is."""
    scan = source.scan(table, [WRITER, SEQUENCE], (None, None))
    last = scan.lazy.group_by(WRITER).agg(pl.col(SEQUENCE).max()).collect(engine="streaming")
    return {int(writer): int(number) for writer, number in last.iter_rows()}


def _between(low: Position, high: Position) -> pl.Expr:
    parts = [
        (pl.col(WRITER) == writer) & (pl.col(SEQUENCE) > low.get(writer, 0)) & (pl.col(SEQUENCE) <= last)
        for writer, last in high.items()
        if last > low.get(writer, 0)
    ]
    return reduce(or_, parts) if parts else pl.lit(False)
