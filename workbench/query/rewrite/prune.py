"""Scans read only the columns that something above them uses."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from workbench.base.dtypes import Schema
from workbench.query.plan import (
    Aggregate,
    Col,
    Distinct,
    Filter,
    Join,
    Limit,
    Project,
    Rel,
    Scan,
    Serialize,
    Sort,
    Summarize,
    Union,
    Unnest,
    columns_of,
    columns_of_all,
    map_inputs,
)


@runtime_checkable
class Prunable(Protocol):
    """A node of an operator's own that knows which columns it reads."""

    def pruned(self, needed: set[str] | None, prune: Prune) -> Rel:
        """The node without what `needed` (None: all) lacks, over inputs that `prune` cut down."""


Prune = Callable[[Rel, set[str] | None], Rel]


def prune(rel: Rel) -> Rel:
    """Scans read only the columns that something above them uses.

    Polars prunes too; saying it here keeps wide tables out of its optimizer and lets the scan know.
    """
    return pruned(rel, None)


def pruned(rel: Rel, needed: set[str] | None) -> Rel:
    """`rel` with the columns `needed` (None: all) at least, and few others."""
    return _prune(rel, needed)


def _prune(rel: Rel, needed: set[str] | None) -> Rel:
    rule = _RULES.get(type(rel))
    if rule is not None:
        return rule(rel, needed)
    if isinstance(rel, Prunable):
        return rel.pruned(needed, _prune)
    return map_inputs(rel, lambda r: _prune(r, None))


def _scan(rel: Scan, needed: set[str] | None) -> Rel:
    # A scan of no column would lose the number of rows.
    kept = _kept(rel.schema, needed)
    return replace(rel, schema=kept) if len(kept) < len(rel.schema) else rel


def _kept(schema: Schema, needed: set[str] | None) -> Schema:
    """The needed columns, at least one."""
    return schema if needed is None else tuple(c for c in schema if c.name in needed) or schema[:1]


def _project(rel: Project, needed: set[str] | None) -> Rel:
    columns = rel.columns if needed is None else tuple(c for c in rel.columns if c[0] in needed)
    columns = columns or rel.columns[:1]
    below = columns_of_all(e for _, e in columns)
    changed = map_inputs(rel, lambda r: _prune(r, below))
    if len(columns) == len(rel.columns):
        return changed
    names = {n for n, _ in columns}
    schema = tuple(c for c in rel.schema if c.name in names)
    return replace(changed, schema=schema, columns=columns)  # type: ignore[call-arg]


def _summarize(rel: Summarize, needed: set[str] | None) -> Rel:
    """Without the aggregates that nobody reads; of `arg_max(…, *)` only the columns that somebody does."""
    aggregates = rel.aggregates
    if needed is not None:
        found = tuple(_aggregate(a, needed) for a in aggregates if any(c.name in needed for c in a.columns))
        # One row of no column cannot be: something has to be computed where there are no keys.
        aggregates = found if found or rel.keys else (_aggregate(aggregates[0], set()),)
    below: set[str] = set()
    for _, e in rel.keys:
        below |= columns_of(e)
    for a in aggregates:
        for arg in a.args:
            below |= columns_of(arg)
    changed = map_inputs(rel, lambda r: _prune(r, below))
    if len(aggregates) == len(rel.aggregates) and all(map(_is, aggregates, rel.aggregates)):
        return changed
    kept = {n for n, _ in rel.keys} | {c.name for a in aggregates for c in a.columns}
    schema = tuple(c for c in rel.schema if c.name in kept)
    return replace(changed, schema=schema, aggregates=aggregates)  # type: ignore[call-arg]


_is = operator.is_
# Aggregates that give the values of one row, a column an argument; the first also says which row.
_ROWS = {"arg_max": 1, "arg_min": 1, "argmax": 1, "argmin": 1}


def _aggregate(aggregate: Aggregate, needed: set[str]) -> Aggregate:
    first = _ROWS.get(aggregate.function)
    if first is None or len(aggregate.args) != len(aggregate.columns):
        return aggregate
    kept = [i for i, c in enumerate(aggregate.columns) if i < first or c.name in needed]
    if len(kept) == len(aggregate.args):
        return aggregate
    return replace(
        aggregate, args=tuple(aggregate.args[i] for i in kept), types=tuple(aggregate.types[i] for i in kept),
        columns=tuple(aggregate.columns[i] for i in kept),
    )  # fmt: skip


def _filter(rel: Filter, needed: set[str] | None) -> Rel:
    return _narrowed(rel, None if needed is None else needed | columns_of(rel.condition))


def _sort(rel: Sort, needed: set[str] | None) -> Rel:
    if needed is None:
        return _narrowed(rel, None)
    return _narrowed(rel, needed.union(*(columns_of(k.value) for k in rel.keys)))


def _unnest(rel: Unnest, needed: set[str] | None) -> Rel:
    if needed is None:
        return map_inputs(rel, lambda r: _prune(r, None))
    below = (needed - {rel.index or ""}) | {n for n, _ in rel.expand}
    changed = map_inputs(rel, lambda r: _prune(r, below))
    left = {*changed.inputs[0].names(), rel.index}
    return replace(changed, schema=tuple(c for c in rel.schema if c.name in left))


def _distinct(rel: Distinct, needed: set[str] | None) -> Rel:
    """Every column of it tells rows apart."""
    names = set(rel.names())
    return map_inputs(rel, lambda r: _fitted(_prune(r, names), rel.schema))


def _fitted(rel: Rel, schema: Schema) -> Rel:
    """`rel` with the columns of `schema`, no other, in that order."""
    if [c.name for c in schema] == rel.names():
        return rel
    if isinstance(rel, Project):
        columns = dict(rel.columns)
        return replace(rel, schema=schema, columns=tuple((c.name, columns[c.name]) for c in schema))
    return Project(schema, rel, tuple((c.name, Col(c.type, c.name)) for c in schema))


def _union(rel: Union, needed: set[str] | None) -> Rel:
    schema = _kept(rel.schema, needed)
    names = {c.name for c in schema}
    parts = tuple(_fitted(_prune(p, names), schema) for p in rel.parts)
    if len(schema) == len(rel.schema) and all(map(_is, parts, rel.parts)):
        return rel
    return replace(rel, schema=schema, parts=parts)


def _join(rel: Join, needed: set[str] | None) -> Rel:
    schema = _kept(rel.schema, needed)
    names = {c.name for c in schema}
    lefts = tuple(p for p in rel.left_names if p[1] in names)
    rights = tuple(p for p in rel.right_names if p[1] in names)
    left = _prune(rel.left, {old for old, _ in lefts} | {a for a, _ in rel.on})
    right = _prune(rel.right, {old for old, _ in rights} | {b for _, b in rel.on})
    if len(schema) == len(rel.schema) and left is rel.left and right is rel.right:
        return rel
    return replace(rel, schema=schema, left=left, right=right, left_names=lefts, right_names=rights)


def _narrowed(rel: Rel, needed: set[str] | None) -> Rel:
    """`rel` over a pruned source; its schema is what the source still has."""
    changed = map_inputs(rel, lambda r: _prune(r, needed))
    schema: Schema = changed.inputs[0].schema
    return changed if len(schema) == len(rel.schema) else replace(changed, schema=schema)


_RULES: Mapping[type[Rel], Callable[[Any, set[str] | None], Rel]] = {
    Scan: _scan, Project: _project, Summarize: _summarize, Filter: _filter, Sort: _sort, Unnest: _unnest,
    Distinct: _distinct, Union: _union, Join: _join, Limit: _narrowed, Serialize: _narrowed,
}  # fmt: skip
