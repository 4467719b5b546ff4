"""`macro-expand`: a subquery for each member of an entity group; `entity_group [ … ]`.

The databases and clusters of a group are one here, the workspace that is asked, so a subquery that reads
the tables of its member (`X.T`) runs once. Where the member itself is the table (`X`), it runs for each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from workbench.base.diagnostics import query as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.lowering import Frame, PolarsContext, to_polars
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators.union import united
from workbench.query.plan import Rel


@dataclass(frozen=True, slots=True)
class EntityGroupSyntax(syntax.Operator):
    members: tuple[syntax.Expression, ...]


@dataclass(frozen=True, slots=True)
class MacroExpandSyntax(syntax.Operator):
    """`group` names a group, or is one."""

    group: syntax.Expression | EntityGroupSyntax
    name: str
    body: syntax.FunctionBody
    inner: bool
    fuzzy: bool


@dataclass(frozen=True, slots=True)
class EntityGroup(Rel):
    """What `let G = entity_group [ … ]` holds: no rows, but members."""

    members: tuple[syntax.Expression, ...]
    place: syntax.Node


@to_polars.register
def _entity_group(rel: EntityGroup, context: PolarsContext) -> Frame:
    raise diagnostics.expected_table(rel.place.span)


@operator("entity_group", syntax="entity_group [MEMBER, …]", source=True)
class EntityGroupOperator:
    """Databases or tables, for macro-expand to go through."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> EntityGroupSyntax:
        p.expect("[")
        members = tuple(p.list_of(p.unnamed_expression, trailing="]"))
        p.expect("]")
        return EntityGroupSyntax(keyword.span.to(p.last_span), "entity_group", members)

    @staticmethod
    def bind(s: EntityGroupSyntax, source: Rel | None, b: BinderApi) -> Rel:
        return EntityGroup((), s.members, s)


@operator(
    "macro-expand",
    syntax="macro-expand [kind=inner|outer] [isfuzzy=true] GROUP as NAME (SUBQUERY)",
    source=True,
)
class MacroExpand:
    """The rows of a subquery for each member of an entity group, which it reads by a name of its own."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> MacroExpandSyntax:
        options = p.options("macro-expand", ("kind", "isfuzzy"))
        if p.peek(1).is_word("in"):  # NAME in GROUP
            name = p.name()
            p.next()
            group = _group(p)
        else:
            group = _group(p)
            p.expect_word("as")
            name = p.name()
        body = p.block()
        span = keyword.span.to(p.last_span)
        inner, fuzzy = options.get("kind") == "inner", options.get("isfuzzy") is True
        return MacroExpandSyntax(span, "macro-expand", group, str(name.value), body, inner, fuzzy)

    @staticmethod
    def bind(s: MacroExpandSyntax, source: Rel | None, b: BinderApi) -> Rel:
        group = s.group
        if isinstance(group, syntax.Expression):
            bound = b.table(group)
            if not isinstance(bound, EntityGroup):
                raise diagnostics.expected("an entity group", "a table", group.span)
            members: tuple[syntax.Expression, ...] = bound.members
        else:
            members = group.members
        parts: list[tuple[str, Rel]] = []
        for member in _distinct(s, members):
            body = _with(s.body, s.name, member)
            try:
                parts.append(("", b.block(body)))
            except WorkbenchError as error:
                if not (s.fuzzy and error.code == "KQL102"):
                    raise
        if not parts:
            raise diagnostics.bad_argument("macro-expand", "none of the members exists", s.span)
        return united(parts, inner=s.inner)


def _group(p: ParserApi) -> syntax.Expression | EntityGroupSyntax:
    if p.peek().is_word("entity_group"):
        return EntityGroupOperator.parse(p, p.next())
    name = p.name()
    return syntax.Name(name.span, str(name.value))


def _distinct(s: MacroExpandSyntax, members: tuple[syntax.Expression, ...]) -> list[syntax.Expression]:
    """The members that differ here: tables by name, databases none."""
    bare = any(_bare(node, s.name) for node in (*s.body.statements, s.body.result))
    if not bare:
        return list(members[:1])
    named: dict[str, syntax.Expression] = {}
    for member in members:
        named.setdefault(_last_name(member), member)
    return list(named.values())


def _last_name(node: syntax.Expression) -> str:
    if isinstance(node, syntax.Name | syntax.Member):
        return node.name
    return repr(node)


def _bare(node: Any, name: str) -> bool:
    """Whether `name` stands by itself somewhere, not before a point."""
    if isinstance(node, syntax.Member) and isinstance(node.base, syntax.Name):
        return False
    if isinstance(node, syntax.Name):
        return node.name == name
    return any(_bare(child, name) for child in _children(node))


def _children(node: Any) -> list[Any]:
    if isinstance(node, tuple):
        return list(node)
    if is_dataclass(node) and not isinstance(node, type):
        return [getattr(node, f.name) for f in fields(node)]
    return []


def _with(body: syntax.FunctionBody, name: str, member: syntax.Expression) -> syntax.FunctionBody:
    """The body with the member in place of its name; tables of a database are those of the workspace."""

    def change(node: Any) -> Any:
        if isinstance(node, syntax.Member) and isinstance(node.base, syntax.Name) and node.base.name == name:
            if node.name in ("$current_database", "$current_cluster_endpoint"):
                return syntax.Call(node.span, node.name[1:], (), node.span)
            here = syntax.Call(node.base.span, "database", (), node.base.span)
            return replace(node, base=here)
        if isinstance(node, syntax.Name) and node.name == name:
            return _here(member)
        return _mapped(node, change)

    changed = change(body)
    assert isinstance(changed, syntax.FunctionBody)
    return changed


def _here(member: syntax.Expression) -> syntax.Expression:
    """A table of any database as the one of that name here."""
    if isinstance(member, syntax.Member):
        return syntax.Member(
            member.span, syntax.Call(member.span, "database", (), member.span), member.name, member.name_span
        )
    return member


def _mapped(node: Any, change: Callable[[Any], Any]) -> Any:
    """`node` with `change` done to what it is made of; the node itself where nothing changed."""
    if isinstance(node, tuple):
        new = tuple(change(item) for item in node)
        return new if any(a is not b for a, b in zip(new, node, strict=True)) else node
    if not isinstance(node, syntax.Node):
        return node
    changes = {}
    for f in fields(node):
        value = getattr(node, f.name)
        made = change(value)
        if made is not value:
            changes[f.name] = made
    return replace(node, **changes) if changes else node
