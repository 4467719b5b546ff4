"""The results that lie open in one kernel, and the answers to what their grids ask.

A request is a dict with the `result`'s id and an `ask`; the answer is a dict and perhaps bytes. Rows are held in
memory while there is room, and found again in the kept results on disk. It knows nothing of comms: `host` does.
Its methods may be called from any thread.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.base.diagnostics import kernel as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.kernel_ext import footer
from workbench.kernel_ext.widgets import cell_text, surroundings, wire
from workbench.kernel_ext.widgets.column_statistics import as_shown, statistics, typed
from workbench.kernel_ext.widgets.exports import export
from workbench.kernel_ext.widgets.kept import Asked, Kept, kept_since, new_id
from workbench.kernel_ext.widgets.view import Arrangement, Condition, View
from workbench.query.language import refining
from workbench.query.result import Result

MOST_HELD = 2**30  # bytes of rows in memory
FIRST_LINES = 60
MOST_COPIED = 200_000  # cells
Answer = tuple[dict[str, Any], bytes | None]


@dataclass(slots=True)
class Held:
    """A result that a grid shows; `place` is the display that it stands in."""

    result: Result
    asked: Asked
    view: View
    kept: Kept
    workspace: str
    place: str = ""
    note: str = ""
    size: int = field(default=0)


class Desk:
    """The open results of a kernel.

    Parameters
    ----------
    again : callable
        Runs a cell once more for another time (`asked`, place, timespan) and shows what it gives there.
    ask : callable
        Answers a KQL text in a workspace (`workspace`, `text`, `parameters`).
    kept_of : callable
        The kept results of a workspace, by its path.
    notebook : str
        Path of the notebook as the server names it, or "".
    """

    def __init__(
        self,
        again: Callable[[Asked, str, str], None],
        ask: Callable[[str, str, Mapping[str, Any]], Result],
        kept_of: Callable[[str], Kept],
        notebook: str = "",
    ) -> None:
        self._again, self._ask, self._kept_of = again, ask, kept_of
        self.notebook = notebook
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._workspaces: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.RLock()

    def put(
        self, name: str, result: Result, asked: Asked, workspace: str, place: str = "", note: str = ""
    ) -> None:
        """Take a result, which a grid of that id will ask for, and keep it on disk beside that."""
        kept = self._kept_of(workspace)
        self._hold(name, result, asked, kept, workspace, place, note)
        if not note:
            threading.Thread(target=kept.save, args=(name, result, asked), name="workbench-keep").start()

    def _hold(
        self, name: str, result: Result, asked: Asked, kept: Kept, workspace: str, place: str, note: str
    ) -> Held:
        view = View(result.frame, result.schema)
        held = Held(result, asked, view, kept, workspace, place, note, int(result.frame.estimated_size()))
        with self._lock:
            self._workspaces[workspace] = None
            self._held[name] = held
            while len(self._held) > 1 and sum(h.size for h in self._held.values()) > MOST_HELD:
                self._held.popitem(last=False)
        return held

    def find(self, name: str) -> Held:
        """An open result, or one that is kept on disk.

        Raises
        ------
        WorkbenchError
            LAB302.
        """
        with self._lock:
            if name in self._held:
                self._held.move_to_end(name)
                return self._held[name]
            workspaces = list(self._workspaces)
        for workspace in workspaces:
            kept = self._kept_of(workspace)
            if kept.asked(name) is not None:
                result, asked = kept.load(name)
                return self._hold(name, result, asked, kept, workspace, "", kept_since(asked))
        raise diagnostics.no_longer_kept(name)

    def know(self, workspace: str) -> None:
        """Look also among the kept results of this workspace."""
        with self._lock:
            self._workspaces.setdefault(workspace)

    def answer(self, request: Mapping[str, Any]) -> Answer:
        """The answer to one request; a mistake is `{"error": …}`."""
        try:
            return _ANSWERS[str(request["ask"])](self, request)
        except WorkbenchError as error:
            return {"error": error.message, "hint": error.hint or "", "code": error.code}, None

    # ---- requests ---------------------------------------------------------------------------

    def _known(self, request: Mapping[str, Any]) -> Answer:
        """Which of these results this kernel has made, or has kept for this notebook."""
        return {"known": [name for name in request["results"] if self._is_ours(str(name))]}, None

    def _is_ours(self, name: str) -> bool:
        with self._lock:
            if name in self._held:
                return True
            workspaces = list(self._workspaces)
        if not self.notebook:
            return False
        found = (self._kept_of(w).asked(name) for w in workspaces)
        return any(asked is not None and asked.notebook == self.notebook for asked in found)

    def _open(self, request: Mapping[str, Any]) -> Answer:
        held = self.find(str(request["result"]))
        held.view = View(held.result.frame, held.result.schema)
        return self._described(held)

    def _described(self, held: Held, **more: Any) -> Answer:
        result, asked = held.result, held.asked
        count = len(result.schema)
        return {
            "columns": wire.columns(held.view),
            "rows": len(result),
            "in_all": footer.in_all(result),
            "height": held.view.height,
            "footer": [*footer.rest(result), *([held.note] if held.note else [])],
            "range": {
                "timespan": asked.timespan,
                "set": _sets_time(asked),
                "again": bool(held.place),
                "place": held.place,
            },
            "context": surroundings.missing(result) is None,
            "kql": bool(asked.query) and not asked.sql,
            **more,
        }, wire.window(held.view, 0, FIRST_LINES, range(count))

    def _arrange(self, request: Mapping[str, Any]) -> Answer:
        held = self.find(str(request["result"]))
        held.view.arrange(_arrangement(request["arrangement"]))
        wanted = [int(c) for c in request["columns"]]
        told = {"height": held.view.height, "rows": held.view.rows}
        return told, wire.window(held.view, 0, FIRST_LINES, wanted)

    def _toggle(self, request: Mapping[str, Any]) -> Answer:
        held = self.find(str(request["result"]))
        held.view.toggle(int(request["group"]))
        return {"height": held.view.height, "rows": held.view.rows}, None

    def _window(self, request: Mapping[str, Any]) -> Answer:
        view = self.find(str(request["result"])).view
        wanted = [int(c) for c in request["columns"]]
        return {}, wire.window(view, int(request["start"]), min(1000, int(request["count"])), wanted)

    def _row(self, request: Mapping[str, Any]) -> Answer:
        view = self.find(str(request["result"])).view
        return {"values": wire.details(view, int(request["row"]))}, None

    def _statistics(self, request: Mapping[str, Any]) -> Answer:
        view = self.find(str(request["result"])).view
        column = int(request["column"])
        return as_shown(statistics(view, column), view.schema[column]), None

    def _empty(self, request: Mapping[str, Any]) -> Answer:
        """The columns without a value in any row."""
        return {"empty": wire.empty_columns(self.find(str(request["result"])).view)}, None

    def _value(self, request: Mapping[str, Any]) -> Answer:
        """A value as a condition of the view takes it."""
        view = self.find(str(request["result"])).view
        name = view.schema[int(request["column"])].name
        return {"typed": typed(view.frame[name][int(request["row"])])}, None

    def _copy(self, request: Mapping[str, Any]) -> Answer:
        """Cells as lines with tabs, whole values; `header` puts the names first."""
        view = self.find(str(request["result"])).view
        wanted = [int(c) for c in request["columns"]]
        start = int(request["start"])
        count = min(int(request["stop"]) - start, MOST_COPIED // max(1, len(wanted)))
        lines = [line for line in view.lines(start, count) if line.group is None]
        return {
            "text": wire.copied(view, [line.row for line in lines], wanted, bool(request["header"]))
        }, None

    def _write(self, request: Mapping[str, Any]) -> Answer:
        """The cell's text with a clause more: a value as a filter, all but it, or a path as a column."""
        held = self.find(str(request["result"]))
        if held.asked.sql or not held.asked.query:
            raise diagnostics.not_written("it is SQL" if held.asked.sql else "its text is not known")
        return cell_text.with_clause(held.result, held.asked, request), None

    def _again_for(self, request: Mapping[str, Any]) -> Answer:
        """Run the cell once more, for another time; what comes stands in the place of the grid."""
        held = self.find(str(request["result"]))
        timespan = str(request["timespan"])
        cell = cell_text.with_timespan(held.asked, timespan, request.get("source"))
        self._again(held.asked, held.place, timespan)
        return {"cell": cell}, None

    def _context(self, request: Mapping[str, Any]) -> Answer:
        """The rows before and after one by time on the same host, as a result of their own."""
        held = self.find(str(request["result"]))
        found = surroundings.around(
            held.result,
            held.asked.query if not held.asked.sql else "",
            int(request["row"]),
            int(request["count"]),
            lambda text, parameters: self._ask(held.workspace, text, parameters),
        )
        name = new_id()
        asked = Asked(query=found.query)
        opened = self._hold(name, found.result, asked, held.kept, held.workspace, "", found.note)
        return self._described(opened, id=name, marked=found.marked)

    def _export(self, request: Mapping[str, Any]) -> Answer:
        held = self.find(str(request["result"]))
        name, form, root = (str(request.get(n, "")) for n in ("result", "form", "root"))
        return export(held.result, held.view, name, form, root), None


_ANSWERS: dict[str, Callable[[Desk, Mapping[str, Any]], Answer]] = {
    "known": Desk._known,
    "open": Desk._open,
    "arrange": Desk._arrange,
    "toggle": Desk._toggle,
    "window": Desk._window,
    "row": Desk._row,
    "statistics": Desk._statistics,
    "empty": Desk._empty,
    "value": Desk._value,
    "copy": Desk._copy,
    "write": Desk._write,
    "again": Desk._again_for,
    "context": Desk._context,
    "export": Desk._export,
}


def _arrangement(asked: Mapping[str, Any]) -> Arrangement:
    return Arrangement(
        tuple((int(c), bool(d)) for c, d in asked["sort"]),
        tuple(Condition(int(c["column"]), str(c["sign"]), c["text"]) for c in asked["conditions"]),
        str(asked["search"]),
        None if asked["group"] is None else int(asked["group"]),
    )


def _sets_time(asked: Asked) -> bool:
    """Whether the text says by itself of which time its records are."""
    if asked.sql or not asked.query or asked.query.lstrip().startswith("."):
        return True
    try:
        return refining.filters_time(asked.query)
    except WorkbenchError:
        return True


def notebook_of(environment: Mapping[str, str] = os.environ) -> str:
    """The notebook of this kernel as its server names it, or ""."""
    return environment.get("JPY_SESSION_NAME", "")
