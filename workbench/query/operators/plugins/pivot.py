"""`pivot`: the values of a column become columns, each with an aggregate of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lowering import Frame, PolarsContext, to_polars
from workbench.query.operators._card import BinderApi
from workbench.query.operators.plugins._card import PluginCall, plugin, projected
from workbench.query.plan import (
    Aggregate,
    Col,
    Distinct,
    Expr,
    Project,
    Rel,
    Summarize,
    Values,
    columns_of,
    unique,
)

T = ScalarType
_NAME, _VALUE = "__pivot", "__value"


@dataclass(frozen=True, slots=True)
class Pivoted(Rel):
    """One row a combination of `keys`; a column for each of `values`, which are those of `__pivot`.

    `undecided`: there was no value, so any column may be asked for; it is null.
    """

    source: Rel
    keys: tuple[str, ...]
    values: tuple[tuple[str, str], ...]
    missing: Any
    undecided: bool = False


@to_polars.register
def _pivoted(rel: Pivoted, context: PolarsContext) -> Frame:
    lazy = context.canonical_frame(rel.source)
    cells = []
    for value, name in rel.values:
        own = pl.col(_VALUE).filter(pl.col(_NAME) == value)
        dtype = pl.lit(rel.missing) if rel.missing is not None else pl.lit(None)
        cells.append(pl.when(own.len() > 0).then(own.first()).otherwise(dtype).alias(name))
    if not rel.keys:
        return Frame(lazy.select(cells), {})
    return Frame(lazy.group_by(rel.keys, maintain_order=True).agg(cells).select(rel.names()), {})


@plugin("pivot", syntax="pivot(COLUMN [, AGGREGATE] [, COLUMN, …]) [: (NAME: TYPE, …)]")
class Pivot:
    """A column for each value of a column, with an aggregate (the count) of the rows that have it.

    Rows are grouped by the columns that follow, by default all that the call does not name. New
    columns come in the order of their names.
    """

    @staticmethod
    def bind(call: PluginCall, source: Rel, b: BinderApi) -> Rel:
        _, column = call.column(0, "pivotColumn", source, b)
        node: syntax.Expression = syntax.Call(call.span, "count", (), call.span)
        rest = call.rest(1)
        if rest and isinstance(rest[0], syntax.Call):
            node, rest = rest[0], rest[1:]
        call.finish()
        aggregates, made = b.aggregates([syntax.Named(node.span, (_VALUE,), node)], source, [])
        used = columns_of(column) | {n for a in aggregates for x in a.args for n in columns_of(x)}
        keys = b.columns(rest, source) if rest else [
            (c.name, Col(c.type, c.name)) for c in source.schema if not c.hidden and c.name not in used
        ]  # fmt: skip
        name = b.convert(column, T.STRING)
        by = [*keys, (_NAME, name)]
        grouped = _grouped(source, by, aggregates, made)
        names = _names(call, projected(source, [(_NAME, name)]), [n for n, _ in keys], b)
        missing = _missing(source, aggregates, made, b)
        type_ = made[0][1].type
        schema = (*(Column(n, e.type) for n, e in keys), *(Column(n, type_) for _, n in names))
        return Pivoted(schema, grouped, tuple(n for n, _ in keys), tuple(names), missing, not names)


def _grouped(source: Rel, by: list[tuple[str, Expr]], aggregates: tuple[Aggregate, ...], made: list[tuple[str, Expr]]) -> Rel:  # fmt: skip
    keys = tuple(Column(n, e.type) for n, e in by)
    computed = tuple(c for a in aggregates for c in a.columns)
    whole = Summarize((*keys, *computed), source, tuple(by), aggregates)
    return projected(whole, [*((c.name, Col(c.type, c.name)) for c in keys), *made])


def _names(call: PluginCall, values: Rel, keys: list[str], b: BinderApi) -> list[tuple[str, str]]:
    """(value, column) of the new columns: those that are asked for, else those in the data."""
    if call.schema is not None:
        return [(n, n) for n, _ in call.schema.columns if n not in keys]
    found = sorted(b.evaluate(Distinct(values.schema, values))[_NAME].to_list())
    taken = set(keys)
    names: list[tuple[str, str]] = []
    for value in found:
        name = unique(value or "Column1", taken)
        taken.add(name)
        names.append((value, name))
    if not names and not keys:
        raise diagnostics.bad_argument("pivot", "there is no value and no other column", call.span)
    return names


def _missing(source: Rel, aggregates: tuple[Aggregate, ...], made: list[tuple[str, Expr]], b: BinderApi) -> Any:  # fmt: skip
    """What the aggregate gives for no rows; null where that is no number (a mean of nothing)."""
    computed = tuple(c for a in aggregates for c in a.columns)
    nothing = Summarize(computed, Values(source.schema), (), aggregates)
    value = b.evaluate(Project((Column(_VALUE, made[0][1].type),), nothing, tuple(made)))[_VALUE][0]
    return None if isinstance(value, float) and value != value else value
