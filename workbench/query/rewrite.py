"""Plan → a better plan with the same rows. `RULES` in order; each takes and gives a relation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from workbench.base.dtypes import Column, ScalarType
from workbench.query.plan import (
    Call,
    Col,
    Const,
    Expr,
    Filter,
    Limit,
    Project,
    Rel,
    Scan,
    Serialize,
    Sort,
    Summarize,
    columns_of,
    map_inputs,
)

Fold = Callable[[Expr], Expr]


def rewrite(rel: Rel, fold: Fold) -> Rel:
    """Apply all rules."""
    rel = fold_constants(rel, fold)
    rel = push_time_ranges(rel)
    return prune(rel)


# ---- constants ------------------------------------------------------------------------------


def fold_constants(rel: Rel, fold: Fold) -> Rel:
    """Calls of constants only become constants, in filters."""
    rel = map_inputs(rel, lambda r: fold_constants(r, fold))
    if isinstance(rel, Filter):
        condition = folded(rel.condition, fold)
        return rel if condition is rel.condition else replace(rel, condition=condition)
    return rel


def folded(expr: Expr, fold: Fold) -> Expr:
    """`expr` with its constant parts computed."""
    if not isinstance(expr, Call):
        return expr
    if expr.function in ("and", "or", "not"):
        args = tuple(folded(a, fold) for a in expr.args)
        return replace(expr, args=args)
    if not columns_of(expr):
        return fold(expr)
    args = tuple(folded(a, fold) for a in expr.args)
    return replace(expr, args=args) if args != expr.args else expr


# ---- time -----------------------------------------------------------------------------------

_FLIPPED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "=="}


def push_time_ranges(rel: Rel) -> Rel:
    """Bounds on `TimeGenerated` in filters reach the scan, so that it can skip files."""
    return _push(rel, (None, None))


def _push(rel: Rel, bounds: tuple[int | None, int | None]) -> Rel:
    if isinstance(rel, Filter):
        inner = _meet(bounds, time_bounds(rel.condition))
        return map_inputs(rel, lambda r: _push(r, inner))
    if isinstance(rel, Scan):
        return replace(rel, time_range=_meet(rel.time_range, bounds)) if bounds != (None, None) else rel
    if isinstance(rel, Project):
        kept = any(n == "TimeGenerated" and isinstance(e, Col) and e.name == n for n, e in rel.columns)
        inner = bounds if kept else (None, None)
        return map_inputs(rel, lambda r: _push(r, inner))
    if isinstance(rel, Sort) or type(rel).__name__ == "Union":
        return map_inputs(rel, lambda r: _push(r, bounds))
    return map_inputs(rel, lambda r: _push(r, (None, None)))


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
    if condition.function in _FLIPPED and len(condition.args) == 2:
        left, right = condition.args
        operator = condition.function
        if isinstance(left, Const):
            left, right, operator = right, left, _FLIPPED[operator]
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


# ---- columns --------------------------------------------------------------------------------


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
    if isinstance(rel, Limit | Serialize):
        return map_inputs(rel, lambda r: _prune(r, None)) if needed is None else _narrowed(rel, needed)
    return map_inputs(rel, lambda r: _prune(r, None))


def _narrowed(rel: Rel, needed: set[str]) -> Rel:
    """`rel` over a pruned source; its schema is what the source still has."""
    changed = map_inputs(rel, lambda r: _prune(r, needed))
    schema: tuple[Column, ...] = changed.inputs[0].schema
    return replace(changed, schema=schema)
