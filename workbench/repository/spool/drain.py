"""From the spool into data files: what waits for a table becomes one commit, and is counted once.

In go ended segments, out come Delta commits. The commit carries the writer's last sequence number as its
application transaction, so rows that are in the log already are known by their number, whatever process died
between commit and deletion. A segment goes when all its rows are in data files.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from workbench.base.diagnostics import repository as diagnostics
from workbench.repository.append import write_rows
from workbench.repository.datafiles import discard
from workbench.repository.deltalog import Conflict
from workbench.repository.layout import writer_application
from workbench.repository.spool.segment import Frame
from workbench.repository.spool.waiting import Waiting
from workbench.repository.spool.writer import Spool
from workbench.repository.store import Store

log = logging.getLogger("workbench.spool")
_ROWS, _BYTES = 500_000, 64 * 2**20  # of one commit: they are in memory at once, some copies of them
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Drained:
    """What a drain did: rows by table, and how many segments went."""

    rows: dict[str, int]
    segments: int


def drain(spool: Spool, store: Store) -> Drained:
    """Move all that waits in ended segments into data files.

    Raises
    ------
    WorkbenchError
        REP204 or REP005; then what is not yet moved still waits, and is moved the next time.
    """
    rows: dict[str, int] = {}
    done: dict[str, int] = {}
    for folder, waiting in spool.waiting().items():
        table = waiting[0].part.table
        for some in _commits(waiting):
            rows[table] = rows.get(table, 0) + _store(store, folder, spool.writer, some)
        done[folder] = waiting[-1].part.last

    def is_drained(frame: Frame) -> bool:
        return all(part.last <= done.get(part.folder, 0) for part in frame.parts)

    return Drained(rows, spool.retire(is_drained))


def _commits(waiting: Sequence[Waiting]) -> Iterator[list[Waiting]]:
    some: list[Waiting] = []
    rows = size = 0
    for one in waiting:
        if some and (rows + one.part.rows > _ROWS or size + one.part.size > _BYTES):
            yield some
            some, rows, size = [], 0, 0
        some.append(one)
        rows, size = rows + one.part.rows, size + one.part.size
    if some:
        yield some


def _store(store: Store, folder: str, writer: int, waiting: Sequence[Waiting]) -> int:
    """One commit of the rows of `waiting` that are not in the table yet; gives how many those were."""
    entry = store.catalog.get(waiting[0].part.table)
    table_log = store.log_of_folder(folder)
    application = writer_application(writer)
    why = ""
    with store.writing(entry), store.locks.shared(store.files_lock(entry)):
        for _ in range(_TRIES):
            last = table_log.transaction_version(application) or 0
            left = [w for w in waiting if w.part.last > last]
            if not left:
                return 0
            entry = store.catalog.get(entry.name)
            with store.locks.exclusive(store.table_lock(entry)):
                table_log.ensure(entry)
            files = write_rows(table_log, entry, _rows(left))
            try:
                with store.locks.exclusive(store.table_lock(entry)):
                    if (table_log.transaction_version(application) or 0) != last:
                        raise Conflict("the rows were committed meanwhile")
                    table_log.commit(files, transactions=[(application, left[-1].part.last)])
                return sum(w.part.rows for w in left)
            except Conflict as e:
                why = str(e)
                discard(table_log, files)
    raise diagnostics.commit_failed(entry.name, _TRIES, why)


def _rows(waiting: Sequence[Waiting]) -> pl.DataFrame:
    frames: list[pl.DataFrame] = []
    descriptors: dict[str, int] = {}
    try:
        for one in waiting:
            path = str(one.path)
            if path not in descriptors:
                descriptors[path] = os.open(path, os.O_RDONLY)
            rows = one.read(descriptors[path])
            assert rows is not None
            frames.append(rows)
    finally:
        for descriptor in descriptors.values():
            os.close(descriptor)
    return pl.concat(frames, how="diagonal")
