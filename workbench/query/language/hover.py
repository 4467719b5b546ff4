"""What stands at a place: an operator, a function, a column with its type, a name of the query."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.base.errors import Span
from workbench.query.binder.scope import FunctionEntry, ScalarEntry, TableEntry
from workbench.query.frames import Tables
from workbench.query.functions import AGGREGATES
from workbench.query.language import choices, describe, sides
from workbench.query.language.model import Hover, Kind
from workbench.query.language.origin import origins
from workbench.query.language.place import Place, place
from workbench.query.language.scanning import scan
from workbench.query.lexer import Kind as TokenKind
from workbench.query.operators import OPERATORS
from workbench.query.operators.plugins import PLUGINS
from workbench.query.plan import ONE_ROW, Values

_MOST_COLUMNS = 40


def hover(text: str, position: int, source: Tables, scope: Callable[[str], Any] | None = None) -> Hover | None:  # fmt: skip
    """What the word at `position` means; None where there is none or nobody knows it.

    Examples
    --------
    >>> from workbench.query.frames import FrameTables
    >>> found = hover("print a = 1 | extend b = a", 25, FrameTables({}))
    >>> found.label, found.kind.value, found.detail
    ('a', 'column', 'long')
    """
    tokens = scan(text).tokens
    number = next((i for i, t in enumerate(tokens) if t.span.start <= position <= t.span.end and t.kind is TokenKind.NAME), None)  # fmt: skip
    name, span = "", Span(position, position)
    if number is None:
        quoted = next((i for i, t in enumerate(tokens) if t.span.start <= position <= t.span.end and t.kind is TokenKind.STRING), None)  # fmt: skip
        if quoted is None or quoted == 0 or not tokens[quoted - 1].is_mark("["):
            return None
        number, name, span = quoted - 1, str(tokens[quoted].value), tokens[quoted].span
    else:
        name, span = str(tokens[number].value), tokens[number].span
        found = _word(text, number)
        if found is not None:
            return found
    there = place(text, tokens[number].span.start, source, scope)
    if there is None:
        return None
    called = number + 1 < len(tokens) and tokens[number + 1].is_mark("(")
    return _named(there, name, span, called)


def _word(text: str, number: int) -> Hover | None:
    """A tabular operator or a choice of one."""
    tokens = scan(text).tokens
    first = last = number
    while (
        first >= 2
        and tokens[first - 1].is_mark("-")
        and tokens[first - 1].span.end == tokens[first].span.start
    ):
        first -= 2
    while last + 2 < len(tokens) and tokens[last + 1].is_mark("-") and tokens[last + 1].span.start == tokens[last].span.end:  # fmt: skip
        last += 2
    span = tokens[first].span.to(tokens[last].span)
    card = OPERATORS.get(text[span.start : span.end])
    before = tokens[first - 1] if first else None
    at_start = before is None or before.is_mark("|", "(", ";", "{", "=")
    if card is not None and at_start and (card.source or (before is not None and before.is_mark("|", "("))):
        return Hover(
            text[span.start : span.end], Kind.OPERATOR, card.syntax, " ".join(card.doc.split()), span
        )
    if (
        before is not None
        and before.is_word("render")
        and text[span.start : span.end] in choices.RENDER_KINDS
    ):
        kind = text[span.start : span.end]
        return Hover(kind, Kind.RENDER_KIND, "kind of chart", choices.RENDER_KINDS[kind], span)
    if before is not None and before.is_mark("=") and first >= 3 and tokens[first - 2].is_word("kind"):
        values = choices.option_values(str(tokens[first - 3].value), "kind")
        word = text[span.start : span.end]
        if word in values:
            return Hover(word, Kind.JOIN_KIND, "kind", values[word], span)
    return None


def _named(there: Place, name: str, span: Span, called: bool) -> Hover | None:
    rel = there.row.rel if there.row is not None else ONE_ROW
    before = there.before()
    if called and before is not None and before.is_word("evaluate"):
        card = PLUGINS.get(name)
        return Hover(name, Kind.PLUGIN, card.syntax, " ".join(card.doc.split()), span) if card else None
    if before is not None and before.is_mark("."):
        side = there.before(2)
        if side is None or not side.is_word("$left", "$right"):
            return None
        rel = sides.right_side(there) if side.is_word("$right") else rel
    column = None if called else rel.column(name)
    if column is not None:
        stored = origins(rel, name)
        doc = f"From {', '.join(f'{t}.{c}' for t, c in stored)}." if stored else "Computed in this query."
        return Hover(name, Kind.COLUMN, column.type.value, doc, span)
    entry = there.study.meaning(name, there.scope)
    if isinstance(entry, FunctionEntry):
        made = describe.declared(name, entry.body)
        return Hover(name, Kind.FUNCTION, made.labels[0], made.doc, span)
    if isinstance(entry, ScalarEntry):
        return Hover(name, Kind.VARIABLE, entry.expr.type.value, "Named in this query.", span)
    if isinstance(entry, TableEntry):
        return Hover(name, Kind.VARIABLE, "table", _columns([(c.name, c.type.value) for c in entry.rel.schema if not c.hidden]), span)  # fmt: skip
    if called:
        known = describe.function(name)
        if known is None:
            return None
        kind = Kind.AGGREGATE if name in AGGREGATES else Kind.FUNCTION
        return Hover(name, kind, "\n".join(known.labels), known.doc, span)
    schema = there.study.catalog.schema(name)
    if schema is not None:
        return Hover(name, Kind.TABLE, "table", _columns([(c.name, c.type.value) for c in schema if not c.hidden]), span)  # fmt: skip
    outside = there.study.outside(name)
    if outside is not None:
        detail = "table" if isinstance(outside, Values) else outside.type.value
        return Hover(name, Kind.VARIABLE, detail, "A variable of the notebook.", span)
    return None


def _columns(found: list[tuple[str, str]]) -> str:
    shown = ", ".join(f"{n}: {t}" for n, t in found[:_MOST_COLUMNS])
    more = f" and {len(found) - _MOST_COLUMNS} more" if len(found) > _MOST_COLUMNS else ""
    return f"{shown}{more}"
