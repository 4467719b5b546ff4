"""The Delta log of one table: its data files now, its transactions, and commits.

In go actions, out come `FileEntry` values. The handle and the parsed list are kept and brought up
to date when the log grew. This is the only module that talks to `deltalake`; data files are written
by Polars (several times faster here than the Delta writer) and only committed through it. Must not
know KQL names.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
import polars as pl
from deltalake import DeltaTable, Field
from deltalake import Schema as DeltaSchema
from deltalake.exceptions import DeltaError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, CommitProperties, RemoveAction, Transaction

from workbench.base import clock
from workbench.base.diagnostics import repository as diagnostics
from workbench.base.dtypes import format_datetime
from workbench.repository.catalog import TableEntry
from workbench.repository.files import sync
from workbench.repository.layout import DAY, RECEIVED, SEQUENCE, TIME, WRITER, day_text
from workbench.repository.physical import DELTA

#: Only these have statistics in the log: those of long texts would make it grow without use.
STATISTICS = (TIME, RECEIVED, WRITER, SEQUENCE)
_DAY_US = 86_400_000_000
_UNKNOWN = 2**63 - 1
_CONFIGURATION: Mapping[str, str | None] = {
    "delta.dataSkippingStatsColumns": ",".join(STATISTICS),
    "delta.checkpointInterval": "100",
}


@dataclass(frozen=True, slots=True)
class FileEntry:
    """A data file: path in the table's folder, day since 1970, time of its rows in µs since 1970.

    `writers` are the least and the greatest of its rows' writers, `last` the greatest of their sequence numbers.
    """

    path: str
    day: int
    start: int
    end: int
    rows: int
    size: int
    writers: tuple[int, int] = (0, 0)
    last: int = _UNKNOWN

    def is_behind(self, position: Mapping[int, int]) -> bool:
        """Whether some of its rows may be none of those that a position (`{writer: last sequence}`) covers."""
        first, last = self.writers
        return any(self.last > position.get(writer, 0) for writer in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class NewFile:
    """A data file that was written and not yet committed; `statistics` as (least, greatest)."""

    path: str
    day: int
    rows: int
    size: int
    statistics: Mapping[str, tuple[int, int]]


class Conflict(Exception):
    """The commit did not happen: another one came first or the log refused it."""


class DeltaLog:
    """One table's folder and log. Safe for threads; writers also hold the table's lock."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._guard = threading.RLock()
        self._table: DeltaTable | None = None
        self._version = -1
        self._checkpoint: int | None = None
        self._files: tuple[FileEntry, ...] | None = None
        self._columns_of_revision = 0

    def files(self) -> tuple[FileEntry, ...]:
        """The data files of the newest version, newest rows first."""
        with self._guard:
            self.refresh()
            if self._files is None:
                self._files = () if self._table is None else _parse(self._table)
            return self._files

    def version(self) -> int:
        """The number of the newest version; -1 where there is no log yet."""
        with self._guard:
            self.refresh()
            return self._version

    def version_of(self, applications: Iterable[str]) -> tuple[tuple[FileEntry, ...], dict[str, int]]:
        """The data files, and the greatest version of some applications (0 before the first): of one version."""
        with self._guard:
            files = self.files()
            table = self._table
            return files, {a: (table.transaction_version(a) or 0) if table else 0 for a in applications}

    def transaction_version(self, application: str) -> int | None:
        """The greatest version that application has committed, None before its first."""
        with self._guard:
            self.refresh()
            return None if self._table is None else self._table.transaction_version(application)

    def path_of(self, file: FileEntry | NewFile) -> str:
        """Where that data file lies."""
        return f"{self.folder}/{file.path}"

    def refresh(self) -> None:
        """Bring the handle up to the newest version; nearly free when nothing happened."""
        with self._guard:
            log = f"{self.folder}/_delta_log"
            if self._table is None:
                if not os.path.isdir(log) or not DeltaTable.is_deltatable(self.folder):
                    return
                self._checkpoint = _changed(f"{log}/_last_checkpoint")
                self._table = DeltaTable(self.folder)
            else:
                checkpoint = _changed(f"{log}/_last_checkpoint")
                # The log of old versions may be gone after a checkpoint, hence the second question.
                if checkpoint == self._checkpoint and not os.path.exists(
                    f"{log}/{self._version + 1:020}.json"
                ):
                    return
                self._checkpoint = checkpoint
                self._table.update_incremental()
            if self._table.version() != self._version:
                self._version = self._table.version()
                self._files = None

    def ensure(self, entry: TableEntry) -> None:
        """Make the table or its new columns, so that it has all of `entry`. Needs the table's lock."""
        with self._guard:
            if self._columns_of_revision >= entry.revision:
                return
            self.refresh()
            try:
                self._make(entry)
            except (DeltaError, OSError) as e:
                raise diagnostics.not_writable(self.folder, str(e)) from e
            self.refresh()
            self._columns_of_revision = entry.revision

    def _make(self, entry: TableEntry) -> None:
        if self._table is None:
            schema = DeltaSchema([*_fields(entry), Field(DAY, PrimitiveType("date"))])
            DeltaTable.create(
                self.folder, schema, partition_by=[DAY], name=entry.name, configuration=_CONFIGURATION
            )
            return
        there = {f.name for f in self._table.schema().fields}
        missing = [f for f in _fields(entry) if f.name not in there]
        if missing:
            self._table.alter.add_columns(missing)

    def commit(
        self,
        add: Sequence[NewFile] = (),
        remove: Sequence[FileEntry] = (),
        transactions: Sequence[tuple[str, int]] = (),
        *,
        rows_change: bool = True,
    ) -> None:
        """Add and remove data files in one step, through the handle as it was last refreshed.

        Raises
        ------
        Conflict
            When nothing was committed.
        """
        now = clock.now_us() // 1000
        actions: list[AddAction | RemoveAction] = [
            RemoveAction(f.path, rows_change, now, f.size, {DAY: day_text(f.day)}) for f in remove
        ]
        actions += [
            AddAction(f.path, f.size, {DAY: day_text(f.day)}, now, rows_change, _statistics(f)) for f in add
        ]
        properties = CommitProperties(app_transactions=[Transaction(a, v) for a, v in transactions])
        with self._guard:
            table = self._table
            if table is None:
                raise Conflict("there is no table yet")
            try:
                table.create_write_transaction(
                    actions, "append", table.schema(), partition_by=[DAY], commit_properties=properties
                )
            except (DeltaError, OSError) as e:
                self.refresh()
                # The commit may stand though what follows it failed (a checkpoint on a full disk).
                if not transactions or any((self.transaction_version(a) or 0) != v for a, v in transactions):
                    raise Conflict(str(e)) from e
            self.refresh()
            # `rename` made the version visible; only this makes it outlive a power cut.
            newest = Path(self.folder) / "_delta_log" / f"{self._version:020}.json"
            if newest.exists():
                sync(newest)
            sync(newest.parent)

    def unneeded(self, hours: int) -> list[str]:
        """Paths of the data files on disk that no version of the last `hours` needs."""
        with self._guard:
            self.refresh()
            if self._table is None:
                return []
            found = self._table.vacuum(hours, dry_run=True, enforce_retention_duration=False, full=True)
            # It lists those too that were deleted before.
            return [path for path in found if os.path.exists(f"{self.folder}/{path}")]

    def removed_since(self, version: int) -> set[str] | None:
        """Paths of the data files that versions after this one removed; None: not all of these can be read."""
        removed: set[str] = set()
        for number in range(version + 1, self.version() + 1):
            try:
                text = Path(self.folder, "_delta_log", f"{number:020}.json").read_bytes()
                actions = [orjson.loads(line) for line in text.splitlines() if line.strip()]
            except (FileNotFoundError, orjson.JSONDecodeError):
                return None
            removed.update(unquote(a["remove"]["path"]) for a in actions if "remove" in a)
        return removed


def _fields(entry: TableEntry) -> list[Field]:
    fields = []
    for column in entry.stored_columns():
        told = {"workbench.name": column.name, "workbench.type": column.type.value}
        fields.append(Field(column.stored, PrimitiveType(DELTA[column.type]), metadata=told))
        for former in column.former:
            told = {"workbench.name": column.name, "workbench.type": former.type.value}
            fields.append(Field(former.stored, PrimitiveType(DELTA[former.type]), metadata=told))
    return fields


def _changed(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except FileNotFoundError:
        return None


def _statistics(file: NewFile) -> str:
    def shown(name: str, value: int) -> Any:
        return f"{format_datetime(value * 10)[:-2]}Z" if name in (TIME, RECEIVED) else value

    found = {
        "numRecords": file.rows,
        "minValues": {n: shown(n, low) for n, (low, _) in file.statistics.items()},
        "maxValues": {n: shown(n, high) for n, (_, high) in file.statistics.items()},
        "nullCount": dict.fromkeys(file.statistics, 0),
    }
    return json.dumps(found)


def _parse(table: DeltaTable) -> tuple[FileEntry, ...]:
    actions: Any = table.get_add_actions(flatten=True)
    if actions.num_rows == 0:
        return ()
    names = ["path", f"partition.{DAY}", f"min.{TIME}", f"max.{TIME}", "num_records", "size_bytes"]
    numbers = [f"min.{WRITER}", f"max.{WRITER}", f"max.{SEQUENCE}"]
    frame = pl.DataFrame({n: pl.Series(actions.column(n)) for n in names})
    told = set(actions.schema.names)
    frame = frame.with_columns(
        pl.Series(actions.column(n)).cast(pl.Int64).alias(n) if n in told else pl.lit(None, pl.Int64).alias(n)
        for n in numbers
    )
    plain = (
        frame.select(
            pl.col("path"),
            pl.col(names[1]).cast(pl.Int32).cast(pl.Int64),
            pl.col(names[2]).cast(pl.Datetime("us", "UTC")).cast(pl.Int64),
            # Other writers cut the greatest time to milliseconds.
            pl.col(names[3]).cast(pl.Datetime("us", "UTC")).cast(pl.Int64) + 999,
            pl.col("num_records").cast(pl.Int64),
            pl.col("size_bytes").cast(pl.Int64),
            *numbers,
        )
        .with_columns(
            # Statistics are ours to write, but another writer may have left them out.
            pl.col(names[2]).fill_null(pl.col(names[1]) * _DAY_US),
            pl.col(names[3]).fill_null((pl.col(names[1]) + 1) * _DAY_US),
            pl.col(numbers[0]).fill_null(0),
            pl.col(numbers[1]).fill_null(0),
            pl.col(numbers[2]).fill_null(_UNKNOWN),
        )
        .sort(names[3], names[2], "path", descending=[True, True, False])
    )
    return tuple(
        FileEntry(path, day, start, end, rows, size, (least, greatest), last)
        for path, day, start, end, rows, size, least, greatest, last in plain.iter_rows()
    )
