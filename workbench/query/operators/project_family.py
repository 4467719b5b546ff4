"""`project-away`, `project-keep`, `project-rename`, `project-reorder`, `project-by-names`."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.plan import Col, Project, Rel


@dataclass(frozen=True, slots=True)
class PatternsSyntax(syntax.Operator):
    """Column names, in which `*` may stand, with an order for project-reorder."""

    patterns: tuple[tuple[str, str | None, syntax.Node], ...]


def _patterns(p: ParserApi) -> tuple[tuple[str, str | None, syntax.Node], ...]:
    def one() -> tuple[str, str | None, syntax.Node]:
        name = p.name_pattern()
        order = p.accept_word("asc", "desc", "granny-asc", "granny-desc")
        return str(name.value), str(order.value) if order else None, syntax.Node(name.span)

    return tuple(p.list_of(one))


def selected(source: Rel, names: Sequence[str]) -> Rel:
    """`source` with these columns in this order; hidden ones stay behind them."""
    kept = [*names, *(c.name for c in source.schema if c.hidden and c.name not in names)]
    columns = {c.name: c for c in source.schema}
    schema = tuple(columns[n] for n in kept)
    return Project(schema, source, tuple((c.name, Col(c.type, c.name)) for c in schema))


def _matching(pattern: str, source: Rel, node: syntax.Node) -> list[str]:
    visible = [c.name for c in source.schema if not c.hidden]
    if "*" in pattern:
        return [n for n in visible if fnmatch.fnmatchcase(n, pattern.replace("[", "[[]"))]
    if source.column(pattern) is None:
        raise diagnostics.unknown_column(pattern, node.span, visible)
    return [pattern]


@operator("project-away", syntax="project-away NAME|PATTERN, …")
class ProjectAway:
    """All columns but these."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> PatternsSyntax:
        patterns = _patterns(p)
        return PatternsSyntax(keyword.span.to(p.last_span), "project-away", patterns)

    @staticmethod
    def bind(s: PatternsSyntax, source: Rel, b: BinderApi) -> Rel:
        gone = {n for pattern, _, node in s.patterns for n in _matching(pattern, source, node)}
        return selected(source, [c.name for c in source.schema if c.name not in gone and not c.hidden])


@operator("project-keep", syntax="project-keep NAME|PATTERN, …")
class ProjectKeep:
    """These columns, in the order that they had."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> PatternsSyntax:
        patterns = _patterns(p)
        return PatternsSyntax(keyword.span.to(p.last_span), "project-keep", patterns)

    @staticmethod
    def bind(s: PatternsSyntax, source: Rel, b: BinderApi) -> Rel:
        kept = {n for pattern, _, node in s.patterns for n in _matching(pattern, source, node)}
        return selected(source, [c.name for c in source.schema if c.name in kept])


@operator("project-reorder", syntax="project-reorder NAME|PATTERN [asc|desc], …")
class ProjectReorder:
    """These columns first, then the rest as they were; `*` stands for the rest."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> PatternsSyntax:
        patterns = _patterns(p)
        return PatternsSyntax(keyword.span.to(p.last_span), "project-reorder", patterns)

    @staticmethod
    def bind(s: PatternsSyntax, source: Rel, b: BinderApi) -> Rel:
        visible = [c.name for c in source.schema if not c.hidden]
        explicit = {pattern for pattern, _, _ in s.patterns if "*" not in pattern}
        order: list[str] = []
        for pattern, direction, node in s.patterns:
            found = [n for n in _matching(pattern, source, node) if n not in order]
            if "*" in pattern:
                found = [n for n in found if n not in explicit]
            if direction is not None:
                found.sort(reverse=direction == "desc")
            order += found
        return selected(source, order + [n for n in visible if n not in order])


@dataclass(frozen=True, slots=True)
class RenameSyntax(syntax.Operator):
    pairs: tuple[tuple[str, str, syntax.Node], ...]


@operator("project-rename", syntax="project-rename NEW = OLD, …")
class ProjectRename:
    """Columns under new names, in their places."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> RenameSyntax:
        def one() -> tuple[str, str, syntax.Node]:
            new = p.name()
            p.expect("=")
            old = p.name()
            return str(new.value), str(old.value), syntax.Node(old.span)

        pairs = tuple(p.list_of(one))
        return RenameSyntax(keyword.span.to(p.last_span), "project-rename", pairs)

    @staticmethod
    def bind(s: RenameSyntax, source: Rel, b: BinderApi) -> Rel:
        names = [c.name for c in source.schema if not c.hidden]
        renamed: dict[str, str] = {}
        for new, old, node in s.pairs:
            if source.column(old) is None:
                raise diagnostics.unknown_column(old, node.span, names)
            renamed[old] = new
        columns, schema = [], []
        for c in source.schema:
            name = renamed.get(c.name, c.name)
            if c.name not in renamed and name in renamed.values():
                raise diagnostics.name_taken(name, s.span)
            columns.append((name, Col(c.type, c.name)))
            schema.append(Column(name, c.type, c.hidden))
        return Project(tuple(schema), source, tuple(columns))


@dataclass(frozen=True, slots=True)
class ByNamesSyntax(syntax.Operator):
    names: tuple[syntax.Expression, ...]


@operator("project-by-names", syntax="project-by-names NAMES, …")
class ProjectByNames:
    """The columns whose names or patterns are given as constants; names that are missing are left out."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> ByNamesSyntax:
        names = tuple(p.list_of(p.pipeline_or_expression))
        return ByNamesSyntax(keyword.span.to(p.last_span), "project-by-names", names)

    @staticmethod
    def bind(s: ByNamesSyntax, source: Rel, b: BinderApi) -> Rel:
        order: list[str] = []
        visible = [c.name for c in source.schema if not c.hidden]
        for node in s.names:
            value = b.constant(node, "a name")
            for pattern in value if isinstance(value, list) else [value]:
                hits = [n for n in visible if fnmatch.fnmatchcase(n, str(pattern).replace("[", "[[]"))]
                order += [n for n in hits if n not in order]
        return selected(source, order)
