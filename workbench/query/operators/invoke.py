"""`invoke`: a let function applied to the table so far."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.diagnostics import query as diagnostics
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import Rel


@dataclass(frozen=True, slots=True)
class InvokeSyntax(syntax.Operator):
    call: syntax.Call


@operator("invoke", syntax="invoke FUNCTION(ARGUMENTS)")
class Invoke:
    """The table is the function's first argument."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> InvokeSyntax:
        call = p.expression()
        if isinstance(call, syntax.Name):
            call = syntax.Call(call.span, call.name, (), call.span)
        if not isinstance(call, syntax.Call):
            raise diagnostics.expected("a function call", "something else", call.span)
        return InvokeSyntax(keyword.span.to(p.last_span), "invoke", call)

    @staticmethod
    def bind(s: InvokeSyntax, source: Rel, b: BinderApi) -> Rel:
        return b.invoke(s.call, source)
