"""Tabular expressions: stored tables, lets, let functions, `table()`, `materialize()`."""

from __future__ import annotations

from collections.abc import Callable

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType, Schema
from workbench.query import syntax
from workbench.query.binder import patterns, places, visible, watchlists
from workbench.query.binder.inside import Inside
from workbench.query.binder.scope import (
    Entry,
    FunctionEntry,
    PatternEntry,
    PendingEntry,
    ScalarEntry,
    TableEntry,
)
from workbench.query.functions.purity import repeatable
from workbench.query.operators import OPERATORS
from workbench.query.plan import ONE_ROW, Const, Rel, Scan, Shared, Values


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
    if isinstance(node, syntax.Call) and patterns.used(b, node) is None:
        return _called(b, node)
    pattern = patterns.used(b, node)
    if pattern is not None:
        return patterns.table(b, *pattern)
    if isinstance(node, syntax.Member) and isinstance(node.base, syntax.Call | syntax.Qualified):
        places.here(b, node.base)  # workspace("w").T, cluster("c").database("d").T
        return _kept(b, syntax.Call(node.span, node.name, (), node.name_span))
    if isinstance(node, syntax.Qualified):
        places.here(b, node.base)
        form = TABULAR_CALLS.get(node.call.name)
        return form(b, node.call) if form is not None else _kept(b, node.call)
    raise diagnostics.expected_table(node.span)


def _named(b: Inside, node: syntax.Name) -> Rel:
    entry = resolved(b, node.name)
    if isinstance(entry, ScalarEntry):
        raise diagnostics.expected_table(node.span)
    if entry is not None:
        visible.permit(b, node.name, node.span)
    if isinstance(entry, TableEntry):
        return entry.rel
    if isinstance(entry, FunctionEntry):
        call = syntax.Call(node.span, node.name, (), node.span)
        return b.let_table(entry, call)
    if isinstance(entry, PatternEntry):
        raise diagnostics.bad_argument(node.name, "is a pattern, call it with its values", node.span)
    if node.name == "_GetWatchlistAlias" and b.catalog.schema(node.name) is None:
        return watchlists.aliases(b, syntax.Call(node.span, node.name, (), node.span))
    return stored(b, node.name, node)


def _kept(b: Inside, call: syntax.Call) -> Rel:
    """A function or table of the workspace, whatever the query calls by that name."""
    visible.permit(b, call.name, call.span, stored=True)
    entry = _stored_function(b, call.name)
    if entry is not None:
        return b.let_table(entry, call)
    if call.arguments:
        raise diagnostics.unknown_function(call.name, call.name_span, b.hooks.surroundings.functions())
    return stored(b, call.name, call)


def _stored_function(b: Inside, name: str) -> FunctionEntry | None:
    scope = b.scope
    while scope.outer is not None:
        scope = scope.outer
    entry = scope.find(name) if scope.behind is not None else None
    return entry if isinstance(entry, FunctionEntry) else None


def stored(b: Inside, name: str, node: syntax.Node) -> Rel:
    """A stored table, or a DataFrame of the caller."""
    visible.permit(b, name, node.span, stored=True)
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
        raise diagnostics.wrong_count(node.name, "1 argument", 0, node.span)
    name = b.constant(node.arguments[0], f"the name in {node.name}()", ScalarType.STRING)
    argument = node.arguments[0]
    entry = resolved(b, name)
    if isinstance(entry, TableEntry):
        visible.permit(b, name, argument.span)
        return entry.rel
    if b.catalog.schema(name) is None:
        function = _stored_function(b, name)
        if function is not None:
            visible.permit(b, name, argument.span, stored=True)
            return b.let_table(function, syntax.Call(argument.span, name, (), argument.span))
    return stored(b, name, argument)


def _materialize(b: Inside, node: syntax.Call) -> Rel:
    if len(node.arguments) != 1:
        raise diagnostics.wrong_count(node.name, "1 argument", len(node.arguments), node.span)
    rel = table(b, node.arguments[0])
    if rel.schema and not repeatable(rel):
        # Rows that would be others the next time have to be there before anybody reads them twice.
        return Values(rel.schema, (), b.evaluate(rel).select(rel.names()), rel.serialized)
    b.materialized += 1
    return Shared(rel.schema, rel, b.materialized)


TABULAR_CALLS: dict[str, Callable[[Inside, syntax.Call], Rel]] = {
    "table": _table,
    "materialize": _materialize,
    "totable": _materialize,
    # Views, results and tables from outside are tables of the workspace here.
    "materialized_view": _table,
    "external_table": _table,
    "stored_query_result": _table,
    "_GetWatchlist": watchlists.watchlist,
    "_GetWatchlistAlias": watchlists.aliases,
}


def is_tabular_call(b: Inside, node: syntax.Call) -> bool:
    entry = b.scope.find(node.name)
    if isinstance(entry, FunctionEntry):
        return b.let_is_tabular(entry)
    if isinstance(entry, PatternEntry):
        return True
    if node.name == "materialize" and node.arguments:
        return looks_tabular(b, node.arguments[0], ONE_ROW)
    return node.name in TABULAR_CALLS or node.name in places.PLACES


def _called(b: Inside, node: syntax.Call) -> Rel:
    entry = b.scope.find(node.name)
    if isinstance(entry, FunctionEntry):
        visible.permit(b, node.name, node.name_span)
        return b.let_table(entry, node)
    form = TABULAR_CALLS.get(node.name)
    if form is not None:
        return form(b, node)
    if node.name in places.PLACES:
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
        if isinstance(entry, FunctionEntry):
            callable_ = all(p.default is not None for p in entry.body.parameters)
            return callable_ and b.let_is_tabular(entry)
        if entry is not None:
            return isinstance(entry, TableEntry)
        if node.name == "_GetWatchlistAlias":
            return True
        return b.catalog.schema(node.name) is not None or isinstance(b.hooks.outside(node.name), Values)
    if isinstance(node, syntax.Call):
        return is_tabular_call(b, node)
    if isinstance(node, syntax.Qualified):
        if node.call.name in TABULAR_CALLS or not places.is_place(node.base):
            return True
        function = _stored_function(b, node.call.name)
        return function is None or b.let_is_tabular(function)
    if isinstance(node, syntax.Member | syntax.Index):
        return places.is_place(node.base) or patterns.used(b, node) is not None
    return False
