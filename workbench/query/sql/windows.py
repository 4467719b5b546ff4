"""Window functions: rows sorted by partition and order, then KQL's row functions that begin anew at each one.

`bind` collects a window while expressions are bound; `applied` adds its column to the relation.
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from workbench.base.diagnostics import sql as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.query.plan import (
    Aggregate,
    Call,
    Col,
    Const,
    Expr,
    Join,
    Rel,
    Shared,
    Sort,
    SortKey,
    Summarize,
)
from workbench.query.sql import aggregating, expressions
from workbench.query.sql.asking import Asking, Window
from workbench.query.sql.rows import extended

T = ScalarType
_RANKS = ("row_number", "rank", "dense_rank")
_NEIGHBOURS = ("lag", "lead", "first_value")
_SUMS = ("sum", "count", "avg", "min", "max")
_HINT = f"there are {', '.join((*_RANKS, *_NEIGHBOURS, *_SUMS))}"


def bind(a: Asking, node: exp.Window) -> Expr:
    """The column of a window; its parts are bound over the rows or, behind GROUP BY, over the groups."""
    span = a.span(node)
    if not a.takes_windows:
        hint = "QUALIFY asks about windows" if a.where in ("WHERE", "HAVING") else None
        raise diagnostics.misplaced("a window function", a.where, span, hint)
    inner = node.this
    name = aggregating.name_of(inner)
    if isinstance(inner, exp.IgnoreNulls | exp.RespectNulls | exp.Filter | exp.WithinGroup) or node.args.get(
        "alias"
    ):
        raise diagnostics.not_taken(
            f"this form of {name}() OVER", span, "a plain OVER (PARTITION BY … ORDER BY …)"
        )
    if name not in (*_RANKS, *_NEIGHBOURS, *_SUMS):
        raise diagnostics.not_taken(f"the window function {name}()", span, _HINT)
    with a.clause("OVER", aggregates=a.takes_aggregates):
        args = tuple(expressions.bind(a, n) for n in _arguments(inner))
        by = tuple(expressions.bind(a, n) for n in node.args.get("partition_by") or ())
        order = tuple(
            sort_key(a, o) for o in (node.args["order"].expressions if node.args.get("order") else ())
        )
    rows, bounded = _frame(a, node, bool(order), name)
    if name in (*_RANKS, *_NEIGHBOURS) and not order:
        raise diagnostics.not_taken(f"{name}() without an order", span, f"{name}(…) OVER (ORDER BY …)")
    if bounded and name in ("min", "max"):
        raise diagnostics.not_taken(
            f"a running {name}()", span, f"{name}(…) OVER (PARTITION BY …), without ORDER BY"
        )
    type_ = T.LONG if name in (*_RANKS, "count") else T.REAL if name == "avg" else args[0].type
    type_ = T.LONG if name == "sum" and type_ is T.INT else type_
    made = Window(a.whole.fresh("win"), name, args, by, order, rows, bounded, type_, span)
    a.windows.append(made)
    return Col(type_, made.name, span)


def _arguments(inner: exp.Expr) -> list[exp.Expr]:
    if isinstance(inner, exp.Anonymous):
        return list(inner.expressions)
    found = [v for v in inner.args.values() if isinstance(v, exp.Expr) and not isinstance(v, exp.Star)]
    return found


def sort_key(a: Asking, node: exp.Expr) -> SortKey:
    """A key of ORDER BY; nulls where the dialect has them, by default behind all others ascending."""
    assert isinstance(node, exp.Ordered)
    value = expressions.bind(a, node.this)
    return key_of(a, value, node)


def key_of(a: Asking, value: Expr, node: exp.Ordered) -> SortKey:
    if value.type is T.DYNAMIC:
        value = a.b.convert(value, T.STRING)
    return SortKey(value, bool(node.args.get("desc")), bool(node.args.get("nulls_first")))


def _frame(a: Asking, node: exp.Window, ordered: bool, name: str) -> tuple[bool, bool]:
    """(whether the frame counts rows, whether it ends at the current row)."""
    spec = node.args.get("spec")
    if spec is None:
        return False, ordered and name in _SUMS
    kind, start, end = spec.args.get("kind"), spec.args.get("start"), spec.args.get("end")
    if start == "UNBOUNDED" and end in ("CURRENT ROW", None) and kind in ("ROWS", "RANGE") and ordered:
        return kind == "ROWS", name in _SUMS
    if start == "UNBOUNDED" and end == "UNBOUNDED":
        return True, False
    raise diagnostics.not_taken("this frame of a window", a.span(node), "UNBOUNDED PRECEDING up to CURRENT ROW, or all rows")  # fmt: skip


# ---- into the plan ----------------------------------------------------------------------------


def applied(a: Asking, rel: Rel, windows: list[Window]) -> Rel:
    """`rel` with a column for each window."""
    for window in windows:
        rel = _whole(a, rel, window) if _is_whole(window) else _running(a, rel, window)
    return rel


def _is_whole(window: Window) -> bool:
    return window.function in _SUMS and not window.bounded


def _named(a: Asking, rel: Rel, exprs: tuple[Expr, ...]) -> tuple[Rel, list[Col]]:
    """`rel` with the expressions as columns of it."""
    names = [(a.whole.fresh("by"), e) for e in exprs]
    return extended(rel, names), [Col(e.type, n) for n, e in names]


def _aggregates(
    a: Asking, window: Window, source: Rel, arg: Expr | None
) -> tuple[tuple[Aggregate, ...], Expr]:
    """The aggregates of a window over the whole partition, and the value made of them."""
    inner = Asking(a.whole, replace(a.row, rel=source), takes_aggregates=True)
    if window.function == "count":
        null = inner.null_of(arg) if arg is not None else None
        made: Expr = inner.aggregate("count", [], window.span) if null is None else inner.aggregate("countif", [inner.call("not", null)], window.span)  # fmt: skip
        return tuple(inner.aggregates), made
    assert arg is not None
    made = inner.aggregate(window.function, [arg], window.span)
    if window.function in ("sum", "avg"):
        count = inner.aggregate("countif", [inner.call("isnotnull", arg)], window.span)
        made = inner.call("iff", inner.call("==", count, Const(T.LONG, 0)), Const(made.type, None), made)
    return tuple(inner.aggregates), made


def _whole(a: Asking, rel: Rel, window: Window) -> Rel:
    """An aggregate of the partition beside each of its rows: groups joined to the rows again."""
    rel, by = _named(a, rel, window.by)
    a.b.materialized += 1
    shared = Shared(rel.schema, rel, a.b.materialized)
    aggregates, value = _aggregates(a, window, shared, window.args[0] if window.args else None)
    keys = tuple((f"{c.name}k", c) for c in by)
    schema = tuple(Column(n, c.type, True) for n, c in keys)
    grouped = Summarize(schema + tuple(c for g in aggregates for c in g.columns), shared, keys, aggregates)
    made = extended(grouped, [(window.name, value)])
    return beside(shared, made, [(c.name, n) for (n, _), c in zip(keys, by, strict=True)], (window.name,))


def beside(left: Rel, right: Rel, on: list[tuple[str, str]], taken: tuple[str, ...]) -> Rel:
    """The rows of `left` with columns of the row of `right` that belongs to them."""
    more = tuple(c for c in right.schema if c.name in taken)
    names = tuple((c.name, c.name) for c in left.schema)
    kind = "leftouter" if on else "inner"
    return Join((*left.schema, *more), left, right, kind, tuple(on), names, tuple((n, n) for n in taken))


def _running(a: Asking, rel: Rel, window: Window) -> Rel:
    rel, by = _named(a, rel, window.by)
    rel, order = _named(a, rel, tuple(k.value for k in window.order))
    keys = [SortKey(c, False, True) for c in by]
    keys += [SortKey(c, k.descending, k.nulls_first) for c, k in zip(order, window.order, strict=True)]
    rel = Sort(rel.schema, rel, tuple(keys))
    # The number of the partition, of which all row functions below know where it begins.
    begins = a.any_of([_changed(a, c) for c in by]) or Const(T.BOOL, False)
    part = a.whole.fresh("part")
    rel = extended(
        rel, [(part, _window(a, "row_cumsum", a.call("iff", begins, Const(T.LONG, 1), Const(T.LONG, 0))))]
    )
    number = Col(T.LONG, part)
    anew = a.call("coalesce", a.call("!=", number, _window(a, "prev", number)), Const(T.BOOL, True))
    name, args = window.function, window.args
    one = Const(T.LONG, 1)
    if name == "row_number":
        return extended(rel, [(window.name, _window(a, "row_number", one, anew))])
    if name in ("rank", "dense_rank"):
        term = (
            order[0] if len(order) == 1 and order[0].type in (T.LONG, T.INT, T.DATETIME, T.STRING) else None
        )
        value = term or a.b.convert(a.kql("pack_array", list(order), window.span), T.STRING)
        card = "row_rank_min" if name == "rank" else "row_rank_dense"
        return extended(rel, [(window.name, _window(a, card, value, anew))])
    if name in ("lag", "lead"):
        return extended(rel, [(window.name, _neighbour(a, window, number))])
    if name == "first_value":
        return _first(a, rel, window, part)
    value = args[0] if args else one
    null = a.null_of(value) if args else None
    held = a.call("iff", null, Const(T.LONG, 0), one) if null is not None else one
    counted = _window(a, "row_cumsum", held, anew)
    summed: Expr = counted
    if name != "count":
        total = _window(a, "row_cumsum", a.b.convert(value, T.LONG) if value.type is T.INT else value, anew)
        if name == "avg":
            total = a.call("/", a.b.convert(total, T.REAL), a.b.convert(counted, T.REAL))
        summed = a.call("iff", a.call("==", counted, Const(T.LONG, 0)), Const(total.type, None), total)
    if window.rows:
        return extended(rel, [(window.name, summed)])
    return _with_peers(a, rel, window, part, summed, order)


def _window(a: Asking, card: str, *args: Expr) -> Expr:
    return a.call(card, *args)


def _changed(a: Asking, column: Col) -> Expr:
    """Whether the value is another than in the row before; null is like null."""
    before = a.call("prev", column)
    if column.type is T.STRING:
        return a.call("!=", column, before)
    here, there = a.call("isnull", column), a.call("isnull", before)
    differs = a.call("coalesce", a.call("!=", column, before), Const(T.BOOL, False))
    return a.call("and", differs, a.call("not", a.call("and", here, there)))


def _neighbour(a: Asking, window: Window, number: Col) -> Expr:
    value, *more = window.args
    card = "prev" if window.function == "lag" else "next"
    offset = a.constant(more[0]) if more else Const(T.LONG, 1)
    if offset is None or not isinstance(offset.value, int):
        raise diagnostics.not_constant(f"the distance in {window.function}()", window.span)
    inside = a.call("coalesce", a.call("==", a.call(card, number, offset), number), Const(T.BOOL, False))
    default = a.b.convert(more[1], value.type) if len(more) > 1 else Const(value.type, None)
    return a.call("iff", inside, a.call(card, value, offset), default)


def _first(a: Asking, rel: Rel, window: Window, part: str) -> Rel:
    a.b.materialized += 1
    shared = Shared(rel.schema, rel, a.b.materialized)
    number = a.whole.fresh("first")
    counted = extended(shared, [(number, Call(T.LONG, "row_number", (), ()))])
    return _one_of(a, shared, counted, window, (part,), number, window.args[0], "arg_min")


def _with_peers(a: Asking, rel: Rel, window: Window, part: str, running: Expr, order: list[Col]) -> Rel:
    """A running value in which rows of equal order have that of the last of them."""
    same = a.whole.fresh("peers")
    begins = a.any_of([*(_changed(a, c) for c in order), _changed(a, Col(T.LONG, part))]) or Const(
        T.BOOL, False
    )
    peers = _window(a, "row_cumsum", a.call("iff", begins, Const(T.LONG, 1), Const(T.LONG, 0)))
    number, value = a.whole.fresh("last"), a.whole.fresh("run")
    rel = extended(rel, [(same, peers), (number, Call(T.LONG, "row_number", (), ())), (value, running)])
    a.b.materialized += 1
    shared = Shared(rel.schema, rel, a.b.materialized)
    return _one_of(a, shared, shared, window, (same,), number, Col(running.type, value), "arg_max")


def _one_of(a: Asking, left: Rel, rows: Rel, window: Window, by: tuple[str, ...], number: str, value: Expr, card: str) -> Rel:  # fmt: skip
    """Beside each row of `left` the value of the first, or last, row of its group."""
    inner = Asking(a.whole, replace(a.row, rel=rows), takes_aggregates=True)
    inner.aggregate(card, [Col(T.LONG, number), value], window.span)
    aggregate = inner.aggregates[0]
    keys = tuple((f"{n}k", Col(T.LONG, n)) for n in by)
    schema = tuple(Column(n, T.LONG, True) for n, _ in keys)
    grouped = Summarize(schema + tuple(aggregate.columns), rows, keys, (aggregate,))
    found = aggregate.columns[1]
    made = extended(grouped, [(window.name, Col(found.type, found.name))])
    return beside(left, made, [(n, f"{n}k") for n in by], (window.name,))
