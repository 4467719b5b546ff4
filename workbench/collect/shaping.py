"""Blocks of records to rows of tables: by a mapping, or each field as a column of one table.

In go a few small `Block`s, out come `Shaped` parts with typed columns, one a table, and the refusals. Values are cut
out of one block while it is new, because a record of many fields that has left the processor's cache costs twice as
much; what type a column has is decided over all blocks together. The work is done by groups of records with the same
fields, column by column; a look at each single value is only taken where a mapping asks for it. Must not store.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from workbench.base.diagnostics import collect as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError
from workbench.collect.formats import Block, Refusal
from workbench.collect.mapped_table import Cut, MappedTable
from workbench.collect.mapping import RecordMapping
from workbench.collect.record import (
    TIME,
    Columns,
    Gathered,
    Record,
    Shape,
    Unstorable,
    bad_name,
    by_shape,
    cells,
)
from workbench.collect.settling import refuse_times


@dataclass(slots=True)
class Shaped:
    """Rows of one table."""

    table: str
    columns: Columns


@dataclass(slots=True)
class ShapedBlock:
    """What blocks became: rows by table, and refusals with the table they were meant for."""

    parts: list[Shaped] = field(default_factory=list)
    refused: list[tuple[str, Refusal]] = field(default_factory=list)
    blank: int = 0


class Shaper(Protocol):
    """Turns blocks into rows.

    `as_records` asks the reader for dicts; `target` names where records go, as a part of what
    "imported before" means; `layout` gives the columns of a table in order, with declared types.
    """

    as_records: bool

    def target(self) -> list[str]: ...
    def layout(self, table: str) -> Mapping[str, ScalarType | None]: ...
    def shape(self, blocks: Iterable[Block], now: int) -> ShapedBlock: ...


@dataclass(slots=True)
class OneTable:
    """Every field becomes a column of one table; `declared` has the types that are known before."""

    table: str
    declared: Mapping[str, ScalarType]
    as_records: bool = False

    def target(self) -> list[str]:
        return ["table", self.table]

    def layout(self, table: str) -> Mapping[str, ScalarType | None]:
        return dict(self.declared)

    def shape(self, blocks: Iterable[Block], now: int) -> ShapedBlock:
        """All records of the blocks as rows of the table."""
        work = _Shaping(now)
        rows = _Rows(work, self.table, _all_fields)
        records: list[Record] = []
        for block in blocks:
            first = work.begin(block, self.table)
            if block.columns is not None:
                work.add(self.table, block.columns, range(first, first + block.height))
            records += block.records
        # Every value stays, so nothing is won by cutting a few records at a time.
        rows.take(by_shape(records), 0)
        if rows.found.rows:
            work.add(self.table, *rows.columns({TIME: T.DATETIME, **self.declared}))
        return work.shaped


def _all_fields(names: tuple[str, ...], rows: list[int], records: list[Record]) -> Cut:
    bad = bad_name(names)
    if bad is not None:
        raise Unstorable(0, diagnostics.bad_field_name(bad))
    return [(rows, list(zip(names, cells(records), strict=True)))]


class Mapped:
    """Records go where a mapping sends them."""

    as_records = True

    def __init__(self, mapping: RecordMapping) -> None:
        self.mapping = mapping
        self._tables = [MappedTable(rule) for rule in mapping.tables]

    def target(self) -> list[str]:
        return ["mapping", self.mapping.name, *self.mapping.table_names()]

    def layout(self, table: str) -> Mapping[str, ScalarType | None]:
        found: dict[str, ScalarType | None] = {}
        for rule in self.mapping.tables:
            if rule.table == table:
                found |= rule.layout()
        return found

    def shape(self, blocks: Iterable[Block], now: int) -> ShapedBlock:
        """The records of the blocks as rows of the mapping's tables."""
        work = _Shaping(now)
        default = self.mapping.default_table()
        gathered = [_Rows(work, table.rule.table, table.cut) for table in self._tables]
        for block in blocks:
            first = work.begin(block, default)
            routed: list[list[Shape]] = [[] for _ in self._tables]
            for names, rows, records in by_shape(block.records):
                left: Sequence[int] = range(len(rows))
                for table, into in zip(self._tables, routed, strict=True):
                    taken, left = table.takes(names, records, left)
                    if len(taken) == len(rows):
                        into.append((names, rows, records))
                    elif taken:
                        into.append((names, [rows[i] for i in taken], [records[i] for i in taken]))
                    if not left:
                        break
                for i in left:
                    work.refuse(default, first + rows[i], diagnostics.no_table_takes_it(self.mapping.name))
            for rows_of_table, shapes in zip(gathered, routed, strict=True):
                rows_of_table.take(shapes, first)
        for table, rows_of_table in zip(self._tables, gathered, strict=True):
            if rows_of_table.found.rows:
                columns, kept = rows_of_table.columns(table.declared)
                work.add(table.rule.table, table.finished(columns), kept)
        return work.shaped


# ---- rows of several blocks -----------------------------------------------------------------


class _Shaping:
    """One run of a shaper. A row's number counts through all blocks."""

    def __init__(self, now: int) -> None:
        self.shaped = ShapedBlock()
        self._now = now
        self._starts: list[int] = []
        self._origins: list[tuple[Sequence[int], Callable[[int], bytes]]] = []
        self._height = 0

    def begin(self, block: Block, table: str) -> int:
        """The number of the first row of the next block; `table` is the one meant for its bad lines."""
        first = self._height
        self._starts.append(first)
        self._origins.append((block.numbers, block.original))
        self._height += block.height
        self.shaped.refused += [(table, refusal) for refusal in block.refused]
        self.shaped.blank += block.blank
        return first

    def refuse(self, table: str, row: int, why: WorkbenchError) -> None:
        place = bisect_right(self._starts, row) - 1
        numbers, original = self._origins[place]
        index = row - self._starts[place]
        self.shaped.refused.append((table, Refusal(numbers[index], original(index), why)))

    def add(self, table: str, columns: Columns, rows: Sequence[int]) -> None:
        """Add what can be stored of finished columns."""
        columns, kept = refuse_times(
            columns, self._now, lambda place, why: self.refuse(table, rows[place], why)
        )
        if kept:
            self.shaped.parts.append(Shaped(table, columns))


class _Rows:
    """Records on their way to one table; `cut` makes columns of those of one shape."""

    def __init__(
        self, work: _Shaping, table: str, cut: Callable[[tuple[str, ...], list[int], list[Record]], Cut]
    ) -> None:
        self.found = Gathered()
        self._work = work
        self._table = table
        self._cut = cut

    def take(self, shapes: Iterable[Shape], first: int) -> None:
        """Take over the values of a block's records; `first` is the number of its first row."""
        for names, rows, records in shapes:
            while rows:
                try:
                    parts = self._cut(names, rows, records)
                except Unstorable as bad:
                    place = bad.index
                    self._work.refuse(self._table, first + rows[place], bad.why)
                    rows, records = rows[:place] + rows[place + 1 :], records[:place] + records[place + 1 :]
                    continue
                for some, columns in parts:
                    self.found.add([first + row for row in some], columns)
                break

    def columns(self, types: Mapping[str, ScalarType]) -> tuple[Columns, list[int]]:
        """The columns of all records that can be rows, and which those are; the others are refused."""
        while True:
            try:
                return self.found.columns(types), self.found.rows
            except Unstorable as bad:
                self._work.refuse(self._table, bad.index, bad.why)
                self.found.drop(bad.index)
