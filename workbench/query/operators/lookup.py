"""`lookup`: columns of a small table added to a large one."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.diagnostics import query as diagnostics
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators.join import joined, keys
from workbench.query.plan import Rel


@dataclass(frozen=True, slots=True)
class LookupSyntax(syntax.Operator):
    right: syntax.Expression
    kind: str
    on: tuple[syntax.Expression, ...]


@operator("lookup", syntax="lookup [kind=leftouter|inner] (TABLE) on KEY, …")
class Lookup:
    """A left outer join that does not repeat the keys of the right side."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> LookupSyntax:
        options = p.options("lookup", ("kind",))
        kind = str(options.get("kind", "leftouter"))
        if kind not in ("leftouter", "inner"):
            raise diagnostics.bad_option(kind, "lookup", p.last_span, ("leftouter", "inner"))
        right = p.pipeline_or_expression() if not p.peek().is_mark("(") else p.expression()
        p.expect_word("on")
        on = p.list_of(p.expression)
        return LookupSyntax(keyword.span.to(p.last_span), "lookup", right, kind, tuple(on))

    @staticmethod
    def bind(s: LookupSyntax, source: Rel, b: BinderApi) -> Rel:
        left, right, on = keys(s.on, source, b.table(s.right), b)
        return joined(left, right, s.kind, on, drop_keys=True)
