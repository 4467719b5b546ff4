"""What the SQL lowering of one plan knows: its common table expressions, the names of its columns, what it reads.

Every relation becomes one common table expression, so that the text reads as the pipeline does and a relation that is
read twice is written once. SQL takes names in any case, KQL does not: `column` keeps `Port` and `port` apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import polars as pl
from sqlglot import exp

from workbench.base.diagnostics import query as diagnostics
from workbench.base.errors import Span
from workbench.query.backends.polars import Context, Source, TableScan
from workbench.query.backends.sql import expressions
from workbench.query.functions import _sql_cast
from workbench.query.functions._sql import SORTED, Unsayable
from workbench.query.functions._unsayable import relation_reason
from workbench.query.lowering import ORDER, Form, SqlFrame, SqlValue, to_sql
from workbench.query.plan import Expr, Rel, Scan


@dataclass(frozen=True, slots=True)
class Engine:
    """An engine that reads the SQL: its name and its dialect of sqlglot.

    `reads_files`: it reads files by their paths; `keeps`: it can be told to compute a part once.
    """

    name: str
    dialect: str
    reads_files: bool
    keeps: bool


DUCKDB = Engine("duckdb", "duckdb", True, True)
SPARK = Engine("spark", "spark", False, False)
_LARGE = 30  # nodes of a tree
Evaluate = Callable[[Rel], pl.DataFrame]
ENGINES = {e.name: e for e in (DUCKDB, SPARK)}


class SqlContext:
    """Lowers one plan.

    `frames` are the tables that have to be registered before the query runs, by the names it has for
    them; `tables` and `files` what stored tables it reads. `evaluate` gives the rows of a relation that a
    function of Python makes (a border): without it such a relation is refused.
    """

    def __init__(self, source: Source, engine: Engine = DUCKDB, evaluate: Evaluate | None = None) -> None:
        self.evaluate = evaluate
        self.engine = engine
        self._scans = Context(source, lambda lazy, stored: lazy.collect())
        self._done: dict[int, tuple[Rel, SqlFrame]] = {}
        self._parts: list[tuple[str, exp.Query]] = []
        self._kept: set[str] = set()
        self._lets: dict[str, list[tuple[str, exp.Expr]]] = {}
        self._names: dict[str, str] = {ORDER: ORDER}
        self._taken = {ORDER.lower()}
        self.frames: dict[str, pl.LazyFrame] = {}
        self.files: set[str] = set()

    # ---- relations ------------------------------------------------------------------------

    def frame(self, rel: Rel) -> SqlFrame:
        """Lower an input; asked again, the same one."""
        known = self._done.get(id(rel))
        if known is None:
            try:
                known = (rel, to_sql(rel, self))
            except Unsayable as unsayable:
                what = f"'{type(rel).__name__}'"
                raise diagnostics.not_in_sql(what, self.engine.name, str(unsayable), None) from None
            self._done[id(rel)] = known
        return known[1]

    def add(self, rel: Rel, query: exp.Query, forms: Mapping[str, Form] | None = None, *, ordered: bool = False) -> SqlFrame:  # fmt: skip
        """A further common table expression."""
        name = f"{type(rel).__name__.lower()}{len(self._parts) + 1}"
        self._parts.append((name, query))
        return SqlFrame(name, forms or {}, ordered)

    def keep(self, frame: SqlFrame) -> None:
        """Have the rows of a frame computed once, however often they are read."""
        self._kept.add(frame.table)

    def register(self, lazy: pl.LazyFrame, columns: Sequence[str]) -> exp.Table:
        """These columns of a frame as a table that the query can name; they have their names in SQL."""
        name = f"rows{len(self.frames) + 1}"
        self.frames[name] = lazy.select(pl.col(c).alias(self.name(c)) for c in columns)
        return exp.to_table(name)

    def scan(self, node: Scan) -> TableScan:
        """The files of a stored table, the same that the first lowering reads."""
        found = self._scans.opened(node)
        self.files.update(found.files)
        return found

    @property
    def tables(self) -> dict[str, int]:
        """Stored tables that the plan reads, and how many files they have."""
        return self._scans.tables

    # ---- columns and values -----------------------------------------------------------------

    def name(self, column: str) -> str:
        """The name in SQL of a column: its own, unless that is taken by one that differs only in case."""
        known = self._names.get(column)
        if known is None:
            known, number = column, 1
            while known.lower() in self._taken:
                number += 1
                known = f"{column}__{number}"
            self._taken.add(known.lower())
            self._names[column] = known
        return known

    def fresh(self, stem: str) -> str:
        """A name that no column has."""
        number = 1
        while f"{stem}{number}" in self._taken:
            number += 1
        self._taken.add(f"{stem}{number}")
        return f"{stem}{number}"

    def column(self, name: str, table: str | None = None) -> exp.Column:
        return exp.column(self.name(name), table=table, quoted=True)

    def named(self, tree: exp.Expr, name: str) -> exp.Expr:
        """The tree under the name of a column."""
        wanted = self.name(name)
        if isinstance(tree, exp.Column) and tree.name == wanted:
            return tree
        return exp.alias_(tree, wanted, quoted=True, copy=False)

    def select(self, source: SqlFrame, trees: Iterable[tuple[exp.Expr, str]], *, ordered: bool | None = None) -> exp.Select:  # fmt: skip
        """SELECT the named trees (and the order of rows, where there is one) FROM a relation."""
        kept = [self.named(tree, name) for tree, name in trees]
        if source.ordered if ordered is None else ordered:
            kept.append(self.column(ORDER))
        return exp.select(*(kept or [exp.alias_(exp.Literal.number(0), "__row", quoted=True)])).from_(source.table)  # fmt: skip

    def value(self, expr: Expr, frame: SqlFrame) -> SqlValue:
        """Lower an expression over `frame`, in whatever form it comes."""
        return expressions.value(expr, frame, self)

    def canonical(self, expr: Expr, frame: SqlFrame) -> exp.Expr:
        """Lower an expression over `frame` in the canonical form of its type."""
        return _sql_cast.canonical(self.value(expr, frame))

    def let(self, value: SqlValue, frame: SqlFrame) -> SqlValue:
        """The value, by a column's name where it is large: what uses it may write it many times.

        `settled` makes those columns.
        """
        if sum(1 for _ in islice(value.expr.walk(), _LARGE)) < _LARGE:
            return value
        name = self.fresh("__let")
        self._lets.setdefault(frame.table, []).append((name, value.expr))
        return replace(value, expr=exp.column(name, quoted=True))

    def settled(self, source: SqlFrame, rel: Rel) -> SqlFrame:
        """`source` with the columns that `let` named; called before anything is selected from it."""
        batch: dict[str, exp.Expr] = {}
        for name, tree in self._lets.pop(source.table, []):
            if any(c.name in batch for c in tree.find_all(exp.Column)):
                source, batch = self._with(source, batch, rel), {}
            batch[name] = tree
        return self._with(source, batch, rel) if batch else source

    def _with(self, source: SqlFrame, columns: Mapping[str, exp.Expr], rel: Rel) -> SqlFrame:
        trees = {n: held(t) for n, t in columns.items()}
        source = lifted(source, list(trees.values()), self, rel, all_of_them=False)
        named = (exp.alias_(t.this, n, quoted=True) for n, t in trees.items())
        return self.add(
            rel, exp.select("*", *named).from_(source.table), source.forms, ordered=source.ordered
        )

    # ---- the whole --------------------------------------------------------------------------

    def query(self, rel: Rel) -> exp.Query:
        """The plan as one query; its columns in canonical form, its rows in their order."""
        frame = self.frame(rel)
        trees = [
            (_sql_cast.canonical(SqlValue(self.column(c.name), c.type, frame.forms.get(c.name, Form.CANONICAL))), c.name)
            for c in rel.schema
        ]  # fmt: skip
        final = self.select(frame, trees, ordered=False)
        if frame.ordered:
            final = final.order_by(exp.Ordered(this=self.column(ORDER), nulls_first=False), copy=False)
        for name, query in self._parts:
            once = True if name in self._kept and self.engine.keeps else None
            final = final.with_(name, as_=query, materialized=once, copy=False)
        return final


def held(tree: exp.Expr) -> exp.Paren:
    """The tree in a frame, so that the whole of it can be replaced."""
    return exp.Paren(this=tree)


def apart(
    source: SqlFrame, trees: Sequence[exp.Expr], context: SqlContext, rel: Rel, *, all_of_them: bool
) -> SqlFrame:
    """`source` with the columns that the trees name or need before they can stand in a SELECT."""
    return lifted(context.settled(source, rel), trees, context, rel, all_of_them=all_of_them)


def lifted(
    source: SqlFrame, trees: Sequence[exp.Expr], context: SqlContext, rel: Rel, *, all_of_them: bool
) -> SqlFrame:
    """`source` with columns for those windows in the trees that stand inside of another, or for all of them.

    The trees then name the columns. A window may stand in what SELECT lists and nowhere else.
    """
    while True:
        inner = [w for tree in trees for w in tree.find_all(exp.Window) if _to_lift(w, all_of_them)]
        if not inner:
            return source
        query = exp.select("*").from_(source.table)
        for window in inner:
            name = context.fresh("__window")
            query = query.select(exp.alias_(window.copy(), name, quoted=True), copy=False)
            window.replace(exp.column(name, quoted=True))
        made = context.add(rel, query, source.forms, ordered=source.ordered)
        source = made


def _to_lift(window: exp.Window, all_of_them: bool) -> bool:
    innermost = not any(w is not window for w in window.find_all(exp.Window))
    return innermost and (all_of_them or window.find_ancestor(exp.Window) is not None)


def in_row_order(tree: exp.Expr, frame: SqlFrame, context: SqlContext) -> exp.Expr:
    """An aggregate whose parts that follow the order of rows say so."""
    if not frame.ordered:
        return tree

    def ordered(node: exp.Expr) -> exp.Expr:
        if node.meta.pop(SORTED, None):
            assert isinstance(node, exp.Func)
            node = _ordered_call(node, context)
        return node

    return tree.transform(ordered, copy=False)


def _ordered_call(call: exp.Func, context: SqlContext) -> exp.Expr:
    by = exp.Ordered(this=context.column(ORDER), nulls_first=False)
    listed: Sequence[exp.Expr] = call.expressions if isinstance(call, exp.Anonymous) else [call.this]
    last = listed[-1]
    if isinstance(last, exp.Order):
        last.append("expressions", by)
    else:
        last.replace(exp.Order(this=last.copy(), expressions=[by]))
    return call


def refuse(rel: Rel, context: SqlContext) -> Any:
    """The error for a relation that SQL can't say."""
    what, reason = relation_reason(type(rel).__name__)
    raise diagnostics.not_in_sql(what, context.engine.name, reason, _span(rel))


def _span(rel: Rel) -> Span | None:
    span = getattr(rel, "span", None)
    return span if isinstance(span, Span) and span.end else None
