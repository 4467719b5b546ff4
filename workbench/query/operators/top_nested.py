"""`top-nested`: the largest values, in each of them the largest of the next level, and so on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import Aggregate, Const, Expr, Rel, columns_of, unique


@dataclass(frozen=True, slots=True)
class LevelSyntax(syntax.Node):
    count: syntax.Expression | None
    of: syntax.Expression
    others: syntax.Expression | None
    by: syntax.Expression
    descending: bool


@dataclass(frozen=True, slots=True)
class TopNestedSyntax(syntax.Operator):
    levels: tuple[LevelSyntax, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """`count` values of `of` (None: all) by `measure`, which is made of `aggregates`; `others` is the
    name of what is left."""

    name: str
    of: Expr
    count: int | None
    others: Const | None
    aggregates: tuple[Aggregate, ...]
    measure: tuple[str, Expr]
    descending: bool


@dataclass(frozen=True, slots=True)
class TopNested(Rel):
    """Two columns a level: the value and its measure."""

    source: Rel
    levels: tuple[Level, ...]

    @property
    def serialized(self) -> bool:
        return True

    def pruned(self, needed: set[str] | None, prune: Callable[[Rel, set[str] | None], Rel]) -> Rel:
        """See `rewrite.prune.Prunable`."""
        below: set[str] = set()
        for level in self.levels:
            below |= columns_of(level.of)
            for aggregate in level.aggregates:
                below |= {n for a in aggregate.args for n in columns_of(a)}
        return TopNested(self.schema, prune(self.source, below), self.levels)


@operator(
    "top-nested",
    syntax="top-nested [N] of EXPRESSION [with others=VALUE] by [NAME =] AGGREGATE [asc|desc], top-nested …",
)
class TopNestedOperator:
    """The N largest values by an aggregate, within each of them the N largest of the next level."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> TopNestedSyntax:
        levels = [_level(p)]
        while p.accept(","):
            p.expect_word("top")
            p.expect("-")
            p.expect_word("nested")
            levels.append(_level(p))
        return TopNestedSyntax(keyword.span.to(p.last_span), "top-nested", tuple(levels))

    @staticmethod
    def bind(s: TopNestedSyntax, source: Rel, b: BinderApi) -> Rel:
        taken: set[str] = set()
        levels: list[Level] = []
        for level in s.levels:
            levels.append(_bound(level, source, taken, b))
        schema: list[Column] = []
        for made in levels:
            schema += [Column(made.name, made.of.type), Column(made.measure[0], made.measure[1].type)]
        return TopNested(tuple(schema), source, tuple(levels))


def _level(p: ParserApi) -> LevelSyntax:
    start = p.peek().span
    count = None if p.peek().is_word("of") else p.expression()
    p.expect_word("of")
    of = p.named_expression()
    others = None
    if p.accept_word("with"):
        p.expect_word("others")
        p.expect("=")
        others = p.expression()
    p.expect_word("by")
    by = p.named_expression()
    order = p.accept_word("asc", "desc")
    ascending = order is not None and order.value == "asc"
    return LevelSyntax(start.to(p.last_span), count, of, others, by, not ascending)


def _free(name: str, taken: set[str]) -> str:
    free = unique(name, taken)
    taken.add(free)
    return free


def _bound(s: LevelSyntax, source: Rel, taken: set[str], b: BinderApi) -> Level:
    ((own, of),) = b.columns([s.of], source)
    name = _free(own, taken)
    named = s.by if isinstance(s.by, syntax.Named) else syntax.Named(s.by.span, (f"aggregated_{name}",), s.by)
    aggregates, made = b.aggregates([named], source, [])
    measure = (_free(made[0][0], taken), made[0][1])
    count = None if s.count is None else b.constant(s.count, "the number of values", ScalarType.LONG)
    others = None
    if s.others is not None:
        others = Const(of.type, b.constant(s.others, "the name of the others", of.type), s.others.span)
    return Level(name, of, None if count is None else int(count), others, aggregates, measure, s.descending)
