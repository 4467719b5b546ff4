"""Text → Result: the one place where parser, binder, rewrite and backend meet."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType, Schema, parse_datetime, parse_timespan
from workbench.base.errors import Span, WorkbenchError
from workbench.query import backends as _backends  # noqa: F401
from workbench.query.backends import join as _join  # noqa: F401
from workbench.query.backends import per_group as _per_group  # noqa: F401
from workbench.query.backends import series as _series  # noqa: F401
from workbench.query.backends import top_nested as _top_nested  # noqa: F401
from workbench.query.backends import top_rows as _top_rows  # noqa: F401
from workbench.query.backends import unnest as _unnest  # noqa: F401
from workbench.query.backends import unpack as _unpack  # noqa: F401
from workbench.query.backends.polars import Context, TableScan, canonical_columns
from workbench.query.binder import Bound, Hooks, bind
from workbench.query.functions.forms import POLARS_TYPES, loads
from workbench.query.outside import table_of, value_of
from workbench.query.parser import parse
from workbench.query.plan import (
    Call,
    Col,
    Const,
    Expr,
    Filter,
    Limit,
    Project,
    Range,
    Rel,
    Scan,
    Values,
    columns_of,
    map_inputs,
    walk,
)
from workbench.query.result import Render, Result, Statistics
from workbench.query.rewrite import rewrite

T = ScalarType
# Parser, binder and lowering recurse along the query; 6,000 frames hold chains of hundreds of lets.
_RECURSION = 6_000
ROW_CAP = 500_000  # rows a result keeps by default; `truncated` says when it cut


class Tables(Protocol):
    """The tables that a query reads: a repository, or anything like it."""

    def tables(self) -> list[str]: ...
    def schema(self, table: str) -> Schema | None: ...
    def scan(self, table: str, columns: Sequence[str] | None, time_range: tuple[int | None, int | None]) -> TableScan: ...  # fmt: skip


@dataclass(slots=True)
class EmptyScan:
    """A scan of a table that has a schema and no rows."""

    lazy: pl.LazyFrame
    files_total: int = 0
    files: list[str] = field(default_factory=list)


def empty_scan(schema: Schema, columns: Sequence[str] | None) -> EmptyScan:
    """What a source without files gives for a table."""
    wanted = [c for c in schema if columns is None or c.name in columns]
    return EmptyScan(pl.LazyFrame(schema={c.name: stored_type(c.type) for c in wanted}))


def stored_type(type_: ScalarType) -> pl.DataType:
    """The Polars type in which a table holds a KQL type."""
    if type_ is T.DATETIME:
        return pl.Datetime("us", "UTC")
    if type_ is T.TIMESPAN:
        return pl.Duration("us")
    return pl.String() if type_ is T.DECIMAL else POLARS_TYPES[type_]


class FrameTables:
    """Frames in memory as tables (stored form); `base` has what they lack."""

    def __init__(self, frames: Mapping[str, tuple[pl.DataFrame, Schema]], base: Tables | None = None) -> None:
        self._frames = frames
        self._base = base

    def tables(self) -> list[str]:
        return [*self._frames, *(self._base.tables() if self._base else [])]

    def schema(self, table: str) -> Schema | None:
        if table in self._frames:
            return self._frames[table][1]
        return self._base.schema(table) if self._base else None

    def scan(self, table: str, columns: Sequence[str] | None, time_range: tuple[int | None, int | None]) -> TableScan:  # fmt: skip
        if table in self._frames:
            frame = self._frames[table][0]
            return EmptyScan(frame.lazy().select(columns) if columns else frame.lazy())
        assert self._base is not None  # the binder asked for its schema
        return self._base.scan(table, columns, time_range)


class _Runner:
    """One query on its way."""

    def __init__(self, source: Tables, scope: Callable[[str], Any] | None, parameters: Mapping[str, Any] | None) -> None:  # fmt: skip
        self.source = source
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

    def bind(self, text: str, time_range: tuple[int | None, int | None] | None) -> Bound:
        hooks = Hooks(self.evaluate, self.fold, self.outside)
        bound = bind(parse(text), text, self.source, hooks, self.parameters)
        if time_range is not None:
            bound = Bound(_within(bound.rel, time_range), bound.render, bound.names)
        return bound

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
        if columns_of(expr) or _impure(expr):
            return expr
        context = Context(self.source, collect)
        one = pl.DataFrame({"__row": [0]}).lazy()
        from workbench.query.lowering import Frame

        made = context.canonical(expr, Frame(one, {})).alias("value")
        value = collect(one.select(made))["value"][0]
        if expr.type is T.DYNAMIC:
            value = loads(value)
        elif expr.type is T.DECIMAL and value is not None:
            value = str(value)
        return Const(expr.type, value, getattr(expr, "span", None) or Span(0, 0))

    def evaluate(self, rel: Rel) -> pl.DataFrame:
        return self.run(rel)[0]

    def run(self, rel: Rel, limit: int | None = None) -> tuple[pl.DataFrame, Rel]:
        rel = rewrite(rel, self.fold)
        if limit is not None:
            rel = Limit(rel.schema, rel, limit)
        context = Context(self.source, collect)
        frame = context.frame(rel)
        lazy = canonical_columns(frame, rel)
        found = collect(
            lazy.select(rel.names()) if rel.schema else lazy, stored=context.scanned or _large(rel)
        )
        self.files_of.update(context.tables)
        self.files |= context.files
        self.warnings += [w for w in context.warnings if w not in self.warnings]
        return found, rel


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


def _visible(rel: Rel) -> Rel:
    """Without hidden columns, so that nothing reads them for the result."""
    kept = tuple(c for c in rel.schema if not c.hidden)
    if len(kept) == len(rel.schema):
        return rel
    return Project(kept, rel, tuple((c.name, Col(c.type, c.name)) for c in kept))


_IMPURE = frozenset({"rand", "new_guid", "row_number"})


def _impure(expr: Expr) -> bool:
    if isinstance(expr, Call):
        return expr.function in _IMPURE or any(_impure(a) for a in expr.args)
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


def run(
    text: str,
    source: Tables,
    *,
    parameters: Mapping[str, Any] | None = None,
    timespan: str | None = None,
    limit: int | None = None,
    scope: Callable[[str], Any] | None = None,
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

    Raises
    ------
    WorkbenchError
        KQLnnn, with the place in `text`.
    """
    began = time.perf_counter()
    if sys.getrecursionlimit() < _RECURSION:
        sys.setrecursionlimit(_RECURSION)
    runner = _Runner(source, scope, parameters)
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

    runner = _Runner(source, scope, parameters)
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


# ---- time ranges ----------------------------------------------------------------------------


def parse_timerange(text: str) -> tuple[int | None, int | None]:
    """`P1D`, `PT1H`, `1d`, or `start/end` → µs since 1970, inclusive; None is open."""
    from workbench.base import clock

    if "/" in text:
        first, last = text.split("/", 1)
        start_span, end_span = duration(first), duration(last)
        start, end = parse_datetime(first), parse_datetime(last)
        if start is not None and end is None and end_span is not None:
            end = start + end_span
        if end is not None and start is None and start_span is not None:
            start = end - start_span
        if start is None or end is None:
            raise diagnostics.bad_argument("timespan", f"{text!r} is no time range, such as P1D or 2026-01-01/2026-01-02", Span(0, 0))  # fmt: skip
        return start // 10, end // 10
    span = duration(text)
    if span is None:
        raise diagnostics.bad_argument("timespan", f"{text!r} is no time range, such as P1D or 2026-01-01/2026-01-02", Span(0, 0))  # fmt: skip
    return (clock.now_ticks() - span) // 10, None


def duration(text: str) -> int | None:
    """An ISO 8601 duration or a KQL timespan in ticks."""
    import re

    m = re.fullmatch(r"P(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?", text)  # fmt: skip
    if m and any(m.groups()):
        scale = (604800, 86400, 3600, 60, 1)
        return round(sum(float(g) * s for g, s in zip(m.groups(), scale, strict=True) if g) * 10_000_000)
    return parse_timespan(text) if not text.isdigit() else None


def _within(rel: Rel, time_range: tuple[int | None, int | None]) -> Rel:
    """Every scan of a table with TimeGenerated cut to the range."""
    rel = map_inputs(rel, lambda r: _within(r, time_range))
    if not isinstance(rel, Scan) or rel.column("TimeGenerated") is None:
        return rel
    terms: list[Expr] = []
    for bound, operator in zip(time_range, (">=", "<="), strict=True):
        if bound is not None:
            args = (Col(T.DATETIME, "TimeGenerated"), Const(T.DATETIME, bound * 10))
            terms.append(Call(T.BOOL, operator, args, (None, None)))
    for term in terms:
        rel = Filter(rel.schema, rel, term)
    return rel


__all__ = ["FrameTables", "Tables", "empty_scan", "explain", "parse_timerange", "run", "shape"]
