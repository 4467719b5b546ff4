"""Subqueries that stand for values: run while the text is bound, and put in as typed constants."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from workbench.base.diagnostics import sql as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.query.functions._cast import python_cast
from workbench.query.functions.forms import loads
from workbench.query.plan import Col, Const, Distinct, Expr, Limit, Project, Rel
from workbench.query.sql.asking import Asking

T = ScalarType


def _one_column(a: Asking, query: exp.Expr) -> tuple[Rel, ScalarType]:
    assert isinstance(query, exp.Query)
    row = a.whole.subquery(query, a)
    seen = [f for f in row.fields if not f.hidden]
    if len(seen) != 1:
        raise diagnostics.one_column(len(seen), a.span(query))
    column = row.rel.column(seen[0].column)
    assert column is not None
    return Project((column,), row.rel, ((column.name, Col(column.type, column.name)),)), column.type


def _value(value: Any, type_: ScalarType) -> Any:
    if type_ is T.DYNAMIC:
        return loads(value)
    return str(value) if type_ is T.DECIMAL and value is not None else value


def scalar(a: Asking, node: exp.Expr) -> Expr:
    """The one value of a subquery; null where it has no row (SQL207 where it has several)."""
    rel, type_ = _one_column(a, node.unnest())
    found = a.b.evaluate(Limit(rel.schema, rel, 2))
    if found.height > 1:
        raise diagnostics.one_row(a.span(node))
    value = found[rel.names()[0]][0] if found.height else None
    return Const(type_, _value(value, type_), a.span(node))


def column(a: Asking, node: exp.Expr, wanted: ScalarType) -> list[Any]:
    """The different values of a subquery's one column, as `wanted`; None for null."""
    rel, type_ = _one_column(a, node)
    found = a.b.evaluate(Distinct(rel.schema, rel))
    values = [_value(v, type_) for v in found[rel.names()[0]].to_list()]
    if type_ is wanted:
        return values
    return [None if v is None else python_cast(v, type_, wanted) for v in values]


def exists(a: Asking, node: exp.Exists) -> Expr:
    query = node.this.unnest()
    assert isinstance(query, exp.Query)
    row = a.whole.subquery(query, a)
    seen = row.rel.schema[:1]
    rel = Project(seen, row.rel, tuple((c.name, Col(c.type, c.name)) for c in seen))
    return Const(T.BOOL, a.b.evaluate(Limit(seen, rel, 1)).height > 0, a.span(node))
