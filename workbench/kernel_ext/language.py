"""The language service for the cells of one kernel: a cell's code in, answers in places of that code out.

It finds the query in the cell, puts the saved search of `--load` before it, gives the notebook's variables as
the outer names, and asks `query.language`, which is loaded by the first question. It knows no rule of the
language and no protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import polars as pl

from workbench.base.errors import Span, WorkbenchError
from workbench.kernel_ext.bind import Scope, typed
from workbench.kernel_ext.cell_query import Asked, CellQuery
from workbench.query.result import Result

if TYPE_CHECKING:
    from workbench.query.language import Completion, Diagnostic, Hover, SignatureHelp, TableSamples

_ROWS = 20  # of a DataFrame whose columns are all that is asked


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


class Language:
    """The language service of one kernel.

    Parameters
    ----------
    namespace : mapping of str
        The notebook's variables, as they are at each question.
    workspace : callable
        Opens a workspace by its path, or the default one for None.
    hidden : frozenset of str
        Names that belong to the notebook itself.

    Every method raises WorkbenchError: REP… where the workspace can't be opened, SAV003 for a saved search
    that `--load` names and nobody kept.
    """

    def __init__(
        self,
        namespace: Mapping[str, Any],
        workspace: Callable[[str | None], Any],
        hidden: frozenset[str],
    ) -> None:
        self._workspace = workspace
        self._variables = Variables(namespace, hidden)
        self._samples: WeakKeyDictionary[Any, TableSamples] = WeakKeyDictionary()

    def warm(self) -> None:
        """Load what the first question would load otherwise, which takes most of a second."""
        import workbench.query.language  # noqa: F401

    def complete(self, place: Asked) -> Completion:
        """What may stand at the cursor; the stretch to replace counts from the query's start."""
        from workbench.query.language import Completion, TableSamples, complete, complete_sql

        workspace, before = self._before(place.workspace, place.load)
        source = workspace.source
        if place.sql:
            at = len(before) + place.position
            made = complete_sql(before + place.query, at, source, self._variables, place.dialect)
            return Completion(made.items, _moved(made.replace, -len(before)))
        if source not in self._samples:
            self._samples[source] = TableSamples(source)
        at = len(before) + place.position
        made = complete(before + place.query, at, source, self._variables, samples=self._samples[source])
        return Completion(made.items, _moved(made.replace, -len(before)))

    def hover(self, place: Asked) -> Hover | None:
        """What stands at the cursor; its span counts from the query's start."""
        from workbench.query.language import hover

        if place.sql:
            return None
        workspace, before = self._before(place.workspace, place.load)
        at = len(before) + place.position
        found = hover(before + place.query, at, workspace.source, self._variables)
        return replace(found, span=_moved(found.span, -len(before))) if found is not None else None

    def signature(self, place: Asked) -> SignatureHelp | None:
        """The call around the cursor."""
        from workbench.query.language import signature

        if place.sql:
            return None
        workspace, before = self._before(place.workspace, place.load)
        return signature(before + place.query, len(before) + place.position, workspace.source)

    def about(self, place: Asked) -> Hover | SignatureHelp | None:
        """What stands at the cursor, else the call around it."""
        return self.hover(place) or self.signature(place)

    def findings(self, query: CellQuery) -> list[Diagnostic]:
        """What is wrong in a cell, in places of its code: in the options, else in the query.

        What is wrong inside of a loaded saved search is told at the options. An empty cell is not judged.
        """
        from workbench.query.language import Diagnostic, diagnose, diagnose_sql

        begins, ends = query.line
        if query.error is not None:
            span = query.error.span or Span(0, ends - begins)
            return [Diagnostic(_moved(span, begins), query.error.code, query.error.message, query.error.hint)]
        if not query.text.strip():
            return []
        try:
            workspace, before = self._before(query.options.workspace, query.options.load)
        except WorkbenchError as error:
            return [Diagnostic(Span(begins, ends), error.code, error.message, error.hint)]
        text, source = before + query.text, workspace.source
        found = (
            diagnose_sql(text, source, self._variables, query.options.dialect)
            if query.is_sql
            else diagnose(text, source, self._variables)
        )
        return [
            replace(d, span=_moved(d.span, query.start - len(before)))
            if d.span.start >= len(before)
            else replace(d, span=Span(begins, ends))
            for d in found
        ]

    def laid_out(self, query: CellQuery, width: int) -> str:
        """The query of a cell in the standard layout; SQL stays as it is.

        Raises
        ------
        WorkbenchError
            KQL001, KQL002 where the text can't be read.
        """
        from workbench.query.language import format

        return query.text if query.is_sql else format(query.text, width)

    def _before(self, workspace: str | None, load: str | None) -> tuple[Any, str]:
        """The workspace, and the text that comes before what stands in the cell."""
        opened = self._workspace(workspace)
        return opened, "" if load is None else f"{opened.searches.get(load).query}\n"


def _moved(span: Span, by: int) -> Span:
    return Span(max(0, span.start + by), max(0, span.end + by))
