"""The plan as a Polars lazy frame: one registered function a core node.

Rows keep their order only where the plan says that it matters (`Rel.serialized`): Polars' streaming
engine keeps none by itself, so sorts and order-keeping options are stated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar, cast

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.base.terms import Terms
from workbench.query.functions import FUNCTIONS
from workbench.query.functions._shredded import from_place
from workbench.query.functions.apply import apply_scalar
from workbench.query.functions.forms import POLARS_TYPES, canonical, converted, dumps, literal
from workbench.query.lowering import Form, Frame, PolarsContext, Value, to_polars
from workbench.query.plan import (
    Call,
    Col,
    Const,
    Distinct,
    Expr,
    Filter,
    Limit,
    PathColumn,
    Project,
    Range,
    Rel,
    Scan,
    Serialize,
    Sort,
    Union,
    Values,
    columns_of,
)
from workbench.query.rewrite.shredded import IsShredded


class TableScan(Protocol):
    """What a source gives for a table: see `repository.tables.TableScan`."""

    @property
    def lazy(self) -> pl.LazyFrame: ...
    @property
    def files_total(self) -> int: ...
    @property
    def files(self) -> list[str]: ...


class Source(Protocol):
    """Where stored tables come from."""

    def scan(self, table: str, columns: Sequence[str] | None, time_range: tuple[int | None, int | None]) -> TableScan: ...  # fmt: skip


Tables = TypeVar("Tables", bound=Source)


def holding(source: Tables, terms: Terms | None) -> Tables:
    """The source without the files that can't hold what `terms` asks for, if it knows that of its files.

    Such a source has a method `holding(terms)` that gives one of its kind (see `rewrite.terms`).
    """
    cut: Callable[[Terms], Tables] | None = getattr(source, "holding", None)
    return source if terms is None or cut is None else cut(terms)


class Shredded(Protocol):
    """A source whose data files hold paths of dynamic columns as columns: see `rewrite.shredded`."""

    def is_shredded(self, table: str, column: str, keys: tuple[str, ...]) -> bool: ...
    def scan_paths(self, table: str, columns: Sequence[str], time_range: tuple[int | None, int | None], paths: Sequence[PathColumn], build: BuildPath) -> TableScan: ...  # fmt: skip


BuildPath = Callable[[PathColumn, pl.Expr, str], pl.Expr]
"""Makes the values of a path from a column of a data file and the kind of that column."""


def shredded_in(source: object) -> IsShredded | None:
    """Whether a path is a column in some data file; None for a source that has none."""
    found: IsShredded | None = getattr(source, "is_shredded", None)
    return found


class Context:
    """Lowers one plan; remembers what it read and what it lowered (a subplan used twice, once)."""

    def __init__(self, source: Source, collect: Callable[[pl.LazyFrame, bool], pl.DataFrame]) -> None:
        self._source = source
        self._collect = collect
        self._done: dict[int, tuple[Rel, Frame]] = {}
        self._opened: dict[int, tuple[Scan, TableScan]] = {}
        self._given: Mapping[int, pl.LazyFrame] = {}
        self._several: list[tuple[Frame, Call, Value]] = []
        self.tables: dict[str, int] = {}
        self.files: set[str] = set()
        self.scanned = False
        self.warnings: list[str] = []

    def frame(self, rel: Rel) -> Frame:
        known = self._done.get(id(rel))
        if known is None:
            known = (rel, to_polars(rel, self))
            self._done[id(rel)] = known
        return known[1]

    def value(self, expr: Expr, frame: Frame) -> Value:
        if isinstance(expr, Const):
            return Value(literal(expr.value, expr.type), expr.type)
        if isinstance(expr, Col):
            return Value(pl.col(expr.name), expr.type, frame.forms.get(expr.name, Form.CANONICAL))
        assert isinstance(expr, Call)
        if expr.function == "convert":
            return converted(self.value(expr.args[0], frame), expr.type)
        card = FUNCTIONS.get(expr.function)
        assert card is not None  # the binder found it
        several = hasattr(card.implementation, "columns")
        if several:
            # Each of its columns asks for the whole: Polars computes it once if it is the same expression.
            for over, call, known in self._several:
                if over is frame and call == expr:
                    return known
        values = [self.value(a, frame) for a in expr.args]
        types = expr.types or (None,) * len(values)
        signature = card.signature(len(values))
        made = apply_scalar(card, expr.args, values, types, expr.type, signature)
        if several:
            self._several.append((frame, expr, made))
        return made

    def canonical(self, expr: Expr, frame: Frame) -> pl.Expr:
        return canonical(self.value(expr, frame))

    def canonical_frame(self, rel: Rel) -> pl.LazyFrame:
        return canonical_columns(self.frame(rel), rel)

    def collect(self, lazy: pl.LazyFrame, stored: bool = False) -> pl.DataFrame:
        return self._collect(lazy, stored or self.scanned)

    def warn(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def opened(self, node: Scan) -> TableScan:
        """The files of a scan; asked again, the same ones."""
        known = self._opened.get(id(node))
        if known is None:
            known = (node, self._open(node))
            self._opened[id(node)] = known
            self.tables[node.table] = known[1].files_total
        return known[1]

    @property
    def scans(self) -> list[tuple[Scan, TableScan]]:
        """The scans that were opened, and what the source gave for each."""
        return list(self._opened.values())

    @property
    def dropped(self) -> tuple[int, int]:
        """How many files the scans left out by time, and how many others by the term index."""
        scans = [scan for _, scan in self._opened.values()]
        names = ("dropped_by_time", "dropped_by_terms")
        by_time, by_terms = (sum(getattr(s, name, 0) for s in scans) for name in names)
        return by_time, by_terms

    def _open(self, node: Scan) -> TableScan:
        paths = [p for p in node.paths if node.column(p.name) is not None]
        source = holding(self._source, node.terms)
        if not paths:
            return source.scan(node.table, node.names(), node.time_range)
        made = {p.name for p in paths}
        columns = [n for n in node.names() if n not in made]
        shredded = cast(Shredded, source)  # it said so before a scan got paths
        return shredded.scan_paths(node.table, columns, node.time_range, paths, _built)

    def part(self, given: Mapping[int, pl.LazyFrame]) -> Context:
        """A context of its own for a part of the rows: a scan's node (by its `id`) reads what is given for it."""
        part = Context(self._source, self._collect)
        part._given, part._opened, part.warnings = given, self._opened, self.warnings
        return part

    def scan(self, node: Scan) -> pl.LazyFrame:
        if id(node) in self._given:
            return self._given[id(node)]
        found = self.opened(node)
        self.files.update(found.files)
        self.scanned = True
        return found.lazy


def canonical_columns(frame: Frame, rel: Rel) -> pl.LazyFrame:
    """The frame with every column in the canonical form of its type."""
    changes = [
        canonical(Value(pl.col(c.name), c.type, frame.forms[c.name])).alias(c.name)
        for c in rel.schema
        if frame.forms.get(c.name, Form.CANONICAL) is not Form.CANONICAL
    ]
    return frame.lazy.with_columns(changes) if changes else frame.lazy


def _plain(lazy: pl.LazyFrame) -> Frame:
    return Frame(lazy, {})


def _built(path: PathColumn, column: pl.Expr, kind: str) -> pl.Expr:
    return from_place(column, kind, path.keys, path.type)


@to_polars.register
def _scan(rel: Scan, context: Context) -> Frame:
    forms: dict[str, Form] = {}
    casts = []
    made = {p.name for p in rel.paths}
    for c in rel.schema:
        if c.name in made:
            if c.type is ScalarType.STRING:
                forms[c.name] = Form.NULLABLE
        elif c.type.is_time:
            forms[c.name] = Form.MICROSECONDS
        elif c.type is ScalarType.STRING:
            forms[c.name] = Form.NULLABLE
        elif c.type is ScalarType.DECIMAL:
            casts.append(pl.col(c.name).cast(POLARS_TYPES[c.type], strict=False))
    lazy = context.scan(rel)
    if made:
        lazy = lazy.select(rel.names())
    return Frame(lazy.with_columns(casts) if casts else lazy, forms)


@to_polars.register
def _values(rel: Values, context: PolarsContext) -> Frame:
    if rel.frame is not None:
        return _plain(rel.frame.lazy())
    columns = {}
    for i, c in enumerate(rel.schema):
        cells: list[Any] = [row[i] for row in rel.rows]
        if c.type is ScalarType.DYNAMIC:
            cells = [dumps(v) for v in cells]
        elif c.type is ScalarType.STRING:
            cells = ["" if v is None else v for v in cells]
        elif c.type is ScalarType.DECIMAL:
            from decimal import Decimal

            cells = [None if v is None else Decimal(str(v)) for v in cells]
        columns[c.name] = pl.Series(c.name, cells, POLARS_TYPES[c.type], strict=False)
    if not columns:
        # One row without columns cannot be held: a hidden column stands in for it.
        return _plain(pl.DataFrame({"__row": [0] * len(rel.rows)}).lazy())
    return _plain(pl.DataFrame(columns).lazy())


@to_polars.register
def _range(rel: Range, context: PolarsContext) -> Frame:
    column = rel.schema[0]
    dtype = POLARS_TYPES[column.type]
    start, stop, step = rel.start.value, rel.stop.value, rel.step.value
    if None in (start, stop, step) or step == 0:
        return _plain(pl.DataFrame({column.name: pl.Series([], dtype=dtype)}).lazy())
    count = max(0, int((stop - start) // step) + 1)
    cells = pl.int_range(0, count, dtype=pl.Int64, eager=True)
    series = (cells * step + start).cast(dtype).alias(column.name)
    return _plain(series.to_frame().lazy())


def predicate(expr: Expr, frame: Frame, context: PolarsContext) -> pl.Expr:
    """A condition for a filter, where null may stand for false: what the Parquet reader can use."""
    if isinstance(expr, Call):
        if expr.function == "and":
            return predicate(expr.args[0], frame, context) & predicate(expr.args[1], frame, context)
        if expr.function == "or":
            return predicate(expr.args[0], frame, context) | predicate(expr.args[1], frame, context)
        card = FUNCTIONS.get(expr.function)
        in_filter = getattr(card.implementation, "in_filter", None) if card else None
        if in_filter is not None:
            values = [context.value(a, frame) for a in expr.args]
            types = expr.types or (None,) * len(values)
            ready = [v if t is None else converted(v, t) for v, t in zip(values, types, strict=True)]
            found: pl.Expr | None = in_filter(ready, expr.args)
            if found is not None:
                return found
    return context.canonical(expr, frame)


@to_polars.register
def _filter(rel: Filter, context: PolarsContext) -> Frame:
    source = context.frame(rel.source)
    return Frame(source.lazy.filter(predicate(rel.condition, source, context)), source.forms)


@to_polars.register
def _project(rel: Project, context: PolarsContext) -> Frame:
    source = context.frame(rel.source)
    forms: dict[str, Form] = {}
    made: list[pl.Expr] = []
    kept = 0
    needs_rows = True
    for name, expr in rel.columns:
        if isinstance(expr, Col) and expr.name == name:
            kept += 1
            if name in source.forms:
                forms[name] = source.forms[name]
            continue
        value = context.value(expr, source)
        if value.form is not Form.CANONICAL:
            forms[name] = value.form
        if not isinstance(expr, Const) and value.expr.meta.root_names():
            needs_rows = False  # `x in ()` reads a column in the plan, and is a literal here
        made.append(value.expr.alias(name))
    names = [n for n, _ in rel.columns]
    if not names:
        return Frame(source.lazy.select(pl.lit(0).alias("__row")), {})
    if kept == 0:
        if needs_rows or not all(columns_of(e) for _, e in rel.columns):
            # A select of constants alone gives one row, not as many as the source has.
            return Frame(source.lazy.with_columns(made).select(names), forms)
        return Frame(source.lazy.select(made), forms)
    lazy = source.lazy.with_columns(made) if made else source.lazy
    return Frame(lazy.select(names), forms)


@to_polars.register
def _distinct(rel: Distinct, context: PolarsContext) -> Frame:
    source = context.frame(rel.source)
    lazy = source.lazy
    ambiguous = {n for n, f in source.forms.items() if f in (Form.NULLABLE, Form.RAW)}
    changes = [
        canonical(Value(pl.col(c.name), c.type, source.forms[c.name])).alias(c.name)
        for c in rel.schema
        if c.name in ambiguous
    ]
    if changes:
        lazy = lazy.with_columns(changes)
    forms = {n: f for n, f in source.forms.items() if n not in ambiguous}
    return Frame(lazy.unique(maintain_order=rel.source.serialized), forms)


@to_polars.register
def _sort(rel: Sort, context: PolarsContext) -> Frame:
    source = context.frame(rel.source)
    by, descending, nulls_last = [], [], []
    for key in rel.keys:
        value = context.value(key.value, source)
        expr = canonical(value) if value.form is Form.NULLABLE else value.expr
        absent = expr.is_null()
        if value.type is ScalarType.REAL:
            # NaN sorts beside null, on the side of the numbers; Polars would put it above every number.
            expr = expr.fill_nan(None)
        by.append(expr)
        descending.append(key.descending)
        nulls_last.append(not key.nulls_first)
        if value.type is ScalarType.REAL:
            by.append(absent)
            descending.append(key.nulls_first)
            nulls_last.append(False)
    lazy = source.lazy.sort(by, descending=descending, nulls_last=nulls_last, maintain_order=True)
    return Frame(lazy, source.forms)


@to_polars.register
def _limit(rel: Limit, context: PolarsContext) -> Frame:
    source = context.frame(rel.source)
    return Frame(source.lazy.head(max(0, rel.count)), source.forms)


@to_polars.register
def _serialize(rel: Serialize, context: PolarsContext) -> Frame:
    return context.frame(rel.source)


@to_polars.register
def _union(rel: Union, context: PolarsContext) -> Frame:
    # What a part lacks is not spelled out: a search over a hundred tables has thousands of columns.
    parts = [_unpadded(p) for p in rel.parts]
    lacking = set(rel.names()).difference(*(p.names() for p in parts))
    if lacking:
        parts[0] = rel.parts[0]
    frames = [context.frame(p) for p in parts]
    found: dict[str, set[Form]] = {n: set() for n in rel.names()}
    for frame, part in zip(frames, parts, strict=True):
        for name in part.names():
            found[name].add(frame.forms.get(name, Form.CANONICAL))
    forms = {n: next(iter(f)) for n, f in found.items() if len(f) == 1 and f != {Form.CANONICAL}}
    for c in rel.schema:
        padded = any(p.column(c.name) is None for p in parts) if len(parts) < _FEW_PARTS else True
        if c.type is ScalarType.STRING and padded:
            forms[c.name] = Form.NULLABLE  # null stands for "" where a part lacks it
    ready = []
    for frame, part in zip(frames, parts, strict=True):
        changes = [
            canonical(Value(pl.col(c.name), c.type, held)).alias(c.name)
            for c in part.schema
            if (held := frame.forms.get(c.name, Form.CANONICAL)) is not Form.CANONICAL
            and held is not forms.get(c.name, Form.CANONICAL)
        ]
        lazy = frame.lazy.with_columns(changes) if changes else frame.lazy
        ready.append(lazy.select(part.names()))
    return Frame(pl.concat(ready, how="diagonal").select(rel.names()), forms)


_FEW_PARTS = 20


def _unpadded(rel: Rel) -> Rel:
    """A part of a union without the columns that only fill up: null, or "" for a string."""
    if not isinstance(rel, Project):
        return rel
    kept = tuple((n, e) for n, e in rel.columns if not (isinstance(e, Const) and e.value in (None, "")))
    if len(kept) == len(rel.columns) or not any(columns_of(e) for _, e in kept):
        return rel
    names = {n for n, _ in kept}
    return replace(rel, schema=tuple(c for c in rel.schema if c.name in names), columns=kept)
