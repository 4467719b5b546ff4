"""The pictures of tiles as SVG that stretches with its place: lines with gaps, columns, rings, sparklines.

Words and numbers stand beside them as HTML, so that they keep their size at every width. Colours are plain, or
the host's `--jp-*` variables. Every function gives text that is escaped.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from html import escape

Point = tuple[float, float | None]


def nice(largest: float) -> float:
    """The end of an axis that holds `largest`: 1, 2, 2.5 or 5 times a power of ten.

    Examples
    --------
    >>> nice(87), nice(0.3), nice(0)
    (100.0, 0.5, 1.0)
    """
    if not largest > 0:
        return 1.0
    power: float = 10.0 ** math.floor(math.log10(largest))
    return float(next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= largest * (1 - 1e-9)))


def lines(
    series: Sequence[tuple[str, str, Sequence[Point]]],
    low: float,
    high: float,
    top: float,
    bottom: float = 0.0,
) -> str:
    """A line for each (name, colour, points); a point without a value leaves a gap."""
    wide, tall = (high - low) or 1.0, (top - bottom) or 1.0
    paths = []
    for name, colour, points in series:
        parts, pen = [], "M"
        runs = 0
        for x, y in points:
            if y is None:
                pen = "M"
                continue
            at, up = 100 * (x - low) / wide, 100 - 100 * (y - bottom) / tall
            parts.append(f"{pen}{at:.2f} {min(max(up, 0), 100):.2f}")
            runs += pen == "M"
            pen = "L"
        if len(parts) == runs and parts:
            parts = [f"{p}h0.01" for p in parts]
        paths.append(
            f'<path d="{"".join(parts)}" style="stroke:{colour}" vector-effect="non-scaling-stroke"><title>{escape(name)}</title></path>'
        )
    return f'<svg class="wb-lines" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">{"".join(paths)}</svg>'


def pointer_data(series: Sequence[tuple[str, str, Sequence[Point]]]) -> str:
    """The values for a pointer, as the value of an HTML attribute: names, colours, x in ms, a list of y each."""
    moments = sorted({x for _, _, points in series for x, y in points if y is not None})
    at = {x: i for i, x in enumerate(moments)}
    values = []
    for _, _, points in series:
        row: list[float | None] = [None] * len(moments)
        for x, y in points:
            if y is not None:
                row[at[x]] = float(f"{y:.6g}")
        values.append(row)
    told = {
        "x": [round(m / 1000) for m in moments],
        "names": [n for n, _, _ in series],
        "colours": [c for _, c, _ in series],
        "y": values,
    }
    return escape(json.dumps(told, separators=(",", ":")), quote=True)


def sparkline(values: Sequence[float | None], colour: str) -> str:
    """A line of 80 × 20 px at most, from the least to the greatest value."""
    known = [v for v in values if v is not None]
    if len(known) < 2:
        return '<span class="wb-spark"></span>'
    low, high = min(known), max(known)
    room = (high - low) or 1.0
    drawn = lines(
        [("", colour, [(float(i), v) for i, v in enumerate(values)])],
        0,
        len(values) - 1,
        high + room * 0.05,
        low - room * 0.05,
    )
    return f'<span class="wb-spark">{drawn}</span>'


def ring(parts: Sequence[tuple[str, float, str]]) -> str:
    """A ring of (name, value, colour)."""
    total = sum(value for _, value, _ in parts) or 1.0
    around = 2 * math.pi * 40
    made, begun = [], 0.0
    for name, value, colour in parts:
        long = value / total * around
        gap = min(0.8, long / 3) if len(parts) > 1 else 0.0
        made.append(
            f'<circle cx="50" cy="50" r="40" style="stroke:{colour}" stroke-dasharray="{long - gap:.3f} {around:.3f}" '
            f'stroke-dashoffset="{-begun:.3f}"><title>{escape(name)}: {value / total:.1%}</title></circle>'
        )
        begun += long
    return f'<svg class="wb-ring" viewBox="0 0 100 100" aria-hidden="true"><g transform="rotate(-90 50 50)">{"".join(made)}</g></svg>'
