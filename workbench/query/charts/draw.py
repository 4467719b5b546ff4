"""Which function draws which kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.query.charts import lanes, split
from workbench.query.charts.bars import bars
from workbench.query.charts.lines import lines
from workbench.query.charts.points import card, cloud, pie
from workbench.query.charts.treemap import treemap
from workbench.query.charts.values import Shape

_FAMILIES: dict[str, Callable[[Shape], Any]] = {
    "timechart": lines,
    "anomalychart": lines,
    "linechart": lines,
    "areachart": lines,
    "stackedareachart": lines,
    "columnchart": bars,
    "barchart": bars,
    "piechart": pie,
    "scatterchart": cloud,
    "ladderchart": lanes.ladder,
    "timepivot": lanes.timepivot,
    "pivotchart": lanes.pivot,
    "treemap": treemap,
    "card": card,
}


def draw(shape: Shape) -> Any:
    """The chart of a shape: an `altair.Chart`, `LayerChart` or, of panels, `VConcatChart`."""
    if shape.parts and shape.properties.split == "axes":
        return split.axes(shape)
    if shape.parts:
        return split.panels(shape, _FAMILIES[shape.kind])
    return _FAMILIES[shape.kind](shape)
