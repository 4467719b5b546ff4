"""`partition`: a subquery for the rows of each value of a column."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators._per_group import Apply, Leaf, free_name
from workbench.query.operators.union import united
from workbench.query.plan import Col, Const, Distinct, Expr, Filter, Project, Rel, Values

_MOST_VALUES = 64  # partitions of a subquery that has to be bound for each one


@dataclass(frozen=True, slots=True)
class PartitionSyntax(syntax.Operator):
    """`subquery` reads the partition; `whole` is a query of its own that may name the column."""

    column: syntax.Expression
    subquery: tuple[syntax.Operator, ...] = ()
    whole: syntax.Expression | None = None


@operator("partition", syntax="partition [hint.strategy=…] by COLUMN (SUBQUERY)")
class Partition:
    """The results of a subquery over the rows of each value of a column, one after the other.

    In the old form `{ QUERY }` the query has its own source and may use the column's value.
    """

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> PartitionSyntax:
        p.options("partition", ())
        p.expect_word("by")
        name = p.name()
        column = syntax.Name(name.span, str(name.value))
        if p.accept("{"):
            whole = p.pipeline_or_expression()
            p.expect("}")
            return PartitionSyntax(keyword.span.to(p.last_span), "partition", column, whole=whole)
        p.expect("(")
        subquery = p.operators_only()
        p.expect(")")
        return PartitionSyntax(keyword.span.to(p.last_span), "partition", column, subquery)

    @staticmethod
    def bind(s: PartitionSyntax, source: Rel, b: BinderApi) -> Rel:
        by = b.expr(s.column, source)
        if not isinstance(by, Col):
            raise diagnostics.expected("a column", "an expression", s.column.span)
        if by.type is ScalarType.DYNAMIC:
            raise diagnostics.wrong_type("partition", "a scalar column", "dynamic", s.column.span)
        if s.whole is not None or _needs_values(s.subquery):
            return _one_by_one(s, source, by, b)
        key = free_name("__part", source)
        hidden = Column(key, by.type, True)
        columns = tuple((c.name, Col(c.type, c.name)) for c in source.schema)
        keyed = Project((*source.schema, hidden), source, (*columns, (key, by)))
        leaf = Leaf(keyed.schema, source.serialized)
        body = b.pipe(leaf, s.subquery)
        schema = tuple(c for c in body.schema if c.name != key)
        return Apply(schema, keyed, leaf, body, key)


def _needs_values(node: Any) -> bool:
    """Whether something inside is computed at binding (`toscalar`) or named (`as`)."""
    if isinstance(node, tuple):
        return any(_needs_values(n) for n in node)
    if isinstance(node, syntax.Call) and node.name == "toscalar":
        return True
    if isinstance(node, syntax.Operator) and node.keyword == "as":
        return True
    return is_dataclass(node) and any(_needs_values(getattr(node, f.name)) for f in fields(node))


def _one_by_one(s: PartitionSyntax, source: Rel, by: Col, b: BinderApi) -> Rel:
    """The subquery bound anew for each value of the column."""
    only = (Column(by.name, by.type),)
    values = b.evaluate(Distinct(only, Project(only, source, ((by.name, by),))))[by.name].to_list()
    if len(values) > _MOST_VALUES:
        raise diagnostics.bad_argument(
            "partition", f"{by.name} has {len(values)} values, this subquery can take {_MOST_VALUES}", s.span
        )
    parts: list[tuple[str, Rel]] = []
    for value in values or [None]:
        constant = Const(by.type, value)
        same: Expr = b.call("==", by, constant, span=s.column.span)
        if value is None:
            same = b.call("isnull", by, span=s.column.span)
        rows = Filter(source.schema, source, same) if values else Values(source.schema)
        with b.given(by.name, constant):
            part = b.pipe(rows, s.subquery) if s.whole is None else b.table(s.whole)
        parts.append(("", part))
    whole = united(parts)
    return Filter(whole.schema, whole, Const(ScalarType.BOOL, bool(values)))
