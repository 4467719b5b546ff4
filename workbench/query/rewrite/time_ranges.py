"""Bounds on `TimeGenerated` reach the scans, so that they can skip files."""

from __future__ import annotations

from dataclasses import replace

from workbench.base.dtypes import ScalarType
from workbench.query.functions import FUNCTIONS
from workbench.query.plan import (
    FLIPPED,
    Call,
    Col,
    Const,
    Expr,
    Filter,
    Project,
    Rel,
    Scan,
    Sort,
    Union,
    map_inputs,
)


def push_time_ranges(rel: Rel) -> Rel:
    """Bounds on `TimeGenerated` in filters reach the scan, so that it can skip files."""
    return _push(rel, (None, None))


def _push(rel: Rel, bounds: tuple[int | None, int | None]) -> Rel:
    if isinstance(rel, Filter):
        inner = (
            (None, None) if _reads_neighbours(rel.condition) else _meet(bounds, time_bounds(rel.condition))
        )
        return map_inputs(rel, lambda r: _push(r, inner))
    if isinstance(rel, Scan):
        return replace(rel, time_range=_meet(rel.time_range, bounds)) if bounds != (None, None) else rel
    if isinstance(rel, Project):
        kept = any(n == "TimeGenerated" and isinstance(e, Col) and e.name == n for n, e in rel.columns)
        around = any(_reads_neighbours(e) for _, e in rel.columns)
        inner = bounds if kept and not around else (None, None)
        return map_inputs(rel, lambda r: _push(r, inner))
    if isinstance(rel, Sort | Union):
        return map_inputs(rel, lambda r: _push(r, bounds))
    return map_inputs(rel, lambda r: _push(r, (None, None)))


def _reads_neighbours(expr: Expr) -> bool:
    """Whether a row function is in it: what `prev()` finds may lie outside the bounds."""
    if not isinstance(expr, Call):
        return False
    card = FUNCTIONS.get(expr.function)
    return (card is not None and card.window) or any(_reads_neighbours(a) for a in expr.args)


def time_bounds(condition: Expr) -> tuple[int | None, int | None]:
    """The range of µs (inclusive) outside of which `condition` cannot hold; None is open."""
    if not isinstance(condition, Call):
        return None, None
    if condition.function == "and":
        return _meet(time_bounds(condition.args[0]), time_bounds(condition.args[1]))
    if condition.function == "or":
        a, b = time_bounds(condition.args[0]), time_bounds(condition.args[1])
        low = None if a[0] is None or b[0] is None else min(a[0], b[0])
        high = None if a[1] is None or b[1] is None else max(a[1], b[1])
        return low, high
    if condition.function in FLIPPED and len(condition.args) == 2:
        left, right = condition.args
        operator = condition.function
        if isinstance(left, Const):
            left, right, operator = right, left, FLIPPED[operator]
        if not (isinstance(left, Col) and left.name == "TimeGenerated" and isinstance(right, Const)):
            return None, None
        if right.type is not ScalarType.DATETIME or right.value is None:
            return None, None
        low, high = right.value // 10, -(-right.value // 10)
        return (
            low if operator in (">", ">=", "==") else None,
            high if operator in ("<", "<=", "==") else None,
        )
    return None, None


def _meet(
    a: tuple[int | None, int | None], b: tuple[int | None, int | None]
) -> tuple[int | None, int | None]:
    low = a[0] if b[0] is None else b[0] if a[0] is None else max(a[0], b[0])
    high = a[1] if b[1] is None else b[1] if a[1] is None else min(a[1], b[1])
    return low, high
