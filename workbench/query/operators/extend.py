"""`extend`: computed columns beside what is there."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.dtypes import Column
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import Col, Expr, Project, Rel


@dataclass(frozen=True, slots=True)
class ExtendSyntax(syntax.Operator):
    columns: tuple[syntax.Expression, ...]


@operator("extend", syntax="extend [NAME =] EXPRESSION, …")
class Extend:
    """Adds columns; one that has the name of an existing column takes its place.

    Items see the columns before this operator, not each other.
    """

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> ExtendSyntax:
        columns = tuple(p.list_of(p.named_expression))
        return ExtendSyntax(keyword.span.to(p.last_span), "extend", columns)

    @staticmethod
    def bind(s: ExtendSyntax, source: Rel, b: BinderApi) -> Rel:
        return extended(source, b.columns(s.columns, source, beside=source.names(), replacing=True))


def extended(source: Rel, columns: list[tuple[str, Expr]]) -> Rel:
    """`source` with columns added at the end, or put in place of those of the same name.

    A column that another one of the same name would only repeat gets a number.
    """
    new = dict(columns)
    pairs: list[tuple[str, Expr]] = [
        (c.name, new.pop(c.name, Col(c.type, c.name))) for c in source.schema if not c.hidden
    ]
    hidden = [(c.name, new.pop(c.name, Col(c.type, c.name))) for c in source.schema if c.hidden]
    pairs += list(new.items())
    schema = tuple(Column(n, e.type) for n, e in pairs) + tuple(Column(n, e.type, True) for n, e in hidden)
    return Project(schema, source, tuple(pairs + hidden))
