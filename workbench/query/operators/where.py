"""`where`: rows that fulfil a condition."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators.join import behind_unique
from workbench.query.plan import Filter, Join, Rel


@dataclass(frozen=True, slots=True)
class WhereSyntax(syntax.Operator):
    condition: syntax.Expression


@operator("where", syntax="where CONDITION", aliases=("filter",))
class Where:
    """Rows for which the condition is true (null is not)."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> WhereSyntax:
        p.options("where", ())
        condition = p.expression()
        return WhereSyntax(keyword.span.to(p.last_span), "where", condition)

    @staticmethod
    def bind(s: WhereSyntax, source: Rel, b: BinderApi) -> Rel:
        condition = b.predicate(s.condition, source)
        if isinstance(source, Join) and source.kind == "innerunique":
            return behind_unique(source, condition, b)
        return Filter(source.schema, source, condition)
