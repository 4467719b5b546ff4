"""What the parts of the binder may ask of the whole: so that no part imports another for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from workbench.base.dtypes import Schema
from workbench.query import syntax
from workbench.query.binder.scope import BoundName, Entry, FunctionEntry, Scope
from workbench.query.operators._card import BinderApi
from workbench.query.plan import Const, Expr, Rel, Values
from workbench.query.sources import Sources
from workbench.query.surroundings import NOWHERE, Surroundings

if TYPE_CHECKING:
    import polars as pl


class Catalog(Protocol):
    """The tables that a query can name."""

    def tables(self) -> list[str]: ...
    def schema(self, table: str) -> Schema | None: ...


class Stored(Protocol):
    """The stored functions, read when they are used; their spans lie behind the query's text."""

    def names(self) -> Sequence[str]: ...
    def body(self, name: str) -> syntax.FunctionBody | None: ...


@dataclass(slots=True)
class Hooks:
    """What the binder asks of its caller: to run a plan, to look up a name of the notebook, a stored
    function, what lies around; to pass on a warning."""

    evaluate: Callable[[Rel], pl.DataFrame]
    fold: Callable[[Expr], Expr]
    outside: Callable[[str], Const | Values | None] = field(default=lambda name: None)
    stored: Stored | None = None
    surroundings: Surroundings = NOWHERE
    sources: Sources | None = None
    warn: Callable[[str], None] = field(default=lambda sentence: None)


class Inside(BinderApi, Protocol):
    """The binder as its own parts see it."""

    catalog: Catalog
    hooks: Hooks
    scope: Scope
    now: int
    materialized: int
    bound: dict[str, BoundName]
    calling: list[FunctionEntry]
    aliases: dict[str, syntax.Expression]

    def statements(self, statements: Sequence[syntax.Statement]) -> None:
        """Declare lets and parameters in the present scope."""

    def resolved(self, name: str) -> Entry | None:
        """What a let name stands for, bound at its first use."""

    def outside(self, name: str) -> Const | Values | None:
        """A notebook variable of that name, as a typed constant or a table."""

    def is_tabular_call(self, node: syntax.Call) -> bool:
        """Whether a call gives a table."""

    def looks_tabular(self, node: syntax.Expression, row: Rel) -> bool:
        """Whether an argument is a table rather than a value."""

    def let_scalar(self, entry: FunctionEntry, node: syntax.Call, row: Rel) -> Expr:
        """The call of a let function as a value."""

    def let_table(self, entry: FunctionEntry, node: syntax.Call) -> Rel:
        """The call of a let function as a table."""

    def let_is_tabular(self, entry: FunctionEntry) -> bool:
        """Whether the body of a let function ends in a table."""
