"""`Unnest` in SQL: dynamic columns become lists of JSON texts, side by side, one row an element, then values of their types."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from workbench.base.dtypes import ScalarType
from workbench.query.backends.sql.context import SqlContext
from workbench.query.functions import _sql as build
from workbench.query.functions._sql_cast import SQL_TYPES, canonical, convert, kind, quoted, unquoted
from workbench.query.lowering import ORDER, Form, SqlFrame, SqlValue, to_sql
from workbench.query.plan import Unnest

T = ScalarType
_TEXTS = "VARCHAR[]"


@to_sql.register
def _unnest(rel: Unnest, context: SqlContext) -> SqlFrame:
    source = context.frame(rel.source)
    lists = [context.fresh("__list") for _ in rel.expand]
    keys = [context.fresh("__keys") for _ in rel.expand]
    made = exp.select("*").from_(source.table)
    for (name, _), items, names in zip(rel.expand, lists, keys, strict=True):
        form = source.forms.get(name, Form.CANONICAL)
        json = canonical(SqlValue(context.column(name), T.DYNAMIC, form))
        made = made.select(_named(_elements(json), items), _named(_keys(json), names), copy=False)
    gathered = context.add(rel, made, source.forms, ordered=source.ordered)
    place = context.fresh("__place")
    rows = _rows(rel, gathered, lists, keys, place, context)
    trees: dict[str, exp.Expr] = {n: context.column(n) for n in rel.names() if n != rel.index}
    for (name, type_), items, names in zip(rel.expand, lists, keys, strict=True):
        pair = (_column(items), _column(names))
        trees[name] = _typed(_element(*pair, as_array=rel.bag_as_array), type_)
    if rel.index is not None:
        trees[rel.index] = _column(place)
    query = context.select(rows, [(trees[n], n) for n in rel.names()], ordered=False)
    if source.ordered:
        by = [exp.Ordered(this=_column(c), desc=False, nulls_first=False) for c in (ORDER, place)]
        window = exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=by))
        query = query.select(exp.alias_(window, ORDER, quoted=True), copy=False)
    expanded = {n for n, _ in rel.expand}
    forms = {n: f for n, f in source.forms.items() if n not in expanded and n in trees}
    return context.add(rel, query, forms, ordered=source.ordered)


def _rows(rel: Unnest, gathered: SqlFrame, lists: Sequence[str], keys: Sequence[str], place: str, context: SqlContext) -> SqlFrame:  # fmt: skip
    """One row an element; the shorter lists end in nulls."""
    lengths = [build.coalesce(build.plain_func("len", _column(items)), 0) for items in lists]
    longest = build.func("greatest", *lengths) if len(lengths) > 1 else lengths[0]
    if rel.limit is not None:
        longest = build.func("least", longest, max(0, rel.limit))
    places = build.plain_func("range", longest)
    expanded = {n for n, _ in rel.expand}
    kept = [context.column(c.name) for c in rel.source.schema if c.name not in expanded]
    if gathered.ordered:
        kept.append(context.column(ORDER))
    numbered = exp.select(*kept, *(_column(c) for c in (*lists, *keys)))
    numbered = numbered.select(_named(build.plain_func("unnest", places), place), copy=False).from_(gathered.table)  # fmt: skip
    held = context.add(rel, numbered, gathered.forms, ordered=gathered.ordered)
    one = [
        _named(build.plain_func("list_extract", _column(c), build.op("+", _column(place), 1)), c)
        for c in (*lists, *keys)
    ]
    query = exp.select(*(k.copy() for k in kept), *one, _column(place)).from_(held.table)
    return context.add(rel, query, gathered.forms, ordered=gathered.ordered)


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)


def _named(tree: exp.Expr, name: str) -> exp.Expr:
    return exp.alias_(tree, name, quoted=True)


def _members(json: exp.Expr) -> exp.Expr:
    return build.cast(build.cast(json, "JSON"), "MAP(VARCHAR, JSON)")


def _elements(json: exp.Expr) -> exp.Expr:
    """The elements of an array, the values of a bag; anything else is the one element."""
    return build.case(
        (build.op("=", kind(json), "ARRAY"), build.cast(build.plain_func("json_extract", json, "$[*]"), _TEXTS)),
        (build.op("=", kind(json), "OBJECT"), build.cast(build.plain_func("map_values", _members(json)), _TEXTS)),
        otherwise=build.plain_func("list_value", json),
    )  # fmt: skip


def _keys(json: exp.Expr) -> exp.Expr:
    """The keys of a bag."""
    return build.case((build.op("=", kind(json), "OBJECT"), build.plain_func("map_keys", _members(json))))


def _element(value: exp.Expr, key: exp.Expr, *, as_array: bool) -> exp.Expr:
    """The JSON text of an element; of a bag a small bag, or an array of key and value."""
    start, middle, end = ("[", ",", "]") if as_array else ("{", ":", "}")
    small = build.concat(start, quoted(key), middle, value, end)
    return build.case((build.not_null(key), small), otherwise=build.func("nullif", value, "null"))


def _typed(json: exp.Expr, type_: ScalarType) -> exp.Expr:
    """The element as a value of a type; only numbers are numbers, no text is read as one."""
    if type_ is T.DYNAMIC:
        return json
    if type_ is T.STRING:
        return convert(json, T.DYNAMIC, T.STRING)
    if type_ in (T.INT, T.LONG, T.REAL):
        number = (build.member(kind(json), ["BIGINT", "UBIGINT", "DOUBLE"]), convert(json, T.DYNAMIC, type_))
        if type_ is not T.REAL:
            return build.case(number)
        word = build.member(unquoted(json), ["NaN", "Infinity", "-Infinity"])
        text = build.op("=", kind(json), "VARCHAR")
        return build.case(
            number, (build.all_of(text, word), build.try_cast(unquoted(json), SQL_TYPES[T.REAL]))
        )
    if type_ is T.BOOL:
        truth = build.try_cast(json, SQL_TYPES[T.BOOL])
        return build.case((build.op("=", kind(json), "BOOLEAN"), truth))
    return convert(json, T.DYNAMIC, type_)
