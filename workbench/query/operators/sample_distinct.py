"""`sample-distinct`: some of the values of a column."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator, schema_of, whole_number
from workbench.query.plan import Distinct, Limit, Project, Rel


@dataclass(frozen=True, slots=True)
class SampleDistinctSyntax(syntax.Operator):
    count: syntax.Expression
    of: syntax.Expression


@operator("sample-distinct", syntax="sample-distinct N of COLUMN")
class SampleDistinct:
    """N different values of a column, any ones."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> SampleDistinctSyntax:
        p.options("sample-distinct", ())
        count = p.expression()
        p.expect_word("of")
        of = p.named_expression()
        return SampleDistinctSyntax(keyword.span.to(p.last_span), "sample-distinct", count, of)

    @staticmethod
    def bind(s: SampleDistinctSyntax, source: Rel, b: BinderApi) -> Rel:
        count = whole_number(b, s.count, "the number of values")
        columns = b.columns([s.of], source)
        narrowed = Project(schema_of(columns), source, tuple(columns))
        return Limit(narrowed.schema, Distinct(narrowed.schema, narrowed), count)
