"""Mathematics on numbers: rounding, powers, logarithms, angles, special functions, chance.

Beyond a function's domain reals give NaN or an infinity, as the hardware does, except that a negative number has no
logarithm (null); null stays null.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql, _sql_cast
from workbench.query.functions._card import (
    BOOL,
    DATETIME,
    DECIMAL,
    INT,
    LONG,
    REAL,
    TIMESPAN,
    Naming,
    Overloads,
    const,
    opt,
    scalar,
)
from workbench.query.functions.values import DECIMAL_TYPE
from workbench.query.lowering import SqlValue, Value
from workbench.query.plan import Const, Expr

_SAME: Overloads = [([INT], INT), ([LONG], LONG), ([REAL], REAL), ([DECIMAL], DECIMAL)]


_MOST_DIGITS = 300  # beyond them no real has any


def _rounded(value: pl.Expr, type_: ScalarType, digits: int) -> pl.Expr:
    """Half away from zero; negative digits round whole tens, hundreds, …"""
    if type_ in (INT, LONG):
        if digits >= 0:
            return value
        step = 10**-digits
        if step > 2**62:
            return value * 0
        near = (value.cast(pl.Int128).abs() + step // 2) // step * step
        return (
            pl.when(value < 0)
            .then(near * -1)
            .otherwise(near)
            .cast(pl.Int32 if type_ is INT else pl.Int64, strict=False)
        )
    if type_ is DECIMAL:
        return value.round(max(digits, 0), mode="half_away_from_zero").cast(DECIMAL_TYPE)
    if digits < 0:
        return (value / 10.0**-digits).round(0, mode="half_away_from_zero") * 10.0**-digits
    return value.round(min(digits, 15), mode="half_away_from_zero")


def _sql_rounded(value: _sql.Sql, type_: ScalarType, digits: int) -> _sql.Sql:
    if type_ in (INT, LONG):
        if digits >= 0:
            return value
        step = 10**-digits
        if step > 2**62:
            return _sql.op("*", value, 0)
        size = _sql.func("abs", _sql.cast(value, "HUGEINT"))
        near = _sql.op("*", _sql.op("//", _sql.op("+", size, step // 2), step), step)
        signed = _sql.case((_sql.op("<", value, 0), _sql.minus(near)), otherwise=near)
        return _sql.try_cast(signed, _sql_cast.SQL_TYPES[type_])
    if type_ is DECIMAL:
        return _sql.cast(_sql.func("round", value, max(digits, 0)), _sql_cast.SQL_TYPES[type_])
    if digits < 0:
        scale = 10.0**-digits
        return _sql.op("*", _sql.func("round", _sql.op("/", value, scale)), scale)
    return _sql.func("round", value, min(digits, 15))


@scalar("round", overloads=[([*p, opt(const(LONG))], r) for p, r in _SAME], naming=Naming.FIRST_ARGUMENT)
class Round:
    """The nearest number with so many digits after the point, halves away from zero."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        digits = 0
        if len(args) > 1 and isinstance(args[1], Const):
            digits = max(-_MOST_DIGITS, min(_MOST_DIGITS, args[1].value or 0))
        return Value(_rounded(values[0].expr, values[0].type, digits), returns)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        digits = 0
        if len(args) > 1 and isinstance(args[1], Const):
            digits = max(-_MOST_DIGITS, min(_MOST_DIGITS, args[1].value or 0))
        return SqlValue(_sql_rounded(_sql_cast.canonical(values[0]), values[0].type, digits), returns)


@scalar("ceiling", overloads=_SAME, naming=Naming.FIRST_ARGUMENT)
class Ceiling:
    """The least whole number that is not below the value."""

    @staticmethod
    def polars(value: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        if types[0] is DECIMAL:
            whole = value.cast(pl.Int64, strict=False)
            return (whole + (value > whole).cast(pl.Int64)).cast(DECIMAL_TYPE)
        return value.ceil() if types[0] is REAL else value

    @staticmethod
    def sql(value: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        whole = _sql.func("ceil", value)
        if types[0] is DECIMAL:
            return _sql.cast(whole, _sql_cast.SQL_TYPES[DECIMAL])
        return whole if types[0] is REAL else value


@scalar("abs", overloads=[([INT], LONG), ([LONG], LONG), ([REAL], REAL), ([DECIMAL], DECIMAL), ([TIMESPAN], TIMESPAN)], naming=Naming.FIRST_ARGUMENT)  # fmt: skip
class Abs:
    """The number without its sign."""

    @staticmethod
    def polars(value: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        return value.cast(pl.Int64).abs() if types[0] is INT else value.abs()

    @staticmethod
    def sql(value: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        if types[0] in (REAL, DECIMAL):
            return _sql.func("abs", value)
        return _sql.wrap(_sql.func("abs", _sql.cast(value, "HUGEINT")), _sql.func("abs", value))


@scalar("sign", [REAL], REAL)
class Sign:
    """1, 0 or -1: the sign of the number; 0 for NaN."""

    @staticmethod
    def polars(value: pl.Expr) -> pl.Expr:
        return value.sign().fill_nan(0.0)

    @staticmethod
    def sql(value: _sql.Sql) -> _sql.Sql:
        sign = _sql.cast(_sql.func("sign", value), "DOUBLE")
        return _sql.case((_sql.func("isnan", value), 0.0), otherwise=sign)


@scalar("pi", [], REAL)
class Pi:
    """The ratio of a circle's circumference to its diameter."""

    @staticmethod
    def polars() -> pl.Expr:
        return pl.lit(math.pi)

    @staticmethod
    def sql() -> _sql.Sql:
        return _sql.lit(math.pi)


@scalar("pow", [REAL, REAL], REAL, naming=Naming.FIRST_ARGUMENT)
class Pow:
    """The first number to the power of the second."""

    @staticmethod
    def polars(base: pl.Expr, exponent: pl.Expr) -> pl.Expr:
        return base.pow(exponent)

    @staticmethod
    def sql(base: _sql.Sql, exponent: _sql.Sql) -> _sql.Sql:
        return _sql.func("pow", base, exponent)


@scalar("atan2", [REAL, REAL], REAL, naming=Naming.FIRST_ARGUMENT)
class Atan2:
    """The angle from the x axis to the point (x, y), given y first."""

    @staticmethod
    def polars(y: pl.Expr, x: pl.Expr) -> pl.Expr:
        return pl.arctan2(y, x)

    @staticmethod
    def sql(y: _sql.Sql, x: _sql.Sql) -> _sql.Sql:
        return _sql.func("atan2", y, x)


Build = Callable[[Any], Any]


def _called(function: str) -> Build:
    return lambda x: _sql.func(function, x)


def _on_real(name: str, compute: Callable[[pl.Expr], pl.Expr], build: Build, doc: str, *, named: bool = True) -> None:  # fmt: skip
    @scalar(name, [REAL], REAL, naming=Naming.FIRST_ARGUMENT if named else Naming.NONE)
    class _OnReal:
        @staticmethod
        def polars(value: pl.Expr) -> pl.Expr:
            return compute(value)

        @staticmethod
        def sql(value: _sql.Sql) -> _sql.Sql:
            found: _sql.Sql = build(value)
            return found

    _OnReal.__doc__ = doc


def _positive(x: pl.Expr) -> pl.Expr:
    """The number, null below 0."""
    return pl.when(x < 0).then(None).otherwise(x)


def _positively(function: str) -> Build:
    return lambda x: _sql.func(function, _sql.case((_sql.negated(_sql.op("<", x, 0.0)), x)))


_on_real("sqrt", lambda x: x.sqrt(), _called("sqrt"), "The square root.")
_on_real("exp", lambda x: x.exp(), _called("exp"), "e to the power of the number.")
_on_real(
    "exp2", lambda x: pl.lit(2.0).pow(x), lambda x: _sql.func("pow", 2.0, x), "2 to the power of the number."
)
_on_real(
    "exp10",
    lambda x: pl.lit(10.0).pow(x),
    lambda x: _sql.func("pow", 10.0, x),
    "10 to the power of the number.",
)
_on_real(
    "log",
    lambda x: _positive(x).log(),
    _positively("ln"),
    "The natural logarithm; null of a negative number.",
)
_on_real(
    "log2",
    lambda x: _positive(x).log(2),
    _positively("log2"),
    "The logarithm to base 2; null of a negative number.",
)
_on_real(
    "log10",
    lambda x: _positive(x).log10(),
    _positively("log10"),
    "The logarithm to base 10; null of a negative number.",
)
_on_real("sin", lambda x: x.sin(), _called("sin"), "The sine of an angle in radians.")
_on_real("cos", lambda x: x.cos(), _called("cos"), "The cosine of an angle in radians.")
_on_real("tan", lambda x: x.tan(), _called("tan"), "The tangent of an angle in radians.")
_on_real("asin", lambda x: x.arcsin(), _called("asin"), "The angle in radians whose sine is the number.")
_on_real("acos", lambda x: x.arccos(), _called("acos"), "The angle in radians whose cosine is the number.")
_on_real("atan", lambda x: x.arctan(), _called("atan"), "The angle in radians whose tangent is the number.")
_on_real(
    "cot",
    lambda x: 1.0 / x.tan(),
    lambda x: _sql.op("/", 1.0, _sql.func("tan", x)),
    "The cotangent of an angle in radians.",
    named=False,
)
_on_real(
    "degrees",
    lambda x: x * (180 / math.pi),
    _called("degrees"),
    "An angle in radians in degrees.",
    named=False,
)
_on_real(
    "radians",
    lambda x: x * (math.pi / 180),
    _called("radians"),
    "An angle in degrees in radians.",
    named=False,
)


def _test(name: str, compute: Callable[[pl.Expr], pl.Expr], function: str, doc: str) -> None:
    @scalar(name, [REAL], BOOL)
    class _Test:
        @staticmethod
        def polars(value: pl.Expr) -> pl.Expr:
            return compute(value).fill_null(False)

        @staticmethod
        def sql(value: _sql.Sql) -> _sql.Sql:
            return _sql.coalesce(_sql.func(function, value), False)

    _Test.__doc__ = doc


_test("isnan", lambda x: x.is_nan(), "isnan", "Whether the number is NaN; null is not.")
_test("isinf", lambda x: x.is_infinite(), "isinf", "Whether the number is infinite, either way; null is not.")
_test(
    "isfinite", lambda x: x.is_finite(), "isfinite", "Whether the number is neither infinite, NaN nor null."
)


@scalar(
    "around",
    overloads=[
        ([DATETIME, DATETIME, TIMESPAN], BOOL),
        ([TIMESPAN, TIMESPAN, TIMESPAN], BOOL),
        ([LONG, LONG, LONG], BOOL),
        ([REAL, REAL, REAL], BOOL),
        ([DECIMAL, DECIMAL, DECIMAL], BOOL),
    ],
)
class Around:
    """Whether the value lies no further than the third argument from the second."""

    @staticmethod
    def polars(value: pl.Expr, center: pl.Expr, delta: pl.Expr) -> pl.Expr:
        return (value >= center - delta) & (value <= center + delta)

    @staticmethod
    def sql(value: _sql.Sql, center: _sql.Sql, delta: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        move = _sql.op if types[0] in (REAL, DECIMAL) else _sql.wrapped
        low, high = move("-", center, delta), move("+", center, delta)
        return _sql.all_of(_sql.op(">=", value, low), _sql.op("<=", value, high))


@scalar("rand", [opt(LONG)], REAL, naming=Naming.FIRST_ARGUMENT)
class Rand:
    """A random number from 0 on below 1, or a whole one from 0 on below the argument; new for each row."""

    no_sql = "it gives something else each time, so that no two engines agree"

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        import random

        below = args[0].value if args and isinstance(args[0], Const) else None

        def batch(series: pl.Series) -> pl.Series:
            rows = range(len(series))
            if isinstance(below, int | float) and 1 < below < 2**63:
                return pl.Series(series.name, [float(random.randrange(int(below))) for _ in rows], pl.Float64)
            return pl.Series(series.name, [random.random() for _ in rows], pl.Float64)

        # Not elementwise: the engine must not take it for a constant and compute it once.
        return Value(pl.int_range(pl.len()).map_batches(batch, return_dtype=pl.Float64), REAL)
