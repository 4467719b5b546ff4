"""Taking rows away: whole days that are older than a table keeps, and files that nothing needs.

In goes a table, out come counts. Retention is a Delta commit and can't touch a scan that is open; days that have an
archive go there first. Only `vacuum` deletes data files, and it leaves those that versions of the last hours need, and
those that a query of this machine reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from workbench.base.clock import now_us
from workbench.base.diagnostics import repository as diagnostics
from workbench.repository import archive
from workbench.repository.catalog import TableEntry
from workbench.repository.deltalog import Conflict, FileEntry
from workbench.repository.layout import day_text
from workbench.repository.store import Store
from workbench.repository.term_index import delete_orphans

_MICROSECONDS_A_DAY = 86_400_000_000
_TRIES = 20
SAME = -1
"""The archive keeps what it kept."""


@dataclass(frozen=True, slots=True)
class RetainResult:
    """What retention took from a table; `before` is the first day that was kept, as `2024-01-31`, if any limit is set.

    `archived_rows` of the `rows` went to the archive, the others were deleted; `expired_rows` left the archive. `bytes`
    are of the files.
    """

    days: int = 0
    files: int = 0
    rows: int = 0
    before: str | None = None
    archived_rows: int = 0
    expired_rows: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class VacuumResult:
    """How many data files were deleted from disk, and how many files of the term index that no data file has.

    `files_read` were left since a query reads them; `bytes` are those of the deleted data files.
    """

    files: int = 0
    index_files: int = 0
    files_read: int = 0
    bytes: int = 0


def retain(store: Store, table: str, days: int | None, archive_days: int | None = SAME) -> RetainResult:
    """Set and apply a table's retention; see `Repository.retain`."""
    _check(days)
    if archive_days == SAME:
        archive_days = store.catalog.get(table).archive_days
    _check(archive_days)
    store.keep(table, days, archive_days)
    return apply_retention(store, table)


def _check(days: object) -> None:
    if days is not None and (isinstance(days, bool) or not isinstance(days, int) or days < 1):
        raise diagnostics.bad_retention(days)


def apply_retention(store: Store, table: str) -> RetainResult:
    """Delete or archive the days that a table no longer keeps, and delete those that its archive no longer keeps."""
    entry = store.catalog.get(table)
    if entry.retention_days is None:
        return RetainResult()
    first = now_us() // _MICROSECONDS_A_DAY - entry.retention_days
    last = first - (entry.archive_days or 0)
    before = day_text(max(first, -719_162))
    why = ""
    for _ in range(_TRIES):
        with store.locks.exclusive(store.table_lock(entry)):
            old = [f for f in store.log(entry).files() if f.day < first]
            kept = [f for f in old if f.day >= last]
            try:
                _take(store, entry, old, kept)
            except Conflict as e:
                why = str(e)
                continue
            expired = archive.expire(store, entry, last)
        return RetainResult(
            days=len({f.day for f in old}),
            files=len(old),
            rows=sum(f.rows for f in old),
            before=before,
            archived_rows=sum(f.rows for f in kept),
            expired_rows=sum(f.rows for f in expired),
            bytes=sum(f.size for f in old),
        )
    raise diagnostics.commit_failed(table, _TRIES, why)


def _take(store: Store, entry: TableEntry, old: list[FileEntry], kept: list[FileEntry]) -> None:
    """Take old files from the table; the archive gets those to be kept."""
    if kept:
        archive.move(store, entry, kept)
    gone = [f for f in old if f not in kept]
    if gone:
        log = store.log(entry)
        log.refresh()
        log.commit(remove=gone)


def vacuum(store: Store, table: str, hours: int) -> VacuumResult:
    """Delete unneeded data files; see `Repository.vacuum`."""
    if isinstance(hours, bool) or not isinstance(hours, int) or hours < 0:
        raise diagnostics.bad_hours(hours)
    entry = store.catalog.get(table)
    # Alone: a file that waits for its commit is in no version yet and would be deleted with 0 hours.
    with store.locks.exclusive(store.files_lock(entry)), store.locks.exclusive(store.table_lock(entry)):
        log = store.log(entry)
        files = log.unneeded(hours)
        # After the log was read: who comes now reads this version, or a later one.
        oldest = store.readers.oldest(entry.folder) if files else None
        read = set() if oldest is None else log.removed_since(oldest)
        gone = [] if read is None else [f for f in files if unquote(f) not in read]
        size = 0
        for path in (Path(log.folder, f) for f in gone):
            size += path.stat().st_size
            path.unlink()
        return VacuumResult(len(gone), delete_orphans(log), len(files) - len(gone), size)
