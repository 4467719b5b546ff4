"""KQL text → tokens with spans. Knows the form of words and literals, not what they mean.

Operators that are written with a hyphen (`mv-expand`) stay three tokens here; the parser joins
them, since `a-b` is also a subtraction. Typed literals (`datetime(2020-01-01)`) are one token,
because what stands in their parentheses is no expression.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import TIMESPAN_UNITS
from workbench.base.errors import Span


class Kind(Enum):
    """What a token is."""

    NAME = auto()  # identifier or keyword
    QUOTED_NAME = auto()  # made by the parser from ['a b']; never by the lexer
    STRING = auto()
    LONG = auto()
    REAL = auto()
    TIMESPAN = auto()
    TYPED = auto()  # datetime(…), int(…): value is (type, raw text)
    PUNCTUATION = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A token; `value` is the text of a name or mark, or the value of a literal."""

    kind: Kind
    value: str | int | float | tuple[str, str]
    span: Span

    def is_mark(self, *marks: str) -> bool:
        return self.kind is Kind.PUNCTUATION and self.value in marks

    def is_word(self, *words: str) -> bool:
        return self.kind is Kind.NAME and self.value in words

    @property
    def shown(self) -> str:
        """How an error names this token."""
        if self.kind is Kind.END:
            return "the end of the query"
        if self.kind is Kind.STRING:
            return "a string"
        return repr(str(self.value)) if not isinstance(self.value, tuple) else f"'{self.value[0]}(…)'"


_SKIP = re.compile(r"(?:\s+|//[^\n]*)+")
_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_]*|\d+[A-Za-z_]\w*")
LITERAL_TYPES = ("datetime", "date", "timespan", "time", "guid", "uuid", "uniqueid", "int", "long", "real", "double", "decimal", "bool", "boolean")  # fmt: skip
"""The words that make a literal with the text in brackets behind them: `datetime(2026-01-01)`."""
_TYPED = re.compile(rf"({'|'.join(LITERAL_TYPES)})(?![A-Za-z0-9_])[ \t]*\(([^()]*)\)")
_HEX = re.compile(r"0[xX][0-9a-fA-F]+(?![A-Za-z0-9_])")
_NUMBER = re.compile(r"\d+(?:\.(?:\d+|(?![\w.])|(?=[eE][+-]?\d)))?(?:[eE][+-]?\d+)?")
_UNIT = re.compile(r"[a-zA-Z]+(?![A-Za-z0-9_])")
_STRING_START = re.compile(r"""[hH]?(?:@?"|@?'|```|~~~)""")
_MARKS = re.compile(r"=>|<\||\.\.|==|=~|!=|!~|<>|<=|>=|[-+*/%=<>(){}\[\],;:.|!@~]")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'", "a": "\a", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}  # fmt: skip
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)

_OCTAL = frozenset("01234567")

# Where `int(…)` and its like can be a conversion of an expression too, only a literal counts.
_VALUE_OF = re.compile(r"""\s*(?:null|[-+]?[\w.+-]*|true|false)\s*""", re.IGNORECASE)


def tokenize(text: str) -> list[Token]:
    """All tokens of `text`, an END token last.

    Raises
    ------
    WorkbenchError
        KQL001 for a string that is not closed, KQL002 for a character without meaning.

    Examples
    --------
    >>> [t.value for t in tokenize("T | take 5 // five")]
    ['T', '|', 'take', 5, '']
    """
    tokens: list[Token] = []
    at = 0
    while True:
        skipped = _SKIP.match(text, at)
        if skipped:
            at = skipped.end()
        if at >= len(text):
            tokens.append(Token(Kind.END, "", Span(len(text), len(text))))
            return tokens
        token = _next(text, at)
        tokens.append(token)
        at = token.span.end


def _next(text: str, at: int) -> Token:
    if _STRING_START.match(text, at):
        return _string(text, at)
    if "0" <= text[at] <= "9":
        return _number(text, at)
    m = _TYPED.match(text, at)
    if m and (
        m[1] in ("datetime", "date", "timespan", "time", "guid", "uuid", "uniqueid")
        or _VALUE_OF.fullmatch(m[2])
    ):
        return Token(Kind.TYPED, (m[1], m[2].strip()), Span(at, m.end()))
    m = _NAME.match(text, at)
    if m:
        return Token(Kind.NAME, m[0], Span(at, m.end()))
    m = _MARKS.match(text, at)
    if m:
        return Token(Kind.PUNCTUATION, m[0], Span(at, m.end()))
    if text[at].isalpha():
        end = at
        while end < len(text) and (text[end].isalnum() or text[end] == "_"):
            end += 1
        return Token(Kind.NAME, text[at:end], Span(at, end))
    raise diagnostics.unknown_character(text[at], Span(at, at + 1)).within(text)


def _number(text: str, at: int) -> Token:
    m = _HEX.match(text, at)
    if m:
        return Token(Kind.LONG, wrapped(int(m[0], 16)), Span(at, m.end()))
    m = _NUMBER.match(text, at)
    assert m is not None  # the caller saw a digit
    unit = _UNIT.match(text, m.end())
    if unit and unit[0].lower() in TIMESPAN_UNITS:
        return Token(Kind.TIMESPAN, text[at : unit.end()], Span(at, unit.end()))
    name = _NAME.match(text, at)
    if name and name.end() > m.end() and "." not in m[0]:
        return Token(Kind.NAME, name[0], Span(at, name.end()))  # a name that starts with digits
    if re.fullmatch(r"\d+", m[0]):
        return Token(Kind.LONG, wrapped(int(m[0])), Span(at, m.end()))
    return Token(Kind.REAL, float(m[0]), Span(at, m.end()))


def wrapped(value: int) -> int:
    """Into the range of a long, as the language's 64-bit arithmetic does."""
    return (value + 2**63) % 2**64 - 2**63


def _string(text: str, at: int) -> Token:
    start = at
    if text[at] in "hH":
        at += 1
    for fence in ("```", "~~~"):
        if text.startswith(fence, at):
            end = text.find(fence, at + 3)
            if end < 0:
                raise diagnostics.unclosed_string(Span(start, start + 3)).within(text)
            return Token(Kind.STRING, text[at + 3 : end], Span(start, end + 3))
    verbatim = text[at] == "@"
    if verbatim:
        at += 1
    quote = text[at]
    at += 1
    parts: list[str] = []
    while at < len(text):
        c = text[at]
        if c == quote:
            if verbatim and text.startswith(quote, at + 1):
                parts.append(quote)
                at += 2
                continue
            return Token(Kind.STRING, _paired("".join(parts)), Span(start, at + 1))
        if c == "\n":
            break
        if c == "\\" and not verbatim:
            m = _ESCAPE.match(text, at)
            if m is None or m[1] == "\n":
                break
            parts.append(_unescape(m[1]))
            at = m.end()
            continue
        parts.append(c)
        at += 1
    end = min(at, len(text))
    raise diagnostics.unclosed_string(Span(start, end)).within(text)


def _paired(text: str) -> str:
    """Two escapes that make one character (`\\ud83d\\ude00`) joined; half of such a pair is no text."""
    if not any("\ud800" <= c <= "\udfff" for c in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescape(code: str) -> str:
    if code[0] in "uUx" and len(code) > 1:
        number = int(code[1:], 16)
        return chr(number) if number <= 0x10FFFF else "\\" + code
    if code != "0" and set(code) <= _OCTAL:
        return chr(int(code, 8))
    return _ESCAPES.get(code, "\\" + code)
