"""How a text is coloured: a kind for each stretch, from its tokens alone, also of a broken text."""

from __future__ import annotations

from workbench.base.dtypes import parse_type
from workbench.base.errors import Span
from workbench.query.language.model import SemanticToken
from workbench.query.language.outline import Outline, outline
from workbench.query.language.scanning import scan
from workbench.query.lexer import Kind, Token
from workbench.query.operators import OPERATORS

KINDS = (
    "comment",
    "keyword",
    "operator",
    "function",
    "string",
    "number",
    "type",
    "name",
    "column",
    "table",
    "mark",
)
"""Every kind there is: `operator` is a tabular one, `mark` a sign such as `==`, `name` a word of `let`."""

KEYWORDS = frozenset(
    [
        "let",
        "set",
        "declare",
        "query_parameters",
        "pattern",
        "alias",
        "database",
        "restrict",
        "access",
        "view",
        "by",
        "on",
        "asc",
        "desc",
        "nulls",
        "first",
        "last",
        "and",
        "or",
        "in",
        "has",
        "contains",
        "startswith",
        "endswith",
        "hasprefix",
        "hassuffix",
        "has_cs",
        "contains_cs",
        "startswith_cs",
        "endswith_cs",
        "hasprefix_cs",
        "hassuffix_cs",
        "has_any",
        "has_all",
        "between",
        "matches",
        "regex",
        "with",
        "from",
        "to",
        "step",
        "of",
        "kind",
        "withsource",
        "isfuzzy",
        "true",
        "false",
        "null",
        "typeof",
        "default",
        "dynamic",
        "not",
    ]
)
_LITERALS = {Kind.STRING: "string", Kind.LONG: "number", Kind.REAL: "number", Kind.TIMESPAN: "number"}
_BRACKETS = frozenset("()[]{},;.")


def tokens(text: str) -> list[SemanticToken]:
    """The coloured stretches of a text, in order; brackets and commas have none.

    Examples
    --------
    >>> [(t.kind, t.span.start) for t in tokens("T | where a == 'x' // c")]
    [('table', 0), ('mark', 2), ('operator', 4), ('column', 10), ('mark', 12), ('string', 15), ('comment', 19)]
    """
    found = scan(text)
    made = outline(found.tokens)
    lets = {str(t.value) for i, t in enumerate(found.tokens) if made.word(i - 1, "let")}
    out = [SemanticToken("comment", c) for c in found.comments()]
    place = 0
    while place < len(found.tokens):
        kind, ends = _kind(text, made, place, lets)
        if kind:
            out.append(
                SemanticToken(kind, Span(found.tokens[place].span.start, found.tokens[ends - 1].span.end))
            )
        place = ends
    out.sort(key=lambda t: t.span.start)
    return out


def _kind(text: str, made: Outline, place: int, lets: set[str]) -> tuple[str, int]:
    """The kind of what begins at a token, and the token behind it."""
    token = made.tokens[place]
    if token.kind in _LITERALS:
        return _LITERALS[token.kind], place + 1
    if token.kind is Kind.TYPED:
        return "number", place + 1
    if token.kind is Kind.PUNCTUATION:
        return ("" if str(token.value) in _BRACKETS else "mark"), place + 1
    name = str(token.value)
    if _begins(made, place):
        ends = _keyword_end(text, made, place)
        word = text[token.span.start : made.tokens[ends - 1].span.end]
        if word in OPERATORS and (made.mark(place - 1, "|") or OPERATORS.get(word).source):  # type: ignore[union-attr]
            return "operator", ends
        if not made.mark(place - 1, "|") and name not in KEYWORDS and not made.mark(place + 1, "("):
            return ("name" if name in lets else "table"), place + 1
    return _word(made, place, token, name, lets), place + 1


def _word(made: Outline, place: int, token: Token, name: str, lets: set[str]) -> str:
    if made.mark(place - 1, "."):
        return "function" if made.mark(place + 1, "(") else "column"
    if made.mark(place - 1, ":") and parse_type(name) is not None:
        return "type"
    if made.word(place - 2, "typeof") and parse_type(name) is not None:
        return "type"
    if name in lets:
        return "name"
    if name in KEYWORDS and not made.mark(place + 1, "."):
        return "keyword"
    return "function" if made.mark(place + 1, "(") else "column"


def _begins(made: Outline, place: int) -> bool:
    """Whether a source or a tabular operator may begin here."""
    if place == 0 or made.mark(place - 1, "|", ";", "{"):
        return True
    if made.mark(place - 1, "="):
        return made.word(place - 3, "let")
    if made.mark(place - 1, "("):
        before = made.tokens[place - 2] if place > 1 else None
        joined = before is not None and before.is_word(
            "join", "lookup", "union", "on", "toscalar", "materialize"
        )
        return joined or made.mark(place - 3, "=")
    return made.word(place - 1, "union", "join", "lookup")


def _keyword_end(text: str, made: Outline, place: int) -> int:
    """The token behind a keyword with its hyphens."""
    ends = place + 1
    while (
        ends + 1 < len(made.tokens)
        and made.mark(ends, "-")
        and made.tokens[ends - 1].span.end == made.tokens[ends].span.start
        and made.tokens[ends].span.end == made.tokens[ends + 1].span.start
    ):
        ends += 2
    return ends
