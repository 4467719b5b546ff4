"""The table of schedules in the control database. SQLAlchemy is loaded when it is asked for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Table


@cache
def schedules() -> Table:
    """`schedules`, one row a schedule; times in µs since 1970."""
    import sqlalchemy as sa
    from sqlalchemy import BigInteger, Boolean, Column, String, Text

    return sa.Table(
        "schedules",
        sa.MetaData(),
        Column("id", String(36), primary_key=True),
        Column("name", String(100), nullable=False, unique=True),
        Column("runbook", String(200), nullable=False),
        # What its starts ask for beside the runbook, as JSON: parameters, group, limits.
        Column("asked", Text, nullable=False),
        Column("due_at", String(200), nullable=False),
        Column("zone", String(100), nullable=False),
        Column("start", BigInteger, nullable=False),
        Column("end", BigInteger),
        Column("misfire", String(16), nullable=False),
        Column("overlap", String(16), nullable=False),
        Column("enabled", Boolean, nullable=False),
        # The first due moment that was not dealt with; none when it is paused or at its end.
        Column("next_due", BigInteger, index=True),
        Column("last_due", BigInteger),
        Column("last_job", String(36)),
        Column("last_error", Text, nullable=False),
        Column("created", BigInteger, nullable=False),
        Column("changed", BigInteger, nullable=False),
        Column("changed_by", Text, nullable=False),
    )
