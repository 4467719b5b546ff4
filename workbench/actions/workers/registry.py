"""The workers of a workspace. Each belongs to one group, which is fixed when it is enrolled, and gets that group's jobs.

In go identities of workers and their heartbeats, out come groups, listings, and rows of `WorkerHealth`: one a minute and
one whenever a worker's state changes. Which group a worker is of is never taken from its own word.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from workbench.base import clock
from workbench.base.access import Access
from workbench.base.clock import moment
from workbench.base.diagnostics import runbook as diagnostics
from workbench.base.dtypes import ScalarType as T

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData, Table

    from workbench.collect.record_outbox import RecordOutbox

WORKER_HEALTH = "WorkerHealth"
TYPES: dict[str, dict[str, T]] = {
    WORKER_HEALTH: {
        "TimeGenerated": T.DATETIME, "WorkerId": T.STRING, "Worker": T.STRING, "WorkerGroup": T.STRING,
        "State": T.STRING, "RunningJobs": T.INT, "Slots": T.INT, "Version": T.STRING, "Isolation": T.STRING,
    }
}  # fmt: skip
TELL_SECONDS = 60
"""How often a healthy worker is told of."""
SILENT_SECONDS = 150
"""A worker that has not been heard of for so long is silent; `HEARTBEAT_SECONDS` of a worker is 20."""
_SECOND = 1_000_000
_MOST_NUMBER = 10_000


class WorkerState(StrEnum):
    """What is known of a worker."""

    READY = "Ready"
    DRAINING = "Draining"
    STOPPED = "Stopped"
    SILENT = "Silent"
    REMOVED = "Removed"


class Workers:
    """The workers that may ask for jobs. Safe for threads and for several services on one database.

    Parameters
    ----------
    outbox : RecordOutbox
    access : Access
        Makes and ends their identities.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from workbench.base.database import Database
    >>> from workbench.collect.record_outbox import RecordOutbox
    >>> database = Database.open(Path(tempfile.mkdtemp()))
    >>> workers = Workers(RecordOutbox(database, TYPES), Access(database, "w"))
    >>> number, token = workers.enrol("web01", "onpremises")
    >>> workers.group_of(number)
    'onpremises'
    >>> workers.heard(number, {"slots": 4})
    >>> workers.all()[0]["state"]
    'Ready'
    """

    def __init__(self, outbox: RecordOutbox, access: Access) -> None:
        self._outbox = outbox
        self._access = access
        self._database = outbox.database
        self._database.ensure(_schema()[0])

    def enrol(self, name: str, group: str) -> tuple[str, str]:
        """A new worker of a group: its id, and its token, which is not kept."""
        number, token = self._access.enrol_agent(name, "worker")
        values = {
            "id": number, "name": name[:200], "worker_group": group, "state": WorkerState.STOPPED, "running": 0, "slots": 0,
            "version": "", "isolation": "", "seen": None, "told": 0,
        }  # fmt: skip
        with self._database.begin() as connection:
            connection.execute(_table().insert().values(values))
        return number, token

    def group_of(self, number: str) -> str | None:
        """The group whose jobs a worker gets, None while it drains; raises JOB322 for one that was removed."""
        with self._database.read() as connection:
            row = self._row(connection, number)
        return None if row["state"] == WorkerState.DRAINING else str(row["worker_group"])

    def heard(self, number: str, said: Mapping[str, Any]) -> None:
        """Take a worker's heartbeat.

        Parameters
        ----------
        number : str
            The id of its identity.
        said : mapping
            `running`, `slots`, `version`, `isolation`, and `draining` or `stopped` as it ends.

        Raises
        ------
        WorkbenchError
            JOB322 for one that was removed.
        """
        with self._database.begin() as connection:
            known, now = self._row(connection, number), clock.now_us()
            found = {**known, **_said(said), "seen": now}
            if known["state"] != found["state"] or now - known["told"] >= TELL_SECONDS * _SECOND:
                self._tell(connection, found, now)
            else:
                connection.execute(_table().update().where(_table().c.id == number).values(found))

    def remove(self, number: str) -> None:
        """End a worker's identity: it gets no job any more, and what it runs now is given to another. Raises JOB322."""
        with self._database.begin() as connection:
            row = self._row(connection, number)
            self._tell(connection, {**row, "state": WorkerState.REMOVED, "running": 0}, clock.now_us())
        self._access.forget_agent(number, "worker")

    def look(self) -> int:
        """Tell of workers that have become silent; how many there were."""
        table, now = _table(), clock.now_us()
        awake = table.c.state.in_([WorkerState.READY, WorkerState.DRAINING])
        late = table.select().where(awake, table.c.seen < now - SILENT_SECONDS * _SECOND)
        with self._database.read() as connection:
            if connection.execute(late.limit(1)).one_or_none() is None:
                return 0
        with self._database.begin() as connection:
            rows = [dict(row) for row in connection.execute(late).mappings()]
            for row in rows:
                self._tell(connection, {**row, "state": WorkerState.SILENT}, now)
        return len(rows)

    def all(self) -> list[dict[str, Any]]:
        """The workers that were not removed: id, name, group, state, running, slots, version, isolation, seen (ISO text)."""
        table = _table()
        chosen = (
            table.select()
            .where(table.c.state != WorkerState.REMOVED)
            .order_by(table.c.worker_group, table.c.name, table.c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(chosen).mappings().all()
        shown = ("id", "name", "state", "running", "slots", "version", "isolation")
        return [
            {**{n: row[n] for n in shown}, "group": row["worker_group"], "seen": moment(row["seen"])}
            for row in rows
        ]

    def _row(self, connection: Connection, number: str) -> dict[str, Any]:
        table = _table()
        row = connection.execute(table.select().where(table.c.id == number)).mappings().one_or_none()
        if row is None or row["state"] == WorkerState.REMOVED:
            raise diagnostics.unknown_worker(number)
        return dict(row)

    def _tell(self, connection: Connection, row: Mapping[str, Any], now: int) -> None:
        """Keep a worker's state, and tell of it."""
        table = _table()
        kept = {**row, "told": now}
        connection.execute(table.update().where(table.c.id == row["id"]).values(kept))
        health = {
            "TimeGenerated": moment(now), "WorkerId": row["id"], "Worker": row["name"],
            "WorkerGroup": row["worker_group"], "State": str(row["state"]), "RunningJobs": row["running"],
            "Slots": row["slots"], "Version": row["version"], "Isolation": row["isolation"],
        }  # fmt: skip
        self._outbox.add(connection, WORKER_HEALTH, [health])


def _said(said: Mapping[str, Any]) -> dict[str, Any]:
    """What a worker says of itself, as far as it can be so."""
    state = WorkerState.READY
    if said.get("stopped") is True:
        state = WorkerState.STOPPED
    elif said.get("draining") is True:
        state = WorkerState.DRAINING
    numbers = {name: _number(said.get(name)) for name in ("running", "slots")}
    texts = {name: _text(said.get(name)) for name in ("version", "isolation")}
    return {"state": state, **numbers, **texts}


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return min(max(value, 0), _MOST_NUMBER)


def _text(value: object) -> str:
    return "".join(c for c in value if c.isprintable())[:64] if isinstance(value, str) else ""


@cache
def _schema() -> tuple[MetaData, Table]:
    from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table

    metadata = MetaData()
    table = Table(
        "workers",
        metadata,
        Column("id", String(36), primary_key=True),
        Column("name", String(200), nullable=False),
        Column("worker_group", String(64), nullable=False),
        Column("state", String(16), nullable=False),
        Column("running", Integer, nullable=False),
        Column("slots", Integer, nullable=False),
        Column("version", String(64), nullable=False),
        Column("isolation", String(64), nullable=False),
        Column("seen", BigInteger),
        Column("told", BigInteger, nullable=False),
    )
    return metadata, table


def _table() -> Table:
    return _schema()[1]
