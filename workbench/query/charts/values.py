"""What is to be drawn (`Shape`), and values of columns for it: numbers with a unit, labels of one line.

Knows KQL types and Polars, and nothing of how a kind of chart looks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from workbench.base.dtypes import Column, ScalarType, Schema
from workbench.query.charts.properties import Properties

VALUES = frozenset(
    {ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL, ScalarType.TIMESPAN}
)
GROUPS = frozenset({ScalarType.STRING, ScalarType.GUID, ScalarType.BOOL})
_DURATIONS = (("d", 86_400e6), ("h", 3_600e6), ("min", 60e6), ("s", 1e6), ("ms", 1e3), ("µs", 1.0))
_BYTES = (("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("B", 1))
_UNSEEN = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]"
_LONGEST_LABEL = 200


@dataclass(frozen=True, slots=True)
class Shape:
    """A result as points.

    Attributes
    ----------
    kind : str
        A name of `properties.KINDS`.
    frame : polars.DataFrame
        x, y, s; in the order of the result.
    x_kind : str
        `time`, `number` or `category`.
    x_title, y_title : str
        With unit.
    y_names : tuple of str
        The value columns, for the rule by which a rest is put together.
    notes : tuple of str
        What a reader has to know: rows left out and the like.
    flags : polars.DataFrame or None
        x, y, s and up (Boolean): the points that an anomalychart marks.
    parts : tuple of Shape
        One for each y column where they stand apart (`ysplit`).
    panel : int
        Which part this is.
    more : mapping of str
        What a kind of `groups` needs beside.
    """

    kind: str
    frame: pl.DataFrame
    x_kind: str
    x_title: str
    y_title: str
    y_names: tuple[str, ...]
    properties: Properties
    notes: tuple[str, ...] = ()
    flags: pl.DataFrame | None = None
    parts: tuple[Shape, ...] = ()
    panel: int = 0
    more: Mapping[str, Any] = field(default_factory=dict)


def told(schema: Schema) -> list[tuple[str, str]]:
    """Names and types, as messages show them."""
    return [(c.name, c.type.value) for c in schema]


def with_unit(name: str, unit: str) -> str:
    return f"{name} ({unit})".strip() if unit else name


def as_float(column: pl.Series, kql: ScalarType) -> pl.Series:
    return column.cast(pl.Int64 if kql is ScalarType.TIMESPAN else pl.Float64, strict=False).cast(pl.Float64)


def unit_of(frame: pl.DataFrame, columns: Sequence[Column]) -> tuple[str, dict[str, float]]:
    """The unit of the axis, and by what to divide each column: durations are kept in µs, bytes in bytes."""
    spans = [c for c in columns if c.type is ScalarType.TIMESPAN]
    sizes = [c for c in columns if c.name.lower().endswith("bytes") and c.type in VALUES and c not in spans]
    factors = dict.fromkeys((c.name for c in columns), 1.0)
    for kind, units in ((spans, _DURATIONS), (sizes, _BYTES)):
        if not kind:
            continue
        largest = max((_largest(as_float(frame[c.name], c.type)) for c in kind), default=0.0)
        name, size = next(((n, s) for n, s in units if largest >= s), units[-1] if largest else ("s", 1e6))
        if largest == 0.0 and kind is sizes:
            name, size = units[-1]
        if len(kind) == len(columns) or kind is spans:
            factors.update((c.name, float(size)) for c in kind)
        if len(kind) == len(columns):
            return name, factors
    return "", factors


def _largest(column: pl.Series) -> float:
    found: Any = column.abs().max()
    return 0.0 if found is None else float(found)


def labels(frame: pl.DataFrame, columns: Sequence[Column]) -> pl.Series | None:
    """The name of each row's series, or None where there is one series."""
    if not columns:
        return None
    cleaned = [clean(frame[c.name], c.type).alias(str(i)) for i, c in enumerate(columns)]
    return pl.DataFrame(cleaned).select(pl.concat_str(pl.all(), separator=" · ")).to_series()


def clean(column: pl.Series, kql: ScalarType) -> pl.Series:
    """Values as labels: one printable line each, something to read also for null and empty."""
    if kql is ScalarType.DATETIME:
        text = column.dt.to_string("%Y-%m-%d %H:%M:%S")
    elif kql in (ScalarType.REAL, ScalarType.TIMESPAN):
        text = pl.Series(
            [None if v is None else f"{v:g}" if isinstance(v, float) else str(v) for v in column],
            dtype=pl.String,
        )
    elif column.dtype.is_nested():
        text = pl.Series(
            [None if v is None else json.dumps(parsed(v), default=str) for v in column], dtype=pl.String
        )
    else:
        text = column.cast(pl.String)
    text = text.str.slice(0, _LONGEST_LABEL).str.replace_all(_UNSEEN, "\ufffd")
    missing = "(empty)" if kql is ScalarType.STRING else "–"
    return text.fill_null(missing).replace("", "(empty)")


def parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value.to_list() if isinstance(value, pl.Series) else value
    if not value.startswith("["):
        return None if not value or value == "null" else value
    try:
        return json.loads(value)
    except ValueError:
        return value
