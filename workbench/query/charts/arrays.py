"""Dynamic columns that hold arrays (`make-series`, decomposition functions) as rows: a value a row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType, Schema, parse_datetime
from workbench.query.charts.values import parsed


def unfolded(frame: pl.DataFrame, schema: Schema) -> tuple[pl.DataFrame, Schema]:
    """Arrays of numbers and times as rows; other columns repeated beside them."""
    arrays: dict[str, tuple[ScalarType, list[list[Any]]]] = {}
    for i, column in enumerate(schema):
        if column.type is ScalarType.DYNAMIC:
            found = _arrays(frame.to_series(i))
            if found is not None:
                arrays[column.name] = found
    if not arrays:
        return frame, schema
    longest = [max(len(a[1][row]) for a in arrays.values()) for row in range(frame.height)]
    parts = []
    for column in schema:
        if column.name not in arrays:
            parts.append(frame[column.name])
            continue
        kql, lists = arrays[column.name]
        padded = [row + [None] * (n - len(row)) for row, n in zip(lists, longest, strict=True)]
        inner = pl.Int64 if kql is ScalarType.DATETIME else pl.Float64
        series = pl.Series(column.name, padded, dtype=pl.List(inner))
        parts.append(series.cast(pl.List(pl.Datetime("us", "UTC"))) if kql is ScalarType.DATETIME else series)
    changed = tuple(replace(c, type=arrays[c.name][0]) if c.name in arrays else c for c in schema)
    return pl.DataFrame(parts).explode(list(arrays)), changed


def _arrays(column: pl.Series) -> tuple[ScalarType, list[list[Any]]] | None:
    """The lists of a dynamic column when it holds arrays of numbers or of times, else None."""
    lists: list[list[Any]] = []
    for value in column:
        found = parsed(value)
        if found is not None and not isinstance(found, list):
            return None
        lists.append(found or [])
    values = [v for row in lists for v in row if v is not None]
    if not values:
        return None
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        return ScalarType.REAL, [[None if v is None else float(v) for v in row] for row in lists]
    if all(isinstance(v, str) for v in values):
        ticks = [[None if v is None else parse_datetime(v) for v in row] for row in lists]
        if all(
            t is not None
            for row, old in zip(ticks, lists, strict=True)
            for t, o in zip(row, old, strict=True)
            if o
        ):
            return ScalarType.DATETIME, [[None if t is None else t // 10 for t in row] for row in ticks]
    return None
