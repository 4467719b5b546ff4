"""What was bound of earlier texts of a source: rows and scopes by the text before them.

An editor asks about nearly the same text again and again. What is kept holds as long as the tables and
outside names that were looked at stay what they were; else all of it is forgotten.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import RLock
from typing import Any
from weakref import WeakKeyDictionary

from workbench.base.dtypes import Schema
from workbench.base.errors import WorkbenchError
from workbench.query import syntax
from workbench.query.binder.scope import Scope, TableEntry
from workbench.query.frames import Tables, surroundings_of
from workbench.query.plan import Const, Rel, Values
from workbench.query.sources import Sources
from workbench.query.stored import StoredFunctions
from workbench.query.surroundings import FunctionText, Surroundings

Key = tuple[int, int, int]
_ROWS, _SCOPES = 2_000, 400


@dataclass(frozen=True, slots=True)
class Row:
    """The table behind a piece of a pipeline. `sure` is false where something before was skipped;
    `errors` are those of the piece itself; `named` are the tables that `as` named so far."""

    rel: Rel
    sure: bool = True
    errors: tuple[WorkbenchError, ...] = ()
    named: tuple[tuple[str, TableEntry], ...] = ()


@dataclass(slots=True)
class Memory:
    """Everything that is kept about one source."""

    rows: OrderedDict[Key, Row] = field(default_factory=OrderedDict)
    scopes: OrderedDict[Key, tuple[Scope, tuple[WorkbenchError, ...]]] = field(default_factory=OrderedDict)
    schemas: dict[str, Schema | None] = field(default_factory=dict)
    outside: dict[str, object] = field(default_factory=dict)
    functions: tuple[str, ...] = ()
    bodies: dict[str, object] = field(default_factory=dict)  # of the stored functions that were used
    guard: RLock = field(default_factory=RLock)

    def check(self, source: Tables, outside: Callable[[str], object]) -> None:
        """Forget all where a table, a stored function or an outside name changed."""
        around = surroundings_of(source)
        functions = tuple(around.functions())
        same = (
            self.functions == functions
            and all(text_of(around.function(n)) == t for n, t in self.bodies.items())
            and all(source.schema(n) == s for n, s in self.schemas.items())
            and all(outside(n) == v for n, v in self.outside.items())
        )
        if not same:
            self.rows.clear()
            self.scopes.clear()
            self.schemas.clear()
            self.outside.clear()
            self.bodies.clear()
            self.functions = functions

    def row(self, key: Key, make: Callable[[], Row]) -> Row:
        """A kept row, or the one that `make` gives."""
        found = self.rows.get(key)
        if found is None:
            found = self.rows[key] = make()
            if len(self.rows) > _ROWS:
                self.rows.popitem(last=False)
        return found

    def keep_scope(self, key: Key, scope: Scope, errors: tuple[WorkbenchError, ...]) -> None:
        """Keep the names in reach behind a stretch of text."""
        self.scopes[key] = scope, errors
        if len(self.scopes) > _SCOPES:
            self.scopes.popitem(last=False)


_kept: WeakKeyDictionary[Any, Memory] = WeakKeyDictionary()
_guard = RLock()


def memory_of(source: Tables) -> Memory:
    """What is kept about a source, for as long as it lives."""
    with _guard:
        found = _kept.get(source)
        if found is None:
            found = _kept[source] = Memory()
        return found


def text_of(function: FunctionText | None) -> object:
    """A stored function as what it does."""
    return None if function is None else (function.parameters, function.body)


class SeenFunctions(StoredFunctions):
    """The stored functions, noting which were used."""

    def __init__(self, surroundings: Surroundings, sources: Sources, memory: Memory) -> None:
        super().__init__(surroundings, sources)
        self._around = surroundings
        self._memory = memory

    def body(self, name: str) -> syntax.FunctionBody | None:
        if name in self.names():
            self._memory.bodies[name] = text_of(self._around.function(name))
        return super().body(name)


def nature(found: Const | Values | None) -> object:
    """What of an outside name matters to a query that is only bound: its type, not its value."""
    if isinstance(found, Values):
        return found.schema
    if found is None:
        return None
    value = found.value
    return (found.type, value if isinstance(value, str | int | float | bool) else repr(value)[:200])


class Seen:
    """The tables of a source, noting which were looked at."""

    def __init__(self, source: Tables, memory: Memory) -> None:
        self._source = source
        self._memory = memory
        self._names: list[str] | None = None

    def tables(self) -> list[str]:
        if self._names is None:
            self._names = self._source.tables()
        return self._names

    def schema(self, table: str) -> Schema | None:
        seen = self._memory.schemas
        if table not in seen:
            seen[table] = self._source.schema(table)
        return seen[table]
