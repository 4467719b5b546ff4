"""`+ - * / %`, sign, and `bin`: KQL's types and overflow.

int with int gives long. Integers wrap; integer division truncates; `%` is never negative; dividing by zero is null for
integers, infinity or NaN for reals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType
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
from workbench.query.lowering import Form, Value
from workbench.query.plan import Const, Expr

_SOURCE = "Kusto reference: numerical operators"
# A datetime is counted from year 1 in Kusto, from 1970 here: what is more than a sum depends on it.
_YEAR_ONE = 621355968000000000


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


@scalar("+", overloads=_numeric(([TIMESPAN, TIMESPAN], TIMESPAN), ([DATETIME, TIMESPAN], DATETIME), ([TIMESPAN, DATETIME], DATETIME)), source=_SOURCE)  # fmt: skip
class Add:
    """Sum; a datetime moved by a timespan."""

    @staticmethod
    def polars(a: pl.Expr, b: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        return a.cast(pl.Int64) + b.cast(pl.Int64) if types[0] is INT else a + b


@scalar("-", overloads=_numeric(([TIMESPAN, TIMESPAN], TIMESPAN), ([DATETIME, DATETIME], TIMESPAN), ([DATETIME, TIMESPAN], DATETIME)), source=_SOURCE)  # fmt: skip
class Subtract:
    """Difference; between two datetimes a timespan."""

    @staticmethod
    def polars(a: pl.Expr, b: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        return a.cast(pl.Int64) - b.cast(pl.Int64) if types[0] is INT else a - b


@scalar("*", overloads=_numeric(([TIMESPAN, LONG], TIMESPAN), ([LONG, TIMESPAN], TIMESPAN), ([TIMESPAN, REAL], TIMESPAN), ([REAL, TIMESPAN], TIMESPAN)), source=_SOURCE)  # fmt: skip
class Multiply:
    """Product; a timespan times a number."""

    @staticmethod
    def polars(a: pl.Expr, b: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        if TIMESPAN in types:
            return (a * b).cast(pl.Int64, strict=False)
        a, b = _wide(a, b, types)
        if types[0] is DECIMAL:
            return (a * b).cast(DECIMAL_TYPE, strict=False)
        return a * b


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
            return (a / pl.when(b != 0).then(b)).cast(DECIMAL_TYPE, strict=False)
        return a / b


def _truncated(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    """Quotient toward zero; Polars' `//` floors."""
    floor = a // b
    quotient = pl.when((a % b != 0) & ((a < 0) != (b < 0))).then(floor + 1).otherwise(floor)
    return pl.when(b != 0).then(quotient)


@scalar("%", overloads=_numeric(([TIMESPAN, TIMESPAN], TIMESPAN), ([DATETIME, TIMESPAN], TIMESPAN)), source=_SOURCE)  # fmt: skip
class Modulo:
    """Remainder, never negative; of a datetime what is beyond its last multiple of a timespan."""

    @staticmethod
    def polars(a: pl.Expr, b: pl.Expr, types: Sequence[ScalarType]) -> pl.Expr:
        a, b = _wide(a, b, types)
        if types[0] is not REAL:
            b = pl.when(b != 0).then(b)
        return ((a % b) + b.abs()) % b.abs()


@scalar("unary -", overloads=[([LONG], LONG), ([REAL], REAL), ([DECIMAL], DECIMAL), ([TIMESPAN], TIMESPAN)], source=_SOURCE)  # fmt: skip
class Negate:
    """The number with the other sign."""

    @staticmethod
    def polars(a: pl.Expr) -> pl.Expr:
        return -a


# ---- bin ------------------------------------------------------------------------------------

_BIN_OVERLOADS: Overloads = [
    ([DATETIME, TIMESPAN], DATETIME), ([TIMESPAN, TIMESPAN], TIMESPAN), ([INT, INT], LONG), ([LONG, LONG], LONG),
    ([REAL, REAL], REAL), ([DECIMAL, DECIMAL], DECIMAL), ([DATETIME, NUMBER], DATETIME), ([INTEGER, TIMESPAN], TIMESPAN),
]  # fmt: skip


def floor_to(value: pl.Expr, step: pl.Expr, origin: int = 0) -> pl.Expr:
    """The largest multiple of `step` (counted from `-origin`) not above `value`; null for step 0."""
    moved = value + origin if origin else value
    floored = moved - moved % pl.when(step != 0).then(step)
    return floored - origin if origin else floored


@scalar("bin", overloads=_BIN_OVERLOADS, aliases=("floor",), naming=Naming.FIRST_ARGUMENT)
class Bin:
    """Rounded down to a multiple of the second argument; negatives too go down."""

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
            ticks = b if step.type is TIMESPAN else (b * 864_000_000_000).cast(pl.Int64)
            return Value(floor_to(a, ticks, _YEAR_ONE), DATETIME)
        if value.type is REAL:
            return Value(pl.when(b != 0).then((a / b).floor() * b), REAL)
        if value.type is INT:
            a, b = a.cast(pl.Int64), b.cast(pl.Int64)
        return Value(floor_to(a, b), returns)


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
        return pl.when(step > 0).then(moved - moved % step + origin)
