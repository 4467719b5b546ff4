"""`scan`: sequences of rows, found step by step with a state that goes from row to row.

Each row meets the steps from the last to the first. A step takes the row when its condition holds
over the sequence of the step before (which then moves on to it), else over its own. What depends on
no state is computed for all rows at once; the rest row by row (`_state`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import Span
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.lowering import Frame, PolarsContext, to_polars
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators._state import Evaluator
from workbench.query.plan import Col, Const, Expr, Rel, Sort, SortKey, Values, columns_of, expressions_of

T = ScalarType
OUTPUTS = ("all", "last", "none")


@dataclass(frozen=True, slots=True)
class Step:
    """A step: its condition, and what it assigns to columns; columns of a state are `step.column`."""

    name: str
    output: str
    condition: Expr
    assignments: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Sequences(Rel):
    """The rows that steps took, in the order in which they were taken."""

    source: Rel
    declared: tuple[tuple[str, Const], ...]
    steps: tuple[Step, ...]
    match_id: str | None
    partition: tuple[str, ...]

    @property
    def serialized(self) -> bool:
        return True

    def pruned(self, needed: set[str] | None, prune: Callable[[Rel, set[str] | None], Rel]) -> Rel:
        """See `rewrite.prune.Prunable`; a step may name a column `step.column` too."""
        if needed is None:
            return replace(self, source=prune(self.source, None))
        read = {n for e in expressions_of(self) for n in columns_of(e)}
        plain = {n.partition(".")[2] for n in read if any(n.startswith(f"{s.name}.") for s in self.steps)}
        source = prune(self.source, needed | read | plain | set(self.partition))
        made = {n for n, _ in self.declared} | {self.match_id}
        left = {*source.names(), *made}
        return replace(self, schema=tuple(c for c in self.schema if c.name in left), source=source)


# ---- syntax -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StepSyntax(syntax.Node):
    name: str
    output: str
    condition: syntax.Expression
    assignments: tuple[tuple[str, syntax.Expression, Span], ...]


@dataclass(frozen=True, slots=True)
class ScanSyntax(syntax.Operator):
    declared: tuple[tuple[str, ScalarType, syntax.Expression | None], ...]
    steps: tuple[StepSyntax, ...]
    match_id: str | None
    order: tuple[syntax.Ordered, ...]
    partition: tuple[syntax.Expression, ...]


def _declared(p: ParserApi) -> tuple[str, ScalarType, syntax.Expression | None]:
    name = p.name()
    p.expect(":")
    type_ = p.type_name()
    return str(name.value), type_, p.expression() if p.accept("=") else None


def _step(p: ParserApi) -> StepSyntax:
    start = p.expect_word("step")
    name = p.name()
    options = p.options("scan", ("output",))
    output = str(options.get("output", "all"))
    if output not in OUTPUTS:
        raise diagnostics.bad_option(output, "scan", p.last_span, OUTPUTS)
    p.expect(":")
    condition = p.expression()
    assignments: list[tuple[str, syntax.Expression, Span]] = []
    if p.accept("=>"):
        for node in p.list_of(p.named_expression):
            if not isinstance(node, syntax.Named):
                raise diagnostics.expected("COLUMN = EXPRESSION", "an expression", node.span)
            assignments.append((node.names[0], node.value, node.span))
    if not p.peek().is_mark(")"):
        p.expect(";")
    return StepSyntax(start.span.to(p.last_span), str(name.value), output, condition, tuple(assignments))


@operator(
    "scan",
    syntax="scan [with_match_id=NAME] [declare (NAME: TYPE [= VALUE], …)] with (step NAME [output=all|last|none]: CONDITION [=> COLUMN = EXPRESSION, …]; …)",
)
class ScanOperator:
    """Rows that belong to sequences, which steps describe; a step may look at what earlier ones kept."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> ScanSyntax:
        options = p.options("scan", ("with_match_id", "kind"))
        match_id = options.get("with_match_id")
        order: tuple[syntax.Ordered, ...] = ()
        partition: list[syntax.Expression] = []
        declared: list[tuple[str, ScalarType, syntax.Expression | None]] = []
        while not p.peek().is_word("with"):
            word = p.expect_word("order", "partition", "declare")
            if word.value == "declare":
                p.expect("(")
                declared = p.list_of(lambda: _declared(p))
                p.expect(")")
                continue
            p.expect_word("by")
            if word.value == "order":
                order = p.sort_keys()
            else:
                partition = p.list_of(p.expression)
        p.next()
        p.expect("(")
        steps = [_step(p)]
        while not p.accept(")"):
            steps.append(_step(p))
        return ScanSyntax(
            keyword.span.to(p.last_span), "scan", tuple(declared), tuple(steps),
            None if match_id is None else str(match_id), order, tuple(partition),
        )  # fmt: skip

    @staticmethod
    def bind(s: ScanSyntax, source: Rel, b: BinderApi) -> Rel:
        if s.order:
            source = Sort(source.schema, source, b.sort_keys(s.order, source))
        partition = tuple(_column(node, source, b) for node in s.partition)
        if partition and s.order:
            keys = tuple(
                SortKey(Col(c.type, c.name), False, True) for c in source.schema if c.name in partition
            )
            source = Sort(source.schema, source, keys)
        declared = _defaults(s, source, b)
        own = (*source.schema, *(Column(n, c.type) for n, c in declared))
        state = tuple(Column(f"{step.name}.{c.name}", c.type, True) for step in s.steps for c in own)
        row = Values((*own, *state), ())
        types = {c.name: c.type for c in own}
        steps: list[Step] = []
        for step in s.steps:
            if any(step.name == other.name for other in steps):
                raise diagnostics.name_declared_twice(step.name, step.span)
            assigned: list[tuple[str, Expr]] = []
            for name, node, span in step.assignments:
                if name not in types:
                    raise diagnostics.unknown_column(name, span, list(types))
                assigned.append((name, b.convert(b.expr(node, row), types[name])))
            steps.append(Step(step.name, step.output, b.predicate(step.condition, row), tuple(assigned)))
        if s.match_id is not None and any(c.name == s.match_id for c in own):
            raise diagnostics.name_declared_twice(s.match_id, s.span)
        schema = own if s.match_id is None else (*own, Column(s.match_id, T.LONG))
        return Sequences(schema, source, declared, tuple(steps), s.match_id, partition)


def _column(node: syntax.Expression, source: Rel, b: BinderApi) -> str:
    bound = b.expr(node, source)
    if not isinstance(bound, Col):
        raise diagnostics.expected("a column", "an expression", node.span)
    return bound.name


def _defaults(s: ScanSyntax, source: Rel, b: BinderApi) -> tuple[tuple[str, Const], ...]:
    found: dict[str, Const] = {}
    for name, type_, node in s.declared:
        if name in found or source.column(name) is not None:
            raise diagnostics.name_declared_twice(name, s.span if node is None else node.span)
        value = None if node is None else b.constant(node, f"the default of {name}", type_)
        found[name] = Const(type_, "" if value is None and type_ is T.STRING else value)
    return tuple(found.items())


# ---- running ----------------------------------------------------------------------------------

Kept = dict[int, Mapping[str, Any]]


class _Run:
    """One pass over the rows of a partition: the sequences that are open, the rows to give out."""

    def __init__(self, rel: Sequences, evaluator: Evaluator) -> None:
        self._rel = rel
        self._evaluator = evaluator
        self._open: list[Kept | None] = [None] * len(rel.steps)
        self._match: list[int] = [-1] * len(rel.steps)
        self._pending: list[tuple[int, dict[str, Any], int] | None] = [None] * len(rel.steps)
        self._matches = 0
        self.taken: list[tuple[int, dict[str, Any], int]] = []

    def row(self, number: int) -> None:
        for k in reversed(range(len(self._rel.steps))):
            before = self._open[k - 1] if k else None
            if before is not None and self._holds(number, k, before):
                self._flush(k)
                self._flush(k - 1)
                self._open[k], self._open[k - 1] = before, None
                self._match[k] = self._match[k - 1]
                self._take(number, k, before)
                continue
            state = self._open[k]
            if (state is not None or k == 0) and self._holds(number, k, state or {}):
                if state is None:
                    self._match[0], self._matches = self._matches, self._matches + 1
                self._take(number, k, state or {})

    def _holds(self, number: int, k: int, state: Kept) -> bool:
        return self._evaluator.value(("condition", k), number, state) is True

    def _take(self, number: int, k: int, state: Kept) -> None:
        step = self._rel.steps[k]
        given = {n: self._evaluator.value((n, k), number, state) for n, _ in step.assignments}
        row = self._evaluator.row(number, given)
        self._open[k] = {**state, k: row}
        if step.output == "all":
            self.taken.append((number, given, self._match[k]))
        elif step.output == "last":
            self._pending[k] = (number, given, self._match[k])

    def _flush(self, k: int) -> None:
        kept = self._pending[k]
        if kept is not None:
            self.taken.append(kept)
            self._pending[k] = None

    def end(self) -> None:
        """No more rows: what waited to be the last of its kind is."""
        for k in range(len(self._rel.steps)):
            self._flush(k)


@to_polars.register
def _sequences(rel: Sequences, context: PolarsContext) -> Frame:
    rows = context.collect(context.canonical_frame(rel.source).select(rel.source.names()))
    evaluator = Evaluator(rows, rel.source, rel.declared, [s.name for s in rel.steps], context)
    for k, step in enumerate(rel.steps):
        evaluator.add(("condition", k), step.condition)
        for name, expr in step.assignments:
            evaluator.add((name, k), expr)
    taken: list[tuple[int, dict[str, Any], int]] = []
    for numbers in _partitions(rows, rel.partition):
        run = _Run(rel, evaluator)
        for number in numbers:
            run.row(number)
        run.end()
        taken += run.taken
    kept = rows[[number for number, _, _ in taken]]
    for name in {n for step in rel.steps for n, _ in step.assignments} & set(rows.columns):
        cells = [
            given.get(name, cell) for (_, given, _), cell in zip(taken, kept[name].to_list(), strict=True)
        ]
        kept = kept.with_columns(pl.Series(name, cells, dtype=kept.schema[name], strict=False))
    columns = [kept]
    for name, _ in rel.declared:
        cells = [given.get(name, evaluator.defaults[name]) for _, given, _ in taken]
        columns.append(pl.DataFrame({name: pl.Series(cells, dtype=evaluator.dtypes[name], strict=False)}))
    if rel.match_id is not None:
        columns.append(pl.DataFrame({rel.match_id: pl.Series([m for _, _, m in taken], dtype=pl.Int64)}))
    return Frame(pl.concat(columns, how="horizontal").lazy(), {})


def _partitions(rows: pl.DataFrame, keys: Sequence[str]) -> list[Sequence[int]]:
    if not keys:
        return [range(rows.height)]
    numbered = rows.select(keys).with_row_index("__number")
    groups = numbered.group_by(keys, maintain_order=True).agg("__number")["__number"]
    return [group.to_list() for group in groups]
