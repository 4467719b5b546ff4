"""What can have no rows is not read: a filter that never holds, `take 0`, and what is made of them alone.

A `Summarize` without keys has a row for no input, so it stays; so do the outer sides of joins.
"""

from __future__ import annotations

from dataclasses import replace

from workbench.query.operators._per_group import Leaf
from workbench.query.plan import (
    Distinct,
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
    map_inputs,
    walk,
)
from workbench.query.rewrite.conditions import is_nothing, never, nothing

# Which side a join cannot do without.
_NEEDS_LEFT = frozenset({"inner", "innerunique", "leftouter", "leftsemi", "leftanti", "rightsemi"})
_NEEDS_RIGHT = frozenset({"inner", "innerunique", "rightouter", "rightsemi", "rightanti", "leftsemi"})


def drop_empty(rel: Rel) -> Rel:
    """`Values` without rows in place of each such relation."""
    rel = map_inputs(rel, drop_empty)
    if isinstance(rel, Union):
        return _union(rel)
    # A subquery for each group must keep the place where it reads the group.
    if _has_none(rel) and not any(isinstance(r, Leaf) for r in walk(rel)):
        return nothing(rel)
    return rel


def _has_none(rel: Rel) -> bool:
    if isinstance(rel, Filter) and never(rel.condition):
        return True
    if isinstance(rel, Limit) and rel.count <= 0:
        return True
    if isinstance(rel, Filter | Project | Sort | Limit | Distinct | Serialize | Unnest):
        return is_nothing(rel.source)
    if isinstance(rel, Summarize):
        return bool(rel.keys) and is_nothing(rel.source)
    if isinstance(rel, Join):
        left, right = is_nothing(rel.left), is_nothing(rel.right)
        return (
            (left and right)
            or (left and rel.kind in _NEEDS_LEFT)
            or (right and rel.kind in _NEEDS_RIGHT)
        )  # fmt: skip
    return False


def _union(rel: Union) -> Rel:
    """Without the parts that have no rows."""
    parts = tuple(p for p in rel.parts if not is_nothing(p))
    if len(parts) == len(rel.parts):
        return rel
    if not parts:
        return nothing(rel)
    if len(parts) == 1 and parts[0].schema == rel.schema:
        # Alone, a part must not pretend to an order that the union did not have.
        return parts[0] if not parts[0].serialized else replace(rel, parts=parts)
    return replace(rel, parts=parts)
