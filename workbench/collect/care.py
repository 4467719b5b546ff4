"""Care of the tables of a running service: few, time-sorted, indexed files; retention, archive, vacuum; what is scheduled.

In go the names of tables that were just stored to; out come fewer files, and a row of `Operation` for each thing that was
done or failed. Two threads: one for the tables, one for scheduled exports and summary rules, so that neither waits for
the other. Queries and intake go on meanwhile.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from workbench.base.diagnostics import repository as messages
from workbench.base.errors import WorkbenchError
from workbench.collect import exports, summaries
from workbench.collect.compacting import Compactor
from workbench.collect.intake import Intake
from workbench.collect.operations import OPERATION, USAGE, Operations
from workbench.query.frames import Tables
from workbench.repository.tables import CompactResult, Repository, RetainResult, VacuumResult

if TYPE_CHECKING:
    from pathlib import Path

    from workbench.base.database import Database

log = logging.getLogger("workbench.care")
CATEGORY = "Care"
DISK = "Disk"
_TICK = 5.0
_LOOK = 60.0
_OWN = frozenset({OPERATION, USAGE, summaries.LOG})
_OWN_LEAST = 10
"""Files of a table that care itself writes to, before it is worth to be compacted when idle."""
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Pace:
    """How eager care is: times in seconds.

    Attributes
    ----------
    small, first : int
        Small files of one table that are more than its last compaction left, before the next one; and before the first
        one after a start, as the runs before may have left many.
    idle : float
        A table that was not stored to for so long is put in order once, however few its files are.
    every : float
        Between two rounds of retention and vacuum.
    """

    small: int = 32
    first: int = 10
    idle: float = 900.0
    every: float = 3600.0


class Care:
    """Looks after the tables of one repository until it is stopped.

    Parameters
    ----------
    intake : Intake
        Its `operations` are told what was done.
    source : Tables
        What exports and summary rules ask.
    database : Database, optional
        Where these are kept; without it nothing is scheduled.
    state : Path, optional
        The workspace's state folder, with a database.
    pace : Pace
    """

    def __init__(
        self,
        intake: Intake,
        source: Tables,
        database: Database | None = None,
        state: Path | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._intake = intake
        self._repository = intake.repository
        self._source = source
        self._pace = pace or Pace()
        self._guard = threading.Lock()
        self._stored: dict[str, float] = {}  # when a table was last stored to
        self._fresh: set[str] = set()  # tables that were stored to since the last turn
        self._left: dict[str, int] = {}  # small files that the last compaction left
        self._version: dict[str, int] = {}  # and the version
        self._began = time.monotonic()
        self._next_round = self._next_look = self._began
        self._exports = exports.Exports(database, state) if database and state else None
        self._summaries = summaries.Summaries(database, state) if database and state else None
        self._stopping = threading.Event()
        turns = [("care", self.turn), ("schedule", self.run_due)] if database else [("care", self.turn)]
        self._threads = [
            threading.Thread(target=self._run, args=(turn,), name=name, daemon=True) for name, turn in turns
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 5.0) -> None:
        """Begin nothing new, and wait a while for what runs: each step may be the last one before a kill."""
        self._stopping.set()
        until = time.monotonic() + seconds
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(until - time.monotonic(), 0))

    def after(self, tables: Iterable[str]) -> None:
        """Note that tables were stored to; returns at once."""
        now = time.monotonic()
        with self._guard:
            for table in tables:
                self._stored[table] = now
                self._fresh.add(table)

    def _run(self, turn: Callable[[], None]) -> None:
        while not self._stopping.wait(_TICK):
            try:
                turn()
            except WorkbenchError as why:
                self._failed("a turn", why)
            except Exception:  # a fault of ours must not end the care of the other tables
                log.exception("care had a fault; it goes on")
                self._intake.operations.tell(CATEGORY, "a fault; the service's log has it", status="Error")

    # ---- tables -------------------------------------------------------------------------------

    def turn(self) -> None:
        """Do what is due: compaction of the tables that need it; each so often retention and vacuum of all."""
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _LOOK
            self._look_at_disk()
        with Compactor(self._repository.path) as compactor:
            for table in self._due():
                if self._stopping.is_set():
                    return
                done = self._try(table, compactor.compact)
                if done is not None:
                    self._left[table] = self._repository.loose_files(table)
                    self._version[table] = self._repository.version(table)
                    tell_compaction(self._intake.operations, table, done)
        if time.monotonic() >= self._next_round:
            self._next_round = time.monotonic() + self._pace.every
            self._round()

    def _due(self) -> list[str]:
        with self._guard:
            fresh, self._fresh = self._fresh, set()
            stored = dict(self._stored)
        now = time.monotonic()
        found = []
        for table in self._repository.tables():
            idle = now - stored.get(table, self._began) >= self._pace.idle
            first = table not in self._left
            if (table in fresh or idle or first) and self._is_due(table, idle, first):
                found.append(table)
        return found

    def _is_due(self, table: str, idle: bool, first: bool) -> bool:
        more = self._repository.loose_files(table) - self._left.setdefault(table, 0)
        if more >= (self._pace.first if first else self._pace.small):
            return True
        if not idle or (table in _OWN and more < _OWN_LEAST):
            return False
        return self._version.get(table) != self._repository.version(table)

    def _look_at_disk(self) -> None:
        """Tell in time that the disk fills: senders may all be quiet when it is full."""
        spool = self._intake.spool
        found = spool.room() if spool is not None else None
        if spool is None or found is None or not found.is_near:
            return
        if found.takes():
            self._intake.operations.reason(
                DISK, messages.near_reserve(str(spool.folder), found.free, found.reserve)
            )
        else:
            self._intake.operations.reason(DISK, messages.reserve_reached(str(spool.folder)), status="Error")

    def _round(self) -> None:
        for table in self._repository.tables():
            if self._stopping.is_set():
                return
            retained = self._try(table, self._repository.apply_retention)
            if retained is not None:
                tell_retention(self._intake.operations, table, retained)
            vacuumed = self._try(table, self._repository.vacuum)
            if vacuumed is not None:
                tell_vacuum(self._intake.operations, table, vacuumed)

    def _try(self, table: str, do: Callable[[str], Done]) -> Done | None:
        try:
            return do(table)
        except WorkbenchError as why:
            self._failed(table, why)
        except Exception:  # the records are safe; the other tables are not to suffer
            log.exception("care of %s had a fault", table)
            self._intake.operations.tell(
                CATEGORY, f"{table}: a fault; the service's log has it", status="Error"
            )
        return None

    def _failed(self, what: str, why: WorkbenchError) -> None:
        log.warning("%s: %s", what, why)
        self._intake.operations.tell(CATEGORY, f"{what}: {why.message}", status="Error", key=why.code)

    # ---- what is scheduled --------------------------------------------------------------------

    def run_due(self) -> None:
        """Run the exports and the bins of summary rules whose time has come."""
        if self._exports is not None:
            exports.run_due(self._exports, self._source, self._intake.operations.tell)
        if self._summaries is not None:
            summaries.run_due(self._summaries, self._source, self._intake)


# ---- records ----------------------------------------------------------------------------------


def tell_compaction(operations: Operations, table: str, done: CompactResult) -> None:
    """A row of `Operation`, if anything was done."""
    if done.files_before or done.files_indexed:
        detail = (
            f"{table}: {done.files_before} files ({done.bytes_before:,} bytes) became {done.files_after} "
            f"({done.bytes_after:,} bytes), {done.files_indexed} indexed"
        )
        operations.tell(CATEGORY, detail, status="Success", key="Compaction")


def tell_retention(operations: Operations, table: str, done: RetainResult) -> None:
    """A row of `Operation`, if anything was done."""
    if done.files or done.expired_rows:
        detail = (
            f"{table}: {done.files} files ({done.bytes:,} bytes) from before {done.before}: {done.archived_rows:,} rows "
            f"archived, {done.rows - done.archived_rows:,} deleted; {done.expired_rows:,} left the archive"
        )
        operations.tell(CATEGORY, detail, status="Success", key="Retention")


def tell_vacuum(operations: Operations, table: str, done: VacuumResult) -> None:
    """A row of `Operation`, if anything was done."""
    if done.files or done.index_files:
        detail = (
            f"{table}: {done.files} files ({done.bytes:,} bytes) deleted, {done.index_files} of the index, "
            f"{done.files_read} left to running queries"
        )
        operations.tell(CATEGORY, detail, status="Success", key="Vacuum")


def by_hand(repository: Repository, tell: Callable[[Operations], None]) -> None:
    """Store rows of `Operation` about something that a command did itself."""
    intake = Intake(repository)
    tell(intake.operations)
    taken = intake.operations.take(whole=True)
    if taken is not None:
        for batch in taken.batches:
            intake.accept(batch)
