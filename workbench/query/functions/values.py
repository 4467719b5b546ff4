"""How one value of each KQL type is held in Polars, and dynamic values as JSON text."""

from __future__ import annotations

import polars as pl

from workbench.base.dtypes import DECIMAL_SCALE, ScalarType
from workbench.base.json_values import dumps, loads

DECIMAL_TYPE = pl.Decimal(38, DECIMAL_SCALE)

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

__all__ = ["DECIMAL_TYPE", "POLARS_TYPES", "dumps", "loads"]
