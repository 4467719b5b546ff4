"""Functions of users, let or stored: a call is its body, bound where the parameters stand for the arguments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from workbench.base.diagnostics import query as diagnostics
from workbench.base.diagnostics import statements
from workbench.base.dtypes import Column
from workbench.query import syntax
from workbench.query.binder.calls import convert
from workbench.query.binder.inside import Inside
from workbench.query.binder.scope import Entry, FunctionEntry, ScalarEntry, Scope, TableEntry
from workbench.query.plan import ONE_ROW, Col, Const, Expr, Project, Rel

_MAX_DEPTH = 24


def scalar(b: Inside, function: FunctionEntry, node: syntax.Call, row: Rel) -> Expr:
    """The call as a value; its body may read columns only through its arguments."""
    result, scope = _enter(b, function, node, row)
    with _inside(b, function, scope):
        b.statements(function.body.statements)
        if isinstance(result, syntax.Pipeline):
            raise diagnostics.expected_scalar(node.span)
        return b.expr(result, row)


def tabular(b: Inside, function: FunctionEntry, node: syntax.Call, row: Rel, first: Rel | None = None) -> Rel:
    """The call as a table; `first` is the table that `invoke` gives."""
    result, scope = _enter(b, function, node, row, first)
    with _inside(b, function, scope):
        b.statements(function.body.statements)
        return b.table(result)


@contextmanager
def _inside(b: Inside, function: FunctionEntry, scope: Scope) -> Iterator[None]:
    """A stretch of binding inside the body of a function."""
    before, b.scope = b.scope, scope
    b.calling.append(function)
    try:
        yield
    finally:
        b.scope = before
        b.calling.pop()


def is_tabular(b: Inside, function: FunctionEntry) -> bool:
    """Whether the body ends in a table."""
    if any(f.body is function.body for f in b.calling) or len(b.calling) >= _MAX_DEPTH:
        return True  # it calls itself: binding it says so
    b.calling.append(function)
    try:
        return _ends_in_table(b, function)
    finally:
        b.calling.pop()


def _ends_in_table(b: Inside, function: FunctionEntry) -> bool:
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
            return b.looks_tabular(result, ONE_ROW)
        finally:
            b.scope = before
    if isinstance(result, syntax.Call | syntax.Member | syntax.Qualified):
        before, b.scope = b.scope, function.scope
        try:
            return b.looks_tabular(result, ONE_ROW)
        finally:
            b.scope = before
    return isinstance(result, syntax.Lambda)


def _enter(b: Inside, function: FunctionEntry, node: syntax.Call, row: Rel, first: Rel | None = None) -> tuple[syntax.Pipeline | syntax.Expression, Scope]:  # fmt: skip
    body = function.body
    if any(f.body is body for f in b.calling):
        chain = [f.name for f in b.calling]
        chain = [*chain[chain.index(function.name) :], function.name]
        raise statements.recursive(function.name, chain, node.span, stored=function.stored)
    if len(b.calling) >= _MAX_DEPTH:
        raise diagnostics.too_deep(node.span)
    if body.result is None:
        raise diagnostics.bad_argument(function.name, "has no result", node.span)
    entries: dict[str, Entry] = {}
    positional = [a for a in node.arguments if not isinstance(a, syntax.Named)]
    named = {a.names[0]: a.value for a in node.arguments if isinstance(a, syntax.Named)}
    parameters = list(body.parameters)
    for name in named:
        if all(p.name != name for p in parameters):
            raise diagnostics.bad_argument(function.name, f"has no parameter named {name!r}", node.span)
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
            value = _default(b, function, p.default)
        else:
            value = b.expr(argument, row)
        assert p.type is not None
        value = convert(value, p.type)
        entries[p.name] = ScalarEntry(value if isinstance(value, Const) else _constant(b, value))
    return body.result, Scope(Scope(function.scope, entries))


def _constant(b: Inside, value: Expr) -> Expr:
    return b.fold(value)


def _fitting(rel: Rel, p: syntax.Parameter, argument: syntax.Expression) -> Rel:
    """The table, its declared columns of their declared types; the others stay, as in Kusto."""
    if p.columns is None:
        return rel
    for name, _ in p.columns:
        if rel.column(name) is None:
            raise diagnostics.unknown_column(name, argument.span, rel.names())
    types = dict(p.columns)
    if all(types.get(c.name, c.type) is c.type for c in rel.schema):
        return rel
    schema = tuple(Column(c.name, types.get(c.name, c.type), c.hidden) for c in rel.schema)
    pairs = tuple((c.name, convert(Col(c.type, c.name), types.get(c.name, c.type))) for c in rel.schema)
    return Project(schema, rel, pairs)


def _default(b: Inside, function: FunctionEntry, node: syntax.Expression) -> Expr:
    """A default value: it sees what the function sees."""
    before, b.scope = b.scope, function.scope
    try:
        return b.expr(node, ONE_ROW)
    finally:
        b.scope = before


def _count(number: int) -> str:
    return f"{number} argument{'' if number == 1 else 's'}"
