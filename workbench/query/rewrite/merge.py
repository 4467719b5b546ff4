"""Projections one above the other become one, where no expression is then computed twice.

A chain of `extend` over a wide table is otherwise as many lists of all its columns.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from workbench.query.functions.purity import any_looks_around, cheap, movable
from workbench.query.plan import Call, Col, Expr, Project, Rel, map_inputs
from workbench.query.rewrite.conditions import substituted

_LARGEST = 60  # calls of one expression; engines recurse along it


def merge_projections(rel: Rel) -> Rel:
    """The rule."""
    rel = map_inputs(rel, merge_projections)
    while isinstance(rel, Project) and isinstance(rel.source, Project):
        merged = _merged(rel, rel.source)
        if merged is None:
            break
        rel = merged
    return rel


def _merged(upper: Project, lower: Project) -> Project | None:
    values = dict(lower.columns)
    # A projection of no column, or of constants alone, takes the number of its rows from below.
    if not upper.columns or not lower.columns or any_looks_around(upper.columns):
        return None
    uses: Counter[str] = Counter()
    for _, expr in upper.columns:
        _count(expr, uses)
    for name, expr in lower.columns:
        if not isinstance(expr, Call) or not uses[name]:
            continue
        if not movable(expr) or (uses[name] > 1 and not cheap(expr)):
            return None
    columns = tuple((n, substituted(e, values)) for n, e in upper.columns)
    if any(_size(e) > _LARGEST for _, e in columns):
        return None
    return replace(upper, source=lower.source, columns=columns)


def _count(expr: Expr, uses: Counter[str]) -> None:
    if isinstance(expr, Col):
        uses[expr.name] += 1
    elif isinstance(expr, Call):
        for arg in expr.args:
            _count(arg, uses)


def _size(expr: Expr) -> int:
    return 1 + sum(map(_size, expr.args)) if isinstance(expr, Call) else 0
