"""`consume`: the end of a query whose rows nobody wants."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import Rel, Values


@dataclass(frozen=True, slots=True)
class ConsumeSyntax(syntax.Operator):
    pass


@operator("consume", syntax="consume")
class Consume:
    """No columns and no rows."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> ConsumeSyntax:
        p.options("consume", ())
        return ConsumeSyntax(keyword.span.to(p.last_span), "consume")

    @staticmethod
    def bind(s: ConsumeSyntax, source: Rel, b: BinderApi) -> Rel:
        return Values(())
