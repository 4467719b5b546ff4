"""`+ - * / %`, sign, and `bin`: KQL's types and overflow.

int with int gives long. Integers wrap; integer division truncates; `%` is never negative; dividing by zero is null for
integers, infinity or NaN for reals.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import polars as pl

from workbench.base.dtypes import DECIMAL_SCALE, MAX_DATETIME_TICKS, MIN_DATETIME_TICKS, ScalarType
from workbench.query.functions import _sql, _sql_cast, _sql_time, _unsayable
from workbench.query.functions._card import (
    DATETIME,
    DECIMAL,
    INT,
    INTEGER,
    LONG,
    NUMBER,
    REAL,
    TIMESPAN,
    Naming,
    Overloads,
    scalar,
)
from workbench.query.functions.forms import DECIMAL_TYPE, canonical
from workbench.query.lowering import Form, SqlValue, Value
from workbench.query.plan import Const, Expr

_SOURCE = "Kusto reference: numerical operators"
# A datetime is counted from year 1 in Kusto, from 1970 here: what is more than a sum depends on it.
_YEAR_ONE = 621355968000000000


_DECIMAL_BOUND = 0.99 * 10.0 ** (38 - DECIMAL_SCALE)


def _numeric(*more: tuple[Sequence[Any], ScalarType]) -> Overloads:
    """Overloads of two numbers: long for integers, else the wider; two dynamic values are reals."""
    return [
        ([REAL, REAL], REAL), ([INT, INT], LONG), ([LONG, LONG], LONG), ([DECIMAL, DECIMAL], DECIMAL), *more,
    ]  # fmt: skip


def _wide(a: pl.Expr, b: pl.Expr, types: Sequence[ScalarType]) -> tuple[pl.Expr, pl.Expr]:
    """int arguments as long, so that a product does not overflow 32 bits; datetimes as ticks from year 1."""
    if types[0] is INT and types[1] is INT:
        return a.cast(pl.Int64), b.cast(pl.Int64)
    return _counted(a, types[0]), _counted(b, types[1])


def _counted(value: pl.Expr, type_: ScalarType) -> pl.Expr:
    return value + _YEAR_ONE if type_ is DATETIME else value


def _sql_plain(operator: str, a: _sql.Sql, b: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
    """`+ - *`: int never overflows as long, long wraps, reals are as they are, a decimal too large is null."""
    if types[0] is INT and types[1] is INT:
        return _sql.op(operator, _sql.cast(a, "BIGINT"), b)
    if DECIMAL in types:
        return _sql.plain_func("try", _sql.op(operator, a, b))
    return _sql.op(operator, a, b) if REAL in types else _sql.wrapped(operator, a, b)


def _sql_counted(value: _sql.Sql, type_: ScalarType) -> _sql.Sql:
    return _sql.op("+", value, _YEAR_ONE) if type_ is DATETIME else value


def _in_range(ticks: pl.Expr) -> pl.Expr:
    """A datetime, null where it lies outside years 1 to 9999."""
    return pl.when(ticks.is_between(MIN_DATETIME_TICKS, MAX_DATETIME_TICKS)).then(ticks)


def _fitting(a: pl.Expr, made: pl.Expr) -> pl.Expr:
    """A decimal, null where what is made of it would be too large for one (Polars would stop the query)."""
    return pl.when(made.abs() < _DECIMAL_BOUND).then(a)


def _real(value: pl.Expr) -> pl.Expr:
    return value.cast(pl.Float64)


@scalar("+", overloads=_numeric(([TIMESPAN, TIMESPAN], TIMESPAN), ([DATETIME, TIMESPAN], DATETIME), ([TIMESPAN, DATETIME], DATETIME)), source=_SOURCE)  # fmt: skip
class Add:
    """Sum; a datetime moved by a timespan."""

    @staticmethod
    def polars(a: pl.Expr, b: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        if DATETIME in types:
            return _in_range(a + b)
        if types[0] is DECIMAL:
            return _fitting(a, _real(a) + _real(b)) + b
        return a.cast(pl.Int64) + b.cast(pl.Int64) if types[0] is INT else a + b

    @staticmethod
    def sql(a: _sql.Sql, b: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        found = _sql_plain("+", a, b, types)
        return _sql_time.in_range(found) if DATETIME in types else found


@scalar("-", overloads=_numeric(([TIMESPAN, TIMESPAN], TIMESPAN), ([DATETIME, DATETIME], TIMESPAN), ([DATETIME, TIMESPAN], DATETIME)), source=_SOURCE)  # fmt: skip
class Subtract:
    """Difference; between two datetimes a timespan."""

    @staticmethod
    def polars(a: pl.Expr, b: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        if types[0] is DATETIME and types[1] is TIMESPAN:
            return _in_range(a - b)
        if types[0] is DECIMAL:
            return _fitting(a, _real(a) - _real(b)) - b
        return a.cast(pl.Int64) - b.cast(pl.Int64) if types[0] is INT else a - b

    @staticmethod
    def sql(a: _sql.Sql, b: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        found = _sql_plain("-", a, b, types)
        return _sql_time.in_range(found) if types[0] is DATETIME and types[1] is TIMESPAN else found


@scalar("*", overloads=_numeric(([TIMESPAN, LONG], TIMESPAN), ([LONG, TIMESPAN], TIMESPAN), ([TIMESPAN, REAL], TIMESPAN), ([REAL, TIMESPAN], TIMESPAN)), source=_SOURCE)  # fmt: skip
class Multiply:
    """Product; a timespan times a number."""

    @staticmethod
    def polars(a: pl.Expr, b: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        if TIMESPAN in types:
            return (a * b).cast(pl.Int64, strict=False)
        a, b = _wide(a, b, types)
        if types[0] is DECIMAL:
            return (_fitting(a, _real(a) * _real(b)) * b).cast(DECIMAL_TYPE, strict=False)
        return a * b

    @staticmethod
    def sql(a: _sql.Sql, b: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        if DECIMAL in types:
            raise _sql.Unsayable(_unsayable.DECIMALS)
        found = _sql_plain("*", a, b, types)
        if TIMESPAN in types and REAL in types:
            return _sql.try_cast(_sql.func("trunc", found), "BIGINT")
        return found


@scalar("/", overloads=_numeric(([TIMESPAN, TIMESPAN], REAL), ([TIMESPAN, REAL], TIMESPAN), ([DATETIME, TIMESPAN], REAL), ([DATETIME, DATETIME], REAL), ([DATETIME, REAL], DATETIME)), source=_SOURCE)  # fmt: skip
class Divide:
    """Quotient, truncated between integers; time by time is a real."""

    @staticmethod
    def polars(a: pl.Expr, b: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        a, b = _wide(a, b, types)
        if types[0].is_time and types[1].is_time:
            return a.cast(pl.Float64) / b.cast(pl.Float64)
        if types[0].is_time:
            found = (a.cast(pl.Float64) / b).cast(pl.Int64, strict=False)
            return found - _YEAR_ONE if types[0] is DATETIME else found
        if types[0] in (INT, LONG):
            return _truncated(a, b)
        if types[0] is DECIMAL:
            # Not even where the result is dropped may a decimal be divided by zero.
            b = pl.when(b != 0).then(b)
            return (_fitting(a, _real(a) / _real(b)) / b).cast(DECIMAL_TYPE, strict=False)
        return a / b

    @staticmethod
    def sql(a: _sql.Sql, b: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        if DECIMAL in types:
            raise _sql.Unsayable(_unsayable.DECIMALS)
        if types[0].is_time and types[1].is_time:
            parts = [_sql.cast(_sql_counted(v, t), "DOUBLE") for v, t in zip((a, b), types, strict=True)]
            return _sql.op("/", *parts)
        if types[0].is_time:
            quotient = _sql.op("/", _sql.cast(_sql_counted(a, types[0]), "DOUBLE"), b)
            found = _sql.try_cast(_sql.func("trunc", quotient), "BIGINT")
            return _sql.op("-", found, _YEAR_ONE) if types[0] is DATETIME else found
        if types[0] in (INT, LONG):
            # In 128 bits: the least long divided by -1 wraps.
            wide = _sql.op("//", _sql.cast(a, "HUGEINT"), _sql.nonzero(b))
            return _sql.wrap(wide, _sql.op("//", a, b))
        return _sql.op("/", a, b)


def _truncated(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """Quotient toward zero; Polars' `//` floors."""
    floor = a // b
    quotient = pl.when((a % b != 0) & ((a < 0) != (b < 0))).then(floor + 1).otherwise(floor)
    return pl.when(b != 0).then(quotient)


def _real_rests(pairs: pl.Series) -> pl.Series:
    """The exact remainders of reals, with the sign of the first; Polars' own is off by the rounding of a quotient."""
    found = [
        None if p["a"] is None or p["b"] is None else math.nan if math.isinf(p["a"]) or p["b"] == 0 else math.fmod(p["a"], p["b"])
        for p in pairs.to_list()
    ]  # fmt: skip
    return pl.Series(pairs.name, found, pl.Float64)


@scalar("%", overloads=_numeric(([TIMESPAN, TIMESPAN], TIMESPAN), ([DATETIME, TIMESPAN], TIMESPAN)), source=_SOURCE)  # fmt: skip
class Modulo:
    """Remainder, never negative; of a datetime what is beyond its last multiple of a timespan."""

    @staticmethod
    def polars(a: pl.Expr, b: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        a, b = _wide(a, b, types)
        if types[0] is REAL:
            rest = pl.struct(a.alias("a"), b.alias("b")).map_batches(
                _real_rests, return_dtype=pl.Float64, is_elementwise=True
            )
        else:
            rest = a % pl.when(b != 0).then(b)
        # A sum before the remainder would overflow, and lose what a real has after the point.
        return pl.when(rest < 0).then(rest + b.abs()).otherwise(rest)

    @staticmethod
    def sql(a: _sql.Sql, b: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        if DECIMAL in types:
            raise _sql.Unsayable(_unsayable.DECIMALS)
        if types[0] is REAL:
            rest = _sql.op("%", a, b)
            return _sql.case(
                (_sql.op("<", rest, 0.0), _sql.op("+", rest, _sql.func("abs", b))), otherwise=rest
            )
        narrow = [_sql_counted(v, t) for v, t in zip((a, b), types, strict=True)]
        rest = _sql.cast(_sql.floor_mod(*(_sql.cast(n, "HUGEINT") for n in narrow)), "BIGINT")
        return _sql.elsewhere(rest, _sql.floor_mod(*narrow))


@scalar("unary -", overloads=[([LONG], LONG), ([REAL], REAL), ([DECIMAL], DECIMAL), ([TIMESPAN], TIMESPAN)], source=_SOURCE)  # fmt: skip
class Negate:
    """The number with the other sign."""

    @staticmethod
    def polars(a: pl.Expr) -> pl.Expr:
        return -a

    @staticmethod
    def sql(a: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        return _sql.minus(a) if types[0] in (REAL, DECIMAL) else _sql.wrapped("-", 0, a)


# ---- bin ------------------------------------------------------------------------------------

_BIN_OVERLOADS: Overloads = [
    ([DATETIME, TIMESPAN], DATETIME), ([TIMESPAN, TIMESPAN], TIMESPAN), ([INT, INT], LONG), ([LONG, LONG], LONG),
    ([REAL, REAL], REAL), ([DECIMAL, DECIMAL], DECIMAL), ([DATETIME, NUMBER], DATETIME), ([INTEGER, TIMESPAN], TIMESPAN),
]  # fmt: skip


def floor_to(value: pl.Expr, step: pl.Expr, origin: int = 0) -> pl.Expr:
    """The largest multiple of `step` (counted from `-origin`) not above `value`; null unless the step is positive."""
    moved = value + origin if origin else value
    floored = moved - moved % pl.when(step > 0).then(step)
    return floored - origin if origin else floored


def _sql_floor_to(value: _sql.Sql, step: _sql.Sql, origin: int = 0) -> _sql.Sql:
    def floored(number: _sql.Sql) -> _sql.Sql:
        moved = _sql.op("+", number, origin) if origin else number
        known = _sql.case((_sql.op(">", step, 0), step))
        rest = _sql.op("%", _sql.op("+", _sql.op("%", moved, known), step), known)
        return _sql.op("-", number, rest)

    return _sql.wrap(floored(_sql.cast(value, "HUGEINT")), floored(value))


@scalar("bin", overloads=_BIN_OVERLOADS, aliases=("floor",), naming=Naming.FIRST_ARGUMENT)
class Bin:
    """Rounded down to a multiple of the second argument, which has to be positive; negatives too go down."""

    @staticmethod
    def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
        value, step = values
        constant = args[1].value if isinstance(args[1], Const) else None
        if (
            value.form is Form.MICROSECONDS
            and isinstance(constant, int)
            and constant > 0
            and constant % 10 == 0
        ):
            return Value(_stored_bin(value, constant // 10), value.type, Form.MICROSECONDS)
        a, b = canonical(value), canonical(step)
        if value.type is DATETIME:
            ticks = b if step.type is TIMESPAN else (b * 864_000_000_000).cast(pl.Int64, strict=False)
            return Value(floor_to(a, ticks, _YEAR_ONE), DATETIME)
        if value.type is REAL:
            return Value(pl.when(b > 0).then((a / b).floor() * b), REAL)
        if value.type is INT:
            a, b = a.cast(pl.Int64), b.cast(pl.Int64)
        return Value(floor_to(a, b), returns)

    @staticmethod
    def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
        a, b = (_sql_cast.canonical(v) for v in values)
        value, step = (v.type for v in values)
        if DECIMAL in (value, step):
            raise _sql.Unsayable(_unsayable.DECIMALS)
        if value is REAL:
            floored = _sql.op("*", _sql.func("floor", _sql.op("/", a, b)), b)
            return SqlValue(_sql.case((_sql.op(">", b, 0), floored)), REAL)
        if value is DATETIME:
            day = _sql.op("*", b, 864_000_000_000)
            ticks = b if step is TIMESPAN else _sql.try_cast(_sql.func("trunc", day), "BIGINT")
            return SqlValue(_sql_floor_to(a, ticks, _YEAR_ONE), DATETIME)
        return SqlValue(_sql_floor_to(_sql.cast(a, "BIGINT") if value is INT else a, b), returns)


def _stored_bin(value: Value, step: int) -> pl.Expr:
    """A stored time in µs floored without leaving its form."""
    if value.type is DATETIME:
        origin = (_YEAR_ONE // 10) % step
        physical = value.expr.to_physical()
        moved = physical + origin if origin else physical
        floored = moved - moved % step
        return (floored - origin if origin else floored).cast(pl.Datetime("us", "UTC"))
    physical = value.expr.to_physical()
    return (physical - physical % step).cast(pl.Duration("us"))


@scalar("bin_at", overloads=[([DATETIME, TIMESPAN, DATETIME], DATETIME), ([TIMESPAN, TIMESPAN, TIMESPAN], TIMESPAN), ([LONG, LONG, LONG], LONG), ([REAL, REAL, REAL], REAL)], naming=Naming.FIRST_ARGUMENT)  # fmt: skip
class BinAt:
    """Rounded down to a multiple of the second argument counted from the third."""

    @staticmethod
    def polars(value: pl.Expr, step: pl.Expr, origin: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        if types[0] is REAL:
            return pl.when(step > 0).then(((value - origin) / step).floor() * step + origin)
        moved = value - origin
        floored = moved - moved % step + origin
        return pl.when(step > 0).then(_in_range(floored) if types[0] is DATETIME else floored)

    @staticmethod
    def sql(value: _sql.Sql, step: _sql.Sql, origin: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
        moved = _sql.op("-", value, origin)
        if types[0] is REAL:
            floored = _sql.op("*", _sql.func("floor", _sql.op("/", moved, step)), step)
            return _sql.case((_sql.op(">", step, 0), _sql.op("+", floored, origin)))
        floored = _sql.op("-", value, _sql.floor_mod(moved, step))
        found = _sql_time.in_range(floored) if types[0] is DATETIME else floored
        return _sql.case((_sql.op(">", step, 0), found))
