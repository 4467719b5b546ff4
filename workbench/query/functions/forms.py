"""Forms of values in Polars, and conversions between KQL types.

Everything that knows how a KQL type is held in Polars is here: literals, form changes, casts.
"""

from __future__ import annotations

from typing import Any

import orjson
import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _cast
from workbench.query.lowering import Form, Value

DECIMAL_TYPE = pl.Decimal(38, 12)  # wide enough for parse_version, which needs 25 whole digits

POLARS_TYPES: dict[ScalarType, pl.DataType] = {
    ScalarType.BOOL: pl.Boolean(),
    ScalarType.INT: pl.Int32(),
    ScalarType.LONG: pl.Int64(),
    ScalarType.REAL: pl.Float64(),
    ScalarType.DECIMAL: DECIMAL_TYPE,
    ScalarType.STRING: pl.String(),
    ScalarType.DATETIME: pl.Int64(),
    ScalarType.TIMESPAN: pl.Int64(),
    ScalarType.DYNAMIC: pl.String(),
    ScalarType.GUID: pl.String(),
}


def dumps(value: Any) -> str | None:
    """A Python value of JSON shape as compact text; None is null."""
    if value is None:
        return None
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except (orjson.JSONEncodeError, TypeError):
        import json

        return json.dumps(value, default=str, separators=(",", ":"), ensure_ascii=False)


def loads(text: str | None) -> Any:
    """JSON text as a Python value; text that is no JSON stays a string, as in `parse_json`."""
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        import json

        try:
            # Numbers beyond 64 bits and lone surrogates are for the slower, laxer reader.
            return json.loads(text)
        except ValueError:
            return text


def literal(value: Any, type_: ScalarType) -> pl.Expr:
    """A constant in canonical form."""
    dtype = POLARS_TYPES[type_]
    if type_ is ScalarType.DYNAMIC:
        value = dumps(value)
    if type_ is ScalarType.STRING and value is None:
        value = ""
    if type_ is ScalarType.DECIMAL and value is not None:
        from decimal import Decimal

        return pl.lit(Decimal(str(value))).cast(dtype)
    return pl.lit(value, dtype=dtype)


def canonical(value: Value) -> pl.Expr:
    """The expression in the canonical form of its type."""
    if value.form is Form.CANONICAL:
        return value.expr
    if value.form is Form.NULLABLE:
        return value.expr.fill_null("")
    if value.form is Form.MICROSECONDS:
        return value.expr.to_physical() * 10
    return value.expr.map_batches(
        lambda s: pl.Series(s.name, [None if v is None else dumps(list(v)) for v in s], pl.String),
        return_dtype=pl.String, is_elementwise=True,
    )  # fmt: skip


def converted(value: Value, to: ScalarType) -> Value:
    """The value as another type; what does not convert is null ("" for a string)."""
    if value.type is to:
        return value
    return Value(_cast.cast(canonical(value), value.type, to), to)
