"""A subquery for each group of rows in SQL: all groups at once, a key going along with the rows (see `backends.grouping`)."""

from __future__ import annotations

from sqlglot import exp

from workbench.query.backends.grouping import GroupLimit, GroupProject, GroupSummarize, grouped
from workbench.query.backends.sql.context import SqlContext, apart, held
from workbench.query.functions import _sql as build
from workbench.query.lowering import ORDER, Form, SqlFrame, to_sql
from workbench.query.operators._per_group import Apply, Held, substituted
from workbench.query.plan import Col, Summarize


def _ordered(*names: str) -> exp.Order:
    keys = [
        exp.Ordered(this=exp.column(n, quoted=True), desc=False, nulls_first=i == 0)
        for i, n in enumerate(names)
    ]
    return exp.Order(expressions=keys)


@to_sql.register
def _apply(rel: Apply, context: SqlContext) -> SqlFrame:
    body = grouped(rel.body, rel.leaf, rel.key)
    source = context.frame(rel.source)
    if rel.numbered:
        order = _ordered(ORDER) if source.ordered else None
        number = build.op("-", exp.Window(this=exp.RowNumber(), order=order), 1)
        query = exp.select("*", context.named(number, rel.key)).from_(source.table)
        source = context.add(rel, query, source.forms, ordered=source.ordered)
        context.keep(source)
    done = context.frame(substituted(body, rel.leaf, Held(rel.leaf.schema, source, rel.leaf.ordered)))
    if rel.beside:
        done = _beside(rel, source, done, [c.name for c in body.schema if c.name != rel.key], context)
    forms = {n: f for n, f in done.forms.items() if rel.column(n) is not None}
    columns = [(context.column(n), n) for n in rel.names()]
    query = context.select(done, columns, ordered=False)
    if rel.serialized:
        key = context.name(rel.key)
        window = exp.Window(this=exp.RowNumber(), order=_ordered(key, *([ORDER] if done.ordered else [])))
        query = query.select(exp.alias_(window, ORDER, quoted=True), copy=False)
    return context.add(rel, query, forms, ordered=rel.serialized)


def _beside(rel: Apply, source: SqlFrame, done: SqlFrame, added: list[str], context: SqlContext) -> SqlFrame:
    """The result of the subquery, in its order, with the columns of the source that it lacks."""
    own = [n for n in (*rel.beside, rel.key) if n not in added]
    columns = [context.column(n, "l") for n in own] + [context.column(n, "r") for n in added]
    if done.ordered:
        columns.append(context.column(ORDER, "r"))
    same = build.op("is not distinct from", context.column(rel.key, "l"), context.column(rel.key, "r"))
    query = exp.select(*columns).from_(exp.to_table(source.table).as_("l"))
    query = query.join(exp.to_table(done.table).as_("r"), on=same)
    forms = {n: f for n, f in source.forms.items() if n in own} | {
        n: f for n, f in done.forms.items() if n in added
    }
    return context.add(rel, query, forms, ordered=done.ordered)


@to_sql.register
def _held(rel: Held, context: SqlContext) -> SqlFrame:
    frame: SqlFrame = rel.frame
    return frame


@to_sql.register
def _limit(rel: GroupLimit, context: SqlContext) -> SqlFrame:
    source = context.frame(rel.source)
    name = context.fresh("__number")
    order = _ordered(ORDER) if source.ordered else None
    number = exp.Window(this=exp.RowNumber(), partition_by=[context.column(rel.key)], order=order)
    numbered = exp.select("*", exp.alias_(number, name, quoted=True)).from_(source.table)
    within = build.op("<=", exp.column(name, quoted=True), max(0, rel.count))
    columns = [(context.column(n), n) for n in rel.names()]
    query = context.select(context.add(rel, numbered, source.forms, ordered=source.ordered), columns)
    return context.add(rel, query.where(within), source.forms, ordered=source.ordered)


@to_sql.register
def _project(rel: GroupProject, context: SqlContext) -> SqlFrame:
    source = context.frame(rel.source)
    values = [(context.value(e, source), n) for n, e in rel.columns]
    forms = {n: v.form for v, n in values if v.form is not Form.CANONICAL}
    trees = [held(v.expr) for v, _ in values]
    for tree in trees:
        for window in tree.find_all(exp.Window):
            window.append("partition_by", context.column(rel.key))
    source = apart(source, trees, context, rel, all_of_them=False)
    query = context.select(source, [(t.this, n) for t, (_, n) in zip(trees, values, strict=True)])
    return context.add(rel, query, forms, ordered=source.ordered)


@to_sql.register
def _summarize(rel: GroupSummarize, context: SqlContext) -> SqlFrame:
    found = context.frame(rel.source)
    column = rel.column(rel.key)
    assert column is not None  # the rewrite put it there
    by = ((rel.key, Col(column.type, rel.key)),)
    source = Held(rel.source.schema, found, found.ordered)
    some = context.frame(Summarize(rel.schema, source, by, rel.aggregates))
    empty = exp.select("*").from_(found.table).where(exp.false())
    nothing_in = Held(
        rel.source.schema, context.add(rel, empty, found.forms, ordered=found.ordered), found.ordered
    )
    computed = tuple(c for c in rel.schema if c.name != rel.key)
    nothing = context.frame(Summarize(computed, nothing_in, (), rel.aggregates))
    # The rows of groups that lost all their rows have what the aggregates give for nothing.
    groups = context.frame(rel.groups)
    same = build.op("is not distinct from", context.column(rel.key, "g"), context.column(rel.key, "s"))
    lost = exp.select("g.*").from_(exp.to_table(groups.table).as_("g"))
    lost = lost.join(exp.to_table(some.table).as_("s"), on=same, join_type="anti")
    left = context.add(rel, lost, groups.forms)
    names = rel.names()
    first = exp.select(*(context.column(n) for n in names)).from_(some.table)
    second = exp.select(*(context.column(n, left.table if n == rel.key else nothing.table) for n in names))
    second = second.from_(left.table).join(nothing.table, join_type="cross")
    return context.add(rel, exp.Union(this=first, expression=second, distinct=False), some.forms)
