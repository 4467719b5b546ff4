"""`as`: a name for what comes so far."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import Rel


@dataclass(frozen=True, slots=True)
class AsSyntax(syntax.Operator):
    name: str


@operator("as", syntax="as NAME")
class As:
    """The same rows, which the rest of the query can name as a table."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> AsSyntax:
        p.options("as", ("hint.materialized",))
        name = p.name()
        return AsSyntax(keyword.span.to(p.last_span), "as", str(name.value))

    @staticmethod
    def bind(s: AsSyntax, source: Rel, b: BinderApi) -> Rel:
        b.declare(s.name, source)
        return source
