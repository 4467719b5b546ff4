"""Keeps the values of secrets out of what a job says: texts, JSON values, messages in their order, notebooks.

In go the values that a job has read, out come a `Scrubber`. It finds each value as it is, in base64 (all three offsets,
both alphabets), hexadecimal, escaped for URLs, JSON, Python, HTML, and in UTF-16, also where it is cut into pieces that
follow each other. SECRETS.md says what it does not find. Must not know jobs, nor where secrets come from.
"""

from __future__ import annotations

import base64
import html
import json
import urllib.parse
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

MASK = "***"
LEAST = 4
"""Characters of a secret, as `kinds.LEAST_SECRET`, and of the pieces of it that are looked for."""
_LEAST_ENCODED = 6
"""Characters of an encoded form: shorter ones stand in ordinary output."""
_LEAST_LINE = 16
"""Characters of a line of a secret that is looked for by itself (keys in PEM are printed line by line)."""
_LONGEST_TAIL = 128 << 10
_LONGEST_ENCODED = 64 << 10
"""Characters of a secret that is looked for in encoded forms as well."""


class Scrubber:
    """Masks some secrets.

    Parameters
    ----------
    secrets : iterable of str

    Examples
    --------
    >>> scrubber = Scrubber(["tr0ub4dor"])
    >>> scrubber.text("password=tr0ub4dor; dHIwdWI0ZG9y")
    'password=***; ***'
    >>> scrubber.pieces(["tr0u", "b4dor!"])
    ['***', '!']
    >>> scrubber.value({"a": ["x", "tr0ub4dor"]})
    {'a': ['x', '***']}
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        found: dict[str, None] = {}
        for secret in secrets:
            if len(secret) >= LEAST:
                found.update(dict.fromkeys(_forms(secret)))
        # A longer form first: it may hold a shorter one.
        self._forms = sorted(found, key=len, reverse=True)
        self._starts: dict[str, list[str]] = {}
        for form in self._forms:
            self._starts.setdefault(form[0], []).append(form)
        self._longest = len(self._forms[0]) if self._forms else 0

    def __bool__(self) -> bool:
        return bool(self._forms)

    def finds(self, value: object) -> bool:
        """Whether a JSON value has a secret in it."""
        return bool(self.value(value) != value)

    def text(self, text: str, *, cut: bool = False) -> str:
        """A text with its secrets masked; `cut`: it may end inside of one, whose beginning is masked too."""
        return self.pieces([text], cut=cut)[0]

    def pieces(self, texts: Sequence[str], *, cut: bool = False, stored: int = 0) -> list[str]:
        """Texts that follow each other, masked; a secret may begin in one and end in another.

        The first `stored` of them are shown already: of a secret that goes on behind them a mask stands there too.
        """
        whole = "".join(texts)
        spans = self._spans(whole)
        if cut and (tail := self.tail(whole)) >= LEAST:
            spans = _merged([*spans, (len(whole) - tail, len(whole))])
        if not spans:
            return list(texts)
        border = sum(len(text) for text in texts[:stored])
        return [*_masked(texts[:stored], spans), *_masked(texts[stored:], _behind(spans, border))]

    def tail(self, text: str) -> int:
        """How many of the last characters could be the beginning of a secret that goes on."""
        first = max(0, len(text) - min(self._longest, _LONGEST_TAIL) + 1)
        for start in range(first, len(text)):
            for form in self._starts.get(text[start], ()):
                if len(form) > len(text) - start and form.startswith(text[start:]):
                    return len(text) - start
        return 0

    def value(self, value: Any) -> Any:
        """A JSON value with its secrets masked, in names too; pieces may follow each other in lists."""
        if not self._forms:
            return value
        leaves = _Leaves(value)
        for group in leaves.groups():
            leaves.put(group, self.pieces([leaves.texts[n] for n in group]))
        return leaves.made()

    def _spans(self, text: str) -> list[tuple[int, int]]:
        found = []
        for form in self._forms:
            at = text.find(form)
            while at >= 0:
                found.append((at, at + len(form)))
                at = text.find(form, at + 1)
        return _merged(found)


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    made: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if made and start < made[-1][1]:
            made[-1] = (made[-1][0], max(end, made[-1][1]))
        else:
            made.append((start, end))
    return made


def _behind(spans: Iterable[tuple[int, int]], border: int) -> list[tuple[int, int]]:
    """What of spans lies behind a border, counted from there."""
    return [(max(start - border, 0), end - border) for start, end in spans if end > border]


def _masked(texts: Sequence[str], spans: Sequence[tuple[int, int]]) -> list[str]:
    """The texts without the spans of their whole; a mask stands where a span begins."""
    made, begins = [], 0
    for text in texts:
        ends, parts, at = begins + len(text), [], begins
        for start, end in spans:
            if end <= begins or start >= ends:
                continue
            parts.append(text[at - begins : max(start, at) - begins])
            parts.append(MASK if start >= begins else "")
            at = min(end, ends)
        made.append("".join(parts) + text[at - begins :])
        begins = ends
    return made


class _Leaves:
    """The texts in a JSON value, by number, and the value made of them again."""

    def __init__(self, value: Any) -> None:
        self.texts: list[str] = []
        self._places: dict[str, list[int]] = {}
        self._shape = self._taken(value, "")

    def groups(self) -> Iterator[list[int]]:
        """Numbers of texts that are read one after the other: all of them, and those of one name."""
        yield list(range(len(self.texts)))
        yield from (numbers for numbers in self._places.values() if len(numbers) > 1)

    def put(self, group: Sequence[int], texts: Sequence[str]) -> None:
        for number, text in zip(group, texts, strict=True):
            self.texts[number] = text

    def made(self) -> Any:
        return self._shape()

    def _taken(self, value: Any, name: str) -> Callable[[], Any]:
        if isinstance(value, dict):
            # The two streams of a notebook's cell are read apart.
            stream = str(value.get("name", "")) if value.get("output_type") == "stream" else ""
            pairs = [(self._text(str(n), ""), self._taken(v, str(n) + stream)) for n, v in value.items()]
            return lambda: {n(): v() for n, v in pairs}
        if isinstance(value, list | tuple):
            items = [self._taken(v, name) for v in value]
            return lambda: [v() for v in items]
        if isinstance(value, str):
            return self._text(value, name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            text = json.dumps(value)
            number = self._text(text, name)
            return lambda: value if number() == text else number()
        return lambda: value

    def _text(self, text: str, name: str) -> Callable[[], str]:
        number = len(self.texts)
        self.texts.append(text)
        if name:
            self._places.setdefault(name, []).append(number)
        return lambda: self.texts[number]


# ---- forms of a secret ---------------------------------------------------------------------------


def _forms(secret: str) -> Iterator[str]:
    yield secret
    stripped = secret.strip()
    if len(stripped) >= LEAST:
        yield stripped
    lines = [line.strip() for line in secret.splitlines()]
    if len(lines) > 1:
        body = [line for line in lines if not line.startswith("-----")]
        yield from (line for line in body if len(line) >= _LEAST_LINE)
        yield "\\n".join(lines)
        if len("".join(body)) >= LEAST:
            yield "".join(body)
    if len(secret) <= _LONGEST_ENCODED:
        yield from (f for f in _encoded(secret) if len(f) >= _LEAST_ENCODED)


def _encoded(secret: str) -> Iterator[str]:
    plain = secret.encode("utf-8", "surrogatepass")
    wide = secret.encode("utf-16-le", "surrogatepass")
    for data in (
        plain,
        wide,
        wide[1:] if wide.endswith(b"\0") else secret.encode("utf-16-be", "surrogatepass"),
    ):
        yield from _base64(data)
        for lower in (data.hex(), data.hex(":"), data.hex(" ")):
            yield from (lower, lower.upper())
    # As text that was decoded wrongly; the zeros at the ends belong to other characters as much.
    yield wide.decode("latin-1").strip("\0")
    for escaped in (_each(wide, "\\x%02x"), "".join(_python(chr(b)) for b in wide), json.dumps(wide.decode("latin-1"))[1:-1]):  # fmt: skip
        yield escaped.removesuffix("\\x00").removesuffix("\\u0000")
    yield from _escaped(secret)
    for form in ("%%%02x", "%%%02X", "\\x%02x"):
        yield _each(plain, form)


def _escaped(secret: str) -> Iterator[str]:
    as_json = json.dumps(secret)[1:-1]
    for text in (as_json, json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield from (text, text.replace("/", "\\/"), json.dumps(text)[1:-1])
    yield "".join(f"\\u{ord(c):04X}" if ord(c) > 126 else json.dumps(c)[1:-1] for c in secret)
    for quoted in (
        urllib.parse.quote(secret, safe="", errors="surrogatepass"),
        urllib.parse.quote(secret, errors="surrogatepass"),
        urllib.parse.quote_plus(secret, errors="surrogatepass"),
    ):
        yield from (quoted, _lower_percent(quoted))
    for form in ("\\u%04x", "\\u%04X"):
        yield "".join(form % ord(c) for c in secret)
    yield "".join(_python(c) for c in secret)
    yield repr(secret)[1:-1]
    yield repr(secret.encode("utf-8", "surrogatepass"))[2:-1]
    yield from (html.escape(secret), html.escape(secret, quote=False))


def _base64(data: bytes) -> Iterator[str]:
    """What base64 of these bytes has in it wherever they begin: only characters made of them alone."""
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + data).decode().rstrip("=")
        bits = 8 * (offset + len(data))
        kept = text[(8 * offset + 5) // 6 : bits // 6]
        yield from (kept, kept.replace("+", "-").replace("/", "_"))


def _each(data: bytes, form: str) -> str:
    return "".join(form % b for b in data)


def _python(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _lower_percent(text: str) -> str:
    parts = text.split("%")
    return parts[0] + "".join("%" + p[:2].lower() + p[2:] for p in parts[1:])
