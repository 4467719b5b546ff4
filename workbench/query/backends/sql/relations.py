"""The core nodes of a plan as common table expressions: one registered function a node.

A relation whose order matters carries it in a column of numbers, `lowering.ORDER`: SQL promises no order between two
queries, whatever an engine does. Null order is stated in every ORDER BY.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from workbench.base.dtypes import ScalarType
from workbench.query.backends.sql import expressions
from workbench.query.backends.sql.context import SqlContext, apart, held, in_row_order, refuse
from workbench.query.functions import _sql as build
from workbench.query.functions._sql_cast import SQL_TYPES, canonical, literal
from workbench.query.lowering import ORDER, Form, SqlFrame, SqlValue, to_sql
from workbench.query.plan import (
    Distinct,
    Filter,
    Join,
    Limit,
    Project,
    Range,
    Rel,
    Serialize,
    Shared,
    Sort,
    SortKey,
    Summarize,
    TopRows,
    Union,
    Values,
)

T = ScalarType


@to_sql.register
def _unknown(rel: Rel, context: SqlContext) -> SqlFrame:
    return refuse(rel, context)  # type: ignore[no-any-return]


# ---- rows that the query brings ---------------------------------------------------------------


@to_sql.register
def _values(rel: Values, context: SqlContext) -> SqlFrame:
    if rel.frame is not None:
        names = [*rel.names(), ORDER]
        table = context.register(rel.frame.lazy().with_row_index(ORDER), names)
        query = exp.select(*(context.column(n) for n in names)).from_(table)
        return context.add(rel, query, ordered=True)
    rows = [
        [*(literal(cell, c.type) for cell, c in zip(row, rel.schema, strict=True)), build.lit(number)]
        for number, row in enumerate(rel.rows)
    ]
    columns = [*(context.column(c.name) for c in rel.schema), context.column(ORDER)]
    if not rows:
        nothing = [context.named(build.cast(None, SQL_TYPES[c.type]), c.name) for c in rel.schema]
        order = exp.alias_(build.cast(None, "BIGINT"), ORDER, quoted=True)
        return context.add(rel, exp.select(*nothing, order).where(exp.false()), ordered=True)
    if len(rows) == 1:
        one = [exp.alias_(cell, c.this.copy(), copy=False) for cell, c in zip(rows[0], columns, strict=True)]
        return context.add(rel, exp.select(*one), ordered=True)
    tuples = exp.Values(
        expressions=[exp.Tuple(expressions=row) for row in rows],
        alias=exp.TableAlias(this=exp.to_identifier("v"), columns=[c.this.copy() for c in columns]),
    )
    return context.add(rel, exp.select(*columns).from_(tuples), ordered=True)


@to_sql.register
def _range(rel: Range, context: SqlContext) -> SqlFrame:
    column = rel.schema[0]
    start, stop, step = rel.start.value, rel.stop.value, rel.step.value
    possible = None not in (start, stop, step) and step != 0
    count = max(0, int((stop - start) // step) + 1) if possible else 0
    number = build.cast(exp.column("i"), "BIGINT")
    cell = build.op("+", build.op("*", number, literal(step, rel.step.type)), literal(start, rel.start.type))
    source = exp.Table(
        this=exp.func("range", exp.Literal.number(count), dialect="duckdb"),
        alias=exp.TableAlias(this=exp.to_identifier("n"), columns=[exp.to_identifier("i")]),
    )
    cell = build.cast(cell, SQL_TYPES[column.type]) if possible else literal(None, column.type)
    order = exp.alias_(number.copy(), ORDER, quoted=True)
    return context.add(rel, exp.select(context.named(cell, column.name), order).from_(source), ordered=True)


# ---- one relation in --------------------------------------------------------------------------


@to_sql.register
def _filter(rel: Filter, context: SqlContext) -> SqlFrame:
    source = context.frame(rel.source)
    condition = held(expressions.predicate(rel.condition, source, context))
    source = apart(source, [condition], context, rel, all_of_them=True)
    query = exp.select("*").from_(source.table).where(condition.this, copy=False)
    return context.add(rel, query, source.forms, ordered=source.ordered)


@to_sql.register
def _project(rel: Project, context: SqlContext) -> SqlFrame:
    source = context.frame(rel.source)
    values = [(context.value(e, source), n) for n, e in rel.columns]
    forms = {n: v.form for v, n in values if v.form is not Form.CANONICAL}
    trees = [held(v.expr) for v, _ in values]
    source = apart(source, trees, context, rel, all_of_them=False)
    query = context.select(source, [(t.this, n) for t, (_, n) in zip(trees, values, strict=True)])
    return context.add(rel, query, forms, ordered=source.ordered)


@to_sql.register
def _distinct(rel: Distinct, context: SqlContext) -> SqlFrame:
    source = context.frame(rel.source)
    values = [_unambiguous(context, source, c.name, c.type) for c in rel.schema]
    query = context.select(source, [(v.expr, c.name) for v, c in zip(values, rel.schema, strict=True)], ordered=False)  # fmt: skip
    return context.add(rel, query.distinct(copy=False), _forms(rel, values))


def _unambiguous(context: SqlContext, source: SqlFrame, name: str, type_: ScalarType) -> SqlValue:
    """A column in a form in which equal values look the same."""
    value = SqlValue(context.column(name), type_, source.forms.get(name, Form.CANONICAL))
    return value if value.form is Form.MICROSECONDS else SqlValue(canonical(value), type_)


def _forms(rel: Rel, values: Sequence[SqlValue]) -> dict[str, Form]:
    return {c.name: v.form for c, v in zip(rel.schema, values, strict=True) if v.form is not Form.CANONICAL}


@to_sql.register
def _summarize(rel: Summarize, context: SqlContext) -> SqlFrame:
    source = context.frame(rel.source)
    forms: dict[str, Form] = {}
    trees: list[tuple[exp.Expr, str]] = []
    for name, key in rel.keys:
        value = context.value(key, source)
        if value.form is not Form.MICROSECONDS:
            value = SqlValue(canonical(value), value.type)
        if value.form is not Form.CANONICAL:
            forms[name] = value.form
        trees.append((value.expr, name))
    for node in rel.aggregates:
        for column, value in zip(node.columns, expressions.aggregate(node, source, context), strict=True):
            if value.form is not Form.CANONICAL:
                forms[column.name] = value.form
            trees.append((in_row_order(value.expr, source, context), column.name))
    wrapped = [held(t) for t, _ in trees]
    source = apart(source, wrapped, context, rel, all_of_them=True)
    named = [(w.this, n) for w, (_, n) in zip(wrapped, trees, strict=True)]
    query = context.select(source, named, ordered=False)
    if rel.keys:
        ordinals = [exp.Literal.number(i + 1) for i in range(len(rel.keys))]
        query = query.group_by(*ordinals, copy=False)
    return context.add(rel, query, forms)


def _sort_keys(keys: Sequence[SortKey], source: SqlFrame, context: SqlContext) -> list[exp.Ordered]:
    ordered = []
    for key in keys:
        value = context.value(key.value, source)
        tree = value.expr if value.form is Form.MICROSECONDS else canonical(value)
        number = (
            build.case((build.negated(build.func("isnan", tree)), tree)) if value.type is T.REAL else tree
        )
        ordered.append(exp.Ordered(this=number, desc=key.descending, nulls_first=key.nulls_first))
        if value.type is T.REAL:
            # NaN sorts beside null, on the side of the numbers.
            ordered.append(exp.Ordered(this=build.is_null(tree), desc=key.nulls_first, nulls_first=False))
    if source.ordered:
        ordered.append(exp.Ordered(this=context.column(ORDER), desc=False, nulls_first=False))
    return ordered


def _sorted(rel: Rel, source: SqlFrame, keys: Sequence[SortKey], context: SqlContext, count: int | None = None) -> SqlFrame:  # fmt: skip
    """The rows of `source` numbered in the order of `keys`, the first `count` of them."""
    by = _sort_keys(keys, source, context)
    source = apart(source, by, context, rel, all_of_them=True)
    table: Any = source.table
    if count is not None:
        first = exp.select("*").from_(table).order_by(*(k.copy() for k in by), copy=False)
        table = first.limit(max(0, count), copy=False).subquery("first", copy=False)
    window = exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=by))
    columns = [context.column(c.name) for c in rel.schema]
    query = exp.select(*columns, exp.alias_(window, ORDER, quoted=True)).from_(table)
    names = set(rel.names())
    return context.add(rel, query, {n: f for n, f in source.forms.items() if n in names}, ordered=True)


@to_sql.register
def _sort(rel: Sort, context: SqlContext) -> SqlFrame:
    return _sorted(rel, context.frame(rel.source), rel.keys, context)


@to_sql.register
def _limit(rel: Limit, context: SqlContext) -> SqlFrame:
    if isinstance(rel.source, Sort):
        return _sorted(rel, context.frame(rel.source.source), rel.source.keys, context, rel.count)
    source = context.frame(rel.source)
    query = exp.select("*").from_(source.table)
    if source.ordered:
        query = query.order_by(exp.Ordered(this=context.column(ORDER), nulls_first=False), copy=False)
    return context.add(rel, query.limit(max(0, rel.count), copy=False), source.forms, ordered=source.ordered)


@to_sql.register
def _top_rows(rel: TopRows, context: SqlContext) -> SqlFrame:
    narrow, wide = context.frame(rel.narrow), context.frame(rel.wide)
    same = [
        build.op("=", context.column(n, "wide"), context.column(n, "narrow"))
        for n in ("_Writer", "_Sequence")
    ]
    query = exp.select("wide.*").from_(exp.to_table(wide.table).as_("wide"))
    query = query.join(exp.to_table(narrow.table).as_("narrow"), on=build.all_of(*same), join_type="semi")
    return _sorted(rel, context.add(rel, query, wide.forms), rel.keys, context)


@to_sql.register
def _serialize(rel: Serialize, context: SqlContext) -> SqlFrame:
    source = context.frame(rel.source)
    if source.ordered:
        return source
    number = exp.Window(this=exp.RowNumber())
    query = exp.select("*", exp.alias_(number, ORDER, quoted=True)).from_(source.table)
    return context.add(rel, query, source.forms, ordered=True)


@to_sql.register
def _shared(rel: Shared, context: SqlContext) -> SqlFrame:
    source = context.frame(rel.source)
    context.keep(source)
    return source


# ---- several ----------------------------------------------------------------------------------


@to_sql.register
def _union(rel: Union, context: SqlContext) -> SqlFrame:
    frames = [context.frame(p) for p in rel.parts]
    forms: dict[str, Form] = {}
    for name in rel.names():
        found = {f.forms.get(name, Form.CANONICAL) for f in frames}
        if len(found) == 1 and (form := found.pop()) is not Form.CANONICAL:
            forms[name] = form
    parts: list[exp.Query] = []
    for frame in frames:
        trees = []
        for c in rel.schema:
            value = SqlValue(context.column(c.name), c.type, frame.forms.get(c.name, Form.CANONICAL))
            trees.append((value.expr if value.form is forms.get(c.name) else canonical(value), c.name))
        parts.append(context.select(frame, trees, ordered=False))
    query = parts[0]
    for part in parts[1:]:
        query = exp.Union(this=query, expression=part, distinct=False)
    return context.add(rel, query, forms)


_JOINS = {
    "inner": "inner", "innerunique": "inner", "leftouter": "left", "rightouter": "right", "fullouter": "full",
    "leftsemi": "semi", "rightsemi": "semi", "leftanti": "anti", "rightanti": "anti",
}  # fmt: skip


@to_sql.register
def _join(rel: Join, context: SqlContext) -> SqlFrame:
    left, right = context.frame(rel.left), context.frame(rel.right)
    on, kind = rel.on, rel.kind
    if kind == "innerunique":
        left = _one_a_key(rel, left, [a for a, _ in on], context)
    sides = {"l": (rel.left, left, rel.left_names), "r": (rel.right, right, rel.right_names)}
    first, second = ("r", "l") if kind in ("rightsemi", "rightanti") else ("l", "r")
    forms: dict[str, Form] = {}
    trees: dict[str, exp.Expr] = {}
    for alias, (side, frame, names) in sides.items():
        types = {c.name: c.type for c in side.schema}
        for old, new in names:
            trees[new] = context.column(old, alias)
            form = frame.forms.get(old, Form.CANONICAL)
            # Where a side is missing its text is null, which stands for "".
            form = Form.NULLABLE if types[old] is T.STRING and kind not in ("inner", "innerunique") else form
            if form is not Form.CANONICAL:
                forms[new] = form
    query = exp.select(*(context.named(trees[n], n) for n in rel.names()))
    if not rel.names():
        query = exp.select(exp.alias_(exp.Literal.number(0), "__row", quoted=True))
    query = query.from_(exp.to_table(sides[first][1].table).as_(first))
    other = exp.to_table(sides[second][1].table).as_(second)
    if not on:
        return context.add(rel, query.join(other, join_type="cross"), forms)
    same = []
    for a, b in on:
        keys = [
            canonical(SqlValue(context.column(name, alias), _type(side, name), frame.forms.get(name, Form.CANONICAL)))
            for alias, name, (side, frame, _) in (("l", a, sides["l"]), ("r", b, sides["r"]))
        ]  # fmt: skip
        same.append(build.op("is not distinct from", *keys))
    return context.add(rel, query.join(other, on=build.all_of(*same), join_type=_JOINS[kind]), forms)


def _type(rel: Rel, name: str) -> ScalarType:
    column = rel.column(name)
    assert column is not None  # the binder found it
    return column.type


def _one_a_key(rel: Join, source: SqlFrame, keys: Sequence[str], context: SqlContext) -> SqlFrame:
    """One row of the left side for each key, whichever (the first where rows have an order)."""
    if not keys:
        return context.add(rel, exp.select("*").from_(source.table).limit(1), source.forms)
    by = [
        canonical(SqlValue(context.column(k), _type(rel.left, k), source.forms.get(k, Form.CANONICAL))) for k in keys
    ]  # fmt: skip
    order = exp.Order(expressions=[exp.Ordered(this=context.column(ORDER), nulls_first=False)]) if source.ordered else None  # fmt: skip
    number = exp.Window(this=exp.RowNumber(), partition_by=by, order=order)
    numbered = exp.select("*", exp.alias_(number, "__number", quoted=True)).from_(source.table)
    columns = [context.column(c.name) for c in rel.left.schema]
    first = build.op("=", exp.column("__number", quoted=True), 1)
    query = exp.select(*columns).from_(numbered.subquery("numbered")).where(first)
    return context.add(rel, query, source.forms)
