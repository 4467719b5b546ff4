"""Messages about alerts: `ALR0xx` kept rules and their evaluation, `ALR1xx` the texts of rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.base.errors import Span, WorkbenchError
from workbench.base.registry import nearest

# ---- texts of rules ---------------------------------------------------------------------------


def not_yaml(place: Span | None, why: str) -> WorkbenchError:
    return WorkbenchError("ALR101", f"this is no YAML: {why}", place)


def not_a_rule() -> WorkbenchError:
    return WorkbenchError("ALR102", "a rule is keys and values", hint="such as: name: Failed log-ins")


def unknown_key(place: Span | None, key: str, where: str, known: Sequence[str]) -> WorkbenchError:
    near = nearest(key, known, 1)
    hint = (f"did you mean {near[0]!r}? " if near else "") + f"keys there: {', '.join(known)}"
    return WorkbenchError("ALR103", f"{where} has no key {key!r}", place, hint=hint)


def missing_key(place: Span | None, key: str, where: str) -> WorkbenchError:
    return WorkbenchError("ALR104", f"{where} needs {key}", place)


def bad_value(place: Span | None, key: str, value: object, wanted: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "ALR105", f"{key} can't be {ascii(value)[:60]}", place, hint=f"it can be {', '.join(wanted)}"
    )


def given_twice(place: Span | None, key: str, name: str) -> WorkbenchError:
    return WorkbenchError("ALR106", f"{key} has {name!r} twice", place)


def too_large(what: str, most: int) -> WorkbenchError:
    return WorkbenchError("ALR107", f"a rule has no more than {most:,} {what}")


def is_command(place: Span | None) -> WorkbenchError:
    return WorkbenchError("ALR108", "a rule asks a query, not a command", place)


def no_column(place: Span | None, key: str, name: str, there: Sequence[str]) -> WorkbenchError:
    near = nearest(name, there, 1)
    hint = (f"did you mean {near[0]!r}? " if near else "") + f"columns of its rows: {', '.join(there)}"
    return WorkbenchError("ALR109", f"{key}: the query gives no column {name!r}", place, hint=hint)


def not_a_number(place: Span | None, name: str, type_: str) -> WorkbenchError:
    return WorkbenchError("ALR110", f"{name!r} is a {type_} and can't be measured", place,
                          hint="a measured column is an int, long, real or decimal")  # fmt: skip


def no_file(path: str, why: str) -> WorkbenchError:
    return WorkbenchError("ALR111", f"{path} can't be read: {why}")


# ---- rules of others --------------------------------------------------------------------------


def no_counterpart(what: str, why: str) -> WorkbenchError:
    return WorkbenchError("ALR121", f"{what} has no counterpart here: {why}")


def no_resource() -> WorkbenchError:
    return WorkbenchError(
        "ALR122",
        "the template has no log search alert rule",
        hint="such a resource has the type Microsoft.Insights/scheduledQueryRules",
    )


def not_resolved(what: str, why: str) -> WorkbenchError:
    return WorkbenchError(
        "ALR123",
        f"{what} can't be told: {why}",
        hint="give its parameters a defaultValue, or write the value",
    )


def missing_part(what: str) -> WorkbenchError:
    return WorkbenchError("ALR124", f"the rule has no {what}")


def no_pysigma() -> WorkbenchError:
    return WorkbenchError(
        "ALR125",
        "Sigma rules are read by pySigma, which is not installed",
        hint="pip install 'workbench[sigma]'",
    )


def not_sigma(why: str) -> WorkbenchError:
    return WorkbenchError("ALR126", f"this is no Sigma rule: {why}")


def no_sigma_counterpart(what: str, why: str) -> WorkbenchError:
    return WorkbenchError("ALR127", f"{what} has no counterpart here: {why}")


def file_exists(path: str) -> WorkbenchError:
    return WorkbenchError("ALR112", f"{path} is there already, and is not written over")


# ---- backtests --------------------------------------------------------------------------------


def too_many_evaluations(count: int, most: int) -> WorkbenchError:
    return WorkbenchError(
        "ALR131",
        f"that are {count:,} evaluations; at most {most:,} are tried",
        hint="take a shorter time with --over",
    )


def too_many_records(table: str, most: int) -> WorkbenchError:
    return WorkbenchError(
        "ALR132",
        f"{table} has more than {most:,} records for the query in that time",
        hint="take a shorter time with --over, or filter in the first lines of the query",
    )


def several_rules(path: str, names: Sequence[str]) -> WorkbenchError:
    return WorkbenchError("ALR133", f"{path} has {len(names)} rules, and one is tried at a time", hint="workbench alert import FILE --to FOLDER makes a file of each")  # fmt: skip


def not_written(path: str, why: str) -> WorkbenchError:
    return WorkbenchError("ALR134", f"{path} can't be written: {why}")
