"""The plan as a Polars lazy frame: one registered function a core node.

Rows keep their order only where the plan says that it matters (`Rel.serialized`): Polars' streaming
engine keeps none by itself, so sorts and order-keeping options are stated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.query.functions import AGGREGATES, FUNCTIONS
from workbench.query.functions.apply import apply_aggregate, apply_scalar
from workbench.query.functions.forms import POLARS_TYPES, canonical, converted, dumps, literal
from workbench.query.lowering import Form, Frame, PolarsContext, Value, to_polars
from workbench.query.plan import (
    Aggregate,
    Call,
    Col,
    Const,
    Distinct,
    Expr,
    Filter,
    Limit,
    Project,
    Range,
    Rel,
    Scan,
    Serialize,
    Sort,
    Summarize,
    Union,
    Values,
    columns_of,
)


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


class Context:
    """Lowers one plan; remembers what it read and what it lowered (a subplan used twice, once)."""

    def __init__(self, source: Source, collect: Callable[[pl.LazyFrame, bool], pl.DataFrame]) -> None:
        self._source = source
        self._collect = collect
        self._done: dict[int, tuple[Rel, Frame]] = {}
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
        values = [self.value(a, frame) for a in expr.args]
        types = expr.types or (None,) * len(values)
        signature = card.signature(len(values))
        return apply_scalar(card, expr.args, values, types, expr.type, signature)

    def canonical(self, expr: Expr, frame: Frame) -> pl.Expr:
        return canonical(self.value(expr, frame))

    def canonical_frame(self, rel: Rel) -> pl.LazyFrame:
        return canonical_columns(self.frame(rel), rel)

    def collect(self, lazy: pl.LazyFrame, stored: bool = False) -> pl.DataFrame:
        return self._collect(lazy, stored or self.scanned)

    def warn(self, sentence: str) -> None:
        if sentence not in self.warnings:
            self.warnings.append(sentence)

    def scan(self, node: Scan) -> pl.LazyFrame:
        found = self._source.scan(node.table, node.names(), node.time_range)
        self.tables[node.table] = found.files_total
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


@to_polars.register
def _scan(rel: Scan, context: Context) -> Frame:
    forms: dict[str, Form] = {}
    casts = []
    for c in rel.schema:
        if c.type.is_time:
            forms[c.name] = Form.MICROSECONDS
        elif c.type is ScalarType.STRING:
            forms[c.name] = Form.NULLABLE
        elif c.type is ScalarType.DECIMAL:
            casts.append(pl.col(c.name).cast(POLARS_TYPES[c.type], strict=False))
    lazy = context.scan(rel)
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
        value = context.value(expr, source)
        if value.form is not Form.CANONICAL:
            forms[name] = value.form
        if isinstance(expr, Col) and expr.name == name:
            kept += 1
            continue
        if columns_of(expr):
            needs_rows = False
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
def _summarize(rel: Summarize, context: PolarsContext) -> Frame:
    aggregates, source = _spread(rel.aggregates, context.frame(rel.source), context)
    forms: dict[str, Form] = {}
    aggregated: list[pl.Expr] = []
    for aggregate in aggregates:
        values = _aggregate(aggregate, source, context)
        for column, value in zip(aggregate.columns, values, strict=True):
            if value.form is not Form.CANONICAL:
                forms[column.name] = value.form
            aggregated.append(value.expr.alias(column.name))
    if not rel.keys:
        return Frame(source.lazy.select(aggregated), forms)
    keys: list[pl.Expr] = []
    constants: list[pl.Expr] = []
    for name, expr in rel.keys:
        value = context.value(expr, source)
        if not columns_of(expr):
            # A constant alone would be a group even where there is no row.
            constants.append(value.expr.alias(f"__key{len(constants)}"))
            value = Value(pl.col(f"__key{len(constants) - 1}"), value.type, value.form)
        if value.form in (Form.NULLABLE, Form.RAW):
            value = Value(canonical(value), value.type)
        if value.form is not Form.CANONICAL:
            forms[name] = value.form
        keys.append(value.expr.alias(name))
    lazy = source.lazy.with_columns(constants) if constants else source.lazy
    if not aggregated:
        return Frame(lazy.select(keys).unique(maintain_order=rel.source.serialized), forms)
    grouped = lazy.group_by(keys, maintain_order=rel.source.serialized)
    return Frame(grouped.agg(aggregated).select(rel.names()), forms)


def _spread(
    aggregates: Sequence[Aggregate], source: Frame, context: PolarsContext
) -> tuple[list[Aggregate], Frame]:
    """Constants that are aggregated as columns: `sum(1)` counts rows, a literal alone has one."""
    columns: list[pl.Expr] = []
    changed: list[Aggregate] = []
    for aggregate in aggregates:
        card = AGGREGATES.get(aggregate.function)
        assert card is not None  # the binder found it
        args = list(aggregate.args)
        signature = card.signature(len(args))
        for i, arg in enumerate(args):
            param = signature.at(i)
            if not columns_of(arg) and not (param is not None and param.constant):
                name = f"__argument{len(columns)}"
                columns.append(context.canonical(arg, source).alias(name))
                args[i] = Col(arg.type, name)
        changed.append(replace(aggregate, args=tuple(args)))
    if not columns:
        return list(aggregates), source
    return changed, Frame(source.lazy.with_columns(columns), source.forms)


def _aggregate(aggregate: Aggregate, source: Frame, context: PolarsContext) -> list[Value]:
    card = AGGREGATES.get(aggregate.function)
    assert card is not None  # the binder found it
    values = [context.value(a, source) for a in aggregate.args]
    many = getattr(card.implementation, "many", None)
    if many is not None:
        ready = [v if t is None else converted(v, t) for v, t in zip(values, aggregate.types, strict=True)]
        found: list[Value] = many(ready, aggregate)
        return found
    signature = card.signature(len(values))
    returns = aggregate.columns[0].type
    return [apply_aggregate(card, aggregate.args, values, aggregate.types, returns, signature)]


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
        if value.type is ScalarType.REAL:
            # NaN sorts beside null, which Polars would put above every number.
            expr = expr.fill_nan(None)
        by.append(expr)
        descending.append(key.descending)
        nulls_last.append(not key.nulls_first)
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
    frames = [context.frame(p) for p in rel.parts]
    forms: dict[str, Form] = {}
    ready = []
    for name in rel.names():
        found = {f.forms.get(name, Form.CANONICAL) for f in frames}
        if len(found) == 1 and (form := found.pop()) is not Form.CANONICAL:
            forms[name] = form
    for frame, part in zip(frames, rel.parts, strict=True):
        changes = [
            canonical(Value(pl.col(c.name), c.type, frame.forms[c.name])).alias(c.name)
            for c in part.schema
            if frame.forms.get(c.name, Form.CANONICAL) is not forms.get(c.name, Form.CANONICAL)
        ]
        lazy = frame.lazy.with_columns(changes) if changes else frame.lazy
        ready.append(lazy.select(rel.names()))
    return Frame(pl.concat(ready, how="vertical"), forms)
