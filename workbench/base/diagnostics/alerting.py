"""Messages about rules that are kept (`ALR00x`), their evaluation (`ALR01x`) and alerts (`ALR02x`).

`alerts.py` has those about the texts of rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from workbench.base.errors import WorkbenchError
from workbench.base.registry import nearest


def no_such_rule(name: str, known: Iterable[str]) -> WorkbenchError:
    near = nearest(name, known)
    hint = f"did you mean {near[0]!r}?" if near else "'workbench alert list' lists them"
    return WorkbenchError("ALR001", f"there is no alert rule named {name!r}", hint=hint)


def bad_name(name: str) -> WorkbenchError:
    return WorkbenchError(
        "ALR002",
        f"{name[:120]!r} can't be the name of an alert rule",
        hint="1 to 200 characters, none of them a slash or a control character, and no dot in front",
    )


def bad_setting(name: str, why: str) -> WorkbenchError:
    return WorkbenchError("ALR003", f"{name!r} of the alert rule can't be so: {why}")


def no_query() -> WorkbenchError:
    return WorkbenchError("ALR004", "the alert rule has no query")


def is_command() -> WorkbenchError:
    return WorkbenchError("ALR005", "an alert rule asks a query, no command such as .show")


def bad_body(why: str) -> WorkbenchError:
    return WorkbenchError("ALR006", f"this is no alert rule: {why}", hint='{"text": "name: …"} with its YAML')


def no_such_shipped(name: str, known: Sequence[str]) -> WorkbenchError:
    near = nearest(name, known)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
    return WorkbenchError("ALR007", f"no alert rule named {name!r} is shipped", hint=hint)


def rule_is_there(name: str) -> WorkbenchError:
    return WorkbenchError(
        "ALR008",
        f"there is an alert rule named {name!r} already",
        hint="give this one another name, or open that one",
    )


def has_parameters(name: str, values: Mapping[str, object]) -> WorkbenchError:
    told = ", ".join(f"{key} = {value!r}" for key, value in values.items())
    return WorkbenchError(
        "ALR009", f"the query of {name!r} takes its parameters from the rule, which a cell has not",
        hint=f"ask it in a cell where they are variables: {told[:200]}",
    )  # fmt: skip


def no_column(name: str, columns: Sequence[str]) -> WorkbenchError:
    near = nearest(name, columns)
    hint = f"did you mean {near[0]!r}?" if near else f"it gives: {', '.join(columns[:12])}"
    return WorkbenchError("ALR011", f"the query of the rule gives no column named {name!r}", hint=hint)


def no_number(name: str, kind: str) -> WorkbenchError:
    return WorkbenchError(
        "ALR012", f"the rule measures {name!r}, which is no number but {kind}", hint="convert it in the query"
    )


def no_bin(name: str, kind: str) -> WorkbenchError:
    return WorkbenchError("ALR013", f"the rule counts bins of {name!r}, which is no time but {kind}")


def too_many_series(count: int, most: int) -> WorkbenchError:
    return WorkbenchError(
        "ALR014",
        f"the rule has {count:,} combinations of dimensions, and can watch {most:,}",
        hint="exclude values, or split by fewer columns",
    )


def not_whole(why: str) -> WorkbenchError:
    return WorkbenchError("ALR015", f"the query did not give all of its rows: {why}")


def several_tables(count: int) -> WorkbenchError:
    return WorkbenchError("ALR016", f"the query gives {count} tables, and a rule can watch one")


def fault(why: str) -> WorkbenchError:
    return WorkbenchError("ALR017", f"the query could not be asked, and that is no fault of its text: {why}")


def no_such_alert(number: str) -> WorkbenchError:
    return WorkbenchError(
        "ALR021", f"there is no alert {number[:40]!r}", hint="'workbench alert history' lists them"
    )


def several_alerts(number: str) -> WorkbenchError:
    return WorkbenchError("ALR022", f"several alerts have an id that begins with {number!r}")


def empty_comment() -> WorkbenchError:
    return WorkbenchError("ALR023", "a comment needs 1 to 4,000 characters")
