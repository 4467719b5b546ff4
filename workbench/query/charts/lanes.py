"""Charts in lanes and cells: spans from start to end, events by stretch of time, tables of two groups."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from workbench.query.charts import look, reduce
from workbench.query.charts.marks import EXACT, colour_of, data, finished, keyed, named, x_of
from workbench.query.charts.values import Shape

_LANE = 22
_FROM = "utcFormat(datum.x, '%Y-%m-%d %H:%M:%S')"
_TO = "utcFormat(datum.e, '%Y-%m-%d %H:%M:%S')"


def ladder(shape: Shape) -> Any:
    """A bar from start to end, a lane for each group."""
    names = shape.frame["s"].unique(maintain_order=True).to_list()
    points, rest = shape.frame, None
    if len(names) > reduce.MOST_SERIES:
        rest = f"other ({len(names) - reduce.MOST_SERIES:,})"
        names = names[: reduce.MOST_SERIES]
        points = points.with_columns(s=pl.when(pl.col("s").is_in(names)).then("s").otherwise(pl.lit(rest)))
    every = [*names, *([rest] if rest else [])]
    drawn = _ms(shape, keyed(points, every))
    base = alt.Chart(data(drawn)).transform_calculate(name=named(every))
    if shape.x_kind == "time":
        base = base.transform_calculate(begun=_FROM, ended=_TO)
        said = [alt.Tooltip("begun:N", title="from"), alt.Tooltip("ended:N", title="to")]
    else:
        said = [alt.Tooltip("x:Q", title="from", format=EXACT), alt.Tooltip("e:Q", title="to", format=EXACT)]
    reach = pl.concat([drawn.select("x"), drawn.select(x="e")])
    chart = base.mark_bar(clip=True, aria=drawn.height <= 100, minBandSize=2, opacity=0.85).encode(
        x=x_of(shape, reach),
        x2="e:T" if shape.x_kind == "time" else "e:Q",
        y=_lane_axis(shape),
        color=colour_of(shape, names, rest),
        tooltip=[alt.Tooltip("l:N", title="of"), *said],
    )
    return finished(chart, shape, drawn.height, every, [], _height(shape))


def timepivot(shape: Shape) -> Any:
    """A cell for each lane and stretch of time; the more rows, the stronger."""
    drawn = _ms(shape, shape.frame)
    base = alt.Chart(data(drawn)).transform_calculate(begun=_FROM, ended=_TO)
    reach = pl.concat([drawn.select("x"), drawn.select(x="e")])
    chart = base.mark_rect(color=look.ONE_SERIES, aria=False).encode(
        x=x_of(shape, reach),
        x2="e:T",
        y=_lane_axis(shape),
        opacity=alt.Opacity("y:Q", scale=alt.Scale(range=[0.25, 1], zero=True), legend=None),
        tooltip=[
            alt.Tooltip("l:N", title="of"), alt.Tooltip("begun:N", title="from"), alt.Tooltip("ended:N", title="to"),
            alt.Tooltip("y:Q", title=shape.y_title, format=EXACT),
        ],
    )  # fmt: skip
    return finished(chart, shape, drawn.height, shape.more["lanes"], [], _height(shape))


def pivot(shape: Shape) -> Any:
    """A table whose cells are the stronger the larger their value, with the value in them."""
    columns = shape.more["columns"]
    base = alt.Chart(data(shape.frame)).encode(
        x=alt.X("x:N", sort=columns, scale=alt.Scale(domain=columns), title=shape.x_title or None,
                axis=alt.Axis(labelAngle=0 if len(columns) <= 8 else -40, labelLimit=120, domain=False, ticks=False)),
        y=_lane_axis(shape),
        tooltip=[
            alt.Tooltip("l:N", title=shape.more["rows"]), alt.Tooltip("x:N", title=shape.x_title or "column"),
            alt.Tooltip("y:Q", title=shape.y_title, format=EXACT),
        ],
    )  # fmt: skip
    cells = base.mark_rect(color=look.ONE_SERIES).encode(
        opacity=alt.Opacity("y:Q", scale=alt.Scale(range=[0.06, 0.55], zero=True), legend=None)
    )
    largest: Any = shape.frame["y"].abs().max()
    figures = base.mark_text(fontSize=11, aria=False).encode(
        text=alt.Text("y:Q", format=look.number_format(float(largest or 0)))
    )
    return finished(alt.layer(cells, figures), shape, shape.frame.height, shape.more["lanes"], [], _height(shape))  # fmt: skip


def _lane_axis(shape: Shape) -> Any:
    lanes = shape.more["lanes"]
    return alt.Y(
        "l:N",
        sort=lanes,
        scale=alt.Scale(domain=lanes, paddingInner=0.15),
        title=None,
        axis=alt.Axis(grid=False, domain=False, ticks=False, labelLimit=180),
    )


def _height(shape: Shape) -> int:
    return max(80, min(600, _LANE * len(shape.more["lanes"]) + 20))


def _ms(shape: Shape, frame: pl.DataFrame) -> pl.DataFrame:
    if shape.x_kind != "time":
        return frame
    return frame.with_columns(pl.col("x", "e") // 1000)
