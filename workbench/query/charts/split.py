"""Several value columns apart: a panel for each, one below the other, or each on an axis of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import altair as alt
import polars as pl

from workbench.query.charts import look, reduce
from workbench.query.charts.lines import hover
from workbench.query.charts.marks import (
    about,
    data,
    in_ms,
    keyed,
    meta_of,
    named,
    near_zero,
    value_axis,
    x_of,
)
from workbench.query.charts.values import Shape

_PANEL = 120
_AXIS_ROOM = 56


def panels(shape: Shape, draw: Callable[[Shape], Any]) -> Any:
    """The parts one below the other over the same x."""
    drawn, marks, notes = [], 0, [*shape.notes]
    for i, part in enumerate(shape.parts):
        last = i == len(shape.parts) - 1
        legend = part.properties.legend and last
        bare = replace(
            part, properties=replace(part.properties, legend=legend), x_title=part.x_title if last else ""
        )
        one = draw(bare)
        own = one.usermeta["workbench"]
        marks += own["marks"]
        notes += [f"{part.y_names[0]}: {note}" for note in own["notes"]]
        one = one.copy()
        for name in ("config", "usermeta", "description"):
            setattr(one, name, alt.Undefined)
        drawn.append(one.properties(width=look.NO_PLACE, height=_PANEL))
    said = about(shape, [y.y_names[0] for y in shape.parts])
    title = shape.properties.title
    return (
        alt.vconcat(*drawn, spacing=12)
        .properties(
            description=said,
            usermeta=meta_of(shape, marks, [p.y_names[0] for p in shape.parts], notes, said),
            **({"title": title} if title else {}),
        )
        .resolve_scale(x="shared" if shape.x_kind != "category" else "independent", color="independent")
        .configure(**look.config(panels=True))
    )


def axes(shape: Shape) -> Any:
    """The parts in one picture, each on an axis of its own; lines only."""
    parts, titles = [], {}
    for i, part in enumerate(shape.parts):
        points = part.frame.filter(pl.col("y").is_not_null())
        name = part.y_names[0]
        several = points["s"].n_unique() > 1
        points = points.with_columns(s=pl.col("s") + f": {name}" if several else pl.lit(name))
        points, kept, rest = reduce.few_series(points, reduce.rule_of(part.y_names))
        points, _ = reduce.thin(reduce.runs(points.sort("x"), reduce.step_of(points["x"])), False)
        parts.append((i, reduce.with_gaps(points), [*kept, *([rest] if rest else [])]))
        titles[i] = part.y_title
    every = [name for _, _, names in parts for name in names]
    colours = dict(zip(every, look.OKABE_ITO * (len(every) // 8 + 1), strict=False))
    frame = pl.concat([points.with_columns(a=pl.lit(i)) for i, points, _ in parts])
    drawn = in_ms(shape, keyed(frame, every))
    base = alt.Chart(data(drawn)).transform_calculate(name=named(every))
    x = x_of(shape, drawn)
    legend = alt.Legend() if shape.properties.legend else None
    colour = alt.Color("name:N", scale=alt.Scale(domain=every, range=list(colours.values())), legend=legend, title=None)  # fmt: skip
    layers = []
    for i, points, names in parts:
        own = value_axis(shape.parts[i], points, near_zero(points))
        first = colours[names[0]]
        ink = look.OKABE_ITO[-1] if len(names) > 1 else first
        axis = alt.Axis(
            title=titles[i], orient="left" if i == 0 else "right", offset=max(0, i - 1) * _AXIS_ROOM,
            titleColor=ink, grid=i == 0, tickCount=5, format=own["axis"].to_dict()["format"],
        )  # fmt: skip
        layers.append(
            base.transform_filter(f"datum.a === {i}")
            .mark_line(clip=True)
            .encode(x=x, y=alt.Y(**{**own, "axis": axis}), color=colour)
        )
    layers.append(hover(shape, base, every, x))
    marks = frame.filter(pl.col("y").is_not_null()).height
    said = about(shape, every)
    title = shape.properties.title
    return (
        alt.layer(*layers)
        .resolve_scale(y="independent")
        .properties(
            width="container", height=look.HEIGHT, description=said,
            usermeta=meta_of(shape, marks, every, list(shape.notes), said), **({"title": title} if title else {}),
        )
        .configure(**look.config())
    )  # fmt: skip
