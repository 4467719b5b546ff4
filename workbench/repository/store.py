"""What the verbs of a repository share: its catalog, its locks and the open log of each table.

In goes the workspace path; nothing is read or made until it is asked for.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

from workbench.base.clock import now_ticks
from workbench.base.config import state_folder
from workbench.base.dtypes import format_datetime
from workbench.repository.catalog import Catalog, StoredColumn, TableEntry
from workbench.repository.deltalog import DeltaLog
from workbench.repository.files import Locks, files_of
from workbench.repository.layout import ARCHIVE_FOLDER, TABLES_FOLDER, check_name, stored_name
from workbench.repository.readers import Readers
from workbench.repository.shredded import Manifests
from workbench.repository.spool.waiting import Spools
from workbench.repository.standard import standard_columns
from workbench.repository.term_index import TermIndex

_CATALOG_LOCK = "catalog"


class Store:
    """The parts of one workspace. Safe for threads."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.files = files_of(path)
        self.catalog = Catalog(self.files, path)
        self.state: Path = state_folder(path)
        self.locks = Locks(self.state / "locks")
        self.shredded = Manifests(self.files)
        self.spools = Spools(self.state)
        self.readers = Readers(self.state / "readers")
        self._guard = threading.Lock()
        self._logs: dict[str, DeltaLog] = {}
        self._archives: dict[str, DeltaLog] = {}
        self._terms: dict[str, TermIndex] = {}
        self._writing: dict[str, threading.Lock] = {}
        self._inexact: set[tuple[str, str]] = set()

    def log(self, entry: TableEntry) -> DeltaLog:
        """The log of a table, kept open."""
        return self.log_of_folder(entry.folder)

    def log_of_folder(self, folder: str) -> DeltaLog:
        """The log of the table in a folder, also where the table is not in the catalog any more."""
        with self._guard:
            if folder not in self._logs:
                self._logs[folder] = DeltaLog(f"{self.path}/{TABLES_FOLDER}/{folder}")
            return self._logs[folder]

    def archive(self, entry: TableEntry) -> DeltaLog:
        """The log of what a table has archived, kept open."""
        with self._guard:
            if entry.folder not in self._archives:
                self._archives[entry.folder] = DeltaLog(f"{self.path}/{ARCHIVE_FOLDER}/{entry.folder}")
            return self._archives[entry.folder]

    def terms(self, entry: TableEntry) -> TermIndex:
        """The term index of a table, kept open."""
        log = self.log(entry)
        with self._guard:
            return self._terms.setdefault(entry.folder, TermIndex(log.folder))

    def writing(self, entry: TableEntry) -> threading.Lock:
        """Held by the one thread of this process that appends to a table: it numbers the rows."""
        with self._guard:
            return self._writing.setdefault(entry.folder, threading.Lock())

    def table_lock(self, entry: TableEntry) -> str:
        """Name of the lock under which a table's columns change and its commits happen."""
        return f"table-{entry.folder}"

    def files_lock(self, entry: TableEntry) -> str:
        """Name of the lock that is shared while data files wait for their commit; vacuum takes it alone."""
        return f"files-{entry.folder}"

    def terms_lock(self, entry: TableEntry) -> str:
        """Name of the lock under which a table's term index is made."""
        return f"terms-{entry.folder}"

    def create(self, table: str) -> TableEntry:
        """The entry of a table, made in the catalog if it is new; raises REP103 for a bad name."""
        found = self.catalog.find(table)
        if found is not None:
            return found
        check_name("table", table)
        with self.locks.exclusive(_CATALOG_LOCK):
            found = self.catalog.find(table)
            if found is None:
                folder = stored_name(table, self.catalog.folders())
                found = TableEntry(table, folder, format_datetime(now_ticks()))
                for column in standard_columns(table):
                    found = found.with_column(column.name, column.type)
                found = replace(found, revision=1)
                self.catalog.put(found)
            return found

    def is_inexact(self, entry: TableEntry, column: StoredColumn) -> bool:
        """Whether a long column was found to hold a value that a real can't (it stays so)."""
        return (entry.folder, column.stored) in self._inexact

    def remember_inexact(self, entry: TableEntry, column: StoredColumn) -> None:
        """Keep the answer of a search through the whole column."""
        self._inexact.add((entry.folder, column.stored))

    def keep(self, table: str, days: int | None, archive_days: int | None) -> TableEntry:
        """Set how many days a table keeps, and how many more its archive does."""
        entry = self.catalog.get(table)
        with self.locks.exclusive(self.table_lock(entry)):
            entry = replace(self.catalog.get(table), retention_days=days, archive_days=archive_days)
            self.catalog.put(entry)
        return entry
