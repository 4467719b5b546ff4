"""One table of a mapping: which records go to it, and the values of its columns.

In go records with the same fields, out come lists of values by column; typed columns go in once more, and come out
with the rest as dynamic and with the columns that KQL makes. Must not decide what is refused, nor store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
import polars as pl

from workbench.base.diagnostics import collect as diagnostics
from workbench.base.dtypes import Column
from workbench.base.dtypes import ScalarType as T
from workbench.collect.mapping import ColumnRule, Condition, FieldUse, TableRule
from workbench.collect.record import TIME, Columns, Record, Unstorable, bad_name, cells, declared, json_text
from workbench.collect.settling import settled
from workbench.repository.physical import FRAME

Cut = list[tuple[list[int], list[tuple[str, Sequence[Any]]]]]
"""Of records of one shape: the index of each row, and values by column."""
_Use = tuple[ColumnRule, FieldUse]
_SHAPES, _NAMES = 1_000, 500
"""So many shapes of records, and none of more names, are known at once: senders choose them."""


class MappedTable:
    """One table of a mapping at work. Safe for threads.

    Parameters
    ----------
    rule : TableRule
    """

    def __init__(self, rule: TableRule) -> None:
        self.rule = rule
        self.native = [c for c in rule.columns if c.kql is None]
        self.asked = [c for c in rule.columns if c.kql is not None]
        self.constants = [c for c in self.native if not c.fields]
        self.hidden = {c.name for c in rule.columns if c.hidden}
        self.declared = {c.name: c.type for c in self.native if c.type is not None} | {TIME: T.DATETIME}
        self.targets = {c.name for c in rule.columns} | {rule.rest or ""}
        self._by_field: dict[str, list[ColumnRule]] = {}
        for column in self.native:
            for use in column.fields:
                self._by_field.setdefault(use.name, []).append(column)
        self._known_uses: dict[tuple[str, ...], list[tuple[ColumnRule, list[FieldUse]]]] = {}

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

    def cut(self, names: tuple[str, ...], rows: list[int], records: list[Record]) -> Cut:
        """The values of records of one shape by column.

        Raises
        ------
        Unstorable
            With the place among these records.
        """
        bad = None if self.rule.rest else bad_name(names)
        if bad is not None:
            raise Unstorable(0, diagnostics.bad_field_name(bad))
        found: Cut = []
        for places, part, uses in self._uniform(names, records):
            try:
                values = list(self._group(names, part, uses))
            except Unstorable as one:
                raise Unstorable(places[one.index], one.why) from None
            found.append((rows if len(places) == len(rows) else [rows[i] for i in places], values))
        return found

    def finished(self, columns: Columns) -> Columns:
        """The columns with the rest as what it is, and with those that KQL makes."""
        if self.rule.rest:
            rest = columns.series.pop((self.rule.rest, T.STRING), None)
            if rest is not None:
                columns.series[self.rule.rest, T.DYNAMIC] = rest
        return self._with_kql(columns) if self.asked else columns

    def _uniform(
        self, names: tuple[str, ...], group: list[Record]
    ) -> Iterator[tuple[Sequence[int], list[Record], list[_Use]]]:
        """Parts of a group in which each column takes its value from one and the same field."""
        single: list[_Use] = []
        several: list[tuple[ColumnRule, list[FieldUse]]] = []
        for column, uses in self._uses(names):
            if len(uses) > 1 and any(r[uses[0].name] is None for r in group):
                several.append((column, uses))
            else:
                single.append((column, uses[0]))
        if not several:
            yield range(len(group)), group, single
            return
        parts: dict[tuple[int, ...], tuple[list[int], list[Record]]] = {}
        for place, record in enumerate(group):
            choice = tuple(_chosen(record, uses) for _, uses in several)
            part = parts.setdefault(choice, ([], []))
            part[0].append(place)
            part[1].append(record)
        for choice, (places, records) in parts.items():
            chosen = [(column, uses[i]) for (column, uses), i in zip(several, choice, strict=True)]
            yield places, records, single + chosen

    def _uses(self, names: tuple[str, ...]) -> list[tuple[ColumnRule, list[FieldUse]]]:
        """The columns that take a field of these, each with the fields that it may take."""
        known = self._known_uses.get(names)
        if known is None:
            present = set(names)
            rules = {id(c): c for name in names for c in self._by_field.get(name, ())}.values()
            known = [(c, [use for use in c.fields if use.name in present]) for c in rules]
            if len(names) <= _NAMES:
                if len(self._known_uses) >= _SHAPES:
                    self._known_uses.clear()
                self._known_uses[names] = known
        return known

    def _group(
        self, names: tuple[str, ...], group: list[Record], uses: list[_Use]
    ) -> Iterator[tuple[str, Sequence[Any]]]:
        """The columns of records of one shape: taken fields, constants, and what is left over."""
        used = set()
        if self.rule.rest:
            for column, use in uses:
                yield column.name, _taken([record[use.name] for record in group], use)
                if not use.keep:
                    used.add(use.name)
            for column in self.constants:
                yield column.name, [column.constant] * len(group)
            # Copies: a record that can't be stored is taken out, and the others come here again.
            rests = list(map(dict.copy, group))
            for rest in rests:
                for name in used:
                    del rest[name]
            yield self.rule.rest, _texts(rests, self.rule.rest)
            return
        values_of = dict(zip(names, cells(group), strict=True))
        for column, use in uses:
            yield column.name, _taken(values_of[use.name], use)
            if not use.keep:
                used.add(use.name)
        for column in self.constants:
            yield column.name, [column.constant] * len(group)
        for name in names:
            if name not in used:
                yield (f"{name}_raw" if name in self.targets else name), values_of[name]

    def _with_kql(self, columns: Columns) -> Columns:
        """The columns, and those that KQL makes of them."""
        from workbench.query.run import shape

        # As declared, also where all that came was of another type: the text has to bind over any records.
        frame, types = settled(columns, (), self.declared)
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
    values = [r[name] for r in (group if len(left) == len(group) else map(group.__getitem__, left))]
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


def _taken(values: Sequence[Any], use: FieldUse) -> Sequence[Any]:
    return _all_replaced(values, use.values) if use.values else values


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
