"""A table as a query reads it: its data files of one version, and the rows that still wait in the spool.

In go the store and a table's entry, out comes a `TableScan`. The spool is listed first and the log opened after:
what was drained in between is in the log's version, and counted there alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from workbench.base.terms import Terms
from workbench.repository.catalog import TableEntry
from workbench.repository.layout import writer_application
from workbench.repository.scan import Pending, TableScan, TimeRange, scan_table
from workbench.repository.shredded import PathRead
from workbench.repository.spool.segment import Part
from workbench.repository.spool.waiting import not_drained, within
from workbench.repository.store import Store


def read_table(
    store: Store,
    entry: TableEntry,
    columns: Sequence[str] | None = None,
    time_range: TimeRange = (None, None),
    paths: Sequence[PathRead] = (),
    terms: Terms | None = None,
    behind: Mapping[int, int] | None = None,
) -> TableScan:
    """A scan of all acknowledged rows; see `Repository.scan`.

    Raises
    ------
    WorkbenchError
        REP101 for a table that is gone, REP102 for a column the table does not have.
    """
    waiting = store.spools.waiting(entry.folder)
    rows = store.spools.read(within(waiting, time_range))
    log = store.log(entry)
    applications = {w.writer: writer_application(w.writer) for w in waiting}
    # Before the files are known, so that vacuum leaves them.
    lease = store.readers.lease(entry.folder, log.version())
    files, versions = log.version_of(applications.values())
    # The catalog after the log: then it knows each column that one of these files has.
    entry = store.catalog.get(entry.name)
    left = set(map(id, not_drained(waiting, {w: versions[a] for w, a in applications.items()})))
    if behind is not None:
        files = tuple(f for f in files if f.is_behind(behind))
    pending = _pending([(w.part.start, w.part.end, frame) for w, frame in rows if id(w) in left])
    manifest = store.shredded.get(entry.folder) if paths else None
    if terms is None:
        return scan_table(entry, files, log.folder, columns, time_range, paths, manifest, pending=pending, lease=lease)  # fmt: skip
    index = store.terms(entry)
    return scan_table(
        entry, files, log.folder, columns, time_range, paths, manifest, lambda f: index.may_hold(f, terms), pending,
        lease,
    )  # fmt: skip


def position(store: Store, entry: TableEntry) -> dict[int, int]:
    """How far each writer of a table has come: its last sequence number; no data file is read."""
    found: dict[int, int] = {}
    for w in store.spools.waiting(entry.folder):
        found[w.writer] = max(found.get(w.writer, 0), w.part.last)
    # The log after the spool: what was drained in between counts there.
    log = store.log(entry)
    spans = {f.writers for f in log.files()}
    writers = {w for first, last in spans for w in range(first, last + 1)} | found.keys()
    applications = {w: writer_application(w) for w in writers}
    _, versions = log.version_of(applications.values())
    drained = {w: max(found.get(w, 0), versions[a]) for w, a in applications.items()}
    return {w: last for w, last in sorted(drained.items()) if last}


def waiting_parts(store: Store, entry: TableEntry) -> list[Part]:
    """The rows of a table that are in no data file yet, as what is known of them without reading."""
    waiting = store.spools.waiting(entry.folder)
    applications = {w.writer: writer_application(w.writer) for w in waiting}
    _, versions = store.log(entry).version_of(applications.values())
    left = not_drained(waiting, {w: versions[a] for w, a in applications.items()})
    return [w.part for w in left]


def _pending(parts: Sequence[tuple[int, int, pl.DataFrame]]) -> Pending | None:
    if not parts:
        return None
    rows = pl.concat([frame for _, _, frame in parts], how="diagonal")
    return Pending(rows, min(p[0] for p in parts), max(p[1] for p in parts))
