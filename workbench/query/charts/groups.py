"""Kinds whose columns are groups: spans by lane, events by lane, tables of two groups, nested parts.

A result's frame and schema in, a `Shape` out whose frame is already as small as the picture: what goes
beyond the most lanes, cells or parts is put together as `other`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from workbench.base.diagnostics import kernel as diagnostics
from workbench.base.dtypes import Column, ScalarType, Schema, find_column
from workbench.query.charts.properties import Properties
from workbench.query.charts.values import (
    GROUPS,
    VALUES,
    Shape,
    as_float,
    clean,
    labels,
    told,
    unit_of,
    with_unit,
)

MOST_LANES, MOST_SPANS, BINS = 24, 2_000, 160
MOST_ROWS, MOST_COLUMNS, MOST_PARTS = 24, 16, 60


def ladder(frame: pl.DataFrame, schema: Schema, asked: Properties) -> Shape:
    """A bar from a start to an end in the lane of its group.

    The frame has x and e (start and end, Int64 µs or Float64), l (lane) and s (series, the colour).
    Start and end are the first two datetimes, a datetime and a timespan, or the last two numbers.
    """
    times = [c for c in schema if c.type is ScalarType.DATETIME]
    spans = [c for c in schema if c.type is ScalarType.TIMESPAN]
    numbers = [c for c in schema if c.type in VALUES and c.type is not ScalarType.TIMESPAN]
    if len(times) >= 2 or (times and spans):
        first, last = times[0], times[1] if len(times) >= 2 else spans[0]
        start = frame[first.name].cast(pl.Int64)
        end = frame[last.name].cast(pl.Int64) + (start if last.type is ScalarType.TIMESPAN else 0)
        kind, title = "time", f"{first.name} – {last.name} (UTC)"
    elif len(numbers) >= 2:
        first, last = numbers[-2:]
        start, end = as_float(frame[first.name], first.type), as_float(frame[last.name], last.type)
        kind, title = "number", f"{first.name} – {last.name}"
    else:
        raise diagnostics.nothing_to_draw("ladderchart", "a start and an end: two datetimes", told(schema))
    lanes = _groups(frame, tuple(c for c in schema if c.name not in (asked.series or ())), ())
    colours = _groups(frame, schema, asked.series) if asked.series else None
    points = pl.DataFrame({"x": start, "e": end}).with_columns(
        l=lanes if lanes is not None else pl.lit(first.name),
        s=colours if colours is not None else pl.lit(""),
    )
    notes = []
    open_ended = points.filter(pl.col("e").is_null() & pl.col("x").is_not_null()).height
    if open_ended:
        notes.append(f"{open_ended:,} without {last.name} drawn to the last moment")
        points = points.with_columns(e=pl.col("e").fill_null(pl.max_horizontal(pl.col("e").max(), pl.col("x").max())))  # fmt: skip
    kept = points.filter(pl.col("x").is_not_null() & (pl.col("e") >= pl.col("x")))
    if kept.height < points.height:
        notes.append(f"{points.height - kept.height:,} rows that end before they start, or have no start, left out")  # fmt: skip
    order = kept.group_by("l", maintain_order=True).agg(pl.col("x").min()).sort("x", maintain_order=True)["l"].to_list()  # fmt: skip
    if len(order) > MOST_LANES:
        notes.append(f"{MOST_LANES} of {len(order):,} lanes shown")
        kept = kept.filter(pl.col("l").is_in(order[:MOST_LANES]))
    if kept.height > MOST_SPANS:
        notes.append(f"the longest {MOST_SPANS:,} of {kept.height:,} shown")
        kept = kept.sort(pl.col("e") - pl.col("x"), descending=True).head(MOST_SPANS)
    x_title = asked.x_title if asked.x_title is not None else title
    return Shape("ladderchart", kept, kind, x_title, asked.y_title or "", (last.name,), asked, tuple(notes),
                 more={"lanes": order[:MOST_LANES]})  # fmt: skip


def timepivot(frame: pl.DataFrame, schema: Schema, asked: Properties) -> Shape:
    """How much of each group lies in each stretch of time.

    The frame has x and e (the stretch, Int64 µs), l (lane) and y: rows, or the sum of `ycolumns`.
    """
    time = _column(schema, asked.x_column, "xcolumn") if asked.x_column else _first(schema, ScalarType.DATETIME)  # fmt: skip
    if time is None or time.type is not ScalarType.DATETIME:
        raise diagnostics.nothing_to_draw("timepivot", "a datetime column", told(schema))
    y = _column(schema, asked.y_columns[0], "ycolumns") if asked.y_columns else None
    lanes = _groups(frame, schema, asked.series or ())
    points = pl.DataFrame({"x": frame[time.name].cast(pl.Int64)}).with_columns(
        l=lanes if lanes is not None else pl.lit("rows"),
        y=pl.lit(1.0) if y is None else as_float(frame[y.name], y.type),
    )
    without = points["x"].null_count()
    notes = [f"{without:,} rows without {time.name} left out"] if without else []
    points = points.filter(pl.col("x").is_not_null())
    points, order = _fewer(points, "l", MOST_LANES)
    low: Any = points["x"].min()
    high: Any = points["x"].max()
    wide = max((high - low) // BINS + 1, 1) if points.height else 1
    binned = (
        points.with_columns(x=(pl.col("x") - (low or 0)) // wide * wide + (low or 0))
        .group_by("x", "l")
        .agg(y=pl.col("y").sum())
        .with_columns(e=pl.col("x") + wide)
        .sort("x", "l")
    )
    x_title = asked.x_title if asked.x_title is not None else with_unit(time.name, "UTC")
    counted = "rows" if y is None else y.name
    return Shape("timepivot", binned, "time", x_title, counted, (counted,), asked, tuple(notes),
                 more={"lanes": order})  # fmt: skip


def pivot(frame: pl.DataFrame, schema: Schema, asked: Properties) -> Shape:
    """A table of two groups: the frame has l (row), x (column) and y (sum of the value column).

    With one group the number columns are the columns of the table.
    """
    found = [c for c in schema if c.type in GROUPS or c.type is ScalarType.DATETIME]
    values = [c for c in schema if c.type in VALUES]
    if asked.y_columns is not None:
        values = [_column(schema, name, "ycolumns") for name in asked.y_columns]
    if not found:
        raise diagnostics.nothing_to_draw("pivotchart", "a column to group by", told(schema))
    rows = found[0]
    down = clean(frame[rows.name], rows.type)
    if len(found) > 1 or not values:
        across = _groups(frame, schema, tuple(c.name for c in found[1:])) if len(found) > 1 else None
        y = as_float(frame[values[0].name], values[0].type) if values else pl.Series([1.0] * frame.height)
        parts = [pl.DataFrame({"l": down, "y": y}).with_columns(x=across if across is not None else pl.lit("rows"))]  # fmt: skip
        x_title, y_title = " · ".join(c.name for c in found[1:]), values[0].name if values else "rows"
    else:
        parts = [
            pl.DataFrame({"l": down, "y": as_float(frame[v.name], v.type)}).with_columns(x=pl.lit(v.name))
            for v in values
        ]
        x_title, y_title = "", values[0].name if len(values) == 1 else "value"
    points = pl.concat([p.select("l", "x", "y") for p in parts])
    points, lanes = _fewer(points, "l", MOST_ROWS)
    points, columns = _fewer(points, "x", MOST_COLUMNS)
    cells = points.group_by("l", "x", maintain_order=True).agg(y=pl.col("y").sum())
    return Shape(
        "pivotchart", cells, "category", asked.x_title if asked.x_title is not None else x_title,
        y_title, tuple(v.name for v in values), asked, (), more={"lanes": lanes, "columns": columns, "rows": rows.name},
    )  # fmt: skip


def treemap(frame: pl.DataFrame, schema: Schema, asked: Properties) -> Shape:
    """Parts within parts: the frame has s (outermost group), l (the whole path) and y."""
    names = asked.series or tuple(c.name for c in schema if c.type in GROUPS and c.name != asked.x_column)
    if asked.x_column:
        names = (asked.x_column, *names)
    groups = [_column(schema, name, "series") for name in names]
    values = [c for c in schema if c.type in VALUES]
    if asked.y_columns:
        values = [_column(schema, asked.y_columns[0], "ycolumns")]
    if not groups or not values:
        raise diagnostics.nothing_to_draw("treemap", "a column to group by and a column of numbers", told(schema))  # fmt: skip
    unit, factors = unit_of(frame, values[:1])
    path = labels(frame, groups)
    outer = clean(frame[groups[0].name], groups[0].type)
    points = pl.DataFrame({"s": outer, "y": as_float(frame[values[0].name], values[0].type) / factors[values[0].name]})  # fmt: skip
    points = points.with_columns(l=path if path is not None else outer)
    kept = points.filter(pl.col("y") > 0)
    left = points.height - kept.height
    notes = [f"{left:,} parts of zero or less left out"] if left else []
    summed = kept.group_by("s", "l", maintain_order=True).agg(y=pl.col("y").sum())
    summed = summed.sort("y", descending=True, maintain_order=True)
    if summed.height > MOST_PARTS:
        rest = summed.slice(MOST_PARTS)
        one = f"other ({rest.height:,})"
        tail = pl.DataFrame({"s": [one], "l": [one], "y": [float(rest["y"].sum())]})
        summed = pl.concat([summed.head(MOST_PARTS), tail])
    title = with_unit(values[0].name, unit)
    return Shape("treemap", summed, "category", " · ".join(g.name for g in groups), title, (values[0].name,), asked,
                 tuple(notes), more={"deep": len(groups) > 1})  # fmt: skip


SHAPERS: dict[str, Callable[[pl.DataFrame, Schema, Properties], Shape]] = {
    "ladderchart": ladder,
    "timepivot": timepivot,
    "pivotchart": pivot,
    "treemap": treemap,
}


def _first(schema: Schema, kql: ScalarType) -> Column | None:
    return next((c for c in schema if c.type is kql), None)


def _column(schema: Schema, name: str, prop: str) -> Column:
    found = find_column(schema, name)
    if found is None:
        raise diagnostics.no_such_column(name, prop, [c.name for c in schema])
    return found


def _groups(frame: pl.DataFrame, schema: Schema, names: tuple[str, ...]) -> pl.Series | None:
    """The labels of those columns, or of all that are groups."""
    columns = [_column(schema, n, "series") for n in names] or [c for c in schema if c.type in GROUPS]
    return labels(frame, columns)


def _fewer(points: pl.DataFrame, by: str, most: int) -> tuple[pl.DataFrame, list[str]]:
    """The `most` largest values of a column in the order they came; the others under one name, last."""
    sizes = (
        points.with_row_index("at").group_by(by).agg(size=pl.col("y").abs().sum(), at=pl.col("at").min())
    )  # fmt: skip
    if sizes.height <= most:
        return points, sizes.sort("at")[by].to_list()
    kept = sizes.sort(["size", "at"], descending=[True, False]).head(most).sort("at")[by].to_list()
    rest = f"other ({sizes.height - most:,}, sum)"
    named = points.with_columns(pl.when(pl.col(by).is_in(kept)).then(by).otherwise(pl.lit(rest)).alias(by))
    return named, [*kept, rest]
