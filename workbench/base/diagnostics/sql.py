"""Messages about SQL texts: how they are read, what their names mean, what is not taken."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.base.errors import Span, WorkbenchError
from workbench.base.registry import nearest

UNKNOWN_COLUMN = "SQL102"


def _near(name: str, known: Iterable[str], what: str) -> str | None:
    names = list(known)
    found = nearest(name, names)
    if found:
        return f"did you mean {found[0]!r}?"
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"{what}: {', '.join(names[:8])}{more}" if names else None


# ---- reading ----------------------------------------------------------------------------------


def unreadable(what: str, span: Span, hint: str | None = None) -> WorkbenchError:
    return WorkbenchError("SQL001", what, span, hint=hint)


def open_quote(span: Span) -> WorkbenchError:
    return WorkbenchError("SQL002", "a quote, or a comment, that nothing closes", span)


def empty() -> WorkbenchError:
    return WorkbenchError("SQL003", "there is no SQL here", hint="such as: SELECT * FROM Heartbeat LIMIT 10")


def several_statements(span: Span) -> WorkbenchError:
    return WorkbenchError("SQL004", "a second statement behind the first", span, hint="ask one at a time")


def only_select(word: str, span: Span, kql: bool = False) -> WorkbenchError:
    changes = "only SELECT is answered (also behind WITH, or VALUES): nothing is changed by SQL"
    return WorkbenchError(
        "SQL005",
        f"{word!r} begins no question",
        span,
        hint="is it written in KQL? leave --sql out" if kql else changes,
    )


def unknown_dialect(name: str, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError("SQL006", f"no dialect of SQL named {name!r}", hint=_near(name, known, "dialects"))


def too_much(what: str, most: int, span: Span, hint: str | None = None) -> WorkbenchError:
    return WorkbenchError("SQL007", f"more than {most:,} {what}", span, hint=hint)


# ---- names ------------------------------------------------------------------------------------


def unknown_table(name: str, span: Span, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError("SQL101", f"no table named {name!r}", span, hint=_near(name, known, "tables"))


def unknown_column(name: str, span: Span, known: Iterable[str], variable: bool = False) -> WorkbenchError:
    hint = f"the notebook's variable is written :{name}" if variable else _near(name, known, "columns")
    return WorkbenchError(UNKNOWN_COLUMN, f"no column named {name!r}", span, hint=hint)


def ambiguous(name: str, span: Span, tables: Iterable[str]) -> WorkbenchError:
    ways = " or ".join(f"{t}.{name}" for t in tables)
    return WorkbenchError("SQL103", f"{name!r} may be more than one column", span, hint=f"write {ways}")


def unknown_function(name: str, span: Span, known: Iterable[str]) -> WorkbenchError:
    found = nearest(name, list(known))
    hint = f"near names: {', '.join(found)}" if found else "every function of KQL can be called as well"
    return WorkbenchError("SQL104", f"no function named {name!r}", span, hint=hint)


def unknown_alias(name: str, span: Span, known: Iterable[str]) -> WorkbenchError:
    hint = _near(name, known, "tables of this SELECT")
    return WorkbenchError("SQL105", f"no table of this SELECT is named {name!r}", span, hint=hint)


def alias_twice(name: str, span: Span) -> WorkbenchError:
    return WorkbenchError("SQL106", f"two tables are named {name!r}", span, hint="give one an alias")


def unknown_parameter(name: str, span: Span) -> WorkbenchError:
    return WorkbenchError(
        "SQL107",
        f"the parameter {name!r} has no value",
        span,
        hint=f"a variable of the notebook, parameters={{{name!r}: …}}, or -p {name}=… on the command line",
    )


def parameter_without_name(span: Span) -> WorkbenchError:
    return WorkbenchError("SQL108", "a parameter without a name", span, hint="write :name or $name")


def parameter_is_table(name: str, span: Span) -> WorkbenchError:
    return WorkbenchError("SQL109", f"{name!r} is a table", span, hint=f"read it with FROM {name}")


# ---- meaning ----------------------------------------------------------------------------------


def not_grouped(name: str, span: Span) -> WorkbenchError:
    return WorkbenchError(
        "SQL201",
        f"{name!r} is neither in GROUP BY nor inside of an aggregate",
        span,
        hint=f"add it to GROUP BY, or take any_value({name})",
    )


def misplaced(what: str, where: str, span: Span, hint: str | None = None) -> WorkbenchError:
    return WorkbenchError("SQL202", f"{what} can't stand in {where}", span, hint=hint)


def unlike_widths(operator: str, left: int, right: int, span: Span) -> WorkbenchError:
    return WorkbenchError("SQL203", f"{operator} of {left} and {right} columns", span)


def unfit_text(text: str, type_: str, span: Span) -> WorkbenchError:
    return WorkbenchError("SQL204", f"the text {text!r} is no {type_}", span)


def unlike_types(where: str, left: str, right: str, span: Span) -> WorkbenchError:
    hint = "CAST one of them"
    return WorkbenchError("SQL205", f"{where} brings {left} and {right} together", span, hint=hint)


def one_column(count: int, span: Span) -> WorkbenchError:
    return WorkbenchError("SQL206", f"a subquery that stands for values has {count} columns, not one", span)


def one_row(span: Span) -> WorkbenchError:
    return WorkbenchError(
        "SQL207",
        "a subquery that stands for one value gives several rows",
        span,
        hint="aggregate it, add LIMIT 1, or ask with IN (…)",
    )


def no_position(number: str, count: int, span: Span) -> WorkbenchError:
    return WorkbenchError("SQL208", f"there is no column {number} in a list of {count}", span)


def not_constant(what: str, span: Span) -> WorkbenchError:
    return WorkbenchError("SQL209", f"{what} has to be a constant", span)


def wrong_count(name: str, wanted: str, given: int, span: Span) -> WorkbenchError:
    return WorkbenchError("SQL210", f"{name}() takes {wanted}, {given} given", span)


def unlike_rows(wanted: int, given: int, span: Span) -> WorkbenchError:
    return WorkbenchError("SQL211", f"a row of {given} values among rows of {wanted}", span)


# ---- what is not taken ------------------------------------------------------------------------


def not_taken(what: str, span: Span, hint: str | None = None) -> WorkbenchError:
    return WorkbenchError("SQL301", f"{what} is not taken", span, hint=hint)


def correlated(name: str, span: Span) -> WorkbenchError:
    return WorkbenchError(
        "SQL302",
        f"the subquery uses {name!r} of the query around it",
        span,
        hint="write it as a JOIN, or as a subquery in FROM grouped by what ties both",
    )
