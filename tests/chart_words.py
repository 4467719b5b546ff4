"""A chart in a few lines of text, as cases expect it: what is drawn from which column, and the points."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

_MOST_POINTS = 10
_CHANNELS = ("x", "x2", "y", "y2", "theta", "color", "shape", "opacity", "text", "xOffset", "yOffset")


def described(spec: dict[str, Any]) -> str:
    """What a person would check in the picture.

    First the kind and how many values; then a line for each layer of each panel with the titles of its
    axes, what is stacked and where a scale begins and ends; colours; notes; the first points.
    """
    told = spec["usermeta"]["workbench"]
    lines = [f"{told['kind']}, {told['marks']} values"]
    if spec.get("title"):
        lines.append(f"title: {spec['title']}")
    for panel in spec.get("vconcat", [spec]):
        lines += [f"panel {panel['height']} high"] if "vconcat" in spec else []
        for layer in panel.get("layer", [panel]):
            if not str(layer.get("name", "")).startswith("hover"):
                lines.append(_layer(layer))
    colours = _colours(spec)
    if colours:
        lines.append("colours: " + ", ".join(f"{name} {colour}" for name, colour in colours.items()))
    lines += [f"note: {note}" for note in told["notes"]]
    return "\n".join([*lines, *_points(spec)])


def _layer(layer: dict[str, Any]) -> str:
    mark = layer["mark"]
    said = [mark if isinstance(mark, str) else mark["type"]]
    for channel in _CHANNELS:
        found = layer.get("encoding", {}).get(channel)
        if found is not None and "field" in found:
            said.append(f"{channel}={found['field']}{_channel(found)}")
    return " ".join(said)


def _channel(found: dict[str, Any]) -> str:
    extra = [repr(found["title"])] if found.get("title") else []
    extra += [f"stack {found['stack']}"] if found.get("stack") else []
    scale = found.get("scale") or {}
    extra += [f"{key} {scale[key]}" for key in ("type", "domainMin", "domainMax") if key in scale]
    extra += ["from zero"] if scale.get("zero") else []
    axis = found.get("axis") or {}
    extra += [f"on the {axis['orient']}"] if "orient" in axis else []
    return f" ({', '.join(extra)})" if extra else ""


def _colours(spec: dict[str, Any]) -> dict[str, str]:
    """The colours of a legend; none where there is one series and no legend."""
    for panel in spec.get("vconcat", [spec]):
        for layer in panel.get("layer", [panel]):
            colour = layer.get("encoding", {}).get("color") or {}
            scale = colour.get("scale") or {}
            if colour.get("legend") is not None and scale.get("domain"):
                return dict(zip(scale["domain"], scale["range"], strict=True))
    return {}


def _points(spec: dict[str, Any]) -> list[str]:
    holders = [spec, *(own for panel in spec.get("vconcat", [spec]) for own in panel.get("layer", []))]
    values = [point for own in holders for point in own.get("data", {}).get("values", [])]
    lines = [json.dumps({k: _shown(k, v) for k, v in point.items()}, ensure_ascii=False) for point in values]
    return lines[:_MOST_POINTS] + (
        [f"and {len(lines) - _MOST_POINTS} more"] if len(lines) > _MOST_POINTS else []
    )


def _shown(key: str, value: Any) -> Any:
    """Milliseconds of this century as time."""
    if key in ("x", "e") and isinstance(value, int) and value > 1_000_000_000_000:
        return dt.datetime.fromtimestamp(value / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M:%S")
    return value
