"""A dashboard in a notebook: the form, the tabs and groups, a grid of tiles each; asks, and answers clicks.

Widgets of ipywidgets hold the form and the order, one `Tiles` (anywidget) a group draws. What a browser sends is
checked like any text from outside: numbers of tiles and rows, a link's parameters by their declared types.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import replace
from functools import cache
from html import escape
from importlib.resources import files
from time import monotonic
from typing import Any

import anywidget
import ipywidgets
import traitlets

from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.cells import printable
from workbench.kernel_ext.dashboards import form, parameters, tiles
from workbench.kernel_ext.dashboards.answering import Answer, Asker, drill_down
from workbench.kernel_ext.dashboards.colours import Colours
from workbench.kernel_ext.dashboards.spec import Dashboard, Group, Tab
from workbench.kernel_ext.dashboards.stored import StoredAnswers

_SOON = 2.0
_FRESH = dt.timedelta(seconds=20)


@cache
def asset(name: str) -> str:
    """A file of `assets/`."""
    return files("workbench.kernel_ext").joinpath(f"assets/{name}").read_text()


class Tiles(anywidget.AnyWidget):  # type: ignore[misc]
    """The grid of one group: its tiles as HTML, 12 columns wide."""

    _esm = asset("dashboard.js")
    tiles = traitlets.List(traitlets.Unicode()).tag(sync=True)
    widths = traitlets.List(traitlets.Int()).tag(sync=True)
    refresh = traitlets.Int(0).tag(sync=True)

    def __init__(self, group: Group, refresh: int, heard: Callable[[Tiles, Mapping[str, Any]], None]) -> None:
        self.group = group
        self.answers: list[Answer | None] = [None] * len(group.tiles)
        super().__init__(
            tiles=[tiles.waiting(t.title, t.kind) for t in group.tiles],
            widths=[t.width for t in group.tiles],
            refresh=refresh,
        )
        self.on_msg(lambda _, content, __: heard(self, content))


class Board:
    """A dashboard and its widget.

    Parameters
    ----------
    workspace : Workspace
    dashboard : Dashboard
    variables : mutable mapping
        The notebook's variables: a parameter that is there already gives the first value, and each choice is put
        there, so that cells use the same.
    """

    def __init__(
        self, workspace: Any, dashboard: Dashboard, variables: MutableMapping[str, Any] | None = None
    ) -> None:
        self.dashboard = dashboard
        self._asker = Asker(workspace, dashboard)
        self._stored = StoredAnswers(workspace.path, dashboard.title)
        self._variables = {} if variables is None else variables
        self._colours = Colours()
        self._timespan = dashboard.timespan
        self._values = parameters.defaults(dashboard)
        for one in dashboard.parameters:
            if one.name in self._variables:
                self._values[one.name] = parameters.typed(one, self._variables[one.name])
        self._asked = 0.0
        self._link = ""
        self._open: set[int] = set()
        self._said = ipywidgets.HTML()
        self._said.add_class("wb-board-said")
        self._form = form.Form(dashboard, self._asker.choices, self._chosen)
        self._form.show(self._values, self._timespan)
        self._grids: list[Tiles] = []
        self.widget = self._made()
        self._share()

    @property
    def grids(self) -> list[Tiles]:
        return self._grids

    @property
    def values(self) -> Mapping[str, Any]:
        return self._values

    @property
    def timespan(self) -> str:
        return self._timespan

    # ---- asking -------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Ask all tiles that are open, each shown as soon as it is there."""
        opened = [g for i, g in enumerate(self._grids) if not g.group.lazy or i in self._open]
        now = self._asker.begin()
        for grid in opened:
            self._show_stored(grid, now)
        for grid in opened:
            self._ask(grid)
        self._asked = monotonic()

    def show_all(self, timespan: str = "") -> None:
        """Ask every tile, those of lazy groups too, perhaps over another time."""
        self._timespan = timespan or self._timespan
        self._open = set(range(len(self._grids)))
        self.refresh()

    def _show_stored(self, grid: Tiles, now: dt.datetime) -> None:
        """What is known from an earlier time, with its age, while the tiles are asked."""
        made = list(grid.tiles)
        for i, one in enumerate(grid.group.tiles):
            known = grid.answers[i] or self._stored.find(one, self._values, self._timespan)
            if known is not None and known.result is not None and now - known.end > _FRESH:
                grid.answers[i] = replace(known, stored=True)
                made[i] = tiles.tile(replace(known, stored=True), self._colours, now)
        grid.tiles = made

    def _ask(self, grid: Tiles) -> None:
        made = list(grid.tiles)
        for i, one in enumerate(grid.group.tiles):
            answer = self._asker.answer(one, self._values, self._timespan)
            grid.answers[i] = answer
            made[i] = tiles.tile(answer, self._colours)
            grid.send({"tile": i, "html": made[i]})
            self._stored.keep(answer, self._values, self._timespan)
        grid.tiles = made

    def _chosen(self, name: str, value: Any) -> None:
        """A choice in the form."""
        try:
            if name == form.TIMESPAN:
                self._timespan = value
            else:
                known = {p.name: p for p in self.dashboard.parameters}
                self._values[name] = parameters.typed(known[name], value)
        except WorkbenchError as error:
            self._say(error)
            return
        self._say(None)
        self._share()
        self.refresh()

    def follow(self, link: str) -> None:
        """Take the parameters of a link; wrong ones are said and change nothing."""
        try:
            values, span = parameters.from_link(self.dashboard, link)
        except WorkbenchError as error:
            self._say(error)
            return
        self._values |= values
        self._timespan = span or self._timespan
        self._form.show(self._values, self._timespan)
        self._share()

    def _share(self) -> None:
        self._variables.update(self._values)

    def _say(self, error: WorkbenchError | None) -> None:
        text = "" if error is None else escape(printable(error.render(), lines=True))
        self._said.value = f'<div class="wb-mistake" role="alert">{text}</div>' if text else ""

    # ---- what the browser says ----------------------------------------------------------------

    def heard(self, grid: Tiles, content: Any) -> None:
        """A message of the browser; one that is none of these is left alone."""
        if not isinstance(content, Mapping):
            return
        drill, row, link = content.get("drill"), content.get("row"), content.get("open")
        if isinstance(drill, int) and 0 <= drill < len(grid.answers):
            answer = grid.answers[drill]
            if answer is not None and answer.query:
                place = row if isinstance(row, int) and not isinstance(row, bool) else None
                grid.send({"cell": drill_down(self.dashboard.title, answer, self._values, place)})
        elif isinstance(link, str):
            if link != self._link:
                self._link = link
                self.follow(link)
                self.refresh()
            elif monotonic() - self._asked > _SOON:
                self.refresh()
        elif content.get("refresh") is True and monotonic() - self._asked > _SOON:
            self.refresh()

    # ---- widgets ------------------------------------------------------------------------------

    def _made(self) -> Any:
        title = escape(printable(self.dashboard.title))
        words = (
            f"<p>{escape(printable(self.dashboard.description))}</p>" if self.dashboard.description else ""
        )
        head = ipywidgets.HTML(
            f'<style>{asset("dashboard.css")}</style><div class="wb-board"><h2>{title}</h2>{words}</div>'
        )
        tabs = [self._tab(tab) for tab in self.dashboard.tabs]
        body: Any = tabs[0]
        if len(tabs) > 1:
            body = ipywidgets.Tab(children=tabs, titles=[t.title or "Overview" for t in self.dashboard.tabs])
            body.add_class("wb-board-tabs")
        return ipywidgets.VBox([head, self._form.widget, self._said, body])

    def _tab(self, tab: Tab) -> Any:
        parts: list[Any] = []
        for group in tab.groups:
            grid = Tiles(group, self.dashboard.refresh, self.heard)
            self._grids.append(grid)
            if group.lazy:
                parts.append(self._lazy(grid, len(self._grids) - 1))
            elif group.title:
                heading = f'<div class="wb-board"><h3>{escape(printable(group.title))}</h3></div>'
                parts.append(ipywidgets.VBox([ipywidgets.HTML(heading), grid]))
            else:
                parts.append(grid)
        return ipywidgets.VBox(parts)

    def _lazy(self, grid: Tiles, number: int) -> Any:
        """A group that asks when it is opened for the first time."""
        folded = ipywidgets.Accordion(children=[grid], titles=[grid.group.title], selected_index=None)

        def opened(change: Mapping[str, Any]) -> None:
            if change["new"] is not None and number not in self._open:
                self._open.add(number)
                self._ask(grid)

        folded.observe(opened, "selected_index")
        return folded
