"""Stored functions as names of the outermost scope, each read when it is first used."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.query.binder.inside import Stored
from workbench.query.binder.scope import FunctionEntry, Scope


class StoredNames:
    """See `scope.Behind`. A stored function closes over the outermost scope: it sees no `let`."""

    def __init__(self, stored: Stored, scope: Scope) -> None:
        self._stored = stored
        self._scope = scope

    def names(self) -> Sequence[str]:
        return self._stored.names()

    def entry(self, name: str) -> FunctionEntry | None:
        body = self._stored.body(name)
        return None if body is None else FunctionEntry(name, body, self._scope, stored=True)
