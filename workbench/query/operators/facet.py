"""`facet`: the values of columns and how often each comes, a table a column."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators._several import leaf_of, numbered, several
from workbench.query.plan import Aggregate, Col, Rel, Sort, SortKey, Summarize


@dataclass(frozen=True, slots=True)
class FacetSyntax(syntax.Operator):
    columns: tuple[syntax.Expression, ...]
    subquery: tuple[syntax.Operator, ...]


@operator("facet", syntax="facet by COLUMN [, COLUMN …] [with (SUBQUERY)]")
class Facet:
    """A table for each column: its values and how often they come, the most frequent first.

    The table of `with (…)`, a subquery over the same rows, comes before them.
    """

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> FacetSyntax:
        p.options("facet", ())
        p.expect_word("by")
        columns = tuple(p.list_of(p.expression))
        subquery: tuple[syntax.Operator, ...] = ()
        if p.accept_word("with"):
            p.expect("(")
            subquery = p.operators_only()
            p.expect(")")
        return FacetSyntax(keyword.span.to(p.last_span), "facet", columns, subquery)

    @staticmethod
    def bind(s: FacetSyntax, source: Rel, b: BinderApi) -> Rel:
        leaf = leaf_of(source)
        parts: list[tuple[str, Rel]] = []
        if s.subquery:
            parts.append(("Results", b.pipe(leaf, s.subquery)))
        for place, node in enumerate(s.columns):
            column = b.expr(node, leaf)
            if not isinstance(column, Col):
                raise diagnostics.expected("a column", "an expression", node.span)
            if column.type is ScalarType.DYNAMIC:
                raise diagnostics.wrong_type("facet", "a scalar column", "dynamic", node.span)
            parts.append((numbered("Facet", place), _counted(leaf, column)))
        return several(source, leaf, parts)


def _counted(rows: Rel, column: Col) -> Rel:
    count = Column(f"count_{column.name}", ScalarType.LONG)
    schema = (Column(column.name, column.type), count)
    counted = Summarize(schema, rows, ((column.name, column),), (Aggregate("count", (), (), (count,)),))
    frequent = SortKey(Col(count.type, count.name), descending=True, nulls_first=False)
    return Sort(schema, counted, (frequent, SortKey(column, descending=False, nulls_first=True)))
