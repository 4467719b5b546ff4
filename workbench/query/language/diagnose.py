"""What is wrong in a text, all of it: each statement and each piece of a pipeline is judged by itself.

The first mistake of a piece is told; behind a piece that could not be bound, names that nobody knows
are no mistakes. Advice (`advice`) is added where nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from workbench.base.diagnostics import query as messages
from workbench.base.errors import Span, WorkbenchError
from workbench.query.binder.scope import Scope
from workbench.query.frames import Tables
from workbench.query.language.advice import advise
from workbench.query.language.binding import OF_COLUMNS, UNKNOWN, Row, Study
from workbench.query.language.model import Diagnostic, Severity
from workbench.query.language.outline import outline
from workbench.query.language.scanning import scan
from workbench.query.lexer import Kind

# Inside of a function parameters have no values yet: what depends on those is judged at the call.
_IN_FUNCTIONS = frozenset({"KQL101", "KQL102", "KQL103", "KQL106", "KQL107"})
_MOST = 100
_STATEMENTS = ("let", "set", "declare", "alias", "restrict")


def diagnose(text: str, source: Tables, scope: Callable[[str], Any] | None = None) -> list[Diagnostic]:
    """All findings, in the order of the text.

    Parameters
    ----------
    text : str
        A query; nothing of it runs.
    source : Tables
        Where its tables lie.
    scope : callable, optional
        Notebook variables, as in `run`.

    Returns
    -------
    list of Diagnostic
        Errors with their codes; warnings and hints have codes `ADV…`.

    Examples
    --------
    >>> from workbench.query.frames import FrameTables
    >>> text = "print a = 1 | where b == 1 | where f(a) | extend c = a +"
    >>> [(d.span.start, d.code) for d in diagnose(text, FrameTables({}))]
    [(20, 'KQL101'), (35, 'KQL103'), (56, 'KQL003')]
    """
    found = scan(text)
    made = outline(found.tokens)
    if not found.tokens:
        return [_shown(messages.empty_query(), Span(0, len(text)))] if not found.errors else [_shown(e) for e in found.errors]  # fmt: skip
    if found.tokens[0].is_mark("."):
        return []
    judge = _Judge(Study(text, made, source, scope))
    judge.block(0, len(found.tokens), None, in_function=False)
    broken = [_shown(e) for e in found.errors]
    errors = _once([*broken, *(d for d in judge.found if not _covered(d, broken))])
    advice = (
        []
        if any(d.severity is Severity.ERROR for d in errors)
        else advise(text, made, judge.study, judge.scopes)
    )
    return sorted([*errors, *advice], key=lambda d: (d.span.start, d.span.end))[:_MOST]


def _shown(error: WorkbenchError, place: Span | None = None) -> Diagnostic:
    span = error.span or place or Span(0, 0)
    return Diagnostic(span, error.code, error.message, error.hint, Severity.ERROR)


def _covered(one: Diagnostic, broken: Iterable[Diagnostic]) -> bool:
    """Whether a finding only repeats that a stretch has no tokens."""
    return any(b.span.start <= one.span.start <= b.span.end for b in broken)


def _once(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Each place and code once."""
    return list({(d.span.start, d.code): d for d in found}.values())


class _Judge:
    """Goes through blocks, statements and pieces and keeps what is wrong."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.made = study.outline
        self.found: list[Diagnostic] = []
        self.scopes: list[tuple[int, int, Scope]] = []  # pipelines with the names in their reach

    def add(self, errors: Iterable[WorkbenchError], *, in_function: bool, sure: bool = True) -> None:
        for error in errors:
            unsure = not sure and error.code in OF_COLUMNS
            if unsure or (in_function and error.code.startswith(("KQL1", "KQL2")) and error.code not in _IN_FUNCTIONS):  # fmt: skip
                continue
            if in_function and error.code == "KQL102" and self._of_value(error):
                continue
            self.found.append(_shown(error))

    def _of_value(self, error: WorkbenchError) -> bool:
        """Whether a table's name comes from a value and not from the text."""
        return (
            error.span is None
            or f"'{self.study.text[error.span.start : error.span.end]}'" not in error.message
        )

    # ---- statements -------------------------------------------------------------------------

    def block(self, s: int, e: int, outer: Scope | None, *, in_function: bool) -> None:
        """Statements up to the end of the text or of a function's braces."""
        statements = [(b, n) for b, n in self.made.split(s, e, ";") if n > b]
        for number, (begins, ends) in enumerate(statements):
            scope, _ = self.study.scope(s, statements[number - 1][1] if number else s, outer)
            before = len(self.found)
            self.statement(begins, ends, scope, s, outer, in_function=in_function)
            if len(self.found) > before and self._unused(begins):
                # It is never bound, so the query runs; a text that can't be read does not.
                self.found[before:] = [
                    d if d.code.startswith("KQL00") else replace(d, severity=Severity.WARNING)
                    for d in self.found[before:]
                ]

    def _unused(self, let: int) -> bool:
        """Whether a statement is a let whose name stands nowhere else."""
        if not self.made.word(let, "let") or not self.made.mark(let + 2, "="):
            return False
        name = self.made.tokens[let + 1].value
        return sum(t.value == name and t.kind is Kind.NAME for t in self.made.tokens) == 1

    def statement(self, s: int, e: int, scope: Scope, block: int, outer: Scope | None, *, in_function: bool) -> None:  # fmt: skip
        tokens = self.made.tokens
        if not tokens[s].is_word(*_STATEMENTS) or e - s < 2:
            if not in_function or self._tabular(s, e):
                self.pipeline(s, e, scope, in_function=in_function)
            return
        is_let = tokens[s].is_word("let") and self.made.mark(s + 2, "=")
        body = self._function_body(s, e) if is_let else None
        if is_let and body is None and len(self.made.split(s, e, "|")) > 1:
            begins = s + 3 + self.made.word(s + 3, "view")
            self.pipeline(begins, e, scope, in_function=in_function)
            return
        before = len(self.found)
        if body is not None:
            inner = self.study.body_scope(body, scope)
            self.block(body + 1, self.made.ends[body], inner, in_function=True)
        _, errors = self.study.scope(block, e, outer)
        mine = [x for x in errors if x.span is not None and tokens[s].span.start <= x.span.start <= tokens[e - 1].span.end]  # fmt: skip
        if len(self.found) == before or body is None:
            self.add(mine, in_function=in_function)
        if is_let and body is None and not mine:
            self.add(self._value(s, e, scope), in_function=in_function)

    def _tabular(self, s: int, e: int) -> bool:
        """Whether the last line of a function is judged as a table: it has pipes, or is a name alone."""
        return len(self.made.split(s, e, "|")) > 1

    def _function_body(self, s: int, e: int) -> int | None:
        """The brace of `let name = (…) {…}`."""
        groups = self.made.groups(s, e)
        return next((o for o in groups if self.made.mark(o, "{") and self.made.mark(o - 1, ")")), None)

    def _value(self, s: int, e: int, scope: Scope) -> list[WorkbenchError]:
        """What is wrong in a let that is a value, which is bound at its first use only."""
        return self.study.value_errors(s + 3, e, scope)

    # ---- pipelines --------------------------------------------------------------------------

    def pipeline(self, s: int, e: int, scope: Scope, *, in_function: bool, first: Row | None = None) -> None:
        """The pieces of a pipeline, each with the rows that the ones before give."""
        self.scopes.append((s, e, scope))
        pieces = self.made.split(s, e, "|")
        rows = self.study.rows(s, e, scope, first)
        before = first
        for (begins, ends), row in zip(pieces, rows, strict=True):
            sure = before.sure if before is not None else True
            if ends <= begins:
                self._empty(begins, in_function)
            elif row.errors:
                inner = len(self.found)
                spans = list(self._inside(begins, ends, scope, before, in_function))
                told = len(self.found) > inner
                own = [x for x in row.errors if not (told and x.span is not None and any(a <= x.span.start < b for a, b in spans))]  # fmt: skip
                known = before is None or before.rel is not UNKNOWN
                self.add([x for x in own if known or not x.code.startswith("KQL2")], in_function=in_function, sure=sure)  # fmt: skip
            before = row

    def _empty(self, place: int, in_function: bool) -> None:
        tokens = self.made.tokens
        token = tokens[min(place, len(tokens) - 1)]
        end = place >= len(tokens)
        span = Span(len(self.study.text), len(self.study.text)) if end else token.span
        shown = "the end of the query" if end else token.shown
        self.add([messages.expected("a tabular operator", shown, span)], in_function=in_function)

    def _inside(self, s: int, e: int, scope: Scope, before: Row | None, in_function: bool) -> Iterator[tuple[int, int]]:  # fmt: skip
        """Judge the pipelines in the brackets of a broken piece; gives where they stand."""
        for opener in self.made.groups(s, e):
            begins, ends = self.made.inside(opener)
            if not self.made.mark(opener, "(") or ends <= begins:
                continue
            whole = self.made.tokens[opener].span.to(
                self.made.tokens[min(ends, len(self.made.tokens) - 1)].span
            )
            if (
                len(self.made.split(begins, ends, "|")) > 1
                and self.made.tokens[begins].kind is not Kind.PUNCTUATION
            ):
                only_operators = self.made.word(opener - 1, "on", "with") or self.made.word(opener - 2, "by")
                self.pipeline(
                    begins, ends, scope, in_function=in_function, first=before if only_operators else None
                )
                yield whole.start, whole.end
            else:
                yield from self._inside(begins, ends, scope, before, in_function)
