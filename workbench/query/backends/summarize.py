"""`Summarize` in Polars: groups, their aggregates, and the same computed part by part.

A `Split` holds what partial aggregates of several parts of the rows become: columns that merge, then
the aggregates' own. Where values are counted once each (`dcount`), rows are first grouped by the value too,
which is faster than sets inside of groups also when all is done in one go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from workbench.base.dtypes import Column, ScalarType
from workbench.query.functions import AGGREGATES
from workbench.query.functions.apply import apply_aggregate
from workbench.query.functions.forms import canonical, converted
from workbench.query.lowering import Form, Frame, PolarsContext, Value, to_polars
from workbench.query.plan import Aggregate, Col, Summarize, columns_of

_COUNTED, _ROWS = "__counted", "__rows"


@to_polars.register
def _summarize(rel: Summarize, context: PolarsContext) -> Frame:
    source = context.frame(rel.source)
    if any(hasattr(_implementation(a), "distinct") for a in rel.aggregates):
        split = Split(rel)
        partial = split.partial(source, context)
        if partial is not None:
            return split.finished(partial)
    aggregates, source = _spread(rel.aggregates, source, context)
    forms: dict[str, Form] = {}
    aggregated: list[pl.Expr] = []
    for aggregate in aggregates:
        values = _aggregate(aggregate, source, context)
        for column, value in zip(aggregate.columns, values, strict=True):
            form = _held(value)
            if form is not Form.CANONICAL:
                forms[column.name] = form
            aggregated.append(value.expr.alias(column.name))
    if not rel.keys:
        return Frame(source.lazy.select(aggregated), forms)
    lazy, keys, key_forms = _keys(rel, source, context)
    if not aggregated:
        return Frame(lazy.select(keys).unique(maintain_order=rel.source.serialized), key_forms)
    grouped = lazy.group_by(keys, maintain_order=rel.source.serialized)
    return Frame(grouped.agg(aggregated).select(rel.names()), forms | key_forms)


def _held(value: Value) -> Form:
    """The form of an aggregate: text is null where no row counts."""
    return Form.NULLABLE if value.type is ScalarType.STRING and value.form is Form.CANONICAL else value.form


def _keys(
    rel: Summarize, source: Frame, context: PolarsContext, *, nullable: bool = False
) -> tuple[pl.LazyFrame, list[pl.Expr], dict[str, Form]]:
    """The source with what its keys need, the keys under their names, and their forms.

    `nullable`: a text may stay null for "", so that both are groups.
    """
    forms: dict[str, Form] = {}
    keys: list[pl.Expr] = []
    constants: list[pl.Expr] = []
    for name, expr in rel.keys:
        value = context.value(expr, source)
        if not columns_of(expr):
            # A constant alone would be a group even where there is no row.
            constants.append(value.expr.alias(f"__key{len(constants)}"))
            value = Value(pl.col(f"__key{len(constants) - 1}"), value.type, value.form)
        if value.form is Form.RAW or (value.form is Form.NULLABLE and not nullable):
            value = Value(canonical(value), value.type)
        if value.form is not Form.CANONICAL:
            forms[name] = value.form
        keys.append(value.expr.alias(name))
    return source.lazy.with_columns(constants) if constants else source.lazy, keys, forms


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
                # Not even every constant of Polars fits rows of which there are none.
                every = pl.int_range(pl.len()) >= 0
                columns.append(pl.when(every).then(context.canonical(arg, source)).alias(name))
                args[i] = Col(arg.type, name)
        changed.append(replace(aggregate, args=tuple(args)))
    if not columns:
        return list(aggregates), source
    return changed, Frame(source.lazy.with_columns(columns), source.forms)


def _aggregate(aggregate: Aggregate, source: Frame, context: PolarsContext) -> list[Value]:
    card = AGGREGATES.get(aggregate.function)
    assert card is not None  # the binder found it
    many = getattr(card.implementation, "many", None)
    if many is not None:
        found: list[Value] = many(_ready(aggregate, source, context), aggregate)
        return found
    values = [context.value(a, source) for a in aggregate.args]
    signature = card.signature(len(values))
    returns = aggregate.columns[0].type
    return [apply_aggregate(card, aggregate.args, values, aggregate.types, returns, signature)]


def _ready(aggregate: Aggregate, source: Frame, context: PolarsContext) -> list[Value]:
    """The arguments, lowered and of the types that the binder chose."""
    values = [context.value(a, source) for a in aggregate.args]
    return [v if t is None else converted(v, t) for v, t in zip(values, aggregate.types, strict=True)]


def _implementation(aggregate: Aggregate) -> Any:
    card = AGGREGATES.get(aggregate.function)
    assert card is not None  # the binder found it
    return card.implementation


# ---- part by part ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of partial aggregates."""

    name: str
    type: ScalarType
    form: Form

    @property
    def value(self) -> Value:
        return Value(pl.col(self.name), self.type, self.form)


class Split:
    """A `Summarize` whose aggregates can be merged from those of parts of its rows.

    `partial` makes a frame of one part; `merged` makes one of the frames of several, and can be asked
    again with its own answer; `finished` makes the rows of the `Summarize`.

    `few`: partial aggregates are few beside the rows. Then a text that is null for "" is a group of its own until
    they merge, which costs less than a look at each row.
    """

    def __init__(self, rel: Summarize, *, few: bool = False) -> None:
        self._rel = rel
        self._few = few
        self._keys = [n for n, _ in rel.keys]
        self._forms: dict[str, Form] = {}
        self._columns: dict[int, list[_Column]] = {}
        self._counts = False

    def partial(self, source: Frame, context: PolarsContext) -> pl.LazyFrame | None:
        """Partial aggregates over `source`; None where an aggregate cannot be split."""
        aggregates, source = _spread(self._rel.aggregates, source, context)
        counted: pl.Expr | None = None
        made: list[pl.Expr] = []
        columns: dict[int, list[_Column]] = {}
        for number, aggregate in enumerate(aggregates):
            implementation = _implementation(aggregate)
            values = _ready(aggregate, source, context)
            if hasattr(implementation, "distinct"):
                value: pl.Expr = implementation.distinct(values, aggregate)
                if counted is not None and not counted.meta.eq(value):
                    return None
                counted = value
                continue
            if not hasattr(implementation, "partial"):
                return None
            parts: list[Value] | None = implementation.partial(values, aggregate)
            if parts is None:
                return None
            columns[number] = [_Column(f"__{number}_{i}", p.type, p.form) for i, p in enumerate(parts)]
            made += [p.expr.alias(c.name) for p, c in zip(parts, columns[number], strict=True)]
        lazy, keys, self._forms = _keys(self._rel, source, context, nullable=self._few)
        self._columns, self._counts = columns, counted is not None
        if counted is not None:
            keys = [*keys, counted.alias(_COUNTED)]
        return self._grouped(lazy, keys, made)

    def _grouped(self, lazy: pl.LazyFrame, keys: Sequence[pl.Expr], made: Sequence[pl.Expr]) -> pl.LazyFrame:
        order = self._rel.source.serialized
        if keys and made:
            return lazy.group_by(keys, maintain_order=order).agg(made)
        if keys:
            return lazy.select(keys).unique(maintain_order=order)
        return lazy.select(*made, pl.len().cast(pl.Int64).alias(_ROWS))

    def merged(self, lazy: pl.LazyFrame) -> pl.LazyFrame:
        """Partial aggregates of all parts together."""
        keys = [pl.col(k).fill_null("") if k in self._nullable else pl.col(k) for k in self._keys]
        if self._counts:
            keys.append(pl.col(_COUNTED))
        if not keys:
            # A part without rows says nothing.
            lazy = lazy.filter(pl.col(_ROWS) > 0)
            return lazy.select(*self._merging(), pl.col(_ROWS).sum())
        return self._grouped(lazy, keys, self._merging())

    @property
    def _nullable(self) -> set[str]:
        """Keys of which null and "" are still to be made one."""
        return {k for k, form in self._forms.items() if form is Form.NULLABLE}

    def _merging(self) -> list[pl.Expr]:
        made: list[pl.Expr] = []
        for number, columns in self._columns.items():
            aggregate = self._rel.aggregates[number]
            values: list[Value] = _implementation(aggregate).merge([c.value for c in columns], aggregate)
            made += [v.expr.alias(c.name) for v, c in zip(values, columns, strict=True)]
        return made

    def finished(self, lazy: pl.LazyFrame) -> Frame:
        """The aggregates, of partial ones that are merged."""
        if self._nullable:
            lazy = self.merged(lazy)
        if self._counts:
            counts = pl.col(_COUNTED).is_not_null().sum().cast(pl.Int64).alias(_COUNTED)
            merging = [*self._merging(), counts]
            order = self._rel.source.serialized
            lazy = lazy.group_by(self._keys, maintain_order=order).agg(merging) if self._keys else lazy.select(merging)  # fmt: skip
        forms = {k: form for k, form in self._forms.items() if k not in self._nullable}
        made: list[pl.Expr] = [pl.col(k) for k in self._keys]
        for number, aggregate in enumerate(self._rel.aggregates):
            for column, value in self._finishing(number, aggregate):
                form = _held(value)
                if form is not Form.CANONICAL:
                    forms[column.name] = form
                made.append(value.expr.alias(column.name))
        return Frame(lazy.select(made), forms)

    def _finishing(self, number: int, aggregate: Aggregate) -> list[tuple[Column, Value]]:
        if number not in self._columns:
            return [(aggregate.columns[0], Value(pl.col(_COUNTED), ScalarType.LONG))]
        values = [c.value for c in self._columns[number]]
        finish = getattr(_implementation(aggregate), "finish", None)
        if finish is not None:
            values = finish(values, aggregate)
        return list(zip(aggregate.columns, values, strict=True))
