"""What leaves a table by age and is kept: data files moved into an archive, ranges of it brought back.

In go tables and data files, out come counts. An archive is a Delta table of its own with the same data files (hard
links where the disk allows) under the same stored names. A move is told in `_moving.json` first, so that a kill between
its two commits is undone by whoever looks next. Everything here needs the table's lock, or takes it.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from workbench.base.clock import now_ticks
from workbench.base.diagnostics import repository as diagnostics
from workbench.base.dtypes import format_datetime
from workbench.repository.catalog import TableEntry
from workbench.repository.datafiles import discard, sync_files, write_file
from workbench.repository.deltalog import Conflict, DeltaLog, FileEntry, NewFile
from workbench.repository.layout import (
    ARCHIVE_FOLDER,
    DAY,
    FORMAT_VERSION,
    OWN_APPLICATIONS,
    TIME,
    parse_json,
    stored_name,
)
from workbench.repository.physical import UTC_MICROSECONDS
from workbench.repository.store import Store

RESTORED = "_RST"
APPLICATION = f"{OWN_APPLICATIONS}archive"
_MOVING = "_moving.json"
_ROUNDED = 999
"""Microseconds that reading the log adds to the end of a file's time (see deltalog)."""


@dataclass(frozen=True, slots=True)
class Archived:
    """A day of a table in its archive; `day` counts from 1970."""

    day: int
    files: int
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class RestoreResult:
    """The table that a range was brought back as, its rows and data files."""

    table: str
    rows: int
    files: int


# ---- into the archive -------------------------------------------------------------------------


def move(store: Store, entry: TableEntry, files: Sequence[FileEntry]) -> None:
    """Have the archive hold these files of the table, and the table not; `Conflict` when neither happened.

    The archive is on disk and committed before the table lets go.
    """
    settle(store, entry)
    log, archive = store.log(entry), store.archive(entry)
    number = (log.transaction_version(APPLICATION) or 0) + 1
    told = {"format": FORMAT_VERSION, "number": number, "files": [f.path for f in files]}
    store.files.replace(_told(entry), orjson.dumps(told))
    try:
        archive.ensure(entry)
        _link(log, archive, files)
        archive.commit([_as_new(f) for f in files])
        log.commit(remove=files, transactions=[(APPLICATION, number)])
    finally:
        settle(store, entry)


def settle(store: Store, entry: TableEntry) -> None:
    """Undo a move that a kill stopped before the table let go, and forget one that is done."""
    raw = store.files.read(_told(entry))
    if raw is None:
        return
    told: dict[str, Any] = parse_json(raw, _told(entry))
    if (store.log(entry).transaction_version(APPLICATION) or 0) < told["number"]:
        archive = store.archive(entry)
        _remove(archive, [f for f in archive.files() if f.path in set(told["files"])])
        _unlink(archive, told["files"])
    store.files.remove(_told(entry))


def expire(store: Store, entry: TableEntry, before: int) -> list[FileEntry]:
    """Delete the days before `before` (days since 1970) from the archive for ever; gives the deleted files."""
    settle(store, entry)
    archive = store.archive(entry)
    old = [f for f in archive.files() if f.day < before]
    if old:
        _remove(archive, old)
        _unlink(archive, archive.unneeded(0))
    return old


def archived(store: Store, entry: TableEntry) -> list[Archived]:
    """What the archive of a table holds, oldest day first."""
    with store.locks.exclusive(store.table_lock(entry)):
        settle(store, entry)
        days: dict[int, list[FileEntry]] = {}
        for file in store.archive(entry).files():
            days.setdefault(file.day, []).append(file)
    return [
        Archived(day, len(files), sum(f.rows for f in files), sum(f.size for f in files))
        for day, files in sorted(days.items())
    ]


def _told(entry: TableEntry) -> str:
    return f"{ARCHIVE_FOLDER}/{entry.folder}/{_MOVING}"


def _as_new(file: FileEntry) -> NewFile:
    return NewFile(file.path, file.day, file.rows, file.size, {TIME: (file.start, file.end - _ROUNDED)})


def _link(source: DeltaLog, target: DeltaLog, files: Sequence[FileEntry]) -> None:
    """Have the files under the same path in another table's folder, on disk when this returns."""
    try:
        for file in files:
            old, new = Path(source.path_of(file)), Path(target.path_of(file))
            new.parent.mkdir(parents=True, exist_ok=True)
            temporary = new.with_name(f"{uuid.uuid4().hex}.part")
            try:
                os.link(old, temporary)
            except FileNotFoundError:
                raise
            except OSError:  # another disk, or a file system without links
                shutil.copyfile(old, temporary)
            if new.exists() and new.stat().st_size == file.size:
                temporary.unlink()
            else:
                temporary.replace(new)
    except OSError as e:
        raise diagnostics.not_writable(target.folder, e.strerror or str(e)) from e
    sync_files(target, [_as_new(f) for f in files])


def _remove(log: DeltaLog, files: Sequence[FileEntry]) -> None:
    if not files:
        return
    try:
        log.commit(remove=files)
    except Conflict as e:
        raise diagnostics.not_writable(log.folder, str(e)) from e


def _unlink(log: DeltaLog, paths: Iterable[str]) -> None:
    for path in paths:
        Path(log.folder, path).unlink(missing_ok=True)


# ---- back from the archive --------------------------------------------------------------------


def restore(store: Store, table: str, start: int, end: int, name: str | None) -> RestoreResult:
    """Bring rows of `start` to before `end` back as a table of their own; see `Repository.restore`."""
    entry = store.catalog.get(table)
    name = name or f"{table}{RESTORED}"
    if not name.endswith(RESTORED):
        raise diagnostics.bad_restored_name(name, RESTORED)
    if start >= end:
        raise diagnostics.empty_range()
    with store.locks.exclusive(store.table_lock(entry)):
        settle(store, entry)
        archive = store.archive(entry)
        wanted = [f for f in archive.files() if f.start < end and f.end >= start]
        if not wanted:
            raise diagnostics.nothing_archived(table)
        made = _target(store, store.catalog.get(table), name)
        with store.locks.shared(store.files_lock(made)), store.locks.exclusive(store.table_lock(made)):
            return _restored(store, entry, made, wanted, start, end)


def _target(store: Store, entry: TableEntry, name: str) -> TableEntry:
    """The catalog's entry of the restored table: the columns of its origin, under the same stored names."""
    found = store.catalog.find(name)
    if found is not None and found.extra.get("restored") != entry.name:
        raise diagnostics.not_restored(name)
    with store.locks.exclusive("catalog"):
        folder = found.folder if found else stored_name(name, store.catalog.folders())
        created = found.created if found else format_datetime(now_ticks())
        made = replace(
            entry, name=name, folder=folder, created=created, retention_days=None, archive_days=None,
            extra={"restored": entry.name},
        )  # fmt: skip
        store.catalog.put(made)
    return made


def _restored(
    store: Store, entry: TableEntry, made: TableEntry, wanted: Sequence[FileEntry], start: int, end: int
) -> RestoreResult:
    log, archive = store.log(made), store.archive(entry)
    log.ensure(made)
    there = {f.path: f for f in log.files()}
    whole = [f for f in wanted if f.start >= start and f.end - _ROUNDED < end]
    fresh = [f for f in whole if f.path not in there]
    _link(archive, log, fresh)
    cut = [c for f in wanted if f not in whole and (c := _cut(made, archive, log, f, start, end))]
    sync_files(log, cut)
    kept = {f.path for f in whole}
    try:
        log.commit([*map(_as_new, fresh), *cut], [f for p, f in there.items() if p not in kept])
    except Conflict as e:
        discard(log, cut)
        raise diagnostics.commit_failed(made.name, 1, str(e)) from e
    return RestoreResult(
        made.name, sum(f.rows for f in whole) + sum(c.rows for c in cut), len(whole) + len(cut)
    )


def _cut(
    entry: TableEntry, archive: DeltaLog, log: DeltaLog, file: FileEntry, start: int, end: int
) -> NewFile | None:
    """A new file with those rows of an archived one that are of the asked time; None: there are none."""
    path = archive.path_of(file)
    stored = {n for c in entry.stored_columns() for n in (c.stored, *(f.stored for f in c.former))}
    try:
        lazy = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        names = [n for n in lazy.collect_schema().names() if n in stored]
        low, high = (pl.lit(t).cast(UTC_MICROSECONDS) for t in (start, end))
        rows = lazy.select(names).filter(pl.col(TIME) >= low, pl.col(TIME) < high).collect()
    except (OSError, pl.exceptions.PolarsError) as e:
        raise diagnostics.damaged(path, str(e)) from e
    if not rows.height:
        return None
    return write_file(log, rows.sort(TIME).with_columns(pl.lit(file.day, pl.Int32).cast(pl.Date).alias(DAY)))
