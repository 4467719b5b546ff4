"""`sort by`: rows in order, descending unless `asc`."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import Rel, Sort


@dataclass(frozen=True, slots=True)
class SortSyntax(syntax.Operator):
    keys: tuple[syntax.Ordered, ...]


@operator("sort", syntax="sort by EXPRESSION [asc|desc] [nulls first|last], …", aliases=("order",))
class SortOperator:
    """Rows in order. Descending is the default; nulls come first ascending, last descending."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> SortSyntax:
        p.options("sort", ())
        p.expect_word("by")
        keys = p.sort_keys()
        return SortSyntax(keyword.span.to(p.last_span), "sort", keys)

    @staticmethod
    def bind(s: SortSyntax, source: Rel, b: BinderApi) -> Rel:
        return Sort(source.schema, source, b.sort_keys(s.keys, source))
