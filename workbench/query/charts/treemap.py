"""Parts as areas: rectangles as square as they can be, those of one group together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from workbench.query.charts import look
from workbench.query.charts.marks import EXACT, finished
from workbench.query.charts.values import Shape

_WIDE = 760.0 / look.HEIGHT
_MOST_GROUPS = 7
# Colours on which white is read better than black.
_DARK = frozenset({"#0072B2", "#D55E00", look.ONE_SERIES})


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: left, top, width and height."""

    x: float
    y: float
    w: float
    h: float


def squarified(sizes: Sequence[float], box: Box) -> list[Box]:
    """A rectangle for each size (falling), together the whole box, none longer than it has to be.

    Rows of rectangles are laid along the shorter side; a row takes one more as long as its worst
    proportion gets better (the method of Bruls, Huizing and van Wijk).

    Examples
    --------
    >>> squarified([3, 1], Box(0, 0, 4, 1))
    [Box(x=0, y=0, w=3.0, h=1.0), Box(x=3.0, y=0, w=1.0, h=1.0)]
    """
    total = sum(sizes)
    if not sizes or total <= 0:
        return []
    scale = box.w * box.h / total
    left, found, at = box, [], 0
    while at < len(sizes):
        side = min(left.w, left.h)
        row = [sizes[at] * scale]
        while at + len(row) < len(sizes):
            more = [*row, sizes[at + len(row)] * scale]
            if _worst(more, side) > _worst(row, side):
                break
            row = more
        boxes, left = _laid(row, left)
        found += boxes
        at += len(row)
    return found


def _worst(row: Sequence[float], side: float) -> float:
    area = sum(row)
    return max(side * side * max(row) / area**2, area**2 / (side * side * min(row)))


def _laid(row: Sequence[float], box: Box) -> tuple[list[Box], Box]:
    """The row along the shorter side of the box, and what is left of the box."""
    area = sum(row)
    if box.w >= box.h:
        wide = area / box.h
        boxes, y = [], box.y
        for part in row:
            boxes.append(Box(box.x, y, wide, part / wide))
            y += part / wide
        return boxes, Box(box.x + wide, box.y, box.w - wide, box.h)
    high = area / box.w
    boxes, x = [], box.x
    for part in row:
        boxes.append(Box(x, box.y, part / high, high))
        x += part / high
    return boxes, Box(box.x, box.y + high, box.w, box.h - high)


def treemap(shape: Shape) -> Any:
    """The parts of the result, coloured by their outermost group where there are several levels."""
    by_group: dict[str, list[tuple[str, float]]] = {}
    for s, label, y in shape.frame.select("s", "l", "y").rows():
        by_group.setdefault(s, []).append((label, y))
    sized = sorted(by_group.items(), key=lambda g: -sum(y for _, y in g[1]))
    total = sum(y for _, parts in sized for _, y in parts)
    names = [name for name, _ in sized]
    told = (
        look.colours(names[:_MOST_GROUPS], None)
        if shape.more["deep"]
        else dict.fromkeys(names, look.ONE_SERIES)
    )
    rows = []
    whole = Box(0, 0, _WIDE, 1)
    for (name, parts), outer in zip(sized, squarified([sum(y for _, y in p) for _, p in sized], whole), strict=True):  # fmt: skip
        colour = look.REST if name.startswith("other (") else told.get(name, look.REST)
        for (label, y), box in zip(parts, squarified([y for _, y in parts], outer), strict=True):
            rows.append({
                "x": round(box.x / _WIDE, 5), "e": round((box.x + box.w) / _WIDE, 5),
                "y": round(box.y, 5), "b": round(box.y + box.h, 5), "name": label, "value": y, "share": y / total,
                "short": label.rsplit(" · ", 1)[-1], "fill": colour, "ink": "#ffffff" if colour in _DARK else "#1a1a1a",
            })  # fmt: skip
    # Every coordinate on fixed scales: the picture stretches with its place.
    x = alt.X("x:Q", scale=alt.Scale(domain=[0, 1], nice=False), axis=None)
    y = alt.Y("y:Q", scale=alt.Scale(domain=[1, 0], nice=False), axis=None)
    base = alt.Chart(alt.Data(values=rows))
    fill = alt.Color("fill:N", scale=None)
    areas = base.mark_rect(stroke="#ffffff", strokeWidth=1.5, aria=len(rows) <= 100).encode(
        x=x, x2="e:Q", y=y, y2="b:Q", color=fill,
        tooltip=[
            alt.Tooltip("name:N", title=shape.x_title), alt.Tooltip("value:Q", title=shape.y_title, format=EXACT),
            alt.Tooltip("share:Q", format=".2%"),
        ],
    )  # fmt: skip
    texts = (
        base.transform_filter("(datum.b - datum.y) > 0.075 && (datum.e - datum.x) * width > 34")
        .mark_text(align="left", baseline="top", dx=5, dy=5, fontSize=11, aria=False, limit=alt.expr("(datum.e - datum.x) * width - 8"))
        .encode(x=x, y=y, text="short:N", color=alt.Color("ink:N", scale=None))
    )  # fmt: skip
    return finished(alt.layer(areas, texts), shape, len(rows), names if shape.more["deep"] else [], [])
