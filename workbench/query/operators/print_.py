"""`print`: one row of expressions."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator, schema_of
from workbench.query.plan import ONE_ROW, Project, Rel


@dataclass(frozen=True, slots=True)
class PrintSyntax(syntax.Operator):
    columns: tuple[syntax.Expression, ...]


@operator("print", syntax="print [NAME =] EXPRESSION, …", source=True)
class Print:
    """One row; columns without a name are called `print_0`, `print_1` and so on."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> PrintSyntax:
        columns = tuple(p.list_of(p.named_expression))
        return PrintSyntax(keyword.span.to(p.last_span), "print", columns)

    @staticmethod
    def bind(s: PrintSyntax, source: Rel | None, b: BinderApi) -> Rel:
        row = ONE_ROW
        columns = b.columns(s.columns, row, printed=True)
        return Project(schema_of(columns), row, tuple(columns))
