"""Statistical aggregates: spread, covariance, percentiles.

A percentile is the value at the nearest rank: the smallest one that at least so many percent of the values do not
exceed. All values count, there is no sketch behind it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.functions import _sql, _sql_aggregates, _sql_cast, _sql_lists
from workbench.query.functions._card import (
    ANY,
    BOOL,
    DECIMAL,
    DYNAMIC,
    INT,
    LONG,
    NUMBER,
    REAL,
    Naming,
    Param,
    aggregate,
    const,
    rep,
    same,
)
from workbench.query.functions.forms import canonical, converted
from workbench.query.lowering import Form, SqlValue, Value
from workbench.query.plan import Aggregate, Const, Expr


def _variance(value: pl.Expr, sample: bool) -> pl.Expr:
    """Of one value and of none 0."""
    known = value.drop_nulls()
    return pl.when(known.len() > 1).then(known.var(ddof=1 if sample else 0)).otherwise(0.0)


def _moments(value: pl.Expr) -> list[Value]:
    """The parts of a variance: count, mean, sum of squared distances from it."""
    known = value.drop_nulls()
    count = known.len().cast(pl.Float64)
    return [
        Value(e, REAL)
        for e in (count, known.mean().fill_null(0.0), (known.var(ddof=0) * count).fill_null(0.0))
    ]


def _merged_moments(values: Sequence[Value], node: Aggregate) -> list[Value]:
    count, mean, squares = (v.expr for v in values)
    total = count.sum()
    middle = pl.when(total > 0).then((count * mean).sum() / total).otherwise(0.0)
    return [Value(e, REAL) for e in (total, middle, squares.sum() + (count * (mean - middle) ** 2).sum())]


def _spread(name: str, *, sample: bool, root: bool) -> None:
    what = "Standard deviation" if root else "Variance"
    of = "of a sample" if sample else "of a whole population"

    def compute(value: pl.Expr) -> pl.Expr:
        variance = _variance(value, sample)
        return variance.sqrt() if root else variance

    def finished(values: Sequence[Value], node: Aggregate) -> list[Value]:
        count, _, squares = (v.expr for v in values)
        found = pl.when(count > 1).then(squares / (count - 1 if sample else count)).otherwise(0.0)
        return [Value(found.sqrt() if root else found, REAL)]

    @aggregate(name, [REAL], REAL)
    class _Spread:
        @staticmethod
        def polars(value: pl.Expr) -> pl.Expr:
            return compute(value)

        @staticmethod
        def partial(values: Sequence[Value], node: Aggregate) -> list[Value]:
            return _moments(canonical(values[0]))

        merge = staticmethod(_merged_moments)
        finish = staticmethod(finished)

        @staticmethod
        def sql(value: _sql.Sql) -> _sql.Sql:
            return _sql_aggregates.spread(value, sample, root)

    _Spread.__doc__ = f"{what} {of}; 0 of one value or none."

    @aggregate(f"{name}if", [REAL, BOOL], REAL)
    class _SpreadIf:
        @staticmethod
        def polars(value: pl.Expr, condition: pl.Expr) -> pl.Expr:
            return compute(value.filter(condition))

        @staticmethod
        def partial(values: Sequence[Value], node: Aggregate) -> list[Value]:
            return _moments(canonical(values[0]).filter(canonical(values[1])))

        merge = staticmethod(_merged_moments)
        finish = staticmethod(finished)

        @staticmethod
        def sql(value: _sql.Sql, condition: _sql.Sql) -> _sql.Sql:
            return _sql_aggregates.spread(value, sample, root, condition)

    _SpreadIf.__doc__ = f"{what} {of} over the rows for which the condition is true."


for _name, _sample in (("", True), ("p", False)):
    _spread(f"stdev{_name}", sample=_sample, root=True)
    _spread(f"variance{_name}", sample=_sample, root=False)


def _covariance(name: str, *, sample: bool, conditional: bool) -> None:
    @aggregate(name, [REAL, REAL, BOOL] if conditional else [REAL, REAL], REAL)
    class _Covariance:
        @staticmethod
        def columns(args: Sequence[Expr], names: Sequence[str], node: syntax.Call, returns: ScalarType) -> list[Column]:  # fmt: skip
            return [Column("_".join([name, *names[:2]]), returns)]

        @staticmethod
        def polars(a: pl.Expr, b: pl.Expr, condition: pl.Expr | None = None) -> pl.Expr:
            kept = a.is_not_null() & b.is_not_null()
            if condition is not None:
                kept = kept & condition
            x, y = a.filter(kept), b.filter(kept)
            count = kept.sum()
            # The mean is taken off first: sums of products of large numbers lose what is sought.
            total = ((x - x.mean()) * (y - y.mean())).sum()
            found = total / (count - 1 if sample else count)
            return pl.when(count > 1).then(found).when(count == 1).then(0.0).otherwise(math.nan)

        @staticmethod
        def sql(a: _sql.Sql, b: _sql.Sql, condition: _sql.Sql | None = None) -> _sql.Sql:
            return _sql_aggregates.covariance(a, b, sample, condition)

    over = " over the rows for which the condition is true" if conditional else ""
    _Covariance.__doc__ = f"Covariance {'of a sample' if sample else 'of a whole population'}{over}."


for _name, _sample in (("covariance", True), ("covariancep", False)):
    _covariance(_name, sample=_sample, conditional=False)
    _covariance(f"{_name}if", sample=_sample, conditional=True)


# ---- percentiles ----------------------------------------------------------------------------


def _label(percent: Any) -> str:
    """A percentile in a column's name: `95`, `99_9`."""
    number = float(percent)
    text = str(int(number)) if number == int(number) else repr(number)
    return re.sub(r"\W", "_", text)


def _returned(type_: ScalarType) -> ScalarType:
    return {INT: LONG, DECIMAL: REAL}.get(type_, type_)


def _percents(args: Sequence[Expr]) -> list[float]:
    """The constants at the end of a call, or the list that is its last argument."""
    found: list[float] = []
    for arg in args:
        assert isinstance(arg, Const)  # the binder demands it
        listed = arg.value if isinstance(arg.value, list) else [arg.value]
        if not listed or not all(isinstance(v, int | float) for v in listed):
            raise diagnostics.bad_argument("percentiles", "the percentages are numbers", arg.span)
        found += [float(v) for v in listed]
    return found


def _ranked(value: Value) -> Value:
    """The values that count, in a form that sorts as it should."""
    if value.form is not Form.MICROSECONDS:
        value = Value(canonical(value), value.type)
    if value.type in (INT, DECIMAL):
        value = converted(value, _returned(value.type))
    known = value.expr.drop_nulls()
    return replace(value, expr=known.drop_nans() if value.type is REAL else known)


def _at_rank(value: Value, percent: float) -> Value:
    known = value.expr
    place = (known.len() * (percent / 100)).round(9).ceil().cast(pl.Int64) - 1
    return replace(value, expr=known.sort().get(place.clip(0), null_on_oob=True))


def _weighted(value: Value, weight: Value, percent: float) -> Value:
    """The value at a share of the total weight."""
    kept = value.expr.is_not_null() & (canonical(weight) > 0)
    known, weights = value.expr.filter(kept), canonical(weight).filter(kept)
    sums = weights.sort_by(known).cum_sum()
    wanted = (sums.last() * (percent / 100)).round(9)
    place = (sums < wanted).sum()
    return replace(value, expr=known.sort().get(place, null_on_oob=True))


def _sql_ranked(value: SqlValue, weight: SqlValue | None, percents: Sequence[float]) -> list[SqlValue]:
    if weight is None:
        return [_sql_aggregates.at_rank(value, p) for p in percents]
    return [_sql_aggregates.at_weight(value, _sql_cast.canonical(weight), p) for p in percents]


def _percentile(name: str, *, weighted: bool, several: bool) -> None:
    first = 2 if weighted else 1
    share = const(NUMBER)
    params = [ANY, LONG] if weighted else [ANY]

    @aggregate(name, [*params, rep(share) if several else share], same, naming=Naming.NONE)
    class _Percentile:
        @staticmethod
        def columns(args: Sequence[Expr], names: Sequence[str], node: syntax.Call, returns: ScalarType) -> list[Column]:  # fmt: skip
            type_ = _returned(args[0].type)
            return [Column(f"percentile_{names[0]}_{_label(p)}", type_) for p in _percents(args[first:])]

        @staticmethod
        def many(values: Sequence[Value], node: Aggregate) -> list[Value]:
            if weighted:
                value = _weighable(values[0])
                return [_weighted(value, values[1], p) for p in _percents(node.args[first:])]
            return [_at_rank(_ranked(values[0]), p) for p in _percents(node.args[first:])]

        @staticmethod
        def sql_many(values: Sequence[SqlValue], node: Aggregate) -> list[SqlValue]:
            value = _sql_cast.converted(values[0], _returned(values[0].type))
            return _sql_ranked(value, values[1] if weighted else None, _percents(node.args[first:]))

    by = ", each counted as often as its weight says" if weighted else ""
    what = "The values below which" if several else "The value below which"
    _Percentile.__doc__ = f"{what} so many percent of all values lie{by}."


def _weighable(value: Value) -> Value:
    if value.type in (INT, DECIMAL):
        return converted(value, _returned(value.type))
    return value if value.form is Form.MICROSECONDS else Value(canonical(value), value.type)


def _percentiles_array(name: str, *, weighted: bool) -> None:
    first = 2 if weighted else 1
    share = const(Param(frozenset({INT, LONG, REAL, DECIMAL, DYNAMIC})))
    params = [ANY, LONG] if weighted else [ANY]

    @aggregate(name, [*params, rep(share)], DYNAMIC, prefix="percentiles")
    class _PercentilesArray:
        @staticmethod
        def many(values: Sequence[Value], node: Aggregate) -> list[Value]:
            percents = _percents(node.args[first:])
            if weighted:
                found = [_weighted(_weighable(values[0]), values[1], p) for p in percents]
            else:
                found = [_at_rank(_ranked(values[0]), p) for p in percents]
            texts = [
                canonical(converted(Value(canonical(v), v.type), DYNAMIC)).fill_null("null") for v in found
            ]
            joined = pl.concat_str(texts, separator=",")
            return [Value(pl.concat_str([pl.lit("["), joined, pl.lit("]")]), DYNAMIC)]

        @staticmethod
        def sql_many(values: Sequence[SqlValue], node: Aggregate) -> list[SqlValue]:
            value = _sql_cast.converted(values[0], _returned(values[0].type))
            found = _sql_ranked(value, values[1] if weighted else None, _percents(node.args[first:]))
            texts = [_sql_cast.json_text(_sql_cast.canonical(v), v.type) for v in found]
            return [SqlValue(_sql_lists.array(_sql_lists.listed(*map(_sql_lists.known, texts))), DYNAMIC)]

    by = ", each counted as often as its weight says" if weighted else ""
    _PercentilesArray.__doc__ = f"An array of the values below which so many percent of all values lie{by}."


_percentile("percentile", weighted=False, several=False)
_percentile("percentiles", weighted=False, several=True)
_percentile("percentilew", weighted=True, several=False)
_percentile("percentilesw", weighted=True, several=True)
_percentiles_array("percentiles_array", weighted=False)
_percentiles_array("percentilesw_array", weighted=True)
