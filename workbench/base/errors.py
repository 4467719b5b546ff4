"""The one error that a user meets, and how it is drawn.

Every mistake of a user, wherever it is found (text, names, data, files), becomes a
`WorkbenchError`: a code, one sentence, the place in the text, a hint. Cell, command line and
HTTP all print the same form. The messages themselves live in `workbench.base.diagnostics`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range `[start, end)` of characters in a query text."""

    start: int
    end: int

    def to(self, other: Span) -> Span:
        """The smallest span that covers both."""
        return Span(min(self.start, other.start), max(self.end, other.end))


_REMEMBERED = 16
_recent: dict[str, tuple[str, str, Span | None, str | None, str | None]] = {}


class WorkbenchError(Exception):
    """A mistake that its reader can mend.

    Parameters
    ----------
    code : str
        Area and number, such as `KQL101`.
    message : str
        One sentence in the user's words, no full stop.
    span : Span, optional
        Where in `text` it is.
    text : str, optional
        The whole query text that `span` points into.
    hint : str, optional
        What to try instead.

    Examples
    --------
    >>> print(WorkbenchError("KQL101", "no column named 'Computr'", Span(6, 13), "where Computr > 1",
    ...                      "did you mean 'Computer'?").render())
    KQL101 at 1:7: no column named 'Computr'
      where Computr > 1
            ^^^^^^^
    hint: did you mean 'Computer'?
    """

    def __init__(
        self,
        code: str,
        message: str | None = None,
        span: Span | None = None,
        text: str | None = None,
        hint: str | None = None,
    ) -> None:
        if message is None:
            # An engine that ran one of our functions raises a copy, made of the message alone.
            code, message, span, text, hint = _recent.get(code.split("\n\n")[0], ("KQL301", code, None, None, None))  # fmt: skip
        super().__init__(message)
        self.code = code
        self.message = message
        self.span = span
        self.text = text
        self.hint = hint
        _recent[str(self)] = (code, message, span, text, hint)
        while len(_recent) > _REMEMBERED:
            del _recent[next(iter(_recent))]

    def within(self, text: str) -> WorkbenchError:
        """The same error, told which text its span points into (kept if it already knows)."""
        if self.text is None:
            self.text = text
        return self

    def moved(self, span: Span, text: str) -> WorkbenchError:
        """The same error, its place in another text: that of a file around a query."""
        return WorkbenchError(self.code, self.message, span, text, self.hint)

    @property
    def position(self) -> tuple[int, int] | None:
        """Line and column of the first character, both from 1."""
        if self.span is None or self.text is None:
            return None
        before = self.text[: self.span.start]
        return before.count("\n") + 1, self.span.start - (before.rfind("\n") + 1) + 1

    def render(self) -> str:
        """The error as text: headline, source line with carets, hint."""
        where = self.position
        head = f"{self.code} at {where[0]}:{where[1]}: " if where else f"{self.code}: "
        lines = [head + self.message]
        if where and self.span is not None and self.text is not None:
            source = (self.text.split("\n")[where[0] - 1]).rstrip("\r")
            start = where[1] - 1
            width = max(1, min(self.span.end - self.span.start, len(source) - start))
            # A very long line is cut around the place, so that the caret stays on the screen.
            left = max(0, start - 60) if len(source) > 120 else 0
            shown = source[left : left + 120]
            marks = "".join("\t" if c == "\t" else " " for c in shown[: start - left])
            lines += ["  " + shown, "  " + marks + "^" * min(width, 120 - (start - left))]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)

    def packed(self) -> dict[str, object]:
        """The error as values of JSON, for another process.

        Examples
        --------
        >>> print(WorkbenchError.unpacked(WorkbenchError("KQL303", "the query was stopped").packed()))
        KQL303: the query was stopped
        """
        span = [self.span.start, self.span.end] if self.span else None
        return {
            "code": self.code,
            "message": self.message,
            "span": span,
            "text": self.text,
            "hint": self.hint,
        }

    @classmethod
    def unpacked(cls, values: Mapping[str, Any]) -> WorkbenchError:
        """The error that `packed` gave these values."""
        span = Span(*values["span"]) if values["span"] else None
        return cls(values["code"], values["message"], span, values["text"], values["hint"])

    def __str__(self) -> str:
        return self.render()

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback; control characters of data stay harmless."""
        shown = "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in self.render())
        return shown.split("\n")
