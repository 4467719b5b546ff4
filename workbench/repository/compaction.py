"""Fewer, larger, time-sorted data files: each day's small or overlapping files become new ones.

A file with dynamic columns that are not yet shredded (see `shredding`) becomes a new one too.

In goes a table, out come counts. Rows, their columns and the application transactions stay as they
are; appends may go on meanwhile. Replaced files stay on disk until `vacuum`, so that a scan that
was opened before still reads them. Memory is bounded by about one file before compression.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import polars as pl
from polars.exceptions import PolarsError

from workbench.base.diagnostics import repository as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.repository.catalog import TableEntry
from workbench.repository.datafiles import discard, sync_files, write_file
from workbench.repository.deltalog import Conflict, DeltaLog, FileEntry, NewFile
from workbench.repository.layout import (
    DAY,
    SEQUENCE,
    TARGET_FILE_BYTES,
    TARGET_FILE_ROWS,
    TIME,
    WRITER,
    day_text,
)
from workbench.repository.physical import FILE, UTC_MICROSECONDS
from workbench.repository.shredded import FOOTER_KEY, Descriptions, of_footer, to_json
from workbench.repository.shredding import shred
from workbench.repository.store import Store
from workbench.repository.term_index import update_index

# One commit for many small days, and not much lost work when a large compaction is stopped.
_GROUPS_A_COMMIT = 100
_BYTES_A_COMMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class CompactResult:
    """What a compaction did: counts of files and bytes are of the replaced and of the new files.

    `files_indexed` files got a sidecar of the term index, new ones and those that lacked it, with
    `terms_indexed` terms in all.
    """

    days: int = 0
    files_before: int = 0
    files_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    rows: int = 0
    files_indexed: int = 0
    terms_indexed: int = 0


def compact(store: Store, table: str) -> CompactResult:
    """Compact every day of a table that gains from it; see `Repository.compact`."""
    entry = store.catalog.get(table)
    log = store.log(entry)
    by_day: dict[int, list[FileEntry]] = defaultdict(list)
    for file in log.files():
        by_day[file.day].append(file)
    entry = store.catalog.get(table)  # again: now it knows each column of these files
    done: list[_Replacement] = []
    pending: list[_Replacement] = []
    with store.locks.shared(store.files_lock(entry)):
        whole = _whole(store, entry, log, [f for files in by_day.values() for f in files])
        for day in sorted(by_day):
            for group, parts in _groups(log, by_day[day], whole):
                pending.append(_rewrite(entry, log, group, parts))
                if len(pending) >= _GROUPS_A_COMMIT or sum(p.size for p in pending) >= _BYTES_A_COMMIT:
                    done += _settle(store, entry, log, pending)
                    pending = []
        done += _settle(store, entry, log, pending)
        with store.locks.exclusive(store.terms_lock(entry)):
            files = log.files()
            indexed = update_index(log, files, store.catalog.get(table))
    return CompactResult(
        days=len({p.old[0].day for p in done}),
        files_before=sum(len(p.old) for p in done),
        files_after=sum(len(p.new) for p in done),
        bytes_before=sum(p.size for p in done),
        bytes_after=sum(f.size for p in done for f in p.new),
        rows=sum(f.rows for p in done for f in p.old),
        files_indexed=indexed.files,
        terms_indexed=indexed.terms,
    )


@dataclass(frozen=True, slots=True)
class _Replacement:
    """Data files of one day and the new files that hold the same rows."""

    old: Sequence[FileEntry]
    new: Sequence[NewFile]
    shredded: Mapping[str, tuple[int, Descriptions]] = field(default_factory=dict)  # by path in the table

    @property
    def size(self) -> int:
        return sum(f.size for f in self.old)


def _groups(
    log: DeltaLog, files: Sequence[FileEntry], whole: Collection[str]
) -> list[tuple[list[FileEntry], int]]:
    """The files of a day to be replaced together, and by how many.

    Files whose times overlap go together, and neighbours while they fit into one file. A file that
    is alone stays as it is, unless it is one of those that are still to be shredded (`whole`); so a
    second compaction finds nothing to do.
    """
    if len(files) < 2 and not any(f.path in whole for f in files):
        return []
    clusters: list[list[FileEntry]] = []
    reach = 0
    for file in sorted(files, key=lambda f: (f.start, f.end)):
        if clusters and file.start < reach - _ROUNDED:
            clusters[-1].append(file)
        else:
            clusters.append([file])
            reach = file.end
        reach = max(reach, file.end)
    groups: list[tuple[list[FileEntry], float]] = []
    for cluster in clusters:
        weight = sum(_weight(log, f) for f in cluster)
        if groups and groups[-1][1] + weight <= 1:
            groups[-1] = ([*groups[-1][0], *cluster], groups[-1][1] + weight)
        else:
            groups.append((cluster, weight))
    return [
        (group, math.ceil(weight)) for group, weight in groups if len(group) > 1 or group[0].path in whole
    ]


# The end of a file's time is known to a millisecond (see deltalog).
_ROUNDED = 999


def _weight(log: DeltaLog, file: FileEntry) -> float:
    """The size of a file against a full one, by bytes before compression and by rows."""
    footer = _footer(log, file)
    size = sum(footer.row_group(i).total_byte_size for i in range(footer.num_row_groups))
    for number in _derived(footer):
        size -= sum(
            footer.row_group(i).column(number).total_uncompressed_size for i in range(footer.num_row_groups)
        )
    return float(max(size / TARGET_FILE_BYTES, file.rows / TARGET_FILE_ROWS))


def _footer(log: DeltaLog, file: FileEntry) -> Any:
    import pyarrow.parquet

    return pyarrow.parquet.read_metadata(log.path_of(file))


def _derived(footer: Any) -> list[int]:
    """The places of a data file's shredded columns: they are made anew."""
    found = of_footer(footer.metadata) or {}
    names = {n for description in found.values() for n in description.columns()}
    return [i for i, name in enumerate(footer.schema.names) if name in names]


def _dynamic(entry: TableEntry) -> list[str]:
    return [c.stored for c in entry.stored_columns() if c.type is ScalarType.DYNAMIC]


def _whole(store: Store, entry: TableEntry, log: DeltaLog, files: Sequence[FileEntry]) -> set[str]:
    """The files with a dynamic column that was not shredded; what others tell goes into the manifest."""
    dynamic = _dynamic(entry)
    manifest = store.shredded.get(entry.folder)
    whole: set[str] = set()
    told: dict[str, tuple[int, Descriptions]] = {}
    for file in files if dynamic else ():
        if manifest.find(file) is not None:
            continue
        footer = _footer(log, file)
        found = of_footer(footer.metadata)
        if found is None and not any(name in dynamic for name in footer.schema.names):
            found = {}
        if found is None:
            whole.add(file.path)
        else:
            told[file.path] = (file.size, found)
    if told:
        with store.locks.exclusive(store.table_lock(entry)):
            manifest = store.shredded.get(entry.folder)
            store.shredded.put(entry.folder, manifest.with_files(told, log.files()))
    return whole


def _rewrite(entry: TableEntry, log: DeltaLog, group: Sequence[FileEntry], parts: int) -> _Replacement:
    """Write about `parts` new files with the rows of `group`; they count once `_settle` commits them."""
    written: list[NewFile] = []
    shredded: dict[str, tuple[int, Descriptions]] = {}
    dynamic = _dynamic(entry)
    try:
        source = _open(entry, log, group)
        cuts = _cuts(source, parts)
        for low, high in zip([None, *cuts], [*cuts, None], strict=True):
            part = _slice(source, low, high)
            if part.height:
                part, found = shred(part, dynamic)
                told = {FOOTER_KEY: orjson.dumps(to_json(found)).decode()} if dynamic else None
                file = write_file(log, part.with_columns(_day(group[0].day)), told)
                written.append(file)
                shredded[file.path] = (file.size, found)
    except PolarsError as e:
        discard(log, written)
        raise diagnostics.damaged(f"{log.folder}/{DAY}={day_text(group[0].day)}", str(e)) from e
    except BaseException:
        discard(log, written)
        raise
    return _Replacement(group, written, shredded if dynamic else {})


def _settle(
    store: Store, entry: TableEntry, log: DeltaLog, pending: Sequence[_Replacement]
) -> list[_Replacement]:
    """Commit replacements in one step and give them back, without those whose files changed meanwhile."""
    if not pending:
        return []
    sync_files(log, [f for p in pending for f in p.new])
    with store.locks.exclusive(store.table_lock(entry)):
        there = {f.path: f for f in log.files()}
        good = [p for p in pending if all(f.path in there for f in p.old)]
        try:
            if good:
                # Before the commit: until then these files are nobody's, and no query misses them.
                _tell(store, entry, there, good)
                old, new = [f for p in good for f in p.old], [f for p in good for f in p.new]
                log.commit(new, old, rows_change=False)
        except Conflict:
            good = []
    discard(log, [f for p in pending if p not in good for f in p.new])
    return good


def _tell(
    store: Store, entry: TableEntry, there: Mapping[str, FileEntry], good: Sequence[_Replacement]
) -> None:
    told = {path: known for p in good for path, known in p.shredded.items()}
    if told:
        manifest = store.shredded.get(entry.folder)
        store.shredded.put(entry.folder, manifest.with_files(told, there.values()))


def _open(entry: TableEntry, log: DeltaLog, group: Sequence[FileEntry]) -> pl.LazyFrame:
    stored: dict[str, pl.DataType] = {}
    for column in entry.stored_columns():
        stored[column.stored] = FILE[column.type]
        stored.update((f.stored, FILE[f.type]) for f in column.former)
    for file in group:
        footer = _footer(log, file)
        derived = _derived(footer)
        unknown = [n for i, n in enumerate(footer.schema.names) if n not in stored and i not in derived]
        # A column that the catalog does not know stops it: compaction must not drop one.
        if unknown:
            raise diagnostics.damaged(log.path_of(file), f"its column {unknown[0]} is not in the catalog")
    return pl.scan_parquet(
        [log.path_of(f) for f in group],
        schema=stored,
        missing_columns="insert",
        extra_columns="ignore",
        glob=False,
        hive_partitioning=False,
    )


def _cuts(source: pl.LazyFrame, parts: int) -> list[int]:
    """Times in µs at which to begin a new file, so that each gets about as many rows."""
    if parts < 2:
        return []
    times = source.select(pl.col(TIME).cast(pl.Int64)).collect().to_series().sort()
    found = {int(times[len(times) * i // parts]) for i in range(1, parts)}
    return sorted(found - {int(times[0])})


def _slice(source: pl.LazyFrame, low: int | None, high: int | None) -> pl.DataFrame:
    if low is not None:
        source = source.filter(pl.col(TIME) >= pl.lit(low).cast(UTC_MICROSECONDS))
    if high is not None:
        source = source.filter(pl.col(TIME) < pl.lit(high).cast(UTC_MICROSECONDS))
    return source.collect().sort(TIME, WRITER, SEQUENCE)


def _day(day: int) -> pl.Expr:
    return pl.lit(day, pl.Int32).cast(pl.Date).alias(DAY)
