"""The repository of a workspace: its tables, appended to and scanned. The facade of this layer.

In go Polars frames with KQL names, out come lazy Polars frames with KQL names. `FORMAT.md` says how
all of it lies on disk.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from workbench.base.clock import now_ticks, now_us
from workbench.base.config import external_folders, is_url
from workbench.base.diagnostics import repository as diagnostics
from workbench.base.dtypes import ScalarType, Schema, format_datetime
from workbench.base.terms import Terms
from workbench.repository.append import AppendResult, append, place_values, stored_rows
from workbench.repository.archive import Archived, RestoreResult, archived, restore
from workbench.repository.compaction import CompactResult, compact
from workbench.repository.deltalog import FileEntry
from workbench.repository.functions import Functions
from workbench.repository.layout import (
    CATALOG_FOLDER,
    FILES_FOLDER,
    read_folders,
    read_workspace,
    write_folders,
    write_workspace,
)
from workbench.repository.reading import position, read_table, waiting_parts
from workbench.repository.retention import (
    SAME,
    RetainResult,
    VacuumResult,
    apply_retention,
    retain,
    vacuum,
)
from workbench.repository.scan import TableScan, TimeRange, is_shredded
from workbench.repository.shredded import Kind, PathRead
from workbench.repository.spool.drain import Drained, drain
from workbench.repository.spool.segment import Part
from workbench.repository.spool.writer import Rows, Spool
from workbench.repository.standard import standard_columns
from workbench.repository.store import Store

__all__ = [
    "SAME",
    "AppendResult",
    "Archived",
    "CompactResult",
    "Kind",
    "PathRead",
    "Repository",
    "RestoreResult",
    "RetainResult",
    "TableScan",
    "VacuumResult",
]


@dataclass(frozen=True, slots=True)
class TableFacts:
    """How much a table holds: rows, bytes on disk, data files; days that it keeps (None: for ever); the time of
    its newest record in µs since 1970, cut to the millisecond as data files tell it (None without records)."""

    rows: int
    bytes: int
    files: int
    retention_days: int | None
    newest: int | None = None


class Repository:
    """The tables of one workspace. Safe for threads; several processes may use a workspace at once.

    Attributes
    ----------
    path : str
        The workspace's folder.
    workspace_id : str
        A UUID, made with the workspace.
    functions : Functions
        The stored functions.

    Examples
    --------
    >>> import tempfile
    >>> repository = Repository.open(tempfile.mkdtemp(), create=True)
    >>> repository.append("App", pl.DataFrame({"Level": ["info", "error"]})).stored
    2
    >>> repository.scan("App", ["Level"]).lazy.collect()["Level"].to_list()
    ['info', 'error']
    """

    def __init__(self, store: Store, workspace_id: str) -> None:
        self._store = store
        self.path = store.path
        self.workspace_id = workspace_id
        self.functions = Functions(store.files, store.locks, store.path)

    @classmethod
    def open(cls, path: str, *, create: bool = False) -> Repository:
        """Open the repository of the workspace in folder `path`.

        Raises
        ------
        WorkbenchError
            REP001 when there is none and `create` is false, REP002 for an object-store URL, REP003
            for a newer format, REP004 for a damaged workspace file, REP005 when it can't be made.
        """
        if not is_url(path):
            path = os.path.abspath(os.path.expanduser(path))
        store = Store(path)
        identity = read_workspace(store.files, path)
        if identity is None:
            if not create:
                raise diagnostics.no_workspace(path)
            with store.locks.exclusive("workspace"):
                identity = read_workspace(store.files, path)
                if identity is None:
                    os.makedirs(f"{path}/{CATALOG_FOLDER}", exist_ok=True)
                    identity = write_workspace(store.files, format_datetime(now_ticks()))
        return cls(store, identity)

    def open_folders(self) -> list[str]:
        """Folders whose files a query may read: `files` of the workspace, those that its workspace file
        lists as `external_folders`, and those of the environment (`base.config.external_folders`)."""
        own = os.path.join(self.path, FILES_FOLDER)
        return [own, *self.allowed_folders(), *external_folders()]

    def allowed_folders(self) -> list[str]:
        """Those of `open_folders` that the workspace file lists."""
        return read_folders(self._store.files, self.path)

    def allow_folders(self, folders: Sequence[str]) -> None:
        """Have the workspace file list these folders as `external_folders`.

        Raises
        ------
        WorkbenchError
            REP004 for a damaged workspace file, REP005 disk.
        """
        with self._store.locks.exclusive("workspace"):
            write_folders(self._store.files, self.path, folders)

    def tables(self) -> list[str]:
        """The names of all tables, sorted."""
        return self._store.catalog.names()

    def has(self, table: str) -> bool:
        """Whether there is a table of exactly that name."""
        return self._store.catalog.find(table) is not None

    def schema(self, table: str) -> Schema:
        """The columns of a table: `TimeGenerated`, the user's in order of appearance, the system's.

        Raises
        ------
        WorkbenchError
            REP101 for an unknown table.
        """
        return self._store.catalog.get(table).schema

    def expected(self, table: str) -> Schema:
        """The columns of a table as it is or will be made: those documented for a standard one, none for another."""
        entry = self._store.catalog.find(table)
        return entry.schema if entry is not None else standard_columns(table)

    def ensure(self, tables: Iterable[str]) -> None:
        """Make tables that are not there yet, empty, so that a query finds them."""
        for table in tables:
            self._store.create(table)

    def append(
        self,
        table: str,
        frame: pl.DataFrame,
        types: Mapping[str, ScalarType] | None = None,
        *,
        transaction: tuple[str, int] | None = None,
        batch_id: str = "",
    ) -> AppendResult:
        """Add rows in one commit; the table and its columns are made as needed.

        Parameters
        ----------
        table : str
            KQL name; `Port` and `port` are two tables.
        frame : polars.DataFrame
            Rows. Null or absent `TimeGenerated` becomes the time of now; null text becomes "".
        types : mapping, optional
            KQL types where the dtype does not tell them (dynamic as JSON text, guid, decimal), and
            columns to make though the frame lacks them.
        transaction : (str, int), optional
            Application id and version from 1. If that application has committed that version or a
            higher one to this table, nothing is stored.
        batch_id : str
            Stored with each row as `_BatchId`.

        Returns
        -------
        AppendResult

        Raises
        ------
        WorkbenchError
            REP103 bad name, REP201 a dtype that can't be stored, REP202 a time outside the years 1
            to 9999, REP203 bad transaction, REP204 no commit in many tries, REP005 disk. Then
            nothing of the frame is stored.
        """
        return append(self._store, table, frame, types or {}, transaction, batch_id)

    def placed(self, table: str, frame: pl.DataFrame, types: Mapping[str, ScalarType] | None = None) -> Rows:
        """Rows as the spool takes them; the table and its columns are in the catalog when this returns.

        Raises
        ------
        WorkbenchError
            REP103, REP201 or REP202 for what no column can hold, REP005 disk.
        """
        found = place_values(self._store, table, frame, types or {})
        return Rows(table, found.entry.folder, stored_rows(found, now_us()))

    def placed_plain(
        self,
        table: str,
        plain: Mapping[str, pl.Series],
        frame: pl.DataFrame | None = None,
        types: Mapping[str, ScalarType] | None = None,
    ) -> Rows:
        """As `placed`, where the values of `plain` have their columns' own types; `frame` has other columns."""
        found = place_values(self._store, table, pl.DataFrame() if frame is None else frame, types or {})
        return Rows(table, found.entry.folder, stored_rows(found, now_us(), plain))

    def open_spool(self, reserve: int | None = None) -> Spool:
        """The spool that this process writes from now on. `reserve` are bytes of disk that stay free."""
        return Spool(self._store, reserve)

    def drain(self, spool: Spool) -> Drained:
        """Move what waits in a spool into data files; see `spool.drain`."""
        spool.turn_over()
        return drain(spool, self._store)

    def facts(self, table: str) -> TableFacts:
        """How much a table holds, as its log says; no data file is read.

        Raises
        ------
        WorkbenchError
            REP101 for an unknown table.
        """
        entry = self._store.catalog.get(table)
        waiting = waiting_parts(self._store, entry)
        files = self._store.log(entry).files()
        found: list[Part | FileEntry] = [*waiting, *files]
        return TableFacts(
            sum(f.rows for f in found),
            sum(f.size for f in found),
            len(files),
            entry.retention_days,
            max((f.end // 1000 * 1000 for f in found if f.rows), default=None),
        )

    def transaction_version(self, table: str, app_id: str) -> int | None:
        """The greatest version of `app_id` in a table; None before its first, or without a table."""
        entry = self._store.catalog.find(table)
        return None if entry is None else self._store.log(entry).transaction_version(app_id)

    def scan(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        time_range: TimeRange = (None, None),
        paths: Sequence[PathRead] = (),
        *,
        terms: Terms | None = None,
        behind: Mapping[int, int] | None = None,
    ) -> TableScan:
        """Read a table lazily, leaving out data files that hold no row of `time_range`, nor of `terms`.

        Parameters
        ----------
        columns : sequence of str, optional
            KQL names, hidden ones too; all by default.
        time_range : (int or None, int or None)
            First and last `TimeGenerated`, both inside, in microseconds since 1970. Rows outside of
            it can still come: only whole files are skipped.
        paths : sequence of PathRead
            Paths of dynamic columns that come as columns of their own, behind the others.
        terms : Terms, optional
            What a data file must hold to matter (see `base.terms`). Only files that the term index
            knows are left out; the answer is right without an index.
        behind : mapping of int to int, optional
            A position: data files whose rows it all covers are left out.

        Raises
        ------
        WorkbenchError
            REP101 for an unknown table, REP102 for an unknown column.
        """
        return read_table(
            self._store, self._store.catalog.get(table), columns, time_range, paths, terms, behind
        )

    def position(self, table: str) -> dict[int, int]:
        """How far each writer of a table has come (`{writer: last sequence}`): what is acknowledged now, to the row.

        Raises
        ------
        WorkbenchError
            REP101 for an unknown table.
        """
        return position(self._store, self._store.catalog.get(table))

    def is_shredded(self, table: str, column: str, keys: tuple[str, ...]) -> bool:
        """Whether some data file gives a path of a dynamic column without its JSON text being read.

        Raises
        ------
        WorkbenchError
            REP101 for an unknown table.
        """
        entry = self._store.catalog.get(table)
        return is_shredded(entry, self._store.shredded.get(entry.folder), column, keys)

    def compact(self, table: str) -> CompactResult:
        """Join the small and overlapping data files of each day into larger ones, sorted by time.

        Then the term index gets what it lacks, of files that stay as they are too.

        Appends and queries may go on meanwhile. The old files stay on disk until `vacuum`.

        Raises
        ------
        WorkbenchError
            REP101 for an unknown table, REP004 for a data file that can't be read, REP005 disk.
        """
        return compact(self._store, table)

    def retention(self, table: str) -> int | None:
        """How many days a table keeps; None: for ever."""
        return self._store.catalog.get(table).retention_days

    def archive_retention(self, table: str) -> int | None:
        """How many days more the archive of a table keeps what the table no longer does; None: it has no archive."""
        return self._store.catalog.get(table).archive_days

    def retain(self, table: str, days: int | None, archive_days: int | None = SAME) -> RetainResult:
        """Have a table keep `days` days (None: for ever); whole UTC days that are older leave it.

        Parameters
        ----------
        table : str
        days : int or None
        archive_days : int or None, optional
            They go to the archive, which keeps them for so many days more (None: there is none, and what is in it
            is deleted). By default what was set before.

        Raises
        ------
        WorkbenchError
            REP101 for an unknown table, REP205 unless days are None or 1 and more.
        """
        return retain(self._store, table, days, archive_days)

    def apply_retention(self, table: str) -> RetainResult:
        """Archive or delete the days that a table no longer keeps, as `retain` set it."""
        return apply_retention(self._store, table)

    def archived(self, table: str) -> list[Archived]:
        """What the archive of a table holds, a value a day, the oldest first.

        Raises
        ------
        WorkbenchError
            REP101 for an unknown table.
        """
        return archived(self._store, self._store.catalog.get(table))

    def restore(self, table: str, start: int, end: int, name: str | None = None) -> RestoreResult:
        """Bring archived rows back as a table of their own, in place of what that was restored to before.

        Parameters
        ----------
        table : str
        start, end : int
            First `TimeGenerated`, and the one behind the last, in µs since 1970.
        name : str, optional
            Of the new table; by default that of the table with `_RST` behind it, with which any name must end.

        Raises
        ------
        WorkbenchError
            REP101 for an unknown table, REP207 for a bad name, REP208 for a table of that name that was not restored
            from this one, REP209 where the archive has nothing of that time, REP210 for an empty range.
        """
        return restore(self._store, table, start, end, name)

    def version(self, table: str) -> int:
        """The number of a table's newest version; it grows with each commit, and is -1 before the first.

        Raises
        ------
        WorkbenchError
            REP101 for an unknown table.
        """
        return self._store.log(self._store.catalog.get(table)).version()

    def loose_files(self, table: str, size: int = 32 * 2**20) -> int:
        """How many data files fewer a table had if those below `size` bytes were one a day.

        Raises
        ------
        WorkbenchError
            REP101 for an unknown table.
        """
        days = Counter(
            f.day for f in self._store.log(self._store.catalog.get(table)).files() if f.size < size
        )
        return sum(days.values()) - len(days)

    def vacuum(self, table: str, hours: int = 24) -> VacuumResult:
        """Delete data files from disk that no version of the last `hours` hours needs, and their index.

        Files that a query of this machine reads are left, and appends are never touched. Other programs, and queries
        of another machine, have only the hours.

        Raises
        ------
        WorkbenchError
            REP101 for an unknown table, REP206 for hours below 0.
        """
        return vacuum(self._store, table, hours)
