"""The table of webhooks in the control database. SQLAlchemy is loaded when it is asked for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Table


@cache
def webhooks() -> Table:
    """`webhooks`, one row a webhook; times in µs since 1970."""
    import sqlalchemy as sa
    from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, String, Text

    return sa.Table(
        "webhooks",
        sa.MetaData(),
        Column("id", String(36), primary_key=True),
        Column("name", String(100), nullable=False, unique=True),
        # Of the token only its SHA-256 is kept.
        Column("digest", LargeBinary(32), nullable=False, unique=True),
        # Which version of its sealed secret signs messages; 0: they are not signed.
        Column("signed", Integer, nullable=False),
        Column("runbook", String(200), nullable=False),
        # What its starts ask for beside the runbook, as JSON: fixed parameters, group, limits.
        Column("asked", Text, nullable=False),
        Column("overlap", String(16), nullable=False),
        Column("enabled", Boolean, nullable=False),
        Column("days", Integer, nullable=False),
        Column("expires", BigInteger, nullable=False),
        Column("last_called", BigInteger),
        Column("last_job", String(36)),
        Column("last_error", Text, nullable=False),
        Column("created", BigInteger, nullable=False),
        Column("changed", BigInteger, nullable=False),
        Column("changed_by", Text, nullable=False),
    )
