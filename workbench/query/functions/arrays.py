"""Arrays: what `array_*`, `pack_array`, `range`, `repeat` and `zip` do. JSON arrays in, JSON arrays out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise, zip_longest
from typing import Any

import polars as pl

from workbench.base.dtypes import TICKS_PER_HOUR, ScalarType
from workbench.query.functions import _json, _sql, _sql_cast, _sql_lists, _unsayable
from workbench.query.functions._card import (
    ANY,
    DATETIME,
    DECIMAL,
    DYNAMIC,
    INTEGER,
    LONG,
    NUMBER,
    REAL,
    STRING,
    TIMESPAN,
    Naming,
    opt,
    rep,
    scalar,
)
from workbench.query.functions._cast import python_cast
from workbench.query.functions.values import loads
from workbench.query.lowering import SqlValue, Value
from workbench.query.plan import Const, Expr

_MOST = 2**20  # elements that range() gives at most


@scalar("pack_array", [rep(ANY)], DYNAMIC)
class PackArray:
    """All arguments in one array."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        pieces = pl.concat_str([_json.or_null(v) for v in values], separator=",")
        return Value(pl.concat_str(pl.lit("["), pieces, pl.lit("]")), DYNAMIC)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        pieces = [_sql_lists.known(_sql_lists.piece(v)) for v in values]
        between = [part for piece in pieces for part in (",", piece)][1:]
        return SqlValue(_sql.concat("[", *between, "]"), DYNAMIC)


@scalar("array_length", [DYNAMIC], LONG, aliases=("arraylength",))
class ArrayLength:
    """Number of elements, null for what is no array."""

    @staticmethod
    def polars(array: pl.Expr) -> pl.Expr:
        def batch(series: pl.Series) -> pl.Series:
            return pl.Series(series.name, [_length(v) for v in series.to_list()], pl.Int64)

        return array.map_batches(batch, return_dtype=pl.Int64, is_elementwise=True)

    @staticmethod
    def sql(array: _sql.Sql) -> _sql.Sql:
        length = _sql.cast(_sql.plain_func("json_array_length", array), "BIGINT")
        return _sql.case((_sql_lists.is_array(array), length))


def _length(text: str | None) -> int | None:
    if text is None or text[:1] != "[":
        return None
    array = loads(text)
    return len(array) if isinstance(array, list) else None


@scalar("array_concat", [rep(DYNAMIC)], DYNAMIC)
class ArrayConcat:
    """The elements of all arrays, one array after the other; what is no array is left out."""

    nulls = True

    @staticmethod
    def row(*arrays: Any) -> list[Any] | None:
        if all(a is None for a in arrays):
            return None
        return [element for a in arrays if isinstance(a, list) for element in a]

    @staticmethod
    def sql(*arrays: _sql.Sql) -> _sql.Sql:
        there = _sql.any_of(*map(_sql.not_null, arrays))
        lists = [_sql.coalesce(_sql_lists.elements(a), _sql_lists.nothing()) for a in arrays]
        return _sql.case((there, _sql_lists.array(_sql_lists.both(*lists))))


def _from_end(place: _sql.Sql, size: _sql.Sql) -> _sql.Sql:
    """A place that counts from the end where it is negative."""
    return _sql.case((_sql.op("<", place, 0), _sql.op("+", place, size)), otherwise=place)


@scalar("array_slice", [DYNAMIC, INTEGER, INTEGER], DYNAMIC)
class ArraySlice:
    """The elements from one index to another, both included; negative ones count from the end."""

    @staticmethod
    def row(array: Any, start: int, end: int) -> list[Any] | None:
        if not isinstance(array, list):
            return None
        first = max(0, start + len(array) if start < 0 else start)
        last = end + len(array) if end < 0 else end
        return array[first : last + 1] if last >= 0 else []

    @staticmethod
    def sql(array: _sql.Sql, start: _sql.Sql, end: _sql.Sql) -> _sql.Sql:
        items = _sql_lists.elements(array)
        size = _sql_lists.size(items)
        first = _sql.func("greatest", _from_end(start, size), 0)
        last = _sql.func("least", _from_end(end, size), size)
        inside = _sql_lists.part(
            items, _sql.op("+", _sql.func("least", first, size), 1), _sql.op("+", last, 1)
        )
        kept = _sql.case((_sql.op(">=", last, 0), inside), otherwise=_sql_lists.nothing())
        return _sql.known(_sql_lists.array(kept), items, start, end)


@scalar("array_split", overloads=[([DYNAMIC, INTEGER], DYNAMIC), ([DYNAMIC, DYNAMIC], DYNAMIC)])
class ArraySplit:
    """The array cut at one or more indexes, as an array of arrays; negative ones count from the end."""

    @staticmethod
    def row(array: Any, at: Any) -> list[Any] | None:
        if not isinstance(array, list):
            return None
        places = at if isinstance(at, list) else [at]
        if not all(isinstance(p, int) and not isinstance(p, bool) for p in places):
            return None
        size = len(array)
        cuts = [0, *(min(size, max(0, p + size if p < 0 else p)) for p in places), size]
        return [array[a:b] for a, b in pairwise(cuts)]

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        items = _sql_lists.elements(_sql_cast.canonical(values[0]))
        if values[1].type is not DYNAMIC:
            places: list[Any] = [_sql_cast.canonical(values[1])]
        elif isinstance(args[1], Const):
            places = args[1].value if isinstance(args[1].value, list) else [args[1].value]
            if not all(isinstance(p, int) and not isinstance(p, bool) for p in places):
                return SqlValue(_sql.cast(None, "VARCHAR"), DYNAMIC)
        else:
            raise _sql.Unsayable(_unsayable.ARRAY_DIFFERS)
        size = _sql_lists.size(items)
        inner = [
            _sql.func("least", size, _sql.func("greatest", _from_end(_sql.own(p), size), 0)) for p in places
        ]
        cuts = [_sql.lit(0), *inner, size]
        parts = [_sql_lists.array(_sql_lists.part(items, _sql.op("+", a, 1), b)) for a, b in pairwise(cuts)]
        found = _sql_lists.array(_sql_lists.listed(*parts))
        return SqlValue(_sql.known(found, items, *places), DYNAMIC)


@scalar("array_index_of", [DYNAMIC, ANY, opt(INTEGER), opt(INTEGER), opt(INTEGER)], LONG)
class ArrayIndexOf:
    """Where a value stands in an array, -1 if nowhere: from `start`, among `length` elements, the
    `occurrence`-th one."""

    @staticmethod
    def row(
        array: Any,
        value: Any,
        start: int = 0,
        length: int = -1,
        occurrence: int = 1,
        *,
        types: Sequence[ScalarType],
    ) -> int | None:
        if not isinstance(array, list) or length < -1 or occurrence < 0:
            return None
        first = max(0, start + len(array) if start < 0 else start)
        last = len(array) if length == -1 else first + length
        wanted = _json.key(_json.element(value, types[1]))
        hits = [i for i, e in enumerate(array[first:last], first) if _json.key(e) == wanted]
        return hits[occurrence - 1] if 0 < occurrence <= len(hits) else -1

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        items = _sql_lists.elements(_sql_cast.canonical(values[0]))
        value = _sql_lists.piece(values[1])
        given = [_sql_cast.canonical(v) for v in values[2:]]
        start, length, occurrence = [*given, *map(_sql.lit, (0, -1, 1)[len(given) :])]
        size = _sql_lists.size(items)
        first = _sql.func("greatest", _from_end(start, size), 0)
        stop = _sql.op("+", _sql.cast(first, "HUGEINT"), length)
        stop = _sql.case((_sql.op("=", length, -1), size), otherwise=stop)
        wanted = _sql_lists.same(value)

        def hit(place: _sql.Sql) -> _sql.Sql:
            within = _sql.all_of(_sql.op(">", place, first), _sql.op("<=", place, stop))
            return _sql.all_of(within, _sql.op("=", _sql_lists.same(_sql_lists.at(items, place)), wanted))

        hits = _sql_lists.only(_sql_lists.places(size), hit, "i")
        place = _sql.case((_sql.op(">", occurrence, 0), _sql_lists.at(hits, occurrence)))
        valid = _sql.all_of(_sql.op(">=", length, -1), _sql.op(">=", occurrence, 0))
        found = _sql.case((valid, _sql.coalesce(_sql.op("-", place, 1), -1)))
        known = _sql.known(found, items, value, *given)
        return SqlValue(_sql.cast(known, "BIGINT"), LONG)


@scalar("array_iff", [DYNAMIC, ANY, ANY], DYNAMIC, aliases=("array_iif",))
class ArrayIff:
    """Element by element from the second or the third argument; null where the condition is no bool
    and no number, or where the chosen array is too short."""

    nulls = True

    @staticmethod
    def row(condition: Any, yes: Any, no: Any, *, types: Sequence[ScalarType]) -> list[Any] | None:
        if not isinstance(condition, list):
            return None
        yes, no = _json.element(yes, types[1]), _json.element(no, types[2])
        return [
            _at(yes if c else no, i) if isinstance(c, bool | int | float) else None
            for i, c in enumerate(condition)
        ]

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        items = _sql_lists.elements(_sql_cast.canonical(values[0]))

        def chosen(value: SqlValue, place: _sql.Sql) -> _sql.Sql:
            piece = _sql_lists.piece(value)
            if value.type is DYNAMIC:
                one = _sql_lists.at(_sql_lists.elements(piece), place)
                piece = _sql.case((_sql_lists.is_array(piece), one), otherwise=piece)
            return _sql_lists.known(piece)

        def one(place: _sql.Sql) -> _sql.Sql:
            flag = _sql_lists.at(items, place)
            yes, no = (chosen(v, place) for v in values[1:])
            number = _sql.op("<>", _sql.try_cast(flag, "DOUBLE"), 0.0)
            return _sql.case(
                (_sql.op("=", flag, "true"), yes), (_sql.op("=", flag, "false"), no),
                (_sql_lists.is_number(flag), _sql.case((number, yes), otherwise=no)), otherwise="null",
            )  # fmt: skip

        found = _sql_lists.array(_sql_lists.each(_sql_lists.places(_sql_lists.size(items)), one, "i"))
        return SqlValue(_sql.known(found, items), DYNAMIC)


def _at(source: Any, index: int) -> Any:
    if not isinstance(source, list):
        return source
    return source[index] if index < len(source) else None


@scalar("array_reverse", [DYNAMIC], DYNAMIC)
class ArrayReverse:
    """The elements from last to first."""

    @staticmethod
    def row(array: Any) -> list[Any] | None:
        return array[::-1] if isinstance(array, list) else None

    @staticmethod
    def sql(array: _sql.Sql) -> _sql.Sql:
        return _sql_lists.array(_sql.plain_func("list_reverse", _sql_lists.elements(array)))


def _turned(array: Any, places: int) -> list[Any] | None:
    if not isinstance(array, list):
        return None
    cut = places % len(array) if array else 0
    return array[cut:] + array[:cut]


def _sql_turned(array: _sql.Sql, places: _sql.Sql) -> _sql.Sql:
    items = _sql_lists.elements(array)
    size = _sql_lists.size(items)
    cut = _sql.coalesce(_sql.floor_mod(_sql.cast(places, "HUGEINT"), size), 0)
    cut = _sql.cast(cut, "BIGINT")
    found = _sql_lists.both(
        _sql_lists.part(items, _sql.op("+", cut, 1), size), _sql_lists.part(items, 1, cut)
    )
    return _sql.known(_sql_lists.array(found), items, places)


@scalar("array_rotate_left", [DYNAMIC, INTEGER], DYNAMIC)
class ArrayRotateLeft:
    """The elements moved to the left, those that fall out come back on the right."""

    @staticmethod
    def row(array: Any, places: int) -> list[Any] | None:
        return _turned(array, places)

    @staticmethod
    def sql(array: _sql.Sql, places: _sql.Sql) -> _sql.Sql:
        return _sql_turned(array, places)


@scalar("array_rotate_right", [DYNAMIC, INTEGER], DYNAMIC)
class ArrayRotateRight:
    """The elements moved to the right, those that fall out come back on the left."""

    @staticmethod
    def row(array: Any, places: int) -> list[Any] | None:
        return _turned(array, -places)

    @staticmethod
    def sql(array: _sql.Sql, places: _sql.Sql) -> _sql.Sql:
        return _sql_turned(array, _sql.minus(_sql.cast(places, "HUGEINT")))


def _shifted(array: Any, left: int, fill: Any) -> list[Any] | None:
    if not isinstance(array, list):
        return None
    gap = [fill] * min(abs(left), len(array))
    return array[left:] + gap if left >= 0 else gap + array[: len(array) - len(gap)]


def _filling(array: Any, fill: tuple[Any, ...], types: Sequence[ScalarType]) -> Any:
    if fill:
        return _json.element(fill[0], types[2])
    texts = isinstance(array, list) and array and all(isinstance(e, str) for e in array)
    return "" if texts else None


def _sql_shifted(values: list[SqlValue], to_left: bool) -> SqlValue:
    items = _sql_lists.elements(_sql_cast.canonical(values[0]))
    size = _sql_lists.size(items)
    given = _sql.cast(_sql_cast.canonical(values[1]), "HUGEINT")
    left = given if to_left else _sql.minus(given)
    if len(values) > 2:
        fill = _sql_lists.known(_sql_lists.piece(values[2]))
    else:
        other = _sql_lists.only(items, lambda e: _sql.negated(_sql.plain_func("starts_with", e, '"')), "e")
        texts = _sql.all_of(_sql.op(">", size, 0), _sql.op("=", _sql_lists.size(other), 0))
        fill = _sql.case((texts, '""'), otherwise="null")
    gap = _sql.cast(_sql.func("least", _sql.func("abs", left), size), "BIGINT")
    filled = _sql_lists.each(_sql_lists.places(gap), lambda _: fill, "f")
    kept_left = _sql_lists.both(_sql_lists.part(items, _sql.op("+", gap, 1), size), filled)
    kept_right = _sql_lists.both(filled, _sql_lists.part(items, 1, _sql.op("-", size, gap)))
    found = _sql.case((_sql.op(">=", left, 0), kept_left), otherwise=kept_right)
    return SqlValue(_sql.known(_sql_lists.array(found), items, given), DYNAMIC)


@scalar("array_shift_left", [DYNAMIC, INTEGER, opt(ANY)], DYNAMIC)
class ArrayShiftLeft:
    """The elements moved to the left; the gap is filled with a value, null (`""` among texts) by default."""

    nulls = True

    @staticmethod
    def row(array: Any, places: int | None, *fill: Any, types: Sequence[ScalarType]) -> list[Any] | None:
        return None if places is None else _shifted(array, places, _filling(array, fill, types))

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        return _sql_shifted(values, to_left=True)


@scalar("array_shift_right", [DYNAMIC, INTEGER, opt(ANY)], DYNAMIC)
class ArrayShiftRight:
    """The elements moved to the right; the gap is filled with a value, null (`""` among texts) by default."""

    nulls = True

    @staticmethod
    def row(array: Any, places: int | None, *fill: Any, types: Sequence[ScalarType]) -> list[Any] | None:
        return None if places is None else _shifted(array, -places, _filling(array, fill, types))

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        return _sql_shifted(values, to_left=False)


# ---- one value of many ----------------------------------------------------------------------


@scalar("array_sum", [DYNAMIC], REAL)
class ArraySum:
    """Sum of the elements without nulls; null when there is none, or another element is no number."""

    @staticmethod
    def row(array: Any) -> float | None:
        known = [e for e in array if e is not None] if isinstance(array, list) else []
        if not known or not all(isinstance(e, int | float) and not isinstance(e, bool) for e in known):
            return None
        return float(sum(known))

    @staticmethod
    def sql(array: _sql.Sql) -> _sql.Sql:
        items = _sql_lists.only(_sql_lists.elements(array), lambda e: _sql.op("<>", e, "null"), "e")
        numbers = _sql_lists.only(items, _sql_lists.is_number, "n")
        total = _sql.plain_func(
            "list_sum", _sql_lists.each(numbers, lambda n: _sql.try_cast(n, "DOUBLE"), "v")
        )
        return _sql.case((_sql.op("=", _sql_lists.size(numbers), _sql_lists.size(items)), total))


def _element_text(json: _sql.Sql) -> _sql.Sql:
    return _sql_cast.convert(_sql_lists.value_of(json), DYNAMIC, STRING)


@scalar("strcat_array", [DYNAMIC, ANY], STRING, aliases=("array_strcat",))
class StrcatArray:
    """The elements as text with a separator between them; null elements are empty."""

    @staticmethod
    def row(array: Any, separator: Any, *, types: Sequence[ScalarType]) -> str:
        if not isinstance(array, list):
            return ""
        between: str = python_cast(separator, types[1], STRING)
        return between.join(python_cast(e, DYNAMIC, STRING) for e in array)

    @staticmethod
    def sql(array: _sql.Sql, separator: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        between = _sql_cast.convert(separator, types[1], STRING)
        texts = _sql_lists.each(_sql_lists.elements(array), _element_text, "e")
        found = _sql_lists.joined(texts, between)
        return _sql.coalesce(_sql.known(found, separator), "")


# ---- new arrays -----------------------------------------------------------------------------


@scalar(
    "range",
    overloads=[
        ([NUMBER, NUMBER, opt(NUMBER)], DYNAMIC),
        ([DATETIME, DATETIME, opt(TIMESPAN)], DYNAMIC),
        ([TIMESPAN, TIMESPAN, opt(TIMESPAN)], DYNAMIC),
    ],
)
class Range:
    """Values at equal steps from the first to the last, which is included; steps of 1 or an hour."""

    @staticmethod
    def row(start: Any, stop: Any, step: Any = None, *, types: Sequence[ScalarType]) -> list[Any] | None:
        if step is None:
            step = TICKS_PER_HOUR if types[0].is_time else 1
        if any(t in (REAL, DECIMAL) for t in types):
            start, stop, step = float(start), float(stop), float(step)
        if step == 0 or not all(map(math.isfinite, (start, stop, step))):
            return []
        count = min(_MOST, int((stop - start) // step) + 1)
        if not types[0].is_time:
            return [start + i * step for i in range(count)]
        return [python_cast(start + i * step, types[0], STRING) for i in range(count)]

    @staticmethod
    def sql(start: _sql.Sql, stop: _sql.Sql, step: _sql.Sql | None = None, *, types: Sequence[ScalarType]) -> _sql.Sql:  # fmt: skip
        if step is None:
            step = _sql.lit(TICKS_PER_HOUR if types[0].is_time else 1)
        real = any(t in (REAL, DECIMAL) for t in types)
        first, last, by = (_sql.cast(v, "DOUBLE" if real else "HUGEINT") for v in (start, stop, step))
        way = _sql.op("-", last, first)
        if real:
            rest = _sql.op("%", way, by)
            turned = _sql.all_of(
                _sql.op("<>", rest, 0.0), _sql.op("<>", _sql.op("<", rest, 0.0), _sql.op("<", by, 0.0))
            )
            rest = _sql.case((turned, _sql.op("+", rest, by)), otherwise=rest)
            number = _sql.func("round", _sql.op("/", _sql.op("-", way, rest), by))
            possible = _sql.all_of(
                *(_sql.func("isfinite", v) for v in (first, last, by)), _sql.op("<>", by, 0.0)
            )
        else:
            size = _sql.func("abs", by)
            whole = _sql.case((_sql.op("<", by, 0), _sql.minus(way)), otherwise=way)
            number = _sql.case((_sql.op("<", whole, 0), -1), otherwise=_sql.op("//", whole, size))
            possible = _sql.op("<>", by, 0)
        count = _sql.func("least", _sql.op("+", number, 1), _MOST)

        def cell(i: _sql.Sql) -> _sql.Sql:
            value = _sql.op("+", first, _sql.op("*", _sql.op("-", i, 1), by))
            if real:
                return _sql_cast.json_text(value, REAL)
            whole = _sql.cast(value, "BIGINT")
            return _sql_cast.json_text(whole, types[0] if types[0].is_time else LONG)

        places = _sql_lists.places(_sql.cast(_sql.func("greatest", count, 0), "BIGINT"))
        found = _sql_lists.array(_sql_lists.each(places, cell, "i"))
        return _sql.known(_sql.case((possible, found), otherwise="[]"), start, stop, step)


@scalar("repeat", [ANY, LONG], DYNAMIC, naming=Naming.PREFIX_AND_FIRST, prefix="repeat")
class Repeat:
    """One value many times; null for a negative count."""

    nulls = True

    @staticmethod
    def row(value: Any, count: int | None, *, types: Sequence[ScalarType]) -> list[Any] | None:
        if count is None or count < 0:
            return None
        return [_json.element(value, types[0])] * min(count, _MOST)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        piece, count = _sql_lists.known(_sql_lists.piece(values[0])), _sql_cast.canonical(values[1])
        places = _sql_lists.places(_sql.func("least", count, _MOST))
        found = _sql_lists.array(_sql_lists.each(places, lambda _: piece, "i"))
        return SqlValue(_sql.case((_sql.op(">=", count, 0), found)), DYNAMIC)


@scalar("zip", [DYNAMIC, rep(DYNAMIC)], DYNAMIC)
class Zip:
    """The first elements of all arrays, then the second ones, and so on; short arrays are filled with null."""

    nulls = True

    @staticmethod
    def row(*arrays: Any) -> list[Any] | None:
        if all(a is None for a in arrays):
            return None
        lists = [a if isinstance(a, list) else [] if a is None else [a] for a in arrays]
        return [list(together) for together in zip_longest(*lists)]

    @staticmethod
    def sql(*arrays: _sql.Sql) -> _sql.Sql:
        lists = [_sql_lists.items_of(a) for a in arrays]
        longest = _sql.func("greatest", *map(_sql_lists.size, lists))

        def together(place: _sql.Sql) -> _sql.Sql:
            cells = [_sql_lists.known(_sql_lists.at(items, place)) for items in lists]
            return _sql_lists.array(_sql_lists.listed(*cells))

        found = _sql_lists.array(_sql_lists.each(_sql_lists.places(longest), together, "i"))
        return _sql.case((_sql.any_of(*map(_sql.not_null, arrays)), found))
