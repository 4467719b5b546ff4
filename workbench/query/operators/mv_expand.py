"""`mv-expand`: one row an element of an array or bag."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators.extend import extended
from workbench.query.plan import Rel, Unnest

_OPTIONS = ("bagexpansion", "kind", "with_itemindex", "with_item_index", "with_item_index_name")
_OLD_LIMIT = 128  # rows a row of the old spelling `mvexpand` where no limit is written


@dataclass(frozen=True, slots=True)
class Expansion(syntax.Node):
    """What mv-expand and mv-apply have in common."""

    items: tuple[syntax.Expression, ...]
    index: str | None
    bag_as_array: bool
    limit: syntax.Expression | int | None


@dataclass(frozen=True, slots=True)
class MvExpandSyntax(syntax.Operator):
    expansion: Expansion


def read_expansion(p: ParserApi, operator_name: str) -> Expansion:
    """`[bagexpansion=…] [with_itemindex=NAME] [NAME =] EXPRESSION [to typeof(TYPE)], … [limit N]`."""
    start = p.peek().span
    options = p.options(operator_name, _OPTIONS)
    items = p.list_of(lambda: _item(p))
    limit = p.expression() if p.accept_word("limit") else None
    kind = str(options.get("bagexpansion", options.get("kind", "bag")))
    if kind not in ("bag", "array"):
        raise diagnostics.bad_option(kind, operator_name, start, ("bag", "array"))
    index = options.get("with_itemindex", options.get("with_item_index"))
    return Expansion(
        start.to(p.last_span), tuple(items), None if index is None else str(index), kind == "array", limit
    )


def _item(p: ParserApi) -> syntax.Expression:
    value = p.named_expression()
    if p.accept_word("to"):
        return syntax.Typed(value.span.to(p.last_span), value, p.typeof())
    return value


def expanded(s: Expansion, source: Rel, b: BinderApi, operator_name: str = "mv-expand") -> Unnest:
    """`source` with the items as columns, each element in a row of its own."""
    nodes = [i.value if isinstance(i, syntax.Typed) else i for i in s.items]
    types = [i.type if isinstance(i, syntax.Typed) else ScalarType.DYNAMIC for i in s.items]
    columns = b.columns(nodes, source)
    if len(columns) > len(nodes):
        several = next(n for n in nodes if len(b.columns([n], source)) > 1)
        why = "this gives several columns: expand one of them, such as f(…)[0]"
        raise diagnostics.bad_argument(operator_name, why, several.span)
    for (_, expr), node in zip(columns, nodes, strict=True):
        if expr.type is not ScalarType.DYNAMIC:
            hint = "parse_json(…) reads text as JSON" if expr.type is ScalarType.STRING else None
            raise diagnostics.wrong_type(operator_name, "a dynamic value", expr.type.value, node.span, hint)
    wide = extended(source, columns)
    expand = tuple((name, type_) for (name, _), type_ in zip(columns, types, strict=True))
    return _unnested(wide, expand, s, b)


def _unnested(wide: Rel, expand: Sequence[tuple[str, ScalarType]], s: Expansion, b: BinderApi) -> Unnest:
    types = dict(expand)
    schema = tuple(replace(c, type=types.get(c.name, c.type)) for c in wide.schema)
    if s.index is not None:
        if wide.column(s.index) is not None:
            raise diagnostics.name_declared_twice(s.index, s.span)
        visible = tuple(c for c in schema if not c.hidden)
        schema = (*visible, Column(s.index, ScalarType.LONG), *(c for c in schema if c.hidden))
    limit = s.limit
    if isinstance(limit, syntax.Expression):
        limit = int(b.constant(limit, "the row limit", ScalarType.LONG) or 0)
    return Unnest(schema, wide, tuple(expand), s.index, s.bag_as_array, limit)


@operator(
    "mv-expand",
    syntax="mv-expand [bagexpansion=bag|array] [with_itemindex=NAME] [NAME =] EXPRESSION [to typeof(TYPE)], … [limit N]",
    aliases=("mvexpand",),
)
class MvExpand:
    """One row an element of an array or bag; several ones side by side, the short ones filled with null."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> MvExpandSyntax:
        expansion = read_expansion(p, "mv-expand")
        if keyword.value == "mvexpand" and expansion.limit is None:
            expansion = replace(expansion, limit=_OLD_LIMIT)
        return MvExpandSyntax(keyword.span.to(p.last_span), "mv-expand", expansion)

    @staticmethod
    def bind(s: MvExpandSyntax, source: Rel, b: BinderApi) -> Rel:
        return expanded(s.expansion, source, b)
