"""`top`: the first rows of an order."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator, whole_number
from workbench.query.plan import Limit, Rel, Sort


@dataclass(frozen=True, slots=True)
class TopSyntax(syntax.Operator):
    count: syntax.Expression
    keys: tuple[syntax.Ordered, ...]


@operator("top", syntax="top N by EXPRESSION [asc|desc] [nulls first|last], …")
class Top:
    """The first N rows by an expression, largest first unless `asc`."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> TopSyntax:
        p.options("top", ())
        count = p.expression()
        p.expect_word("by")
        keys = p.sort_keys()
        return TopSyntax(keyword.span.to(p.last_span), "top", count, keys)

    @staticmethod
    def bind(s: TopSyntax, source: Rel, b: BinderApi) -> Rel:
        count = whole_number(b, s.count, "the number of rows")
        ordered = Sort(source.schema, source, b.sort_keys(s.keys, source))
        return Limit(source.schema, ordered, count)
