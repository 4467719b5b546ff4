"""Messages about a query text: its form, its names, its types, its run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.base.diagnostics import habits
from workbench.base.errors import Span, WorkbenchError
from workbench.base.memory import as_text
from workbench.base.registry import nearest


def _did_you_mean(name: str, known: Iterable[str], kind: str = "", listed: int = 8) -> str | None:
    names = list(known)
    near = nearest(name, names)
    parts = []
    if near:
        parts.append(f"did you mean {' or '.join(repr(n) for n in near[:2])}?")
    if kind and names:
        shown = sorted(names)[:listed]
        more = f" and {len(names) - listed} more" if len(names) > listed else ""
        parts.append(f"{kind}: {', '.join(shown)}{more}")
    return " ".join(parts) or None


# ---- form -----------------------------------------------------------------------------------


def unclosed_string(span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL001",
        "this string is not closed",
        span,
        hint="end it with the quote it starts with, on the same line",
    )


def unknown_character(char: str, span: Span) -> WorkbenchError:
    return WorkbenchError("KQL002", f"{char!r} has no meaning here", span, hint=habits.SIGNS.get(char))


def expected(what: str, found: str, span: Span, hint: str | None = None) -> WorkbenchError:
    hint = hint or habits.expected(what, found)
    return WorkbenchError("KQL003", f"expected {what}, found {found}", span, hint=hint)


def bad_literal(kind: str, text: str, span: Span) -> WorkbenchError:
    return WorkbenchError("KQL004", f"{text!r} is no {kind}", span)


def unknown_operator(name: str, span: Span, known: Iterable[str]) -> WorkbenchError:
    hint = habits.operator(name) or _did_you_mean(name, known)
    return WorkbenchError("KQL005", f"no tabular operator named {name!r}", span, hint=hint)


def unsupported(what: str, span: Span, instead: str) -> WorkbenchError:
    return WorkbenchError("KQL006", f"{what} is not supported", span, hint=instead)


def empty_query() -> WorkbenchError:
    return WorkbenchError("KQL007", "the query is empty", hint="name a table, such as: Heartbeat | take 10")


def bad_option(option: str, operator: str, span: Span, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "KQL008", f"{operator} has no option {option!r}", span, hint=_did_you_mean(option, known, "options")
    )


def too_deep(span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL009", "the query is nested too deeply", span, hint="split it with let statements"
    )


# ---- names ----------------------------------------------------------------------------------


UNKNOWN_COLUMN = "KQL101"


def unknown_column(name: str, span: Span, columns: Sequence[str]) -> WorkbenchError:
    what = f"no column named {name!r}" if columns else f"nothing here is named {name!r}"
    hint = "isnull(A) and isnotnull(A) ask for null" if name.lower() == "null" else None
    hint = hint or _did_you_mean(name, columns, "columns here")
    return WorkbenchError("KQL101", what, span, hint=hint)


def unknown_table(name: str, span: Span, tables: Sequence[str]) -> WorkbenchError:
    return WorkbenchError(
        "KQL102", f"no table named {name!r}", span, hint=_did_you_mean(name, tables, "tables here")
    )


def unknown_function(name: str, span: Span, functions: Iterable[str]) -> WorkbenchError:
    names = list(functions)
    spelt_so = any(n.lower() == name.lower() for n in names)
    hint = (None if spelt_so else habits.function(name)) or _did_you_mean(name, names)
    return WorkbenchError("KQL103", f"no function named {name!r}", span, hint=hint)


def name_taken(name: str, span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL104",
        f"there is more than one column named {name!r} here",
        span,
        hint="give one of them another name with project-rename",
    )


def name_declared_twice(name: str, span: Span) -> WorkbenchError:
    return WorkbenchError("KQL105", f"{name!r} is declared twice", span)


def aggregate_outside_summarize(name: str, span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL106",
        f"{name}() is an aggregate and needs summarize",
        span,
        hint=f"write: summarize {name}(…) by …",
    )


def not_an_aggregate(span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL107",
        "summarize needs an aggregate here",
        span,
        hint="wrap it in an aggregate such as take_any(), or move it behind 'by'",
    )


# ---- types and arguments --------------------------------------------------------------------


def wrong_type(what: str, wanted: str, got: str, span: Span, hint: str | None = None) -> WorkbenchError:
    return WorkbenchError("KQL201", f"{what} needs {wanted}, not {got}", span, hint=hint)


def no_operator_for(
    operator: str, left: str, right: str, span: Span, hint: str | None = None
) -> WorkbenchError:
    return WorkbenchError("KQL202", f"{left} {operator} {right} has no meaning", span, hint=hint)


def wrong_count(name: str, wanted: str, got: int, span: Span) -> WorkbenchError:
    return WorkbenchError("KQL203", f"{name}() takes {wanted}, not {got}", span)


def not_constant(what: str, span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL204",
        f"{what} has to be a constant",
        span,
        hint="columns can't be used here; name a value with let",
    )


def needs_serialized(name: str, span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL205",
        f"{name}() needs rows in a fixed order",
        span,
        hint="put 'sort by …' or 'serialize' before it",
    )


EXPECTED_TABLE = "KQL206"


def expected_table(span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL206",
        "a table is needed here, this is a single value",
        span,
        hint="print … makes a table of one row",
    )


def expected_scalar(span: Span) -> WorkbenchError:
    return WorkbenchError(
        "KQL207",
        "a single value is needed here, this is a table",
        span,
        hint="toscalar(…) takes the first value of a table",
    )


def bad_argument(name: str, why: str, span: Span) -> WorkbenchError:
    return WorkbenchError("KQL208", f"{name}: {why}", span)


def bad_regex(pattern: str, why: str, span: Span | None) -> WorkbenchError:
    return WorkbenchError(
        "KQL209",
        f"{pattern!r} is no regular expression: {why}",
        span,
        hint="no look-around, no back-references; a bracket in a class is written \\[",
    )


def not_bindable(kind: str) -> WorkbenchError:
    return WorkbenchError(
        "KQL210",
        f"a {kind} is neither a value nor a table",
        hint="bind str, int, float, bool, datetime, timedelta, list, dict or a DataFrame",
    )


def several_tables(operator: str | None = None, span: Span | None = None) -> WorkbenchError:
    what = f"{operator!r} can't follow several tables" if operator else "several tables can't stand here"
    return WorkbenchError(
        "KQL211",
        what,
        span,
        hint="end the query with fork, facet or the plugin, or name one of its tables with let",
    )


# ---- run time -------------------------------------------------------------------------------


def run_failed(why: str) -> WorkbenchError:
    return WorkbenchError("KQL301", f"the query stopped: {why}")


def assertion_failed(message: str, span: Span | None) -> WorkbenchError:
    return WorkbenchError("KQL302", f"assert failed: {message}", span)


def interrupted() -> WorkbenchError:
    return WorkbenchError("KQL303", "the query was stopped")


def out_of_time(seconds: float) -> WorkbenchError:
    return WorkbenchError(
        "KQL304",
        f"the query took longer than its limit of {seconds:g} s",
        hint="ask for less time or fewer rows, or raise the limit with: set servertimeout = 10m",
    )


def out_of_memory(used: int, limit: int) -> WorkbenchError:
    return WorkbenchError(
        "KQL305",
        f"the query used {as_text(used)} of memory, its limit is {as_text(limit)}",
        hint="ask for less time, fewer columns or fewer groups, or raise the limit with: "
        "set max_memory_consumption_per_query_per_node = 8589934592",
    )


def not_in_sql(what: str, engine: str, reason: str, span: Span | None) -> WorkbenchError:
    return WorkbenchError("KQL306", f"{what} can't be said in SQL for {engine}", span, hint=reason)


def no_engine(name: str, package: str, install: str) -> WorkbenchError:
    return WorkbenchError("KQL307", f"{name} needs the package {package}, which is not installed", hint=install)  # fmt: skip


def unknown_engine(name: str, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError("KQL308", f"no engine named {name!r}", hint=_did_you_mean(name, known, "engines"))


def not_run_here(engine: str) -> WorkbenchError:
    return WorkbenchError(
        "KQL309",
        f"queries are not run on {engine} from here",
        hint=f"--explain --on {engine} prints the SQL text, for a session of {engine} that has the tables under their names",
    )


def too_much(name: str, what: str) -> WorkbenchError:
    return WorkbenchError("KQL310", f"{name}() would have to make {what}", hint="give it less to work on")
