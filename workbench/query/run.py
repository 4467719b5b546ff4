"""Text → Result: the one place where parser, binder, rewrite and backend meet."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType, Schema
from workbench.base.errors import Span, WorkbenchError
from workbench.query.backends.polars import Context, canonical_columns, shredded_in
from workbench.query.control import Control
from workbench.query.frames import FrameTables, Tables, empty_scan
from workbench.query.operators._several import opened
from workbench.query.parser import parse
from workbench.query.plan import Col, Project, Rel
from workbench.query.result import Render, Result, Statistics
from workbench.query.rewrite import rewritten
from workbench.query.rewrite.shredded import use_shredded
from workbench.query.runner import Runner, collect
from workbench.query.timerange import parse_timerange

T = ScalarType
# Parser, binder and lowering recurse along the query; 6,000 frames hold chains of hundreds of lets.
_RECURSION = 6_000


def run(
    text: str,
    source: Tables,
    *,
    parameters: Mapping[str, Any] | None = None,
    timespan: str | None = None,
    limit: int | None = None,
    scope: Callable[[str], Any] | None = None,
    control: Control | None = None,
    on: str = "polars",
    sql: bool = False,
    dialect: str | None = None,
    options: Mapping[str, Any] | None = None,
    arrived_from: int | None = None,
) -> Result:
    """Answer a KQL text, or a SELECT of SQL.

    Parameters
    ----------
    text : str
        The query.
    source : Tables
        Where its tables lie.
    parameters : mapping, optional
        Names that stand for typed constants (str, int, float, bool, datetime, timedelta, list,
        dict) or tables (DataFrames). They are bound as values, never pasted as text.
    timespan : str, optional
        ISO 8601 duration (`P1D`), or `start/end`: the scan of every table with `TimeGenerated`
        is cut to it.
    limit : int, optional
        Most rows to keep, by default `Control.row_cap`; `Result.truncated` says when it cut.
    scope : callable, optional
        Looks up a name that is nothing else (a notebook variable); KeyError where there is none.
    control : Control, optional
        Limits, a listener for progress, and a way to stop the query from another thread.
    on : str
        The engine that runs the plan: `polars` or `duckdb` (by SQL; what SQL can't say is KQL306).
    sql : bool
        The text is SQL: one SELECT over the same tables (see `query.sql`).
    dialect : str, optional
        The dialect that it is written in (`postgres`, `tsql`, …; implies `sql`), else a permissive one.
    options : mapping, optional
        What `set` statements in front of the text would say (see `query.limits.statements_of`); the text's own hold
        before them.
    arrived_from : int, optional
        The source gives only records that came since then (µs since 1970), whenever they happened: lower bounds of
        `TimeGenerated` from then on give way (see `timerange.without_bounds_from`).

    Raises
    ------
    WorkbenchError
        KQLnnn, with the place in `text`.
    """
    began = time.perf_counter()
    if sys.getrecursionlimit() < _RECURSION:
        sys.setrecursionlimit(_RECURSION)
    control = control or Control()
    if limit is not None:
        control.limits = replace(control.limits, rows=limit)
    runner = Runner(source, scope, parameters, control, options, arrived_from)
    try:
        bound = runner.bind(text, parse_timerange(timespan) if timespan else None, sql, dialect)
        rows = runner.control.limits.rows
        cap = control.row_cap if rows is None else rows
        take = runner.control.limits.take
        most = cap + 1 if take is None else min(cap + 1, take)
        # Tables one after the other, so that the rows of one can't push another out of memory.
        answers = [
            (label, *runner.run_on(on, _visible(rel), most))
            for label, rel in opened(bound.rel, runner.evaluate)
        ]
    except WorkbenchError as error:
        raise runner.located(error, text) from None
    except RecursionError:
        raise diagnostics.too_deep(Span(0, min(1, len(text)))).within(text) from None
    names = tuple((n.name, n.type.value if n.type else "table") for n in bound.names)
    seconds, files = time.perf_counter() - began, sum(runner.files_of.values())
    statistics = Statistics(seconds, files, len(runner.files), names, tuple(runner.warnings))
    first, *others = (_Table(label, exact, rel, cap) for label, exact, rel in answers)
    render = Render(*bound.render) if bound.render else None
    beside = tuple(t.result(text, statistics) for t in others)
    return first.result(text, statistics, render, beside, runner.partial)


class _Table:
    """One table of the answer, cut at the cap."""

    def __init__(self, label: str | None, exact: pl.DataFrame, rel: Rel, cap: int) -> None:
        self.label, self.schema = label, rel.schema
        self.truncated = exact.height > cap
        # A relation without columns is held by a stand-in.
        self.exact = (exact.head(cap) if self.truncated else exact).select(rel.names())

    def result(self, text: str, statistics: Statistics, render: Render | None = None, others: tuple[Result, ...] = (), partial: str = "") -> Result:  # fmt: skip
        return Result(
            presented(self.exact, self.schema), self.schema, query=text, truncated=self.truncated,
            render=render, statistics=statistics, exact=self.exact, name=self.label, others=others,
            partial_note=partial,
        )  # fmt: skip


def _visible(rel: Rel) -> Rel:
    """Without hidden columns, so that nothing reads them for the result."""
    kept = tuple(c for c in rel.schema if not c.hidden)
    if len(kept) == len(rel.schema):
        return rel
    return Project(kept, rel, tuple((c.name, Col(c.type, c.name)) for c in kept))


def presented(exact: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Ticks of 100 ns as Datetime and Duration in µs, as `Result.frame` has them."""
    changes = []
    for c in schema:
        if exact.schema[c.name] != pl.Int64:
            continue
        if c.type is T.DATETIME:
            changes.append((pl.col(c.name) // 10).cast(pl.Datetime("us", "UTC")))
        elif c.type is T.TIMESPAN:
            changes.append((pl.col(c.name) // 10).cast(pl.Duration("us")))
    return exact.with_columns(changes) if changes else exact


def shape(frame: pl.DataFrame, schema: Schema, kql: str, *, tables: Tables | None = None) -> tuple[pl.DataFrame, Schema]:  # fmt: skip
    """Run `source | …` over a frame in stored form; rows keep their number and order only as KQL says."""
    source = FrameTables({"source": (frame, schema)}, tables)
    result = run(kql, source, limit=2**32 - 2)
    return result.frame, result.schema


def explain(text: str, source: Tables, *, parameters: Mapping[str, Any] | None = None, timespan: str | None = None, scope: Callable[[str], Any] | None = None, on: str = "polars", sql: bool = False, dialect: str | None = None) -> str:  # fmt: skip
    """Syntax, plan, rewritten plan, files and the Polars plan as text; of each table where there are several.

    `on` another engine (`duckdb`, `spark`): the SQL text for it.
    """
    from workbench.query.explain import titled, written
    from workbench.query.sql import tree as sql_tree

    runner = Runner(source, scope, parameters)
    try:
        bound = runner.bind(text, parse_timerange(timespan) if timespan else None, sql, dialect)
        if on != "polars":
            return ";\n\n".join(runner.sql(on, _visible(rel)) for _, rel in opened(bound.rel, None))
        asked = sql or dialect is not None
        syntax = titled(
            "syntax", sql_tree(text, dialect).split("\n") if asked else written(parse(text), text)
        )
        return "\n\n".join([syntax, *(_explained(rel, runner, source) for _, rel in opened(bound.rel, None))])
    except WorkbenchError as error:
        raise runner.located(error, text) from None


def _explained(rel: Rel, runner: Runner, source: Tables) -> str:
    from workbench.query.explain import sections

    better, fired = rewritten(use_shredded(rel, shredded_in(source)), runner.fold)
    context = Context(source, collect)
    lazy = canonical_columns(context.frame(better), better)
    return sections(rel, better, fired, context, lazy.explain())


__all__ = ["FrameTables", "Tables", "empty_scan", "explain", "parse_timerange", "presented", "run", "shape"]
