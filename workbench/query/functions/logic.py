"""`and`, `or`, `not`, and choosing between values."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql
from workbench.query.functions._card import ANY, BOOL, STRING, common, opt, rep, scalar


@scalar("and", [BOOL, BOOL], BOOL, source="Kusto reference: logical operators")
class And:
    """Both; null and false is false."""

    @staticmethod
    def polars(a: pl.Expr, b: pl.Expr) -> pl.Expr:
        return a & b

    @staticmethod
    def sql(a: _sql.Sql, b: _sql.Sql) -> _sql.Sql:
        return _sql.all_of(a, b)


@scalar("or", [BOOL, BOOL], BOOL, source="Kusto reference: logical operators")
class Or:
    """Either; null or true is true."""

    @staticmethod
    def polars(a: pl.Expr, b: pl.Expr) -> pl.Expr:
        return a | b

    @staticmethod
    def sql(a: _sql.Sql, b: _sql.Sql) -> _sql.Sql:
        return _sql.any_of(a, b)


@scalar("not", [BOOL], BOOL)
class Not:
    """The opposite; null stays null."""

    @staticmethod
    def polars(a: pl.Expr) -> pl.Expr:
        return ~a

    @staticmethod
    def sql(a: _sql.Sql) -> _sql.Sql:
        return _sql.negated(a)


@scalar("iff", [BOOL, ANY, ANY], lambda types: types[1])
class Iff:
    """The second argument where the first is true, else (false or null) the third."""

    @staticmethod
    def unify(index: int, count: int) -> bool:
        return index > 0

    @staticmethod
    def polars(condition: pl.Expr, then: pl.Expr, otherwise: pl.Expr) -> pl.Expr:
        return pl.when(condition).then(then).otherwise(otherwise)

    @staticmethod
    def sql(condition: _sql.Sql, then: _sql.Sql, otherwise: _sql.Sql) -> _sql.Sql:
        return _sql.case((condition, then), otherwise=otherwise)


@scalar("case", [BOOL, ANY, rep(ANY)], lambda types: types[-1])
class Case:
    """The value behind the first condition that is true, else the last argument."""

    @staticmethod
    def unify(index: int, count: int) -> bool:
        return index % 2 == 1 or index == count - 1

    @staticmethod
    def polars(*args: pl.Expr) -> pl.Expr:
        result = args[-1]
        for i in range(len(args) - 3, -1, -2):
            result = pl.when(args[i]).then(args[i + 1]).otherwise(result)
        return result

    @staticmethod
    def sql(*args: _sql.Sql) -> _sql.Sql:
        return _sql.case(*zip(args[:-1:2], args[1::2], strict=False), otherwise=args[-1])


@scalar("coalesce", [ANY, rep(ANY)], common)
class Coalesce:
    """The first argument that is not null (for text: not empty)."""

    @staticmethod
    def unify(index: int, count: int) -> bool:
        return True

    @staticmethod
    def polars(*args: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        if types[0] is STRING:
            result = args[-1]
            for arg in reversed(args[:-1]):
                result = pl.when(arg != "").then(arg).otherwise(result)
            return result
        return pl.coalesce(args)

    @staticmethod
    def sql(*args: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        if types[0] is STRING:
            return _sql.case(*((_sql.op("<>", a, ""), a) for a in args[:-1]), otherwise=args[-1])
        return _sql.coalesce(*args)


def _extreme(name: str, doc: str) -> None:
    largest = name == "max_of"

    @scalar(name, [ANY, rep(ANY)], common)
    class _Extreme:
        @staticmethod
        def unify(index: int, count: int) -> bool:
            return True

        @staticmethod
        def polars(*args: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
            found = pl.max_horizontal(args) if largest else pl.min_horizontal(args)
            if types[0] is not ScalarType.REAL:
                return found
            return pl.when(pl.any_horizontal(a.is_nan() for a in args)).then(math.nan).otherwise(found)

        @staticmethod
        def sql(*args: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
            if types[0] is ScalarType.BOOL:
                # DuckDB compares truth values as numbers only when it is told to.
                return _sql.any_of(*args) if largest else _sql.all_of(*args)
            found = _sql.func("greatest" if largest else "least", *args)
            if types[0] is not ScalarType.REAL:
                return found
            nan = _sql.any_of(*(_sql.coalesce(_sql.func("isnan", a), False) for a in args))
            return _sql.case((nan, math.nan), otherwise=found)

    _Extreme.__doc__ = doc


_extreme("max_of", "The largest argument that is not null; NaN where there is one.")
_extreme("min_of", "The smallest argument that is not null; NaN where there is one.")


@scalar("isnull", [ANY], BOOL)
class IsNull:
    """Whether the value is null; text never is."""

    @staticmethod
    def polars(value: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        return value.is_null() & pl.lit(types[0] is not STRING)

    @staticmethod
    def sql(value: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        return _sql.lit(False) if types[0] is STRING else _sql.is_null(value)


@scalar("isnotnull", [ANY], BOOL, aliases=("notnull",))
class IsNotNull:
    """Whether the value is not null; text never is null."""

    @staticmethod
    def polars(value: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        return value.is_not_null() | pl.lit(types[0] is STRING)

    @staticmethod
    def sql(value: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        return _sql.lit(True) if types[0] is STRING else _sql.not_null(value)


@scalar("isempty", [ANY], BOOL)
class IsEmpty:
    """Whether the value is empty text or null."""

    @staticmethod
    def polars(value: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        if types[0] is STRING:
            return value == ""
        if types[0] is ScalarType.DYNAMIC:
            return value.is_null() | (value == '""')
        return value.is_null()

    @staticmethod
    def sql(value: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        if types[0] is STRING:
            return _sql.op("=", value, "")
        if types[0] is ScalarType.DYNAMIC:
            return _sql.op("=", _sql.coalesce(value, '""'), '""')
        return _sql.is_null(value)


@scalar("isnotempty", [ANY], BOOL, aliases=("notempty",))
class IsNotEmpty:
    """Whether the value is neither empty text nor null."""

    @staticmethod
    def polars(value: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        return ~IsEmpty.polars(value, types)

    @staticmethod
    def sql(value: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        return _sql.negated(IsEmpty.sql(value, types))


@scalar("assert", [BOOL, STRING], BOOL, overloads=[([BOOL, opt(STRING)], BOOL)])
class Assert:
    """True, or the query stops with the message where the condition is false (KQL302)."""

    no_sql = "SQL can't stop a query with a message of its own"

    nulls = True

    @staticmethod
    def row(condition: bool | None, message: str = "") -> bool:
        if not condition:
            from workbench.base.diagnostics import query as diagnostics

            raise diagnostics.assertion_failed(message, None)
        return True
