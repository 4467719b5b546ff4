"""Advice about a query that runs (`ADV…`), errors told at another place, what no clause can be added to."""

from __future__ import annotations

from workbench.base.errors import Span, WorkbenchError


def moved(error: WorkbenchError, span: Span, text: str) -> WorkbenchError:
    """The same error at a place of a text."""
    return WorkbenchError(error.code, error.message, span, text, error.hint)


def no_time_filter(table: str, column: str, span: Span) -> WorkbenchError:
    return WorkbenchError(
        "ADV001",
        f"{table} is read in full: nothing limits {column}",
        span,
        hint=f"add: where {column} > ago(1d)",
    )


def unused(name: str, span: Span) -> WorkbenchError:
    return WorkbenchError(
        "ADV002", f"the name {name!r} is never used", span, hint="remove the let, or use it"
    )


def has_would_do(sign: str, written: str, span: Span) -> WorkbenchError:
    return WorkbenchError(
        "ADV003",
        "contains looks at every character of every row",
        span,
        hint=f"{sign}has {written} finds whole words, and is much faster",
    )


def old_spelling(old: str, new: str, span: Span) -> WorkbenchError:
    return WorkbenchError("ADV004", f"{old!r} is an old spelling", span, hint=f"write {new}")


def take_before_sort(span: Span) -> WorkbenchError:
    return WorkbenchError(
        "ADV005",
        "take keeps any rows, which are sorted only then",
        span,
        hint="sort first, or write: top N by …",
    )


def several_answers() -> WorkbenchError:
    return WorkbenchError(
        "ADV101",
        "this text asks several queries, so no clause can be added to it",
        hint="ask them one by one",
    )
