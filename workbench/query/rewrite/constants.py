"""Constant parts of conditions are computed once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from workbench.query.plan import Call, Expr, Filter, Rel, columns_of, map_inputs

Fold = Callable[[Expr], Expr]


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
