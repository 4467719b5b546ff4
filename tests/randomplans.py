"""Random queries over random small tables: pipelines that bind, whose answer is determined.

Reals are halves and quarters, so that sums do not depend on the order of rows; whatever an engine may choose
(which of equal rows `take` keeps) is never asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

import polars as pl

from workbench.base.dtypes import Column, ScalarType
from workbench.query.frames import FrameTables, stored_type

T = ScalarType
Thing = TypeVar("Thing")
Columns = list[tuple[str, ScalarType]]
_NAN = float("nan")
_CELLS: dict[ScalarType, list[object]] = {
    T.LONG: [None, 0, 1, 2, 3, -1, -7, 10, 100, 2**40, -(2**63) + 1, 2**63 - 1],
    T.INT: [None, 0, 1, 2, -3, 7, 2**31 - 1, -(2**31)],
    T.REAL: [None, _NAN, 0.0, 0.5, -0.25, 1.0, 2.0, -7.75, 1024.0, 3.5],
    T.STRING: ["", "a", "A", "b c", "Éa", "éa", "x_y", "a b", "10", "1.5", "日本", "foo bar", "FOO", None],
    T.BOOL: [None, True, False],
    T.DATETIME: [
        None, dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 1, 12, 30, 15, 123456), dt.datetime(1969, 12, 31, 23),
        dt.datetime(2024, 2, 29), dt.datetime(1900, 5, 5, 5, 5),
    ],
    T.TIMESPAN: [None, dt.timedelta(0), dt.timedelta(hours=1), dt.timedelta(days=-2, seconds=3), dt.timedelta(days=40)],
}  # fmt: skip
_TABLES: dict[str, Columns] = {
    "X": [("n", T.LONG), ("r", T.REAL), ("s", T.STRING), ("b", T.BOOL), ("t", T.DATETIME)],
    "Y": [("n", T.LONG), ("s", T.STRING), ("i", T.INT), ("d", T.TIMESPAN), ("N", T.REAL)],
    "Z": [("s", T.STRING), ("i", T.INT), ("r", T.REAL), ("t", T.DATETIME)],
}


def tables(random: Random) -> FrameTables:
    """Three tables of up to eight rows in the form in which they are stored."""
    frames = {}
    for name, columns in _TABLES.items():
        height = random.choice([0, 1, 3, 5, 8, 8])
        series = []
        for column, type_ in columns:
            cells = [random.choice(_CELLS[type_]) for _ in range(height)]
            if type_ is T.DATETIME:
                series.append(pl.Series(column, cells, pl.Datetime("us")).dt.replace_time_zone("UTC"))
            else:
                series.append(pl.Series(column, cells, stored_type(type_), strict=False))
        frames[name] = (pl.DataFrame(series), tuple(Column(c, t) for c, t in columns))
    return FrameTables(frames)


# ---- expressions ------------------------------------------------------------------------------

_LITERALS: dict[ScalarType, list[str]] = {
    T.LONG: ["0", "1", "2", "-3", "7", "1000", "long(null)", "9223372036854775807"],
    T.INT: ["int(0)", "int(3)", "int(-5)", "int(null)"],
    T.REAL: ["0.0", "0.5", "-1.25", "2.0", "real(nan)", "real(null)", "real(+inf)"],
    T.STRING: ["''", "'a'", "'A b'", "'Éa'", "'1'", "'x'"],
    T.BOOL: ["true", "false", "bool(null)"],
    T.DATETIME: ["datetime(2024-01-01)", "datetime(2024-01-01 12:30:15.1234567)", "datetime(null)"],
    T.TIMESPAN: ["1h", "-90m", "1.5d", "time(null)", "0s", "1tick"],
}
_WORDS = ["'a'", "'A'", "'foo'", "'b'", "''", "'É'", "'x'", "'o b'", "'.'", "'1'", "'本'"]
_MATCHES = [
    "has", "!has", "has_cs", "contains", "!contains", "contains_cs", "startswith", "!startswith", "startswith_cs",
    "endswith", "endswith_cs", "=~", "!~", "hasprefix", "hassuffix", "hasprefix_cs", "!hassuffix",
]  # fmt: skip
_COMPARED = ["==", "!=", "<", "<=", ">", ">="]
_ORDERED = (T.LONG, T.INT, T.REAL, T.DATETIME, T.TIMESPAN)


_ARRAYS = [
    "pack_array({long}, {string}, {bool})", "split({string}, 'a')", "dynamic([3, 1, null, 'b', 1])", "range(0, 3)",
    "array_concat(split({string}, ' '), dynamic([1, 'a']))", "extract_all('([a-z])', {string})",
]  # fmt: skip
_CALLS: dict[ScalarType, list[str]] = {
    T.LONG: [
        "binary_and({long}, {long})", "binary_xor({long}, 7)", "binary_shift_left({long}, 3)", "bitset_count_ones({long})",
        "abs({long})", "round({long}, -1)", "indexof({string}, 'a')", "countof({string}, 'a')", "array_length({array})",
        "array_index_of({array}, 1)", "indexof_regex({string}, '[a-c]')", "parse_ipv4(strcat('10.0.0.', {long}))",
        "countof({string}, '[a-b]+', 'regex')", "has_any_index({string}, dynamic(['a', 'foo']))",
    ],
    T.REAL: ["abs({real})", "sign({real})", "ceiling({real})", "series_sum(dynamic([1, 2.5]))", "array_sum({array})"],
    T.STRING: [
        "replace_string({string}, 'a', {string})", "replace_regex({string}, '([a-c])', '<\\\\1>')", "reverse({string})",
        "trim('[a ]+', {string})", "extract('([a-z])(.)?', 2, {string})", "strcat_array({array}, '-')",
        "base64_encode_tostring({string})", "base64_decode_tostring(base64_encode_tostring({string}))", "tohex({long})",
        "format_datetime({datetime}, 'yyyy-MM-dd HH:mm:ss.fffffff')", "format_timespan({timespan}, 'd.hh:mm:ss')",
        "url_encode({string})", "hash_md5({string})", "translate('ab', 'x', {string})", "strrep({string}, 2, '.')",
        "tostring({array})", "tostring(bag_pack('a', {long}, 'b', {string}))", "format_bytes({long}, 1)",
        "tostring(array_sort_asc({array}))", "tostring(set_union({array}, {array}))", "tostring(array_slice({array}, 1, -1))",
        "tostring(bag_merge(bag_pack('a', {long}), bag_pack('a', 1, 'c', {bool})))", "tostring({array}[0])",
        "tostring(array_reverse({array}))", "tostring(series_add(dynamic([1, 2]), {long}))",
    ],
    T.BOOL: ["set_has_element({array}, 1)", "isfinite({real})", "around({long}, 1, 5)", "ipv4_is_private(strcat('10.0.0.', {long}))"],
    T.DATETIME: ["unixtime_seconds_todatetime({long})", "datetime_utc_to_local({datetime}, 'Europe/Berlin')", "make_datetime(2024, {long}, 3)"],
    T.TIMESPAN: ["abs({timespan})", "make_timespan({long}, 3)"],
}  # fmt: skip
"""Calls with a place for an expression of each type; `array` is one of `_ARRAYS`."""


@dataclass
class Writer:
    """Writes one query; `columns` are those of the pipeline so far. Opaque ones are only handed on."""

    random: Random
    columns: Columns = field(default_factory=list)
    opaque: set[str] = field(default_factory=set)
    made: int = 0

    def pick(self, *things: str) -> str:
        return self.random.choice(things)

    def some(self, things: Sequence[Thing], least: int, most: int) -> list[Thing]:
        """Some of the things, in any order."""
        most = min(most, len(things))
        return self.random.sample(list(things), self.random.randint(min(least, most), most))

    def chance(self, one_in: int) -> bool:
        return self.random.randint(1, one_in) == 1

    def fresh(self) -> str:
        self.made += 1
        return f"c{self.made}"

    def open(self, *types: ScalarType) -> list[str]:
        return [n for n, t in self.columns if n not in self.opaque and (not types or t in types)]

    # ---- values -----------------------------------------------------------------------------

    def expr(self, type_: ScalarType, depth: int = 2) -> str:
        named = self.open(type_)
        if depth == 0 or (depth == 1 and self.chance(2)):
            if named and not self.chance(6):
                return self.pick(*named)
            return self.pick(*_LITERALS[type_])
        return getattr(self, f"_{type_.value}")(depth - 1)  # type: ignore[no-any-return]

    def one_of(self, *ways: Callable[[], str]) -> str:
        """One of the ways; only that one is drawn."""
        return self.random.choice(ways)()

    def _called(self, type_: ScalarType, depth: int) -> str:
        """A call of `_CALLS`."""
        found = self.pick(*_CALLS[type_]).replace("{array}", self.pick(*_ARRAYS))
        for kind in (T.LONG, T.STRING, T.BOOL, T.REAL, T.DATETIME, T.TIMESPAN):
            while f"{{{kind.value}}}" in found:
                found = found.replace(f"{{{kind.value}}}", self.expr(kind, depth), 1)
        return found

    def _choice(self, type_: ScalarType, depth: int) -> str:
        def value() -> str:
            return self.expr(type_, depth)

        def truth() -> str:
            return self.expr(T.BOOL, depth)

        found = self.one_of(
            lambda: f"iff({truth()}, {value()}, {value()})",
            lambda: f"coalesce({value()}, {value()})",
            lambda: f"case({truth()}, {value()}, {truth()}, {value()}, {value()})",
        )
        return f"toint({found})" if type_ is T.INT else found

    def _long(self, depth: int) -> str:
        def pair(types: tuple[ScalarType, ScalarType], *operators: str) -> str:
            return f"({self.expr(types[0], depth)} {self.pick(*operators)} {self.expr(types[1], depth)})"

        return self.one_of(
            lambda: pair((T.LONG, T.LONG), "+", "-", "*", "/", "%"),
            lambda: pair((T.INT, T.INT), "+", "-", "*", "/", "%"),
            lambda: pair((T.INT, T.LONG), "+", "-", "*"),
            lambda: f"tolong({self._any(depth, T.STRING, T.REAL, T.BOOL, T.INT)})",
            lambda: f"(-{self.expr(T.LONG, depth)})",
            lambda: f"strlen({self.expr(T.STRING, depth)})",
            lambda: (
                f"datetime_diff('{self.pick('month', 'week', 'hour')}', {self.expr(T.DATETIME, depth)}, {self.expr(T.DATETIME, depth)})"
            ),
            lambda: f"bin({self.expr(T.LONG, depth)}, {self.pick('1', '2', '10')})",
            lambda: (
                f"{self.pick('max_of', 'min_of')}({self.expr(T.LONG, depth)}, {self.expr(T.LONG, depth)})"
            ),
            lambda: self._called(T.LONG, depth),
            lambda: self._called(T.LONG, depth),
            lambda: self._choice(T.LONG, depth),
        )

    def _int(self, depth: int) -> str:
        return self.one_of(
            lambda: f"toint({self._any(depth, T.STRING, T.REAL, T.BOOL, T.LONG)})", lambda: self._choice(T.INT, depth)
        )  # fmt: skip

    def _real(self, depth: int) -> str:
        def value() -> str:
            return self.expr(T.REAL, depth)

        # Quotients by powers of two only: the last digits of others would make sums depend on the order of rows.
        return self.one_of(
            lambda: f"({value()} {self.pick('+', '-', '*')} {value()})",
            lambda: f"toreal({self._any(depth, T.INT, T.STRING, T.BOOL)})",
            lambda: f"({value()} % {self.pick('0.5', '-2.0', '0.0')})",
            lambda: f"({value()} / {self.pick('2.0', '-0.25', '0.0')})",
            lambda: f"bin({value()}, {self.pick('0.5', '2.0')})",
            lambda: f"(-{value()})",
            lambda: self._called(T.REAL, depth),
            lambda: self._called(T.REAL, depth),
            lambda: self._choice(T.REAL, depth),
        )

    def _string(self, depth: int) -> str:
        return self.one_of(
            lambda: f"strcat({self.expr(T.STRING, depth)}, {self.expr(T.STRING, depth)})",
            lambda: (
                f"substring({self.expr(T.STRING, depth)}, {self.pick('0', '1', '-2')}, {self.pick('1', '2', '-1')})"
            ),
            lambda: f"tolower({self.expr(T.STRING, depth)})",
            lambda: f"tostring({self._any(depth, T.LONG, T.INT, T.BOOL, T.DATETIME, T.TIMESPAN, T.REAL)})",
            lambda: self._called(T.STRING, depth),
            lambda: self._called(T.STRING, depth),
            lambda: self._choice(T.STRING, depth),
        )

    def _bool(self, depth: int) -> str:
        return self.one_of(
            lambda: self._comparison(depth),
            lambda: self._comparison(depth),
            lambda: f"({self.expr(T.STRING, depth)} {self.pick(*_MATCHES)} {self.pick(*_WORDS)})",
            lambda: f"({self.expr(T.BOOL, depth)} {self.pick('and', 'or')} {self.expr(T.BOOL, depth)})",
            lambda: f"not({self.expr(T.BOOL, depth)})",
            lambda: self._listed(depth),
            lambda: self._between(depth),
            lambda: (
                f"{self.pick('isnull', 'isnotnull', 'isempty', 'isnotempty')}({self._any(depth, *_LITERALS)})"
            ),
            lambda: f"tobool({self._any(depth, T.LONG, T.STRING, T.INT, T.REAL)})",
            lambda: self._called(T.BOOL, depth),
            lambda: self._called(T.BOOL, depth),
            lambda: self._choice(T.BOOL, depth),
        )

    def _any(self, depth: int, *types: ScalarType) -> str:
        return self.expr(self.random.choice(types), depth)

    def _comparison(self, depth: int) -> str:
        type_ = self.random.choice([*_ORDERED, T.STRING, T.BOOL])
        operators = _COMPARED if type_ in _ORDERED else ["==", "!="]
        other = T.REAL if type_ is T.INT and self.chance(3) else type_
        return f"({self.expr(type_, depth)} {self.pick(*operators)} {self.expr(other, depth)})"

    def _listed(self, depth: int) -> str:
        type_ = self.random.choice([T.LONG, T.STRING])
        items = ", ".join(self.pick(*_LITERALS[type_]) for _ in range(self.random.randint(1, 3)))
        operator = self.pick(
            "in", "!in", *(["in~", "!in~", "has_any", "has_all"] if type_ is T.STRING else [])
        )
        return f"({self.expr(type_, depth)} {operator} ({items}))"

    def _between(self, depth: int) -> str:
        type_ = self.random.choice(_ORDERED)
        low, high = self.pick(*_LITERALS[type_]), self.pick(*_LITERALS[type_])
        return f"({self.expr(type_, depth)} {self.pick('between', '!between')} ({low} .. {high}))"

    def _datetime(self, depth: int) -> str:
        return self.one_of(
            lambda: (
                f"({self.expr(T.DATETIME, depth)} {self.pick('+', '-')} {self.pick('1h', '-3d', '7tick')})"
            ),
            lambda: f"bin({self.expr(T.DATETIME, depth)}, {self.pick('1d', '7h', '3tick')})",
            lambda: (
                f"{self.pick('startof', 'endof')}{self.pick('day', 'week', 'month', 'year')}({self.expr(T.DATETIME, depth)})"
            ),
            lambda: self._called(T.DATETIME, depth),
            lambda: self._called(T.DATETIME, depth),
            lambda: self._choice(T.DATETIME, depth),
        )

    def _timespan(self, depth: int) -> str:
        return self.one_of(
            lambda: f"({self.expr(T.DATETIME, depth)} - {self.expr(T.DATETIME, depth)})",
            lambda: f"({self.expr(T.TIMESPAN, depth)} * {self.pick('2', '-3')})",
            lambda: f"bin({self.expr(T.TIMESPAN, depth)}, {self.pick('1h', '7tick')})",
            lambda: f"({self.expr(T.TIMESPAN, depth)} % 1h)",
            lambda: f"({self.expr(T.DATETIME, depth)} % 1d)",
            lambda: self._called(T.TIMESPAN, depth),
            lambda: self._called(T.TIMESPAN, depth),
            lambda: self._choice(T.TIMESPAN, depth),
        )

    # ---- operators --------------------------------------------------------------------------

    def where(self) -> str:
        return f"where {self.expr(T.BOOL)}"

    def extend(self) -> str:
        type_ = self.random.choice(sorted(_LITERALS, key=str))
        called = type_ in _CALLS and self.chance(2)
        name, text = self.fresh(), self._called(type_, 1) if called else self.expr(type_, 3)
        self.columns.append((name, type_))
        return f"extend {name} = {text}"

    def project(self) -> str:
        kept = self.some(self.columns, 1, 5)
        parts, columns = [], []
        for name, type_ in kept:
            new = self.fresh() if self.chance(3) and name not in self.opaque else name
            parts.append(f"{new} = {name}" if new != name else name)
            columns.append((new, type_))
        self.columns = columns
        return f"project {', '.join(parts)}"

    def distinct(self) -> str:
        names = self.open()
        if not names:
            return self.count()
        kept = self.some(names, 1, 3)
        self.columns = [(n, t) for n, t in self.columns if n in kept]
        return f"distinct {', '.join(n for n, _ in self.columns)}"

    def count(self) -> str:
        self.columns, self.opaque = [("Count", T.LONG)], set()
        return "count"

    def top(self) -> str:
        """The first rows by all columns: equal rows are alike."""
        if self.opaque or not self.columns:
            return self.where()
        keys = self.some([n for n, _ in self.columns], 99, 99)
        by = ", ".join(
            f"{n} {self.pick('asc', 'desc')}{self.pick('', ' nulls first', ' nulls last')}" for n in keys
        )
        if self.chance(2):
            return f"sort by {by} | take {self.random.randint(0, 6)}"
        return f"sort by {by} | extend {self._window()}"

    def _window(self) -> str:
        """A column computed along sorted rows."""
        name, number = self.fresh(), self.random.choice([T.LONG, T.TIMESPAN])
        what, type_ = self.random.choice(self.columns)
        kind = self.pick("row_number", "prev", "next", "row_cumsum", "row_rank_dense")
        if kind == "row_cumsum":
            restart = f", {self.expr(T.BOOL, 1)}" if self.chance(2) else ""
            summed = f"{name} = row_cumsum({self.expr(number, 1)}{restart})"
            self.columns.append((name, number))
            return summed
        numbered = kind in ("row_number", "row_rank_dense")
        self.columns.append((name, T.LONG if numbered else type_))
        return f"{name} = {kind}()" if kind == "row_number" else f"{name} = {kind}({what})"

    def summarize(self) -> str:
        keys = self.some(self.open(), 0, 2)
        types = dict(self.columns)
        columns: Columns = [(k, types[k]) for k in keys]
        made: list[str] = []
        opaque: set[str] = set()
        for _ in range(self.random.randint(0 if keys else 1, 3)):
            text, type_, closed = self._aggregate()
            name = self.fresh()
            made.append(f"{name} = {text}")
            columns.append((name, type_))
            if closed:
                opaque.add(name)
        by = f" by {', '.join(keys)}" if keys else ""
        self.columns, self.opaque = columns, opaque
        return f"summarize {', '.join(made)}{by}"

    def _aggregate(self) -> tuple[str, ScalarType, bool]:
        """(text, type, whether only its near value is known)."""

        def value(*types: ScalarType) -> tuple[str, ScalarType]:
            type_ = self.random.choice(types)
            return self.expr(type_, 1), type_

        kind = self.pick("count", "countif", "sum", "sumif", "min", "max", "maxif", "avg", "dcount", "count_distinct", "dcountif", "stdev", "percentile")  # fmt: skip
        condition = f", {self.expr(T.BOOL, 1)}" if kind.endswith("if") and kind != "countif" else ""
        if kind in ("count", "countif"):
            return f"{kind}({self.expr(T.BOOL, 1) if kind == 'countif' else ''})", T.LONG, False
        if kind in ("sum", "sumif"):
            text, type_ = value(T.LONG, T.INT, T.REAL, T.TIMESPAN)
            return f"{kind}({text}{condition})", T.LONG if type_ is T.INT else type_, type_ is T.REAL
        if kind in ("avg", "stdev"):
            return f"{kind}({self.expr(T.INT, 1)})", T.REAL, True
        if kind in ("dcount", "count_distinct", "dcountif"):
            return f"{kind}({value(*_LITERALS)[0]}{condition})", T.LONG, False
        if kind == "percentile":
            text, type_ = value(*_ORDERED)
            return (
                f"percentile({text}, {self.pick('0', '50', '95', '100')})",
                T.LONG if type_ is T.INT else type_,
                False,
            )
        text, type_ = value(*_ORDERED, T.STRING, T.BOOL)
        return f"{kind}({text}{condition})", type_, False

    def union(self) -> str:
        name = self.pick(*_TABLES)
        own, other = dict(self.columns), dict(_TABLES[name])
        if self.opaque & set(other):
            return self.where()
        clash = {n for n in own if n in other and own[n] is not other[n]}
        if clash:
            return self.where()
        self.columns = [*self.columns, *((n, t) for n, t in other.items() if n not in own)]
        return f"union ({name})"

    def join(self) -> str:
        name = self.pick(*_TABLES)
        other = dict(_TABLES[name])
        keys = [n for n in self.open() if n in other and dict(self.columns)[n] is other[n]]
        if not keys:
            return self.where()
        on = self.some(keys, 1, 2)
        kind = self.pick("inner", "leftouter", "rightouter", "fullouter", "leftanti", "leftsemi", "rightanti", "rightsemi")  # fmt: skip
        if kind in ("rightanti", "rightsemi"):
            self.columns, self.opaque = list(_TABLES[name]), set()
        elif kind not in ("leftanti", "leftsemi"):
            taken = {n for n, _ in self.columns}
            for column, type_ in _TABLES[name]:
                new, number = column, 0
                while new in taken:
                    number += 1
                    new = f"{column}{number}"
                taken.add(new)
                self.columns.append((new, type_))
        return f"join kind={kind} ({name}) on {', '.join(on)}"

    def unique(self) -> str:
        """`innerunique` over a left side that has each key once."""
        if not self.open(T.STRING, T.LONG):
            return self.where()
        key = self.pick(*self.open(T.STRING, T.LONG))
        type_ = dict(self.columns)[key]
        tables = [n for n, columns in _TABLES.items() if (key, type_) in columns]
        if not tables:
            return self.where()
        name, counted = self.pick(*tables), self.fresh()
        self.columns, self.opaque = [(key, type_), (counted, T.LONG)], set()
        taken = {key, counted}
        for column, kind in _TABLES[name]:
            new = f"{column}1" if column in taken else column
            self.columns.append((new, kind))
        return f"summarize {counted} = count() by {key} | join ({name}) on {key}"


_OPERATORS: list[Callable[[Writer], str]] = [
    Writer.where, Writer.where, Writer.extend, Writer.extend, Writer.project, Writer.summarize, Writer.summarize,
    Writer.top, Writer.join, Writer.join, Writer.union, Writer.distinct, Writer.unique, Writer.count,
]  # fmt: skip


def query(random: Random) -> list[str]:
    """A query over the tables: its source and its operators. Each beginning of it is a query too."""
    name = random.choice(sorted(_TABLES))
    writer = Writer(random, list(_TABLES[name]))
    return [name, *(random.choice(_OPERATORS)(writer) for _ in range(random.randint(2, 6)))]


def text(parts: Sequence[str]) -> str:
    return "\n| ".join(parts)
