"""The parser over some tokens of a text: spans stay those of the text, nothing is read twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from workbench.base.diagnostics import query as diagnostics
from workbench.base.errors import Span
from workbench.query.lexer import Kind, Token
from workbench.query.parser.statements import Parser

R = TypeVar("R")
_AHEAD = 8  # the grammar looks at fewer tokens ahead


class SliceParser(Parser):
    """A parser whose text ends where the tokens do.

    Parameters
    ----------
    text : str
        The whole text, which the spans point into.
    tokens : sequence of Token
        What is read.
    last : Token, optional
        The END token.
    """

    def __init__(self, text: str, tokens: Sequence[Token], last: Token | None = None) -> None:
        # No call of super().__init__: that would read the whole text.
        self.text = text
        end = tokens[-1].span.end if tokens else 0
        last = last or Token(Kind.END, "", Span(end, end))
        self._tokens = [*tokens, *[last] * _AHEAD]
        self._last = len(tokens)
        self._at = 0

    def peek(self, ahead: int = 0) -> Token:
        return self._tokens[self._at + ahead]

    def next(self) -> Token:
        token = self._tokens[self._at]
        if self._at < self._last:
            self._at += 1
        return token

    def whole(self, read: Callable[[], R]) -> R:
        """What `read` gives, if it took all tokens (else KQL003)."""
        found = read()
        token = self.peek()
        if token.kind is not Kind.END:
            hint = "compare with '=='" if token.is_mark("=") else None
            raise diagnostics.expected("'|' or ';'", token.shown, token.span, hint)
        return found
