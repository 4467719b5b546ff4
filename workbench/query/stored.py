"""Stored functions as syntax: read when a query uses them, their spans behind the query's own text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from workbench.base.errors import WorkbenchError
from workbench.query import syntax
from workbench.query.parser import parse_function
from workbench.query.sources import Sources
from workbench.query.surroundings import Surroundings


class StoredFunctions:
    """The stored functions of one query."""

    def __init__(self, surroundings: Surroundings, sources: Sources) -> None:
        self._surroundings = surroundings
        self._sources = sources
        self._known: frozenset[str] | None = None

    def names(self) -> Sequence[str]:
        """All names, as they were when the query first asked."""
        if self._known is None:
            self._known = frozenset(self._surroundings.functions())
        return sorted(self._known)

    def body(self, name: str) -> syntax.FunctionBody | None:
        """A function, or None where none has that name.

        Raises
        ------
        WorkbenchError
            KQL00x, placed in the function's own text.
        """
        if name not in self.names():
            return None
        found = self._surroundings.function(name)
        if found is None:
            return None
        text = f"{found.parameters} {found.body}"
        begins = self._sources.add(name, text)
        try:
            return replace(parse_function(text, begins), view=found.view)
        except WorkbenchError as error:
            error.text = None  # the reader of tokens knew only the text with the room in front
            raise self._sources.located(error) from None
