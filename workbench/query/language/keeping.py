"""What a change of layout must keep: the tokens and comments of a text, in their order."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from workbench.base.errors import WorkbenchError
from workbench.query.language.scanning import Scan
from workbench.query.lexer import tokenize


def same(before: Scan, made: str) -> bool:
    """Whether a text has the tokens and comments of another one, in their order, and no other."""
    pieces = [*(t.span for t in before.tokens), *before.comments()]
    at = 0
    last = ""
    for span in sorted(pieces, key=lambda s: s.start):
        piece = before.text[span.start : span.end].rstrip()
        begins = at
        while made[at : at + 1].isspace():
            at += 1
        if not made.startswith(piece, at):
            return False
        if at == begins and last and not apart(last, piece):
            return False
        at += len(piece)
        last = piece
    return not made[at:].strip()


@lru_cache(maxsize=10_000)
def apart(first: str, second: str) -> bool:
    """Whether two tokens stay two when they touch."""
    if len(first) + len(second) > 200:
        return True  # a long string: its quotes end it
    try:
        found = tokenize(first + second)
    except WorkbenchError:
        return False
    return [t.span.start for t in found[:-1]] == [0, len(first)] or second.startswith("//")


@dataclass(slots=True)
class Around:
    """The comments around a token: those on lines before it, with whether an empty line stands before
    each, and the one behind it on its line."""

    before: list[tuple[str, bool]] = field(default_factory=list)
    behind: str = ""
    blank: bool = False


def around(found: Scan) -> list[Around]:
    """What stands around each token, and one more entry for the end of the text."""
    text, tokens = found.text, found.tokens
    out = [Around() for _ in range(len(tokens) + 1)]
    comments = found.comments()
    at = 0
    for number in range(len(tokens) + 1):
        begin = tokens[number - 1].span.end if number else 0
        end = tokens[number].span.start if number < len(tokens) else len(text)
        seen = begin
        while at < len(comments) and comments[at].start < end:
            comment = comments[at]
            gap = text[seen : comment.start]
            words = text[comment.start : comment.end].rstrip()
            if number and "\n" not in text[begin : comment.start]:
                out[number - 1].behind = words
            else:
                out[number].before.append((words, gap.count("\n") > 1))
            seen = comment.end
            at += 1
        out[number].blank = len(re.findall("\n", text[seen:end])) > 1
    return out
