"""One query on its way: bound, its borders run, rewritten, lowered, collected.

`run` makes a `Runner` a query; the binder calls back into it where columns or constants depend on data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import MAX_DATETIME_TICKS, MIN_DATETIME_TICKS, ScalarType
from workbench.base.errors import Span, WorkbenchError
from workbench.query import backends as _backends  # noqa: F401
from workbench.query.backends import join as _join  # noqa: F401
from workbench.query.backends import per_group as _per_group  # noqa: F401
from workbench.query.backends import series as _series  # noqa: F401
from workbench.query.backends import shared as _shared  # noqa: F401
from workbench.query.backends import summarize as _summarize  # noqa: F401
from workbench.query.backends import top_nested as _top_nested  # noqa: F401
from workbench.query.backends import top_rows as _top_rows  # noqa: F401
from workbench.query.backends import unnest as _unnest  # noqa: F401
from workbench.query.backends import unpack as _unpack  # noqa: F401
from workbench.query.backends.parts import Tally, in_parts
from workbench.query.backends.polars import Context, canonical_columns, shredded_in
from workbench.query.binder import Bound, Hooks, bind
from workbench.query.control import Control
from workbench.query.frames import Tables, surroundings_of
from workbench.query.functions.forms import loads
from workbench.query.functions.purity import impure, looks_around
from workbench.query.limits import for_query, statements_of
from workbench.query.lowering import Frame
from workbench.query.outside import table_of, value_of
from workbench.query.parser import parse
from workbench.query.plan import Call, Const, Expr, Limit, Range, Rel, Values, columns_of, walk
from workbench.query.rewrite import rewrite
from workbench.query.rewrite.shared import materialized, with_rows
from workbench.query.rewrite.shredded import use_shredded
from workbench.query.sources import Sources
from workbench.query.stored import StoredFunctions
from workbench.query.timerange import TimeRange, scopes_of, within, without_bounds_from

T = ScalarType


class Runner:
    """One query on its way."""

    def __init__(self, source: Tables, scope: Callable[[str], Any] | None, parameters: Mapping[str, Any] | None, control: Control | None = None, options: Mapping[str, Any] | None = None, arrived_from: int | None = None) -> None:  # fmt: skip
        self.source = source
        self.options = options or {}
        self.control = control or Control()
        self.scope = scope
        self.tables: dict[str, Values] = {}
        self.parameters: dict[str, Const] = {}
        for name, value in (parameters or {}).items():
            found = value_of(value)
            if found is None:
                self.tables[name] = table_of(value)
            else:
                self.parameters[name] = found
        self.files_of: dict[str, int] = {}
        self.files: set[str] = set()
        self.warnings: list[str] = []
        self.ranges: list[tuple[str, TimeRange]] = []
        self.arrived_from = arrived_from
        self.kept: dict[int, Values] = {}
        self.sources: Sources | None = None
        self.partial = ""

    def bind(self, text: str, time_range: tuple[int | None, int | None] | None, sql: bool = False, dialect: str | None = None) -> Bound:  # fmt: skip
        self.ranges = [] if time_range is None else [("TimeGenerated", time_range)]
        around = surroundings_of(self.source)
        self.sources = Sources(text)
        stored = StoredFunctions(around, self.sources)
        hooks = Hooks(self.evaluate, self.fold, self.outside, stored, around, self.sources, self.warn)
        if sql or dialect is not None:
            from workbench.query.sql.binding import bind as bind_sql

            bound = bind_sql(text, dialect, self.source, hooks, self.parameters)
        else:
            query = parse(text)
            if self.options:
                query = replace(query, statements=(*statements_of(self.options), *query.statements))
            self.control.limits = for_query(self.control.limits, query.statements)
            self.ranges += scopes_of(query.statements)
            bound = bind(query, text, self.source, hooks, self.parameters)
        if self.ranges or self.arrived_from is not None:
            bound = Bound(self._within(bound.rel), bound.render, bound.names)
        return bound

    def _within(self, rel: Rel) -> Rel:
        """Every scan cut to the time ranges that hold for the whole query, and not to those that the source has cut."""
        if self.arrived_from is not None:
            rel = without_bounds_from(rel, self.arrived_from, self.fold)
        for column, time_range in self.ranges:
            rel = within(rel, time_range, column)
        return rel

    def located(self, error: WorkbenchError, text: str) -> WorkbenchError:
        """An error told which text its span points into: the query's, or that of a stored function."""
        return (self.sources or Sources(text)).located(error)

    def warn(self, sentence: str) -> None:
        """Tell the user a whole sentence beside the rows, once."""
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def outside(self, name: str) -> Const | Values | None:
        if name in self.tables:
            return self.tables[name]
        if self.scope is None:
            return None
        try:
            value = self.scope(name)
        except KeyError:
            return None
        if value is None:
            return None
        known = value_of(value)
        if known is not None:
            return known
        self.tables[name] = table_of(value)
        return self.tables[name]

    def fold(self, expr: Expr) -> Expr:
        """A constant where `expr` reads no column."""
        if columns_of(expr) or impure(expr) or looks_around(expr):
            return expr
        known = _shifted(expr)
        if known is not None:
            return known
        context = Context(self.source, collect)
        one = pl.DataFrame({"__row": [0]}).lazy()
        made = context.canonical(expr, Frame(one, {})).alias("value")
        value = collect(one.select(made))["value"][0]
        if expr.type is T.DYNAMIC:
            value = loads(value)
        elif expr.type is T.DECIMAL and value is not None:
            value = str(value)
        return Const(expr.type, value, getattr(expr, "span", None) or Span(0, 0))

    def evaluate(self, rel: Rel) -> pl.DataFrame:
        """The rows of a plan that something at binding needs, within the time of the query."""
        rel = self._within(rel)
        for shared in materialized(rel):
            # The query itself will read them again.
            if shared.number not in self.kept:
                rows = self.run(shared.source)[0].select(shared.names())
                self.kept[shared.number] = Values(shared.schema, (), rows, shared.serialized)
        return self.run(rel)[0]

    def run(self, rel: Rel, limit: int | None = None) -> tuple[pl.DataFrame, Rel]:
        """The rows of a plan, at most `limit`; only those of a whole query (it has a limit) may be partial."""
        self.control.check()
        rel = with_rows(rel, self.kept) if self.kept else rel
        rel = rewrite(use_shredded(rel, shredded_in(self.source)), self.fold)
        if limit is not None:
            rel = Limit(rel.schema, rel, limit)
        context = Context(self.source, collect)
        tally = Tally(keep=limit is not None and self.control.keep_partial)
        try:
            rel = in_parts(rel, context, self.control, tally)
            try:
                found = _finished(rel, context, tally)
            except KeyboardInterrupt:
                if tally.stopped is None:
                    raise
                # One more interrupt after the stop that the parts have seen: what is left is short.
                found = _finished(rel, context, tally)
        except KeyboardInterrupt:
            self.control.check()
            raise
        if tally.stopped is not None:
            self.partial = f"partial: {tally.done:,} of {tally.total:,} files, {tally.stopped.message}"
        self.files_of.update(context.tables)
        self.files |= context.files
        self.warnings += [w for w in context.warnings if w not in self.warnings]
        return found, rel

    def run_on(self, engine: str, rel: Rel, limit: int) -> tuple[pl.DataFrame, Rel]:
        """The same by another engine (`ENGINES`); what no engine but Polars computes, Polars does."""
        if engine == "polars":
            return self.run(rel, limit)
        from workbench.query.backends.sql import duckdb

        duckdb.check(engine)
        rel = rewrite(rel, self.fold)
        rel = Limit(rel.schema, rel, limit)
        found, context = duckdb.run(rel, self.source, self.control, self.evaluate)
        self.files_of.update(context.tables)
        self.files |= context.files
        return found, rel

    def sql(self, engine: str, rel: Rel) -> str:
        """The SQL text of a plan for an engine; nothing runs."""
        from workbench.query.backends.sql import duckdb

        return duckdb.lowered(rewrite(rel, self.fold), self.source, duckdb.engine(engine))[0]


def _finished(rel: Rel, context: Context, tally: Tally) -> pl.DataFrame:
    """The rows of what the parts left of a plan."""
    lazy = canonical_columns(context.frame(rel), rel)
    stored = context.scanned or tally.held > _LARGE or _large(rel)
    return collect(lazy.select(rel.names()) if rel.schema else lazy, stored=stored)


def _shifted(expr: Expr) -> Const | None:
    """`ago(1d)` and its kin, which nearly every query has, without asking the engine."""
    if not (isinstance(expr, Call) and expr.function in ("+", "-") and len(expr.args) == 2):
        return None
    a, b = expr.args
    if not (isinstance(a, Const) and isinstance(b, Const) and expr.type is a.type is T.DATETIME and b.type is T.TIMESPAN):  # fmt: skip
        return None
    if a.value is None or b.value is None:
        return None
    ticks = a.value + b.value if expr.function == "+" else a.value - b.value
    inside = MIN_DATETIME_TICKS <= ticks <= MAX_DATETIME_TICKS
    return Const(T.DATETIME, ticks, expr.span) if inside else None


_LARGE = 100_000


def _large(rel: Rel) -> bool:
    """Whether rows made by the query itself are so many that only the streaming engine, which an
    interrupt stops, should run it."""
    for node in walk(rel):
        if isinstance(node, Range):
            start, stop, step = node.start.value, node.stop.value, node.step.value
            if None not in (start, stop, step) and step and (stop - start) / step > _LARGE:
                return True
        if isinstance(node, Values) and max(len(node.rows), getattr(node.frame, "height", 0)) > _LARGE:
            return True
    return False


def collect(lazy: pl.LazyFrame, stored: bool = False) -> pl.DataFrame:
    """Run a lazy frame: the streaming engine for stored tables, the in-memory one for small frames."""
    try:
        return lazy.collect(engine="streaming" if stored else "in-memory")
    except pl.exceptions.PolarsError as error:
        inner = _cause(error)
        if inner is not None:
            raise inner from None
        raise diagnostics.run_failed(str(error).split("\n")[0]) from error


def _cause(error: BaseException) -> WorkbenchError | None:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, WorkbenchError):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None
