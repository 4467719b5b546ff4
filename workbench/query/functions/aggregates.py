"""Aggregates: counts, sums, extremes, and rows picked by an extreme."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import polars as pl

from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.functions import _sql, _sql_aggregates, _sql_cast
from workbench.query.functions._card import (
    ANY,
    BOOL,
    DECIMAL,
    DYNAMIC,
    INT,
    LONG,
    NUMBER,
    REAL,
    TIMESPAN,
    Naming,
    Overloads,
    Param,
    aggregate,
    opt,
    rep,
    same,
)
from workbench.query.functions.forms import DECIMAL_TYPE, canonical
from workbench.query.lowering import Form, SqlValue, Value
from workbench.query.plan import Aggregate, Expr, Rel

_SUMS: Overloads = [
    ([INT], LONG),
    ([LONG], LONG),
    ([REAL], REAL),
    ([DECIMAL], DECIMAL),
    ([TIMESPAN], TIMESPAN),
]
_ORDERED = Param(frozenset(ScalarType) - {DYNAMIC})


def _added(values: Sequence[Value], node: Aggregate) -> list[Value]:
    """The merge of counts and sums: partial ones added up."""
    return [replace(v, expr=v.expr.sum()) for v in values]


def _total(value: pl.Expr, type_: ScalarType) -> pl.Expr:
    return (value.cast(pl.Int64) if type_ is INT else value).sum()


def _counted(rows: pl.Expr) -> Value:
    return Value(rows.cast(pl.Int64), LONG)


@aggregate("count", overloads=[([], LONG), ([ANY], LONG)])
class Count:
    """Number of rows, nulls too."""

    @staticmethod
    def polars(*args: pl.Expr) -> pl.Expr:
        return pl.len().cast(pl.Int64)

    @staticmethod
    def partial(values: Sequence[Value], node: Aggregate) -> list[Value]:
        return [_counted(pl.len())]

    merge = staticmethod(_added)

    @staticmethod
    def sql(*args: _sql.Sql) -> _sql.Sql:
        return _sql.func("count", _sql.star())


@aggregate("countif", [BOOL], LONG)
class CountIf:
    """Number of rows for which the condition is true."""

    @staticmethod
    def polars(condition: pl.Expr) -> pl.Expr:
        return condition.sum().cast(pl.Int64)

    @staticmethod
    def partial(values: Sequence[Value], node: Aggregate) -> list[Value]:
        return [_counted(canonical(values[0]).sum())]

    merge = staticmethod(_added)

    @staticmethod
    def sql(condition: _sql.Sql) -> _sql.Sql:
        return _sql.where(_sql.func("count", _sql.star()), condition)


@aggregate("sum", overloads=_SUMS)
class Sum:
    """Sum; 0 of nothing."""

    @staticmethod
    def polars(value: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        return _total(value, types[0])

    @staticmethod
    def partial(values: Sequence[Value], node: Aggregate) -> list[Value]:
        return [Value(_total(canonical(values[0]), values[0].type), node.columns[0].type)]

    merge = staticmethod(_added)

    @staticmethod
    def sql(value: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        return _sql_aggregates.total(value, types[0])


@aggregate("sumif", overloads=[([*p, BOOL], r) for p, r in _SUMS])
class SumIf:
    """Sum over the rows for which the condition is true."""

    @staticmethod
    def polars(value: pl.Expr, condition: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        return Sum.polars(value.filter(condition), types)

    @staticmethod
    def partial(values: Sequence[Value], node: Aggregate) -> list[Value]:
        chosen = canonical(values[0]).filter(canonical(values[1]))
        return [Value(_total(chosen, values[0].type), node.columns[0].type)]

    merge = staticmethod(_added)

    @staticmethod
    def sql(value: _sql.Sql, condition: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        return _sql_aggregates.total(value, types[0], condition)


_MEANS: Overloads = [
    ([INT], REAL), ([LONG], REAL), ([REAL], REAL), ([DECIMAL], DECIMAL), ([TIMESPAN], TIMESPAN),
    ([ScalarType.DATETIME], ScalarType.DATETIME),
]  # fmt: skip


def _sum_and_count(value: pl.Expr, type_: ScalarType) -> list[Value] | None:
    """The parts of a mean; times and decimals are not split, their means are exact in one go only."""
    if type_.is_time or type_ is DECIMAL:
        return None
    return [Value(value.cast(pl.Float64).sum(), REAL), _counted(value.count())]


def _quotient(values: Sequence[Value], node: Aggregate) -> list[Value]:
    return [Value(values[0].expr / values[1].expr, REAL)]


@aggregate("avg", overloads=_MEANS)
class Avg:
    """Mean without nulls; NaN of nothing."""

    @staticmethod
    def polars(value: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        if types[0].is_time:
            return value.mean().cast(pl.Int64)
        if types[0] is DECIMAL:
            return value.mean().cast(DECIMAL_TYPE)
        return value.mean().fill_null(float("nan"))

    @staticmethod
    def partial(values: Sequence[Value], node: Aggregate) -> list[Value] | None:
        return _sum_and_count(canonical(values[0]), values[0].type)

    merge = staticmethod(_added)
    finish = staticmethod(_quotient)

    @staticmethod
    def sql(value: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        return _sql_aggregates.mean(value, types[0])


@aggregate("avgif", overloads=[([*p, BOOL], r) for p, r in _MEANS])
class AvgIf:
    """Mean over the rows for which the condition is true."""

    @staticmethod
    def polars(value: pl.Expr, condition: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        return Avg.polars(value.filter(condition), types)

    @staticmethod
    def partial(values: Sequence[Value], node: Aggregate) -> list[Value] | None:
        return _sum_and_count(canonical(values[0]).filter(canonical(values[1])), values[0].type)

    merge = staticmethod(_added)
    finish = staticmethod(_quotient)

    @staticmethod
    def sql(value: _sql.Sql, condition: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        return _sql_aggregates.mean(value, types[0], condition)


def _extreme(name: str, doc: str) -> None:
    largest = name.startswith("max")

    def pick(value: Value) -> Value:
        if value.form is Form.MICROSECONDS:
            return Value(value.expr.max() if largest else value.expr.min(), value.type, value.form)
        expr = canonical(value)
        if value.type is REAL:
            return Value(expr.nan_max() if largest else expr.nan_min(), value.type)
        return Value(expr.max() if largest else expr.min(), value.type)

    def merged(values: Sequence[Value], node: Aggregate) -> list[Value]:
        return [pick(values[0])]

    if name.endswith("if"):

        @aggregate(name, [_ORDERED, BOOL], same)
        class _ExtremeIf:
            @staticmethod
            def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
                return pick(replace(values[0], expr=values[0].expr.filter(canonical(values[1]))))

            @staticmethod
            def partial(values: list[Value], node: Aggregate) -> list[Value]:
                return [_ExtremeIf.lower(values, node.args, node.columns[0].type)]

            merge = staticmethod(merged)

            @staticmethod
            def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
                return _sql_aggregates.extreme(values[0], largest, _sql_cast.canonical(values[1]))

        _ExtremeIf.__doc__ = doc
    else:

        @aggregate(name, [_ORDERED], same)
        class _Extreme:
            @staticmethod
            def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
                return pick(values[0])

            partial = staticmethod(merged)
            merge = staticmethod(merged)

            @staticmethod
            def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
                return _sql_aggregates.extreme(values[0], largest)

        _Extreme.__doc__ = doc


_extreme("max", "Largest value that is not null.")
_extreme("min", "Smallest value that is not null.")
_extreme("maxif", "Largest value over the rows for which the condition is true.")
_extreme("minif", "Smallest value over the rows for which the condition is true.")

# ---- distinct values ------------------------------------------------------------------------


def _distinct(value: pl.Expr) -> pl.Expr:
    return value.drop_nulls().n_unique().cast(pl.Int64)


@aggregate("dcount", [ANY, opt(NUMBER)], LONG)
class DCount:
    """Number of different values; exact here."""

    @staticmethod
    def polars(value: pl.Expr, accuracy: pl.Expr | None = None) -> pl.Expr:
        return _distinct(value)

    @staticmethod
    def distinct(values: Sequence[Value], node: Aggregate) -> pl.Expr:
        return canonical(values[0])

    @staticmethod
    def sql(value: _sql.Sql, accuracy: _sql.Sql | None = None) -> _sql.Sql:
        return _sql_aggregates.different([value])


@aggregate("dcountif", [ANY, BOOL, opt(NUMBER)], LONG)
class DCountIf:
    """Number of different values where the condition is true; exact here."""

    @staticmethod
    def polars(value: pl.Expr, condition: pl.Expr, accuracy: pl.Expr | None = None) -> pl.Expr:
        return _distinct(value.filter(condition))

    @staticmethod
    def distinct(values: Sequence[Value], node: Aggregate) -> pl.Expr:
        return pl.when(canonical(values[1])).then(canonical(values[0]))

    @staticmethod
    def sql(value: _sql.Sql, condition: _sql.Sql, accuracy: _sql.Sql | None = None) -> _sql.Sql:
        return _sql_aggregates.different([value], condition)


@aggregate("count_distinct", [ANY, rep(ANY, least=0)], LONG)
class CountDistinct:
    """Number of different combinations of values."""

    @staticmethod
    def polars(*values: pl.Expr) -> pl.Expr:
        if len(values) == 1:
            return _distinct(values[0])
        packed = pl.struct(v.alias(f"v{i}") for i, v in enumerate(values))
        return packed.n_unique().cast(pl.Int64)

    @staticmethod
    def distinct(values: Sequence[Value], node: Aggregate) -> pl.Expr:
        if len(values) == 1:
            return canonical(values[0])
        return pl.struct(canonical(v).alias(f"v{i}") for i, v in enumerate(values))

    @staticmethod
    def sql(*values: _sql.Sql) -> _sql.Sql:
        return _sql_aggregates.different(values)


@aggregate("count_distinctif", [ANY, BOOL], LONG)
class CountDistinctIf:
    """Number of different values where the condition is true."""

    @staticmethod
    def polars(value: pl.Expr, condition: pl.Expr) -> pl.Expr:
        return _distinct(value.filter(condition))

    @staticmethod
    def distinct(values: Sequence[Value], node: Aggregate) -> pl.Expr:
        return pl.when(canonical(values[1])).then(canonical(values[0]))

    @staticmethod
    def sql(value: _sql.Sql, condition: _sql.Sql) -> _sql.Sql:
        return _sql_aggregates.different([value], condition)


# ---- rows -----------------------------------------------------------------------------------


def _with_star(
    arguments: Sequence[syntax.Expression], row: Rel, first: int, keys: Collection[str]
) -> list[syntax.Expression]:
    """Arguments with `*` spelled out as the columns that are not there yet."""
    out: list[syntax.Expression] = list(arguments[:first])
    named = {a.name for a in arguments if isinstance(a, syntax.Name)}
    for argument in arguments[first:]:
        if isinstance(argument, syntax.Star):
            out += [
                syntax.Name(argument.span, c.name, quoted=True)
                for c in row.schema
                if not c.hidden and c.name not in named and c.name not in keys
            ]
        else:
            out.append(argument)
    return out


def _extreme_row(name: str, doc: str, aliases: Sequence[str]) -> None:
    largest = name == "arg_max"

    @aggregate(name, [ANY, rep(ANY, least=0)], same, aliases=aliases, prefix="max" if largest else "min")
    class _ExtremeRow:
        @staticmethod
        def arguments(
            arguments: Sequence[syntax.Expression], row: Rel, keys: Collection[str]
        ) -> list[syntax.Expression]:
            return _with_star(arguments, row, 1, keys)

        @staticmethod
        def columns(
            args: Sequence[Expr], names: Sequence[str], node: syntax.Call, returns: ScalarType
        ) -> list[Column]:
            first = names[0] or f"{'max' if largest else 'min'}_"
            made = [Column(first, args[0].type)]
            for i, (arg, own) in enumerate(zip(args[1:], names[1:], strict=True)):
                made.append(Column(own or f"Column{i + 1}", arg.type))
            return made

        @staticmethod
        def many(values: Sequence[Value], node: Aggregate) -> list[Value]:
            key = values[0].expr if values[0].form is Form.MICROSECONDS else canonical(values[0])
            at = key.arg_max() if largest else key.arg_min()
            if values[0].type is REAL:
                nan = key.is_nan()
                at = pl.when(nan.any()).then(nan.arg_max()).otherwise(at)
            # Where every key is null any row will do.
            at = at.fill_null(0)
            return [replace(v, expr=v.expr.get(at, null_on_oob=True)) for v in values]

        @staticmethod
        def sql_many(values: Sequence[SqlValue], node: Aggregate) -> list[SqlValue]:
            return _sql_aggregates.row_at(values, largest)

        partial = many
        merge = many

    _ExtremeRow.__doc__ = doc


_extreme_row(
    "arg_max",
    "The row in which the first argument is largest, or NaN: it and the other arguments.",
    ("argmax",),
)
_extreme_row(
    "arg_min",
    "The row in which the first argument is smallest, or NaN: it and the other arguments.",
    ("argmin",),
)


@aggregate(
    "take_any", [ANY, rep(ANY, least=0)], same, aliases=("any",), prefix="any", naming=Naming.FIRST_ARGUMENT
)
class TakeAny:
    """The values of one row, whichever it is."""

    @staticmethod
    def arguments(
        arguments: Sequence[syntax.Expression], row: Rel, keys: Collection[str]
    ) -> list[syntax.Expression]:
        return _with_star(arguments, row, 0, keys)

    @staticmethod
    def columns(
        args: Sequence[Expr], names: Sequence[str], node: syntax.Call, returns: ScalarType
    ) -> list[Column]:
        old = node.name == "any"
        made = []
        for i, (arg, own) in enumerate(zip(args, names, strict=True)):
            name = f"any_{own}" if old else own or f"any_{i or ''}"
            made.append(Column(name, arg.type))
        return made

    @staticmethod
    def many(values: Sequence[Value], node: Aggregate) -> list[Value]:
        if len(values) == 1:
            return [replace(values[0], expr=_first_known(values[0]))]
        return [replace(v, expr=v.expr.first()) for v in values]

    @staticmethod
    def sql_many(values: Sequence[SqlValue], node: Aggregate) -> list[SqlValue]:
        if len(values) == 1:
            return [_sql_aggregates.some_value(values[0])]
        return _sql_aggregates.some_row(values)

    partial = many
    merge = many


def _first_known(value: Value) -> pl.Expr:
    """A value that is not null where there is one."""
    return value.expr.drop_nulls().first()


@aggregate("anyif", [ANY, BOOL], same, source="Kusto reference: take_anyif()")
@aggregate("take_anyif", [ANY, BOOL], same, naming=Naming.FIRST_ARGUMENT)
class TakeAnyIf:
    """A value of a row for which the condition is true."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        return replace(values[0], expr=values[0].expr.filter(canonical(values[1])).first())

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        return _sql_aggregates.some_row(values[:1], _sql_cast.canonical(values[1]))[0]

    @staticmethod
    def partial(values: list[Value], node: Aggregate) -> list[Value]:
        return [TakeAnyIf.lower(values, node.args, node.columns[0].type)]

    @staticmethod
    def merge(values: Sequence[Value], node: Aggregate) -> list[Value]:
        return [replace(values[0], expr=_first_known(values[0]))]
