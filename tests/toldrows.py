"""The rows that wait in a record outbox, in their order."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from workbench.collect.record_outbox import RecordOutbox


def rows(outbox: RecordOutbox, table: str) -> list[dict[str, Any]]:
    with outbox.database.read() as connection:
        found = connection.execute(sa.text("SELECT target, record FROM record_outbox ORDER BY id")).all()
    return [json.loads(record) for target, record in found if target == table]


def states(outbox: RecordOutbox, job: str) -> list[str]:
    """The states that a job told of."""
    return [row["State"] for row in rows(outbox, "Job") if row["JobId"] == job]
