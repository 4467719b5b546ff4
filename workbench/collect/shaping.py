"""Blocks of records to rows of tables: by a mapping, or each field as a column of one table.

In goes a `Block`, out come `Shaped` parts with typed columns, one a table, and the refusals of the
block. The work is done by groups of records with the same fields, column by column; a look at each
single value is only taken where a mapping asks for it. Must not store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
import polars as pl

from workbench.base.diagnostics import collect as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError
from workbench.collect.formats import Block, Refusal
from workbench.collect.mapping import ColumnRule, Condition, FieldUse, RecordMapping, TableRule
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
    declared,
    gathered,
    json_text,
)
from workbench.collect.settling import refuse_times, settled
from workbench.repository.physical import FRAME


@dataclass(slots=True)
class Shaped:
    """Rows of one table, from one block.

    Attributes
    ----------
    rows : list of int
        Which record of the block each row was.
    """

    table: str
    columns: Columns
    rows: list[int]


@dataclass(slots=True)
class ShapedBlock:
    """What a block became: rows by table, and refusals with the table they were meant for."""

    parts: list[Shaped] = field(default_factory=list)
    refused: list[tuple[str, Refusal]] = field(default_factory=list)


class Shaper(Protocol):
    """Turns blocks into rows.

    `as_records` asks the reader for dicts; `target` names where records go, as a part of what
    "imported before" means; `layout` gives the columns of a table in order, with declared types.
    """

    as_records: bool

    def target(self) -> list[str]: ...
    def layout(self, table: str) -> Mapping[str, ScalarType | None]: ...
    def shape(self, block: Block, now: int) -> ShapedBlock: ...


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

    def shape(self, block: Block, now: int) -> ShapedBlock:
        """All records of a block as rows of the table."""
        shaped = ShapedBlock(refused=[(self.table, r) for r in block.refused])
        if block.columns is not None:
            columns, rows = block.columns, list(range(block.height))
        else:
            refuse = _refuser(shaped, block, self.table)
            columns, rows = _without_bad(by_shape(block.records), self._columns, refuse)
        _add(shaped, block, self.table, columns, rows, now)
        return shaped

    def _columns(self, shapes: list[Shape]) -> tuple[Columns, list[int]]:
        found = gathered(shapes)
        return found.columns({TIME: T.DATETIME, **self.declared}), found.rows


class Mapped:
    """Records go where a mapping sends them."""

    as_records = True

    def __init__(self, mapping: RecordMapping) -> None:
        self.mapping = mapping
        self._tables = [_Table(rule) for rule in mapping.tables]

    def target(self) -> list[str]:
        return ["mapping", self.mapping.name, *self.mapping.table_names()]

    def layout(self, table: str) -> Mapping[str, ScalarType | None]:
        found: dict[str, ScalarType | None] = {}
        for rule in self.mapping.tables:
            if rule.table == table:
                found |= rule.layout()
        return found

    def shape(self, block: Block, now: int) -> ShapedBlock:
        """The records of a block as rows of the mapping's tables."""
        shaped = ShapedBlock(refused=[(self.mapping.default_table(), r) for r in block.refused])
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
            refuse = _refuser(shaped, block, self.mapping.default_table())
            for i in left:
                refuse(rows[i], diagnostics.no_table_takes_it(self.mapping.name))
        for table, shapes in zip(self._tables, routed, strict=True):
            if shapes:
                refuse = _refuser(shaped, block, table.rule.table)
                columns, kept = _without_bad(shapes, table.columns, refuse)
                _add(shaped, block, table.rule.table, columns, kept, now)
        return shaped


_Refuse = Callable[[int, WorkbenchError], None]


def _refuser(shaped: ShapedBlock, block: Block, table: str) -> _Refuse:
    def refuse(row: int, why: WorkbenchError) -> None:
        shaped.refused.append((table, Refusal(block.numbers[row], block.original(row), why)))

    return refuse


def _without_bad(
    shapes: list[Shape], build: Callable[[list[Shape]], tuple[Columns, list[int]]], refuse: _Refuse
) -> tuple[Columns, list[int]]:
    """The columns of all records that can be rows, and which those are; the others are refused."""
    while True:
        try:
            return build(shapes)
        except Unstorable as bad:
            refuse(bad.index, bad.why)
            shapes = [left for shape in shapes if (left := _but(shape, bad.index))[1]]


def _but(shape: Shape, index: int) -> Shape:
    names, rows, records = shape
    if index not in rows:
        return shape
    place = rows.index(index)
    return names, rows[:place] + rows[place + 1 :], records[:place] + records[place + 1 :]


def _add(shaped: ShapedBlock, block: Block, table: str, columns: Columns, rows: list[int], now: int) -> None:
    refuse = _refuser(shaped, block, table)
    columns, kept = refuse_times(columns, now, lambda row, why: refuse(rows[row], why))
    if kept:
        shaped.parts.append(Shaped(table, columns, [rows[i] for i in kept]))


# ---- one table of a mapping -----------------------------------------------------------------


class _Table:
    def __init__(self, rule: TableRule) -> None:
        self.rule = rule
        self.native = [c for c in rule.columns if c.kql is None]
        self.asked = [c for c in rule.columns if c.kql is not None]
        self.hidden = {c.name for c in rule.columns if c.hidden}
        self.declared = {c.name: c.type for c in self.native if c.type is not None} | {TIME: T.DATETIME}
        self.targets = {c.name for c in rule.columns} | {rule.rest or ""}
        self._by_field: dict[str, list[ColumnRule]] = {}
        for column in self.native:
            for use in column.fields:
                self._by_field.setdefault(use.name, []).append(column)

    def takes(
        self, names: tuple[str, ...], group: Sequence[Record], left: Sequence[int]
    ) -> tuple[Sequence[int], Sequence[int]]:
        """Which of the records go to this table, and which are left."""
        for condition in self.rule.where:
            if condition.field not in names:
                return (), left
        taken = left
        for condition in self.rule.where:
            taken = _that_hold(condition, group, taken)
        if len(taken) == len(left):
            return left, ()
        inside = set(taken)
        return taken, [i for i in left if i not in inside]

    def columns(self, shapes: list[Shape]) -> tuple[Columns, list[int]]:
        """The rows of records, in the order of their index."""
        found = Gathered()
        for names, rows, records in shapes:
            bad = None if self.rule.rest else bad_name(names)
            if bad is not None:
                raise Unstorable(rows[0], diagnostics.bad_field_name(bad))
            for part_rows, part, uses in self._uniform(names, rows, records):
                try:
                    found.add(part_rows, self._group(names, part, uses))
                except Unstorable as one:
                    raise Unstorable(part_rows[one.index], one.why) from None
        columns = found.columns(self.declared)
        if self.rule.rest:
            rest = columns.series.pop((self.rule.rest, T.STRING), None)
            if rest is not None:
                columns.series[self.rule.rest, T.DYNAMIC] = rest
        return (self._with_kql(columns) if self.asked else columns), found.rows

    def _uniform(
        self, names: tuple[str, ...], rows: list[int], group: list[Record]
    ) -> Iterator[tuple[list[int], list[Record], list[tuple[ColumnRule, FieldUse]]]]:
        """Parts of a group in which each column takes its value from one and the same field."""
        present = dict.fromkeys(names)
        rules = {id(c): c for name in names for c in self._by_field.get(name, ())}.values()
        single: list[tuple[ColumnRule, FieldUse]] = []
        several: list[tuple[ColumnRule, list[FieldUse]]] = []
        for column in rules:
            uses = [use for use in column.fields if use.name in present]
            if len(uses) > 1 and any(r[uses[0].name] is None for r in group):
                several.append((column, uses))
            else:
                single.append((column, uses[0]))
        if not several:
            yield rows, group, single
            return
        parts: dict[tuple[int, ...], tuple[list[int], list[Record]]] = {}
        for row, record in zip(rows, group, strict=True):
            choice = tuple(_chosen(record, uses) for _, uses in several)
            part = parts.setdefault(choice, ([], []))
            part[0].append(row)
            part[1].append(record)
        for choice, (part_rows, part_records) in parts.items():
            chosen = [(column, uses[i]) for (column, uses), i in zip(several, choice, strict=True)]
            yield part_rows, part_records, single + chosen

    def _group(
        self, names: tuple[str, ...], group: list[Record], uses: list[tuple[ColumnRule, FieldUse]]
    ) -> Iterator[tuple[str, Sequence[Any]]]:
        """The columns of records of one shape: taken fields, constants, and what is left over."""
        values_of = dict(zip(names, cells(group), strict=True))
        used = set()
        for column, use in uses:
            values: Sequence[Any] = values_of[use.name]
            if use.values:
                values = _all_replaced(values, use.values)
            if not use.keep:
                used.add(use.name)
            yield column.name, values
        for column in self.native:
            if not column.fields:
                yield column.name, [column.constant] * len(group)
        if self.rule.rest:
            # Copies: a record that can't be stored is taken out, and the others come here again.
            rests = [record.copy() for record in group]
            for rest in rests:
                for name in used:
                    del rest[name]
            yield self.rule.rest, _texts(rests, self.rule.rest)
            return
        for name in names:
            if name not in used:
                yield (f"{name}_raw" if name in self.targets else name), values_of[name]

    def _with_kql(self, columns: Columns) -> Columns:
        """The columns, and those that KQL makes of them."""
        from workbench.query.run import shape

        frame, types = settled(columns, ())
        missing = [
            pl.Series(c.name, [None], FRAME[c.type or T.STRING]).new_from_index(0, columns.height)
            for c in self.native
            if c.name not in types
        ]
        types |= {c.name: c.type or T.STRING for c in self.native if c.name not in types}
        row = "_row"
        frame = frame.with_columns([*missing, pl.int_range(columns.height, eager=True).alias(row)])
        schema = (*(Column(name, type_) for name, type_ in types.items()), Column(row, T.LONG))
        made = ", ".join(f"['{c.name}'] = {c.kql}" for c in self.asked)
        found, found_schema = shape(frame, schema, f"source | extend {made}")
        found = found.sort(row)
        kinds = {c.name: c.type for c in found_schema}
        for column in self.asked:
            pieces = [(kinds[column.name], found[column.name])]
            for type_, series in declared(pieces, column.type) if column.type else pieces:
                columns.series[column.name, type_] = series
        kept = {key: s for key, s in columns.series.items() if key[0] not in self.hidden}
        return Columns(columns.height, kept)


def _that_hold(condition: Condition, group: Sequence[Record], left: Sequence[int]) -> Sequence[int]:
    name = condition.field
    answers = {}
    values = [group[i][name] for i in left]
    try:
        distinct = set(values)
    except TypeError:  # a list or an object
        return [i for i, value in zip(left, values, strict=True) if condition.holds(value)]
    answers = {value: condition.holds(value) for value in distinct}
    if all(answers.values()):
        return left
    if not any(answers.values()):
        return ()
    return [i for i, value in zip(left, values, strict=True) if answers[value]]


def _chosen(record: Record, uses: Sequence[FieldUse]) -> int:
    return next((i for i, use in enumerate(uses) if record[use.name] is not None), 0)


def _texts(group: Sequence[Record], name: str) -> list[str]:
    try:
        return [text.decode() for text in map(orjson.dumps, group)]
    except TypeError:  # values that JSON has no word for, as Parquet files hold them, or nested too deep
        return [_text(index, record, name) for index, record in enumerate(group)]


def _text(index: int, record: Record, name: str) -> str:
    try:
        return json_text(record)
    except (TypeError, ValueError) as e:
        raise Unstorable(index, diagnostics.no_kql_value(name, f"object ({e})")) from e


def _all_replaced(values: Sequence[Any], by: Mapping[str, Any]) -> Sequence[Any]:
    """`_replaced` of each; columns of one kind have few values, so each is looked up once."""
    if len(set(map(type, values))) > 1 or not isinstance(values[0], str | int):
        return [_replaced(v, by) for v in values]
    found = {v: _replaced(v, by) for v in set(values)}
    return [found[v] for v in values]


def _replaced(value: Any, values: Mapping[str, Any]) -> Any:
    try:
        return values.get(value if isinstance(value, str) else str(value), value)
    except TypeError:
        return value
