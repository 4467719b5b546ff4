"""Tokens → brackets, statements and pieces (what stands between pipes), also of a broken text.

A bracket that is never closed ends at the next statement or, where no pipeline may stand in it, at the
next pipe: so a mistake spoils its own piece only. Knows the marks of the language and few of its words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.query.lexer import Kind, Token

_OPENERS = {"(": ")", "[": "]", "{": "}"}
_CLOSERS = frozenset(_OPENERS.values())
# Words in front of a parenthesis in which a pipeline may stand.
_BEFORE_PIPELINES = frozenset(
    [
        "join",
        "lookup",
        "union",
        "on",
        "in",
        "has_any",
        "has_all",
        "toscalar",
        "materialize",
        "totable",
        "with",
        "fork",
        "by",
    ]
)


@dataclass(frozen=True, slots=True)
class Outline:
    """Tokens, and for each opening bracket the place of its end: the closing one, or where it is taken
    to end. `closed` tells the brackets that really are closed."""

    tokens: Sequence[Token]
    ends: dict[int, int]
    closed: frozenset[int]

    def split(self, start: int, end: int, mark: str) -> list[tuple[int, int]]:
        """Ranges of tokens between the marks outside of inner brackets; at least one."""
        found = []
        begin = at = start
        tokens, ends = self.tokens, self.ends
        while at < end:
            token = tokens[at]
            if token.kind is Kind.PUNCTUATION:
                if token.value == mark:
                    found.append((begin, at))
                    begin = at + 1
                elif at in ends:
                    at = min(end, max(at, ends[at] - (0 if at in self.closed else 1)))
            at += 1
        found.append((begin, end))
        return found

    def inside(self, opener: int) -> tuple[int, int]:
        """The range of tokens in a bracket."""
        return opener + 1, self.ends[opener]

    def groups(self, start: int, end: int) -> list[int]:
        """The opening brackets of a range that stand in no other one."""
        found = []
        at = start
        while at < end:
            if at in self.ends:
                found.append(at)
                at = max(at, self.ends[at] - (0 if at in self.closed else 1))
            at += 1
        return found

    def open_at_end(self) -> list[int]:
        """The brackets that the end of the tokens stands in, outermost first."""
        last = len(self.tokens)
        return sorted(o for o, e in self.ends.items() if e == last and o not in self.closed)

    def word(self, place: int, *words: str) -> bool:
        """Whether one of these words stands there."""
        return 0 <= place < len(self.tokens) and self.tokens[place].is_word(*words)

    def mark(self, place: int, *marks: str) -> bool:
        """Whether one of these marks stands there."""
        return 0 <= place < len(self.tokens) and self.tokens[place].is_mark(*marks)


def outline(tokens: Sequence[Token]) -> Outline:
    """The brackets of a text.

    Examples
    --------
    >>> from workbench.query.language.scanning import scan
    >>> text = "T | where f(a | take 5; U | count"
    >>> made = outline(scan(text).tokens)
    >>> [made.split(s, e, "|") for s, e in made.split(0, len(made.tokens), ";")]
    [[(0, 1), (2, 6), (7, 9)], [(10, 11), (12, 13)]]
    """
    ends: dict[int, int] = {}
    closed: set[int] = set()
    stack: list[int] = []
    for place, token in enumerate(tokens):
        if token.kind is not Kind.PUNCTUATION:
            continue
        mark = token.value
        if mark in _OPENERS:
            stack.append(place)
        elif mark in _CLOSERS:
            match = next((i for i in range(len(stack) - 1, -1, -1) if _OPENERS[str(tokens[stack[i]].value)] == mark), None)  # fmt: skip
            if match is None:
                continue
            for opener in stack[match + 1 :]:
                ends[opener] = place
            ends[stack[match]] = place
            closed.add(stack[match])
            del stack[match:]
        elif mark == ";" and stack and not _steps(tokens, place, stack[-1]):
            while stack and not tokens[stack[-1]].is_mark("{"):
                ends[stack.pop()] = place
    for opener in stack:
        ends[opener] = len(tokens)
    made = Outline(tokens, ends, frozenset(closed))
    for opener in sorted(ends):
        if opener not in closed and not _takes_pipeline(tokens, opener):
            first = made.split(opener + 1, ends[opener], "|")[0][1]
            ends[opener] = min(ends[opener], first)
    return made


def _steps(tokens: Sequence[Token], place: int, opener: int) -> bool:
    """Whether a semicolon is one between the steps of `scan` or the statements of `macro-expand`."""
    if opener > 1 and tokens[opener - 2].is_word("as"):
        return True
    after = tokens[place + 1] if place + 1 < len(tokens) else None
    return after is not None and (after.is_word("step") or after.is_mark(")"))


def _takes_pipeline(tokens: Sequence[Token], opener: int) -> bool:
    if tokens[opener].is_mark("["):
        return False
    if tokens[opener].is_mark("{") or opener == 0:
        return True
    before = tokens[opener - 1]
    if before.kind is Kind.PUNCTUATION:
        return before.is_mark("=", "{", ";", "(", ",", "~", "|", ")")
    if before.kind is not Kind.NAME:
        return False
    if before.value in _BEFORE_PIPELINES:
        return True
    # `kind=inner (`, `by Column (`
    return opener >= 3 and (tokens[opener - 2].is_mark("=") or tokens[opener - 2].is_word("by", "strategy"))
