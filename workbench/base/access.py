"""Who may come in: the workspace's two keys, tokens with a role, and the identities of agents and workers.

In go secrets as they were sent, out come identities. Keys sign requests, so they are kept as they are; of tokens only
the SHA-256 is kept, and they are shown once. Every comparison takes the same time whatever differs. Must not know HTTP.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, Any

from workbench.base import clock
from workbench.base.diagnostics import access as diagnostics

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData, Table

    from workbench.base.database import Database

KEY_BYTES = 64
KEY_NAMES = ("primary", "secondary")
MOST_DAYS = 3660
_DAY_US = 86_400_000_000
_LONGEST_NAME = 256


class Role(IntEnum):
    """What a token allows; each role may do what those before it may."""

    READER = 1
    CONTRIBUTOR = 2
    OPERATOR = 3
    OWNER = 4

    @property
    def word(self) -> str:
        """As it is written: `reader`."""
        return self.name.lower()

    @classmethod
    def named(cls, name: str) -> Role:
        """The role of that name; raises ACC102."""
        try:
            return cls[name.upper()]
        except KeyError:
            raise diagnostics.unknown_role(name) from None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sent a request: `kind` is owner, token, agent or worker; agents and workers have no role."""

    id: str
    kind: str
    role: Role | None
    name: str

    def may(self, role: Role) -> bool:
        """Whether it has at least that role."""
        return self.role is not None and self.role >= role


@dataclass(frozen=True, slots=True)
class Keys:
    """The workspace's id and its two keys, base64 of 64 random bytes each."""

    workspace_id: str
    primary: str
    secondary: str


@cache
def _schema() -> tuple[MetaData, Mapping[str, Table]]:
    """The tables of this module; SQLAlchemy is loaded when they are asked for."""
    from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, String, Table, Text

    metadata = MetaData()
    Table("control_workspace", metadata, Column("id", String(64), primary_key=True))
    Table(
        "access_keys",
        metadata,
        Column("which", String(16), primary_key=True),
        Column("value", String(128), nullable=False),
    )
    Table(
        "access_tokens",
        metadata,
        Column("id", String(36), primary_key=True),
        Column("digest", LargeBinary(32), nullable=False, unique=True),
        Column("kind", String(16), nullable=False),
        Column("role", BigInteger),
        Column("name", Text, nullable=False),
        Column("created", BigInteger, nullable=False),
        Column("expires", BigInteger),
        Column("revoked", BigInteger),
    )
    return metadata, metadata.tables


def _table(name: str) -> Table:
    return _schema()[1][name]


class Access:
    """Keys, tokens and identities of one workspace.

    Parameters
    ----------
    database : Database
    workspace_id : str
    owner_token : str, optional
        The token of whoever owns the workspace (`server.place`).

    Raises
    ------
    WorkbenchError
        CTL004 when the database is that of another workspace.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from workbench.base.database import Database
    >>> access = Access(Database.open(Path(tempfile.mkdtemp())), "w")
    >>> number, token = access.create_token(Role.READER, "dashboards")
    >>> access.identify(token).name, access.identify("no such token")
    ('dashboards', None)
    """

    def __init__(self, database: Database, workspace_id: str, owner_token: str | None = None) -> None:
        self._database = database
        self.workspace_id = workspace_id
        self._owner = _digest(owner_token) if owner_token else None
        database.ensure(_schema()[0])
        self._bind()

    def _bind(self) -> None:
        """Bind a new database to this workspace; refuse that of another."""
        from sqlalchemy import select

        table = _table("control_workspace")
        with self._database.read() as connection:
            found = connection.scalar(select(table.c.id))
        if found is None:
            with self._database.begin() as connection:
                found = connection.scalar(select(table.c.id))
                if found is None:
                    connection.execute(table.insert().values(id=self.workspace_id))
                    return
        if found != self.workspace_id:
            raise diagnostics.foreign_database(self._database.name, found)

    # ---- keys ---------------------------------------------------------------------------------

    def keys(self) -> Keys:
        """The two keys, made at the first call."""
        with self._database.read() as connection:
            found = _keys_in(connection)
        if len(found) < len(KEY_NAMES):
            with self._database.begin() as connection:
                found = _keys_in(connection)
                for which in KEY_NAMES:
                    if which not in found:
                        found[which] = _new_key()
                        connection.execute(
                            _table("access_keys").insert().values(which=which, value=found[which])
                        )
        return Keys(self.workspace_id, found["primary"], found["secondary"])

    def rotate(self, which: str) -> Keys:
        """Make one key anew: the old one opens nothing from now on, the other still does. Raises ACC104."""
        if which not in KEY_NAMES:
            raise diagnostics.unknown_key(which)
        self.keys()
        table = _table("access_keys")
        with self._database.begin() as connection:
            connection.execute(table.update().where(table.c.which == which).values(value=_new_key()))
        return self.keys()

    def verify_signature(self, text: str, signature: str) -> str | None:
        """Which key signed the text (HMAC-SHA256, base64): `primary`, `secondary`, or None."""
        try:
            given = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            given = b""
        raw = text.encode("utf-8", "surrogatepass")
        keys, found = self.keys(), None
        # Both are always computed: the time taken tells nothing of which key it was.
        for which, key in zip(KEY_NAMES, (keys.primary, keys.secondary), strict=True):
            if hmac.compare_digest(hmac.digest(base64.b64decode(key), raw, "sha256"), given):
                found = which
        return found

    # ---- tokens -------------------------------------------------------------------------------

    def create_token(self, role: Role, name: str = "", days: int | None = None) -> tuple[str, str]:
        """Make a token.

        Parameters
        ----------
        role : Role
        name : str
            What it is for; shown in lists and as the sender of what it sends.
        days : int, optional
            How long it is valid; without it until it is revoked.

        Returns
        -------
        str, str
            Its id, and the token itself, which is not kept.

        Raises
        ------
        WorkbenchError
            ACC103 for what is no number of days.
        """
        if days is not None and (
            isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= MOST_DAYS
        ):
            raise diagnostics.bad_days(days)
        return self._add("token", role, name or role.word, days)

    def tokens(self) -> list[dict[str, Any]]:
        """All tokens, oldest first: id, name, role, state, created and expires (ISO text, None: never).

        `state` is active, expired or revoked.
        """
        now = clock.now_us()
        return [
            {
                "id": row["id"],
                "name": row["name"],
                "role": Role(row["role"]).word,
                "state": _state(row, now),
                "created": _text(row["created"]),
                "expires": _text(row["expires"]),
            }
            for row in self._rows("token")
        ]

    def revoke(self, token_id: str) -> None:
        """Have a token open nothing any more, from now on; it stays listed. Raises ACC101."""
        self._revoke("token", token_id)

    def is_owner(self, bearer: str) -> bool:
        """Whether this is the owner's token; asks no database."""
        return self._owner is not None and hmac.compare_digest(_digest(bearer), self._owner)

    def identify(self, bearer: str) -> Identity | None:
        """Whose token this is; None for one that is unknown, revoked or expired."""
        if self.is_owner(bearer):
            return Identity("owner", "owner", Role.OWNER, "owner")
        from sqlalchemy import select

        table = _table("access_tokens")
        with self._database.read() as connection:
            row = (
                connection.execute(select(table).where(table.c.digest == _digest(bearer))).mappings().first()
            )
        if row is None or _state(row, clock.now_us()) != "active":
            return None
        role = None if row["role"] is None else Role(row["role"])
        return Identity(row["id"], row["kind"], role, row["name"])

    # ---- agents and workers -------------------------------------------------------------------

    def enrol_agent(self, computer: str, kind: str = "agent") -> tuple[str, str]:
        """A new identity of a machine: its id (a uuid) and its token, which is not kept."""
        return self._add(kind, None, computer, None)

    def agents(self, kind: str = "agent") -> list[dict[str, Any]]:
        """All that have an identity, oldest first: id, name (the computer), created (ISO text)."""
        return [
            {"id": row["id"], "name": row["name"], "created": _text(row["created"])}
            for row in self._rows(kind)
            if row["revoked"] is None
        ]

    def forget_agent(self, agent_id: str, kind: str = "agent") -> None:
        """Have an agent's token open nothing any more. Raises ACC101."""
        self._revoke(kind, agent_id)

    def _add(self, kind: str, role: Role | None, name: str, days: int | None) -> tuple[str, str]:
        number, secret, now = str(uuid.uuid4()), secrets.token_urlsafe(32), clock.now_us()
        values = {
            "id": number,
            "digest": _digest(secret),
            "kind": kind,
            "role": None if role is None else int(role),
            "name": _printable(name)[:_LONGEST_NAME],
            "created": now,
            "expires": None if days is None else now + days * _DAY_US,
        }
        with self._database.begin() as connection:
            connection.execute(_table("access_tokens").insert().values(values))
        return number, secret

    def _revoke(self, kind: str, number: str) -> None:
        from sqlalchemy import func

        table = _table("access_tokens")
        chosen = table.update().where(table.c.id == _printable(number), table.c.kind == kind)
        change = chosen.values(revoked=func.coalesce(table.c.revoked, clock.now_us()))
        with self._database.begin() as connection:
            if not connection.execute(change).rowcount:
                raise diagnostics.no_such_token(number)

    def _rows(self, kind: str) -> list[Mapping[str, Any]]:
        from sqlalchemy import select

        table = _table("access_tokens")
        chosen = select(table).where(table.c.kind == kind).order_by(table.c.created, table.c.id)
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(chosen).mappings()]


def _keys_in(connection: Connection) -> dict[str, str]:
    from sqlalchemy import select

    return {row.which: row.value for row in connection.execute(select(_table("access_keys")))}


def _state(row: Mapping[Any, Any], now: int) -> str:
    if row["revoked"] is not None:
        return "revoked"
    return "expired" if row["expires"] is not None and row["expires"] <= now else "active"


def _printable(name: str) -> str:
    """A name as it may stand in lists; PostgreSQL takes no NUL, and a terminal should meet no control sign."""
    return "".join(c if c.isprintable() else "\ufffd" for c in name)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _text(us: int | None) -> str | None:
    if us is None:
        return None
    return (dt.datetime(1970, 1, 1) + dt.timedelta(microseconds=us)).isoformat(timespec="seconds") + "Z"
