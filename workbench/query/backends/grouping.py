"""A bound subquery over one group, rewritten so that it answers for all groups at once.

A hidden key goes along with the rows: a `Summarize` groups by it too, a `Limit` counts in each group,
a sorted order holds inside of groups. What cannot be said so (`scan`, a join of a group with itself)
runs in a `Looped` node, group by group. The lowerings of these nodes are in `backends.per_group`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from workbench.base.dtypes import Column, ScalarType, Schema
from workbench.query.functions import FUNCTIONS
from workbench.query.operators._per_group import Apply, Leaf, contains, substituted
from workbench.query.plan import (
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Limit,
    Project,
    Rel,
    Serialize,
    Sort,
    Summarize,
    Union,
    Unnest,
)


@dataclass(frozen=True, slots=True)
class GroupLimit(Rel):
    """The first `count` rows of each group."""

    source: Rel
    key: str
    count: int

    @property
    def serialized(self) -> bool:
        return self.source.serialized


@dataclass(frozen=True, slots=True)
class GroupProject(Rel):
    """A Project whose expressions look at neighbouring rows of the group."""

    source: Rel
    key: str
    columns: tuple[tuple[str, Expr], ...]

    @property
    def serialized(self) -> bool:
        return self.source.serialized


@dataclass(frozen=True, slots=True)
class GroupSummarize(Rel):
    """One row a group of `groups`, also for those of which `source` has no row."""

    source: Rel
    groups: Rel
    key: str
    aggregates: tuple[Aggregate, ...]


@dataclass(frozen=True, slots=True)
class Looped(Rel):
    """`body` run for each group of `source` in turn; `leaf` is where it reads the group."""

    source: Rel
    leaf: Leaf
    body: Rel
    key: str


def grouped(rel: Rel, leaf: Leaf, key: str) -> Rel:
    """`rel`, which reads one group at `leaf`, for all groups at once; its result has the column `key`."""
    if rel is leaf:
        return leaf
    readers = [r for r in rel.inputs if contains(r, leaf)]
    if isinstance(rel, Union) and len(readers) == len(rel.parts):
        return _union(rel, leaf, key)
    if len(readers) != 1:
        return Looped(_with(rel.schema, key), leaf, leaf, rel, key)
    below = grouped(readers[0], leaf, key)
    rule = _RULES.get(type(rel))
    made = rule(rel, below, leaf, key) if rule else None
    if made is not None:
        return made
    inner = Leaf(readers[0].schema, readers[0].serialized)
    return Looped(_with(rel.schema, key), below, inner, substituted(rel, readers[0], inner), key)


def _with(schema: Schema, key: str) -> Schema:
    own = tuple(c for c in schema if c.name != key)
    return (*own, Column(key, ScalarType.LONG, True))


def _key_of(below: Rel, key: str) -> Col:
    column = below.column(key)
    assert column is not None  # every step of the rewrite keeps it
    return Col(column.type, key)


def looks_around(expr: Expr) -> bool:
    """Whether a value depends on other rows (`prev()`, `row_number()` and their kin)."""
    if not isinstance(expr, Call):
        return False
    card = FUNCTIONS.get(expr.function)
    return (card is not None and card.window) or any(looks_around(a) for a in expr.args)


def _filter(rel: Filter, below: Rel, leaf: Leaf, key: str) -> Rel | None:
    if looks_around(rel.condition):
        return None
    return replace(rel, schema=below.schema, source=below)


def _project(rel: Project, below: Rel, leaf: Leaf, key: str) -> Rel:
    columns = (*((n, e) for n, e in rel.columns if n != key), (key, _key_of(below, key)))
    schema = _typed(_with(rel.schema, key), below, key)
    if any(looks_around(e) for _, e in columns):
        return GroupProject(schema, below, key, columns)
    return replace(rel, schema=schema, source=below, columns=columns)


def _typed(schema: Schema, below: Rel, key: str) -> Schema:
    return tuple(replace(c, type=_key_of(below, key).type) if c.name == key else c for c in schema)


def _summarize(rel: Summarize, below: Rel, leaf: Leaf, key: str) -> Rel:
    by = _key_of(below, key)
    if rel.keys:
        keys = (*((n, e) for n, e in rel.keys if n != key), (key, by))
        schema = (*(Column(n, e.type, n == key) for n, e in keys), *rel.schema[len(rel.keys) :])
        return replace(rel, schema=schema, source=below, keys=keys)
    only = (Column(key, by.type, True),)
    groups = Distinct(only, Project(only, leaf, ((key, by),)))
    return GroupSummarize((*only, *rel.schema), below, groups, key, rel.aggregates)


def _limit(rel: Limit, below: Rel, leaf: Leaf, key: str) -> Rel:
    return GroupLimit(below.schema, below, key, rel.count)


def _same(rel: Any, below: Rel, leaf: Leaf, key: str) -> Rel:
    made: Rel = replace(rel, schema=below.schema, source=below)
    return made


def _unnest(rel: Unnest, below: Rel, leaf: Leaf, key: str) -> Rel:
    return replace(rel, schema=_typed(_with(rel.schema, key), below, key), source=below)


def _join(rel: Join, below: Rel, leaf: Leaf, key: str) -> Rel | None:
    left = contains(rel.left, leaf)
    kinds = ("inner", "leftouter", "leftsemi", "leftanti") if left else ("inner", "rightouter", "rightsemi", "rightanti")  # fmt: skip
    if rel.kind not in kinds:
        return None
    pair = ((key, key),)
    schema = _typed(_with(rel.schema, key), below, key)
    if left:
        own = tuple(p for p in rel.left_names if p[1] != key)
        return replace(rel, schema=schema, left=below, left_names=own + pair)
    own = tuple(p for p in rel.right_names if p[1] != key)
    return replace(rel, schema=schema, right=below, right_names=own + pair)


def _apply(rel: Apply, below: Rel, leaf: Leaf, key: str) -> Rel | None:
    if rel.column(key) is None or not contains(rel.source, leaf) or contains(rel.body, leaf):
        return None
    return replace(rel, source=below)


def _union(rel: Union, leaf: Leaf, key: str) -> Rel:
    parts = tuple(grouped(p, leaf, key) for p in rel.parts)
    names = [c.name for c in rel.schema if c.name != key]
    ready = []
    for part in parts:
        columns = tuple((n, Col(part.column(n).type, n)) for n in (*names, key))  # type: ignore[union-attr]
        ready.append(Project(_typed(_with(rel.schema, key), part, key), part, columns))
    return replace(rel, schema=ready[0].schema, parts=tuple(ready))


_RULES: dict[type[Rel], Callable[[Any, Rel, Leaf, str], Rel | None]] = {
    Filter: _filter, Project: _project, Summarize: _summarize, Limit: _limit, Sort: _same,
    Serialize: _same, Distinct: _same, Unnest: _unnest, Join: _join, Apply: _apply,
}  # fmt: skip
