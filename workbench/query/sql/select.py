"""One SELECT: filter, groups, windows, order, cut, columns; in the order in which SQL means them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from workbench.base.diagnostics import sql as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.query.plan import (
    Call,
    Col,
    Const,
    Distinct,
    Expr,
    Limit,
    Project,
    Rel,
    Sort,
    SortKey,
    Summarize,
    columns_of,
    unique,
)
from workbench.query.sql import aggregating, conditions, expressions, windows
from workbench.query.sql.asking import Asking, Whole, Window, substituted
from workbench.query.sql.rows import Field, Row, extended, filtered, same

T = ScalarType
_KNOWN = frozenset(
    [
        "kind",
        "hint",
        "distinct",
        "expressions",
        "limit",
        "exclude",
        "operation_modifiers",
        "from_",
        "joins",
        "where",
        "with_",
        "group",
        "having",
        "order",
        "offset",
        "qualify",
    ]
)


@dataclass(slots=True)
class Item:
    """A column of the answer: its name, its value, what was written."""

    name: str
    value: Expr
    node: exp.Expr


def bound(whole: Whole, node: exp.Select, parent: Asking | None, row: Row) -> Row:
    """The rows of a SELECT over those of its FROM."""
    a = Asking(whole, row, parent)
    for name, part in node.args.items():
        if part and name not in _KNOWN:
            raise diagnostics.not_taken(f"{name.strip('_').upper()} in SELECT", a.span(node))
    a.aliases = {e.alias.lower(): e.this for e in reversed(node.expressions) if isinstance(e, exp.Alias)}
    where = node.args.get("where")
    if where is not None:
        with a.clause("WHERE"):
            rel = filtered(row.rel, conditions.truth(a, where.this))
        a.row = row.over(rel)
    keys = _group_keys(a, node)
    items = _items(a, node)
    having = _clause(a, node.args.get("having"), "HAVING", windowed=False)
    qualify = _clause(a, node.args.get("qualify"), "QUALIFY", windowed=True)
    order = _order(a, node.args.get("order"), items)
    _refuse_distinct_on(a, node)
    rel = a.row.rel
    if keys or a.aggregates or node.args.get("group") is not None or having is not None:
        rel, items, having, qualify, order = _grouped(a, keys, items, having, qualify, order)
        a.row = replace(a.row, rel=rel)
    rel = filtered(rel, having)
    if a.windows:
        rel = windows.applied(a, rel, a.windows)
        a.row = a.row.over(rel)
    rel = filtered(rel, qualify)
    if node.args.get("distinct") is None:
        rel = _cut(a, _sorted(rel, _with_nulls(a, order)), node)
        return _projected(a, rel, items, node, marked=True)
    row = _projected(a, rel, items, node, marked=False)
    rel = Distinct(row.rel.schema, row.rel)
    keys_over = tuple(replace(k, value=_as_output(a, k.value, items, row, node)) for k in order)
    return row.over(_cut(a, _sorted(rel, keys_over), node))


def _clause(a: Asking, node: exp.Expr | None, name: str, *, windowed: bool) -> Expr | None:
    if node is None:
        return None
    with a.clause(name, aggregates=True, windows=windowed):
        return conditions.truth(a, node.this)


# ---- columns ----------------------------------------------------------------------------------


def _items(a: Asking, node: exp.Select) -> list[Item]:
    """The columns that are asked for, `*` spread."""
    items: list[Item] = []
    written = node.expressions or [exp.Star()]
    with a.clause("SELECT", aggregates=True, windows=True):
        for number, e in enumerate(written, 1):
            star = e if isinstance(e, exp.Star) else e.this if isinstance(e, exp.Column) else None
            if isinstance(star, exp.Star):
                items += _spread(a, e, star)
                continue
            inner = e.this if isinstance(e, exp.Alias) else e
            busy = e.alias.lower() if isinstance(e, exp.Alias) else ""
            a.busy.add(busy)
            value = expressions.bind(a, inner)
            a.busy.discard(busy)
            items.append(Item(_output_name(a, e, value, number), value, e))
    if not items:
        raise diagnostics.not_taken("SELECT * without FROM", a.span(node))
    return items


def _output_name(a: Asking, e: exp.Expr, value: Expr, number: int) -> str:
    if isinstance(e, exp.Alias):
        return str(e.alias)
    inner = e.unnest()
    while isinstance(inner, exp.Cast) and isinstance(inner.this.unnest(), exp.Column):
        inner = inner.this.unnest()
    if isinstance(inner, exp.Column):
        if isinstance(value, Col):
            return next((f.name for f in a.row.fields if f.column == value.name), inner.name)
        return str(inner.name)
    if isinstance(inner, exp.JSONExtract | exp.JSONExtractScalar) and isinstance(
        inner.expression, exp.JSONPath
    ):
        last = inner.expression.expressions[-1]
        return str(last.this) if isinstance(last, exp.JSONPathKey) else f"column{number}"
    if isinstance(inner, exp.Dot):
        return str(inner.expression.name) or f"column{number}"
    if isinstance(
        inner, exp.Predicate | exp.Binary | exp.Connector | exp.Not | exp.Literal | exp.Cast | exp.Subquery
    ):
        return f"column{number}"
    return aggregating.output_name(inner) or f"column{number}"


def _spread(a: Asking, e: exp.Expr, star: exp.Star) -> list[Item]:
    table = e.args["table"].name if isinstance(e, exp.Column) and e.args.get("table") is not None else None
    if table is not None and not any(same(table, t) for t in a.row.tables()):
        raise diagnostics.unknown_alias(table, a.span(e), a.row.tables())
    without = {n.name.lower() for n in star.args.get("except_") or star.args.get("except") or ()}
    if star.args.get("replace") or star.args.get("rename"):
        raise diagnostics.not_taken("REPLACE or RENAME behind *", a.span(e), "* EXCLUDE (x), f(x) AS x")
    fields = [f for f in a.row.fields if not f.hidden and (same(f.table, table) if table else not f.covered)]
    return [
        Item(f.name, Col(f.type, f.column, a.span(e)), e) for f in fields if f.name.lower() not in without
    ]


def _projected(a: Asking, rel: Rel, items: list[Item], node: exp.Expr, *, marked: bool) -> Row:
    """The answer's columns under names of their own, with what tells which texts are null."""
    columns: list[tuple[str, Expr]] = []
    fields: list[Field] = []
    taken: set[str] = set()
    markers: list[tuple[Expr, str]] = []
    for item in items:
        name = unique(item.name, taken)
        taken.add(name)
        value = item.value
        columns.append((name, value))
        null = a.null_of(value) if marked and value.type is T.STRING else None
        marker = next((m for n, m in markers if n == null), None) if null is not None else None
        if null is not None and marker is None:
            marker = a.whole.fresh("there")
            markers.append((null, marker))
        fields.append(Field(None, item.name, name, value.type, marker=marker))
    schema = [Column(n, e.type) for n, e in columns]
    for null, marker in markers:
        columns.append((marker, a.call("iff", null, Const(T.BOOL, None), Const(T.BOOL, True))))
        schema.append(Column(marker, T.BOOL, True))
    return Row(Project(tuple(schema), rel, tuple(columns)), tuple(fields))


# ---- groups -----------------------------------------------------------------------------------


def _group_keys(a: Asking, node: exp.Select) -> list[Expr]:
    group = node.args.get("group")
    if group is None:
        return []
    for name, part in group.args.items():
        if part and name not in ("expressions", "all"):
            raise diagnostics.not_taken(f"GROUP BY {name.replace('_', ' ').upper()}", a.span(group), "UNION ALL of several GROUP BY")  # fmt: skip
    keys: list[Expr] = []
    with a.clause("GROUP BY"):
        nodes = list(group.expressions)
        if group.args.get("all"):
            nodes = [e for e in node.expressions if not any(aggregating.is_aggregate(n) for n in e.walk())]
        for e in nodes:
            made = expressions.bind(a, _positioned(a, e, node.expressions))
            if made.type is T.DYNAMIC:
                made = a.b.convert(made, T.STRING)
            if not isinstance(made, Const) and made not in keys:
                keys.append(made)
    return keys


def _positioned(a: Asking, e: exp.Expr, items: list[exp.Expr]) -> exp.Expr:
    """What a number in GROUP BY stands for."""
    if not (isinstance(e, exp.Literal) and not e.is_string and e.this.isdigit()):
        return e
    place = int(e.this)
    if not 1 <= place <= len(items) or isinstance(items[place - 1], exp.Star):
        raise diagnostics.no_position(e.this, len(items), a.span(e))
    chosen = items[place - 1]
    return chosen.this if isinstance(chosen, exp.Alias) else chosen


Parts = tuple[Rel, list[Item], Expr | None, Expr | None, list[SortKey]]


def _grouped(a: Asking, keys: list[Expr], items: list[Item], having: Expr | None, qualify: Expr | None, order: list[SortKey]) -> Parts:  # fmt: skip
    """The groups, and everything that is asked of them in terms of keys and aggregates."""
    named = [(k.name if isinstance(k, Col) else a.whole.fresh("key"), k) for k in keys]
    aggregates = tuple(a.aggregates)
    made = tuple(c for g in aggregates for c in g.columns)
    schema = tuple(Column(n, e.type) for n, e in named) + made
    rel: Rel
    if aggregates or not named:
        rel = Summarize(schema, a.row.rel, tuple(named), aggregates)
        if not made and not named:
            raise diagnostics.not_taken(
                "HAVING without groups", a.span(items[0].node), "WHERE asks about rows"
            )
    else:
        rel = Distinct(schema, Project(schema, a.row.rel, tuple(named)))
    columns = {c.name for c in schema} | {w.name for w in a.windows}

    def over(expr: Expr, node: exp.Expr) -> Expr:
        def change(part: Expr) -> Expr | None:
            return next((Col(key.type, name) for name, key in named if part == key), None)

        new = substituted(expr, change)
        for stray in _columns(new):
            if stray.name not in columns:
                field = next((f.name for f in a.row.fields if f.column == stray.name), stray.name)
                raise diagnostics.not_grouped(field, stray.span if stray.span.end else a.span(node))
        return new

    items = [replace(i, value=over(i.value, i.node)) for i in items]
    anywhere = items[0].node.parent or items[0].node
    having = over(having, anywhere) if having is not None else None
    qualify = over(qualify, anywhere) if qualify is not None else None
    order = [replace(k, value=over(k.value, anywhere)) for k in order]
    a.windows = [_window_over(w, lambda e: over(e, anywhere)) for w in a.windows]
    return rel, items, having, qualify, order


def _window_over(w: Window, over) -> Window:  # type: ignore[no-untyped-def]
    keys = tuple(replace(k, value=over(k.value)) for k in w.order)
    return replace(w, args=tuple(over(e) for e in w.args), by=tuple(over(e) for e in w.by), order=keys)


def _columns(expr: Expr) -> list[Col]:
    if isinstance(expr, Col):
        return [expr]
    return [c for arg in expr.args for c in _columns(arg)] if isinstance(expr, Call) else []


# ---- order and cut ----------------------------------------------------------------------------


def _order(a: Asking, node: exp.Expr | None, items: list[Item]) -> list[SortKey]:
    """The keys of ORDER BY: a number is a column of the answer, a name first of all one of its names."""
    if node is None:
        return []
    keys: list[SortKey] = []
    with a.clause("ORDER BY", aggregates=True, windows=True):
        for ordered in node.expressions:
            e = ordered.this
            if isinstance(e, exp.Literal) and not e.is_string and e.this.isdigit():
                if not 1 <= int(e.this) <= len(items):
                    raise diagnostics.no_position(e.this, len(items), a.span(e))
                value = items[int(e.this) - 1].value
            elif isinstance(e, exp.Column) and len(e.parts) == 1 and e.name.lower() in a.aliases:
                value = next(i.value for i in items if i.name.lower() == e.name.lower())
            else:
                value = expressions.bind(a, e)
            if not isinstance(value, Const):
                keys.append(windows.key_of(a, value, ordered))
    return keys


def _with_nulls(a: Asking, keys: list[SortKey]) -> list[SortKey]:
    """A text that may be null is ordered by that first: as text it is ""."""
    found: list[SortKey] = []
    for key in keys:
        null = a.null_of(key.value) if key.value.type is T.STRING else None
        if null is not None:
            found.append(SortKey(null, key.nulls_first, False))
        found.append(key)
    return found


def _sorted(rel: Rel, keys: list[SortKey] | tuple[SortKey, ...]) -> Rel:
    return Sort(rel.schema, rel, tuple(keys)) if keys else rel


def _cut(a: Asking, rel: Rel, node: exp.Expr) -> Rel:
    """LIMIT and OFFSET (or FETCH)."""
    limit, offset = node.args.get("limit"), node.args.get("offset")
    most = None
    if isinstance(limit, exp.Fetch):
        if limit.args.get("limit_options") is not None and "percent" in limit.sql().lower():
            raise diagnostics.not_taken("FETCH … PERCENT", a.span(limit))
        most = _number(a, limit.args.get("count"), "FETCH")
    elif limit is not None:
        if limit.args.get("limit_options") is not None or limit.expressions:
            raise diagnostics.not_taken("this form of LIMIT", a.span(limit))
        written = limit.expression
        everything = isinstance(written, exp.Column) and written.name.lower() == "all"
        most = None if everything else _number(a, written, "LIMIT")
    skipped = _number(a, offset.expression, "OFFSET") if offset is not None else None
    if skipped:
        if most is not None:
            rel = Limit(rel.schema, rel, most + skipped)
        number = a.whole.fresh("row")
        from workbench.query.plan import Serialize

        rel = extended(Serialize(rel.schema, rel), [(number, Call(T.LONG, "row_number", (), ()))])
        return filtered(rel, a.call(">", Col(T.LONG, number), Const(T.LONG, skipped)))
    return rel if most is None else Limit(rel.schema, rel, most)


def _number(a: Asking, node: exp.Expr | None, what: str) -> int | None:
    if node is None:
        return 1
    with a.clause(what):
        known = None if columns_of(made := expressions.bind(a, node)) else a.constant(made)
    if (
        known is None
        or (known.value is not None and not isinstance(known.value, int))
        or (known.value or 0) < 0
    ):
        raise diagnostics.not_constant(f"the number of {what}", a.span(node))
    return None if known.value is None else int(known.value)


def _refuse_distinct_on(a: Asking, node: exp.Select) -> None:
    distinct = node.args.get("distinct")
    on = distinct.args.get("on") if distinct is not None else None
    if on is not None:
        hint = "QUALIFY row_number() OVER (PARTITION BY … ORDER BY …) = 1"
        raise diagnostics.not_taken("DISTINCT ON", a.span(on), hint)


def _as_output(a: Asking, value: Expr, items: list[Item], row: Row, node: exp.Expr) -> Expr:
    """A key of ORDER BY behind DISTINCT: made of columns of the answer."""

    def change(part: Expr) -> Expr | None:
        for item, field in zip(items, row.fields, strict=True):
            if item.value == part:
                return Col(field.type, field.column)
        return None

    new = substituted(value, change)
    own = {f.column for f in row.fields}
    if any(c.name not in own for c in _columns(new)):
        raise diagnostics.misplaced(
            "a column that is not selected", "ORDER BY behind DISTINCT", a.span(node.args["order"])
        )
    return new


def ordered_outside(whole: Whole, row: Row, node: exp.Expr, parent: Asking | None) -> Row:
    """ORDER BY, LIMIT and OFFSET behind a UNION or a subquery in parentheses."""
    a = Asking(whole, row, parent)
    items = [Item(f.name, Col(f.type, f.column), node) for f in row.fields if not f.hidden]
    keys = _order(a, node.args.get("order"), items)
    return row.over(_cut(a, _sorted(row.rel, _with_nulls(a, keys)), node))
