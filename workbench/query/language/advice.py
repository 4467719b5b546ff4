"""Advice about a text in which nothing is wrong: what is slow, unused, old, or rarely meant.

Codes: ADV001 no time filter, ADV002 unused name, ADV003 `contains` for `has`, ADV004 old spelling,
ADV005 `take` before `sort`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from workbench.base.diagnostics import language as messages
from workbench.base.dtypes import ScalarType, find_column
from workbench.base.errors import Span, WorkbenchError
from workbench.query.binder.scope import Scope
from workbench.query.functions import AGGREGATES, FUNCTIONS
from workbench.query.language.binding import Study
from workbench.query.language.model import Diagnostic, Severity
from workbench.query.language.outline import Outline
from workbench.query.lexer import Kind, Token
from workbench.query.operators import OPERATORS

_TIME = "TimeGenerated"
_WORD = re.compile(r"[A-Za-z0-9]{4,}")
_OLD = {"mvexpand": "mv-expand", "external_data": "externaldata", "containscs": "contains_cs", "notcontains": "!contains", "notcontainscs": "!contains_cs"}  # fmt: skip
# Other names of functions that are as good as the first.
_AS_GOOD = frozenset(
    {"iif", "todouble", "notempty", "notnull", "pack", "todynamic", "floor", "todatetime", "totime"}
)


def advise(text: str, made: Outline, study: Study, pipelines: Sequence[tuple[int, int, Scope]]) -> list[Diagnostic]:  # fmt: skip
    """All advice about a text."""
    found = [*_unused(made), *_slow_words(text, made), *_old(made)]
    for s, e, _ in pipelines:
        found += _order(made, s, e)
        found += _no_time(made, study, s, e)
    return found


def _tell(advice: WorkbenchError, severity: Severity = Severity.HINT) -> Diagnostic:
    return Diagnostic(advice.span or Span(0, 0), advice.code, advice.message, advice.hint, severity)


# ---- names ------------------------------------------------------------------------------------


def _unused(made: Outline) -> Iterator[Diagnostic]:
    """Names of `let` that nothing reads."""
    declared: dict[str, Token] = {}
    used: set[str] = set()
    for place, token in enumerate(made.tokens):
        if token.kind is Kind.NAME:
            name = str(token.value)
            if made.word(place - 1, "let") and made.mark(place + 1, "="):
                declared.setdefault(name, token)
            else:
                used.add(name)
    star = any(made.word(i - 1, "union", "search", "find") or t.value == "*" for i, t in enumerate(made.tokens) if t.is_mark("*"))  # fmt: skip
    for name, token in declared.items():
        if name not in used and not (star and name[0].isalpha()):
            yield _tell(messages.unused(name, token.span), Severity.WARNING)


def _old(made: Outline) -> Iterator[Diagnostic]:
    """Old spellings of operators and functions."""
    for place, token in enumerate(made.tokens):
        if token.kind is not Kind.NAME:
            continue
        name = str(token.value)
        new = _OLD.get(name) if made.mark(place - 1, "|", "(", ")") or name not in OPERATORS else None
        if new is None and made.mark(place + 1, "("):
            card = FUNCTIONS.get(name) or AGGREGATES.get(name)
            if card is not None and card.name != name and name not in _AS_GOOD and card.name.isidentifier():
                new = card.name
        if new is not None and not made.mark(place - 1, "."):
            yield _tell(messages.old_spelling(name, new, token.span))


# ---- speed ------------------------------------------------------------------------------------


def _slow_words(text: str, made: Outline) -> Iterator[Diagnostic]:
    """`contains` with a whole word, for which `has` looks only at words."""
    for place, token in enumerate(made.tokens[:-1]):
        after = made.tokens[place + 1]
        if token.is_word("contains") and after.kind is Kind.STRING and _WORD.fullmatch(str(after.value)):
            sign = "!" if made.mark(place - 1, "!") else ""
            written = text[after.span.start : after.span.end]
            yield _tell(messages.has_would_do(sign, written, token.span))


def _order(made: Outline, s: int, e: int) -> Iterator[Diagnostic]:
    """`take` with a sort behind it: the rows are any rows, and then in order."""
    pieces = made.split(s, e, "|")
    for (begins, ends), (after, _) in pairwise(pieces):
        if made.word(begins, "take", "limit") and made.word(after, "sort", "order", "top"):
            span = made.tokens[begins].span.to(made.tokens[max(begins, ends - 1)].span)
            yield _tell(messages.take_before_sort(span), Severity.WARNING)


def _no_time(made: Outline, study: Study, s: int, e: int) -> Iterator[Diagnostic]:
    """A stored table that is read from its first record on."""
    pieces = made.split(s, e, "|")
    first = made.tokens[s]
    if len(pieces) < 2 or pieces[0][1] != s + 1 or first.kind is not Kind.NAME:
        return
    name = str(first.value)
    if not study.is_stored(name):
        return
    schema = study.catalog.schema(name)
    column = find_column(schema, _TIME) if schema is not None else None
    if column is None or column.type is not ScalarType.DATETIME:
        return
    if any(t.is_word(_TIME) or t.is_word("ingestion_time") for t in made.tokens[s:e]):
        return
    if any(made.word(b, "take", "limit", "getschema", "sample") for b, _ in pieces[1:2]):
        return
    yield _tell(messages.no_time_filter(name, _TIME, first.span))
