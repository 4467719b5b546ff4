"""Parts of a whole, clouds of points, and cards of figures."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from workbench.query.charts import look, reduce
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
    tooltips,
    without_log_zeros,
    x_of,
    y_of,
)
from workbench.query.charts.values import Shape


def pie(shape: Shape) -> Any:
    rule = "sum"
    whole = shape.frame.filter(pl.col("y") > 0).with_columns(s=pl.col("x"))
    left = shape.frame.height - whole.height
    points, names, rest = reduce.few_series(whole, rule)
    points = points.group_by("s").agg(y=pl.col("y").sum()).sort("y", descending=True)
    total: Any = points["y"].sum()
    shares = {row["s"]: row["y"] / total for row in points.to_dicts()} if total else {}
    ordered = [n for n in points["s"].to_list() if n != rest]
    every = [*ordered, *([rest] if rest else [])]
    told = {n: f"{n}  {shares[n]:.1%}" for n in every}
    palette = look.colours(ordered if len(ordered) > 1 else names, rest)
    rows = [
        {"name": told[n], "y": y, "share": shares[n], "at": every.index(n)}
        for n, y in points.select("s", "y").rows()
    ]
    scale = alt.Scale(domain=[told[n] for n in every], range=[palette[n] for n in every])
    legend = alt.Legend(orient="right", columns=1) if shape.properties.legend else None
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_arc(outerRadius=105, stroke="#8884", strokeWidth=0.6)
        .encode(
            theta=alt.Theta("y:Q", stack=True),
            order=alt.Order("at:Q"),
            color=alt.Color("name:N", scale=scale, legend=legend, title=None),
            tooltip=[
                alt.Tooltip("name:N", title=shape.x_title or "part"),
                alt.Tooltip("y:Q", title=shape.y_title or "value", format=EXACT),
                alt.Tooltip("share:Q", format=".2%"),
            ],
        )
    )
    note = f"{left:,} parts of zero or less left out" if left else None
    return finished(chart, shape, len(rows), every, [note])


def cloud(shape: Shape) -> Any:
    points, names, rest = shape.frame, sorted(set(shape.frame["s"].to_list())), None
    if len(names) > reduce.MOST_SERIES:
        sizes = points.group_by("s").len().sort("len", descending=True)["s"].to_list()
        names = sizes[: reduce.MOST_SERIES]
        rest = f"other ({len(sizes) - reduce.MOST_SERIES:,})"
        points = points.with_columns(s=pl.when(pl.col("s").is_in(names)).then("s").otherwise(pl.lit(rest)))
    points, log_note = without_log_zeros(shape, points.filter(pl.col("y").is_not_null()))
    thin_note = None
    if shape.x_kind != "category":
        points, thin_note = reduce.thin_cloud(points)
    every = [*names, *([rest] if rest else [])]
    drawn = in_ms(shape, keyed(points, every))
    base = alt.Chart(data(drawn)).transform_calculate(name=named(every))
    if shape.x_kind == "time":
        base = base.transform_calculate(when=WHEN)
    chart = base.mark_point(filled=True, size=24, opacity=0.65, clip=True, aria=points.height <= 100).encode(
        x=x_of(shape, drawn),
        y=y_of(shape, points, near_zero(points)),
        color=colour_of(shape, names, rest),
        tooltip=tooltips(shape, every),
    )
    return finished(chart, shape, points.height, every, [log_note, thin_note])


def card(shape: Shape) -> Any:
    rows = [{"at": i, "name": n, "figure": f} for i, (n, f) in enumerate(shape.frame.select("x", "s").rows())]
    base = alt.Chart(alt.Data(values=rows)).encode(
        x=alt.X("at:O", axis=None, scale=alt.Scale(type="band")),
        tooltip=[alt.Tooltip("name:N"), alt.Tooltip("figure:N")],
    )
    size = 40 if max(len(r["figure"]) for r in rows) * len(rows) <= 40 else 22
    figures = base.mark_text(fontSize=size, fontWeight=600, dy=-8, limit=0).encode(text="figure:N")
    names = base.mark_text(fontSize=12, dy=26, color="#767676").encode(text="name:N")
    return finished(alt.layer(figures, names), shape, len(rows), [], [], 110)
