"""Columns and bars: grouped, stacked or shares; by category, by bin of time, or along an axis of time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import altair as alt
import polars as pl

from workbench.query.charts import look, reduce
from workbench.query.charts.marks import (
    WHEN,
    angle,
    colour_of,
    data,
    finished,
    in_ms,
    keyed,
    log_floor,
    named,
    tooltips,
    value_axis,
    without_log_zeros,
    x_of,
    y_of,
)  # fmt: skip
from workbench.query.charts.values import Shape

_MOST_BARS = 30
_MOST_BINS_AS_BARS = 48
_MANY_MARKS = 100
_STACKS = {"stacked": "zero", "stacked100": "normalize"}


def bars(shape: Shape) -> Any:
    """A bar for each x and series; an axis of time when there are many bins."""
    rule = reduce.rule_of(shape.y_names)
    points, names, rest = reduce.few_series(shape.frame, rule)
    points, log_note = without_log_zeros(shape, points.filter(pl.col("y").is_not_null()))
    points = reduce.merged(points, rule)
    stack = None if shape.properties.y_log else _STACKS.get(shape.properties.stack)
    if shape.x_kind != "time":
        points, domain, left = reduce.few_categories(points, rule, _MOST_BARS)
        notes = [log_note, f"{_MOST_BARS} largest shown" if left else None]
        return _bands(shape, points, domain, names, rest, stack, notes)
    bins = _bins(points["x"])
    if bins is None:
        return _along_time(shape, points, names, rest, stack or "zero", [log_note])
    points = points.with_columns(x=_bin_labels(points["x"]))
    domain = _bin_labels(pl.Series(bins, dtype=pl.Int64)).to_list()
    bands = replace(shape, x_kind="category")
    return _bands(bands, points, domain, names, rest, stack, [log_note], _times_of_labels(domain))


def _bands(
    shape: Shape, points: pl.DataFrame, domain: list[str], names: list[str], rest: str | None,
    stack: str | None, notes: list[str | None], words: str | None = None,
) -> Any:  # fmt: skip
    """A band for each x: side by side for several series, unless they are stacked."""
    every = [*names, *([rest] if rest else [])]
    flat = shape.kind == "barchart"
    grouped = stack is None and len(every) > 1
    turned = 0 if flat or words else angle(pl.Series(domain, dtype=pl.String))
    axis = alt.Axis(
        **({"labelExpr": words} if words else {}),
        grid=False,
        labelOverlap=not flat and turned == 0,
        labelAngle=turned,
        labelLimit=120 if turned else 180,
    )
    scale = alt.Scale(domain=domain)
    band = {
        "field": "x",
        "type": "nominal",
        "title": shape.x_title or None,
        "sort": domain,
        "scale": scale,
        "axis": axis,
    }
    value = value_axis(shape, points, True, stack)
    side: dict[str, Any] = (
        {"y": alt.Y(**band), "x": alt.X(**value)} if flat else {"x": alt.X(**band), "y": alt.Y(**value)}
    )
    if grouped:
        side |= (
            {"yOffset": alt.YOffset("name:N", sort=every)}
            if flat
            else {"xOffset": alt.XOffset("name:N", sort=every)}
        )
    if stack is not None:
        side |= {"order": alt.Order("s:N")}
    if shape.properties.y_log:
        side |= {"x2": alt.X2Datum(log_floor(points))} if flat else {"y2": alt.Y2Datum(log_floor(points))}
    few = not grouped and len(domain) <= 4
    slim = {"height" if flat else "width": alt.RelativeBandSize(band=0.45)} if few else {}
    chart = (
        alt.Chart(data(keyed(points, every)))
        .transform_calculate(name=named(every))
        .mark_bar(clip=True, aria=points.height <= _MANY_MARKS, **slim)
        .encode(color=colour_of(shape, names, rest), tooltip=tooltips(shape, every), **side)
    )
    rows = len(domain) * (len(every) if grouped else 1)
    height = min(900, max(look.HEIGHT, 18 * rows)) if flat else look.HEIGHT
    return finished(chart, shape, points.height, every, notes, height)


def _bins(x: pl.Series) -> list[int] | None:
    """Every bin of the axis, empty ones too; None when they are no bins or too many to be bands."""
    step = reduce.step_of(x)
    values = x.unique().sort()
    if step is None or values.is_empty():
        return values.to_list() if values.len() <= _MOST_BINS_AS_BARS else None
    low, high = int(values[0]), int(values[-1])
    count = round((high - low) / step) + 1
    return [low + round(i * step) for i in range(count)] if count <= _MOST_BINS_AS_BARS else None


def _bin_labels(x: pl.Series) -> pl.Series:
    """Bins by as much of their start as tells them apart."""
    if bool((x % 86_400_000_000 == 0).all()):
        form = "%Y-%m-%d"
    else:
        form = "%m-%d %H:%M" if bool((x % 60_000_000 == 0).all()) else "%H:%M:%S"
    return x.cast(pl.Datetime("us")).dt.to_string(form)


def _times_of_labels(domain: list[str]) -> str | None:
    """A Vega expression that shows the date of a bin only where it changes."""
    if not domain or len(domain[0]) != len("11-23 14:00"):
        return None
    time = "slice(datum.label, 6)"
    return f"datum.index === 0 || {time} === '00:00' ? [{time}, slice(datum.label, 0, 5)] : {time}"


def _along_time(
    shape: Shape,
    points: pl.DataFrame,
    names: list[str],
    rest: str | None,
    stack: str,
    notes: list[str | None],
) -> Any:
    """Many bins: bars as wide as a bin on an axis of time, stacked by series."""
    every = [*names, *([rest] if rest else [])]
    low: Any = points["x"].min()
    high: Any = points["x"].max()
    step = reduce.step_of(points["x"]) or max(1, (high - low) / 200)
    wide = int(max(step, (high - low) / 400))
    if wide > step:
        points = points.with_columns(x=(pl.col("x") - low) // wide * wide + low)
        points = reduce.merged(points, reduce.rule_of(shape.y_names))
    points = _stacked(points, every, share=stack == "normalize")
    drawn = in_ms(shape, keyed(points, every)).with_columns(e=pl.col("x") + round(wide * 0.92 / 1000))
    if shape.properties.y_log:
        drawn = drawn.with_columns(low=pl.lit(log_floor(points)))
    reach = points.select(y="high")
    chart = (
        alt.Chart(data(drawn))
        .transform_calculate(name=named(every), when=WHEN)
        .mark_bar(clip=True, aria=points.height <= _MANY_MARKS)
        .encode(
            x=x_of(shape, drawn),
            x2="e:T",
            y=y_of(shape, reach, True, stack).field("high"),
            y2="low:Q",
            color=colour_of(shape, names, rest),
            tooltip=tooltips(shape, every),
        )
    )
    return finished(chart, shape, points.height, every, notes)


def _stacked(points: pl.DataFrame, names: list[str], share: bool) -> pl.DataFrame:
    """Where each bar starts and ends (`low`, `high`): a bar with two x values is not stacked by itself."""
    order = {name: i for i, name in enumerate(names)}
    ordered = points.sort(
        ["x", pl.col("s").replace_strict(order, return_dtype=pl.Int32)], maintain_order=True
    )
    part = pl.col("y") / pl.col("y").sum().over("x") if share else pl.col("y")
    high = part.cum_sum().over("x")
    return ordered.with_columns(low=high - part, high=high)
