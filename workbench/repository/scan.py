"""Reading a table: which data files can matter, and a lazy frame over them under KQL names.

In go the log's file list, the asked columns and a range of time; out comes a `TableScan`. Files are
dropped before Polars sees them, and the frame is one scan with a plain selection on top, so that
filters and column choice still reach the Parquet reader. Rows are not filtered here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from workbench.base.diagnostics import repository as diagnostics
from workbench.base.dtypes import Column, Schema
from workbench.repository.catalog import StoredColumn, TableEntry
from workbench.repository.deltalog import FileEntry
from workbench.repository.physical import FILE, FRAME

TimeRange = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class TableScan:
    """A table as a query reads it: one version, which stays readable whatever happens after.

    Attributes
    ----------
    lazy : polars.LazyFrame
        The asked columns under their KQL names; no order of rows.
    schema : Schema
        The same columns with their KQL types.
    files_total, files_read : int
        Data files of the table, and how many of them can hold rows of the asked time.
    files : list of str
        The paths of those, newest rows first. Inside a file rows rise by `TimeGenerated`.
    entries : tuple of FileEntry
        The same files with their day, time, rows and bytes.
    """

    lazy: pl.LazyFrame
    schema: Schema
    files_total: int
    files_read: int
    files: list[str]
    entries: tuple[FileEntry, ...]
    columns: tuple[StoredColumn, ...]

    @property
    def rows(self) -> int:
        """Rows in the files that are read, known without reading them."""
        return sum(e.rows for e in self.entries)

    def groups(self, n: int) -> list[pl.LazyFrame]:
        """The same rows as `lazy`, in parts of `n` files each, newest first."""
        return [open_files(self.files[i : i + n], self.columns) for i in range(0, len(self.files), n)]


def scan_table(
    entry: TableEntry,
    files: tuple[FileEntry, ...],
    folder: str,
    columns: Sequence[str] | None,
    time_range: TimeRange,
) -> TableScan:
    """A scan of `files`, those of the table `entry` that lies in `folder`.

    Raises
    ------
    WorkbenchError
        REP102 for a column the table does not have.
    """
    asked = _asked(entry, columns)
    hidden = {c.name for c in entry.schema if c.hidden}
    start, end = time_range
    kept = tuple(f for f in files if (end is None or f.start <= end) and (start is None or f.end >= start))
    paths = [f"{folder}/{f.path}" for f in kept]
    return TableScan(
        lazy=open_files(paths, asked),
        schema=tuple(Column(c.name, c.type, c.name in hidden) for c in asked),
        files_total=len(files),
        files_read=len(kept),
        files=paths,
        entries=kept,
        columns=asked,
    )


def open_files(paths: Sequence[str], columns: Sequence[StoredColumn]) -> pl.LazyFrame:
    """A lazy frame over data files; a column that a file lacks is null there."""
    if not paths:
        return pl.LazyFrame(schema={c.name: FRAME[c.type] for c in columns})
    stored: dict[str, pl.DataType] = {}
    for column in columns:
        stored[column.stored] = FILE[column.type]
        stored.update((f.stored, FILE[f.type]) for f in column.former)
    lazy = pl.scan_parquet(
        list(paths),
        schema=stored,
        missing_columns="insert",
        extra_columns="ignore",
        glob=False,
        hive_partitioning=False,
    )
    if all(_is_plain(c) for c in columns):
        return lazy
    return lazy.select([_read(c) for c in columns])


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
