"""Lines and areas over time, numbers or categories: gaps stay gaps, a pointer reads all values at its x."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from workbench.query.charts import reduce
from workbench.query.charts.marks import (
    EXACT,
    WHEN,
    colour_of,
    data,
    finished,
    in_ms,
    keyed,
    named,
    near_zero,
    tooltip_x,
    without_log_zeros,
    x_of,
    y_of,
)
from workbench.query.charts.values import Shape

_FEW_POINTS = 40
_MOST_FLAGS = 500


def lines(shape: Shape) -> Any:
    asked = shape.properties
    area = shape.kind in ("areachart", "stackedareachart")
    stacked = area and (shape.kind == "stackedareachart" or asked.stack in ("stacked", "stacked100"))
    stack: Any = ("normalize" if asked.stack == "stacked100" else "zero") if stacked else None
    rule = reduce.rule_of(shape.y_names)
    points, names, rest = reduce.few_series(shape.frame, rule)
    points, log_note = without_log_zeros(shape, points)
    points = points.filter(pl.col("y").is_not_null())
    thin_note = None
    if shape.x_kind == "category":
        points = points.with_columns(o=pl.lit(False))
    else:
        if stacked:
            points = reduce.merged(points, rule)
        step = reduce.step_of(points["x"])
        points, thin_note = reduce.thin(reduce.runs(points, step).sort("x"), stacked)
        points = points.select("x", "y", "s", o=pl.lit(False)) if stacked else reduce.with_gaps(points)
    every = [*names, *([rest] if rest else [])]
    drawn = in_ms(shape, keyed(points, every))
    base = alt.Chart(data(drawn)).transform_calculate(name=named(every))
    x, y = x_of(shape, drawn), y_of(shape, points, area or near_zero(points), stack)
    colour = colour_of(shape, names, rest)
    mark = (
        base.mark_area(clip=True, line=True, fillOpacity=0.7 if stacked else 0.25)
        if area
        else base.mark_line(clip=True)
    )
    layers = [mark.encode(x=x, y=y, color=colour, **({"order": alt.Order("s:N")} if stacked else {}))]
    if not stacked:
        every_point = points.filter(pl.col("y").is_not_null()).height <= _FEW_POINTS
        dots = base if every_point else base.transform_filter("datum.o")
        if every_point or points["o"].any():
            layers.append(
                dots.mark_point(filled=True, size=28, opacity=1, clip=True).encode(x=x, y=y, color=colour)
            )
    if shape.flags is not None and shape.flags.height:
        layers.append(_flags(shape, shape.flags, x, y))
    layers.append(hover(shape, base, every, x))
    marks = points.filter(pl.col("y").is_not_null()).height
    return finished(alt.layer(*layers), shape, marks, every, [log_note, thin_note])


def _flags(shape: Shape, flags: pl.DataFrame, x: Any, y: Any) -> Any:
    """Marks of the points that are out of line: a triangle up above, down below what was expected."""
    drawn = in_ms(shape, flags.head(_MOST_FLAGS))
    base = alt.Chart(
        data(
            drawn.select("x", "y", "up", side=pl.when("up").then(pl.lit("above")).otherwise(pl.lit("below")))
        )
    )
    said = [
        alt.Tooltip("side:N", title="anomaly"),
        alt.Tooltip("y:Q", title=shape.y_title or "value", format=EXACT),
    ]
    if shape.x_kind == "time":
        base = base.transform_calculate(when=WHEN)
    return base.mark_point(filled=True, size=70, opacity=1, color="#D55E00", clip=True).encode(
        x=x,
        y=y,
        shape=alt.Shape(
            "side:N",
            scale=alt.Scale(domain=["above", "below"], range=["triangle-up", "triangle-down"]),
            legend=None,
        ),
        tooltip=[tooltip_x(shape), *said],
    )


def hover(shape: Shape, base: Any, names: Sequence[str], x: Any) -> Any:
    """An upright line at the nearest x with all values there; left out of pictures."""
    nearest = alt.selection_point(
        name=f"hover_at{shape.panel or ''}",
        nearest=True,
        on="pointerover",
        clear="pointerout",
        fields=["x"],
        empty=False,
    )
    values = [alt.Tooltip(f"s{i}:Q", title=n or " ", format=EXACT) for i, n in enumerate(names)]
    base = base.transform_filter("isValid(datum.y)").transform_pivot("s", value="y", groupby=["x"], op="max")
    if shape.x_kind == "time":
        base = base.transform_calculate(when=WHEN)
    return (
        base.mark_rule(color="#767676", strokeWidth=1, aria=False)
        .encode(
            x=x,
            opacity=alt.condition(nearest, alt.value(0.7), alt.value(0)),
            tooltip=[tooltip_x(shape), *values],
        )
        .add_params(nearest)
        .properties(name="hover")
    )
