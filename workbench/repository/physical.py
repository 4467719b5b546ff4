"""How values lie in frames and files, by KQL type, and what a Polars column is in KQL.

In go Polars series of any dtype, out come series in the one dtype that tables hold for their KQL
type. Conversions between KQL types live in `conversion`; nothing here loses a value: what no KQL
type can hold raises REP201 or REP202.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import math
from typing import Any, cast

import orjson
import polars as pl

from workbench.base.diagnostics import repository as diagnostics
from workbench.base.dtypes import ScalarType, format_datetime, format_timespan
from workbench.base.dtypes import ScalarType as T

UTC_MICROSECONDS = pl.Datetime("us", "UTC")
MIN_MICROSECONDS = -719_162 * 86_400_000_000  # 0001-01-01
MAX_MICROSECONDS = 2_932_897 * 86_400_000_000 - 1  # the last microsecond of 9999

#: The dtype of a KQL type in a frame that goes in or comes out.
FRAME: dict[ScalarType, pl.DataType] = {
    T.BOOL: pl.Boolean(),
    T.INT: pl.Int32(),
    T.LONG: pl.Int64(),
    T.REAL: pl.Float64(),
    T.DECIMAL: pl.String(),
    T.STRING: pl.String(),
    T.DATETIME: UTC_MICROSECONDS,
    T.TIMESPAN: pl.Duration("us"),
    T.DYNAMIC: pl.String(),
    T.GUID: pl.String(),
}
#: The dtype in a data file: Delta has no duration.
FILE: dict[ScalarType, pl.DataType] = {**FRAME, T.TIMESPAN: pl.Int64()}
#: The primitive type in the Delta schema.
DELTA: dict[ScalarType, str] = {
    T.BOOL: "boolean",
    T.INT: "integer",
    T.LONG: "long",
    T.REAL: "double",
    T.DECIMAL: "string",
    T.STRING: "string",
    T.DATETIME: "timestamp",
    T.TIMESPAN: "long",
    T.DYNAMIC: "string",
    T.GUID: "string",
}


def kql_type(dtype: pl.DataType) -> ScalarType | None:
    """The KQL type of a Polars column that nobody declared; None for a column of nulls.

    Examples
    --------
    >>> kql_type(pl.UInt32()), kql_type(pl.List(pl.Int64())), kql_type(pl.Null())
    (long, dynamic, None)
    """
    if dtype in (pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16):
        return T.INT
    if dtype.is_integer():
        return T.LONG
    for known, found in _OF_DTYPE:
        if dtype == known:
            return found
    return None


_OF_DTYPE: tuple[tuple[Any, ScalarType], ...] = (
    (pl.Boolean, T.BOOL),
    (pl.Float32, T.REAL),
    (pl.Float64, T.REAL),
    (pl.Decimal, T.DECIMAL),
    (pl.String, T.STRING),
    (pl.Categorical, T.STRING),
    (pl.Enum, T.STRING),
    (pl.Date, T.DATETIME),
    (pl.Datetime, T.DATETIME),
    (pl.Time, T.TIMESPAN),
    (pl.Duration, T.TIMESPAN),
    (pl.List, T.DYNAMIC),
    (pl.Array, T.DYNAMIC),
    (pl.Struct, T.DYNAMIC),
)


def normalized(column: pl.Series) -> tuple[ScalarType | None, pl.Series]:
    """A series as its own KQL type and the frame dtype of that type.

    Times go to microseconds (a finer part is cut off towards the past), a time without a zone is UTC.

    Raises
    ------
    WorkbenchError
        REP201 for a dtype or integer that KQL has no type for, REP202 for a time outside years 1 to 9999.

    Examples
    --------
    >>> normalized(pl.Series("x", [1, 2], dtype=pl.UInt16))[0]
    int
    """
    dtype = column.dtype
    if dtype == pl.Null:
        return None, column
    type_ = kql_type(dtype)
    if type_ is None:
        raise diagnostics.cannot_store(column.name, f"values of dtype {dtype}", "encode them as text before")
    if type_ is T.DATETIME:
        return type_, _in_utc(column)
    if type_ is T.TIMESPAN:
        if dtype == pl.Time:
            return type_, (column.cast(pl.Int64) // 1000).cast(FRAME[type_])
        return type_, _floored(column, cast(pl.Duration, dtype).time_unit).cast(FRAME[type_])
    if type_ is T.DYNAMIC:
        return type_, pl.Series(column.name, [_json(v, column.name) for v in column.to_list()], pl.String)
    if type_ is T.LONG and dtype not in (pl.Int64, pl.UInt32):
        narrowed = column.cast(pl.Int64, strict=False)
        if narrowed.null_count() > column.null_count():
            raise diagnostics.cannot_store(
                column.name, "an integer outside 64 bits", "cast the column to text or Float64 before"
            )
        return type_, narrowed
    return type_, column if dtype == FRAME[type_] else column.cast(FRAME[type_])


def _in_utc(column: pl.Series) -> pl.Series:
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            column = _floored(column, dtype.time_unit).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
        else:
            column = _floored(column, dtype.time_unit).cast(UTC_MICROSECONDS)
    else:
        column = column.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    raw = column.cast(pl.Int64)
    low, high = cast("int | None", raw.min()), cast("int | None", raw.max())
    if low is not None and high is not None and (low < MIN_MICROSECONDS or high > MAX_MICROSECONDS):
        row = ((raw < MIN_MICROSECONDS) | (raw > MAX_MICROSECONDS)).arg_max() or 0
        raise diagnostics.out_of_range(column.name, row, f"{raw[row]} µs since 1970")
    return column


def _floored(column: pl.Series, unit: str) -> pl.Series:
    # A plain cast of negative nanoseconds rounds towards zero, which would put the last instant
    # before midnight into the next day.
    if unit != "ns":
        return column
    whole = column.cast(pl.Int64)
    return (whole - whole % 1000).cast(column.dtype)


def _json(value: Any, column: str) -> str | None:
    return None if value is None else orjson.dumps(_plain(value, column)).decode()


def _plain(value: Any, column: str) -> Any:
    """A nested Python value with what JSON lacks written as KQL writes it."""
    if isinstance(value, dict):
        return {k: _plain(v, column) for k, v in value.items()}
    if isinstance(value, list | pl.Series):
        return [_plain(v, column) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, dt.datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return format_datetime(
            (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1) * 10
        )
    if isinstance(value, dt.date):
        return f"{value.isoformat()}T00:00:00.0000000Z"
    if isinstance(value, dt.timedelta):
        return format_timespan(value // dt.timedelta(microseconds=1) * 10)
    if isinstance(value, dt.time):
        return value.isoformat()
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value
