"""Plugin cards: what `evaluate NAME(…)` can call. One plugin, one class with a docstring and `bind`.

    @plugin("narrow", syntax="narrow()")
    class Narrow:
        '''One row a cell: the row's number, the column's name, the value as text.'''
        @staticmethod
        def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel: ...

A plugin whose rows are computed outside of the plan gives a `Computed` node.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType, Schema
from workbench.base.errors import Span
from workbench.base.registry import Registry
from workbench.query import syntax
from workbench.query.lowering import Frame, PolarsContext, to_polars
from workbench.query.operators._card import BinderApi
from workbench.query.plan import Col, Expr, Project, Rel


@dataclass(frozen=True, slots=True)
class OutputSchema:
    """What stands behind a call as `: (*, name: type, …)`; `star` keeps the other columns."""

    columns: tuple[tuple[str, ScalarType], ...]
    star: bool
    span: Span


class PluginCall:
    """A call of a plugin: its arguments by place or name, and the schema that was asked for.

    `names` are those of the parameters, in order; what is beyond them are `rest`.
    """

    def __init__(self, call: syntax.Call, schema: OutputSchema | None) -> None:
        self.name = call.name
        self.span = call.span
        self.schema = schema
        self.arguments = list(call.arguments)
        self.positional = [a for a in call.arguments if not isinstance(a, syntax.Named)]
        self.named = {a.names[0]: a for a in call.arguments if isinstance(a, syntax.Named)}
        self._asked: set[str] = set()

    def argument(self, place: int, name: str) -> syntax.Expression | None:
        """The argument, None where it was left out."""
        self._asked.add(name.lower())
        if place < len(self.positional):
            return self.positional[place]
        return next((n.value for own, n in self.named.items() if own.lower() == name.lower()), None)

    def needed(self, place: int, name: str) -> syntax.Expression:
        """The argument, KQL208 where it was left out."""
        found = self.argument(place, name)
        if found is None:
            raise diagnostics.bad_argument(self.name, f"the argument {name} is missing", self.span)
        return found

    def rest(self, first: int) -> list[syntax.Expression]:
        """Arguments from a place on."""
        return self.positional[first:]

    def column(self, place: int, name: str, source: Rel, b: BinderApi) -> tuple[str, Expr]:
        """An argument that names a column or computes one."""
        ((own, expr),) = b.columns([self.needed(place, name)], source)
        return own, expr

    def constant(self, place: int, name: str, b: BinderApi, type_: ScalarType | None = None, default: Any = None) -> Any:  # fmt: skip
        """The value of a constant argument, `default` where it was left out."""
        node = self.argument(place, name)
        return default if node is None else b.constant(node, f"{name} of {self.name}()", type_)

    def finish(self, most: int | None = None) -> None:
        """KQL203, KQL208 where there are arguments that nobody asked for."""
        if most is not None and len(self.positional) > most:
            raise diagnostics.wrong_count(
                self.name, f"{most} arguments at most", len(self.positional), self.span
            )
        for name, node in self.named.items():
            if name.lower() not in self._asked:
                raise diagnostics.bad_argument(self.name, f"has no parameter {name!r}", node.span)


@dataclass(frozen=True, slots=True)
class PluginCard:
    """A registered plugin."""

    name: str
    syntax: str
    doc: str
    bind: Callable[[PluginCall, Rel, BinderApi], Rel]


PLUGINS: Registry[PluginCard] = Registry("plugin")

C = TypeVar("C", bound=type)


def plugin(name: str, *, syntax: str) -> Callable[[C], C]:
    """Register a plugin."""

    def register(cls: C) -> C:
        PLUGINS.add(name, PluginCard(name, syntax, inspect.getdoc(cls) or "", cls.bind), cls.__module__)  # type: ignore[attr-defined]
        return cls

    return register


# ---- nodes that plugins share ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Computed(Rel):
    """Rows that a function makes of the whole of `source` (canonical forms)."""

    source: Rel
    compute: Callable[[pl.DataFrame], pl.DataFrame] = field(compare=False)
    ordered: bool = False

    @property
    def serialized(self) -> bool:
        return self.ordered


@to_polars.register
def _computed(rel: Computed, context: PolarsContext) -> Frame:
    rows = context.collect(context.canonical_frame(rel.source).select(rel.source.names()))
    return Frame(rel.compute(rows).select(rel.names()).lazy(), {})


def projected(source: Rel, columns: Sequence[tuple[str, Expr]]) -> Rel:
    """Just these columns of `source`."""
    from workbench.query.operators._card import schema_of

    return Project(schema_of(columns), source, tuple(columns))


def kept(source: Rel, *, without: str | None = None) -> list[tuple[str, Expr]]:
    """All columns of `source` but one, as they are."""
    return [(c.name, Col(c.type, c.name)) for c in source.schema if c.name != without]


def visible(schema: Schema) -> Schema:
    return tuple(c for c in schema if not c.hidden)
