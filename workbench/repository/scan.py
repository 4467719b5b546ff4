"""Reading a table: which data files can matter, and a lazy frame over them under KQL names.

In go the log's file list, the asked columns and a range of time; out comes a `TableScan`. Files are
dropped before Polars sees them, and the frame is one scan with a plain selection on top, so that
filters and column choice still reach the Parquet reader. Rows are not filtered here. Where paths of
dynamic columns are asked, files that hold them alike are one scan, and the frame all of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from workbench.base.diagnostics import repository as diagnostics
from workbench.base.dtypes import Column, ScalarType, Schema
from workbench.repository.catalog import StoredColumn, TableEntry
from workbench.repository.deltalog import FileEntry
from workbench.repository.layout import TIME, stored_name
from workbench.repository.physical import FILE, FRAME
from workbench.repository.readers import Lease
from workbench.repository.shredded import Keys, Kind, Manifest, PathRead, Place
from workbench.repository.shredding import DTYPES

TimeRange = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Pending:
    """Rows that are in no data file yet: under stored names, and the span of their time in µs."""

    rows: pl.DataFrame
    start: int
    end: int

    def entry(self) -> FileEntry:
        """As if they were a data file of no name."""
        return FileEntry("", 0, self.start, self.end, self.rows.height, int(self.rows.estimated_size()))


@dataclass(frozen=True, slots=True)
class TableScan:
    """A table as a query reads it: one version, which stays readable whatever happens as long as this is kept.

    Attributes
    ----------
    lazy : polars.LazyFrame
        The asked columns under their KQL names; no order of rows.
    schema : Schema
        The same columns with their KQL types.
    files_total, files_read : int
        Data files of the table, and how many of them can hold rows that were asked for.
    dropped_by_time, dropped_by_terms : int
        How many of the others have no rows of the asked time, and how many not the asked terms.
    files : list of str
        The paths of those, newest rows first. Inside a file rows rise by `TimeGenerated`.
    entries : tuple of FileEntry
        The same files with their day, time, rows and bytes; behind them, if there are some, the rows that are in no
        file yet, as one.
    pending : Pending or None
        Those rows.
    lease : Lease or None
        As long as it is kept, vacuum leaves the files. Who works with a part of the scan keeps the scan.
    """

    lazy: pl.LazyFrame
    schema: Schema
    files_total: int
    files_read: int
    files: list[str]
    entries: tuple[FileEntry, ...]
    columns: tuple[StoredColumn, ...]
    reads: tuple[PathRead, ...] = ()
    places: tuple[tuple[Place, ...], ...] = ()
    dropped_by_time: int = 0
    dropped_by_terms: int = 0
    pending: Pending | None = None
    lease: Lease | None = None

    @property
    def rows(self) -> int:
        """Rows in the files that are read, known without reading them."""
        return sum(e.rows for e in self.entries)

    def part(self, files: Sequence[int]) -> pl.LazyFrame:
        """The rows of some of the files, told by their places in `entries`."""
        chosen = [i for i in files if i < len(self.files)]
        pending = self.pending if len(chosen) < len(files) else None
        places = [self.places[i] for i in files] if self.reads else ()
        return _open([self.files[i] for i in chosen], places, self.columns, self.reads, pending)

    def groups(self, n: int) -> list[pl.LazyFrame]:
        """The same rows as `lazy`, in parts of `n` files each, newest first."""
        places = range(len(self.entries))
        return [self.part(places[i : i + n]) for i in places[::n]]


def scan_table(
    entry: TableEntry,
    files: tuple[FileEntry, ...],
    folder: str,
    columns: Sequence[str] | None,
    time_range: TimeRange,
    reads: Sequence[PathRead] = (),
    manifest: Manifest | None = None,
    holding: Callable[[Sequence[FileEntry]], tuple[FileEntry, ...]] = tuple,
    pending: Pending | None = None,
    lease: Lease | None = None,
) -> TableScan:
    """A scan of `files`, those of the table `entry` that lies in `folder`.

    `reads` are paths of dynamic columns that come as columns of their own, behind the others; the
    manifest tells which files hold them so. Of the files of the asked time those are read that
    `holding` leaves. `pending` are rows beside those of the files.

    Raises
    ------
    WorkbenchError
        REP102 for a column the table does not have.
    """
    asked = _asked(entry, columns)
    hidden = {c.name for c in entry.schema if c.hidden}
    start, end = time_range
    timely = [f for f in files if (end is None or f.start <= end) and (start is None or f.end >= start)]
    kept = holding(timely)
    paths = [f"{folder}/{f.path}" for f in kept]
    wanted = [(_stored(entry, r.column), r.keys) for r in reads]
    entries = (*kept, pending.entry()) if pending else kept
    # The manifest knows nothing of rows that wait: their JSON text has all.
    places = tuple((manifest or Manifest({})).places(entries, wanted)) if reads else ()
    return TableScan(
        lazy=_open(paths, places, asked, reads, pending),
        schema=tuple(Column(c.name, c.type, c.name in hidden) for c in asked),
        files_total=len(files),
        files_read=len(kept),
        files=paths,
        entries=entries,
        columns=asked,
        reads=tuple(reads),
        places=places,
        dropped_by_time=len(files) - len(timely),
        dropped_by_terms=len(timely) - len(kept),
        pending=pending,
        lease=lease,
    )


def is_shredded(entry: TableEntry, manifest: Manifest, column: str, keys: Keys) -> bool:
    """Whether some data file gives the path of a dynamic column without reading its JSON text."""
    found = entry.find(column)
    return found is not None and found.type is ScalarType.DYNAMIC and manifest.knows(found.stored, keys)


def _open(
    files: Sequence[str], places: Sequence[tuple[Place, ...]], columns: Sequence[StoredColumn],
    reads: Sequence[PathRead], pending: Pending | None,
) -> pl.LazyFrame:  # fmt: skip
    """A lazy frame over data files and, behind them, the rows that are in none; a place for each file and for those."""
    if pending is None:
        return _open_paths(files, places, columns, reads) if reads else open_files(files, columns)
    if reads:
        waiting = _open_alike(pending.rows, places[len(files)], columns, reads)
        parts = [_open_paths(files, places[: len(files)], columns, reads)] if files else []
    else:
        waiting = open_files(pending.rows, columns)
        parts = [open_files(files, columns)] if files else []
    return pl.concat([*parts, waiting], how="vertical") if parts else waiting


def open_files(
    source: Sequence[str] | pl.DataFrame,
    columns: Sequence[StoredColumn],
    shredded: Mapping[str, pl.DataType] | None = None,
) -> pl.LazyFrame:
    """A lazy frame over data files, or rows as they lie in one; a column that a file lacks is null there.

    `shredded` says how columns lie in the files that are none of the table's own.
    """
    if isinstance(source, list) and not source:
        return pl.LazyFrame(schema={c.name: FRAME[c.type] for c in columns})
    stored: dict[str, pl.DataType] = {}
    for column in columns:
        stored[column.stored] = (shredded or {}).get(column.stored, FILE[column.type])
        stored.update((f.stored, FILE[f.type]) for f in column.former)
    if isinstance(source, pl.DataFrame):
        there = set(source.columns)
        lazy = source.lazy().select(
            [pl.col(n) if n in there else pl.lit(None, t).alias(n) for n, t in stored.items()]
        )
    else:
        lazy = pl.scan_parquet(
            list(source),
            schema=stored,
            missing_columns="insert",
            extra_columns="ignore",
            glob=False,
            hive_partitioning=False,
        )
    if all(_is_plain(c) for c in columns):
        return lazy
    return lazy.select([_read(c) for c in columns])


def _open_paths(
    files: Sequence[str], places: Sequence[tuple[Place, ...]], columns: Sequence[StoredColumn], reads: Sequence[PathRead]
) -> pl.LazyFrame:  # fmt: skip
    """A lazy frame over data files, with paths of dynamic columns as columns behind the others."""
    alike: dict[tuple[Place, ...], list[str]] = {}
    for file, held in zip(files, places, strict=True):
        alike.setdefault(held, []).append(file)
    if not alike:
        alike[tuple(Place(Kind.NULL, "") for _ in reads)] = []
    parts = [_open_alike(group, held, columns, reads) for held, group in alike.items()]
    return parts[0] if len(parts) == 1 else pl.concat(parts, how="vertical")


def _open_alike(
    files: Sequence[str] | pl.DataFrame, places: tuple[Place, ...], columns: Sequence[StoredColumn], reads: Sequence[PathRead]
) -> pl.LazyFrame:  # fmt: skip
    """A lazy frame over data files that hold each path in the same place."""
    sources = {p.stored: DTYPES[p.kind] for p in places if p.kind is not Kind.NULL}
    names = {c.stored: c.name for c in columns}
    taken = set(names.values())
    read = list(columns)
    for stored in sources:
        if stored not in names:
            names[stored] = stored_name(stored, taken)
            taken.add(names[stored])
            read.append(StoredColumn(names[stored], ScalarType.DYNAMIC, stored))
    made = [
        r.build(pl.col(names[p.stored]) if p.stored else pl.lit(None, pl.String), p.kind).alias(r.name)
        for r, p in zip(reads, places, strict=True)
    ]
    kept = [pl.col(c.name) for c in columns]
    if read:
        return open_files(files, read, sources).select([*kept, *made])
    # Of nulls alone the number is not known: something has to be read.
    lazy = open_files(files, [StoredColumn(TIME, ScalarType.DATETIME, TIME)])
    return lazy.with_columns(made).select([r.name for r in reads])


def _stored(entry: TableEntry, column: str) -> str:
    found = entry.find(column)
    if found is None:
        raise diagnostics.unknown_column(column, entry.name, [c.name for c in entry.stored_columns()])
    return found.stored


def _asked(entry: TableEntry, columns: Sequence[str] | None) -> tuple[StoredColumn, ...]:
    known = entry.stored_columns()
    if columns is None:
        return known
    by_name = {c.name: c for c in known}
    for name in columns:
        if name not in by_name:
            raise diagnostics.unknown_column(name, entry.name, by_name)
    return tuple(by_name[name] for name in dict.fromkeys(columns))


def _is_plain(column: StoredColumn) -> bool:
    return column.name == column.stored and not column.former and FILE[column.type] == FRAME[column.type]


def _read(column: StoredColumn) -> pl.Expr:
    value = pl.col(column.stored)
    if column.former:
        former = [pl.col(f.stored).cast(FILE[column.type]) for f in column.former]
        value = pl.coalesce(value, *former)
    if FILE[column.type] != FRAME[column.type]:
        value = value.cast(FRAME[column.type])
    return value.alias(column.name)
