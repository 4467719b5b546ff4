"""`fork`: several subqueries over the same rows, each a table of the answer."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators._several import leaf_of, numbered, several
from workbench.query.plan import Rel


@dataclass(frozen=True, slots=True)
class LegSyntax(syntax.Node):
    name: str | None
    subquery: tuple[syntax.Operator, ...]


@dataclass(frozen=True, slots=True)
class ForkSyntax(syntax.Operator):
    legs: tuple[LegSyntax, ...]


@operator("fork", syntax="fork [NAME =] (SUBQUERY) [NAME =] (SUBQUERY) …")
class Fork:
    """A table for each subquery over the rows so far; the first one is the answer, the others stand beside it.

    A table is named before its subquery, or by `as` at the end of it.
    """

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> ForkSyntax:
        legs = [_leg(p)]
        while not (p.peek().is_mark("|", ";", ")", "}") or p.peek().kind.name == "END"):
            legs.append(_leg(p))
        return ForkSyntax(keyword.span.to(p.last_span), "fork", tuple(legs))

    @staticmethod
    def bind(s: ForkSyntax, source: Rel, b: BinderApi) -> Rel:
        leaf = leaf_of(source)
        parts: list[tuple[str, Rel]] = []
        for place, leg in enumerate(s.legs):
            last = leg.subquery[-1]
            own = leg.name or (getattr(last, "name", None) if last.keyword == "as" else None)
            parts.append((own or numbered("Results", place), b.pipe(leaf, leg.subquery)))
        return several(source, leaf, parts)


def _leg(p: ParserApi) -> LegSyntax:
    start, name = p.peek().span, None
    if not p.peek().is_mark("("):
        name = str(p.name().value)
        p.expect("=")
    p.expect("(")
    subquery = p.operators_only()
    p.expect(")")
    return LegSyntax(start.to(p.last_span), name, subquery)
