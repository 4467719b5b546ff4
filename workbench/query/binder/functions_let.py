"""Let functions: a call is its body, bound where the parameters stand for the arguments."""

from __future__ import annotations

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column
from workbench.query import syntax
from workbench.query.binder.calls import convert
from workbench.query.binder.inside import Inside
from workbench.query.binder.scope import Entry, FunctionEntry, ScalarEntry, Scope, TableEntry
from workbench.query.plan import Col, Const, Expr, Project, Rel

_MAX_DEPTH = 24


def scalar(b: Inside, function: FunctionEntry, node: syntax.Call, row: Rel) -> Expr:
    """The call as a value; its body may read columns only through its arguments."""
    result, scope = _enter(b, function, node, row)
    before, b.scope = b.scope, scope
    b.calls_deep += 1
    try:
        b.statements(function.body.statements)
        if isinstance(result, syntax.Pipeline):
            raise diagnostics.expected_scalar(node.span)
        return b.expr(result, row)
    finally:
        b.scope = before
        b.calls_deep -= 1


def tabular(b: Inside, function: FunctionEntry, node: syntax.Call, row: Rel, first: Rel | None = None) -> Rel:
    """The call as a table; `first` is the table that `invoke` gives."""
    result, scope = _enter(b, function, node, row, first)
    before, b.scope = b.scope, scope
    b.calls_deep += 1
    try:
        b.statements(function.body.statements)
        return b.table(result)
    finally:
        b.scope = before
        b.calls_deep -= 1


def is_tabular(b: Inside, function: FunctionEntry) -> bool:
    """Whether the body ends in a table."""
    result = function.body.result
    if isinstance(result, syntax.Pipeline):
        return True
    if isinstance(result, syntax.Name):
        if any(p.name == result.name and p.tabular for p in function.body.parameters):
            return True
        if any(p.name == result.name for p in function.body.parameters):
            return False
        for statement in function.body.statements:
            if isinstance(statement, syntax.Let) and statement.name == result.name:
                return isinstance(statement.value, syntax.Pipeline)
        before, b.scope = b.scope, function.scope
        try:
            return isinstance(b.resolved(result.name), TableEntry) or result.name in b.catalog.tables()
        finally:
            b.scope = before
    if isinstance(result, syntax.Call):
        before, b.scope = b.scope, function.scope
        try:
            return b.is_tabular_call(result)
        finally:
            b.scope = before
    return isinstance(result, syntax.Lambda)


def _enter(b: Inside, function: FunctionEntry, node: syntax.Call, row: Rel, first: Rel | None = None) -> tuple[syntax.Pipeline | syntax.Expression, Scope]:  # fmt: skip
    body = function.body
    if b.calls_deep >= _MAX_DEPTH:
        raise diagnostics.too_deep(node.span)
    if body.result is None:
        raise diagnostics.bad_argument(function.name, "has no result", node.span)
    entries: dict[str, Entry] = {}
    positional = [a for a in node.arguments if not isinstance(a, syntax.Named)]
    named = {a.names[0]: a.value for a in node.arguments if isinstance(a, syntax.Named)}
    parameters = list(body.parameters)
    if first is not None:
        if not parameters or not parameters[0].tabular:
            raise diagnostics.bad_argument(function.name, "takes no table as its first argument", node.span)
        entries[parameters[0].name] = TableEntry(first)
        parameters = parameters[1:]
    if len(positional) > len(parameters):
        raise diagnostics.wrong_count(function.name, _count(len(parameters)), len(node.arguments), node.span)
    in_order = iter(positional)
    for p in parameters:
        argument = named[p.name] if p.name in named else next(in_order, None)
        if p.tabular:
            if argument is None:
                raise diagnostics.wrong_count(
                    function.name, _count(len(parameters)), len(positional), node.span
                )
            entries[p.name] = TableEntry(_fitting(b.table(argument), p, argument))
            continue
        if argument is None:
            if p.default is None:
                raise diagnostics.wrong_count(
                    function.name, _count(len(parameters)), len(positional), node.span
                )
            value = b.expr(p.default, row)
        else:
            value = b.expr(argument, row)
        assert p.type is not None
        value = convert(value, p.type)
        entries[p.name] = ScalarEntry(value if isinstance(value, Const) else _constant(b, value))
    return body.result, Scope(Scope(function.scope, entries))


def _constant(b: Inside, value: Expr) -> Expr:
    return b.fold(value)


def _fitting(rel: Rel, p: syntax.Parameter, argument: syntax.Expression) -> Rel:
    """The table with the declared columns only (all of them for `(*)`)."""
    if p.columns is None:
        return rel
    for name, _ in p.columns:
        if rel.column(name) is None:
            raise diagnostics.unknown_column(name, argument.span, rel.names())
    if len(p.columns) == 0:
        return rel
    pairs = tuple((n, convert(Col(rel.column(n).type, n), t)) for n, t in p.columns)  # type: ignore[union-attr]
    return Project(tuple(Column(n, t) for n, t in p.columns), rel, pairs)


def _count(number: int) -> str:
    return f"{number} argument{'' if number == 1 else 's'}"
