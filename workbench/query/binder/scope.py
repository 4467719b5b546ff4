"""What a name may stand for besides a column: let values, tables, functions, parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from workbench.base.dtypes import ScalarType
from workbench.query import syntax
from workbench.query.plan import Expr, Rel


@dataclass(slots=True)
class ScalarEntry:
    """A let that is a value."""

    expr: Expr


@dataclass(slots=True)
class TableEntry:
    """A let that is a table; `name` is what `withsource` shows, None for unnamed ones."""

    rel: Rel
    label: str | None = None


@dataclass(slots=True)
class PendingEntry:
    """A let that was not used yet: bound at its first use, in the scope it stood in."""

    value: syntax.Pipeline | syntax.Expression
    scope: Scope
    busy: bool = False


@dataclass(slots=True)
class FunctionEntry:
    """A let function, or a stored one, with the scope it closes over."""

    name: str
    body: syntax.FunctionBody
    scope: Scope
    stored: bool = False


@dataclass(slots=True)
class PatternEntry:
    """`declare pattern`, with the scope it stood in."""

    pattern: syntax.DeclarePattern
    scope: Scope


Entry = ScalarEntry | TableEntry | PendingEntry | FunctionEntry | PatternEntry


class Behind(Protocol):
    """Names that are looked up only when they are used: the stored functions."""

    def names(self) -> Sequence[str]: ...
    def entry(self, name: str) -> Entry | None: ...


@dataclass(frozen=True, slots=True)
class Allowed:
    """What `restrict access to` leaves: names of lets, and of stored tables and functions.

    Either may hold patterns with `*`.
    """

    declared: tuple[str, ...]
    stored: tuple[str, ...]


@dataclass(slots=True)
class Scope:
    """Names in reach, inner before outer."""

    outer: Scope | None = None
    entries: dict[str, Entry] = field(default_factory=dict)
    behind: Behind | None = None
    allowed: Allowed | None = None  # what may be used of the scopes outside of this one

    def find(self, name: str) -> Entry | None:
        scope = self.holder(name)
        return None if scope is None else scope.entries[name]

    def holder(self, name: str) -> Scope | None:
        """The scope that declares `name`."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.entries:
                return scope
            if scope.behind is not None:
                found = scope.behind.entry(name)
                if found is not None:
                    scope.entries[name] = found
                    return scope
            scope = scope.outer
        return None

    def names(self) -> Iterator[str]:
        scope: Scope | None = self
        while scope is not None:
            yield from scope.entries
            if scope.behind is not None:
                yield from (n for n in scope.behind.names() if n not in scope.entries)
            scope = scope.outer

    def child(self) -> Scope:
        return Scope(self)


@dataclass(frozen=True, slots=True)
class BoundName:
    """A name of the caller (a notebook variable) that was bound: its type, or None for a table."""

    name: str
    type: ScalarType | None
