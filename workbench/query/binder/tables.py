"""Tabular expressions: stored tables, lets, let functions, `table()`, `materialize()`."""

from __future__ import annotations

from collections.abc import Callable

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType, Schema
from workbench.query import syntax
from workbench.query.binder.inside import Inside
from workbench.query.binder.scope import Entry, FunctionEntry, PendingEntry, ScalarEntry, TableEntry
from workbench.query.operators import OPERATORS
from workbench.query.operators.externaldata import Unread
from workbench.query.plan import ONE_ROW, Const, Rel, Scan, Values


def table(b: Inside, node: syntax.Expression | syntax.Pipeline) -> Rel:
    """The relation that `node` stands for (KQL206 where it is a value)."""
    if isinstance(node, syntax.Pipeline):
        source = _source(b, node.source)
        return b.pipe(source, node.operators)
    return _source(b, node)


def _source(b: Inside, node: syntax.Expression | syntax.Operator) -> Rel:
    if isinstance(node, syntax.Operator):
        card = OPERATORS.get(node.keyword)
        assert card is not None  # the parser looked it up
        return card.bind(node, None, b)
    if isinstance(node, syntax.Lambda):
        return table(b, node.pipeline)
    if isinstance(node, syntax.Named):
        return _source(b, node.value)
    if isinstance(node, syntax.Name):
        return _named(b, node)
    if isinstance(node, syntax.Call):
        return _called(b, node)
    if isinstance(node, syntax.Member):
        if isinstance(node.base, syntax.Call | syntax.Member):
            return _named(b, syntax.Name(node.span, node.name))  # workspace("w").T, cluster().database().T
        raise diagnostics.expected_table(node.span)
    raise diagnostics.expected_table(node.span)


def _named(b: Inside, node: syntax.Name) -> Rel:
    entry = resolved(b, node.name)
    if isinstance(entry, TableEntry):
        return entry.rel
    if isinstance(entry, ScalarEntry):
        raise diagnostics.expected_table(node.span)
    if isinstance(entry, FunctionEntry):
        call = syntax.Call(node.span, node.name, (), node.span)
        return b.let_table(entry, call)
    return stored(b, node.name, node)


def stored(b: Inside, name: str, node: syntax.Node) -> Rel:
    """A stored table, or a DataFrame of the caller."""
    schema = b.catalog.schema(name)
    if schema is not None:
        return stored_scan(schema, name)
    outside = b.outside(name)
    if isinstance(outside, Values):
        return outside
    if isinstance(outside, Const):
        raise diagnostics.expected_table(node.span)
    known = sorted({*b.catalog.tables(), *(n for n in b.scope.names())})
    raise diagnostics.unknown_table(name, node.span, known)


def stored_scan(schema: Schema, name: str) -> Scan:
    """All rows of a stored table."""
    names = {c.name for c in schema}
    return Scan(schema, name, numbered={"_Writer", "_Sequence"} <= names)


def resolved(b: Inside, name: str) -> Entry | None:
    """What a let name stands for, bound at its first use."""
    scope = b.scope.holder(name)
    if scope is None:
        return None
    entry = scope.entries[name]
    if not isinstance(entry, PendingEntry):
        return entry
    if entry.busy:
        raise diagnostics.bad_argument(name, "is defined by itself", entry.value.span)
    entry.busy = True
    before, b.scope = b.scope, entry.scope
    try:
        found: Entry
        if isinstance(entry.value, syntax.Pipeline) or looks_tabular(b, entry.value, ONE_ROW):
            found = TableEntry(table(b, entry.value))
        else:
            found = ScalarEntry(b.fold(b.expr(entry.value, ONE_ROW)))
    finally:
        b.scope = before
        entry.busy = False
    scope.entries[name] = found
    return found


# ---- calls that are tables ------------------------------------------------------------------


def _table(b: Inside, node: syntax.Call) -> Rel:
    if not node.arguments:
        raise diagnostics.wrong_count("table", "1 argument", 0, node.span)
    name = b.constant(node.arguments[0], "the name in table()", ScalarType.STRING)
    entry = resolved(b, name)
    return entry.rel if isinstance(entry, TableEntry) else stored(b, name, node.arguments[0])


def _materialize(b: Inside, node: syntax.Call) -> Rel:
    if len(node.arguments) != 1:
        raise diagnostics.wrong_count(node.name, "1 argument", len(node.arguments), node.span)
    return table(b, node.arguments[0])


def _watchlist(b: Inside, node: syntax.Call) -> Rel:
    """Watchlists are not kept yet: the columns that every one has, no rows, and a warning."""
    from workbench.base.dtypes import Column

    name = (
        b.constant(node.arguments[0], "the name of a watchlist", ScalarType.STRING) if node.arguments else ""
    )
    names = ("_DTItemId", "LastUpdatedTimeUTC", "SearchKey", "WatchlistItem")
    types = (ScalarType.STRING, ScalarType.DATETIME, ScalarType.STRING, ScalarType.DYNAMIC)
    schema = tuple(Column(n, t) for n, t in zip(names, types, strict=True))
    return Unread(schema, f"The watchlist {name!r} has no rows here: watchlists are not kept yet.")


TABULAR_CALLS: dict[str, Callable[[Inside, syntax.Call], Rel]] = {
    "table": _table,
    "materialize": _materialize,
    "totable": _materialize,
    "_GetWatchlist": _watchlist,
}


def is_tabular_call(b: Inside, node: syntax.Call) -> bool:
    entry = b.scope.find(node.name)
    if isinstance(entry, FunctionEntry):
        return b.let_is_tabular(entry)
    if node.name == "materialize" and node.arguments:
        return looks_tabular(b, node.arguments[0], ONE_ROW)
    return node.name in TABULAR_CALLS


def _called(b: Inside, node: syntax.Call) -> Rel:
    entry = b.scope.find(node.name)
    if isinstance(entry, FunctionEntry):
        return b.let_table(entry, node)
    form = TABULAR_CALLS.get(node.name)
    if form is not None:
        return form(b, node)
    if node.name in ("workspace", "app", "resource", "cluster", "database"):
        raise diagnostics.expected("a table behind it", f"'{node.name}(…)' alone", node.span)
    from workbench.query.functions import FUNCTIONS

    if node.name in FUNCTIONS:
        raise diagnostics.expected_table(node.span)
    known = [*TABULAR_CALLS, *b.scope.names()]
    raise diagnostics.unknown_function(node.name, node.name_span, known)


def looks_tabular(b: Inside, node: syntax.Expression, row: Rel) -> bool:
    """Whether an argument is a table rather than a value."""
    if isinstance(node, syntax.Lambda):
        return True
    if isinstance(node, syntax.Name):
        if row.column(node.name) is not None:
            return False
        entry = resolved(b, node.name)
        if entry is not None:
            return isinstance(entry, TableEntry)
        return b.catalog.schema(node.name) is not None or isinstance(b.hooks.outside(node.name), Values)
    if isinstance(node, syntax.Call):
        return is_tabular_call(b, node)
    if isinstance(node, syntax.Member) and isinstance(node.base, syntax.Call):
        return node.base.name in ("workspace", "app", "resource", "cluster", "database")
    return False
