"""Text → Result: the one place where parser, binder, rewrite and backend meet."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType, Schema
from workbench.base.errors import Span, WorkbenchError
from workbench.query.backends.polars import Context, canonical_columns
from workbench.query.control import Control
from workbench.query.frames import FrameTables, Tables, empty_scan
from workbench.query.plan import Col, Project, Rel
from workbench.query.result import Render, Result, Statistics
from workbench.query.rewrite import rewrite
from workbench.query.runner import Runner, collect
from workbench.query.timerange import parse_timerange

T = ScalarType
# Parser, binder and lowering recurse along the query; 6,000 frames hold chains of hundreds of lets.
_RECURSION = 6_000
ROW_CAP = 500_000  # rows a result keeps by default; `truncated` says when it cut


def run(
    text: str,
    source: Tables,
    *,
    parameters: Mapping[str, Any] | None = None,
    timespan: str | None = None,
    limit: int | None = None,
    scope: Callable[[str], Any] | None = None,
    control: Control | None = None,
) -> Result:
    """Answer a KQL text.

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
        Most rows to keep, `ROW_CAP` by default; `Result.truncated` says when it cut.
    scope : callable, optional
        Looks up a name that is nothing else (a notebook variable); KeyError where there is none.
    control : Control, optional
        Limits, a listener for progress, and a way to stop the query from another thread.

    Raises
    ------
    WorkbenchError
        KQLnnn, with the place in `text`.
    """
    began = time.perf_counter()
    if sys.getrecursionlimit() < _RECURSION:
        sys.setrecursionlimit(_RECURSION)
    runner = Runner(source, scope, parameters, control)
    try:
        bound = runner.bind(text, parse_timerange(timespan) if timespan else None)
        cap = ROW_CAP if limit is None else limit
        exact, rel = runner.run(_visible(bound.rel), cap + 1)
    except WorkbenchError as error:
        raise error.within(text) from None
    except RecursionError:
        raise diagnostics.too_deep(Span(0, min(1, len(text)))).within(text) from None
    truncated = exact.height > cap
    if truncated:
        exact = exact.head(cap)
    schema = rel.schema
    exact = exact.select(rel.names())  # a relation without columns is held by a stand-in
    names = tuple((n.name, n.type.value if n.type else "table") for n in bound.names)
    seconds, files = time.perf_counter() - began, sum(runner.files_of.values())
    statistics = Statistics(seconds, files, len(runner.files), names, tuple(runner.warnings))
    render = Render(*bound.render) if bound.render else None
    return Result(
        _presented(exact, schema), schema, query=text, truncated=truncated, render=render,
        statistics=statistics, exact=exact,
    )  # fmt: skip


def _visible(rel: Rel) -> Rel:
    """Without hidden columns, so that nothing reads them for the result."""
    kept = tuple(c for c in rel.schema if not c.hidden)
    if len(kept) == len(rel.schema):
        return rel
    return Project(kept, rel, tuple((c.name, Col(c.type, c.name)) for c in kept))


def _presented(exact: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    """Ticks as Datetime and Duration in µs."""
    changes = []
    for c in schema:
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


def explain(text: str, source: Tables, *, parameters: Mapping[str, Any] | None = None, timespan: str | None = None, scope: Callable[[str], Any] | None = None) -> str:  # fmt: skip
    """The plan, the rewritten plan, and what Polars makes of it, as text."""
    from workbench.query.explain import show

    runner = Runner(source, scope, parameters)
    try:
        bound = runner.bind(text, parse_timerange(timespan) if timespan else None)
        better = rewrite(bound.rel, runner.fold)
        context = Context(source, collect)
        lazy = canonical_columns(context.frame(better), better)
    except WorkbenchError as error:
        raise error.within(text) from None
    files = f"files: {len(context.files)} of {sum(context.tables.values())} read"
    return "\n".join(
        ["plan", show(bound.rel), "", "rewritten", show(better), "", files, "", "polars", lazy.explain()]
    )


__all__ = ["FrameTables", "Tables", "empty_scan", "explain", "parse_timerange", "run", "shape"]
