"""Scalar expressions, by precedence climbing.

Levels, loosest first: `or`, `and`, equality and lists, order, `+ -`, `* / %`, text operators,
sign, path. `and`/`or` chains become balanced trees, so that a thousand terms nest only ten deep.
"""

from __future__ import annotations

import re

from workbench.base import clock
from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import (
    DECIMAL_SCALE,
    TICKS_PER_DAY,
    ScalarType,
    parse_datetime,
    parse_timespan,
    timespan_of,
)
from workbench.base.errors import Span
from workbench.query import syntax
from workbench.query.lexer import Kind, Token, wrapped
from workbench.query.parser.tokens import TokenReader

_TEXT_WORDS = {
    "has", "has_cs", "hasprefix", "hasprefix_cs", "hassuffix", "hassuffix_cs", "contains", "contains_cs",
    "startswith", "startswith_cs", "endswith", "endswith_cs", "like", "like_cs", "notlike", "notlike_cs",
}  # fmt: skip
_OLD_TEXT_WORDS = {"containscs": "contains_cs", "notcontains": "!contains", "notcontainscs": "!contains_cs"}
_LIST_WORDS = {"in", "has_any", "has_all"}
_EQUALITY = {"==": "==", "!=": "!=", "<>": "!=", "=~": "=~", "!~": "!~", ":": "has"}
_LEVELS: dict[str, int] = {
    **dict.fromkeys(_EQUALITY, 3), **dict.fromkeys(("<", ">", "<=", ">="), 4),
    **dict.fromkeys(("+", "-"), 5), **dict.fromkeys(("*", "/", "%"), 6),
}  # fmt: skip
_TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2}(?::\d{2}(?:\.\d+)?)?)")
_TEXT_LEVEL = 7
_MAX_DEPTH = 120
# The spellings that the language takes: `tRue` is a name.
_BOOLS = {word: text == "true" for text in ("true", "false") for word in (text, text.title(), text.upper())}


class ExpressionParser(TokenReader):
    """The part of the parser that reads scalar expressions."""

    _depth = 0
    _no_colon = 0

    def expression(self) -> syntax.Expression:
        """One scalar expression."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise diagnostics.too_deep(self.peek().span)
        try:
            return self._chain("or")
        finally:
            self._depth -= 1

    def unnamed_expression(self) -> syntax.Expression:
        """An expression in which `:` is no operator (a type or a default follows)."""
        self._no_colon += 1
        try:
            return self.expression()
        finally:
            self._no_colon -= 1

    def _chain(self, word: str) -> syntax.Expression:
        terms = [self._chain("and") if word == "or" else self._level(3)]
        while self.peek().is_word(word):
            self.next()
            terms.append(self._chain("and") if word == "or" else self._level(3))
        return _balanced(word, terms)

    def _level(self, minimum: int) -> syntax.Expression:
        left = self._unary()
        while True:
            found = self._infix(minimum)
            if found is None:
                return left
            operator, level, tokens = found
            for _ in range(tokens):
                self.next()
            left = self._apply(operator, level, left)

    def _infix(self, minimum: int) -> tuple[str, int, int] | None:
        """The operator that comes next: (name, level, how many tokens), if its level allows."""
        token = self.peek()
        if token.kind is Kind.PUNCTUATION and token.value in _LEVELS:
            mark = str(token.value)
            if mark == ":" and self._no_colon:
                return None
            if _LEVELS[mark] >= minimum:
                return _EQUALITY.get(mark, mark), _LEVELS[mark], 1
            return None
        negated = token.is_mark("!")
        word = self.peek(1) if negated else token
        if word.kind is not Kind.NAME:
            return None
        name, sign, count = str(word.value), "!" if negated else "", 2 if negated else 1
        if name in _LIST_WORDS or name == "between":
            if minimum > 3:
                return None
            if name == "in" and self.peek(count).is_mark("~"):
                return sign + "in~", 3, count + 1
            return sign + name, 3, count
        if minimum > _TEXT_LEVEL:
            return None
        if name == "matches" and self.peek(count).is_word("regex"):
            return sign + "matches regex", _TEXT_LEVEL, count + 1
        if name in _TEXT_WORDS:
            return sign + name, _TEXT_LEVEL, count
        if name in _OLD_TEXT_WORDS and not negated:
            return _OLD_TEXT_WORDS[name], _TEXT_LEVEL, count
        return None

    def _apply(self, operator: str, level: int, left: syntax.Expression) -> syntax.Expression:
        bare = operator.lstrip("!")
        if bare == "between":
            self.expect("(")
            low = self.expression()
            self.expect("..")
            high = self.expression()
            end = self.expect(")")
            return syntax.Between(left.span.to(end.span), left, low, high, operator[0] == "!")
        if bare in ("in", "in~", "has_any", "has_all"):
            if not self.peek().is_mark("("):
                item = self._level(level + 1)
                return syntax.InList(left.span.to(item.span), operator, left, (item,))
            self.expect("(")
            items = [] if self.peek().is_mark(")") else self.list_of(self.pipeline_or_expression)
            end = self.expect(")")
            return syntax.InList(left.span.to(end.span), operator, left, tuple(items))
        right = self._level(level + 1)
        return syntax.Binary(left.span.to(right.span), operator, left, right)

    def pipeline_or_expression(self) -> syntax.Expression:
        """An expression, or a pipeline as a `Lambda`; defined by the statement parser."""
        raise AssertionError("defined below in the chain of parsers")

    def _unary(self) -> syntax.Expression:
        token = self.peek()
        if token.is_mark("-", "+"):
            self.next()
            self._depth += 1
            if self._depth > _MAX_DEPTH:
                raise diagnostics.too_deep(token.span)
            operand = self._unary()
            self._depth -= 1
            if token.value == "+":
                return operand
            return _negated(token, operand)
        return self._postfix(self._primary())

    def _postfix(self, base: syntax.Expression) -> syntax.Expression:
        while True:
            token = self.peek()
            if token.is_mark("."):
                self.next()
                base = self._member(base)
            elif token.is_mark("[") and self._indexes(base):
                self.next()
                selector = self.expression()
                end = self.expect("]")
                base = syntax.Index(base.span.to(end.span), base, selector)
            else:
                return base

    def _indexes(self, base: syntax.Expression) -> bool:
        return not isinstance(base, syntax.Literal) or base.type is ScalarType.DYNAMIC

    def _member(self, base: syntax.Expression) -> syntax.Expression:
        if self.peek().is_mark("["):
            self.next()
            selector = self.expression()
            end = self.expect("]")
            if isinstance(selector, syntax.Literal) and isinstance(selector.value, str):
                return syntax.Member(base.span.to(end.span), base, selector.value, selector.span)
            return syntax.Index(base.span.to(end.span), base, selector)
        token = self.peek()
        if _of_place(base) and (token.is_mark("*") or self.peek(1).is_mark("*")):
            pattern = self.name_pattern()
            return syntax.Star(base.span.to(pattern.span), str(pattern.value), base)
        if (
            token.kind is Kind.NAME
            and self.peek(1).is_mark("(")
            and isinstance(base, syntax.Call | syntax.Qualified)
        ):
            call = self._primary()  # workspace("w").table("T"), database("d").f(…)
            if not isinstance(call, syntax.Call):  # a word that opens a literal, as in x().dynamic(…)
                raise diagnostics.expected("a function", f"a literal of type {token.value}", call.span)
            return syntax.Qualified(base.span.to(call.span), base, call)
        name = self.name()
        return syntax.Member(base.span.to(name.span), base, str(name.value), name.span)

    def _primary(self) -> syntax.Expression:
        token = self.peek()
        if token.kind in (Kind.STRING, Kind.LONG, Kind.REAL, Kind.TIMESPAN, Kind.TYPED):
            return self.literal()
        if token.is_mark("("):
            self.next()
            inside = self.pipeline_or_expression()
            end = self.expect(")")
            if isinstance(inside, syntax.Lambda):
                return syntax.Lambda(token.span.to(end.span), inside.pipeline)
            return inside
        if token.is_mark("["):
            name = self.name()
            return syntax.Name(name.span, str(name.value), quoted=True)
        if token.is_mark("*"):
            self.next()
            return syntax.Star(token.span)
        if token.kind is not Kind.NAME:
            raise diagnostics.expected("an expression", token.shown, token.span)
        if token.value in _BOOLS and not self.peek(1).is_mark("("):
            self.next()
            return syntax.Literal(token.span, _BOOLS[str(token.value)], ScalarType.BOOL)
        if token.value == "dynamic" and self.peek(1).is_mark("("):
            return self._dynamic()
        self.next()
        if self.peek().is_mark("("):
            return self._call(token)
        return syntax.Name(token.span, str(token.value))

    def _call(self, name: Token) -> syntax.Expression:
        self.expect("(")
        arguments: list[syntax.Expression] = []
        before, self._no_colon = self._no_colon, 0
        if not self.peek().is_mark(")"):
            arguments = self.list_of(self._argument)
        self._no_colon = before
        end = self.expect(")")
        return syntax.Call(name.span.to(end.span), str(name.value), tuple(arguments), name.span)

    def _argument(self) -> syntax.Expression:
        if self.peek().kind is Kind.NAME and self.peek(1).is_mark("="):
            name = self.next()
            self.next()
            value = self.pipeline_or_expression()
            return syntax.Named(name.span.to(value.span), (str(name.value),), value)
        return self.pipeline_or_expression()

    # ---- literals ---------------------------------------------------------------------------

    def literal(self) -> syntax.Literal:
        """A constant, adjacent strings joined."""
        token = self.next()
        if token.kind is Kind.STRING:
            text, span = str(token.value), token.span
            while self.peek().kind is Kind.STRING:
                more = self.next()
                text, span = text + str(more.value), span.to(more.span)
            return syntax.Literal(span, text, ScalarType.STRING)
        if token.kind is Kind.LONG:
            return syntax.Literal(token.span, token.value, ScalarType.LONG)
        if token.kind is Kind.REAL:
            return syntax.Literal(token.span, token.value, ScalarType.REAL)
        if token.kind is Kind.TIMESPAN:
            text = str(token.value)
            number = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
            return syntax.Literal(token.span, timespan_of(number, text[len(number) :]), ScalarType.TIMESPAN)
        if token.kind is Kind.TYPED and isinstance(token.value, tuple):
            return _typed(token.value[0], token.value[1], token.span)
        if token.is_word(*_BOOLS):
            return syntax.Literal(token.span, _BOOLS[str(token.value)], ScalarType.BOOL)
        raise diagnostics.expected("a constant", token.shown, token.span)

    def _dynamic(self) -> syntax.Literal:
        start = self.next()
        self.expect("(")
        value = self._json()
        end = self.expect(")")
        return syntax.Literal(start.span.to(end.span), value, ScalarType.DYNAMIC)

    def _json(self) -> object:
        token = self.peek()
        if token.is_mark("["):
            self.next()
            items = [] if self.peek().is_mark("]") else self.list_of(self._json, trailing="]")
            self.expect("]")
            return items
        if token.is_mark("{"):
            self.next()
            pairs = [] if self.peek().is_mark("}") else self.list_of(self._pair, trailing="}")
            self.expect("}")
            return dict(pairs)
        if token.is_word("null"):
            self.next()
            return None
        if token.is_mark("-", "+"):
            self.next()
            number = self._json()
            if not isinstance(number, int | float):
                raise diagnostics.expected("a number", repr(number), token.span)
            if token.value == "+":
                return number
            return wrapped(-number) if isinstance(number, int) else -number
        if token.is_word("dynamic"):
            return self._dynamic().value
        literal = self.literal()
        from_type = literal.type
        if literal.value is not None and from_type is ScalarType.DECIMAL:
            return float(literal.value)
        if literal.value is not None and from_type.is_time:
            return TimeInside(literal.value, from_type)
        return literal.value

    def _pair(self) -> tuple[str, object]:
        token = self.next()
        if token.kind not in (Kind.STRING, Kind.NAME, Kind.LONG):
            raise diagnostics.expected("a property name", token.shown, token.span)
        self.expect(":")
        return str(token.value), self._json()


class TimeInside:
    """A datetime or timespan inside a dynamic literal: JSON has no such value, so it turns to text."""

    __slots__ = ("ticks", "type")

    def __init__(self, ticks: int, type_: ScalarType) -> None:
        self.ticks = ticks
        self.type = type_

    def __str__(self) -> str:
        from workbench.base.dtypes import format_datetime, format_timespan

        return (format_datetime if self.type is ScalarType.DATETIME else format_timespan)(self.ticks)


def _negated(sign: Token, operand: syntax.Expression) -> syntax.Expression:
    span = sign.span.to(operand.span)
    if isinstance(operand, syntax.Literal) and operand.value is not None:
        if operand.type is ScalarType.LONG:
            return syntax.Literal(span, wrapped(-operand.value), operand.type)
        if operand.type in (ScalarType.REAL, ScalarType.TIMESPAN, ScalarType.INT):
            return syntax.Literal(span, -operand.value, operand.type)
        if operand.type is ScalarType.DECIMAL:
            text = str(operand.value)
            return syntax.Literal(span, text[1:] if text[0] == "-" else "-" + text.lstrip("+"), operand.type)
    return syntax.Unary(span, "-", operand)


def _balanced(word: str, terms: list[syntax.Expression]) -> syntax.Expression:
    while len(terms) > 1:
        paired = [
            syntax.Binary(a.span.to(b.span), word, a, b)
            for a, b in zip(terms[::2], terms[1::2], strict=False)
        ]
        terms = [*paired, *([terms[-1]] if len(terms) % 2 else [])]
    return terms[0]


def _of_place(node: syntax.Expression) -> bool:
    """Whether it is `database("…")` or its like, behind which a pattern of table names may stand."""
    call = node.call if isinstance(node, syntax.Qualified) else node
    return isinstance(call, syntax.Call) and call.name in syntax.PLACES


def _typed(name: str, raw: str, span: Span) -> syntax.Literal:
    """`datetime(2020-01-01)` and its like; unreadable text is null where Kusto says so, else KQL004."""
    from workbench.base.dtypes import parse_type

    type_ = parse_type(name)
    assert type_ is not None  # the lexer only takes type names
    if len(raw) > 1 and raw[0] in "\"'" and raw[-1] == raw[0]:
        raw = raw[1:-1]
    if raw.lower() == "null":
        return syntax.Literal(span, None, type_)
    value: object = None
    try:
        if type_ is ScalarType.DATETIME:
            value = parse_datetime(raw)
            if value is None and (time := _TIME_OF_DAY.fullmatch(raw.strip())):
                # A time alone is one of today.
                today = clock.now_ticks() // TICKS_PER_DAY * TICKS_PER_DAY
                value = parse_datetime(f"1970-01-01T{time[1]:0>2}:{time[2]}")
                value = None if value is None else today + value
        elif type_ is ScalarType.TIMESPAN:
            value = parse_timespan(raw)
        elif type_ in (ScalarType.INT, ScalarType.LONG):
            number = int(raw, 16) if raw.lower().lstrip("+-").startswith("0x") else int(raw)
            most = 2**31 if type_ is ScalarType.INT else 2**63
            value = number if -most <= number < most else None
        elif type_ is ScalarType.REAL:
            value = float({"+inf": "inf", "-inf": "-inf"}.get(raw.lower(), raw))
        elif type_ is ScalarType.DECIMAL:
            value = raw if abs(float(raw)) < 10.0 ** (38 - DECIMAL_SCALE) else None
        elif type_ is ScalarType.BOOL:
            value = {"true": True, "false": False, "1": True, "0": False}[raw.lower()]
        elif type_ is ScalarType.GUID:
            import uuid

            value = str(uuid.UUID(raw))
    except (ValueError, KeyError):
        value = None
    if value is None:
        raise diagnostics.bad_literal(name, raw, span)
    return syntax.Literal(span, value, type_)
