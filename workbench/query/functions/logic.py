"""`and`, `or`, `not`, and choosing between values."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions._card import ANY, BOOL, STRING, common, opt, rep, scalar


@scalar("and", [BOOL, BOOL], BOOL, source="Kusto reference: logical operators")
class And:
    """Both; null and false is false."""

    @staticmethod
    def polars(a: pl.Expr, b: pl.Expr) -> pl.Expr:
        return a & b


@scalar("or", [BOOL, BOOL], BOOL, source="Kusto reference: logical operators")
class Or:
    """Either; null or true is true."""

    @staticmethod
    def polars(a: pl.Expr, b: pl.Expr) -> pl.Expr:
        return a | b


@scalar("not", [BOOL], BOOL)
class Not:
    """The opposite; null stays null."""

    @staticmethod
    def polars(a: pl.Expr) -> pl.Expr:
        return ~a


@scalar("iff", [BOOL, ANY, ANY], lambda types: types[1])
class Iff:
    """The second argument where the first is true, else (false or null) the third."""

    @staticmethod
    def unify(index: int, count: int) -> bool:
        return index > 0

    @staticmethod
    def polars(condition: pl.Expr, then: pl.Expr, otherwise: pl.Expr) -> pl.Expr:
        return pl.when(condition).then(then).otherwise(otherwise)


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


def _extreme(name: str, doc: str) -> None:
    largest = name == "max_of"

    @scalar(name, [ANY, rep(ANY)], common)
    class _Extreme:
        @staticmethod
        def unify(index: int, count: int) -> bool:
            return True

        @staticmethod
        def polars(*args: pl.Expr) -> pl.Expr:
            return pl.max_horizontal(args) if largest else pl.min_horizontal(args)

    _Extreme.__doc__ = doc


_extreme("max_of", "The largest argument that is not null.")
_extreme("min_of", "The smallest argument that is not null.")


@scalar("isnull", [ANY], BOOL)
class IsNull:
    """Whether the value is null; text never is."""

    @staticmethod
    def polars(value: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        return value.is_null() & pl.lit(types[0] is not STRING)


@scalar("isnotnull", [ANY], BOOL, aliases=("notnull",))
class IsNotNull:
    """Whether the value is not null; text never is null."""

    @staticmethod
    def polars(value: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        return value.is_not_null() | pl.lit(types[0] is STRING)


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


@scalar("isnotempty", [ANY], BOOL, aliases=("notempty",))
class IsNotEmpty:
    """Whether the value is neither empty text nor null."""

    @staticmethod
    def polars(value: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        return ~IsEmpty.polars(value, types)


@scalar("assert", [BOOL, STRING], BOOL, overloads=[([BOOL, opt(STRING)], BOOL)])
class Assert:
    """True, or the query stops with the message where the condition is false (KQL302)."""

    nulls = True

    @staticmethod
    def row(condition: bool | None, message: str = "") -> bool:
        if not condition:
            from workbench.base.diagnostics import query as diagnostics

            raise diagnostics.assertion_failed(message, None)
        return True
