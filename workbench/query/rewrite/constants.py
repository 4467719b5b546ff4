"""Constant parts of conditions are computed once, and what they decide is left out.

`true and x` is x, `x or true` is true, `iff(true, a, b)` is a. In a filter null is as good as false; in
the middle of an expression it is not, so only what holds for null too is done there. A call that stops
the query (`assert`) is never left out for what stands beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from workbench.base.dtypes import ScalarType
from workbench.query.functions.purity import movable
from workbench.query.plan import FLIPPED, Call, Const, Expr, Filter, Project, Rel, map_columns, map_inputs
from workbench.query.rewrite.conditions import FALSE, TRUE

Fold = Callable[[Expr], Expr]

_COMPARED = frozenset({*FLIPPED, "!="})
_OPPOSITES = {"isnull": "isnotnull", "isnotnull": "isnull", "isempty": "isnotempty", "isnotempty": "isempty"}


def fold_constants(rel: Rel, fold: Fold) -> Rel:
    """Filters with their constants computed; choices that are decided, also in computed columns."""
    rel = map_inputs(rel, lambda r: fold_constants(r, fold))
    if isinstance(rel, Filter):
        condition = simpler(folded(rel.condition, fold))
        if condition is rel.condition:
            return rel
        return rel.source if condition == TRUE else replace(rel, condition=condition)
    if isinstance(rel, Project):
        return map_columns(rel, simpler)
    return rel


def folded(expr: Expr, fold: Fold) -> Expr:
    """`expr` with its constant parts computed, each as large as it can be."""
    found, constant = _folded(expr, fold)
    return _computed(found, fold) if constant else found


def _folded(expr: Expr, fold: Fold) -> tuple[Expr, bool]:
    """`expr` with the constant parts of what is not constant computed; whether it is constant itself."""
    if not isinstance(expr, Call):
        return expr, isinstance(expr, Const)
    found = [_folded(a, fold) for a in expr.args]
    if all(constant for _, constant in found):
        return expr, True
    args = tuple(_computed(a, fold) if constant else a for a, constant in found)
    if expr.function in _COMPARED and len(args) == 2:
        args = _as_times(args, fold)
    same = all(a is b for a, b in zip(args, expr.args, strict=True))
    return expr if same else replace(expr, args=args), False


def _computed(expr: Expr, fold: Fold) -> Expr:
    return (_known(expr) or fold(expr)) if isinstance(expr, Call) else expr


def _as_times(args: tuple[Expr, ...], fold: Fold) -> tuple[Expr, ...]:
    """A constant text beside a time as a time, as the comparison would read it, once."""
    a, b = args
    if isinstance(b, Const) and b.type is ScalarType.STRING and a.type is ScalarType.DATETIME:
        return a, fold(Call(a.type, "convert", (b,), (a.type,), b.span))
    if isinstance(a, Const) and a.type is ScalarType.STRING and b.type is ScalarType.DATETIME:
        return fold(Call(b.type, "convert", (a,), (b.type,), a.span)), b
    return args


def _known(expr: Call) -> Const | None:
    """What the commonest comparisons of two texts give, without asking the engine."""
    if expr.function not in ("==", "!=") or any(t is not None for t in expr.types):
        return None
    a, b = expr.args
    if not (isinstance(a, Const) and isinstance(b, Const) and a.type is b.type is ScalarType.STRING):
        return None
    if not (isinstance(a.value, str) and isinstance(b.value, str)):
        return None
    return TRUE if (a.value == b.value) == (expr.function == "==") else FALSE


def simpler(expr: Expr) -> Expr:
    """`expr` without what its constants decide; the same value for each row, null where it was null."""
    if not isinstance(expr, Call):
        return expr
    args = tuple(simpler(a) for a in expr.args)
    if any(a is not b for a, b in zip(args, expr.args, strict=True)):
        expr = replace(expr, args=args)
    rule = _RULES.get(expr.function)
    return expr if rule is None or any(t is ScalarType.BOOL for t in expr.types) else rule(expr)


def _is(expr: Expr, value: bool) -> bool:
    return isinstance(expr, Const) and expr.type is ScalarType.BOOL and expr.value is value


def _and(expr: Call) -> Expr:
    a, b = expr.args
    for one, other in ((a, b), (b, a)):
        if _is(one, True):
            return other
        if _is(one, False) and movable(other):
            return FALSE
    return expr


def _or(expr: Call) -> Expr:
    a, b = expr.args
    for one, other in ((a, b), (b, a)):
        if _is(one, False):
            return other
        if _is(one, True) and movable(other):
            return TRUE
    return expr


def _not(expr: Call) -> Expr:
    (inner,) = expr.args
    if isinstance(inner, Const) and isinstance(inner.value, bool):
        return FALSE if inner.value else TRUE
    if isinstance(inner, Call):
        if inner.function == "not" and inner.types in ((), (None,)):
            return inner.args[0]
        if inner.function in _OPPOSITES:
            return replace(inner, function=_OPPOSITES[inner.function])
    return expr


def _converted(expr: Call, index: int) -> Expr:
    """An argument as the call would have taken it."""
    arg, to = expr.args[index], expr.types[index] if expr.types else None
    if to is None or to is arg.type:
        return arg
    return Call(to, "convert", (arg,), (to,), expr.span)


def _choice(expr: Call) -> Expr:
    """`iff` and `case`: conditions that are decided go, up to the first that is true."""
    last = len(expr.args) - 1
    kept: list[int] = []
    for i in range(0, last, 2):
        condition = expr.args[i]
        if not isinstance(condition, Const):
            kept += [i, i + 1]
        elif condition.value is True:
            last = i + 1
            break
    if len(kept) == len(expr.args) - 1:
        return expr
    found = _converted(expr, last)
    if found.type is not expr.type:
        return expr
    if not kept:
        return found
    indexes = [*kept, last]
    types = tuple(expr.types[i] for i in indexes) if expr.types else ()
    function = "iff" if len(indexes) == 3 else "case"
    return replace(expr, function=function, args=tuple(expr.args[i] for i in indexes), types=types)


_RULES: dict[str, Callable[[Call], Expr]] = {
    "and": _and, "or": _or, "not": _not, "iff": _choice, "case": _choice,
}  # fmt: skip
