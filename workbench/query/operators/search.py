"""`search`: rows of many tables in which a term stands in any column.

A lone text in the condition is a term, looked for in every column of the table at hand: `has`, or
with `*` a prefix, a suffix or a part. `find` reads conditions the same way (`condition`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import Span
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators.union import united
from workbench.query.plan import Col, Const, Expr, Filter, Project, Rel, Union

T = ScalarType
KINDS = ("default", "case_insensitive", "case_sensitive")
_TEXT = (T.STRING, T.DYNAMIC, T.GUID)
# A term with other signs than these cannot stand in the text of such a value.
_SIGNS = {
    **dict.fromkeys((T.INT, T.LONG, T.REAL, T.DECIMAL), re.compile(r"[0-9.eE+-]+")),
    **dict.fromkeys((T.DATETIME, T.TIMESPAN), re.compile(r"[0-9.:TtZz-]+")),
    T.BOOL: re.compile(r"true|false", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True)
class SearchSyntax(syntax.Operator):
    condition: syntax.Expression
    tables: tuple[syntax.Expression, ...]
    case_sensitive: bool


def table_list(p: ParserApi) -> tuple[syntax.Expression, ...]:
    """`(table, pattern*, …)`."""

    def one() -> syntax.Expression:
        if p.peek().is_mark("*") or p.peek(1).is_mark("*"):
            name = p.name_pattern()
            return syntax.Star(name.span, str(name.value))
        return p.expression()

    p.expect("(")
    tables = tuple(p.list_of(one))
    p.expect(")")
    return tables


def tables_of(
    nodes: Sequence[syntax.Expression], b: BinderApi, name: str, span: Span
) -> list[tuple[str, Rel]]:
    """The tables that are searched, with their labels; all there are where none is named."""
    found: list[tuple[str, Rel]] = []
    for i, node in enumerate(nodes or (syntax.Star(span),)):
        if isinstance(node, syntax.Star):
            found += b.tables_matching(node)
        else:
            found.append((b.label(node) or f"{name}_arg{i}", b.table(node)))
    if not found:
        raise diagnostics.bad_argument(name, "there is no table to look in", span)
    return found


# ---- conditions -------------------------------------------------------------------------------


def wildcards(node: syntax.Expression, text: str) -> syntax.Expression:
    """`column:"a*"` as the operator that the stars ask for; `text` tells `:` from `has`."""
    if isinstance(node, syntax.Binary):
        if node.operator in ("and", "or"):
            return replace(node, left=wildcards(node.left, text), right=wildcards(node.right, text))
        colon = text[node.left.span.end : node.right.span.start].strip() == ":"
        if colon and isinstance(node.right, syntax.Literal) and "*" in str(node.right.value):
            how, what = term(str(node.right.value), False)
            return replace(node, operator=how, right=replace(node.right, value=what))
    if isinstance(node, syntax.Call) and node.name == "not" and len(node.arguments) == 1:
        return replace(node, arguments=(wildcards(node.arguments[0], text),))
    return node


def term(text: str, case_sensitive: bool) -> tuple[str, str]:
    """The operator and its right side that a term with or without stars stands for.

    Examples
    --------
    >>> term("*abc*", False), term("abc", True), term("a*c", False)
    (('contains', 'abc'), ('has_cs', 'abc'), ('matches regex', '(?i)\\\\ba.*c\\\\b'))
    """
    bare = text.strip("*")
    if "*" in bare:
        middle = ".*".join(re.escape(part) for part in bare.split("*"))
        left, right = ("" if text.startswith("*") else r"\b"), ("" if text.endswith("*") else r"\b")
        return "matches regex", f"{'' if case_sensitive else '(?i)'}{left}{middle}{right}"
    starts, ends = text.startswith("*"), text.endswith("*")
    name = "contains" if starts and ends else "hassuffix" if starts else "hasprefix" if ends else "has"
    return name + ("_cs" if case_sensitive else ""), bare


def condition(
    node: syntax.Expression, row: Rel, own: Sequence[str], b: BinderApi, case_sensitive: bool = False
) -> Expr:
    """The condition of search or find over `row`; terms are looked for in the columns `own`."""
    if isinstance(node, syntax.Binary) and node.operator in ("and", "or"):
        left = condition(node.left, row, own, b, case_sensitive)
        right = condition(node.right, row, own, b, case_sensitive)
        return b.call(node.operator, left, right, span=node.span)
    if isinstance(node, syntax.Call) and node.name == "not" and len(node.arguments) == 1:
        return b.call("not", condition(node.arguments[0], row, own, b, case_sensitive), span=node.span)
    if isinstance(node, syntax.Star):
        return Const(T.BOOL, True, node.span)
    columns = [Col(c.type, c.name) for c in row.schema if c.name in own]
    if isinstance(node, syntax.Binary) and isinstance(node.left, syntax.Star):
        wanted = b.expr(node.right, row)
        negated = node.operator.startswith("!") and node.operator != "!="
        operator = node.operator[1:] if negated else node.operator
        found = _any([b.call(operator, b.convert(c, T.STRING), wanted, span=node.span) for c in columns], b)
        return b.call("not", found, span=node.span) if negated else found
    if isinstance(node, syntax.Literal | syntax.Name):
        value = b.fold(b.expr(node, row))
        if isinstance(value, Const) and value.type is not T.BOOL:
            return _anywhere(str(value.value), columns, b, case_sensitive, node.span)
    if (
        case_sensitive
        and isinstance(node, syntax.Binary)
        and node.operator in ("has", "contains", "hasprefix", "hassuffix")
    ):
        node = replace(node, operator=node.operator + "_cs")
    return b.predicate(node, row)


def _anywhere(text: str, columns: Sequence[Col], b: BinderApi, case_sensitive: bool, span: Span) -> Expr:
    name, wanted = term(text, case_sensitive)
    if not wanted:
        return Const(T.BOOL, True, span)
    tests = []
    for column in columns:
        if column.type in _TEXT or _SIGNS[column.type].fullmatch(text.strip("*")):
            value = column if column.type is T.STRING else b.convert(column, T.STRING)
            tests.append(b.call(name, value, Const(T.STRING, wanted, span), span=span))
    return _any(tests, b)


def _any(tests: list[Expr], b: BinderApi) -> Expr:
    """`or` of all, as a balanced tree: a wide table must not nest deeply."""
    if not tests:
        return Const(T.BOOL, False)
    while len(tests) > 1:
        paired = [b.call("or", x, y) for x, y in zip(tests[::2], tests[1::2], strict=False)]
        tests = paired + ([tests[-1]] if len(tests) % 2 else [])
    return tests[0]


def filtered(rel: Rel, test: Callable[[Rel, list[str]], Expr]) -> Rel:
    """A union of padded tables, each filtered with what `test` makes of it and its own columns."""
    parts = rel.parts if isinstance(rel, Union) else (rel,)
    kept: list[Rel] = []
    for part in parts:
        assert isinstance(part, Project)  # what `united` gives
        hidden = {c.name for c in part.schema if c.hidden}
        own = [name for name, expr in part.columns if isinstance(expr, Col) and name not in hidden]
        kept.append(Filter(part.schema, part, test(part, own)))
    return Union(kept[0].schema, tuple(kept)) if len(kept) > 1 else kept[0]


@operator(
    "search",
    syntax="search [kind=case_sensitive] [in (TABLE, …)] TERM|CONDITION [and|or …]",
    source=True,
)
class Search:
    """Rows in which the terms stand in any column, of all tables or of some; `$table` says of which."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> SearchSyntax:
        options = p.options("search", ("kind",))
        kind = str(options.get("kind", "default"))
        if kind not in KINDS:
            raise diagnostics.bad_option(kind, "search", p.last_span, KINDS)
        tables = table_list(p) if p.accept_word("in") else ()
        node = wildcards(p.expression(), p.text)
        return SearchSyntax(keyword.span.to(p.last_span), "search", node, tables, kind == "case_sensitive")

    @staticmethod
    def bind(s: SearchSyntax, source: Rel | None, b: BinderApi) -> Rel:
        if source is None:
            parts = tables_of(s.tables, b, "search", s.span)
        elif s.tables:
            raise diagnostics.bad_argument("search", "takes no 'in (…)' behind a pipe", s.span)
        else:
            parts = [("search_arg0", source)]
        together = united(parts, with_source="$table")
        return filtered(together, lambda row, own: condition(s.condition, row, own, b, s.case_sensitive))
