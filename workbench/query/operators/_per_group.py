"""A subquery for each group of rows: what `mv-apply … on (…)` and `partition by … (…)` have in common.

A subquery is bound once, over a `Leaf` that stands for the rows of any one group. `Apply` says which
rows those are. How all groups are answered at once is the backend's affair (`backends.per_group`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.query.plan import Expr, Rel, columns_of, map_inputs, walk


@dataclass(frozen=True, slots=True)
class Leaf(Rel):
    """The rows of a group; `ordered` says that they have an order."""

    ordered: bool = False

    @property
    def serialized(self) -> bool:
        return self.ordered


@dataclass(frozen=True, slots=True)
class Held(Rel):
    """Rows that are lowered already; stands where a leaf stood."""

    frame: Any = field(compare=False)
    ordered: bool = False

    @property
    def serialized(self) -> bool:
        return self.ordered


@dataclass(frozen=True, slots=True)
class Apply(Rel):
    """`body` for each group of the rows of `source`, which it reads at `leaf`.

    Groups are the values of the column `key`; `numbered`: each row of `source` is a group, and `key`
    is its number, which the lowering adds. `beside` are columns of `source` that the result has and
    the body lacks: they are the same in all rows of a group.
    """

    source: Rel
    leaf: Leaf
    body: Rel
    key: str
    numbered: bool = False
    beside: tuple[str, ...] = ()

    @property
    def serialized(self) -> bool:
        return self.body.serialized and self.source.serialized

    @property
    def passing(self) -> frozenset[str]:
        """See `rewrite.push_down.Passing`: a row's own columns, where each row is a group."""
        return frozenset(self.beside if self.numbered else ())

    def pruned(self, needed: set[str] | None, prune: Callable[[Rel, set[str] | None], Rel]) -> Rel:
        """See `rewrite.prune.Prunable`."""
        beside = tuple(n for n in self.beside if needed is None or n in needed)
        asked = _Asked(self.leaf.schema, ordered=self.leaf.ordered)
        prune(substituted(self.body, self.leaf, asked), needed)
        used = asked.names_asked | {self.key, *beside}
        leaf = replace(self.leaf, schema=tuple(c for c in self.leaf.schema if c.name in used))
        body = prune(substituted(self.body, self.leaf, leaf), needed)
        left = {*beside, *body.names()}
        schema = tuple(c for c in self.schema if c.name in left)
        source = prune(self.source, used)
        return replace(self, schema=schema, source=source, leaf=leaf, body=body, beside=beside)


@dataclass(frozen=True, slots=True)
class _Asked(Rel):
    """Stands for a leaf and learns which of its columns the body reads."""

    names_asked: set[str] = field(default_factory=set, compare=False)
    ordered: bool = False

    @property
    def serialized(self) -> bool:
        return self.ordered

    def pruned(self, needed: set[str] | None, prune: Callable[[Rel, set[str] | None], Rel]) -> Rel:
        """See `rewrite.prune.Prunable`."""
        self.names_asked.update(self.names() if needed is None else needed)
        return self


def free_name(stem: str, rel: Rel) -> str:
    """`stem`, or `stem1`, … whichever `rel` does not have."""
    name, number = stem, 1
    while rel.column(name) is not None:
        name, number = f"{stem}{number}", number + 1
    return name


def contains(rel: Rel, leaf: Rel) -> bool:
    return any(r is leaf for r in walk(rel))


def substituted(rel: Rel, old: Rel, new: Rel) -> Rel:
    """`rel` with `new` in place of `old` (which is found by identity)."""
    if rel is old:
        return new
    return map_inputs(rel, lambda r: substituted(r, old, new))


def used_of(body: Rel, leaf: Leaf) -> set[str]:
    """Names of the leaf's columns that something in `body` reads or hands on."""
    found: set[str] = set(leaf.names()) if body is leaf else set()
    for node in walk(body):
        if node is not leaf:
            found |= {c.name for c in node.schema}
            if hasattr(node, "compute") and any(source is leaf for source in node.inputs):
                found |= set(leaf.names())  # a function of Python may read them all
            for name in type(node).__dataclass_fields__:
                found |= _names_in(getattr(node, name))
    return found


def _names_in(value: Any) -> set[str]:
    if isinstance(value, Expr):
        return columns_of(value)
    if isinstance(value, str):
        return {value}
    if isinstance(value, tuple):
        return {n for v in value for n in _names_in(v)}
    if isinstance(value, Rel) or not hasattr(type(value), "__dataclass_fields__"):
        return set()
    return {n for f in type(value).__dataclass_fields__ for n in _names_in(getattr(value, f))}
