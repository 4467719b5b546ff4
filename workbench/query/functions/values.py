"""How one value of each KQL type is held in Polars, and dynamic values as JSON text."""

from __future__ import annotations

from typing import Any

import orjson
import polars as pl

from workbench.base.dtypes import ScalarType

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
        text = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
        return None if text == "null" else text  # NaN, which JSON does not have
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
