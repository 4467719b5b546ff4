"""`count`: how many rows."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import Aggregate, Rel, Summarize


@dataclass(frozen=True, slots=True)
class CountSyntax(syntax.Operator):
    name: str


@operator("count", syntax="count [as NAME]")
class Count:
    """One row with the number of rows, in the column `Count`."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> CountSyntax:
        name = str(p.name().value) if p.accept_word("as") else "Count"
        return CountSyntax(keyword.span.to(p.last_span), "count", name)

    @staticmethod
    def bind(s: CountSyntax, source: Rel, b: BinderApi) -> Rel:
        column = Column(s.name, ScalarType.LONG)
        return Summarize((column,), source, (), (Aggregate("count", (), (), (column,), s.span),))
