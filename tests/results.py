"""Results made by hand, for tests of what is shown of them."""

from __future__ import annotations

from typing import Any

import polars as pl

from workbench.base.dtypes import Column, ScalarType
from workbench.query.result import Render, Result, Statistics

TYPES: dict[ScalarType, Any] = {
    ScalarType.BOOL: pl.Boolean, ScalarType.INT: pl.Int32, ScalarType.LONG: pl.Int64, ScalarType.REAL: pl.Float64,
    ScalarType.DATETIME: pl.Datetime("us", "UTC"), ScalarType.TIMESPAN: pl.Duration("us"),
}  # fmt: skip


def result(
    columns: dict[str, tuple[ScalarType, list[Any]]],
    render: str | None = None,
    properties: dict[str, Any] | None = None,
    statistics: Statistics | None = None,
    truncated: bool = False,
) -> Result:
    """A `Result` from name → (type, values)."""
    frame = pl.DataFrame(
        [pl.Series(name, values, dtype=TYPES.get(kql, pl.String)) for name, (kql, values) in columns.items()]
    )
    schema = tuple(Column(name, kql) for name, (kql, _) in columns.items())
    asked = Render(render, properties or {}) if render else None
    return Result(frame, schema, render=asked, statistics=statistics, truncated=truncated)
