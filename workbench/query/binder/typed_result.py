"""`extract(…, typeof(long))`, `extract_json`, `percentile_tdigest`: calls whose last argument is a type."""

from __future__ import annotations

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType, parse_type
from workbench.query import syntax
from workbench.query.binder.inside import Inside
from workbench.query.plan import Const, Expr, Rel

_PLAIN_ARGUMENTS = {"extract": 3, "extract_json": 2, "extractjson": 2, "percentile_tdigest": 2}


def extracted(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    """The call without its type argument, converted to that type where there is one."""
    plain = _PLAIN_ARGUMENTS[node.name]
    arguments = list(node.arguments)
    type_: ScalarType | None = None
    if len(arguments) == plain + 1:
        type_ = _type(b, arguments.pop(), row)
    elif len(arguments) != plain:
        raise diagnostics.wrong_count(
            node.name, f"{plain} to {plain + 1} arguments", len(arguments), node.span
        )
    found = b.call(node.name, *(b.expr(a, row) for a in arguments), span=node.span)
    if type_ is ScalarType.DYNAMIC:
        return b.call("parse_json", found, span=node.span)
    return found if type_ is None else b.convert(found, type_)


def _type(b: Inside, node: syntax.Expression, row: Rel) -> ScalarType:
    if isinstance(node, syntax.Call) and node.name == "typeof":
        named = b.expr(node, row)
        found = parse_type(str(named.value)) if isinstance(named, Const) else None
        if found is not None:
            return found
    raise diagnostics.expected("a type such as typeof(long)", "something else", node.span)
