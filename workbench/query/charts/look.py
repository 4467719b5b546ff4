"""Colours, type and axes that all charts share, and the same chart dressed for its host.

A chart carries plain colours that can be read on white and on black. `for_host` swaps them for the
host's `--jp-*` variables, which a browser resolves inside SVG, so that a chart follows the theme.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

HEIGHT = 260
_VERSION = "5.20"
_PNG = b"\x89PNG\r\n\x1a\n"
_NARROWEST, NO_PLACE = 120, 640
# What the y axis of a panel takes, with its title and the padding of the chart.
_AXIS = 104
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
# Okabe and Ito's order; their black comes last, as the colour of the text.
OKABE_ITO = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#666666")
# A series alone needs no telling apart: it has the accent of the host.
ONE_SERIES = "#0173B2"
REST = "#9A9A9A"
_TEXT_SERIES = OKABE_ITO[-1]
_SEVERITY = {
    "critical": "#D55E00", "error": "#D55E00", "fatal": "#D55E00", "failed": "#D55E00",
    "err": "#D55E00", "crit": "#D55E00", "notice": "#56B4E9",
    "warning": "#E69F00", "warn": "#E69F00",
    "information": "#0072B2", "informational": "#0072B2", "info": "#0072B2",
    "verbose": REST, "debug": REST, "trace": REST,
    "healthy": "#009E73", "success": "#009E73", "ok": "#009E73", "completed": "#009E73", "up": "#009E73",
    "stopped": REST, "queued": "#56B4E9", "running": "#0072B2", "down": "#D55E00",
}  # fmt: skip
_TEXT, _QUIET, _LINE = "#6B6B6B", "#767676", "#8884"
_HOST = {
    ONE_SERIES: "var(--jp-brand-color1, #0173B2)",
    _TEXT_SERIES: "var(--jp-content-font-color0, #222)",
    _TEXT: "var(--jp-content-font-color1, #444)",
    _QUIET: "var(--jp-content-font-color2, #767676)",
    _LINE: "var(--jp-border-color2, #8884)",
}


def colours(names: Sequence[str], rest: str | None) -> dict[str, str]:
    """A colour for each series: severities have theirs, others follow the order.

    Examples
    --------
    >>> colours(["web01"], None), colours(["Error", "Warning"], None)["Error"]
    ({'web01': '#0173B2'}, '#D55E00')
    """
    known = [_SEVERITY.get(n.strip().lower()) for n in names]
    if names and all(known) and len(set(known)) == len(known):
        found = {n: c for n, c in zip(names, known, strict=True) if c}
    elif len(names) == 1 and rest is None:
        found = {names[0]: ONE_SERIES}
    else:
        found = {n: OKABE_ITO[i % len(OKABE_ITO)] for i, n in enumerate(names)}
    return {**found, rest: REST} if rest is not None else found


def is_severity(name: str) -> bool:
    """Whether a name is a word for how bad something is, which has its colour everywhere."""
    return name.strip().lower() in _SEVERITY


def config(panels: bool = False) -> dict[str, Any]:
    """Vega-Lite's `config`: quiet frame, thin grid, small type; y axes of panels take the same room."""
    font = "system-ui, -apple-system, 'Segoe UI', sans-serif"
    return {
        "background": "transparent",
        "padding": {"left": 4, "top": 6, "right": 16, "bottom": 4},
        "font": font,
        "view": {"stroke": "transparent"},
        "axis": {
            "gridColor": _LINE, "gridWidth": 0.6, "domainColor": _LINE, "tickColor": _LINE, "tickSize": 4,
            "labelColor": _TEXT, "titleColor": _QUIET, "labelFontSize": 11, "titleFontSize": 11,
            "titleFontWeight": "normal", "labelLimit": 180, "titleLimit": 240, "titlePadding": 8,
        },
        "axisX": {"grid": False},
        **({"axisY": {"minExtent": 48, "maxExtent": 48}} if panels else {}),
        "legend": {
            "orient": "bottom", "direction": "horizontal", "columns": 4, "title": None, "offset": 8,
            "labelColor": _TEXT, "labelFontSize": 11, "labelLimit": 220, "symbolSize": 70, "symbolStrokeWidth": 2,
        },
        "title": {"anchor": "start", "fontSize": 13, "fontWeight": 600, "color": _TEXT, "offset": 10, "limit": 640},
        "line": {"strokeWidth": 1.6, "strokeCap": "round", "strokeJoin": "round"},
        "area": {"line": {"strokeWidth": 1.2}, "fillOpacity": 0.3},
        "bar": {"discreteBandSize": {"band": 0.8}},
        "text": {"color": _TEXT, "font": font},
    }  # fmt: skip


def for_host(spec: dict[str, Any]) -> dict[str, Any]:
    """The chart in the host's colours, as Vega-Lite 5."""
    dressed: dict[str, Any] = _swapped(deepcopy(spec))
    dressed["$schema"] = SCHEMA
    return dressed


def _swapped(value: Any) -> Any:
    """Every plain colour of the frame replaced by the host's variable; data is left alone."""
    if isinstance(value, dict):
        return {k: v if k in ("datasets", "data", "usermeta") else _swapped(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_swapped(v) for v in value]
    return _HOST.get(value, value) if isinstance(value, str) else value


def compiled(spec: dict[str, Any]) -> dict[str, Any]:
    """The chart as Vega 5, for a host that has Vega: no version of Vega-Lite there has to fit.

    It is as wide as its place also after that changes (a side panel opens), and still has a width
    where the place has none of its own: other charts on a page can bring a style that makes it as
    narrow as its content.
    """
    import vl_convert

    vega: dict[str, Any] = vl_convert.vegalite_to_vega(spec, vl_version=_VERSION)
    if "vconcat" in spec:
        vega.setdefault("signals", []).append(_width_of_panels(vega.pop("width", NO_PLACE)))
    for signal in vega.get("signals", []):
        if signal.get("name") == "width" and "on" in signal and "vconcat" not in spec:
            room = f"containerSize()[0] > {_NARROWEST} ? containerSize()[0] : "
            events = [{"source": "window", "type": "resize"}, {"type": "timer", "throttle": 1000}]
            signal["init"] = f"{room}{NO_PLACE}"
            signal["on"] = [{"events": events, "update": f"{room}width"}]
    return vega


def _width_of_panels(without_place: float) -> dict[str, Any]:
    """Vega-Lite gives panels a fixed width; here they fill their place, less the room of their y axis."""
    room = f"containerSize()[0] > {_NARROWEST + _AXIS} ? containerSize()[0] - {_AXIS} : "
    events = [{"source": "window", "type": "resize"}, {"type": "timer", "throttle": 1000}]
    return {
        "name": "width",
        "init": f"{room}{without_place}",
        "on": [{"events": events, "update": f"{room}width"}],
    }


def picture(spec: dict[str, Any], width: int = 760) -> str:
    """The chart as SVG, without what only a pointer can use.

    Parameters
    ----------
    spec : dict
        Vega-Lite JSON, as `chart.to_dict()` or `for_host` gives it.
    width : int
        Pixels, for charts that are as wide as their place.
    """
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(_still(spec, width), vl_version=_VERSION)
    # Where it stands in a page it shrinks with it; alone it keeps its size.
    return drawn.replace("<svg ", '<svg style="max-width:100%;height:auto" ', 1)


def pixels(spec: dict[str, Any], width: int = 760) -> bytes:
    """The chart as PNG; `spec` in plain colours, since nothing resolves variables here."""
    import vl_convert

    drawn: bytes = vl_convert.vegalite_to_png(_still(spec, width), vl_version=_VERSION, scale=1)
    return _packed(drawn)


def _packed(png: bytes) -> bytes:
    """The same PNG with its pixels compressed well: a third of the size, since a notebook keeps it."""
    chunks, at = [], len(_PNG)
    while at < len(png):
        size = int.from_bytes(png[at : at + 4])
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + size]))
        at += 12 + size
    rows = zlib.compress(zlib.decompress(b"".join(d for kind, d in chunks if kind == b"IDAT")), 9)
    kept = [(kind, d) for kind, d in chunks if kind not in (b"IDAT", b"IEND")]
    written = [*kept, (b"IDAT", rows), (b"IEND", b"")]
    return _PNG + b"".join(
        len(d).to_bytes(4) + kind + d + zlib.crc32(kind + d).to_bytes(4) for kind, d in written
    )


def _still(spec: dict[str, Any], width: int) -> dict[str, Any]:
    # The fonts here are not those of the reader, so labels get room to be wider than they were measured.
    return _without_pointer(spec, width) | {"padding": {"left": 16, "top": 6, "right": 24, "bottom": 6}}


def _without_pointer(spec: dict[str, Any], width: int) -> dict[str, Any]:
    still = dict(spec)
    if still.get("width") == "container":
        still["width"] = width
    if "layer" in still:
        still["layer"] = [layer for layer in still["layer"] if not str(layer.get("name")).startswith("hover")]
        still.pop("params", None)
    if "vconcat" in still:
        still["vconcat"] = [
            _without_pointer(panel | {"width": width - _AXIS}, width) for panel in still["vconcat"]
        ]
        still.pop("params", None)
    return still


# ---- axes -----------------------------------------------------------------------------------


def time_labels(first: float, last: float) -> str:
    """A Vega expression for the label of a tick: the time, and the date below where it changes.

    Parameters
    ----------
    first, last : float
        Ends of the axis, ms since 1970 UTC.
    """
    span = (last - first) / 1000
    if span <= 0 or span > 400 * 86400:
        return _labels("%Y-%m", None, None)
    if span > 4 * 86400:
        return _labels("%m-%d", "%Y", "%j", first_of="001")
    return _labels("%H:%M:%S" if span < 600 else "%H:%M", "%Y-%m-%d", "%H:%M:%S", first_of="00:00:00")


def _labels(form: str, below: str | None, key: str | None, first_of: str = "") -> str:
    text = f"utcFormat(datum.value, '{form}')"
    if below is None:
        return text
    changes = f"datum.index === 0 || utcFormat(datum.value, '{key}') === '{first_of}'"
    return f"({changes}) ? [{text}, utcFormat(datum.value, '{below}')] : {text}"


def number_format(largest: float) -> str:
    """The d3 format of an axis: thousands separated, large ones as 12M.

    Examples
    --------
    >>> number_format(1500.0), number_format(3e7)
    (',.4~r', '~s')
    """
    return "~s" if largest >= 1e6 or 0 < largest < 1e-3 else ",.4~r"
