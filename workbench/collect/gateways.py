"""Which agents report over which gateway: a gateway may forward the batches of an agent that called there.

In go ids, out comes yes or no. A link is made when a gateway shows the token that the agent gave it; so no gateway
speaks for an agent that never came to it. Lies in the control database. Must not know HTTP.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from workbench.base import clock
from workbench.base.access import Access, Identity
from workbench.base.diagnostics import agent as diagnostics

if TYPE_CHECKING:
    from workbench.base.database import Database

CACHE_SECONDS = 15.0
_made: list[tuple[Any, Any]] = []


def _schema() -> tuple[Any, Any]:
    """Metadata and the table; SQLAlchemy is loaded when they are asked for."""
    if not _made:
        from sqlalchemy import BigInteger, Column, MetaData, String, Table

        metadata = MetaData()
        table = Table(
            "gateway_links",
            metadata,
            Column("agent", String(36), primary_key=True),
            Column("gateway", String(36), primary_key=True),
            Column("since", BigInteger, nullable=False),
        )
        _made.append((metadata, table))
    return _made[0]


class Gateways:
    """The links of one workspace. Safe for threads.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from workbench.base.database import Database
    >>> database = Database.open(Path(tempfile.mkdtemp()))
    >>> access = Access(database, "w")
    >>> gateway, _ = access.enrol_agent("gate")
    >>> agent, token = access.enrol_agent("web01")
    >>> gateways = Gateways(database, access)
    >>> gateways.may_speak(gateway, agent)
    False
    >>> gateways.vouch(gateway, token).name
    'web01'
    >>> gateways.may_speak(gateway, agent)
    True
    """

    def __init__(self, database: Database, access: Access) -> None:
        self._database = database
        self._access = access
        self._guard = threading.Lock()
        self._known: dict[tuple[str, str], float] = {}
        database.ensure(_schema()[0])

    def vouch(self, gateway: str, token: str) -> Identity:
        """Whose token this is; from now on the gateway may forward for him.

        Raises
        ------
        WorkbenchError
            AGT103 for a token that is no agent's.
        """
        from sqlalchemy import insert, select

        identity = self._access.identify(token)
        if identity is None or identity.kind != "agent":
            raise diagnostics.unknown_token()
        table = _schema()[1]
        with self._database.begin() as connection:
            pair = (table.c.agent == identity.id) & (table.c.gateway == gateway)
            if connection.execute(select(table.c.agent).where(pair)).first() is None:
                connection.execute(
                    insert(table).values(agent=identity.id, gateway=gateway, since=clock.now_us())
                )
        return identity

    def may_speak(self, gateway: str, agent: str) -> bool:
        """Whether the gateway may forward batches of the agent, who still has to be known himself."""
        from sqlalchemy import select

        key = (gateway, agent)
        with self._guard:
            if self._known.get(key, 0.0) > time.monotonic():
                return True
        table = _schema()[1]
        with self._database.engine.connect() as connection:
            pair = (table.c.agent == agent) & (table.c.gateway == gateway)
            linked = connection.execute(select(table.c.agent).where(pair)).first() is not None
        found = linked and any(one["id"] == agent for one in self._access.agents())
        with self._guard:
            if found:
                self._known[key] = time.monotonic() + CACHE_SECONDS
            else:
                self._known.pop(key, None)
        return found
