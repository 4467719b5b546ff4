"""`find`: rows of many tables that fulfil a condition, with the columns that the tables share.

Columns that not all tables have are packed into `pack_`, a bag. Reads conditions as `search` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators.search import condition, table_list, tables_of, wildcards
from workbench.query.plan import Col, Const, Expr, Filter, Project, Rel, Union

T = ScalarType


@dataclass(frozen=True, slots=True)
class FindSyntax(syntax.Operator):
    """`project` is None for the columns that the tables share; `pack` asks for `pack_`."""

    condition: syntax.Expression
    tables: tuple[syntax.Expression, ...]
    source_name: str
    project: tuple[tuple[str, ScalarType | None], ...] | None
    pack: bool
    away: tuple[str, ...]


@operator(
    "find",
    syntax="find [withsource=NAME] [in (TABLE, …)] where CONDITION [project COLUMN[:TYPE], … [, pack(*)]]",
    source=True,
)
class Find:
    """Rows of all tables, or of some, that fulfil a condition; `source_` says which table."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> FindSyntax:
        options = p.options("find", ("withsource", "with_source", "datascope"))
        source_name = str(options.get("withsource", options.get("with_source", "source_")))
        tables = table_list(p) if p.accept_word("in") else ()
        p.accept_word("where")
        node = wildcards(p.expression(), p.text)
        columns: list[tuple[str, ScalarType | None]] | None = None
        away: list[str] = []
        pack = True
        while p.peek().is_word("project"):
            p.next()
            if not p.accept("-"):
                columns, pack = _columns(p)
            elif p.expect_word("away", "smart").value == "away":
                away = ["*"] if p.accept("*") else [str(n.value) for n in p.list_of(p.name)]
        return FindSyntax(
            keyword.span.to(p.last_span), "find", node, tables, source_name,
            None if columns is None else tuple(columns), pack, tuple(away),
        )  # fmt: skip

    @staticmethod
    def bind(s: FindSyntax, source: Rel | None, b: BinderApi) -> Rel:
        if source is not None:
            raise diagnostics.bad_argument(
                "find", "begins a query; behind a pipe use where or search", s.span
            )
        parts = _with_columns(s, tables_of(s.tables, b, "find", s.span))
        named = [(n, t or _type_of(n, parts)) for n, t in _wanted(s, parts)]
        ready = [_projected(s, label, rel, named, parts, b) for label, rel in parts]
        return Union(ready[0].schema, tuple(ready)) if len(ready) > 1 else ready[0]


def _columns(p: ParserApi) -> tuple[list[tuple[str, ScalarType | None]], bool]:
    """`COLUMN[:TYPE], … [, pack(*)]`, and whether the rest is packed."""
    columns: list[tuple[str, ScalarType | None]] = []
    while True:
        name = p.name()
        if name.value in ("pack", "pack_all") and p.accept("("):
            p.accept("*")
            p.expect(")")
            return columns, True
        columns.append((str(name.value), p.type_name() if p.accept(":") else None))
        if not p.accept(","):
            return columns, False


# ---- which tables and columns -----------------------------------------------------------------


def _nodes(node: syntax.Expression) -> Iterator[syntax.Expression]:
    yield node
    for f in fields(node):
        value = getattr(node, f.name)
        for child in value if isinstance(value, tuple) else (value,):
            if isinstance(child, syntax.Expression):
                yield from _nodes(child)


def _named(node: syntax.Expression) -> list[str]:
    return list(dict.fromkeys(n.name for n in _nodes(node) if isinstance(n, syntax.Name)))


def _has_terms(node: syntax.Expression) -> bool:
    """Whether a term or a star looks into every column."""
    if isinstance(node, syntax.Binary) and node.operator in ("and", "or"):
        return _has_terms(node.left) or _has_terms(node.right)
    if isinstance(node, syntax.Call) and node.name == "not":
        return any(_has_terms(a) for a in node.arguments)
    return isinstance(node, syntax.Literal) or any(isinstance(n, syntax.Star) for n in _nodes(node))


def _with_columns(s: FindSyntax, parts: list[tuple[str, Rel]]) -> list[tuple[str, Rel]]:
    """The tables that have a column which the condition names; all where it looks into every one."""
    if len(parts) == 1 or _has_terms(s.condition):
        return parts
    names = _named(s.condition)
    return [p for p in parts if any(p[1].column(n) is not None for n in names)] or parts


def _type_of(name: str, parts: Sequence[tuple[str, Rel]]) -> ScalarType:
    """The type of a column; text where the tables disagree."""
    types = {c.type for _, rel in parts if (c := rel.column(name)) is not None}
    return types.pop() if len(types) == 1 else T.STRING


def _wanted(s: FindSyntax, parts: Sequence[tuple[str, Rel]]) -> list[tuple[str, ScalarType | None]]:
    if s.project is not None:
        return [c for c in s.project if c[0] not in s.away and "*" not in s.away]
    first = parts[0][1]
    shared = [
        c.name
        for c in first.schema
        if not c.hidden and all((o := r.column(c.name)) is not None and o.type is c.type for _, r in parts)
    ]
    asked = [n for n in _named(s.condition) if any(r.column(n) is not None for _, r in parts)]
    names = list(dict.fromkeys([*shared, *asked]))
    return [(n, None) for n in names if n not in s.away and "*" not in s.away]


def _projected(s: FindSyntax, label: str, rel: Rel, named: Sequence[tuple[str, ScalarType]], parts: Sequence[tuple[str, Rel]], b: BinderApi) -> Rel:  # fmt: skip
    """One table: padded with what the condition names, filtered, cut to the columns of the answer."""
    own = [c.name for c in rel.schema if not c.hidden]
    kept: list[tuple[str, Expr]] = [(c.name, Col(c.type, c.name)) for c in rel.schema]
    missing = {n for _, r in parts for n in r.names()} - set(rel.names())
    for name in sorted(missing & set(_named(s.condition))):
        kept.append((name, _null(_type_of(name, parts))))
    padded = Project(tuple(Column(n, e.type) for n, e in kept), rel, tuple(kept))
    found = Filter(padded.schema, padded, condition(s.condition, padded, own, b))
    columns: list[tuple[str, Expr]] = [(s.source_name, Const(T.STRING, label))]
    for name, type_ in named:
        column = rel.column(name)
        columns.append((name, b.convert(Col(column.type, name), type_) if column else _null(type_)))
    taken = {n for n, _ in named} | set(s.away)
    packed = {
        n for _, r in parts for n in r.names() if (c := r.column(n)) is not None and not c.hidden
    } - taken
    automatic = bool(packed) and "*" not in s.away
    if s.pack and "pack_" not in s.away and (s.project is not None or automatic):
        rest: list[Expr] = []
        for name in (n for n in own if n not in taken):
            column = rel.column(name)
            assert column is not None  # `own` has the names of this table
            rest += [Const(T.STRING, name), Col(column.type, name)]
        columns.append(("pack_", b.call("bag_pack", *rest) if rest else Const(T.DYNAMIC, {})))
    return Project(tuple(Column(n, e.type) for n, e in columns), found, tuple(columns))


def _null(type_: ScalarType) -> Const:
    return Const(type_, "" if type_ is T.STRING else None)
