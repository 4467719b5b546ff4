"""Functions whose meaning is decided at binding: the clock, tables as values, names of columns."""

from __future__ import annotations

from collections.abc import Callable

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.query import syntax
from workbench.query.binder import environment, typed_result
from workbench.query.binder.inside import Inside
from workbench.query.binder.scope import ScalarEntry
from workbench.query.plan import Call, Col, Const, Expr, Rel

T = ScalarType


def _now(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    now = Const(T.DATETIME, b.now, node.span)
    if not node.arguments:
        return now
    return b.call("+", now, b.expr(node.arguments[0], row), span=node.span)


def _ago(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    if len(node.arguments) != 1:
        raise diagnostics.wrong_count("ago", "1 argument", len(node.arguments), node.span)
    span = b.convert(b.expr(node.arguments[0], row), T.TIMESPAN)
    return b.fold(b.call("-", Const(T.DATETIME, b.now, node.span), span, span=node.span))


def _toscalar(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    """The first cell of a table, computed now; a scalar argument is itself."""
    if len(node.arguments) != 1:
        raise diagnostics.wrong_count("toscalar", "1 argument", len(node.arguments), node.span)
    argument = node.arguments[0]
    if not b.looks_tabular(argument, row):
        return b.fold(b.expr(argument, row))
    rel = b.table(argument)
    frame = b.evaluate(rel)
    column = next((c for c in rel.schema if not c.hidden), None)
    if column is None:
        return Const(T.DYNAMIC, None, node.span)
    value = frame[column.name][0] if frame.height else None
    if column.type is T.DYNAMIC:
        from workbench.query.functions.forms import loads

        value = loads(value)
    if column.type is T.STRING and value is None:
        value = ""
    return Const(column.type, value, node.span)


def _column_ifexists(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    if len(node.arguments) != 2:
        raise diagnostics.wrong_count(node.name, "2 arguments", len(node.arguments), node.span)
    first = node.arguments[0]
    name = b.constant(first, f"the name in {node.name}()", T.STRING)
    column = row.column(name)
    if column is not None:
        return Col(column.type, column.name, node.span)
    return b.expr(node.arguments[1], row)


def _pack_all(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    ignore = bool(b.constant(node.arguments[0], "the argument of pack_all()")) if node.arguments else False
    pairs: list[Expr] = []
    for c in row.schema:
        if not c.hidden:
            pairs += [Const(T.STRING, c.name), Col(c.type, c.name)]
    return b.call("pack_non_empty" if ignore else "bag_pack", *pairs, span=node.span)


def _pack_array(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    """`pack_array(*)`: a star stands for all columns."""
    values: list[Expr] = []
    for argument in node.arguments:
        if isinstance(argument, syntax.Star):
            values += [Col(c.type, c.name) for c in row.schema if not c.hidden]
        else:
            values.append(b.expr(argument, row))
    return b.call("pack_array", *values, span=node.span)


def _bag_pack_columns(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    """`bag_pack_columns(a, b)`: columns by their own names."""
    pairs: list[Expr] = []
    for argument in node.arguments:
        if not isinstance(argument, syntax.Name):
            raise diagnostics.expected("a column", "an expression", argument.span)
        pairs += [Const(T.STRING, argument.name), b.expr(argument, row)]
    return b.call("bag_pack", *pairs, span=node.span)


def _typeof(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    argument = node.arguments[0] if node.arguments else None
    if isinstance(argument, syntax.Name):
        return Const(T.STRING, argument.name, node.span)
    raise diagnostics.expected("a type", "something else", node.span)


def _iff(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    if len(node.arguments) != 3:
        raise diagnostics.wrong_count(node.name, "3 arguments", len(node.arguments), node.span)
    condition = b.predicate(node.arguments[0], row)
    rest = [b.expr(a, row) for a in node.arguments[1:]]
    return b.call("iff", condition, *rest, span=node.span)


def _case(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    """Conditions and values in turn, then the value where none holds."""
    count = len(node.arguments)
    if count < 3 or count % 2 == 0:
        raise diagnostics.wrong_count(
            "case", "conditions and values in turn and one value more", count, node.span
        )
    args = [
        b.predicate(a, row) if i % 2 == 0 and i < count - 1 else b.expr(a, row)
        for i, a in enumerate(node.arguments)
    ]
    return b.call("case", *args, span=node.span)


def _gettype(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    if len(node.arguments) != 1:
        raise diagnostics.wrong_count("gettype", "1 argument", len(node.arguments), node.span)
    value = b.expr(node.arguments[0], row)
    if value.type is T.DYNAMIC:
        return Call(T.STRING, "gettype_dynamic", (value,), (None,), node.span)
    return Const(T.STRING, value.type.value, node.span)


def _column_names_of(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    """`column_names_of(T)`: the names of a table's columns as a dynamic array."""
    if len(node.arguments) != 1:
        raise diagnostics.wrong_count("column_names_of", "1 argument", len(node.arguments), node.span)
    rel = b.table(node.arguments[0])
    return Const(T.DYNAMIC, [c.name for c in rel.schema if not c.hidden], node.span)


# What `bin_auto()` reads: options that `set` declares, as names of the query.
BIN_AUTO = ("query_bin_auto_size", "query_bin_auto_at")


def _bin_auto(b: Inside, node: syntax.Call, row: Rel) -> Expr:
    """`bin_auto(x)`: `bin` or `bin_at` with the size and the fixed point that `set` statements gave."""
    if len(node.arguments) != 1:
        raise diagnostics.wrong_count("bin_auto", "1 argument", len(node.arguments), node.span)
    size, at = (b.scope.find(name) for name in BIN_AUTO)
    if not isinstance(size, ScalarEntry):
        raise diagnostics.bad_argument(
            "bin_auto()", f"say how large the bins are: set {BIN_AUTO[0]}=1h;", node.span
        )
    value = b.expr(node.arguments[0], row)
    if isinstance(at, ScalarEntry):
        return b.call("bin_at", value, size.expr, at.expr, span=node.span)
    return b.call("bin", value, size.expr, span=node.span)


FORMS: dict[str, Callable[[Inside, syntax.Call, Rel], Expr]] = {
    "now": _now,
    "ago": _ago,
    "toscalar": _toscalar,
    "column_ifexists": _column_ifexists,
    "columnifexists": _column_ifexists,
    "pack_all": _pack_all,
    "pack_array": _pack_array,
    "bag_pack_columns": _bag_pack_columns,
    "typeof": _typeof,
    "iff": _iff,
    "iif": _iff,
    "case": _case,
    "gettype": _gettype,
    "column_names_of": _column_names_of,
    "bin_auto": _bin_auto,
    "percentile_tdigest": typed_result.extracted,
    "extract": typed_result.extracted,
    "extract_json": typed_result.extracted,
    "extractjson": typed_result.extracted,
    **environment.FORMS,
}
