"""Bodies of tiles that are pictures: rings, lines over time, columns by bin, and whatever a query renders.

What is drawn comes from `query.charts` (which column is what, few series, few points), so that a tile and the
chart of the same search show the same; how it is drawn is `figures`, with its words beside it in HTML.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from html import escape
from typing import Any

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.kernel_ext.cells import printable
from workbench.kernel_ext.dashboards import figures, words
from workbench.kernel_ext.dashboards.answering import Answer
from workbench.kernel_ext.dashboards.colours import Colours
from workbench.query.charts import reduce
from workbench.query.charts.shape import shape_of
from workbench.query.result import Render, Result

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SLICES = 6
_ACCENT = "var(--jp-brand-color1, #0173B2)"


def _rendered(result: Result, kind: str) -> Result:
    """The result as if its query rendered that kind, where it renders nothing."""
    asked = result.render
    properties = dict(asked.properties) if asked is not None else {}
    return Result(result.frame, result.schema, render=Render(kind, properties))


def line(answer: Answer, result: Result, colours: Colours) -> str:
    """Lines over time with the least and greatest value and the ends of time in words."""
    shape = shape_of(_rendered(result, "timechart"))
    rule = reduce.rule_of(shape.y_names)
    points, names, rest = reduce.few_series(shape.frame, rule)
    points = points.filter(pl.col("y").is_not_null())
    points, _ = reduce.thin(reduce.runs(points.sort("x"), reduce.step_of(points["x"])), False)
    points = reduce.with_gaps(points)
    every = [*names, *([rest] if rest else [])]
    palette = colours.of(names, rest)
    low, high = _us(answer.start), _us(answer.end)
    series = [
        (name, palette[name], points.filter(pl.col("s") == name).select("x", "y").rows()) for name in every
    ]
    asked = shape.properties
    largest: Any = points["y"].max()
    least: Any = points["y"].min()
    top = asked.y_max if asked.y_max is not None else figures.nice(float(largest or 0))
    bottom = asked.y_min if asked.y_min is not None else min(0.0, float(least or 0))
    drawn = figures.lines(series, low, high, top, bottom)
    unit = (
        shape.y_title.rpartition(" (")[2].removesuffix(")")
        if shape.y_title.endswith(")")
        else answer.tile.unit
    )
    axis = f'<span class="wb-top">{escape(_scale(top, unit))}</span><span class="wb-bottom">{escape(_scale(bottom, ""))}</span>'  # fmt: skip
    plot = f'<div class="wb-plot" tabindex="0" data-low="{low // 1000}" data-high="{high // 1000}" data-points="{figures.pointer_data(series)}" style="--h:{answer.tile.height or 140}px">{drawn}{axis}</div>'  # fmt: skip
    return plot + _times(answer) + _legend([(n, palette[n]) for n in every])


def columns(answer: Answer, result: Result, colours: Colours) -> str:
    """An upright bar for each bin of time, with the parts of several series on top of each other."""
    shape = shape_of(_rendered(result, "columnchart"))
    frame = shape.frame if shape.x_kind == "time" else shape.frame.with_columns(x=pl.col("x"))
    points, names, rest = reduce.few_series(frame, reduce.rule_of(shape.y_names))
    points = reduce.merged(points.filter(pl.col("y").is_not_null()), "sum")
    every = [*names, *([rest] if rest else [])]
    palette = colours.of(names, rest)
    low, high = _us(answer.start), _us(answer.end)
    step = reduce.step_of(points["x"]) or max((high - low) / 48, 1)
    totals = points.group_by("x").agg(pl.col("y").sum())
    largest: Any = totals["y"].max()
    top = figures.nice(float(largest or 0))
    wide = 100 * step / ((high - low) or 1)
    rects = []
    for x in sorted(totals["x"].to_list()):
        up = 0.0
        for s, y in points.filter(pl.col("x") == x).select("s", "y").sort(pl.col("s")).rows():
            tall = 100 * max(y, 0) / top
            left = 100 * (x - low) / ((high - low) or 1)
            said = f"{words.moment(_EPOCH + dt.timedelta(microseconds=int(x)))}: {s} {words.short(y)}"
            rects.append(f'<rect x="{left + wide * 0.06:.3f}" y="{100 - up - tall:.3f}" width="{wide * 0.88:.3f}" height="{tall:.3f}" style="fill:{palette[s]}"><title>{escape(said)}</title></rect>')  # fmt: skip
            up += tall
    drawn = f'<svg class="wb-lines" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{"".join(rects)}</svg>'
    axis = (
        f'<span class="wb-top">{escape(_scale(top, answer.tile.unit))}</span><span class="wb-bottom">0</span>'
    )
    plot = f'<div class="wb-plot" style="--h:{answer.tile.height or 140}px">{drawn}{axis}</div>'
    return plot + _times(answer) + _legend([(n, palette[n]) for n in every])


def donut(answer: Answer, rows: Sequence[tuple[str, Any, str, str]], colours: Colours) -> str:
    """A ring, the whole in its middle, the parts as words beside it."""
    parts = [(i, name, float(value)) for i, (name, value, _, _) in enumerate(rows) if isinstance(value, int | float) and value > 0]  # fmt: skip
    parts.sort(key=lambda part: -part[2])
    rest = parts[_SLICES:]
    palette = colours.of([name for _, name, _ in parts[:_SLICES]], "other" if rest else None)
    shown: list[tuple[int | None, str, float]] = [*parts[:_SLICES]]
    if rest:
        shown.append((None, "other", sum(value for _, _, value in rest)))
    whole = sum(value for _, _, value in shown) or 1.0
    ring = figures.ring([(name, value, palette[name]) for _, name, value in shown])
    total, exact = words.figure(
        int(whole) if whole.is_integer() else whole, ScalarType.REAL, answer.tile.unit
    )
    legend = []
    for i, name, value in shown:
        said = f"{name} ({len(rest):,})" if i is None else name
        text = words.figure(int(value) if value.is_integer() else value, ScalarType.REAL, answer.tile.unit)[0]
        legend.append(
            f'<li><button type="button" data-drill="{"" if i is None else i}"><span class="wb-key" style="background:{palette[name]}"></span>'
            f'<span class="wb-name">{escape(said)}</span><span class="wb-value">{escape(text)}</span>'
            f'<span class="wb-share">{value / whole:.0%}</span></button></li>'
        )
    return (
        f'<div class="wb-donut-row"><div class="wb-ring-place">{ring}<button type="button" class="wb-whole" data-drill="" '
        f'title="{escape(exact, quote=True)}">{escape(total)}</button></div><ul class="wb-parts">{"".join(legend)}</ul></div>'
    )


def chart(answer: Answer, result: Result) -> str:
    """What the query renders, as a picture in the colours of the page."""
    from workbench.query.chart import chart as drawn
    from workbench.query.chart import for_host, picture

    width = max(280, answer.tile.width * 100)
    return f'<div class="wb-picture">{picture(for_host(drawn(result).to_dict()), width)}</div>'


def arrays(result: Result) -> list[list[float | None]] | None:
    """The numbers of the first dynamic column, a list a row; None where there is none."""
    at = next((i for i, c in enumerate(result.schema) if c.type is ScalarType.DYNAMIC), None)
    if at is None:
        return None
    found = []
    for value in result.frame.to_series(at).to_list():
        try:
            parsed = json.loads(value) if isinstance(value, str) else value
        except ValueError:
            parsed = []
        row = parsed if isinstance(parsed, list) else []
        found.append(
            [float(v) if isinstance(v, int | float) and not isinstance(v, bool) else None for v in row]
        )
    return found


def spark(values: Sequence[float | None]) -> str:
    return figures.sparkline(values, _ACCENT)


def _scale(value: float, unit: str) -> str:
    text = words.short(value)
    return f"{text} {unit}" if unit and unit != "UTC" else text


def _us(moment: dt.datetime) -> int:
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


def _times(answer: Answer) -> str:
    """The ends of time and its middle; the date where it changes."""
    middle = answer.start + (answer.end - answer.start) / 2
    long = answer.end - answer.start > dt.timedelta(days=2)
    form = "%m-%d" if long else "%H:%M"
    texts = [m.strftime(form) for m in (answer.start, middle, answer.end)]
    if not long and answer.start.date() != answer.end.date():
        texts[0] = answer.start.strftime("%m-%d %H:%M")
    return '<div class="wb-times">' + "".join(f"<span>{t}</span>" for t in texts) + "</div>"


def _legend(named: Sequence[tuple[str, str]]) -> str:
    if len(named) < 2:
        return ""
    keys = "".join(f'<li><span class="wb-key" style="background:{colour}"></span>{escape(printable(name))}</li>' for name, colour in named)  # fmt: skip
    return f'<ul class="wb-legend">{keys}</ul>'
