"""Reading along the tokens: look ahead, expect, lists, names, options, types."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import ScalarType, parse_type
from workbench.base.errors import Span
from workbench.query.lexer import Kind, Token, tokenize

T = TypeVar("T")


class TokenReader:
    """A cursor over the tokens of a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tokenize(text)
        self._at = 0

    def peek(self, ahead: int = 0) -> Token:
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)]

    def next(self) -> Token:
        token = self.peek()
        self._at = min(self._at + 1, len(self._tokens) - 1)
        return token

    @property
    def last_span(self) -> Span:
        """Span of the token that was read last."""
        return self._tokens[max(0, self._at - 1)].span

    def mark(self) -> int:
        """The place of the cursor, for `rewind`."""
        return self._at

    def rewind(self, place: int) -> None:
        self._at = place

    def accept(self, *marks: str) -> Token | None:
        """The next token if it is one of these marks."""
        return self.next() if self.peek().is_mark(*marks) else None

    def accept_word(self, *words: str) -> Token | None:
        return self.next() if self.peek().is_word(*words) else None

    def expect(self, mark: str) -> Token:
        token = self.peek()
        if not token.is_mark(mark):
            raise diagnostics.expected(f"'{mark}'", token.shown, token.span)
        return self.next()

    def expect_word(self, *words: str) -> Token:
        token = self.peek()
        if not token.is_word(*words):
            raise diagnostics.expected(" or ".join(f"'{w}'" for w in words), token.shown, token.span)
        return self.next()

    def list_of(self, item: Callable[[], T], trailing: str | None = None) -> list[T]:
        """`item, item, …`; a comma before `trailing` is allowed."""
        items = [item()]
        while self.accept(","):
            if trailing and self.peek().is_mark(trailing):
                break
            items.append(item())
        return items

    def name(self) -> Token:
        """A name: a word, or `['any text']`."""
        token = self.peek()
        if token.kind is Kind.NAME:
            return self.next()
        if token.is_mark("[") and self.peek(1).kind is Kind.STRING and self.peek(2).is_mark("]"):
            self.next()
            text = self.next()
            end = self.next()
            return Token(Kind.QUOTED_NAME, str(text.value), token.span.to(end.span))
        raise diagnostics.expected("a name", token.shown, token.span)

    def name_pattern(self) -> Token:
        """A name in which `*` may stand: `User*`, `*`, `a*b`."""
        token = self.peek()
        if token.is_mark("["):
            return self.name()
        parts, span = "", token.span
        while True:
            token = self.peek()
            adjacent = not parts or token.span.start == span.end
            if adjacent and (token.is_mark("*") or token.kind in (Kind.NAME, Kind.LONG)):
                self.next()
                parts += self.text[token.span.start : token.span.end]
                span = span.to(token.span)
            else:
                break
        if not parts:
            raise diagnostics.expected("a name", token.shown, token.span)
        return Token(Kind.NAME, parts, span)

    def type_name(self) -> ScalarType:
        token = self.name()
        found = parse_type(str(token.value))
        if found is None:
            hint = "types: " + ", ".join(t.value for t in ScalarType)
            raise diagnostics.expected("a type", token.shown, token.span, hint)
        return found

    def typeof(self) -> ScalarType:
        """`typeof(type)`."""
        self.expect_word("typeof")
        self.expect("(")
        found = self.type_name()
        self.expect(")")
        return found

    def column_list(self) -> tuple[tuple[str, ScalarType], ...]:
        """`(name: type, …)`."""
        self.expect("(")
        columns: list[tuple[str, ScalarType]] = []
        if not self.peek().is_mark(")"):
            columns = self.list_of(self._column, trailing=")")
        self.expect(")")
        return tuple(columns)

    def _column(self) -> tuple[str, ScalarType]:
        token = self.peek()
        if token.kind is Kind.STRING:
            self.next()
            name = str(token.value)
        else:
            name = str(self.name().value)
        self.expect(":")
        return name, self.type_name()

    def options(self, operator: str, allowed: Collection[str]) -> dict[str, str | int | bool]:
        """`name=value` pairs; `hint.*` is read and left out; another name is KQL008.

        A pair counts as an option only if its name is allowed, a hint, or written like one that
        this operator could not take as an expression (`name=word` before anything else).
        """
        found: dict[str, str | int | bool] = {}
        while self.peek().kind is Kind.NAME:
            name_token = self.peek()
            name = str(name_token.value)
            if name in ("hint", "__crossDB", "__crossCluster", "decodeblocks", "expandoutput", "bin_legacy"):
                while not self.peek().is_mark("="):
                    if self.peek().kind is Kind.END:
                        raise diagnostics.expected("'='", self.peek().shown, self.peek().span)
                    self.next()
                self.next()
                self._option_value()
                continue
            if not self.peek(1).is_mark("="):
                break
            if name not in allowed:
                if operator in (
                    "where",
                    "summarize",
                    "mv-expand",
                    "mv-apply",
                    "make-series",
                    "print",
                    "distinct",
                    "take",
                ):
                    break
                raise diagnostics.bad_option(name, operator, name_token.span, allowed)
            self.next()
            self.next()
            found[name] = self._option_value()
        return found

    def _option_value(self) -> str | int | bool:
        token = self.next()
        if token.is_mark("["):
            self.rewind(self.mark() - 1)
            return str(self.name().value)
        if token.is_word("true", "false"):
            return token.value == "true"
        if token.kind in (Kind.NAME, Kind.STRING):
            return str(token.value)
        if token.kind is Kind.LONG and isinstance(token.value, int):
            return token.value
        raise diagnostics.expected("a value", token.shown, token.span)
