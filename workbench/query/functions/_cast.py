"""Casts between KQL types in Polars: what `tostring`, `tolong` and implicit conversion share."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import orjson
import polars as pl

from workbench.base.dtypes import (
    DECIMAL_SCALE,
    ScalarType,
    format_datetime,
    format_timespan,
    parse_datetime,
    parse_timespan,
)
from workbench.query.functions import _cast_columns
from workbench.query.functions.values import DECIMAL_TYPE, POLARS_TYPES, dumps, loads

T = ScalarType
_INT_RANGE = (-(2**31), 2**31 - 1)
_BEYOND = {"nan": "NaN", "inf": "inf", "-inf": "-inf"}  # reals that are no number, as `tostring` prints them


def cast(expr: pl.Expr, source: ScalarType, to: ScalarType) -> pl.Expr:
    """`expr` (canonical form of `source`) in the canonical form of `to`; null where it fails."""
    if source is to:
        return expr
    if to is T.DYNAMIC:
        return _to_dynamic(expr, source)
    if to in (T.STRING, T.GUID):
        return to_string(expr, source) if to is T.STRING else _by_row(expr, source, T.GUID)
    rule = _DIRECT.get((source, to))
    return rule(expr) if rule else _by_row(expr, source, to)


def _clipped(type_: type[pl.Int64 | pl.Int32]) -> Callable[[pl.Expr], pl.Expr]:
    """A real without what is behind the point; beyond the range the nearest whole number; null if infinite or NaN."""
    bits = 63 if type_ is pl.Int64 else 31

    def clipped(expr: pl.Expr) -> pl.Expr:
        # Polars compares NaN as the largest number.
        above = (expr >= 2.0**bits) & expr.is_finite()
        below = (expr < -(2.0**bits)) & expr.is_finite()
        beyond = pl.when(above).then(2**bits - 1).when(below).then(-(2**bits))
        return beyond.otherwise(expr.cast(type_, strict=False)).cast(type_)

    return clipped


_DIRECT: dict[tuple[ScalarType, ScalarType], Callable[[pl.Expr], pl.Expr]] = {
    (T.INT, T.LONG): lambda e: e.cast(pl.Int64),
    (T.INT, T.REAL): lambda e: e.cast(pl.Float64),
    (T.LONG, T.REAL): lambda e: e.cast(pl.Float64),
    (T.LONG, T.INT): lambda e: e.cast(pl.Int32, wrap_numerical=True),
    (T.REAL, T.LONG): _clipped(pl.Int64),
    (T.REAL, T.INT): _clipped(pl.Int32),
    (T.INT, T.DECIMAL): lambda e: e.cast(DECIMAL_TYPE, strict=False),
    (T.LONG, T.DECIMAL): lambda e: e.cast(DECIMAL_TYPE, strict=False),
    # Polars would stop the query at a number that is too large.
    (T.REAL, T.DECIMAL): lambda e: (
        pl.when(e.abs() < 10.0 ** (38 - DECIMAL_SCALE)).then(e).cast(DECIMAL_TYPE, strict=False)
    ),
    (T.DECIMAL, T.REAL): lambda e: e.cast(pl.Float64),
    (T.DECIMAL, T.LONG): lambda e: e.cast(pl.Int64, strict=False),
    (T.DECIMAL, T.INT): lambda e: e.cast(pl.Int32, strict=False),
    (T.BOOL, T.INT): lambda e: e.cast(pl.Int32),
    (T.BOOL, T.LONG): lambda e: e.cast(pl.Int64),
    (T.BOOL, T.REAL): lambda e: e.cast(pl.Float64),
    (T.INT, T.BOOL): lambda e: e != 0,
    (T.LONG, T.BOOL): lambda e: e != 0,
    (T.REAL, T.BOOL): lambda e: e != 0,
    (T.DECIMAL, T.BOOL): lambda e: e != 0,
    (T.BOOL, T.DECIMAL): lambda e: e.cast(pl.Int64).cast(DECIMAL_TYPE),
    (T.LONG, T.DATETIME): lambda e: e - 621355968000000000,
    (T.INT, T.DATETIME): lambda e: e.cast(pl.Int64) - 621355968000000000,
    (T.REAL, T.DATETIME): lambda e: e.cast(pl.Int64, strict=False) - 621355968000000000,
    (T.LONG, T.TIMESPAN): lambda e: e,
    (T.INT, T.TIMESPAN): lambda e: e.cast(pl.Int64),
    (T.REAL, T.TIMESPAN): lambda e: e.cast(pl.Int64, strict=False),
    (T.DATETIME, T.LONG): lambda e: e + 621355968000000000,
    (T.DATETIME, T.INT): lambda e: (e + 621355968000000000).cast(pl.Int32, wrap_numerical=True),
    (T.DATETIME, T.REAL): lambda e: (e + 621355968000000000).cast(pl.Float64),
    (T.TIMESPAN, T.LONG): lambda e: e,
    (T.TIMESPAN, T.INT): lambda e: e.cast(pl.Int32, wrap_numerical=True),
    (T.TIMESPAN, T.REAL): lambda e: e.cast(pl.Float64),
    (T.GUID, T.STRING): lambda e: e.fill_null(""),
}


def to_string(expr: pl.Expr, source: ScalarType) -> pl.Expr:
    """What `tostring()` gives: null is ""."""
    if source is T.STRING:
        return expr
    if source in (T.INT, T.LONG):
        return expr.cast(pl.String).fill_null("")
    if source is T.BOOL:
        return (
            pl.when(expr.is_null())
            .then(pl.lit(""))
            .when(expr)
            .then(pl.lit("True"))
            .otherwise(pl.lit("False"))
        )
    if source is T.GUID:
        return expr.fill_null("")
    if source is T.DATETIME:
        return _cast_columns.datetime_text(expr)
    if source is T.TIMESPAN:
        return _cast_columns.timespan_text(expr)
    return _by_row(expr, source, T.STRING)


def _to_dynamic(expr: pl.Expr, source: ScalarType) -> pl.Expr:
    if source in (T.INT, T.LONG):
        return expr.cast(pl.String)
    if source is T.BOOL:
        return expr.cast(pl.String)
    return _by_row(expr, source, T.DYNAMIC)


def real_text(value: float) -> str:
    """A real as text in a dynamic value: 1.0, 0.1, 1E+20, NaN, Infinity."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == int(value) and abs(value) < 1e15:
        return f"{value:.1f}"
    text = repr(value)
    if abs(value) >= 1e15 and "e" not in text:
        digits = text.removesuffix(".0").lstrip("-")
        rest = digits[1:].replace(".", "").rstrip("0")
        text = f"{'-' if value < 0 else ''}{digits[0]}{'.' + rest if rest else ''}e15"
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{mantissa.removesuffix('.0')}E{'-' if exponent[0] == '-' else '+'}{exponent.lstrip('+-').zfill(2)}"
    return text


def decimal_text(value: Any) -> str:
    """A decimal without trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def python_cast(value: Any, source: ScalarType, to: ScalarType) -> Any:
    """One Python value (canonical; dynamic parsed) as another type, or None.

    Examples
    --------
    >>> python_cast("12", ScalarType.STRING, ScalarType.LONG), python_cast("3.14", ScalarType.STRING, ScalarType.LONG)
    (12, None)
    """
    if source is T.DYNAMIC:
        return _from_json(value, to)
    if value is None:
        return "" if to is T.STRING else None
    if to is T.STRING:
        return _text(value, source)
    if to is T.DYNAMIC:
        if source is T.DECIMAL:
            return float(value)
        if source is T.REAL and not math.isfinite(value):
            return real_text(value)
        return _text(value, source) if source.is_time else value
    if source in (T.STRING, T.GUID):
        return _from_text(value, to)
    try:
        if to in (T.LONG, T.INT):
            return (
                _clipped_number(value, to) if source is T.REAL else _bounded(_wrapped(value, source, to), to)
            )
        if to is T.REAL:
            return float(value)
        if to is T.BOOL:
            return bool(value)
        if to is T.DECIMAL:
            return _decimal(str(value) if source is T.REAL else str(int(value)))
    except (ValueError, ArithmeticError):
        return None
    return None


def _decimal(text: str) -> Decimal | None:
    """The decimal that `text` is, to as many places as are kept; None beyond what a column holds."""
    if not Decimal(text).is_finite():
        return None
    with localcontext(prec=38):
        return Decimal(text).quantize(Decimal(1).scaleb(-DECIMAL_SCALE))


def _clipped_number(value: float, to: ScalarType) -> int | None:
    """As `_clipped`, one value."""
    if not math.isfinite(value):
        return None
    bits = 31 if to is T.INT else 63
    return -(2**bits) if value < -(2.0**bits) else 2**bits - 1 if value >= 2.0**bits else int(value)


def _wrapped(value: Any, source: ScalarType, to: ScalarType) -> int:
    """A whole number; of a long the lowest 32 bits for an int."""
    number = int(value)
    return (number + 2**31) % 2**32 - 2**31 if source is T.LONG and to is T.INT else number


def _bounded(value: int, to: ScalarType) -> int | None:
    low, high = _INT_RANGE if to is T.INT else (-(2**63), 2**63 - 1)
    return value if low <= value <= high else None


def _text(value: Any, source: ScalarType) -> str:
    if source is T.REAL:
        return real_text(value) if math.isfinite(value) else _BEYOND[str(value)]
    if source is T.DATETIME:
        return format_datetime(value)
    if source is T.TIMESPAN:
        return format_timespan(value)
    if source is T.DECIMAL:
        return decimal_text(value)
    if source is T.BOOL:
        return "True" if value else "False"
    return str(value)


def _from_text(text: str, to: ScalarType) -> Any:
    stripped = text.strip()
    try:
        if to in (T.LONG, T.INT):
            if stripped.lower().startswith("0x"):
                number = int(stripped, 16)
                width = 32 if to is T.INT else 64
                return number - 2**width if 2 ** (width - 1) <= number < 2**width else _bounded(number, to)
            return _bounded(int(stripped), to) if "_" not in stripped else None
        if to is T.REAL:
            lowered = stripped.lower()
            if lowered in ("nan", "inf", "+inf", "-inf", "infinity", "-infinity"):
                return float(lowered)
            return float(stripped) if "_" not in stripped else None
        if to is T.DECIMAL:
            return _decimal(stripped)
        if to is T.BOOL:
            known = {"true": True, "false": False}
            if text.lower() in known:
                return known[text.lower()]
            return int(stripped) != 0
        if to is T.DATETIME:
            return parse_datetime(text)
        if to is T.TIMESPAN:
            return parse_timespan(text)
        if to is T.GUID:
            import uuid

            return str(uuid.UUID(stripped))
        if to is T.DYNAMIC:
            return orjson.loads(text) if stripped else None
    except (ValueError, ArithmeticError):
        return text if to is T.DYNAMIC else None
    return None


def _from_json(value: Any, to: ScalarType) -> Any:
    """A parsed dynamic value as a scalar."""
    if to is T.STRING:
        if value is None:
            return ""
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float):
            return real_text(value)
        if isinstance(value, list | dict):
            return orjson.dumps(value, default=str).decode()
        return str(value)
    if value is None or isinstance(value, list | dict):
        return None
    if isinstance(value, bool):
        return python_cast(value, T.BOOL, to)
    if isinstance(value, int):
        return python_cast(value, T.LONG, to) if not to.is_time else None
    if isinstance(value, float):
        return python_cast(value, T.REAL, to) if not to.is_time else None
    return _from_text(str(value), to)


def _by_row(expr: pl.Expr, source: ScalarType, to: ScalarType) -> pl.Expr:
    def one_by_one(series: pl.Series) -> pl.Series:
        values: list[Any] = series.to_list()
        if source is T.DYNAMIC:
            values = [loads(v) for v in values]
        out = [python_cast(v, source, to) for v in values]
        if to is T.DYNAMIC:
            out = [dumps(v) for v in out]
        return pl.Series(series.name, out, POLARS_TYPES[to], strict=False)

    def batch(series: pl.Series) -> pl.Series:
        quick = _cast_columns.quick(series, source, to)
        if quick is None:
            return one_by_one(series)
        done, left = quick
        rows = left.fill_null(False).arg_true()
        return done.scatter(rows, one_by_one(series.gather(rows))) if len(rows) else done

    return expr.map_batches(batch, return_dtype=POLARS_TYPES[to], is_elementwise=True)
