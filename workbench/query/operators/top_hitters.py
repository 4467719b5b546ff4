"""`top-hitters`: the most frequent values of a column."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator, whole_number
from workbench.query.plan import Col, Limit, Rel, Sort, SortKey, Summarize


@dataclass(frozen=True, slots=True)
class TopHittersSyntax(syntax.Operator):
    count: syntax.Expression
    of: syntax.Expression
    by: syntax.Expression | None


@operator("top-hitters", syntax="top-hitters N of EXPRESSION [by EXPRESSION]")
class TopHitters:
    """The N values that come most often, or have the largest sum; counted in full, not estimated."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> TopHittersSyntax:
        count = p.expression()
        p.expect_word("of")
        of = p.named_expression()
        by = p.expression() if p.accept_word("by") else None
        return TopHittersSyntax(keyword.span.to(p.last_span), "top-hitters", count, of, by)

    @staticmethod
    def bind(s: TopHittersSyntax, source: Rel, b: BinderApi) -> Rel:
        count = whole_number(b, s.count, "the number of values")
        keys = b.columns([s.of], source)
        node: syntax.Expression
        if s.by is None:
            name = f"approximate_count_{keys[0][0]}"
            node = syntax.Call(s.span, "count", (), s.span)
        else:
            name = f"approximate_sum_{b.result_name(s.by, source) or ''}"
            node = syntax.Call(s.span, "sum", (s.by,), s.by.span)
        aggregates, _ = b.aggregates([syntax.Named(s.span, (name,), node)], source, keys)
        weight = aggregates[0].columns[0]
        schema = (*(type(weight)(n, e.type) for n, e in keys), weight)
        grouped = Summarize(schema, source, tuple(keys), aggregates)
        order = SortKey(Col(weight.type, weight.name), descending=True, nulls_first=False)
        return Limit(schema, Sort(schema, grouped, (order,)), count)
