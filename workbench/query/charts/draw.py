"""Which function draws which kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.query.charts.bars import bars
from workbench.query.charts.lines import lines
from workbench.query.charts.points import card, cloud, pie
from workbench.query.charts.shape import Shape

_FAMILIES: dict[str, Callable[[Shape], Any]] = {
    "timechart": lines,
    "linechart": lines,
    "areachart": lines,
    "stackedareachart": lines,
    "columnchart": bars,
    "barchart": bars,
    "piechart": pie,
    "scatterchart": cloud,
    "card": card,
}


def draw(shape: Shape) -> Any:
    """The chart of a shape: an `altair.Chart` or `LayerChart`."""
    return _FAMILIES[shape.kind](shape)
