"""Automatic column names, as Microsoft's analyser gives them (its Binder_Projection is the source)."""

from __future__ import annotations

from workbench.base.dtypes import ScalarType
from workbench.query import syntax
from workbench.query.functions import AGGREGATES, FUNCTIONS, Card, Naming
from workbench.query.plan import Rel


def result_name(node: syntax.Expression, row: Rel | None = None) -> str | None:
    """The name that an expression without one gives its column, or None.

    Examples
    --------
    >>> from workbench.query.parser import parse
    >>> value = parse("x.a['b']").pipelines[0].source
    >>> result_name(value)
    'x_a_b'
    """
    if isinstance(node, syntax.Named):
        return node.names[0]
    if isinstance(node, syntax.Name):
        return node.name
    if isinstance(node, syntax.Ordered | syntax.Typed):
        return result_name(node.value, row)
    if isinstance(node, syntax.Member):
        if isinstance(node.base, syntax.Name) and node.base.name in ("$left", "$right"):
            return node.name
        return _joined(result_name(node.base, row), node.name)
    if isinstance(node, syntax.Index):
        selector = node.selector
        if isinstance(selector, syntax.Literal) and selector.type in (
            ScalarType.STRING,
            ScalarType.LONG,
            ScalarType.INT,
        ):
            return _joined(result_name(node.base, row), str(selector.value))
        return result_name(node.base, row)
    if isinstance(node, syntax.Call):
        return _call_name(node, row)
    return None


def _joined(left: str | None, right: str) -> str:
    return f"{left}_{right}" if left else right


def _call_name(node: syntax.Call, row: Rel | None) -> str | None:
    if node.name in ("column_ifexists", "columnifexists"):
        first = node.arguments[0] if node.arguments else None
        if isinstance(first, syntax.Literal) and row is not None and row.column(str(first.value)):
            return str(first.value)
        return None
    if node.name == "bin_auto" and node.arguments:
        return result_name(node.arguments[0], row)
    card: Card | None = AGGREGATES.get(node.name)
    # Some names are of both kinds, such as hll_merge(): how many arguments there are tells which is meant.
    if card is None or not any(s.takes(len(node.arguments)) for s in card.signatures):
        card = FUNCTIONS.get(node.name) or card
    if card is None:
        return None
    first_name = result_name(node.arguments[0], row) if node.arguments else None
    if card.naming is Naming.PREFIX_AND_FIRST:
        return f"{card.prefix}_{first_name or ''}"
    if card.naming is Naming.PREFIX_ONLY:
        return card.prefix
    if card.naming is Naming.FIRST_ARGUMENT:
        return first_name
    if card.naming is Naming.ONLY_ARGUMENT and len(node.arguments) == 1:
        return first_name
    return None
