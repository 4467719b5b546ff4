"""Tab and Shift-Tab in log search cells: what the language service knows, through IPython's completer.

A cell of `%%logsearch` and the rest of a line behind `%logsearch` are KQL; everything else is left to
IPython. Holds no rule of the language: it finds the query in the cell and asks `query.language`, which
is loaded by the first Tab.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import polars as pl
from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher

from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.bind import Scope, typed
from workbench.kernel_ext.options import FORMS, parse_line
from workbench.query.result import Result

if TYPE_CHECKING:
    from workbench.query.language import Completion, Hover, SignatureHelp, TableSamples

_CELL = re.compile(r"\s*%%logsearch\b[ \t]*")
_LINE = re.compile(r"(?:^|=)[ \t]*%logsearch\b[ \t]*")
_OPTION = re.compile(r"(?:^|\s)(-[-\w]*)$")
_WORKSPACE = re.compile(r"--workspace[= ]\s*(\"[^\"]*\"|'[^']*'|\S+)")
_ROWS = 20  # of a DataFrame whose columns are all that is asked


@dataclass(frozen=True, slots=True)
class Asked:
    """A cursor in a log search: the query's text, the place in it, the workspace that is named.

    `option` is what was typed of an option, where the cursor stands among those.
    """

    query: str
    position: int
    workspace: str | None = None
    option: str | None = None


def asked(code: str, position: int) -> Asked | None:
    """The query around a place of a cell, None where there is none.

    Examples
    --------
    >>> asked("%%logsearch --limit 5\\nHeartbeat | wh", 36)
    Asked(query='Heartbeat | wh', position=14, workspace=None, option=None)
    >>> asked("r = %logsearch Heart", 20).query, asked("print(1)", 3)
    ('Heart', None)
    >>> asked("%%logsearch --li", 16).option
    '--li'
    """
    cell = _CELL.match(code)
    if cell is not None:
        end = len(code)
        start = cell.end()
    else:
        begin = code.rfind("\n", 0, position) + 1
        end = code.find("\n", position)
        end = len(code) if end < 0 else end
        line = _LINE.search(code, begin, end)
        if line is None:
            return None
        start = line.end()
    if position < start:
        return None
    stop = code.find("\n", start)
    first = code[start : end if stop < 0 else min(stop, end)]
    try:
        options, begun = parse_line(first)
        if getattr(options, "sql", False):
            return None
        named, length, whole = options.workspace, len(begun), True
    except WorkbenchError:
        length, whole = 0, False
        path = _WORKSPACE.search(first)
        named = path[1].strip("\"'") if path else None
    query = start + len(first) - length
    if not length and cell is not None and start + len(first) < end:
        query += 1
    word = _OPTION.search(code[start:position])
    among = not length and position <= start + len(first) and first.strip().startswith("-")
    if position < query or (among and (cell is not None or word is not None or not whole)):
        return Asked("", 0, named, word[1] if word else "")
    return Asked(code[query:end], position - query, named)


class Variables:
    """Notebook variables for a query that is being written: as `bind.Scope`, of tables a few rows only."""

    def __init__(self, namespace: Mapping[str, Any], hidden: frozenset[str]) -> None:
        self._namespace = namespace
        self._hidden = hidden
        self._scope = Scope([namespace], hidden)

    def __call__(self, name: str) -> Any:
        value: Any = self._namespace.get(name)
        if isinstance(value, Result):
            value = value.frame
        if isinstance(value, pl.LazyFrame):
            return pl.DataFrame(schema=value.collect_schema())
        if isinstance(value, pl.DataFrame):
            return typed(name, value.head(_ROWS))
        if type(value).__module__.split(".")[0] == "pandas" and hasattr(value, "head"):
            return typed(name, value.head(_ROWS))
        return self._scope(name)

    def names(self) -> Iterator[str]:
        """Names of variables that may have a KQL type."""
        for name, value in list(self._namespace.items()):
            if not name.startswith("_") and name not in self._hidden and not callable(value):
                yield name


class Helper:
    """The language service of one kernel.

    Parameters
    ----------
    shell : InteractiveShell
    workspace : callable
        Opens a workspace by its path, or the default one for None.
    hidden : frozenset of str
        Names that belong to the notebook itself.
    """

    def __init__(self, shell: Any, workspace: Callable[[str | None], Any], hidden: frozenset[str]) -> None:
        self._shell = shell
        self._workspace = workspace
        self._hidden = hidden
        self._samples: WeakKeyDictionary[Any, TableSamples] = WeakKeyDictionary()

    def complete(self, place: Asked) -> Completion:
        """What may stand at the cursor.

        Raises
        ------
        WorkbenchError
            REP… where the workspace can't be opened.
        """
        from workbench.query.language import TableSamples, complete

        source = self._workspace(place.workspace).source
        if source not in self._samples:
            self._samples[source] = TableSamples(source)
        return complete(place.query, place.position, source, self._variables(), samples=self._samples[source])

    def about(self, place: Asked) -> Hover | SignatureHelp | None:
        """What stands at the cursor, else the call around it."""
        from workbench.query.language import hover, signature

        source = self._workspace(place.workspace).source
        found = hover(place.query, place.position, source, self._variables())
        return found or signature(place.query, place.position, source)

    def _variables(self) -> Variables:
        return Variables(self._shell.user_ns, self._hidden)


def load(shell: Any, workspace: Callable[[str | None], Any], hidden: frozenset[str]) -> None:
    """Answer Tab and Shift-Tab in the log search cells of a shell."""
    helper = Helper(shell, workspace, hidden)

    @context_matcher(identifier="logsearch", priority=200)  # type: ignore[untyped-decorator]
    def logsearch(context: CompletionContext) -> dict[str, Any]:
        lines = context.full_text.split("\n")
        position = sum(len(line) + 1 for line in lines[: context.cursor_line]) + context.cursor_position
        return _matches(helper, context.full_text, position)

    unload(shell)
    shell.Completer.custom_matchers.insert(0, logsearch)
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        kernel.do_inspect = _inspector(helper, kernel.do_inspect)


def unload(shell: Any) -> None:
    """Take back what `load` did."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [m for m in matchers if getattr(m, "matcher_identifier", "") != "logsearch"]
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        vars(kernel).pop("do_inspect", None)


def _matches(helper: Helper, code: str, position: int) -> dict[str, Any]:
    """The answer to Tab in IPython's form; nothing outside of log searches."""
    nothing: dict[str, Any] = {"completions": []}
    place = asked(code, position)
    if place is None:
        return nothing
    if place.option is not None:
        found = [
            SimpleCompletion(f"{name} ", type="option") for name in FORMS if name.startswith(place.option)
        ]
        return {"completions": found, "matched_fragment": place.option, "suppress": True, "ordered": True}
    try:
        made = helper.complete(place)
    except WorkbenchError:
        return nothing
    return {
        "completions": [SimpleCompletion(i.insert, type=i.kind.value) for i in made.items],
        "matched_fragment": place.query[made.replace.start : place.position],
        "suppress": True,
        "ordered": True,
    }


def _inspector(helper: Helper, usual: Callable[..., Any]) -> Callable[..., Any]:
    """The kernel's answer to Shift-Tab, ours where the cursor stands in a query."""

    def do_inspect(code: str, cursor_pos: int, detail_level: int = 0, omit_sections: Any = ()) -> Any:
        place = asked(code, cursor_pos)
        if place is None or place.option is not None:
            return usual(code, cursor_pos, detail_level, omit_sections)
        try:
            found = helper.about(place)
        except WorkbenchError:
            found = None
        data = {"text/plain": told(found)} if found is not None else {}
        return {"status": "ok", "found": found is not None, "data": data, "metadata": {}}

    return do_inspect


def told(found: Hover | SignatureHelp) -> str:
    """What is known about a word or a call, as text.

    Examples
    --------
    >>> from workbench.query.language import signature
    >>> print(told(signature("print strlen(", 13)))
    strlen(text: string) → long
    Number of characters, not bytes.
    """
    from workbench.query.language import SignatureHelp

    if isinstance(found, SignatureHelp):
        lines = [found.label, *found.others, found.doc]
    else:
        shown = {"operator", "function", "aggregate", "plugin"}
        lines = [found.detail if found.kind.value in shown else f"{found.label}: {found.detail}", found.doc]
    return "\n".join(line for line in lines if line)
