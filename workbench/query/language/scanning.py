"""Text → tokens, comments and what did not lex, never an error: for texts that are being written.

A string that is not closed is one STRING token up to where the lexer gave up. The scan of a text reuses
that of the text before it: an editor asks again after each key.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from workbench.base.diagnostics.language import moved
from workbench.base.errors import Span, WorkbenchError
from workbench.query.lexer import LITERAL_TYPES, Kind, Token, tokenize

_COMMENT = re.compile(r"//[^\n]*")
# What the lexer may look at behind the end of a token.
_AHEAD = 4
_REMEMBERED = 8


@dataclass(frozen=True, slots=True)
class Scan:
    """The tokens of a text without the END token, what did not lex, and whether a string is open at
    its end (`open_string` is where it begins)."""

    text: str
    tokens: tuple[Token, ...]
    errors: tuple[WorkbenchError, ...]
    open_string: int | None = None

    def comments(self) -> list[Span]:
        """Where comments stand, in order."""
        found: list[Span] = []
        at = self.text.find("//")
        while at >= 0:
            before = bisect_right(self.tokens, at, key=lambda t: t.span.start)
            inside = self.tokens[before - 1].span if before else None
            if inside is not None and at < inside.end:
                at = self.text.find("//", inside.end)
                continue
            end = self.text.find("\n", at)
            found.append(Span(at, end if end >= 0 else len(self.text)))
            at = self.text.find("//", found[-1].end)
        return found


_recent: OrderedDict[str, Scan] = OrderedDict()
_guard = Lock()


def scan(text: str) -> Scan:
    """The tokens of `text`.

    Examples
    --------
    >>> found = scan("T | where a == 'open")
    >>> [t.value for t in found.tokens][:2], found.open_string, found.errors[0].code
    (['T', '|'], 15, 'KQL001')
    """
    with _guard:
        known = _recent.get(text)
        if known is not None:
            _recent.move_to_end(text)
            return known
        last = next(reversed(_recent.values()), None)
    tokens, errors, open_string = _scanned(text, _reusable(text, last) if last is not None else [])
    made = Scan(text, tuple(tokens), tuple(errors), open_string)
    with _guard:
        _recent[text] = made
        while len(_recent) > _REMEMBERED:
            _recent.popitem(last=False)
    return made


def _reusable(text: str, last: Scan) -> list[Token]:
    """The tokens of an earlier scan that `text` begins with too."""
    same = _common(text, last.text)
    if last.errors and last.errors[0].span is not None:
        same = min(same, last.errors[0].span.start)
    low, high = 0, len(last.tokens)
    while low < high:
        middle = (low + high) // 2
        if last.tokens[middle].span.end < same - _AHEAD:
            low = middle + 1
        else:
            high = middle
    while low and last.tokens[low - 1].is_word(*LITERAL_TYPES):
        low -= 1
    # `datetime(` becomes one token once its parenthesis is closed, however far away that is.
    for place in range(low - 1, max(0, low - 50), -1):
        token = last.tokens[place]
        if token.is_mark(")"):
            break
        if token.is_mark("(") and last.tokens[place - 1].is_word(*LITERAL_TYPES):
            return list(last.tokens[: place - 1])
    return list(last.tokens[:low])


def _common(a: str, b: str) -> int:
    """How many characters both begin with."""
    low, high = 0, min(len(a), len(b))
    if a[:high] == b[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle
    return low


def _scanned(text: str, tokens: list[Token]) -> tuple[list[Token], list[WorkbenchError], int | None]:
    errors: list[WorkbenchError] = []
    at = tokens[-1].span.end if tokens else 0
    while True:
        try:
            tokens += _moved(tokenize(text[at:])[:-1], at)
            return tokens, errors, None
        except WorkbenchError as error:
            wrong = error.span or Span(0, 1)
            begins = at + wrong.start
            ends = max(begins + 1, at + wrong.end)
            tokens += _moved(tokenize(text[at:begins])[:-1], at)
            errors.append(moved(error, Span(begins, ends), text))
            if error.code == "KQL001":
                fenced = text[begins:].lstrip("hH")[:3] in ("```", "~~~")
                if fenced:
                    ends = len(text)
                tokens.append(Token(Kind.STRING, text[begins:ends], Span(begins, ends)))
                if ends >= len(text):
                    return tokens, errors, begins
            at = ends


def _moved(tokens: list[Token], by: int) -> list[Token]:
    if by == 0:
        return tokens
    return [Token(t.kind, t.value, Span(t.span.start + by, t.span.end + by)) for t in tokens]


def in_comment(text: str, position: int) -> bool:
    """Whether the place is inside a comment."""
    found = scan(text[:position])
    end = found.tokens[-1].span.end if found.tokens else 0
    return found.open_string is None and _COMMENT.search(_last_line(text, end, position)) is not None


def _last_line(text: str, start: int, end: int) -> str:
    begin = max(start, text.rfind("\n", 0, end) + 1)
    return text[begin:end]
