"""Messages about what is kept to be run again: `SAV0xx` schedules and names, `SAV1xx` saved searches, `SAV2xx` exports,
`SAV3xx` summary rules.
"""

from __future__ import annotations

from collections.abc import Iterable

from workbench.base.errors import WorkbenchError
from workbench.base.registry import nearest


def bad_schedule(text: str) -> WorkbenchError:
    return WorkbenchError(
        "SAV001", f"{text!r} is no schedule", hint="such as 20m, 1h, 1d or 'daily 06:30' (UTC)"
    )


def bad_name(kind: str, name: str) -> WorkbenchError:
    return WorkbenchError(
        "SAV002",
        f"{name!r} can't be the name of a {kind}",
        hint="1 to 200 characters, none of them a slash or a control character, and no dot in front",
    )


def unknown(kind: str, name: str, known: Iterable[str]) -> WorkbenchError:
    names = sorted(known)
    near = nearest(name, names)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names[:8])}" if names else None
    return WorkbenchError("SAV003", f"there is no {kind} named {name!r}", hint=hint)


def exists(kind: str, name: str) -> WorkbenchError:
    return WorkbenchError("SAV004", f"there is a {kind} named {name!r} already", hint="remove it first")


def bad_time(text: str) -> WorkbenchError:
    return WorkbenchError("SAV005", f"{text!r} is no time", hint="such as 2026-01-31 or 2026-01-31T13:00:00Z")


def no_query() -> WorkbenchError:
    return WorkbenchError("SAV006", "the query is empty")


def is_command() -> WorkbenchError:
    return WorkbenchError("SAV007", "a command such as .show can't be kept, only a query")


def not_whole(why: str) -> WorkbenchError:
    return WorkbenchError("SAV008", f"the query did not give all of its rows: {why}")


def several_tables(count: int) -> WorkbenchError:
    return WorkbenchError("SAV009", f"the query gives {count} tables", hint="keep a query that gives one")


# ---- exports ----------------------------------------------------------------------------------


def query_or_search() -> WorkbenchError:
    return WorkbenchError("SAV201", "an export has either a query or a saved search")


def bad_form(form: str, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError("SAV202", f"no export format named {form!r}", hint=f"formats: {', '.join(known)}")


def cannot_write(path: str, why: str) -> WorkbenchError:
    return WorkbenchError("SAV203", f"can't write to {path!r}: {why}")


def too_large_a_sheet(what: str, found: int, most: int) -> WorkbenchError:
    return WorkbenchError(
        "SAV204",
        f"the result has {found:,} {what}, a sheet of XLSX holds {most:,}",
        hint="export as csv, parquet or jsonl, or ask for less",
    )


def too_long_a_cell(column: str, row: int, found: int, most: int) -> WorkbenchError:
    return WorkbenchError(
        "SAV205",
        f"column {column!r}, row {row:,}: the text has {found:,} characters, a cell of XLSX holds {most:,}",
        hint="export as csv, parquet or jsonl, or cut it with substring()",
    )


# ---- summary rules ----------------------------------------------------------------------------


def bad_bin(text: str) -> WorkbenchError:
    return WorkbenchError(
        "SAV301", f"{text!r} is no size of a bin", hint="whole minutes that divide a day: 20m, 1h, 6h, 1d"
    )


def bad_destination(table: str) -> WorkbenchError:
    return WorkbenchError(
        "SAV302", f"{table!r} can't be the table of a summary rule", hint="its name ends with _CL"
    )


def bad_delay(text: str) -> WorkbenchError:
    return WorkbenchError("SAV303", f"{text!r} is no delay", hint="such as 5m, at most 1d")


def no_bin(text: str, size: str) -> WorkbenchError:
    return WorkbenchError(
        "SAV304", f"no bin of this rule begins at {text}", hint=f"its bins begin each {size}"
    )


def bin_not_over(text: str) -> WorkbenchError:
    return WorkbenchError("SAV305", f"the bin of {text} is not over yet")


def system_column(name: str) -> WorkbenchError:
    return WorkbenchError(
        "SAV306", f"the query gives a column {name!r}, which the rule fills", hint="give it another name"
    )
