"""The one widget of a kernel: it carries the grids' program to the browser, their questions to the `Desk`.

It draws nothing by itself. Its program looks for the HTML tables of this kernel's results and puts grids in their
places, so an output stays plain HTML: a saved notebook needs no widget to be read, and none is ever missing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import anywidget
import traitlets

from workbench.kernel_ext.widgets import assets
from workbench.kernel_ext.widgets.desk import Desk

VARIABLE = "WORKBENCH_GRID"
# What tells a kernel that a front end is there which knows widgets: Jupyter's server, VS Code, Voilà.
_FRONT_ENDS = ("JPY_SESSION_NAME", "VSCODE_PID", "VSCODE_CWD", "VOILA_REQUEST_URL")


def is_wanted(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody looks on, so that grids are worth it; `WORKBENCH_GRID` on or off decides.

    A notebook that runs by itself (papermill, nbconvert) has only the HTML.

    Examples
    --------
    >>> is_wanted({}), is_wanted({"JPY_SESSION_NAME": "a.ipynb"}), is_wanted({"WORKBENCH_GRID": "on"})
    (False, True, True)
    """
    said = environment.get(VARIABLE, "").lower()
    if said in ("on", "off"):
        return said == "on"
    return any(environment.get(name) for name in _FRONT_ENDS)


class Grids(anywidget.AnyWidget):  # type: ignore[misc]
    """Carries messages between the browser and a desk."""

    # A style of anywidget's own comes with a view, and this widget has none.
    style = traitlets.Unicode().tag(sync=True)

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        super().__init__(_esm=assets.module("main"), style=assets.style())
        self.on_msg(self._heard)

    def _heard(self, _: Any, content: Any, buffers: Any) -> None:
        answer, data = self._desk.answer(content)
        self.send({"ref": content.get("ref"), **answer}, [] if data is None else [data])
