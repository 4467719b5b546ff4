"""Arrays of numbers as SQL lists: element by element, side by side, and sums over them.

A list of numbers is one of DOUBLE; whether an element was written as a whole number is read from its JSON text,
since sums of whole numbers are whole.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql, _sql_cast, _sql_lists

if TYPE_CHECKING:
    from workbench.query.functions._sql import Sql

T = ScalarType
Single = Callable[[Any], Any]
"""From the JSON text of a number to that of the result."""
Pair = Callable[[Any, Any], Any]

_WORDS = (("NaN", "nan"), ("Infinity", "inf"), ("-Infinity", "-inf"))


def number(json: Sql) -> Sql:
    """An element as DOUBLE; null for what is no number."""
    words = [(_sql.op("=", json, f'"{name}"'), float(value)) for name, value in _WORDS]
    return _sql.case((_sql_lists.is_number(json), _sql.try_cast(json, "DOUBLE")), *words)


def numbers(series: Sql) -> Sql:
    """The elements of an array as DOUBLE; null where it is none."""
    return _sql_lists.each(_sql_lists.elements(series), number, "v")


def full(values: Sql) -> Sql:
    """Whether every element is a number."""
    return _sql.op("=", _sql_lists.size(_sql_lists.only(values, _sql.is_null, "n")), 0)


def _written(value: Sql) -> Sql:
    return _sql_lists.bound(value, lambda v: _sql_cast.json_text(v, T.REAL), "written")


def _of_numbers(a: Any, b: Any, made: Callable[[Any, Any], Sql]) -> Sql:
    return _sql_lists.bound(number(a), lambda x: _sql_lists.bound(number(b), lambda y: made(x, y), "q"), "p")


def on_each(series: Sql, build: Single) -> Sql:
    """An array of what `build` makes of each element; null where one is no number."""

    def one(json: Sql) -> Sql:
        return _sql_lists.known(_sql.case((_sql.not_null(number(json)), build(json))))

    return _sql_lists.array(_sql_lists.each(_sql_lists.elements(series), one, "e"))


def on_pairs(a: Sql, b: Sql, types: Sequence[ScalarType], build: Pair) -> Sql:
    """An array of what `build` makes of elements side by side; a lone number stands beside each."""
    x, y = beside(a, b, types)

    def listed(x: Sql, y: Sql) -> Sql:
        def one(place: Sql) -> Sql:
            return _sql_lists.bound(
                _sql_lists.at(x, place), lambda left: _sql_lists.bound(_sql_lists.at(y, place), _made(left, build), "b"), "a"
            )  # fmt: skip

        longest = _sql.func("greatest", _sql_lists.size(x), _sql_lists.size(y))
        return _sql_lists.array(_sql_lists.each(_sql_lists.places(longest), one, "i"))

    found = _sql_lists.bound(x, lambda x: _sql_lists.bound(y, lambda y: listed(x, y), "y"), "x")
    return _sql.known(found, a, b)


def _made(left: Sql, build: Pair) -> Callable[[Sql], Sql]:
    def made(right: Sql) -> Sql:
        there = _sql.all_of(_sql.not_null(number(left)), _sql.not_null(number(right)))
        return _sql_lists.known(_sql.case((there, build(left, right))))

    return made


def beside(a: Sql, b: Sql, types: Sequence[ScalarType]) -> tuple[Sql, Sql]:
    """The JSON texts of two arrays, of which one may be a number that is repeated; null where neither is an array."""
    lists = [
        _sql_lists.elements(v) if t is T.DYNAMIC else _no_list() for v, t in zip((a, b), types, strict=True)
    ]

    def filled(place: int) -> Sql:
        value, type_ = ((a, types[0]), (b, types[1]))[place]
        json = value if type_ is T.DYNAMIC else _sql_lists.known(_plain_number(value, type_))
        size = _sql_lists.size(lists[1 - place])
        repeated = _sql_lists.each(_sql_lists.places(size), lambda _: json, "r")
        return _sql.coalesce(lists[place], repeated)

    return filled(0), filled(1)


def _no_list() -> Sql:
    return _sql.cast(None, "VARCHAR[]")


def _plain_number(value: Sql, type_: ScalarType) -> Sql:
    # A decimal is no number of a series, as in the first lowering.
    return _sql.cast(None, "VARCHAR") if type_ is T.DECIMAL else _sql_cast.json_text(value, type_)


# ---- what is made of elements -------------------------------------------------------------------


def whole_or_real(operator: str) -> Pair:
    """Sums, differences, products: whole of whole numbers."""

    def build(a: Sql, b: Sql) -> Sql:
        whole = _sql.all_of(_sql_lists.is_whole(a), _sql_lists.is_whole(b))
        exact = _sql.op(operator, _sql.try_cast(a, "HUGEINT"), _sql.try_cast(b, "HUGEINT"))
        found = _written(_sql.op(operator, number(a), number(b)))
        return _sql.case((whole, _sql.cast(exact, "VARCHAR")), otherwise=found)

    return build


def compared(operator: str) -> Pair:
    """`true` or `false`; NaN is neither less nor more than anything, nor equal to itself."""

    def build(a: Sql, b: Sql) -> Sql:
        def made(x: Sql, y: Sql) -> Sql:
            odd = _sql.any_of(_sql.func("isnan", x), _sql.func("isnan", y))
            return _sql.case((odd, operator == "<>"), otherwise=_sql.op(operator, x, y))

        return _sql.cast(_of_numbers(a, b, made), "VARCHAR")

    return build


def divided(a: Sql, b: Sql) -> Sql:
    """A quotient of reals; over zero infinite, with the sign of what is divided, or NaN."""

    def made(x: Sql, y: Sql) -> Sql:
        none = _sql.any_of(_sql.op("=", x, 0.0), _sql.func("isnan", x))
        over = _sql.case((none, math.nan), (_sql.op(">", x, 0.0), math.inf), otherwise=-math.inf)
        return _sql.case((_sql.op("=", y, 0.0), over), otherwise=_sql.op("/", x, y))

    return _written(_of_numbers(a, b, made))


def power(a: Sql, b: Sql) -> Sql:
    """A power; what is not real is NaN, what is too large is infinite."""

    def made(x: Sql, y: Sql) -> Sql:
        found = _sql.func("pow", x, y)
        finite = _sql.all_of(_sql.func("isfinite", x), _sql.func("isfinite", y), _sql.func("isinf", found))
        pole = _sql.all_of(_sql.op("=", x, 0.0), _sql.op("<", y, 0.0), _sql.func("isfinite", y))
        return _sql.case((pole, math.nan), (finite, math.inf), otherwise=found)

    return _written(_of_numbers(a, b, made))


def absolute(json: Sql) -> Sql:
    size = _sql.cast(_sql.func("abs", _sql.try_cast(json, "HUGEINT")), "VARCHAR")
    return _sql.case((_sql_lists.is_whole(json), size), otherwise=_written(_sql.func("abs", number(json))))


def sign(json: Sql) -> Sql:
    value = number(json)
    found = _sql.case((_sql.func("isnan", value), 0), (_sql.op(">", value, 0.0), 1), (_sql.op("<", value, 0.0), -1), otherwise=0)  # fmt: skip
    return _sql.cast(found, "VARCHAR")


def real(function: str) -> Single:
    """A function of reals."""
    return lambda json: _written(_sql.func(function, number(json)))


# ---- sums ---------------------------------------------------------------------------------------


def total(values: Sql) -> Sql:
    return _sql.coalesce(_sql.plain_func("list_sum", values), 0.0)


def total_if_full(values: Sql) -> Sql:
    return _sql.case((full(values), total(values)))


def product(values: Sql) -> Sql:
    return _sql.coalesce(_sql.plain_func("list_product", values), 1.0)


def magnitude(values: Sql) -> Sql:
    return _sql.func("sqrt", total(_sql_lists.each(values, lambda v: _sql.op("*", v, v), "q")))


def products(x: Sql, y: Sql) -> Sql:
    """The products of two lists of JSON texts; null where one is no number or missing."""

    def listed(x: Sql, y: Sql) -> Sql:
        def one(place: Sql) -> Sql:
            return _sql.op("*", number(_sql_lists.at(x, place)), number(_sql_lists.at(y, place)))

        longest = _sql.func("greatest", _sql_lists.size(x), _sql_lists.size(y))
        return _sql_lists.each(_sql_lists.places(longest), one, "i")

    found = _sql_lists.bound(x, lambda x: _sql_lists.bound(y, lambda y: listed(x, y), "y"), "x")
    return _sql.known(found, x, y)
