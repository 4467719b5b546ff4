"""`Apply` in Polars, and the nodes that a subquery for all groups at once is made of."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from workbench.base.dtypes import Column
from workbench.query.backends.grouping import (
    GroupLimit,
    GroupProject,
    GroupSummarize,
    Looped,
    grouped,
    looks_around,
)
from workbench.query.functions.forms import POLARS_TYPES
from workbench.query.lowering import Form, Frame, PolarsContext, to_polars
from workbench.query.operators._per_group import Apply, Held, substituted
from workbench.query.plan import Col, Join, Rel, Sort, Summarize, walk


@to_polars.register
def _apply(rel: Apply, context: PolarsContext) -> Frame:
    body = grouped(rel.body, rel.leaf, rel.key)
    sorted_inside = any(isinstance(node, Sort) for node in walk(body))
    if rel.beside:
        body = _beside(rel, body)
    source = context.frame(rel.source)
    lazy = source.lazy
    if rel.numbered:
        lazy = lazy.with_row_index(rel.key).with_columns(pl.col(rel.key).cast(pl.Int64))
    if sum(node is rel.leaf for node in walk(body)) > 1:
        # Read twice, rows could come in another order and be numbered otherwise.
        lazy = context.collect(lazy.select(rel.leaf.names())).lazy()
    held = Held(rel.leaf.schema, Frame(lazy, source.forms), rel.leaf.ordered)
    done = context.frame(substituted(body, rel.leaf, held))
    forms = {n: f for n, f in done.forms.items() if rel.column(n) is not None}
    rows = done.lazy
    if sorted_inside or (rel.numbered and rel.source.serialized):
        rows = rows.sort(rel.key, maintain_order=True)
    return Frame(rows.select(rel.names()), forms)


def _beside(rel: Apply, body: Rel) -> Rel:
    """The result of the body with the columns of the source that it lacks."""
    own = [c for c in rel.leaf.schema if c.name in rel.beside or c.name == rel.key]
    added = [c for c in body.schema if c.name != rel.key]
    on = ((rel.key, rel.key),)
    names = tuple((c.name, c.name) for c in own)
    return Join((*own, *added), rel.leaf, body, "inner", on, names, tuple((c.name, c.name) for c in added))


@to_polars.register
def _held(rel: Held, context: PolarsContext) -> Frame:
    frame: Frame = rel.frame
    return frame


@to_polars.register
def _limit(rel: GroupLimit, context: PolarsContext) -> Frame:
    source = context.frame(rel.source)
    place = pl.int_range(pl.len()).over(rel.key)
    return Frame(source.lazy.filter(place < max(0, rel.count)), source.forms)


@to_polars.register
def _project(rel: GroupProject, context: PolarsContext) -> Frame:
    source = context.frame(rel.source)
    forms: dict[str, Form] = {}
    made: list[pl.Expr] = []
    for name, expr in rel.columns:
        value = context.value(expr, source)
        if value.form is not Form.CANONICAL:
            forms[name] = value.form
        whole = not looks_around(expr)
        made.append((value.expr if whole else value.expr.over(rel.key)).alias(name))
    return Frame(source.lazy.select(made), forms)


@to_polars.register
def _summarize(rel: GroupSummarize, context: PolarsContext) -> Frame:
    found = context.frame(rel.source)
    key = found.forms.get(rel.key, Form.CANONICAL)
    column = rel.column(rel.key)
    assert column is not None  # the rewrite put it there
    by = ((rel.key, Col(column.type, rel.key)),)
    some = context.frame(Summarize(rel.schema, Held(rel.source.schema, found), by, rel.aggregates))
    empty = Held(rel.source.schema, Frame(found.lazy.clear(), found.forms))
    computed = tuple(c for c in rel.schema if c.name != rel.key)
    nothing = context.frame(Summarize(computed, empty, (), rel.aggregates))
    # The rows of groups that lost all their rows have what the aggregates give for nothing.
    forms = {n: f for n, f in some.forms.items() if n != rel.key}
    groups = context.frame(rel.groups).lazy
    lost = groups.join(some.lazy, on=rel.key, how="anti", nulls_equal=True).join(nothing.lazy, how="cross")
    together = pl.concat([some.lazy, lost.select(rel.names())], how="vertical")
    if key is not Form.CANONICAL:
        forms[rel.key] = key
    return Frame(together, forms)


@to_polars.register
def _looped(rel: Looped, context: PolarsContext) -> Frame:
    rows = context.collect(context.canonical_frame(rel.source).select(rel.source.names()))
    wanted = [n for n in rel.names() if n != rel.key]
    parts = [_empty(rel.schema)]
    for part in rows.partition_by(rel.key, maintain_order=True):
        held = Held(rel.leaf.schema, Frame(part.lazy(), {}), rel.leaf.ordered)
        body = substituted(rel.body, rel.leaf, held)
        done = context.collect(context.canonical_frame(body).select(wanted))
        value = pl.lit(part[rel.key][0], dtype=part[rel.key].dtype)
        parts.append(done.with_columns(value.alias(rel.key)).select(rel.names()))
    if len(parts) > 1:
        del parts[0]
    return Frame(pl.concat(parts, how="vertical").lazy(), {})


def _empty(schema: Sequence[Column]) -> pl.DataFrame:
    return pl.DataFrame(schema={c.name: POLARS_TYPES[c.type] for c in schema})
