"""Values from outside a query (notebook variables, API parameters) as typed constants or tables."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import DECIMAL_SCALE, Column, ScalarType
from workbench.query.plan import Const, Values

T = ScalarType


def value_of(value: Any) -> Const | None:
    """A typed constant, or None where `value` is no scalar, list or dict.

    Examples
    --------
    >>> value_of(dt.timedelta(seconds=1)).value, value_of(True).type
    (10000000, bool)
    """
    if isinstance(value, bool):
        return Const(T.BOOL, value)
    if isinstance(value, int):
        return Const(T.LONG, value) if -(2**63) <= value < 2**63 else Const(T.REAL, float(value))
    if isinstance(value, float):
        return Const(T.REAL, value)
    if isinstance(value, str):
        return Const(T.STRING, value)
    if isinstance(value, dt.datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        delta = moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        return Const(T.DATETIME, _ticks(delta))
    if isinstance(value, dt.date):
        return Const(T.DATETIME, _ticks(value - dt.date(1970, 1, 1)))
    if isinstance(value, dt.timedelta):
        return Const(T.TIMESPAN, _ticks(value))
    if isinstance(value, uuid.UUID):
        return Const(T.GUID, str(value))
    if isinstance(value, Decimal):
        return Const(T.DECIMAL, str(value))
    if isinstance(value, list | tuple | set | frozenset | dict):
        return Const(T.DYNAMIC, _json(value))
    item = getattr(value, "item", None)  # a NumPy scalar
    if callable(item) and getattr(value, "shape", None) == ():
        return value_of(item())
    return None


def _ticks(delta: dt.timedelta) -> int:
    return (delta.days * 86400 + delta.seconds) * 10_000_000 + delta.microseconds * 10


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _json(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_json(v) for v in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    known = value_of(value)
    if known is not None and known.type is T.DATETIME:
        from workbench.base.dtypes import format_datetime

        return format_datetime(known.value)
    return str(value)


def table_of(value: Any) -> Values:
    """A DataFrame (Polars, pandas, Arrow) as a table in canonical form."""
    frame = _polars(value)
    columns, exprs = [], []
    for name, dtype in frame.schema.items():
        type_, expr = _column(name, dtype)
        columns.append(Column(name, type_))
        exprs.append(expr.alias(name))
    return Values(tuple(columns), (), frame.select(exprs), ordered=True)


def _polars(value: Any) -> pl.DataFrame:
    if isinstance(value, pl.LazyFrame):
        return value.collect()
    if isinstance(value, pl.DataFrame):
        return value
    kind = f"{type(value).__module__.split('.')[0]}.{type(value).__name__}"
    if kind in ("pandas.DataFrame", "pyarrow.Table", "pyarrow.RecordBatch"):
        found = pl.from_pandas(value) if kind.startswith("pandas") else pl.from_arrow(value)
        assert isinstance(found, pl.DataFrame)
        return found
    raise diagnostics.not_bindable(type(value).__name__)


def _column(name: str, dtype: pl.DataType) -> tuple[ScalarType, pl.Expr]:
    c = pl.col(name)
    if dtype == pl.Boolean:
        return T.BOOL, c
    if dtype in (pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16):
        return T.INT, c.cast(pl.Int32)
    if dtype.is_integer():
        return T.LONG, c.cast(pl.Int64, strict=False)
    if dtype.is_float():
        return T.REAL, c.cast(pl.Float64)
    if dtype.is_decimal():
        return T.DECIMAL, c.cast(pl.Decimal(38, DECIMAL_SCALE), strict=False)
    if isinstance(dtype, pl.Datetime):
        utc = c.dt.convert_time_zone("UTC") if dtype.time_zone else c
        return T.DATETIME, utc.dt.cast_time_unit("us").to_physical() * 10
    if dtype == pl.Date:
        return T.DATETIME, c.cast(pl.Datetime("us")).to_physical() * 10
    if isinstance(dtype, pl.Duration):
        return T.TIMESPAN, c.dt.cast_time_unit("us").to_physical() * 10
    if isinstance(dtype, pl.List | pl.Array | pl.Struct):
        return T.DYNAMIC, c.map_batches(_nested, return_dtype=pl.String, is_elementwise=True)
    return T.STRING, c.cast(pl.String).fill_null("")


def _nested(series: pl.Series) -> pl.Series:
    from workbench.query.functions.forms import dumps

    return pl.Series(series.name, [dumps(_json(v)) for v in series.to_list()], pl.String)
