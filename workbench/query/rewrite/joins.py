"""Which side of a join a filter above it may be taken on, by kind.

A side whose every row is in the result at most as often as it finds partners may be filtered by its own
columns. `innerunique` keeps one left row a key, whichever: only what is the same for the whole key may
be asked of the left side. A condition on the keys alone goes to both sides, since the values are equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.base.dtypes import ScalarType
from workbench.query.plan import Col, Expr, Join, columns_of
from workbench.query.rewrite.conditions import substituted

# Kinds in which a row of that side, once dropped, can only take rows with it that have its values.
_LEFT = frozenset({"inner", "leftouter", "leftsemi", "leftanti"})
_RIGHT = frozenset({"inner", "innerunique", "rightouter", "rightsemi", "rightanti"})
# Kinds in which rows of the other side with other keys than the kept ones do nothing.
_FROM_LEFT = frozenset({"inner", "innerunique", "leftouter", "leftsemi", "leftanti"})
_FROM_RIGHT = frozenset({"inner", "innerunique", "rightouter", "rightsemi", "rightanti"})


@dataclass(slots=True)
class Sides:
    """Conditions stated over the left and the right input, and those that stay above."""

    left: tuple[Expr, ...] = ()
    right: tuple[Expr, ...] = ()
    staying: list[Expr] = field(default_factory=list)


def sides(rel: Join, wanted: tuple[Expr, ...]) -> Sides:
    """Where each of `wanted`, which are over the result of the join, may be asked."""
    found = Sides()
    if not rel.on:
        found.staying = list(wanted)
        return found
    lefts = {new: old for old, new in rel.left_names}
    rights = {new: old for old, new in rel.right_names}
    # Numbers that are equal but not the same (0.0 and -0.0) may part ways in a function.
    pairs = [(a, b) for a, b in rel.on if _type(rel, a) is not ScalarType.REAL]
    to_right, to_left = dict(pairs), {b: a for a, b in pairs}
    for condition in wanted:
        used = columns_of(condition)
        if used <= lefts.keys():
            own = _renamed(condition, lefts)
            keys = columns_of(own) <= to_right.keys()
            if rel.kind in _LEFT or (rel.kind == "innerunique" and keys):
                found.left += (own,)
                if keys and rel.kind in _FROM_LEFT:
                    found.right += (_renamed(own, to_right),)
                continue
        elif used <= rights.keys() and rel.kind in _RIGHT:
            own = _renamed(condition, rights)
            found.right += (own,)
            if columns_of(own) <= to_left.keys() and rel.kind in _FROM_RIGHT:
                found.left += (_renamed(own, to_left),)
            continue
        found.staying.append(condition)
    return found


def _type(rel: Join, key: str) -> ScalarType | None:
    column = rel.left.column(key)
    return column.type if column is not None else None


def _renamed(condition: Expr, names: Mapping[str, str]) -> Expr:
    return substituted(condition, {n: Col(t, names[n]) for n, t in _types(condition).items()})


def _types(condition: Expr) -> dict[str, ScalarType]:
    if isinstance(condition, Col):
        return {condition.name: condition.type}
    return {n: t for a in getattr(condition, "args", ()) for n, t in _types(a).items()}
