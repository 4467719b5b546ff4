"""The only writer of tables: whatever comes in, by import, agent, HTTP or `Workspace.ingest`.

In go frames, or records as dicts; out comes what the repository stored. A record that can't be
stored goes to `_Quarantine`. Everything handed over here is committed when the call returns. The
place for protocols, transforms and the spool (group commit before an answer) is in front of `store`.
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
from workbench.collect import quarantine
from workbench.collect.quarantine import Refused
from workbench.collect.record import Unstorable, columns_of
from workbench.collect.settling import refuse_times, settled
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

    def __init__(self, repository: Repository) -> None:
        self.repository = repository

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
            schema = self.repository.schema(table) if self.repository.has(table) else ()
            frame, types = settled(columns, schema)
            self.store(table, frame, types, batch_id=batch_id)
        self.quarantine(refused, batch_id=batch_id)
        return len(rows)


def _as_bytes(record: Any) -> bytes:
    try:
        return orjson.dumps(record, default=str, option=orjson.OPT_NON_STR_KEYS)
    except (TypeError, ValueError):
        return repr(record).encode("utf-8", "backslashreplace")
