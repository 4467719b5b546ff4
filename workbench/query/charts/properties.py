"""The `render` operator read: a kind and its properties as written in, checked `Properties` out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workbench.base.diagnostics import kernel as diagnostics

_STACKS = ("default", "unstacked", "stacked", "stacked100")
# Each kind, and what its `kind=` can be (the first is what it does without one).
KINDS: dict[str, tuple[str, ...]] = {
    "timechart": ("default",),
    "anomalychart": ("default",),
    "linechart": ("default",),
    "areachart": _STACKS,
    "stackedareachart": ("stacked", "stacked100", "default"),
    "columnchart": _STACKS,
    "barchart": _STACKS,
    "piechart": ("default",),
    "scatterchart": ("default",),
    "ladderchart": ("default",),
    "timepivot": ("default",),
    "pivotchart": ("default",),
    "treemap": ("default",),
    "card": ("default",),
    "table": ("default",),
}
# Kinds of other places, and why there is no such chart here.
REFUSED = {
    "graph": "graphs are not drawn; project the edges and draw a pivotchart of source and target",
    "plotly": "a Plotly figure is a program of another library; draw r.frame with it in Python",
    "map": "a map needs tiles from the network; draw a barchart by place",
}
# Where several value columns can stand apart: side by side on axes, or one below the other.
SPLIT = frozenset(
    {"timechart", "linechart", "areachart", "stackedareachart", "columnchart", "barchart", "scatterchart", "anomalychart"}
)  # fmt: skip
_ON_AXES = frozenset({"timechart", "linechart"})
_CHOICES: dict[str, tuple[str, ...]] = {
    "legend": ("visible", "hidden"),
    "xaxis": ("linear", "log"),
    "yaxis": ("linear", "log"),
    "ysplit": ("none", "axes", "panels"),
    "accumulate": ("true", "false"),
}
NAMES = (
    "kind", "title", "xtitle", "ytitle", "xcolumn", "ycolumns", "series", "ymin", "ymax",
    "xaxis", "yaxis", "legend", "accumulate", "ysplit", "anomalycolumns",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Properties:
    """What a query asks of its chart; a name that is None was not given.

    Attributes
    ----------
    stack : str
        `default`, `unstacked`, `stacked` or `stacked100` (the property `kind`).
    y_columns, series, anomaly_columns : tuple of str or None
        Column names.
    y_min, y_max : float or None
        Ends of the y axis, in the unit of the column (bytes); of a timespan in seconds.
    split : str
        `none`, `axes` or `panels`: how several y columns stand.
    """

    stack: str = "default"
    title: str | None = None
    x_title: str | None = None
    y_title: str | None = None
    x_column: str | None = None
    y_columns: tuple[str, ...] | None = None
    series: tuple[str, ...] | None = None
    y_min: float | None = None
    y_max: float | None = None
    x_log: bool = False
    y_log: bool = False
    legend: bool = True
    accumulate: bool = False
    split: str = "none"
    anomaly_columns: tuple[str, ...] | None = None


def read(kind: str, given: Mapping[str, Any]) -> tuple[str, Properties]:
    """The kind and the properties of a `render`, names in any case.

    Raises
    ------
    WorkbenchError
        LAB201 unknown kind, LAB207 one that is refused, LAB202 unknown property, LAB203 a value that it can't have.

    Examples
    --------
    >>> kind, p = read("TimeChart", {"yTitle": "load", "ycolumns": "a, b"})
    >>> kind, p.y_title, p.y_columns
    ('timechart', 'load', ('a', 'b'))
    """
    name = kind.lower()
    if name in REFUSED:
        raise diagnostics.refused_chart(kind, REFUSED[name])
    if name not in KINDS:
        raise diagnostics.unknown_chart(kind, list(KINDS))
    found: dict[str, Any] = {}
    for key, value in given.items():
        if key.lower() not in NAMES:
            raise diagnostics.unknown_property(key, NAMES)
        if value is not None:
            found[key.lower()] = value
    words = {key: _word(key, found[key], allowed) for key, allowed in _CHOICES.items() if key in found}
    if words.get("ysplit", "none") != "none":
        words["ysplit"] = _word("ysplit", words["ysplit"], _splits(name))
    if str(found.get("kind", "")).lower() == "map":
        raise diagnostics.refused_chart("map", REFUSED["map"])
    stack = _word("kind", found["kind"], KINDS[name]) if "kind" in found else KINDS[name][0]
    return name, Properties(
        stack=stack,
        title=_text(found.get("title")),
        x_title=_text(found.get("xtitle")),
        y_title=_text(found.get("ytitle")),
        x_column=_text(found.get("xcolumn")),
        y_columns=_names(found.get("ycolumns")),
        series=_names(found.get("series")),
        y_min=_number("ymin", found.get("ymin")),
        y_max=_number("ymax", found.get("ymax")),
        x_log=words.get("xaxis") == "log",
        y_log=words.get("yaxis") == "log",
        legend=words.get("legend") != "hidden",
        accumulate=words.get("accumulate") == "true",
        split=words.get("ysplit", "none"),
        anomaly_columns=_names(found.get("anomalycolumns")),
    )


def _splits(kind: str) -> tuple[str, ...]:
    """What `ysplit` can be for a kind."""
    return ("none", *(("axes",) if kind in _ON_AXES else ()), *(("panels",) if kind in SPLIT else ()))


def _word(name: str, value: Any, allowed: tuple[str, ...]) -> str:
    text = str(value).lower()
    if text not in allowed:
        raise diagnostics.bad_property(name, value, allowed)
    return text


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _names(value: Any) -> tuple[str, ...] | None:
    """Column names from a list or from text with commas."""
    if value is None:
        return None
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(str(part).strip() for part in parts)


def _number(name: str, value: Any) -> float | None:
    if value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        raise diagnostics.bad_property(name, value, ["a number"]) from None
