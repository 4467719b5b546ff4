"""`serialize`: the rows keep the order that they have."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.query import syntax
from workbench.query.lexer import Kind, Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators.extend import extended
from workbench.query.plan import Rel, Serialize


@dataclass(frozen=True, slots=True)
class SerializeSyntax(syntax.Operator):
    columns: tuple[syntax.Expression, ...]


@operator("serialize", syntax="serialize [NAME = EXPRESSION, …]")
class SerializeOperator:
    """Marks the order as fixed, so that `prev()`, `next()`, `row_number()` may be used."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> SerializeSyntax:
        after = p.peek()
        none = after.kind is Kind.END or after.is_mark("|", ")", ";")
        columns = () if none else tuple(p.list_of(p.named_expression))
        return SerializeSyntax(keyword.span.to(p.last_span), "serialize", columns)

    @staticmethod
    def bind(s: SerializeSyntax, source: Rel, b: BinderApi) -> Rel:
        fixed = Serialize(source.schema, source)
        return extended(fixed, b.columns(s.columns, fixed, beside=fixed.names())) if s.columns else fixed
