"""The form of a dashboard: the time range and a field for each parameter, its label above it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets

from workbench.base.dtypes import format_timespan
from workbench.kernel_ext.dashboards.spec import Dashboard, Parameter

TIMESPAN = "timespan"
_SPANS = {
    "PT15M": "last 15 min", "PT1H": "last hour", "PT6H": "last 6 h", "P1D": "last day", "P7D": "last 7 days",
    "P30D": "last 30 days",
}  # fmt: skip
_US = dt.timedelta(microseconds=1)


class Form:
    """The fields.

    Parameters
    ----------
    choices : callable
        What a viewer can choose from for a parameter.
    chosen : callable
        Told the name and the new value of each choice.
    """

    def __init__(self, dashboard: Dashboard, choices: Callable[[Parameter], list[str]], chosen: Callable[[str, Any], None]) -> None:  # fmt: skip
        spans = dict(_SPANS)
        spans.setdefault(dashboard.timespan, dashboard.timespan)
        self._spans = spans
        self._span = ipywidgets.Dropdown(options=_options(spans), value=dashboard.timespan)
        self._span.layout.width = "140px"
        self._fields = {p.name: _field(p, choices(p)) for p in dashboard.parameters}
        self._parameters = {p.name: p for p in dashboard.parameters}
        self._showing = False
        labelled = [_labelled("Time", self._span)]
        labelled += [_labelled(p.label or p.name, self._fields[p.name]) for p in dashboard.parameters]
        again = ipywidgets.Button(description="Refresh", tooltip="Ask all tiles again")
        again.layout.width = "80px"
        again.on_click(lambda _: chosen(TIMESPAN, self._span.value))
        labelled.append(ipywidgets.VBox([again]))
        self.widget = ipywidgets.HBox(labelled)
        self.widget.add_class("wb-board-form")
        for name, field in [(TIMESPAN, self._span), *self._fields.items()]:
            field.observe(self._told(name, chosen), "value")

    def show(self, values: Mapping[str, Any], timespan: str) -> None:
        """Show these values; nobody is told."""
        self._showing = True
        try:
            if timespan not in self._spans:
                self._spans[timespan] = timespan
                self._span.options = _options(self._spans)
            self._span.value = timespan
            for name, field in self._fields.items():
                value = values[name]
                if isinstance(field, ipywidgets.TagsInput):
                    value = [str(v) for v in value]
                    field.allowed_tags = [*field.allowed_tags, *(v for v in value if field.allowed_tags and v not in field.allowed_tags)]  # fmt: skip
                elif isinstance(field, ipywidgets.Dropdown):
                    value = str(value)
                    if value not in field.options:
                        field.options = (*field.options, value)
                elif isinstance(value, dt.timedelta):
                    value = format_timespan(value // _US * 10)
                field.value = value
        finally:
            self._showing = False

    def _told(self, name: str, chosen: Callable[[str, Any], None]) -> Callable[[Mapping[str, Any]], None]:
        def told(change: Mapping[str, Any]) -> None:
            if not self._showing:
                value = change["new"]
                chosen(name, list(value) if isinstance(value, tuple | list) else value)

        return told


def _options(spans: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(words, span) for span, words in spans.items()]


def _labelled(text: str, field: Any) -> Any:
    return ipywidgets.VBox([ipywidgets.Label(text), field], layout={"width": "auto"})


def _field(parameter: Parameter, choices: list[str]) -> Any:
    """The field that suits a parameter's type and choices."""
    if parameter.many:
        field: Any = ipywidgets.TagsInput(
            value=[], allowed_tags=choices, allow_duplicates=False, placeholder="all"
        )
        field.layout.width = "auto"
        field.layout.min_width = "160px"
        return field
    if choices:
        return ipywidgets.Dropdown(options=choices if parameter.default is not None else ["", *choices])
    if parameter.type == "bool":
        return ipywidgets.Checkbox(indent=False)
    if parameter.type == "long":
        return ipywidgets.IntText(layout={"width": "120px"})
    if parameter.type == "real":
        return ipywidgets.FloatText(layout={"width": "120px"})
    if parameter.type == "datetime":
        return ipywidgets.DatetimePicker()
    return ipywidgets.Text(continuous_update=False, layout={"width": "140px"})
