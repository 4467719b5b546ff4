"""The only writer of tables: whatever comes in, by import, agent, HTTP or `Workspace.ingest`.

In go frames, records as dicts, or whole deliveries (`batch.Batch`); out comes what was stored. A record that can't
be stored goes to `_Quarantine`. There are two ways in, and both are durable when the call returns: `store` is one
Delta commit (imports), `accept` one frame of the spool (senders that wait for an answer). Without a spool, in a
process that is not the service, `accept` commits too.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
import polars as pl

from workbench.base import clock
from workbench.base.diagnostics import collect as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.collect import quarantine
from workbench.collect.amounts import Journal
from workbench.collect.batch import OWN_DOOR, Batch, Receipt
from workbench.collect.fitting import rows_of
from workbench.collect.operations import Operations
from workbench.collect.quarantine import Refused
from workbench.collect.record import Unstorable, columns_of
from workbench.collect.settling import refuse_times, settled
from workbench.repository.spool.writer import Spool
from workbench.repository.tables import AppendResult, Repository

INGEST_RECORDS = 50_000
Transaction = tuple[str, int]


class Intake:
    """Stores records in the tables of one repository.

    Examples
    --------
    >>> import tempfile
    >>> intake = Intake(Repository.open(tempfile.mkdtemp(), create=True))
    >>> intake.ingest("App", [{"Level": "info", "Size": 3}, {"Level": "error"}])
    2
    """

    def __init__(self, repository: Repository, spool: Spool | None = None) -> None:
        self.repository = repository
        self.spool = spool
        self.unbroken_since = clock.now_us()
        """Since when (µs since 1970) every delivery that came could be taken."""
        self.operations = Operations(None if spool is None else Journal(spool.folder / "usage.jsonl"))

    def accept(self, batch: Batch) -> Receipt:
        """Store a delivery, all of it or nothing; when this returns it is on disk and the next query sees it.

        Returns
        -------
        Receipt
            Says so where the delivery was stored before.

        Raises
        ------
        WorkbenchError
            REP301 to REP304 when it can't be taken in now: nothing was stored, the sender may try again.
            REP005 and others of the repository.
        """
        if self.spool is None:
            return self._commit(batch)
        placed = [rows_of(self.repository, part) for part in batch.parts]
        if batch.refused:
            frame = quarantine.frame_of(batch.refused)
            placed.append(self.repository.placed(quarantine.TABLE, frame, quarantine.TYPES))
        own = batch.door == OWN_DOOR
        try:
            fresh = self.spool.add(placed, batch.id, batch.sender, batch.number, own=own) if placed else True
        except WorkbenchError:
            self.unbroken_since = clock.now_us()
            raise
        return self._told(batch, fresh)

    def _commit(self, batch: Batch) -> Receipt:
        transaction = (f"batch/{batch.id}", 1) if batch.id else None
        fresh = True
        # What is refused first: if it is in, so are, at worst in the next try, the rows beside it.
        for table, frame, types in reversed(list(self._frames(batch))):
            done = self.store(table, frame, types, transaction=transaction, batch_id=batch.id)
            fresh = not done.skipped
        return self._told(batch, fresh)

    def _frames(self, batch: Batch) -> Iterable[tuple[str, pl.DataFrame, Mapping[str, ScalarType]]]:
        for part in batch.parts:
            schema = self.repository.expected(part.table)
            yield part.table, *settled(part.columns, schema, part.declared)
        if batch.refused:
            yield quarantine.TABLE, quarantine.frame_of(batch.refused), quarantine.TYPES

    def _told(self, batch: Batch, fresh: bool) -> Receipt:
        if not fresh:
            return Receipt({}, duplicate=True)
        stored: dict[str, int] = {}
        for part in batch.parts:
            stored[part.table] = stored.get(part.table, 0) + part.columns.height
        rows = max(1, sum(stored.values()))
        for table, count in stored.items():
            self.operations.stored(table, count, batch.size * count // rows)
        for refused in batch.refused:
            self.operations.reason(batch.door, refused.why)
        return Receipt(stored, len(batch.refused))

    def refused(self, door: str, why: WorkbenchError) -> None:
        """Count a request that a door sent away as a whole."""
        self.operations.reason(door, why, status="Error")

    def store(
        self,
        table: str,
        frame: pl.DataFrame,
        types: Mapping[str, ScalarType] | None = None,
        *,
        transaction: Transaction | None = None,
        batch_id: str = "",
    ) -> AppendResult:
        """Add the rows of a frame in one commit; see `Repository.append`."""
        return self.repository.append(table, frame, types, transaction=transaction, batch_id=batch_id)

    def quarantine(
        self, rows: Sequence[Refused], *, transaction: Transaction | None = None, batch_id: str = ""
    ) -> AppendResult:
        """Keep refused records aside, in one commit."""
        if not rows:
            return AppendResult(0)
        frame = quarantine.frame_of(rows)
        return self.store(
            quarantine.TABLE, frame, quarantine.TYPES, transaction=transaction, batch_id=batch_id
        )

    def ingest(self, table: str, records: Iterable[Mapping[str, Any]], *, source: str = "ingest") -> int:
        """Store records given as dicts, in commits of `INGEST_RECORDS`.

        Parameters
        ----------
        table : str
        records : iterable of mapping
            Column → value: JSON values, and datetime, timedelta, Decimal, UUID. None is no value.
            `TimeGenerated` is a datetime or ISO text; without it the time is now.
        source : str
            Named in `_Quarantine` for a record that can't be stored.

        Returns
        -------
        int
            Records stored; the others are in `_Quarantine`.
        """
        stored = 0
        iterator = iter(records)
        batch_id = uuid.uuid4().hex
        while batch := list(itertools.islice(iterator, INGEST_RECORDS)):
            stored += self._ingest(table, batch, source, batch_id)
        return stored

    def _ingest(self, table: str, batch: list[Mapping[str, Any]], source: str, batch_id: str) -> int:
        refused: list[Refused] = []

        def refuse(index: int, why: Any) -> None:
            refused.append(Refused(table, why, source, None, _as_bytes(batch[index])))

        kept: list[int] = []
        records: list[dict[str, Any]] = []
        for index, record in enumerate(batch):
            if isinstance(record, Mapping):
                kept.append(index)
                records.append(dict(record))
            else:
                refuse(index, diagnostics.not_an_object(f"a {type(record).__name__}"))
        while True:
            try:
                columns = columns_of(records)
                break
            except Unstorable as bad:
                refuse(kept[bad.index], bad.why)
                del kept[bad.index], records[bad.index]
        columns, rows = refuse_times(columns, clock.now_us(), lambda row, why: refuse(kept[row], why))
        if rows:
            schema = self.repository.expected(table)
            frame, types = settled(columns, schema)
            self.store(table, frame, types, batch_id=batch_id)
        self.quarantine(refused, batch_id=batch_id)
        return len(rows)


def _as_bytes(record: Any) -> bytes:
    try:
        return orjson.dumps(record, default=str, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError):
        return repr(record).encode("utf-8", "backslashreplace")
