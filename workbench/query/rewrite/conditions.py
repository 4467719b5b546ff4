"""Conditions taken apart and put together: what several rules do with the `and`s of a filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.base.dtypes import ScalarType
from workbench.query.plan import Call, Col, Const, Expr, Filter, Rel, Values, map_expr

TRUE = Const(ScalarType.BOOL, True)
FALSE = Const(ScalarType.BOOL, False)


def conjuncts(condition: Expr) -> tuple[Expr, ...]:
    """The parts of a condition that all have to hold, as they were written."""
    if isinstance(condition, Call) and condition.function == "and":
        return tuple(c for a in condition.args for c in conjuncts(a))
    return (condition,)


def conjunction(parts: Sequence[Expr]) -> Expr:
    """One condition of several."""
    if not parts:
        return TRUE
    whole = parts[0]
    for part in parts[1:]:
        whole = Call(ScalarType.BOOL, "and", (whole, part), (None, None))
    return whole


def above(rel: Rel, parts: Sequence[Expr]) -> Rel:
    """`rel` cut to the rows for which all `parts` hold."""
    return Filter(rel.schema, rel, conjunction(parts)) if parts else rel


def substituted(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    """`expr` with expressions in place of the columns of those names."""

    def change(e: Expr) -> Expr:
        return values.get(e.name, e) if isinstance(e, Col) else e

    return map_expr(expr, change)


def never(condition: Expr) -> bool:
    """Whether no row can pass a filter of this condition: null is as good as false."""
    return isinstance(condition, Const) and condition.value is not True


def always(condition: Expr) -> bool:
    return isinstance(condition, Const) and condition.value is True


def nothing(rel: Rel) -> Values:
    """A relation like `rel` without rows."""
    return Values(rel.schema, (), ordered=rel.serialized)


def is_nothing(rel: Rel) -> bool:
    return isinstance(rel, Values) and not rel.rows and rel.frame is None
