"""The tables of action groups and deliveries in the control database. SQLAlchemy is loaded when it is asked for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table


@cache
def metadata() -> MetaData:
    """Times in µs since 1970, texts of JSON."""
    import sqlalchemy as sa
    from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Text

    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    found = sa.MetaData()
    sa.Table(
        "action_groups",
        found,
        Column("name", String(100), primary_key=True),
        Column("spec", Text, nullable=False),
        Column("changed", BigInteger, nullable=False),
        Column("changed_by", Text, nullable=False),
    )
    # Who may be told although its address is not open to everybody.
    sa.Table(
        "alert_destinations",
        found,
        Column("destination", String(260), primary_key=True),
        Column("plain", Boolean, nullable=False),
        Column("added", BigInteger, nullable=False),
        Column("added_by", Text, nullable=False),
    )
    # A notice as long as one of its deliveries is not at its end.
    sa.Table(
        "alert_taken",
        found,
        Column("key", String(300), primary_key=True),
        Column("notice", Text, nullable=False),
    )
    sa.Table(
        "alert_deliveries",
        found,
        Column("id", number, primary_key=True, autoincrement=True),
        Column("notice_key", String(300), nullable=False, index=True),
        Column("action_group", String(100), nullable=False),
        Column("action", String(200), nullable=False),
        # What it was when the notice came: a change of the group does not change what is on its way.
        Column("spec", Text, nullable=False),
        Column("kind", String(16), nullable=False),
        Column("endpoint", String(300), nullable=False),
        Column("state", String(16), nullable=False),
        # When it may be tried; while it is sent, until when its sender holds it.
        Column("due", BigInteger, nullable=False, index=True),
        Column("claims", Integer, nullable=False),
        Column("failures", Integer, nullable=False),
        # The mail addresses that are not told yet, after some were.
        Column("remaining", Text, nullable=False),
        Column("ended", BigInteger, index=True),
        sa.UniqueConstraint("notice_key", "action_group", "action"),
        sqlite_autoincrement=True,
    )
    sa.Table(
        "alert_endpoints",
        found,
        Column("endpoint", String(300), primary_key=True),
        Column("paused_until", BigInteger, nullable=False),
    )
    return found


def table(name: str) -> Table:
    """One of the tables."""
    return metadata().tables[name]
