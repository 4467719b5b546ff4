"""`parse-kv`: columns cut out of a text of keys and values.

Plain delimiters become one regular expression a key, which Polars runs; quotes, escapes and greedy
values need a reader of their own, which gives a bag from which the columns are taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query import syntax
from workbench.query.lexer import Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators.extend import extended
from workbench.query.operators.parse import escaped
from workbench.query.plan import Call, Col, Const, Expr, Project, Rel

T = ScalarType
OPTIONS = ("pair_delimiter", "kv_delimiter", "quote", "escape", "greedy", "regex")
_NUMBERS = (T.INT, T.LONG, T.REAL)


@dataclass(frozen=True, slots=True)
class ParseKvSyntax(syntax.Operator):
    subject: syntax.Expression
    keys: tuple[tuple[str, ScalarType], ...]
    options: tuple[tuple[str, syntax.Expression], ...]


@operator(
    "parse-kv",
    syntax="parse-kv TEXT as (KEY: TYPE, …) [with (pair_delimiter=',', kv_delimiter='=', quote='\"', …)]",
)
class ParseKv:
    """A column a key, with the value that stands behind the key in a text; the first one counts."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> ParseKvSyntax:
        subject = p.expression()
        p.expect_word("as")
        keys = p.column_list()
        options: list[tuple[str, syntax.Expression]] = []
        if p.accept_word("with"):
            p.expect("(")
            while not p.accept(")"):
                name = p.name()
                if name.value not in OPTIONS:
                    raise diagnostics.bad_option(str(name.value), "parse-kv", name.span, OPTIONS)
                p.expect("=")
                options.append((str(name.value), p.expression()))
                if not p.peek().is_mark(")"):
                    p.expect(",")
        return ParseKvSyntax(keyword.span.to(p.last_span), "parse-kv", subject, keys, tuple(options))

    @staticmethod
    def bind(s: ParseKvSyntax, source: Rel, b: BinderApi) -> Rel:
        names: set[str] = set()
        for name, _ in s.keys:
            if name in names:
                raise diagnostics.name_declared_twice(name, s.span)
            names.add(name)
        how = _options(s, b)
        subject = b.convert(b.expr(s.subject, source), T.STRING)
        if how["regex"] is None and not how["quotes"] and not how["escape"] and not how["greedy"]:
            return extended(source, [(n, _captured(subject, n, t, how)) for n, t in s.keys])
        return _from_bag(s, source, subject, how)


def _options(s: ParseKvSyntax, b: BinderApi) -> dict[str, Any]:
    how: dict[str, Any] = {
        "pair": None,
        "kv": None,
        "quotes": [],
        "escape": "",
        "greedy": False,
        "regex": None,
    }
    for name, node in s.options:
        if name == "greedy":
            how["greedy"] = bool(b.constant(node, "greedy", T.BOOL))
            continue
        text = str(b.constant(node, name, T.STRING))
        if name == "quote":
            if len(text) not in (1, 2):
                raise diagnostics.bad_argument(
                    "quote", "takes one sign, or an opening and a closing one", node.span
                )
            how["quotes"].append(text)
        elif name == "escape":
            if len(text) != 1:
                raise diagnostics.bad_argument("escape", "takes one sign", node.span)
            how["escape"] = text
        elif name == "regex":
            _check_regex(text, node, b)
            how["regex"] = text
        else:
            if not text:
                raise diagnostics.bad_argument(name, "can't be empty", node.span)
            how["pair" if name == "pair_delimiter" else "kv"] = text
    return how


def _check_regex(text: str, node: syntax.Expression, b: BinderApi) -> None:
    try:
        b.fold(b.call("matches regex", Const(T.STRING, ""), Const(T.STRING, text)))
    except WorkbenchError as error:
        error.span = error.span or node.span
        raise


def _captured(subject: Expr, key: str, type_: ScalarType, how: dict[str, Any]) -> Expr:
    group = "number" if type_ in _NUMBERS else "text"
    pair, kv = how["pair"], how["kv"]
    if pair is None or kv is None:
        # No delimiters given: whatever is no letter or digit stands between a key and its value.
        regex = rf"(?:^|[^\pL\pN_]){escaped(key)}[^\pL\pN_]+(?P<{group}>[\pL\pN_]*)"
    else:
        gap = "" if pair.isspace() else r"\s*"
        regex = rf"(?s)(?:^|{escaped(pair)})\s*{escaped(key)}\s*{escaped(kv)}{gap}(?P<{group}>.*?)\s*(?:{escaped(pair)}|$)"
    args = (subject, Const(T.STRING, regex), Const(T.STRING, group))
    return Call(type_, "<capture>", args, (None, None, None))


def _from_bag(s: ParseKvSyntax, source: Rel, subject: Expr, how: dict[str, Any]) -> Rel:
    keys = [n for n, _ in s.keys]
    bag: Expr
    if how["regex"] is not None:
        args = (subject, Const(T.STRING, how["regex"]), Const(T.DYNAMIC, keys))
        bag = Call(T.DYNAMIC, "<regex key values>", args, (None, None, None), s.span)
    else:
        spec = Const(T.DYNAMIC, {**how, "keys": keys})
        bag = Call(T.DYNAMIC, "<key values>", (subject, spec), (None, None), s.span)
    kept: list[tuple[str, Expr]] = [(c.name, Col(c.type, c.name)) for c in source.schema]
    with_bag = Project((*source.schema, Column("__kv", T.DYNAMIC, True)), source, (*kept, ("__kv", bag)))
    made: list[tuple[str, Expr]] = []
    for name, type_ in s.keys:
        path = Call(T.DYNAMIC, "<path>", (Col(T.DYNAMIC, "__kv"), Const(T.DYNAMIC, [name])), (None, None))
        made.append((name, path if type_ is T.DYNAMIC else Call(type_, "convert", (path,), (type_,))))
    rel = extended(with_bag, made)
    assert isinstance(rel, Project)  # what `extended` gives
    schema = tuple(c for c in rel.schema if c.name != "__kv")
    return replace(rel, schema=schema, columns=tuple(c for c in rel.columns if c[0] != "__kv"))
