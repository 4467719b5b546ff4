"""The outbox of alerts: notices written in the transaction that changed a state, each until it was taken.

In go notices; out they come in their order, to whoever delivers them (`actions`), which takes them in a transaction of
its own. SQLAlchemy is loaded when it is asked for.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from workbench.alerts.notice import Notice

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

    from workbench.base.database import Database


class AlertOutbox:
    """The notices that nobody took yet. Safe for threads.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from workbench.base.database import Database
    >>> outbox = AlertOutbox(Database.open(Path(tempfile.mkdtemp())))
    >>> notice = Notice("k", "a", "Fired", {"name": "r"}, "1", 1, "w", 0, None, 0, 1, 2.0)
    >>> with outbox.database.begin() as connection:
    ...     outbox.add(connection, [notice])
    >>> with outbox.database.begin() as connection:
    ...     [n.key for n in outbox.take(connection)]
    ['k']
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.news = threading.Event()
        """Set after this process added something; what another one added is there without it."""
        database.ensure(notices().metadata)

    def add(self, connection: Connection, found: Sequence[Notice]) -> None:
        """Write notices in the caller's transaction; a key that was ever written there refuses the whole of it."""
        if found:
            rows = [{"key": n.key, "notice": json.dumps(n.as_json())} for n in found]
            connection.execute(notices().insert(), rows)
            self.database.after_commit(connection, self.news.set)

    def take(self, connection: Connection, most: int = 100) -> list[Notice]:
        """Take the oldest notices in the caller's transaction; when that is undone they are there again."""
        table = notices()
        waiting = table.select().where(table.c.notice.is_not(None)).order_by(table.c.id).limit(most)
        rows = connection.execute(waiting).all()
        if rows:
            taken = table.update().where(table.c.id.in_([r.id for r in rows])).values(notice=None)
            connection.execute(taken)
        return [Notice.read(json.loads(r.notice)) for r in rows]


@cache
def notices() -> Table:
    """`alert_notices`: a notice until it was taken, its key for ever."""
    import sqlalchemy as sa

    return sa.Table(
        "alert_notices",
        sa.MetaData(),
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True
        ),
        sa.Column("key", sa.String(300), nullable=False, unique=True),
        sa.Column("notice", sa.Text),
    )
