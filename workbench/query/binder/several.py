"""Functions that give several columns, such as `array_sort_asc(a, b)` or `series_stats(y)`.

The card of such a function has `columns(names, types)`: the result's columns as (name, type), from
the automatic names and the types of the arguments. Its value is a dynamic array with one element a
column. Where one value is asked for, it is the first column; `f(…)[1]` is the second.
"""

from __future__ import annotations

from workbench.base.dtypes import ScalarType
from workbench.query import syntax
from workbench.query.binder.inside import Inside
from workbench.query.binder.names import result_name
from workbench.query.functions import FUNCTIONS
from workbench.query.plan import Call, Const, Expr, Rel


def gives_several(b: Inside, node: syntax.Expression) -> bool:
    """Whether `node` calls a function whose result is several columns."""
    if not isinstance(node, syntax.Call) or b.scope.find(node.name) is not None:
        return False
    card = FUNCTIONS.get(node.name)
    return card is not None and hasattr(card.implementation, "columns")


def columns_of_call(b: Inside, node: syntax.Expression, row: Rel) -> list[tuple[str, Expr]] | None:
    """The columns that `node` gives, by name; None where it is one value."""
    if not isinstance(node, syntax.Call) or not gives_several(b, node):
        return None
    args = [b.expr(a, row) for a in node.arguments]
    return picked(b, node, b.call(node.name, *args, span=node.span), row, [a.type for a in args])


def picked(b: Inside, node: syntax.Call, call: Expr, row: Rel, types: list[ScalarType]) -> list[tuple[str, Expr]]:  # fmt: skip
    """The elements of a bound call's array, converted to the types of their columns."""
    card = FUNCTIONS.get(node.name)
    assert card is not None
    names = [result_name(a, row) for a in node.arguments]
    found: list[tuple[str, Expr]] = []
    for i, (name, type_) in enumerate(card.implementation.columns(names, types)):
        step = Const(ScalarType.DYNAMIC, [i])
        element = Call(ScalarType.DYNAMIC, "<path>", (call, step), (None, None), node.span)
        found.append((name, b.convert(element, type_)))
    return found
