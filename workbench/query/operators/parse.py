"""`parse` and `parse-where`: columns cut out of a text by a pattern.

A pattern becomes one regular expression with a named group a column; the plan reads the groups with
the card `<capture>`. In the strict kinds (`simple`, `regex`) a row in which one typed column
does not convert gives nothing in all of them; in `relaxed` only that column is null.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import Span, WorkbenchError
from workbench.query import syntax
from workbench.query.lexer import Kind, Token
from workbench.query.operators._card import BinderApi, ParserApi, operator
from workbench.query.operators.extend import extended
from workbench.query.plan import Call, Col, Const, Expr, Filter, Project, Rel

T = ScalarType
KINDS = ("simple", "regex", "relaxed")
FLAGS = "imsxUu"
_NUMBERS = {T.INT: r"[-+]?\d+", T.LONG: r"[-+]?\d+", T.REAL: r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"}


@dataclass(frozen=True, slots=True)
class Part(syntax.Node):
    """A piece of a pattern: `text` of a delimiter, `name` and `type` of a column, or neither: `*`."""

    text: str | None = None
    name: str | None = None
    type: ScalarType = T.STRING


@dataclass(frozen=True, slots=True)
class ParseSyntax(syntax.Operator):
    subject: syntax.Expression
    parts: tuple[Part, ...]
    kind: str
    flags: str


def _read(p: ParserApi, keyword: Token, name: str) -> ParseSyntax:
    options = p.options(name, ("kind", "flags"))
    kind, flags = str(options.get("kind", "simple")), str(options.get("flags", ""))
    if kind not in KINDS:
        raise diagnostics.bad_option(kind, name, p.last_span, KINDS)
    if set(flags) - set(FLAGS):
        raise diagnostics.bad_option(flags, name, p.last_span, tuple(FLAGS))
    subject = p.expression()
    p.expect_word("with")
    parts: list[Part] = []
    while not (p.peek().kind is Kind.END or p.peek().is_mark("|", ")", ";", "}")):
        parts.append(_part(p))
    if not parts:
        raise diagnostics.expected("a pattern", p.peek().shown, p.peek().span)
    _check(parts, name)
    return ParseSyntax(keyword.span.to(p.last_span), name, subject, tuple(parts), kind, flags)


def _part(p: ParserApi) -> Part:
    star = p.accept("*")
    if star:
        return Part(star.span)
    if p.peek().kind is Kind.STRING:
        literal = p.literal()
        return Part(literal.span, text=str(literal.value))
    name = p.name()
    type_ = p.type_name() if p.accept(":") else T.STRING
    return Part(name.span.to(p.last_span), name=str(name.value), type=type_)


def _check(parts: list[Part], operator_name: str) -> None:
    names: set[str] = set()
    for before, part in zip([None, *parts], parts, strict=False):
        if part.name is not None:
            if part.name in names:
                raise diagnostics.name_declared_twice(part.name, part.span)
            names.add(part.name)
            if before is not None and before.text is None:
                raise diagnostics.bad_argument(
                    operator_name,
                    "a text has to stand between '*' or a column and the next column",
                    part.span,
                )
        elif part.text is None and before is not None and before.text is None:
            if before.name is not None and before.type is not T.STRING:
                continue  # a number ends where its digits end
            why = "where a string column ends and '*' begins can't be told; put a text between them"
            raise diagnostics.bad_argument(operator_name, why, part.span)


# ---- the regular expression -------------------------------------------------------------------


def escaped(text: str) -> str:
    """`text` as an expression for just that text."""
    return re.sub(r"([\\.+*?()|\[\]{}^$#&\-~])", r"\\\1", text)


def pattern(s: ParseSyntax) -> tuple[str, list[tuple[Part, str]]]:
    """The expression of a pattern, and each column's part with the name of its group."""
    flags = f"(?{s.flags})" if s.flags else ""
    out = [flags + "^" if s.kind == "regex" else "(?s)^"]
    columns: list[tuple[Part, str]] = []
    for i, part in enumerate(s.parts):
        last = i + 1 == len(s.parts)
        if part.text is not None:
            out.append(f"(?:{part.text})" if s.kind == "regex" else escaped(part.text))
        elif part.name is None:
            out.append("" if last else ".*?")
        else:
            group = f"{'number' if part.type in _NUMBERS else 'text'}{len(columns)}"
            columns.append((part, group))
            out.append(f"(?P<{group}>{_shape(part.type, s.kind, last)}){_end(part.type, s.kind, last)}")
    return "".join(out), columns


def _shape(type_: ScalarType, kind: str, last: bool) -> str:
    """What a column may hold: digits for a number, else the shortest text up to what follows."""
    anything = ".*" if last or kind == "regex" else ".*?"
    number = _NUMBERS.get(type_)
    if number is None:
        return anything
    return f"{number}|{anything}" if kind == "relaxed" else number


def _end(type_: ScalarType, kind: str, last: bool) -> str:
    """A last column takes the rest of the text; in a regex a number ends where it ends."""
    return "$" if last and (kind != "regex" or type_ not in _NUMBERS) else ""


# ---- binding ----------------------------------------------------------------------------------


def _bind(s: ParseSyntax, source: Rel, b: BinderApi, where: bool) -> Rel:
    regex, columns = pattern(s)
    if s.kind == "regex":
        for part in s.parts:
            if part.text is not None:
                _check_regex(part, b)
    subject = b.expr(s.subject, source)
    constant = Const(T.STRING, regex, s.span)

    def captured(part: Part, group: str) -> Expr:
        args = (subject, constant, Const(T.STRING, group))
        return Call(part.type, "<capture>", args, (None, None, None), part.span)

    if where:
        matched = Call(T.BOOL, "<match>", (subject, constant), (None, None), s.span)
        source = Filter(source.schema, source, matched)
    made = [(str(part.name), captured(part, group)) for part, group in columns]
    typed = [i for i, (part, _) in enumerate(columns) if part.type is not T.STRING]
    if s.kind == "relaxed" or not typed or (len(made) == 1 and not where):
        return extended(source, made)
    # Conversions first, under names of their own: whether a row counts depends on all of them.
    hidden = [(f"__parse{i}", expr) for i, (_, expr) in enumerate(made)]
    schema = (*source.schema, *(Column(n, e.type, True) for n, e in hidden))
    kept: list[tuple[str, Expr]] = [(c.name, Col(c.type, c.name)) for c in source.schema]
    converted: Rel = Project(schema, source, (*kept, *hidden))
    whole: Expr | None = None
    for i in typed:
        there = b.call("not", b.call("isnull", Col(hidden[i][1].type, hidden[i][0])))
        whole = there if whole is None else b.call("and", whole, there)
    assert whole is not None  # there is a typed column
    if where:
        converted = Filter(converted.schema, converted, whole)
    output: list[tuple[str, Expr]] = []
    for (name, expr), (own, _) in zip(made, hidden, strict=True):
        value: Expr = Col(expr.type, own)
        if not where:
            nothing = Const(expr.type, "" if expr.type is T.STRING else None)
            value = b.call("iff", whole, value, nothing)
        output.append((name, value))
    return _without_hidden(extended(converted, output), {n for n, _ in hidden})


def _without_hidden(rel: Rel, names: set[str]) -> Rel:
    assert isinstance(rel, Project)  # what `extended` gives
    schema = tuple(c for c in rel.schema if c.name not in names)
    return replace(rel, schema=schema, columns=tuple(c for c in rel.columns if c[0] not in names))


def _check_regex(part: Part, b: BinderApi) -> None:
    try:
        b.fold(b.call("matches regex", Const(T.STRING, ""), Const(T.STRING, part.text)))
    except WorkbenchError as error:
        error.span = error.span or Span(part.span.start, part.span.end)
        raise


@operator(
    "parse", syntax="parse [kind=simple|regex|relaxed [flags=FLAGS]] TEXT with [*] 'text' NAME[:TYPE] … [*]"
)
class Parse:
    """Columns cut out of a text by a pattern of delimiters; a text that does not fit gives nothing."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> ParseSyntax:
        return _read(p, keyword, "parse")

    @staticmethod
    def bind(s: ParseSyntax, source: Rel, b: BinderApi) -> Rel:
        return _bind(s, source, b, where=False)


@operator(
    "parse-where",
    syntax="parse-where [kind=simple|regex [flags=FLAGS]] TEXT with [*] 'text' NAME[:TYPE] … [*]",
)
class ParseWhere:
    """As `parse`, with only the rows whose text fits."""

    @staticmethod
    def parse(p: ParserApi, keyword: Token) -> ParseSyntax:
        return _read(p, keyword, "parse-where")

    @staticmethod
    def bind(s: ParseSyntax, source: Rel, b: BinderApi) -> Rel:
        return _bind(s, source, b, where=True)
