"""Where a query's tables come from: the port that sources implement, and frames in memory as one.

Holds no rule of the language; a repository fits the port as it is (see `workspace.StoredTables`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import polars as pl

from workbench.base.dtypes import ScalarType, Schema
from workbench.base.terms import Terms
from workbench.query.backends.polars import TableScan, holding
from workbench.query.functions.forms import POLARS_TYPES
from workbench.query.surroundings import NOWHERE, Surroundings

T = ScalarType


class Tables(Protocol):
    """The tables that a query reads: a repository, or anything like it."""

    def tables(self) -> list[str]: ...
    def schema(self, table: str) -> Schema | None: ...
    def scan(self, table: str, columns: Sequence[str] | None, time_range: tuple[int | None, int | None]) -> TableScan: ...  # fmt: skip


def surroundings_of(source: Tables) -> Surroundings:
    """What lies around the tables of a source: its `surroundings`, nothing where it has none."""
    found: Surroundings = getattr(source, "surroundings", NOWHERE)
    return found


@dataclass(slots=True)
class EmptyScan:
    """A scan of a table that has a schema and no rows."""

    lazy: pl.LazyFrame
    files_total: int = 0
    files: list[str] = field(default_factory=list)


def empty_scan(schema: Schema, columns: Sequence[str] | None) -> EmptyScan:
    """What a source without files gives for a table."""
    asked = None if columns is None else set(columns)
    return EmptyScan(_empty(tuple(c for c in schema if asked is None or c.name in asked)))


@lru_cache(maxsize=256)
def _empty(schema: Schema) -> pl.LazyFrame:
    """A frame without rows: made once, since hundreds of columns take milliseconds."""
    return pl.LazyFrame(schema={c.name: stored_type(c.type) for c in schema})


def stored_type(type_: ScalarType) -> pl.DataType:
    """The Polars type in which a table holds a KQL type."""
    if type_ is T.DATETIME:
        return pl.Datetime("us", "UTC")
    if type_ is T.TIMESPAN:
        return pl.Duration("us")
    return pl.String() if type_ is T.DECIMAL else POLARS_TYPES[type_]


class FrameTables:
    """Frames in memory as tables (stored form); `base` has what they lack."""

    def __init__(self, frames: Mapping[str, tuple[pl.DataFrame, Schema]], base: Tables | None = None) -> None:
        self._frames = frames
        self._base = base
        self.surroundings = surroundings_of(base) if base else NOWHERE

    def tables(self) -> list[str]:
        return [*self._frames, *(self._base.tables() if self._base else [])]

    def schema(self, table: str) -> Schema | None:
        if table in self._frames:
            return self._frames[table][1]
        return self._base.schema(table) if self._base else None

    def scan(self, table: str, columns: Sequence[str] | None, time_range: tuple[int | None, int | None]) -> TableScan:  # fmt: skip
        if table in self._frames:
            frame = self._frames[table][0]
            return EmptyScan(frame.lazy().select(columns) if columns else frame.lazy())
        assert self._base is not None  # the binder asked for its schema
        return self._base.scan(table, columns, time_range)

    def holding(self, terms: Terms) -> FrameTables:
        """The same tables; those of `base` without files that can't hold `terms`."""
        return FrameTables(self._frames, holding(self._base, terms) if self._base else None)
