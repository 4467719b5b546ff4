"""The tables of assets in the control database. SQLAlchemy is loaded when they are asked for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table


@cache
def metadata() -> MetaData:
    """`assets` (one row each), `asset_versions` (sealed values), `asset_keys` (passphrases), `asset_reads` (by jobs)."""
    import sqlalchemy as sa
    from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, String, Text

    found = sa.MetaData()
    sa.Table(
        "assets",
        found,
        Column("kind", String(16), primary_key=True),
        Column("name", String(128), primary_key=True),
        # Never given twice, also not after an asset was removed and made again.
        Column("version", Integer, nullable=False),
        Column("type", String(64), nullable=False),
        Column("encrypted", Boolean, nullable=False),
        Column("description", Text, nullable=False),
        # What people may see, as JSON; the value of a plain variable is among it.
        Column("shown", Text, nullable=False),
        # Names of runbooks as a JSON list; empty: all.
        Column("runbooks", Text, nullable=False),
        Column("created", BigInteger, nullable=False),
        Column("changed", BigInteger, nullable=False),
        Column("changed_by", Text, nullable=False),
        Column("removed", Boolean, nullable=False),
    )
    sa.Table(
        "asset_versions",
        found,
        Column("kind", String(16), primary_key=True),
        Column("name", String(128), primary_key=True),
        Column("version", Integer, primary_key=True),
        Column("key", String(36), nullable=False, index=True),
        Column("wrapped", LargeBinary, nullable=False),
        Column("data", LargeBinary, nullable=False),
    )
    sa.Table(
        "asset_keys",
        found,
        Column("id", String(36), primary_key=True),
        Column("salt", LargeBinary, nullable=False),
        Column("cost", Integer, nullable=False),
        Column("proof", LargeBinary, nullable=False),
    )
    sa.Table(
        "asset_reads",
        found,
        Column("job", String(36), primary_key=True),
        Column("kind", String(16), primary_key=True),
        Column("name", String(128), primary_key=True),
        Column("version", Integer, primary_key=True),
    )
    return found


def table(name: str) -> Table:
    return metadata().tables[name]
