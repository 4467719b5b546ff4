"""What the language service gives back: plain values, each with `to_json` for a front end.

Offsets count characters of the text that was asked about, from 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from workbench.base.errors import Span


class Kind(StrEnum):
    """What a completion item stands for."""

    TABLE = "table"
    COLUMN = "column"
    FUNCTION = "function"
    AGGREGATE = "aggregate"
    OPERATOR = "operator"
    KEYWORD = "keyword"
    PLUGIN = "plugin"
    VALUE = "value"
    VARIABLE = "variable"
    PARAMETER = "parameter"
    JOIN_KIND = "join kind"
    RENDER_KIND = "render kind"
    OPTION = "option"
    TYPE = "type"


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


class Samples(Protocol):
    """What a table's recent rows hold; whoever asks may leave it out. Must answer fast or with nothing."""

    def values(self, table: str, column: str) -> Sequence[str]:
        """The different texts of a column, the most frequent first; none where there are many."""

    def paths(self, table: str, column: str) -> Mapping[str, str]:
        """Dotted paths inside the bags of a dynamic column, with the KQL type seen there."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that may stand at the cursor.

    Attributes
    ----------
    label : str
        What the list shows.
    kind : Kind
    insert : str
        What replaces `Completion.replace`; plain text.
    detail : str
        Signature, syntax or type.
    doc : str
        One sentence.
    order : int
        Place in the list, from 0.
    """

    label: str
    kind: Kind
    insert: str
    detail: str = ""
    doc: str = ""
    order: int = 0

    def to_json(self) -> dict[str, Any]:
        """The item as an object of JSON."""
        return {
            "label": self.label,
            "kind": self.kind.value,
            "insert": self.insert,
            "detail": self.detail,
            "doc": self.doc,
            "order": self.order,
        }


@dataclass(frozen=True, slots=True)
class Completion:
    """Items, best first, and the stretch of the text that the chosen one replaces."""

    items: tuple[Item, ...]
    replace: Span

    def to_json(self) -> dict[str, Any]:
        """The list as an object of JSON."""
        return {"items": [i.to_json() for i in self.items], "replace": span_json(self.replace)}


@dataclass(frozen=True, slots=True)
class Hover:
    """What stands at a place: its name, what it is (`kind`), type or signature, sentences about it."""

    label: str
    kind: Kind
    detail: str
    doc: str
    span: Span

    def to_json(self) -> dict[str, Any]:
        """The text as an object of JSON."""
        return {
            "label": self.label,
            "kind": self.kind.value,
            "detail": self.detail,
            "doc": self.doc,
            "span": span_json(self.span),
        }


@dataclass(frozen=True, slots=True)
class SignatureHelp:
    """A call that is being written.

    Attributes
    ----------
    label : str
        `name(first: type, …) → type`, the overload that fits the number of arguments.
    parameters : tuple of Span
        Where each parameter stands in `label`.
    active : int
        Which of them the cursor is in; a repeated last one stays active.
    doc : str
    others : tuple of str
        Labels of the other overloads.
    """

    label: str
    parameters: tuple[Span, ...]
    active: int
    doc: str
    others: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The help as an object of JSON."""
        return {
            "label": self.label,
            "parameters": [span_json(s) for s in self.parameters],
            "active": self.active,
            "doc": self.doc,
            "others": list(self.others),
        }


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding: an error as running the query would give it, a warning or a hint."""

    span: Span
    code: str
    message: str
    hint: str | None = None
    severity: Severity = Severity.ERROR

    def to_json(self) -> dict[str, Any]:
        """The finding as an object of JSON."""
        return {
            "span": span_json(self.span),
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "severity": self.severity.value,
        }


@dataclass(frozen=True, slots=True)
class SemanticToken:
    """A stretch of the text and how it is coloured; kinds are those of `semantic.KINDS`."""

    kind: str
    span: Span = field(default=Span(0, 0))

    def to_json(self) -> list[Any]:
        """`[kind, start, end]`."""
        return [self.kind, self.span.start, self.span.end]


def span_json(span: Span) -> list[int]:
    """`[start, end]`."""
    return [span.start, span.end]


def numbered(items: Iterable[Item]) -> tuple[Item, ...]:
    """The items with `order` set to their places."""
    return tuple(Item(i.label, i.kind, i.insert, i.detail, i.doc, n) for n, i in enumerate(items))
