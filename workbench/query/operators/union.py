"""`union`: all rows of several tables."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import Col, Const, Expr, Project, Rel, Union


@dataclass(frozen=True, slots=True)
class UnionSyntax(syntax.Operator):
    tables: tuple[syntax.Expression, ...]
    inner: bool
    with_source: str | None
    fuzzy: bool


@operator("union", syntax="union [kind=inner|outer] [withsource=NAME] [isfuzzy=true] TABLE, …", source=True)
class UnionOperator:
    """Rows of all tables; a column that one lacks is null there.

    A name with two types becomes one column a type: `x_long`, `x_string`.
    """

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> UnionSyntax:
        options = p.options("union", ("kind", "withsource", "isfuzzy", "with_source"))
        tables = tuple(p.list_of(lambda: _table(p)))
        source = options.get("withsource", options.get("with_source"))
        return UnionSyntax(
            keyword.span.to(p.last_span), "union", tables, options.get("kind") == "inner",
            str(source) if source is not None else None, options.get("isfuzzy") is True,
        )  # fmt: skip

    @staticmethod
    def bind(s: UnionSyntax, source: Rel | None, b: BinderApi) -> Rel:
        parts: list[tuple[str, Rel]] = [] if source is None else [("union_arg0", source)]
        for i, node in enumerate(s.tables):
            number = i if source is None else i + 1
            if isinstance(node, syntax.Star):
                parts += b.tables_matching(node)
                continue
            try:
                rel = b.table(node)
            except WorkbenchError as error:
                if s.fuzzy and error.code in ("KQL102", "KQL405"):
                    continue
                raise
            label = b.label(node) or f"union_arg{number}"
            parts.append((label, rel))
        if not parts:
            raise _nothing(s)
        return united(parts, inner=s.inner, with_source=s.with_source)


def _nothing(s: UnionSyntax) -> WorkbenchError:
    from workbench.base.diagnostics import query as diagnostics

    return diagnostics.bad_argument("union", "none of these tables exists", s.span)


def _table(p: ParserApi) -> syntax.Expression:
    token = p.peek()
    if token.is_mark("*") or p.peek(1).is_mark("*"):
        name = p.name_pattern()
        return syntax.Star(name.span, str(name.value))
    return p.expression()


def _free(name: str, taken: set[str]) -> str:
    """The name, numbered where a column has it already."""
    names = (name, *(f"{name}{n}" for n in range(1, len(taken) + 1)))
    return next(n for n in names if n not in taken)


def united(parts: list[tuple[str, Rel]], *, inner: bool = False, with_source: str | None = None) -> Rel:
    """One relation of all parts, each padded to the common columns."""
    types: dict[str, list[ScalarType]] = {}
    hidden: dict[str, bool] = {}
    for _, rel in parts:
        for c in rel.schema:
            if c.name == with_source:
                continue  # the column of the table names takes its place
            kinds = types.setdefault(c.name, [])
            hidden[c.name] = hidden.get(c.name, True) and c.hidden
            if c.type not in kinds:
                kinds.append(c.type)
    if inner:
        shared = [n for n in types if all(r.column(n) is not None for _, r in parts)]
        types = {n: types[n] for n in shared}
    target: list[tuple[Column, str, ScalarType]] = []
    taken = {with_source or ""}
    for name, kinds in types.items():
        for kind in kinds:
            own = _free(name if len(kinds) == 1 else f"{name}_{kind.value}", taken)
            taken.add(own)
            target.append((Column(own, kind, hidden[name]), name, kind))
    schema = tuple(c for c, _, _ in target)
    if with_source is not None:
        schema = (Column(with_source, ScalarType.STRING), *schema)
    nulls = {kind: Const(kind, "" if kind is ScalarType.STRING else None) for _, _, kind in target}
    ready = []
    for label, rel in parts:
        columns: list[tuple[str, Expr]] = []
        if with_source is not None:
            columns.append((with_source, Const(ScalarType.STRING, label)))
        types_here = {c.name: c.type for c in rel.schema}
        for column, name, kind in target:
            columns.append((column.name, Col(kind, name) if types_here.get(name) is kind else nulls[kind]))
        ready.append(Project(schema, rel, tuple(columns)))
    return Union(ready[0].schema, tuple(ready)) if len(ready) > 1 else ready[0]
