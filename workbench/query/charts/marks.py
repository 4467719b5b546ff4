"""What every kind of chart uses: its data, its axes, its colours, its end.

Every chart is as wide as its place and 260 px high, holds its few points itself, and tells in its
`usermeta` what it drew (kind, marks, notes), so that a test or a footer need not guess.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from workbench.query.charts import look
from workbench.query.charts.values import Shape

EXACT = ",.10~r"
WHEN = "utcFormat(datum.x, '%Y-%m-%d %H:%M:%S')"


def finished(
    chart: Any,
    shape: Shape,
    marks: int,
    series: Sequence[str],
    notes: Sequence[str | None],
    height: int = look.HEIGHT,
) -> Any:
    said = [*shape.notes, *(n for n in notes if n)]
    title = shape.properties.title
    said_of = about(shape, series)
    extra = {"title": title} if title else {}
    return chart.properties(
        width="container",
        height=height,
        description=said_of,
        usermeta=meta_of(shape, marks, series, said, said_of),
        **extra,
    ).configure(**look.config())


def meta_of(
    shape: Shape, marks: int, series: Sequence[str], notes: Sequence[str], said: str
) -> dict[str, Any]:
    """What a chart tells of itself, beside its picture."""
    told = {"kind": shape.kind, "marks": marks, "series": list(series), "notes": list(notes), "about": said}
    return {"workbench": told}


def about(shape: Shape, series: Sequence[str]) -> str:
    of = " by ".join(t for t in (shape.y_title or ", ".join(shape.y_names), shape.x_title) if t)
    more = f", {len(series)} series" if len(series) > 1 else ""
    return ": ".join(t for t in (shape.kind, shape.properties.title, of + more) if t)


def data(frame: pl.DataFrame) -> Any:
    """The points as they stand in the chart; ten digits, so that a saved notebook stays small."""
    short = frame.with_columns(pl.col(pl.Float64).round_sig_figs(10))
    return alt.Data(values=[{k: v for k, v in row.items() if v or k != "o"} for row in short.to_dicts()])


def in_ms(shape: Shape, frame: pl.DataFrame) -> pl.DataFrame:
    """Time as JavaScript counts it; what is less than a millisecond is cut off."""
    return frame.with_columns(x=pl.col("x") // 1000) if shape.x_kind == "time" else frame


def keyed(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Series by short keys (`s0`), so that no text of the data becomes the name of a field."""
    keys = {name: f"s{i}" for i, name in enumerate(names)}
    return frame.with_columns(s=pl.col("s").replace_strict(keys, return_dtype=pl.String))


def named(names: Sequence[str]) -> str:
    """A Vega expression that turns a key back into the name of its series."""
    return json.dumps({f"s{i}": name for i, name in enumerate(names)}) + "[datum.s]"


def colour_of(shape: Shape, names: Sequence[str], rest: str | None) -> Any:
    every = [*names, *([rest] if rest else [])]
    palette = look.colours(names, rest)
    legend = alt.Legend() if shape.properties.legend and len(every) > 1 else None
    scale = alt.Scale(domain=every, range=[palette[n] for n in every])
    return alt.Color("name:N", scale=scale, legend=legend, title=None)


def value_axis(shape: Shape, frame: pl.DataFrame, zero: bool, stack: Any = None) -> dict[str, Any]:
    """The arguments of the channel that shows y, whichever way it lies."""
    asked = shape.properties
    largest: Any = frame["y"].abs().max()
    form = "%" if stack == "normalize" else look.number_format(float(largest or 0))
    scale: dict[str, Any] = {"zero": zero, "nice": True}
    if asked.y_log:
        scale = {"type": "log", "domainMin": log_floor(frame)}
    if asked.y_min is not None:
        scale |= {"domainMin": asked.y_min, "nice": False}
        scale.pop("zero", None)
    if asked.y_max is not None:
        scale |= {"domainMax": asked.y_max}
    return {
        "field": "y", "type": "quantitative", "title": shape.y_title or None, "stack": stack,
        "scale": alt.Scale(**scale), "axis": alt.Axis(format=form, tickCount=5),
    }  # fmt: skip


def y_of(shape: Shape, frame: pl.DataFrame, zero: bool, stack: Any = None) -> Any:
    return alt.Y(**value_axis(shape, frame, zero, stack))


def log_floor(frame: pl.DataFrame) -> float:
    """The power of ten at or below the least value: where bars on a log axis start."""
    least: Any = frame["y"].min()
    return float(10.0 ** math.floor(math.log10(least))) if least else 1.0


def x_of(shape: Shape, frame: pl.DataFrame) -> Any:
    """The x axis of lines and points; `frame` has time in ms."""
    title = shape.x_title or None
    if shape.x_kind == "category":
        return alt.X("x:N", title=title, sort=None, axis=alt.Axis(labelAngle=angle(frame["x"])))
    if shape.x_kind == "time":
        first, last = ends(frame)
        axis = alt.Axis(
            labelExpr=look.time_labels(first, last), labelOverlap="greedy", labelFlush=True, tickCount=8
        )
        return alt.X("x:T", title=title, scale=alt.Scale(type="utc"), axis=axis)
    scale = alt.Scale(type="log") if shape.properties.x_log else alt.Scale(zero=False, nice=True)
    return alt.X(
        "x:Q", title=title, scale=scale, axis=alt.Axis(format=look.number_format(ends(frame)[1]), tickCount=8)
    )


def ends(frame: pl.DataFrame) -> tuple[float, float]:
    low: Any = frame["x"].min()
    high: Any = frame["x"].max()
    return float(low or 0), float(high or 0)


def angle(values: pl.Series) -> int:
    lengths: Any = values.str.len_chars().max()
    count = values.n_unique()
    return 0 if count * (int(lengths or 1) + 1) <= 110 else -40


def without_log_zeros(shape: Shape, frame: pl.DataFrame) -> tuple[pl.DataFrame, str | None]:
    """A logarithm has no place for zero and less."""
    keep = pl.lit(True)
    if shape.properties.y_log:
        keep &= pl.col("y").is_null() | (pl.col("y") > 0)
    if shape.properties.x_log and shape.x_kind == "number":
        keep &= pl.col("x") > 0
    kept = frame.filter(keep)
    left = frame.height - kept.height
    return kept, f"{left:,} points of zero or less left out of the log axis" if left else None


def near_zero(frame: pl.DataFrame) -> bool:
    """Whether a line's axis should start at zero: when that costs less than half of the height."""
    low: Any = frame["y"].min()
    high: Any = frame["y"].max()
    return low is not None and 0 <= low <= high / 2


def tooltips(shape: Shape, series: Sequence[str]) -> list[Any]:
    """What a pointer reads of one mark: x, the series where there are several, the exact y."""
    of_series = [alt.Tooltip("name:N", title="series")] if len(series) > 1 else []
    return [tooltip_x(shape), *of_series, alt.Tooltip("y:Q", title=shape.y_title or "value", format=EXACT)]


def tooltip_x(shape: Shape) -> Any:
    if shape.x_kind == "time":
        return alt.Tooltip("when:N", title=shape.x_title or "time")
    if shape.x_kind == "number":
        return alt.Tooltip("x:Q", title=shape.x_title or "x", format=EXACT)
    return alt.Tooltip("x:N", title=shape.x_title or "x")
