"""Messages about the cell: `LAB0xx` its options, `LAB1xx` what it binds, `LAB2xx` what it draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.base.errors import Span, WorkbenchError
from workbench.base.registry import nearest


def _near(name: str, known: Sequence[str], kind: str) -> str | None:
    """`did you mean 'x'?` and the names there are."""
    near = nearest(name, known, 2)
    parts = [f"did you mean {' or '.join(repr(n) for n in near)}?"] if near else []
    if known:
        shown = ", ".join(known[:12])
        parts.append(f"{kind}: {shown}" + (f" and {len(known) - 12} more" if len(known) > 12 else ""))
    return " ".join(parts) or None


# ---- options --------------------------------------------------------------------------------


def unknown_option(name: str, span: Span, known: Sequence[str]) -> WorkbenchError:
    return WorkbenchError("LAB001", f"no option named {name!r}", span, hint=_near(name, known, "options"))


def option_needs_value(name: str, what: str, span: Span) -> WorkbenchError:
    return WorkbenchError("LAB002", f"{name} needs {what}", span)


def bad_option_value(name: str, value: str, what: str, span: Span) -> WorkbenchError:
    return WorkbenchError("LAB003", f"{name} needs {what}, not {value!r}", span)


def option_twice(name: str, span: Span) -> WorkbenchError:
    return WorkbenchError("LAB004", f"{name} is given twice", span)


def no_query() -> WorkbenchError:
    return WorkbenchError(
        "LAB005", "there is no query in this cell", hint="write KQL below the first line: Heartbeat | take 10"
    )


def no_value(name: str, span: Span) -> WorkbenchError:
    return WorkbenchError("LAB006", f"{name} takes no value", span)


def open_quote(span: Span) -> WorkbenchError:
    return WorkbenchError("LAB007", "this quote is not closed", span)


def too_few(found: int, what: str, expected: int) -> WorkbenchError:
    return WorkbenchError(
        "LAB008", f"the answer has {found:,} {what}, and at least {expected:,} are expected"
    )


# ---- variables ------------------------------------------------------------------------------


def no_kql_type(name: str, python_type: str) -> WorkbenchError:
    return WorkbenchError(
        "LAB101",
        f"the notebook variable {name!r} is a {python_type}, which has no KQL type",
        hint="str, int, float, bool, datetime, timedelta, list, dict and DataFrames bind",
    )


def number_too_large(name: str) -> WorkbenchError:
    return WorkbenchError("LAB102", f"the notebook variable {name!r} does not fit in a long of 64 bits")


def nothing_in_variable(name: str) -> WorkbenchError:
    return WorkbenchError(
        "LAB103",
        f"the notebook variable {name!r} is None, so its type is not known",
        hint="write a typed null in the query, such as: long(null)",
    )


def frame_not_readable(name: str, why: str) -> WorkbenchError:
    return WorkbenchError("LAB104", f"the table {name!r} can't be read: {why}")


def still_running(seconds: float) -> WorkbenchError:
    return WorkbenchError(
        "LAB105",
        f"the query was told to stop and is still running after {seconds:.0f} s",
        hint="its result will be dropped; restart the kernel if the machine stays busy",
    )


# ---- charts ---------------------------------------------------------------------------------


def unknown_chart(kind: str, known: Sequence[str]) -> WorkbenchError:
    return WorkbenchError("LAB201", f"no chart of the kind {kind!r}", hint=_near(kind, known, "kinds"))


def unknown_property(name: str, known: Sequence[str]) -> WorkbenchError:
    return WorkbenchError("LAB202", f"render has no property {name!r}", hint=_near(name, known, "properties"))


def bad_property(name: str, value: object, wanted: Iterable[str]) -> WorkbenchError:
    return WorkbenchError("LAB203", f"{name} can't be {value!r}", hint=f"it can be {', '.join(wanted)}")


def no_such_column(name: str, prop: str, columns: Sequence[str]) -> WorkbenchError:
    return WorkbenchError(
        "LAB204", f"{prop} names {name!r}, which is no column here", hint=_near(name, columns, "columns here")
    )


def _article(noun: str) -> str:
    return "an" if noun[0] in "aeiou" else "a"


def nothing_to_draw(kind: str, wanted: str, columns: Sequence[tuple[str, str]]) -> WorkbenchError:
    there = ", ".join(f"{name} ({kql})" for name, kql in columns)
    return WorkbenchError(
        "LAB205", f"{_article(kind)} {kind} needs {wanted}", hint=f"columns here: {there or 'none'}"
    )


def not_a_number_column(name: str, kql: str, prop: str) -> WorkbenchError:
    return WorkbenchError("LAB206", f"{prop} names {name!r}, which is {kql} and no number")


def refused_chart(kind: str, instead: str) -> WorkbenchError:
    return WorkbenchError("LAB207", f"there is no {kind!r} here", hint=instead)


# ---- grid -----------------------------------------------------------------------------------


def no_such_value(text: str, kql: str) -> WorkbenchError:
    example = {"datetime": "2026-11-23 14:00", "timespan": "00:05:00", "bool": "true"}.get(kql, "12.5")
    return WorkbenchError("LAB301", f"{text!r} is no {kql}", hint=f"write it as {example}")


def no_longer_kept(result: str) -> WorkbenchError:
    return WorkbenchError(
        "LAB302", f"the rows of the result {result!r} are no longer kept", hint="run its cell again"
    )


def not_written(why: str) -> WorkbenchError:
    return WorkbenchError("LAB303", f"the query of this cell can't be changed: {why}")


def no_context(missing: str) -> WorkbenchError:
    return WorkbenchError(
        "LAB304", f"rows around this one are found by time, and the result has no column {missing}"
    )


def no_such_export(form: str, known: Sequence[str]) -> WorkbenchError:
    return WorkbenchError("LAB305", f"no export as {form!r}", hint=f"it can be {', '.join(known)}")


# ---- parameters -----------------------------------------------------------------------------


def no_parameter_name(name: str) -> WorkbenchError:
    return WorkbenchError(
        "LAB310", f"{name!r} can't be the name of a parameter", hint="a Python name, such as host"
    )


def nothing_to_choose(name: str) -> WorkbenchError:
    return WorkbenchError("LAB311", f"there is nothing to choose for {name!r}")


def no_timespan(text: str) -> WorkbenchError:
    return WorkbenchError(
        "LAB312",
        f"{text!r} is no time range, and no notebook variable with one",
        hint="write P1D, PT1H, start/end, or the name of a parameter",
    )


def option_of_alert(name: str, span: Span) -> WorkbenchError:
    return WorkbenchError(
        "LAB009", f"{name} is of an alert rule, and none is named", span, hint="add --alert NAME"
    )
