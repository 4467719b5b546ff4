"""SQL text → plan: WITH, FROM, UNION and its kin; `select` binds one SELECT.

Tables are those of KQL: stored tables, functions of the workspace, DataFrames of the caller.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from sqlglot import exp

from workbench.base.diagnostics import sql as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import Span, WorkbenchError
from workbench.query import syntax
from workbench.query.binder.binder import Binder, Bound
from workbench.query.binder.inside import Catalog, Hooks
from workbench.query.binder.scope import FunctionEntry, ScalarEntry, Scope
from workbench.query.binder.stored_names import StoredNames
from workbench.query.functions._card import widest
from workbench.query.plan import (
    ONE_ROW,
    Col,
    Const,
    Distinct,
    Expr,
    Join,
    Project,
    Rel,
    Union,
    Values,
    unique,
)
from workbench.query.sources import Sources
from workbench.query.sql import expressions, joins, select
from workbench.query.sql.asking import Asking, Whole
from workbench.query.sql.reader import read
from workbench.query.sql.rows import Field, Row, row_of

T = ScalarType
_RECURSION = 6_000
_SET = {exp.Union: "UNION", exp.Except: "EXCEPT", exp.Intersect: "INTERSECT"}
_OWN = frozenset({"main", "public", "dbo", "default", "workspace"})


def bind(text: str, dialect: str | None, catalog: Catalog, hooks: Hooks, parameters: Mapping[str, Const] | None = None) -> Bound:  # fmt: skip
    """The plan of a SQL text.

    Raises
    ------
    WorkbenchError
        SQLnnn or KQLnnn with the place in `text`.
    """
    if sys.getrecursionlimit() < _RECURSION:
        sys.setrecursionlimit(_RECURSION)
    try:
        return _bound(text, dialect, catalog, hooks, parameters or {})
    except WorkbenchError as error:
        raise (hooks.sources or Sources(text)).located(error) from None
    except RecursionError:
        whole = Span(0, max(1, len(text)))
        raise diagnostics.too_much("parts inside of each other", 1_000, whole).within(text) from None


def _bound(text: str, dialect: str | None, catalog: Catalog, hooks: Hooks, parameters: Mapping[str, Const]) -> Bound:  # fmt: skip
    tree = read(text, dialect)
    b = Binder(text, catalog, hooks)
    if hooks.stored is not None:
        b.scope.behind = StoredNames(hooks.stored, b.scope)
    b.scope = Scope(b.scope, {n: ScalarEntry(c) for n, c in parameters.items()}).child()
    whole = Whole(b, text, lambda node, parent: query(whole, node, parent))
    row = query(whole, tree, None)
    return Bound(_named(row), None, tuple(b.bound.values()))


def _named(row: Row) -> Rel:
    """The answer's columns under SQL's names, none twice."""
    taken: set[str] = set()
    columns: list[tuple[str, Expr]] = []
    for field in row.fields:
        if field.hidden:
            continue
        name = unique(field.name, taken)
        taken.add(name)
        columns.append((name, Col(field.type, field.column)))
    if [n for n, _ in columns] == row.rel.names():
        return row.rel
    return Project(tuple(Column(n, e.type) for n, e in columns), row.rel, tuple(columns))


# ---- questions --------------------------------------------------------------------------------


def query(whole: Whole, node: exp.Expr, parent: Asking | None) -> Row:
    """The rows of a SELECT, a UNION or its kin, with the tables of its WITH."""
    asking = Asking(whole, row_of(ONE_ROW, None), parent)
    with whole.inner():
        given = node.args.get("with_")
        if given is not None:
            if given.args.get("recursive") and _recursive(given):
                raise diagnostics.not_taken("WITH RECURSIVE", asking.span(given), "write the steps as joins")
            for table in given.expressions:
                names = [c.name for c in table.args["alias"].columns]
                made = query(whole, table.this, parent).named(table.alias, names)
                whole.tables[table.alias.lower()] = made
        if isinstance(node, exp.SetOperation):
            return _together(whole, node, parent, asking)
        if isinstance(node, exp.Subquery):
            return select.ordered_outside(whole, query(whole, node.this, parent), node, parent)
        if isinstance(node, exp.Values):
            return _values(asking, node)
        if not isinstance(node, exp.Select):
            raise diagnostics.not_taken(f"{node.key.upper()} as a table", asking.span(node))
        return select.bound(whole, node, parent, source(whole, node, parent))


def _recursive(given: exp.With) -> bool:
    return any(any(same.name.lower() == t.alias.lower() for same in t.this.find_all(exp.Table)) for t in given.expressions)  # fmt: skip


def source(whole: Whole, node: exp.Select, parent: Asking | None) -> Row:
    """The rows of FROM with its joins; one row without columns where there is none."""
    start = node.args.get("from_")
    if start is None:
        return row_of(ONE_ROW, None)
    where = node.args.get("where")
    condition = where.this.unnest() if where is not None else None
    terms = list(condition.flatten()) if isinstance(condition, exp.And) else [condition] if condition is not None else []  # fmt: skip
    row = _table(whole, start.this, parent)
    for join in (*(start.this.args.get("joins") or ()), *(node.args.get("joins") or ())):
        row = joins.joined(whole, row, _table(whole, join.this, parent), join, parent, terms)
    return row


def _table(whole: Whole, node: exp.Expr, parent: Asking | None) -> Row:
    asking = Asking(whole, row_of(ONE_ROW, None), parent)
    span = asking.span(node)
    for part, name in (
        ("pivots", "PIVOT"),
        ("sample", "TABLESAMPLE"),
        ("laterals", "LATERAL"),
        ("when", "AS OF"),
    ):
        if node.args.get(part):
            raise diagnostics.not_taken(name, span, "KQL has evaluate pivot(), sample and mv-expand")
    alias = node.args.get("alias")
    names = [c.name for c in alias.columns] if isinstance(alias, exp.TableAlias) else []
    called = node.alias or None
    if isinstance(node, exp.Subquery):
        inner = node.this
        if isinstance(inner, exp.Table):
            row = _table(whole, inner, parent)
            for join in inner.args.get("joins") or ():
                row = joins.joined(whole, row, _table(whole, join.this, parent), join, parent, [])
            return row.named(called, names) if called else row
        return query(whole, inner, parent).named(called, names)
    if isinstance(node, exp.Values):
        return _values(asking, node).named(called, names)
    if not isinstance(node, exp.Table):
        hint = "KQL has mv-expand, mv-apply and make-series"
        raise diagnostics.not_taken(f"{node.key.upper()} in FROM", span, hint)
    if isinstance(node.this, exp.Anonymous):
        args = [asking.constant(expressions.bind(asking, n)) for n in node.this.expressions]
        if any(arg is None for arg in args):
            raise diagnostics.not_constant(f"each argument of {node.this.name}()", span)
        literals = tuple(syntax.Literal(span, c.value, c.type) for c in args if c is not None)
        rel = whole.b.table(syntax.Call(span, node.this.name, literals, span))
        return row_of(rel, called or node.this.name).named(called or node.this.name, names)
    if not isinstance(node.this, exp.Identifier):
        raise diagnostics.not_taken(f"{node.this.key.upper()} in FROM", span)
    return _stored(asking, node, node.this).named(called or node.this.name, names)


def _stored(a: Asking, node: exp.Table, identifier: exp.Identifier) -> Row:
    name, span = identifier.this, a.span(identifier)
    place = [p.name for p in (node.args.get("catalog"), node.args.get("db")) if p is not None]
    own = {n.lower() for n in a.b.hooks.surroundings.names} | _OWN
    if any(p and p.lower() not in own for p in place):
        raise diagnostics.unknown_table(node.sql(), a.span(node), sorted(a.b.catalog.tables()))
    held = a.whole.tables.get(name.lower()) if not place else None
    if held is not None:
        return held
    b = a.b
    if not place and isinstance(b.scope.find(name), FunctionEntry):
        return row_of(b.table(syntax.Name(span, name)), name)
    known = b.catalog.tables()
    if name not in known and not identifier.args.get("quoted"):
        alike = [t for t in known if t.lower() == name.lower()]
        name = alike[0] if len(alike) == 1 else name
    if name not in known and b.catalog.schema(name) is None:
        outside = b.outside(name)
        if isinstance(outside, Values):
            return row_of(outside, name)
        raise diagnostics.unknown_table(name, span, sorted({*known, *a.whole.tables}))
    return row_of(b.table(syntax.Name(span, name)), name)


def _values(a: Asking, node: exp.Values) -> Row:
    """Rows that are written in the text; a column has the one type of its values."""
    rows: list[list[Expr]] = []
    for written in node.expressions:
        items = written.expressions if isinstance(written, exp.Tuple) else [written]
        rows.append([a.constant(made) or made for made in (expressions.bind(a, i) for i in items)])
        if len(rows[-1]) != len(rows[0]):
            raise diagnostics.unlike_rows(len(rows[0]), len(rows[-1]), a.span(written))
    columns = [expressions.together(a, list(column), "VALUES", node) for column in zip(*rows, strict=True)]
    cells: list[list[object]] = []
    schema: list[Column] = []
    for number, column in enumerate(columns, 1):
        values: list[object] = []
        for value in column:
            known = a.constant(value)
            if known is None:
                raise diagnostics.not_constant("a value of VALUES", a.span(node))
            values.append("" if known.type is T.STRING and known.value is None else known.value)
        cells.append(values)
        schema.append(Column(f"column{number}", column[0].type))
    return row_of(Values(tuple(schema), tuple(zip(*cells, strict=True))), None)


# ---- sets -------------------------------------------------------------------------------------


def _together(whole: Whole, node: exp.SetOperation, parent: Asking | None, a: Asking) -> Row:
    name = next(n for kind, n in _SET.items() if isinstance(node, kind))
    if node.args.get("by_name"):
        raise diagnostics.not_taken(f"{name} BY NAME", a.span(node), "list the columns in one order")
    chain = _chain(node) if isinstance(node, exp.Union) and not node.args.get("distinct") else [node.this, node.expression]  # fmt: skip
    rows = [query(whole, n, parent) for n in chain]
    first = [f for f in rows[0].fields if not f.hidden]
    for row in rows[1:]:
        width = sum(not f.hidden for f in row.fields)
        if width != len(first):
            raise diagnostics.unlike_widths(name, len(first), width, a.span(node))
    parts = _alike(a, rows, name, node)
    schema = parts[0].schema
    rel: Rel
    if isinstance(node, exp.Union):
        rel = Union(schema, tuple(parts))
        rel = Distinct(schema, rel) if node.args.get("distinct") else rel
    elif not node.args.get("distinct"):
        raise diagnostics.not_taken(f"{name} ALL", a.span(node), f"{name} gives each row once")
    else:
        # Here null rows are like one another, as in a set.
        left, right = (Distinct(p.schema, p) for p in parts)
        on = tuple((c.name, c.name) for c in schema)
        kind = "leftanti" if isinstance(node, exp.Except) else "leftsemi"
        rel = Join(schema, left, right, kind, on, on, ())
    fields = tuple(Field(None, f.name, c.name, c.type) for f, c in zip(first, schema, strict=True))
    return select.ordered_outside(whole, Row(rel, fields), node, parent)


def _chain(node: exp.Expr) -> list[exp.Expr]:
    """The parts of a chain of UNION ALL, without walking down into each other."""
    parts: list[exp.Expr] = []
    while isinstance(node, exp.Union) and not node.args.get("distinct") and (not parts or _bare(node)):
        parts.append(node.expression)
        node = node.this
    return [node, *reversed(parts)]


def _bare(node: exp.Expr) -> bool:
    return not any(node.args.get(k) for k in ("with_", "order", "limit", "offset", "by_name"))


def _alike(a: Asking, rows: list[Row], name: str, node: exp.Expr) -> list[Rel]:
    """Each part with the same columns: names of the first, types that all convert to."""
    sides = [[f for f in row.fields if not f.hidden] for row in rows]
    types: list[ScalarType] = []
    for column in zip(*sides, strict=True):
        kinds = {f.type for f, row in zip(column, rows, strict=True) if not _always_null(row, f)}
        common = widest(kinds) if kinds else column[0].type
        if common is None:
            if T.DYNAMIC not in kinds:
                one, two, *_ = sorted(k.value for k in kinds)
                raise diagnostics.unlike_types(name, one, two, a.span(node))
            common = T.STRING if T.STRING in kinds else T.DYNAMIC
        types.append(common)
    names = [
        a.whole.fresh("u") if len({x.name for x in sides[0]}) < len(sides[0]) else f.name for f in sides[0]
    ]
    schema = tuple(Column(n, t) for n, t in zip(names, types, strict=True))
    parts: list[Rel] = []
    for row, fields in zip(rows, sides, strict=True):
        columns = tuple(
            (c.name, a.b.convert(Col(f.type, f.column), c.type)) for c, f in zip(schema, fields, strict=True)
        )
        parts.append(Project(schema, row.rel, columns))
    return parts


def _always_null(row: Row, field: Field) -> bool:
    """A column of NULL takes the type of its peers."""
    if not isinstance(row.rel, Project):
        return False
    value = dict(row.rel.columns).get(field.column)
    return isinstance(value, Const) and value.value is None
