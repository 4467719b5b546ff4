"""Aggregates that collect: lists, sets and bags of a group, as JSON.

Lists and sets are made natively: each value becomes its JSON text, the texts of a group are joined.
Of dynamic values arrays give their elements, as in Kusto.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _json, _sql, _sql_aggregates, _sql_cast, _sql_lists
from workbench.query.functions._card import (
    ANY,
    BOOL,
    DYNAMIC,
    INTEGER,
    ParamLike,
    aggregate,
    const,
    opt,
)
from workbench.query.functions.forms import canonical
from workbench.query.functions.values import dumps, loads
from workbench.query.lowering import SqlValue, Value
from workbench.query.plan import Aggregate, Const, Expr

_MOST = 2**20
_OLD_MOST = 128  # what makelist() and makeset() keep where no size is given


def _size(args: Sequence[Expr], at: int, default: int) -> int:
    if len(args) <= at:
        return default
    size = args[at]
    assert isinstance(size, Const)  # declared constant
    return max(0, int(size.value or 0))


def _pieces(value: Value, chosen: Value | None, *, with_nulls: bool = False) -> pl.Expr:
    """JSON text of the group's values, an array's elements without its brackets, empty arrays null."""
    text = _json.text(value)
    if value.type is DYNAMIC:
        inside = text.str.strip_prefix("[").str.strip_suffix("]")
        is_array = text.str.starts_with("[")
        text = pl.when(is_array & (inside != "")).then(inside).when(~is_array).then(text)
        # Of dynamic values null is an element, of all others it is left out.
        text = pl.when(canonical(value).is_null()).then(pl.lit("null")).otherwise(text)
    elif with_nulls:
        text = text.fill_null("null")
    if chosen is not None:
        text = text.filter(canonical(chosen))
    return text.drop_nulls()


def _sql_pieces(value: SqlValue) -> _sql.Sql:
    if value.type is not DYNAMIC:
        return _sql_lists.piece(value)
    json = _sql_cast.canonical(value)
    inside = _sql.plain_func("substring", json, 2, _sql.op("-", _sql.func("length", json), 2))
    inside = _sql.case((_sql_lists.is_array(json), inside), otherwise=json)
    return _sql.case((_sql.is_null(json), "null"), otherwise=_sql.func("nullif", inside, ""))


def _array(pieces: pl.Expr) -> Value:
    return Value(pl.concat_str(pl.lit("["), pieces.str.join(","), pl.lit("]")), DYNAMIC)


def _finished(values: Sequence[Value], node: Aggregate) -> list[Value]:
    """The array of a partial list, which is a list of JSON texts."""
    return [Value(pl.concat_str(pl.lit("["), values[0].expr.list.join(","), pl.lit("]")), DYNAMIC)]


def _making_list(
    name: str, doc: str, *, chosen: bool = False, nulls: bool = False, most: int = _MOST
) -> None:
    params: list[ParamLike] = [ANY, BOOL] if chosen else [ANY]
    if not nulls:
        params = [*params, opt(const(INTEGER))]

    @aggregate(name, params, DYNAMIC, prefix="list")
    class _List:
        @staticmethod
        def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
            pieces = _pieces(values[0], values[1] if chosen else None, with_nulls=nulls)
            return _array(pieces.head(_size(args, 2 if chosen else 1, most)))

        @staticmethod
        def partial(values: Sequence[Value], node: Aggregate) -> list[Value]:
            size = _size(node.args, 2 if chosen else 1, most)
            pieces = _pieces(values[0], values[1] if chosen else None, with_nulls=nulls)
            return [Value(pieces.head(size).implode(), DYNAMIC)]

        @staticmethod
        def merge(values: Sequence[Value], node: Aggregate) -> list[Value]:
            size = _size(node.args, 2 if chosen else 1, most)
            return [Value(values[0].expr.explode().drop_nulls().head(size).implode(), DYNAMIC)]

        finish = staticmethod(_finished)

        @staticmethod
        def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
            pieces = _sql_pieces(values[0])
            if nulls and values[0].type is not DYNAMIC:
                pieces = _sql.coalesce(pieces, "null")
            condition = _sql_cast.canonical(values[1]) if chosen else None
            size = _size(args, 2 if chosen else 1, most)
            return SqlValue(_sql_aggregates.json_array(pieces, condition, size), DYNAMIC)

    _List.__doc__ = doc


_making_list("make_list", "All values of the group but nulls, in an array.")
_making_list("makelist", "The first values of the group but nulls, 128 unless told, in an array.", most=_OLD_MOST)  # fmt: skip
_making_list("make_list_if", "The values for which the condition is true but nulls, in an array.", chosen=True)  # fmt: skip
_making_list("make_list_with_nulls", "All values of the group, nulls too, in an array.", nulls=True)


def _making_set(name: str, doc: str, *, chosen: bool = False, most: int = _MOST) -> None:
    params: list[ParamLike] = [ANY, BOOL] if chosen else [ANY]

    @aggregate(name, [*params, opt(const(INTEGER))], DYNAMIC, prefix="set")
    class _Set:
        @staticmethod
        def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
            size = _size(args, 2 if chosen else 1, most)
            value, condition = values[0], values[1] if chosen else None
            if value.type is DYNAMIC:
                return _dynamic_set(value, condition, size)
            return _array(_pieces(value, condition).unique(maintain_order=True).head(size))

        @staticmethod
        def partial(values: Sequence[Value], node: Aggregate) -> list[Value] | None:
            if values[0].type is DYNAMIC:
                return None
            size = _size(node.args, 2 if chosen else 1, most)
            pieces = _pieces(values[0], values[1] if chosen else None)
            return [Value(pieces.unique(maintain_order=True).head(size).implode(), DYNAMIC)]

        @staticmethod
        def merge(values: Sequence[Value], node: Aggregate) -> list[Value]:
            size = _size(node.args, 2 if chosen else 1, most)
            pieces = values[0].expr.explode().drop_nulls()
            return [Value(pieces.unique(maintain_order=True).head(size).implode(), DYNAMIC)]

        finish = staticmethod(_finished)

        @staticmethod
        def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
            condition = _sql_cast.canonical(values[1]) if chosen else None
            size = _size(args, 2 if chosen else 1, most)
            pieces = _sql_lists.piece(values[0])
            listed = _sql_aggregates.listed(pieces, condition)
            if values[0].type is DYNAMIC:
                listed = _sql_lists.flat(_sql_lists.each(listed, _sql_lists.items_of, "l"))
            distinct = _sql_lists.first_of_each(_sql.coalesce(listed, _sql_lists.nothing()))
            return SqlValue(_sql_lists.array(_sql_lists.part(distinct, 1, size)), DYNAMIC)

    _Set.__doc__ = doc


def _lines(value: Value, chosen: Value | None) -> pl.Expr:
    """The dynamic values of a group but null, as one text with a line each."""
    texts = canonical(value)
    if chosen is not None:
        texts = texts.filter(canonical(chosen))
    # Compact JSON has no line ends of its own.
    return texts.drop_nulls().unique(maintain_order=True).str.join("\n")


def _of_lines(lines: pl.Expr, collect: Callable[[list[str]], str]) -> Value:
    """`collect` of the values of each group: one call of Python for all groups, not one for each."""

    def batch(series: pl.Series) -> pl.Series:
        cells = [collect(text.split("\n") if text else []) for text in series.to_list()]
        return pl.Series(series.name, cells, pl.String)

    return Value(lines.map_batches(batch, return_dtype=pl.String, is_elementwise=True), DYNAMIC)


def _dynamic_set(value: Value, chosen: Value | None, size: int) -> Value:
    """A set of dynamic values: only arrays have to be read, the rest is compared as text."""

    def collect(texts: list[str]) -> str:
        found: dict[str, None] = {}
        for text in texts:
            if text[:1] == "[":
                elements = loads(text)
                found.update((dumps(e) or "null", None) for e in elements)
            else:
                found.setdefault(text)
        return "[" + ",".join(list(found)[:size]) + "]"

    return _of_lines(_lines(value, chosen), collect)


_making_set("make_set", "The different values of the group but null, in an array.")
_making_set("makeset", "The first different values of the group, 128 unless told, in an array.", most=_OLD_MOST)  # fmt: skip
_making_set("make_set_if", "The different values for which the condition is true, in an array.", chosen=True)


# ---- bags -----------------------------------------------------------------------------------


def _making_bag(name: str, prefix: str, doc: str, *, chosen: bool = False) -> None:
    params: list[ParamLike] = [DYNAMIC, BOOL] if chosen else [DYNAMIC]

    @aggregate(name, [*params, opt(const(INTEGER))], DYNAMIC, prefix=prefix)
    class _Bag:
        @staticmethod
        def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
            size = _size(args, 2 if chosen else 1, _MOST)

            def collect(texts: list[str]) -> str:
                return dumps(_merged([loads(t) for t in texts], size)) or "{}"

            return _of_lines(_lines(values[0], values[1] if chosen else None), collect)

        @staticmethod
        def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
            condition = _sql_cast.canonical(values[1]) if chosen else None
            size = _size(args, 2 if chosen else 1, _MOST)
            bags = _sql_aggregates.listed(_sql_cast.canonical(values[0]), condition)

            def members(bag: _sql.Sql) -> _sql.Sql:
                def one(key: _sql.Sql) -> _sql.Sql:
                    return _sql.plain_func("row", key, _sql_lists.property_of(bag, key))

                return _sql_lists.each(_sql_lists.keys(bag), one, "key")

            def written(pair: _sql.Sql) -> _sql.Sql:
                return _sql_lists.member(_sql_lists.field(pair, 1), _sql_lists.field(pair, 2))

            every = _sql_lists.flat(_sql_lists.each(bags, members, "bag"))
            distinct = _sql_lists.first_of_each(every, lambda pair: _sql_lists.field(pair, 1))
            bag = _sql_lists.bag(_sql_lists.each(_sql_lists.part(distinct, 1, size), written, "w"))
            return SqlValue(_sql.coalesce(bag, "{}"), DYNAMIC)

    _Bag.__doc__ = doc


def _merged(bags: Sequence[Any], size: int) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for bag in bags:
        if isinstance(bag, dict):
            for key, value in bag.items():
                if key not in merged and len(merged) < size:
                    merged[key] = value
    return merged


_ALL = "All properties of the group's bags in one bag; the first value of a key counts."
_making_bag("make_bag", "bag", _ALL)
_making_bag("make_dictionary", "dictionary", _ALL)
_making_bag("make_bag_if", "bag", "All properties of the bags for which the condition is true, in one bag.", chosen=True)  # fmt: skip
