"""`take`: some rows."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator, whole_number
from workbench.query.plan import Limit, Rel


@dataclass(frozen=True, slots=True)
class TakeSyntax(syntax.Operator):
    count: syntax.Expression


@operator("take", syntax="take N", aliases=("limit",))
class Take:
    """N rows: the first where rows have an order, else any."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> TakeSyntax:
        p.options("take", ())
        count = p.expression()
        return TakeSyntax(keyword.span.to(p.last_span), "take", count)

    @staticmethod
    def bind(s: TakeSyntax, source: Rel, b: BinderApi) -> Rel:
        count = whole_number(b, s.count, "the number of rows")
        return Limit(source.schema, source, count)
