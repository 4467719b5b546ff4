"""`distinct`: the different rows of some columns."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator, schema_of
from workbench.query.plan import Distinct, Project, Rel


@dataclass(frozen=True, slots=True)
class DistinctSyntax(syntax.Operator):
    columns: tuple[syntax.Expression, ...]


@operator("distinct", syntax="distinct COLUMN, …|*")
class DistinctOperator:
    """Each combination of the columns once."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> DistinctSyntax:
        p.options("distinct", ())
        columns = tuple(p.list_of(p.named_expression))
        return DistinctSyntax(keyword.span.to(p.last_span), "distinct", columns)

    @staticmethod
    def bind(s: DistinctSyntax, source: Rel, b: BinderApi) -> Rel:
        columns = b.columns(s.columns, source)
        narrowed = Project(schema_of(columns), source, tuple(columns))
        return Distinct(narrowed.schema, narrowed)
