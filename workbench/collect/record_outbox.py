"""Records told inside a transaction of the control database, and stored in tables exactly once.

In go rows beside a change of control data (a job's new state), so that neither is there without the other; out comes
one numbered batch after the other for the intake. What was stored and not yet struck off here is known by its number.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from workbench.base.dtypes import ScalarType
from workbench.collect.batch import OWN_DOOR, Batch, take
from workbench.collect.intake import Intake

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData, Table

    from workbench.base.database import Database

MOST_ROWS = 5_000
"""Rows of one batch."""


class RecordOutbox:
    """The rows that wait to become records of a workspace. Safe for threads.

    Parameters
    ----------
    database : Database
    types : mapping
        Table → column → type, of the tables that are told of.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from workbench.base.database import Database
    >>> outbox = RecordOutbox(Database.open(Path(tempfile.mkdtemp())), {})
    >>> with outbox.database.begin() as connection:
    ...     outbox.add(connection, "Job", [{"JobId": "1", "State": "New"}])
    >>> outbox.waiting()
    1
    """

    def __init__(self, database: Database, types: Mapping[str, Mapping[str, ScalarType]]) -> None:
        self.database = database
        self.news = threading.Event()
        """Set after this process added something; what another one added is there without it."""
        self._types = types
        database.ensure(_schema()[0])
        # A database made anew counts from one again, so what it sends is no number of the one before it.
        self.sender = f"workbench/records/{self._identity()}"

    def add(self, connection: Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Tell of rows (values of JSON; times as ISO text) in the caller's transaction."""
        if rows:
            values = [{"target": table, "record": orjson.dumps(row).decode()} for row in rows]
            connection.execute(_schema()[1].insert(), values)
            # Not before: whoever is woken earlier sees nothing yet, and would sleep over it.
            self.database.after_commit(connection, self.news.set)

    def waiting(self) -> int:
        """How many rows are not stored yet."""
        import sqlalchemy as sa

        with self.database.read() as connection:
            return int(connection.scalar(sa.select(sa.func.count()).select_from(_schema()[1])) or 0)

    def drain(self, intake: Intake) -> int:
        """Store what waits, all of it or what comes before a refusal of the intake; how many rows were struck off.

        Raises
        ------
        WorkbenchError
            Of `Intake.accept`: the rest waits, and may be tried again.
        """
        import sqlalchemy as sa

        table = _schema()[1]
        done = 0
        self.news.clear()
        while True:
            with self.database.read() as connection:
                rows = connection.execute(table.select().order_by(table.c.id).limit(MOST_ROWS)).all()
            if not rows:
                return done
            last = rows[-1].id
            assert intake.spool is not None  # only the service drains, and it has one
            known = intake.spool.last_number(self.sender)
            self._store(intake, [r for r in rows if r.id > known], last)
            with self.database.begin() as connection:
                connection.execute(sa.delete(table).where(table.c.id <= last))
            done += len(rows)

    def _identity(self) -> str:
        identity = _schema()[2]
        with self.database.begin() as connection:
            found = connection.scalar(identity.select())
            if found is None:
                found = uuid.uuid4().hex
                connection.execute(identity.insert().values(id=found))
        return str(found)

    def _store(self, intake: Intake, rows: Sequence[Any], last: int) -> None:
        if not rows:
            return
        batch = Batch(OWN_DOOR, OWN_DOOR, sender=self.sender, number=last)
        by_table: dict[str, list[Any]] = {}
        for row in rows:
            by_table.setdefault(row.target, []).append(orjson.loads(row.record))
            batch.size += len(row.record)
        for name, records in by_table.items():
            part, refused = take(name, records, source="workbench", declared=self._types.get(name, {}))
            if part is not None:
                batch.parts.append(part)
            batch.refused += refused
        intake.accept(batch)


@cache
def _schema() -> tuple[MetaData, Table, Table]:
    import sqlalchemy as sa

    metadata = sa.MetaData()
    # Numbers are never given twice, also not after the last row was struck off.
    table = sa.Table(
        "record_outbox",
        metadata,
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
        sa.Column("target", sa.String(200), nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    identity = sa.Table("record_outbox_identity", metadata, sa.Column("id", sa.String(32), primary_key=True))
    return metadata, table, identity
