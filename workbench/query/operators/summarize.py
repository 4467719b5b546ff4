"""`summarize`: groups and what is computed in each."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.dtypes import Column
from workbench.query import syntax
from workbench.query.lexer import Kind, Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import Col, Distinct, Expr, Project, Rel, Summarize, unique


@dataclass(frozen=True, slots=True)
class SummarizeSyntax(syntax.Operator):
    aggregates: tuple[syntax.Expression, ...]
    keys: tuple[syntax.Expression, ...]


@operator("summarize", syntax="summarize [NAME =] AGGREGATE, … by [NAME =] EXPRESSION, …")
class SummarizeOperator:
    """One row a group; without `by` one row, also for no input."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> SummarizeSyntax:
        p.options("summarize", ())
        aggregates: list[syntax.Expression] = []
        after = p.peek()
        if not (after.is_word("by") or after.kind is Kind.END or after.is_mark("|", ")", ";")):
            aggregates = p.list_of(p.named_expression)
        keys: list[syntax.Expression] = []
        if p.accept_word("by"):
            p.options("summarize", ())
            keys = p.list_of(p.named_expression)
        return SummarizeSyntax(keyword.span.to(p.last_span), "summarize", tuple(aggregates), tuple(keys))

    @staticmethod
    def bind(s: SummarizeSyntax, source: Rel, b: BinderApi) -> Rel:
        keys = b.columns(s.keys, source)
        given = [n for node in s.aggregates if isinstance(node, syntax.Named) for n in node.names]
        keys = _renamed(keys, set(given))
        aggregates, made = b.aggregates(s.aggregates, source, keys)
        if not aggregates:
            columns = tuple(Column(n, e.type) for n, e in keys)
            return Distinct(columns, Project(columns, source, tuple(keys)))
        key_columns = tuple(Column(n, e.type) for n, e in keys)
        computed = tuple(c for a in aggregates for c in a.columns)
        grouped = Summarize(key_columns + computed, source, tuple(keys), aggregates)
        direct = [n for n, _ in made] == [c.name for c in computed] and all(
            isinstance(e, Col) for _, e in made
        )
        if direct:
            return grouped
        output: list[tuple[str, Expr]] = [(c.name, Col(c.type, c.name)) for c in key_columns] + made
        return Project(tuple(Column(n, e.type) for n, e in output), grouped, tuple(output))


def _renamed(keys: list[tuple[str, Expr]], given: set[str]) -> list[tuple[str, Expr]]:
    """Keys whose name an aggregate takes get a number."""
    taken = given | {n for n, _ in keys}
    out: list[tuple[str, Expr]] = []
    for name, expr in keys:
        if name in given:
            name = unique(name, taken)
            taken.add(name)
        out.append((name, expr))
    return out
