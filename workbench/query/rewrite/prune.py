"""Scans read only the columns that something above them uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, runtime_checkable

from workbench.base.dtypes import Column
from workbench.query.plan import (
    Filter,
    Limit,
    Project,
    Rel,
    Scan,
    Serialize,
    Sort,
    Summarize,
    Unnest,
    columns_of,
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
    return _prune(rel, None)


def _prune(rel: Rel, needed: set[str] | None) -> Rel:
    if isinstance(rel, Scan):
        if needed is None:
            return rel
        kept = tuple(c for c in rel.schema if c.name in needed)
        # A scan of no column would lose the number of rows.
        kept = kept or rel.schema[:1]
        return replace(rel, schema=kept) if len(kept) < len(rel.schema) else rel
    if isinstance(rel, Project):
        columns = rel.columns if needed is None else tuple(c for c in rel.columns if c[0] in needed)
        columns = columns or rel.columns[:1]
        below: set[str] = set()
        for _, e in columns:
            below |= columns_of(e)
        changed = map_inputs(rel, lambda r: _prune(r, below))
        if len(columns) == len(rel.columns):
            return changed
        names = {n for n, _ in columns}
        schema = tuple(c for c in rel.schema if c.name in names)
        return replace(changed, schema=schema, columns=columns)  # type: ignore[call-arg]
    if isinstance(rel, Summarize):
        below = set()
        for _, e in rel.keys:
            below |= columns_of(e)
        for a in rel.aggregates:
            for arg in a.args:
                below |= columns_of(arg)
        return map_inputs(rel, lambda r: _prune(r, below))
    if isinstance(rel, Filter):
        if needed is None:
            return map_inputs(rel, lambda r: _prune(r, None))
        below = needed | columns_of(rel.condition)
        return _narrowed(rel, below)
    if isinstance(rel, Sort):
        if needed is None:
            return map_inputs(rel, lambda r: _prune(r, None))
        below = set(needed)
        for k in rel.keys:
            below |= columns_of(k.value)
        return _narrowed(rel, below)
    if isinstance(rel, Unnest) and needed is not None:
        below = (needed - {rel.index or ""}) | {n for n, _ in rel.expand}
        changed = map_inputs(rel, lambda r: _prune(r, below))
        left = {*changed.inputs[0].names(), rel.index}
        return replace(changed, schema=tuple(c for c in rel.schema if c.name in left))
    if isinstance(rel, Prunable):
        return rel.pruned(needed, _prune)
    if isinstance(rel, Limit | Serialize):
        return map_inputs(rel, lambda r: _prune(r, None)) if needed is None else _narrowed(rel, needed)
    return map_inputs(rel, lambda r: _prune(r, None))


def _narrowed(rel: Rel, needed: set[str]) -> Rel:
    """`rel` over a pruned source; its schema is what the source still has."""
    changed = map_inputs(rel, lambda r: _prune(r, needed))
    schema: tuple[Column, ...] = changed.inputs[0].schema
    return replace(changed, schema=schema)
