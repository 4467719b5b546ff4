"""`project`: just the columns that are named or computed."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator, schema_of
from workbench.query.plan import Project, Rel


@dataclass(frozen=True, slots=True)
class ProjectSyntax(syntax.Operator):
    columns: tuple[syntax.Expression, ...]


@operator("project", syntax="project [NAME =] EXPRESSION, …")
class ProjectOperator:
    """The named and computed columns, in the order written."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> ProjectSyntax:
        columns = tuple(p.list_of(p.named_expression))
        return ProjectSyntax(keyword.span.to(p.last_span), "project", columns)

    @staticmethod
    def bind(s: ProjectSyntax, source: Rel, b: BinderApi) -> Rel:
        columns = b.columns(s.columns, source)
        return Project(tuple(c for c in schema_of(columns)), source, tuple(columns))
