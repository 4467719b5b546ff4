"""The tables of jobs in the control database. SQLAlchemy is loaded when they are asked for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table


@cache
def metadata() -> MetaData:
    """`jobs` (one row a job), `job_waits` (which job waits for which), `job_steps` (committed steps)."""
    import sqlalchemy as sa
    from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Text

    found = sa.MetaData()
    sa.Table(
        "jobs",
        found,
        Column("id", String(36), primary_key=True),
        Column("runbook", String(200), nullable=False),
        Column("version", Integer, nullable=False),
        Column("trigger", String(16), nullable=False),
        Column("trigger_name", Text, nullable=False),
        Column("worker_group", String(64), nullable=False),
        Column("worker", String(200), nullable=False),
        # As whom it runs: "user NAME", or "none" where it is the worker's own user.
        Column("isolation", String(200), nullable=False),
        Column("state", String(16), nullable=False),
        Column("error_code", String(16), nullable=False),
        Column("error", Text, nullable=False),
        Column("parameters", Text, nullable=False),
        # Who starts the same twice under one key gets the first job again.
        Column("start_key", String(300), unique=True),
        Column("concurrency", String(200)),
        Column("parent", String(36)),
        Column("created", BigInteger, nullable=False),
        Column("due", BigInteger, nullable=False),
        Column("started", BigInteger),
        Column("ended", BigInteger),
        Column("lease", BigInteger),
        Column("attempt", Integer, nullable=False),
        Column("fence", Integer, nullable=False),
        Column("crashes", Integer, nullable=False),
        Column("lines", BigInteger, nullable=False),
        Column("timeout", Integer, nullable=False),
        Column("retries", Integer, nullable=False),
        Column("retry_delay", Integer, nullable=False),
        # The digest of the claim's token: only who holds the newest claim can write.
        Column("token", LargeBinary(32), unique=True),
        sa.Index("jobs_by_state", "state", "worker_group", "due"),
        sa.Index("jobs_by_key", "concurrency", "state"),
    )
    sa.Table(
        "job_waits",
        found,
        Column("job", String(36), primary_key=True),
        Column("awaits", String(36), primary_key=True, index=True),
    )
    sa.Table(
        "job_steps",
        found,
        Column("job", String(36), primary_key=True),
        Column("name", String(200), primary_key=True),
        Column("result", Text, nullable=False),
        Column("fence", Integer, nullable=False),
        Column("committed", BigInteger, nullable=False),
    )
    return found


def table(name: str) -> Table:
    return metadata().tables[name]
