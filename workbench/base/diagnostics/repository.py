"""Messages about the repository: workspaces, tables, columns, what can and can't be stored."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.base.errors import WorkbenchError
from workbench.base.registry import nearest


def no_workspace(path: str) -> WorkbenchError:
    return WorkbenchError(
        "REP001",
        f"there is no workspace at {path!r}",
        hint="make one with 'workbench serve' or 'workbench import', or name another with --workspace",
    )


def url_not_supported(path: str) -> WorkbenchError:
    return WorkbenchError(
        "REP002",
        f"{path!r} is an object-store URL, and a workspace can't lie in one yet",
        hint="use a folder on this machine",
    )


def newer_format(path: str, found: object, known: int) -> WorkbenchError:
    return WorkbenchError(
        "REP003",
        f"{path!r} has format version {found}, this program reads up to {known}",
        hint="use a newer version of the program",
    )


def damaged(path: str, why: str) -> WorkbenchError:
    return WorkbenchError(
        "REP004",
        f"{path!r} can't be read: {why}",
        hint="restore it from a backup; the data files are not touched",
    )


def not_writable(path: str, why: str) -> WorkbenchError:
    return WorkbenchError(
        "REP005", f"can't write to {path!r}: {why}", hint="look at the free space and the owner of the folder"
    )


def unknown_table(name: str, tables: Iterable[str]) -> WorkbenchError:
    known = sorted(tables)
    near = nearest(name, known)
    hint = f"did you mean {near[0]!r}?" if near else (f"tables: {', '.join(known[:8])}" if known else None)
    return WorkbenchError("REP101", f"no table named {name!r}", hint=hint)


def unknown_column(name: str, table: str, columns: Iterable[str]) -> WorkbenchError:
    near = nearest(name, columns)
    return WorkbenchError(
        "REP102",
        f"{table!r} has no column named {name!r}",
        hint=f"did you mean {near[0]!r}?" if near else None,
    )


def bad_name(kind: str, name: str, why: str) -> WorkbenchError:
    return WorkbenchError("REP103", f"{name!r} can't be the name of a {kind}: {why}")


def cannot_store(column: str, what: str, why: str) -> WorkbenchError:
    return WorkbenchError("REP201", f"column {column!r}: {what} can't be stored", hint=why)


def out_of_range(column: str, row: int, value: str) -> WorkbenchError:
    return WorkbenchError(
        "REP202",
        f"column {column!r}, row {row}: {value} is outside the years 1 to 9999",
        hint="the row numbers count from 0 in the frame that was appended",
    )


def bad_transaction(why: str) -> WorkbenchError:
    return WorkbenchError(
        "REP203",
        f"the transaction is not valid: {why}",
        hint="use (application id, version) with a version of 1 or more",
    )


def commit_failed(table: str, tries: int, why: str) -> WorkbenchError:
    return WorkbenchError(
        "REP204",
        f"could not commit to {table!r} in {tries} tries: {why}",
        hint="nothing was stored; try again",
    )


def bad_retention(days: object) -> WorkbenchError:
    return WorkbenchError(
        "REP205",
        f"{days!r} is no retention in days",
        hint="give a whole number of 1 or more, or none to keep for ever",
    )


def bad_hours(hours: object) -> WorkbenchError:
    return WorkbenchError(
        "REP206", f"{hours!r} is no number of hours", hint="give a whole number of 0 or more"
    )


def bad_restored_name(name: str, ending: str) -> WorkbenchError:
    return WorkbenchError(
        "REP207", f"{name!r} can't be the name of a restored table", hint=f"it ends with {ending}"
    )


def not_restored(name: str) -> WorkbenchError:
    return WorkbenchError(
        "REP208",
        f"there is a table {name!r} that was not restored from this one",
        hint="give the restored table another name with --as",
    )


def nothing_archived(table: str) -> WorkbenchError:
    return WorkbenchError(
        "REP209",
        f"the archive of {table!r} has no records of that time",
        hint="'workbench archive list' shows what is archived",
    )


def empty_range() -> WorkbenchError:
    return WorkbenchError(
        "REP210", "the range ends before it begins", hint="--to is the time behind the last"
    )


def too_much_waits(size: int) -> WorkbenchError:
    return WorkbenchError(
        "REP301",
        f"{size // 2**20:,} MiB of records wait to be stored",
        hint="send the same again in some seconds",
    )


def reserve_reached(folder: str) -> WorkbenchError:
    return WorkbenchError(
        "REP302",
        f"the disk of {folder!r} has reached its reserve, no record is taken in",
        hint="make room; queries still run",
    )


def near_reserve(folder: str, free: int, reserve: int) -> WorkbenchError:
    return WorkbenchError(
        "REP307",
        f"the disk of {folder!r} has {free / 2**30:.1f} GiB left; below {reserve / 2**30:.1f} GiB no record is taken in",
        hint="make room: 'workbench tables' shows sizes, 'workbench retention T DAYS' deletes old days",
    )


def not_synced(why: str) -> WorkbenchError:
    return WorkbenchError(
        "REP303", f"the records could not be put on disk: {why}", hint="send the same again"
    )


def spool_closed() -> WorkbenchError:
    return WorkbenchError("REP304", "the service is about to end", hint="send the same again when it runs")


def spool_damaged(size: int) -> WorkbenchError:
    return WorkbenchError(
        "REP305", f"{size} bytes of the spool could not be read after a crash and were left out"
    )


def not_drained(fault: str) -> WorkbenchError:
    return WorkbenchError(
        "REP306",
        f"acknowledged records wait in the spool: they could not be moved into data files ({fault})",
        hint="queries see them; the service's log has the details, and it is tried again",
    )
