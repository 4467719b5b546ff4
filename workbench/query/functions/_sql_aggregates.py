"""Aggregating SQL trees that several cards share: totals, means, extremes, rows picked, spreads, ranks, lists.

Every function takes an optional condition: then only the rows count for which it is true.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql, _sql_cast, _sql_lists, _unsayable
from workbench.query.lowering import Form, SqlValue

if TYPE_CHECKING:
    from workbench.query.functions._sql import Sql

T = ScalarType


def chosen(aggregate: Sql, condition: Sql | None) -> Sql:
    """The aggregate over the rows that the condition lets through; all of them without one."""
    return aggregate if condition is None else _sql.where(aggregate, condition)


def total(value: Sql, type_: ScalarType, condition: Sql | None = None) -> Sql:
    """The sum, 0 of nothing; of whole numbers it wraps."""
    found = _sql.coalesce(chosen(_sql.func("sum", value), condition), 0)
    if type_ is T.REAL:
        return found
    if type_ is T.DECIMAL:
        return _sql.cast(found, _sql_cast.SQL_TYPES[type_])
    return _sql.wrap(found, found)


def mean(value: Sql, type_: ScalarType, condition: Sql | None = None) -> Sql:
    """The mean without nulls; NaN of nothing, null for times."""
    if type_ is T.DECIMAL:
        raise _sql.Unsayable(_unsayable.DECIMALS)
    if not type_.is_time:
        return _sql.coalesce(chosen(_sql.func("avg", value), condition), math.nan)
    number = _sql.nonzero(chosen(_sql.func("count", value), condition))
    return _sql.cast(_sql.op("//", chosen(_sql.func("sum", value), condition), number), "BIGINT")


def extreme(value: SqlValue, largest: bool, condition: Sql | None = None) -> SqlValue:
    """The largest or smallest value that is not null; NaN where there is one."""
    if value.form is not Form.MICROSECONDS:
        value = SqlValue(_sql_cast.canonical(value), value.type, nullable(value.type))
    found = chosen(_sql.func("max" if largest else "min", value.expr), condition)
    if value.type is T.REAL and not largest:
        # NaN is above all numbers for DuckDB.
        nan = chosen(_sql.func("bool_or", _sql.func("isnan", value.expr)), condition)
        found = _sql.case((nan, math.nan), otherwise=found)
    return replace(value, expr=found)


def nullable(type_: ScalarType) -> Form:
    """The form of an aggregate that is null where no row counts."""
    return Form.NULLABLE if type_ is T.STRING else Form.CANONICAL


def held(value: SqlValue) -> SqlValue:
    """A value as a row holds it: text that may be null again, parsed dynamic."""
    if value.form is Form.RAW or value.type is T.STRING:
        return SqlValue(_sql_cast.canonical(value), value.type, nullable(value.type))
    return value


def row_at(values: Sequence[SqlValue], largest: bool) -> list[SqlValue]:
    """The values of the row in which the first one is largest, or NaN; of any row where all are null."""
    key = values[0].expr if values[0].form is Form.MICROSECONDS else _sql_cast.canonical(values[0])
    kept = [held(v) for v in values]
    row = _sql.plain_func("row", *(v.expr for v in kept))
    at = _sql.in_order(_sql.plain_func("arg_max" if largest else "arg_min", row, key))
    if values[0].type is T.REAL and not largest:
        # NaN is above all numbers for DuckDB.
        nan = _sql.where(_sql.in_order(_sql.plain_func("first", row)), _sql.func("isnan", key))
        at = _sql.coalesce(nan, at)
    any_row = _sql.in_order(_sql.plain_func("first", row))
    return [
        replace(v, expr=_sql.plain_func("struct_extract", _sql.coalesce(at, any_row), i + 1))
        for i, v in enumerate(kept)
    ]


def some_row(values: Sequence[SqlValue], condition: Sql | None = None) -> list[SqlValue]:
    """The values of one row, whichever (the first where rows have an order)."""
    kept = [held(v) for v in values]
    row = _sql.plain_func("row", *(v.expr for v in kept))
    first = chosen(_sql.in_order(_sql.plain_func("first", row)), condition)
    return [replace(v, expr=_sql.plain_func("struct_extract", first, i + 1)) for i, v in enumerate(kept)]


def some_value(value: SqlValue) -> SqlValue:
    """A value that is not null, where there is one."""
    kept = replace(value, form=Form.NULLABLE) if value.type is T.STRING else held(value)
    return replace(kept, expr=_sql.in_order(_sql.plain_func("any_value", kept.expr)))


def different(values: Sequence[Sql], condition: Sql | None = None) -> Sql:
    """How many different values there are, nulls left out (of several columns they count)."""
    value = values[0] if len(values) == 1 else _sql.plain_func("row", *values)
    return chosen(_sql.func("count", _sql.distinct(value)), condition)


def spread(value: Sql, sample: bool, root: bool, condition: Sql | None = None) -> Sql:
    """Variance or its root; 0 of one value or none."""
    count = chosen(_sql.func("count", value), condition)
    # DuckDB refuses what is no number.
    finite = chosen(_sql.func("bool_and", _sql.func("isfinite", value)), condition)
    kept = _sql.case((_sql.func("isfinite", value), value))
    found = chosen(_sql.plain_func("var_samp" if sample else "var_pop", kept), condition)
    found = _sql.func("sqrt", found) if root else found
    return _sql.case(
        (_sql.all_of(_sql.op(">", count, 1), finite), found),
        (_sql.op("<=", count, 1), 0.0),
        otherwise=math.nan,
    )


def covariance(a: Sql, b: Sql, sample: bool, condition: Sql | None = None) -> Sql:
    """Covariance of the rows that have both values; 0 of one, NaN of none."""
    finite = _sql.all_of(_sql.func("isfinite", a), _sql.func("isfinite", b))
    count = chosen(_sql.func("count", _sql.op("+", a, b)), condition)
    all_finite = chosen(_sql.func("bool_and", finite), condition)
    kept = _sql.case((finite, a))
    found = chosen(_sql.plain_func("covar_samp" if sample else "covar_pop", kept, b), condition)
    return _sql.case(
        (_sql.all_of(_sql.op(">", count, 1), all_finite), found),
        (_sql.op("=", count, 1), 0.0),
        otherwise=math.nan,
    )


def at_rank(value: SqlValue, percent: float) -> SqlValue:
    """The smallest value that at least so many percent of the values do not exceed."""
    if value.form is not Form.MICROSECONDS:
        value = SqlValue(_sql_cast.canonical(value), value.type, nullable(value.type))
    known = _sql.not_null(value.expr)
    if value.type is T.REAL:
        known = _sql.all_of(known, _sql.negated(_sql.func("isnan", value.expr)))
    listed = _sql.plain_func("list_sort", _sql.where(_sql.plain_func("list", value.expr), known))
    count = _sql.where(_sql.func("count", _sql.star()), known)
    place = _sql.plain_func("ceil", _sql.plain_func("round", _sql.op("*", count, percent / 100), 9))
    index = _sql.func("greatest", _sql.cast(place, "BIGINT"), 1)
    return replace(value, expr=_sql.plain_func("list_extract", listed, index))


def at_weight(value: SqlValue, weight: Sql, percent: float) -> SqlValue:
    """The value at a share of the total weight, by the sums along the sorted values."""
    if value.form is not Form.MICROSECONDS:
        value = SqlValue(_sql_cast.canonical(value), value.type, nullable(value.type))
    kept = _sql.all_of(_sql.not_null(value.expr), _sql.op(">", weight, 0))
    pairs = _sql.where(_sql.plain_func("list", _sql.plain_func("row", value.expr, weight)), kept)
    total = _sql.where(_sql.func("sum", weight), kept)
    wanted = _sql.plain_func("round", _sql.op("*", _sql.cast(total, "DOUBLE"), percent / 100), 9)

    def step(so_far: Sql, one: Sql) -> Sql:
        reached = _sql.op("+", _sql_lists.field(so_far, 1), _sql_lists.field(one, 1))
        below = _sql.case((_sql.op("<", reached, wanted), 1), otherwise=0)
        return _sql.plain_func("row", reached, _sql.op("+", _sql_lists.field(so_far, 2), below))

    def parts(one: Sql) -> Sql:
        return _sql.plain_func("row", _sql.cast(_sql_lists.field(one, 2), "HUGEINT"), _sql.cast(0, "HUGEINT"))

    def picked(pairs: Sql) -> Sql:
        start = _sql.plain_func("row", _sql.cast(0, "HUGEINT"), _sql.cast(0, "HUGEINT"))
        sums = _sql_lists.folded(_sql_lists.each(pairs, parts, "w"), start, step)
        place = _sql.op("+", _sql.cast(_sql_lists.field(sums, 2), "BIGINT"), 1)
        return _sql_lists.field(_sql_lists.at(pairs, place), 1)

    # Equal values may stand in any order: the sums behind the last of them are the same.
    return replace(value, expr=_sql_lists.bound(_sql.plain_func("list_sort", pairs), picked, "b"))


def listed(values: Sql, condition: Sql | None) -> Sql:
    """The values that are not null in a list, null without any."""
    known = _sql.not_null(values)
    condition = known if condition is None else _sql.all_of(condition, known)
    return _sql.where(_sql.in_order(_sql.plain_func("list", values)), condition)


def json_array(pieces: Sql, condition: Sql | None, most: int | None) -> Sql:
    """The pieces of JSON text that are not null in an array, the first `most` of them."""
    found = listed(pieces, condition)
    if most is not None:
        found = _sql.plain_func("list_slice", found, 1, most)
    joined = _sql.coalesce(_sql.plain_func("array_to_string", found, ","), "")
    return _sql.concat("[", joined, "]")
