"""The channel between a front end and the kernel: questions of the JupyterLab plugin in, JSON answers out.

A comm of target `workbench.language`. JupyterLab opens one on a subshell of its own, a thread beside the one
that runs cells, so questions are answered while a long query runs. A question is
`{"id", "ask", …}`; its answer `{"id", "answer"}`, or `{"id", "error": {"code", "message", "hint"}}`. Places are
counted in characters of the cell's code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workbench.base.config import default_workspace
from workbench.base.errors import WorkbenchError
from workbench.kernel_ext import alerts, automation, catalog
from workbench.kernel_ext.cell_query import Asked, asked, cell_query
from workbench.kernel_ext.language import Language
from workbench.kernel_ext.options import FORMS
from workbench.server.place import ServicePlace

TARGET = "workbench.language"
_WIDTHS = range(20, 1001)
_MOST_FACTS = 50
Question = Mapping[str, Any]


class Channel:
    """Answers the questions of the front ends that are connected to one kernel.

    Parameters
    ----------
    language : Language
    workspace : callable
        Opens a workspace by its path, or the default one for None.
    past : callable
        Gives what was asked, see `history.History.past`.
    """

    def __init__(
        self,
        language: Language,
        workspace: Callable[[str | None], Any],
        past: Callable[[], Sequence[Mapping[str, Any]]],
    ) -> None:
        self._language = language
        self._workspace = workspace
        self._ways: dict[str, Callable[[Question], Any]] = {
            "complete": self._complete,
            "hover": self._hover,
            "signature": self._signature,
            "findings": self._findings,
            "format": self._format,
            "overview": lambda question: catalog.overview(self._workspace(None)),
            "facts": self._facts,
            "history": lambda question: list(past()),
            "alertFindings": lambda question: alerts.findings(self._workspace(None).source, question),
            "alertRecords": _of_service(lambda p, q: alerts.behind(self._workspace(None).source, p, q)),
            **{name: _of_service(way) for name, way in {**automation.WAYS, **alerts.WAYS}.items()},
        }

    def opened(self, comm: Any, message: Any) -> None:
        """A front end has connected: answer what it asks, and say that someone is here once
        the first answer will be quick."""

        def hear(said: Any) -> None:
            question = said["content"]["data"]
            comm.send({"id": question.get("id"), **self.answer(question)})

        comm.on_msg(hear)
        self._language.warm()
        comm.send({"ready": True})

    def answer(self, question: Question) -> dict[str, Any]:
        """`{"answer": …}` or `{"error": …}` to one question.

        Examples
        --------
        >>> Channel(Language({}, lambda p: None, frozenset()), lambda p: None, list).answer({"ask": "history"})
        {'answer': []}
        """
        way = self._ways.get(str(question.get("ask")))
        if way is None:
            return {"answer": None}  # of a newer plugin
        try:
            return {"answer": way(question)}
        except WorkbenchError as error:
            return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}

    # ---- about a cursor -----------------------------------------------------------------------

    def _place(self, question: Question) -> Asked | None:
        return asked(str(question["code"]), int(question["position"]))

    def _complete(self, question: Question) -> Any:
        place = self._place(question)
        if place is None:
            return None
        if place.option is not None:
            return _options(place.option, place.start)
        made = self._language.complete(place).to_json()
        return {"items": made["items"], "replace": [place.start + n for n in made["replace"]]}

    def _hover(self, question: Question) -> Any:
        place = self._place(question)
        if place is None or place.option is not None:
            return None
        found = self._language.hover(place)
        return None if found is None else _in_cell(found.to_json(), place.start)

    def _signature(self, question: Question) -> Any:
        place = self._place(question)
        if place is None or place.option is not None:
            return None
        found = self._language.signature(place)
        return None if found is None else found.to_json()

    # ---- about a cell -------------------------------------------------------------------------

    def _findings(self, question: Question) -> Any:
        query = cell_query(str(question["code"]))
        return [] if query is None else [d.to_json() for d in self._language.findings(query)]

    def _format(self, question: Question) -> Any:
        code = str(question["code"])
        query = cell_query(code)
        width = int(question["width"])
        if query is None or width not in _WIDTHS:
            return code
        return code[: query.start] + self._language.laid_out(query, width)

    # ---- about the workspace ------------------------------------------------------------------

    def _facts(self, question: Question) -> Any:
        names = [str(n) for n in question["tables"]][:_MOST_FACTS]
        return catalog.facts(self._workspace(None), names)


def _of_service(way: Callable[[ServicePlace, Question], Any]) -> Callable[[Question], Any]:
    return lambda question: way(ServicePlace(default_workspace()), question)


def _in_cell(answer: dict[str, Any], start: int) -> dict[str, Any]:
    return {**answer, "span": [start + n for n in answer["span"]]}


def _options(typed: str, position: int) -> dict[str, Any]:
    """The options of the magic that begin with what was typed."""
    items = [
        {"label": name, "kind": "option", "insert": f"{name} ", "detail": form.value, "doc": form.help, "order": n}
        for n, (name, form) in enumerate(FORMS.items())
        if name.startswith(typed)
    ]  # fmt: skip
    return {"items": items, "replace": [position - len(typed), position]}


def load(shell: Any, channel: Channel) -> None:
    """Let front ends connect to the kernel of a shell; a shell without a kernel has none."""
    comms = getattr(getattr(shell, "kernel", None), "comm_manager", None)
    if comms is not None:
        comms.register_target(TARGET, channel.opened)


def unload(shell: Any) -> None:
    """Take back what `load` did; who is connected stays so until the kernel ends."""
    comms = getattr(getattr(shell, "kernel", None), "comm_manager", None)
    if comms is not None:
        comms.targets.pop(TARGET, None)
