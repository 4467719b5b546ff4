"""Taking rows away: whole days that are older than a table keeps, and files that nothing needs.

In goes a table, out come counts. Retention is a Delta commit and can't touch a scan that is open;
only `vacuum` deletes data files, and it leaves those that versions of the last hours need.
"""

from __future__ import annotations

from dataclasses import dataclass

from workbench.base.clock import now_us
from workbench.base.diagnostics import repository as diagnostics
from workbench.repository.deltalog import Conflict
from workbench.repository.layout import day_text
from workbench.repository.store import Store
from workbench.repository.term_index import delete_orphans

_MICROSECONDS_A_DAY = 86_400_000_000
_TRIES = 20


@dataclass(frozen=True, slots=True)
class RetainResult:
    """What retention deleted; `before` is the first day that was kept, as `2024-01-31`, if any limit is set."""

    days: int = 0
    files: int = 0
    rows: int = 0
    before: str | None = None


@dataclass(frozen=True, slots=True)
class VacuumResult:
    """How many data files were deleted from disk, and how many files of the term index that no data file has."""

    files: int = 0
    index_files: int = 0


def retain(store: Store, table: str, days: int | None) -> RetainResult:
    """Set and apply a table's retention; see `Repository.retain`."""
    if days is not None and (isinstance(days, bool) or not isinstance(days, int) or days < 1):
        raise diagnostics.bad_retention(days)
    store.keep(table, days)
    return apply_retention(store, table)


def apply_retention(store: Store, table: str) -> RetainResult:
    """Delete the days that a table no longer keeps."""
    entry = store.catalog.get(table)
    if entry.retention_days is None:
        return RetainResult()
    first = now_us() // _MICROSECONDS_A_DAY - entry.retention_days
    before = day_text(max(first, -719_162))
    log = store.log(entry)
    why = ""
    for _ in range(_TRIES):
        with store.locks.exclusive(store.table_lock(entry)):
            old = [f for f in log.files() if f.day < first]
            if not old:
                return RetainResult(before=before)
            try:
                log.commit(remove=old)
            except Conflict as e:
                why = str(e)
                continue
        return RetainResult(len({f.day for f in old}), len(old), sum(f.rows for f in old), before)
    raise diagnostics.commit_failed(table, _TRIES, why)


def vacuum(store: Store, table: str, hours: int) -> VacuumResult:
    """Delete unneeded data files; see `Repository.vacuum`."""
    if isinstance(hours, bool) or not isinstance(hours, int) or hours < 0:
        raise diagnostics.bad_hours(hours)
    entry = store.catalog.get(table)
    # Alone: a file that waits for its commit is in no version yet and would be deleted with 0 hours.
    with store.locks.exclusive(store.files_lock(entry)), store.locks.exclusive(store.table_lock(entry)):
        log = store.log(entry)
        deleted = log.vacuum(hours)
        return VacuumResult(len(deleted), delete_orphans(log))
