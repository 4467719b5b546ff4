"""`sample`: some rows at random."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.lowering import Frame, PolarsContext, to_polars
from workbench.query.operators._card import BinderApi, ParserApi, operator, whole_number
from workbench.query.plan import Rel


@dataclass(frozen=True, slots=True)
class Sampled(Rel):
    """`count` rows of `source`, each with the same chance."""

    source: Rel
    count: int

    random = True

    def pruned(self, needed: set[str] | None, prune: Callable[[Rel, set[str] | None], Rel]) -> Rel:
        """See `rewrite.prune.Prunable`."""
        source = prune(self.source, needed)
        return Sampled(source.schema, source, self.count)


@dataclass(frozen=True, slots=True)
class SampleSyntax(syntax.Operator):
    count: syntax.Expression


@operator("sample", syntax="sample N")
class Sample:
    """N rows at random, other ones each time; all rows where there are no more."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> SampleSyntax:
        p.options("sample", ())
        count = p.expression()
        return SampleSyntax(keyword.span.to(p.last_span), "sample", count)

    @staticmethod
    def bind(s: SampleSyntax, source: Rel, b: BinderApi) -> Rel:
        count = whole_number(b, s.count, "the number of rows")
        return Sampled(source.schema, source, count)


@to_polars.register
def _sampled(rel: Sampled, context: PolarsContext) -> Frame:
    source = context.frame(rel.source)
    place = pl.int_range(pl.len()).shuffle().alias("__place")
    kept = source.lazy.with_columns(place).filter(pl.col("__place") < rel.count).drop("__place")
    return Frame(kept, source.forms)
