"""The binder: one object a query, with the scope, the options and what it found on the way."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.base import clock
from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import Span, WorkbenchError
from workbench.query import syntax
from workbench.query.binder import (
    calls,
    declarations,
    expressions,
    functions_let,
    names,
    places,
    projections,
    tables,
    visible,
)
from workbench.query.binder.inside import Catalog, Hooks
from workbench.query.binder.scope import (
    BoundName,
    Entry,
    FunctionEntry,
    ScalarEntry,
    Scope,
    TableEntry,
)
from workbench.query.binder.stored_names import StoredNames
from workbench.query.functions import purity
from workbench.query.operators import OPERATORS
from workbench.query.operators._several import Several, batch
from workbench.query.plan import ONE_ROW, Aggregate, Const, Expr, Rel, SortKey, Values
from workbench.query.sources import Sources

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound query: the plan, what `render` asked for, which notebook names it used."""

    rel: Rel
    render: tuple[str, Mapping[str, Any]] | None
    names: tuple[BoundName, ...]


def bind(query: syntax.Query, text: str, catalog: Catalog, hooks: Hooks, parameters: Mapping[str, Const] | None = None) -> Bound:  # fmt: skip
    """The plan of a query.

    Raises
    ------
    WorkbenchError
        KQL1xx, KQL2xx with the place in `text`.
    """
    binder = Binder(text, catalog, hooks)
    try:
        return binder.query(query, parameters or {})
    except WorkbenchError as error:
        raise (hooks.sources or Sources(text)).located(error) from None


class Binder:
    """Implements `inside.Inside`; its parts are modules of functions that take it."""

    def __init__(self, text: str, catalog: Catalog, hooks: Hooks) -> None:
        self.text = text
        self.catalog = catalog
        self.hooks = hooks
        self.scope = Scope()
        self.now = clock.now_ticks()
        self.materialized = 0  # how many `materialize()` there are so far
        self.rendered: tuple[str, Mapping[str, Any]] | None = None
        self.bound: dict[str, BoundName] = {}
        self.calling: list[FunctionEntry] = []
        self.aliases: dict[str, syntax.Expression] = {}

    # ---- statements -------------------------------------------------------------------------

    def query(self, query: syntax.Query, parameters: Mapping[str, Const]) -> Bound:
        if self.hooks.stored is not None:
            self.scope.behind = StoredNames(self.hooks.stored, self.scope)
        self.scope = Scope(self.scope, {n: ScalarEntry(c) for n, c in parameters.items()}).child()
        self.statements(query.statements)
        if not query.pipelines:
            raise diagnostics.empty_query()
        answers = [
            tables.table(self, p) if self._is_table(p) else self._scalar_result(p) for p in query.pipelines
        ]
        rel = answers[0] if len(answers) == 1 else batch(answers)
        used = tuple(self.bound.values())
        return Bound(rel, self.rendered, used)

    def _is_table(self, pipeline: syntax.Pipeline) -> bool:
        source = pipeline.source
        if pipeline.operators or isinstance(
            source, syntax.Operator | syntax.Name | syntax.Lambda | syntax.Member
        ):
            return True
        return tables.looks_tabular(self, source, ONE_ROW)

    def _scalar_result(self, pipeline: syntax.Pipeline) -> Rel:
        raise diagnostics.expected_table(pipeline.span)

    def statements(self, statements: Sequence[syntax.Statement]) -> None:
        """Declare lets and parameters in the present scope."""
        declarations.declare(self, statements)

    # ---- the interface of operators ---------------------------------------------------------

    def expr(self, node: syntax.Expression, row: Rel) -> Expr:
        return expressions.bind(self, node, row)

    def predicate(self, node: syntax.Expression, row: Rel) -> Expr:
        bound = self.expr(node, row)
        if bound.type is ScalarType.BOOL:
            return bound
        if bound.type is ScalarType.DYNAMIC or bound.type.is_number:
            return self.convert(bound, ScalarType.BOOL)
        raise diagnostics.wrong_type("a condition", "bool", bound.type.value, node.span)

    def constant(self, node: syntax.Expression, what: str, type_: ScalarType | None = None) -> Any:
        try:
            bound = self.expr(node, ONE_ROW)
        except WorkbenchError as error:
            if error.code != diagnostics.UNKNOWN_COLUMN:
                raise
            raise diagnostics.not_constant(what, error.span or node.span) from None
        if type_ is not None:
            bound = self.convert(bound, type_)
        folded = self.fold(bound)
        if not isinstance(folded, Const):
            raise diagnostics.not_constant(what, node.span)
        return folded.value

    def fold(self, expr: Expr) -> Expr:
        return expr if isinstance(expr, Const) else self.hooks.fold(expr)

    def call(self, function: str, *args: Expr, span: Span | None = None) -> Expr:
        return calls.call(self, function, list(args), span or Span(0, 0))

    def convert(self, expr: Expr, type_: ScalarType) -> Expr:
        return calls.convert(expr, type_)

    def columns(self, nodes: Sequence[syntax.Expression], row: Rel, *, beside: Collection[str] = (), printed: bool = False, replacing: bool = False) -> list[tuple[str, Expr]]:  # fmt: skip
        return projections.columns(self, nodes, row, beside=beside, printed=printed, replacing=replacing)

    def aggregates(self, nodes: Sequence[syntax.Expression], row: Rel, keys: Sequence[tuple[str, Expr]]) -> tuple[tuple[Aggregate, ...], list[tuple[str, Expr]]]:  # fmt: skip
        return projections.aggregates(self, nodes, row, keys)

    def sort_keys(self, keys: Sequence[syntax.Ordered], row: Rel) -> tuple[SortKey, ...]:
        found = []
        for key in keys:
            value = key.value.value if isinstance(key.value, syntax.Named) else key.value
            bound = self.expr(value, row)
            if bound.type is ScalarType.DYNAMIC:
                raise diagnostics.wrong_type(
                    "sort", "a scalar", "dynamic", key.span, "cast it: tostring(…), tolong(…)"
                )
            descending = key.descending is not False
            nulls_first = (not descending) if key.nulls_first is None else key.nulls_first
            found.append(SortKey(bound, descending, nulls_first))
        return tuple(found)

    def result_name(self, node: syntax.Expression, row: Rel) -> str | None:
        return names.result_name(node, row)

    def table(self, node: syntax.Expression | syntax.Pipeline) -> Rel:
        return tables.table(self, node)

    def is_table(self, node: syntax.Expression, row: Rel) -> bool:
        return tables.looks_tabular(self, node, row)

    def pipe(self, source: Rel, operators: Sequence[syntax.Operator]) -> Rel:
        for operator in operators:
            card = OPERATORS.get(operator.keyword)
            assert card is not None  # the parser looked it up
            if isinstance(source, Several) and operator.keyword != "render":
                raise diagnostics.several_tables(operator.keyword, operator.span)
            source = card.bind(operator, source, self)
        return source

    def tables_matching(self, star: syntax.Star) -> list[tuple[str, Rel]]:
        pattern, span = star.pattern, star.span
        lets = {n for n in self.scope.names() if fnmatch.fnmatchcase(n, pattern)}
        if star.place is not None:
            places.here(self, star.place)
            lets = set()
        found: list[tuple[str, Rel]] = []
        views = set()
        for name in sorted(lets):
            entry = self.scope.find(name)
            if isinstance(entry, FunctionEntry) and entry.body.view and visible.permitted(self, name):
                found.append((name, self.table(syntax.Name(span, name))))
                if entry.stored:
                    views.add(name)
        for name in self.catalog.tables():
            if name in views or not visible.permitted(self, name, stored=True):
                continue
            if fnmatch.fnmatchcase(name, pattern):
                schema = self.catalog.schema(name)
                if schema is not None:
                    found.append((name, tables.stored_scan(schema, name)))
        return found

    def movable(self, expr: Expr) -> bool:
        return purity.movable(expr)

    # ---- the parts of the binder, for each other --------------------------------------------

    def resolved(self, name: str) -> Entry | None:
        """What a let name stands for, bound at its first use."""
        return tables.resolved(self, name)

    def is_tabular_call(self, node: syntax.Call) -> bool:
        return tables.is_tabular_call(self, node)

    def looks_tabular(self, node: syntax.Expression, row: Rel) -> bool:
        return tables.looks_tabular(self, node, row)

    def let_scalar(self, entry: FunctionEntry, node: syntax.Call, row: Rel) -> Expr:
        return functions_let.scalar(self, entry, node, row)

    def let_table(self, entry: FunctionEntry, node: syntax.Call) -> Rel:
        return functions_let.tabular(self, entry, node, ONE_ROW)

    def let_is_tabular(self, entry: FunctionEntry) -> bool:
        return functions_let.is_tabular(self, entry)

    def evaluate(self, rel: Rel) -> pl.DataFrame:
        return self.hooks.evaluate(rel)

    def folders(self) -> Sequence[str]:
        return self.hooks.surroundings.folders

    def invoke(self, call: syntax.Call, source: Rel) -> Rel:
        entry = self.scope.find(call.name)
        if not isinstance(entry, FunctionEntry):
            known = [n for n in self.scope.names() if isinstance(self.scope.find(n), FunctionEntry)]
            raise diagnostics.unknown_function(call.name, call.name_span, known)
        visible.permit(self, call.name, call.name_span)
        return functions_let.tabular(self, entry, call, ONE_ROW, source)

    def block(self, body: syntax.FunctionBody) -> Rel:
        function = FunctionEntry("subquery", body, self.scope)
        return functions_let.tabular(
            self, function, syntax.Call(body.span, "subquery", (), body.span), ONE_ROW
        )

    def label(self, node: syntax.Expression) -> str | None:
        if isinstance(node, syntax.Name):
            entry = self.scope.find(node.name)
            if entry is None or (isinstance(entry, FunctionEntry) and entry.body.view):
                return node.name
            if isinstance(entry, TableEntry):
                return entry.label
        if isinstance(node, syntax.Member) and places.is_place(node.base):
            return node.name
        if isinstance(node, syntax.Lambda):
            for operator in reversed(node.pipeline.operators):
                named = getattr(operator, "name", None)
                if operator.keyword == "as" and named is not None:
                    return str(named)
            if isinstance(node.pipeline.source, syntax.Expression):
                return self.label(node.pipeline.source)
        return None

    def declare(self, name: str, rel: Rel) -> None:
        # In the outermost scope too: `as` names a table for the statements that follow.
        self.scope.entries[name] = TableEntry(rel, name)

    @contextmanager
    def given(self, name: str, value: Expr) -> Iterator[None]:
        before = self.scope
        self.scope = Scope(before, {name: ScalarEntry(value)})
        try:
            yield
        finally:
            self.scope = before

    def render(self, kind: str, properties: Mapping[str, Any]) -> None:
        self.rendered = (kind, properties)

    def fail(self, error: WorkbenchError) -> WorkbenchError:
        return error.within(self.text)

    # ---- names of the caller ----------------------------------------------------------------

    def outside(self, name: str) -> Const | Values | None:
        """A notebook variable of that name, as a typed constant or a table.

        A stored function sees none: it means the same whoever calls it.
        """
        if any(f.stored for f in self.calling):
            return None
        found = self.hooks.outside(name)
        if found is not None:
            self.bound[name] = BoundName(name, found.type if isinstance(found, Const) else None)
        return found
