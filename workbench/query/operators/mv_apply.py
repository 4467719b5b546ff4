"""`mv-apply`: a subquery for the elements of each row's array."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators._per_group import Apply, Leaf, free_name
from workbench.query.operators.mv_expand import Expansion, expanded, read_expansion
from workbench.query.plan import Rel


@dataclass(frozen=True, slots=True)
class MvApplySyntax(syntax.Operator):
    expansion: Expansion
    subquery: tuple[syntax.Operator, ...]


@operator(
    "mv-apply",
    syntax="mv-apply [with_itemindex=NAME] [NAME =] EXPRESSION [to typeof(TYPE)], … [limit N] on (SUBQUERY)",
)
class MvApply:
    """Expands each row as `mv-expand` does and runs the subquery over the rows that came of it.

    The subquery sees the columns of the row too. Its result stands beside them; `summarize` gives one
    row for each row, also where no element was left.
    """

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> MvApplySyntax:
        expansion = read_expansion(p, "mv-apply")
        p.expect_word("on")
        p.expect("(")
        subquery = p.operators_only()
        p.expect(")")
        return MvApplySyntax(keyword.span.to(p.last_span), "mv-apply", expansion, subquery)

    @staticmethod
    def bind(s: MvApplySyntax, source: Rel, b: BinderApi) -> Rel:
        key = free_name("__row", source)
        leaf = Leaf((*source.schema, Column(key, ScalarType.LONG, True)), ordered=True)
        body = b.pipe(expanded(s.expansion, leaf, b, "mv-apply"), s.subquery)
        applied = {
            item.value.name if isinstance(item, syntax.Typed) and isinstance(item.value, syntax.Name) else
            item.name if isinstance(item, syntax.Name) else None
            for item in s.expansion.items
        }  # fmt: skip
        there = {c.name: c for c in body.schema if c.name != key}
        beside = [c.name for c in source.schema if c.name not in there and c.name not in applied]
        columns = [
            there.pop(c.name, c) for c in source.schema if c.name not in applied or c.name in there
        ] + list(there.values())
        schema = (*(c for c in columns if not c.hidden), *(c for c in columns if c.hidden))
        return Apply(schema, source, leaf, body, key, numbered=True, beside=tuple(beside))
