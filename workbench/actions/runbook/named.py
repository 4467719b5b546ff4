"""What is kept under a name in a table of the control database and tells of itself: schedules, webhooks.

In go connections and names, out come rows. The table has columns `id` and `name`; what the others mean is its owner's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from workbench.base.errors import WorkbenchError
from workbench.collect.record_outbox import RecordOutbox

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

MOST_NAME = 100
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{MOST_NAME - 1}}}")


class Named:
    """The rows of such a table. Safe for threads, and for several processes.

    Parameters
    ----------
    outbox : RecordOutbox
        Takes what they tell.
    table : Table
    records : str
        The table of the repository where that is a row.
    bad_name : callable
        The mistake of who gives one a name that can't be.
    unknown : callable
        The mistake of who names one that is not there, made from that name and those that are.
    """

    def __init__(
        self,
        outbox: RecordOutbox,
        table: Table,
        records: str,
        bad_name: Callable[[str], WorkbenchError],
        unknown: Callable[[str, Collection[str]], WorkbenchError],
    ) -> None:
        self._outbox, self._table, self._records = outbox, table, records
        self._bad_name, self._unknown = bad_name, unknown
        outbox.database.ensure(table)

    def check(self, name: str) -> None:
        """Refuse what can't be a name."""
        if not _NAME.fullmatch(name):
            raise self._bad_name(name)

    def find(self, connection: Connection, name: str) -> dict[str, Any] | None:
        """The row of a name, None where there is none."""
        chosen = self._table.select().where(self._table.c.name == name)
        found = connection.execute(chosen).one_or_none()
        return None if found is None else dict(found._mapping)

    def row(self, connection: Connection, name: str) -> dict[str, Any]:
        """The row of a name, which has to be there."""
        found = self.find(connection, name)
        if found is None:
            names = self._table.select().with_only_columns(self._table.c.name)
            raise self._unknown(name[:MOST_NAME], connection.scalars(names).all())
        return found

    def all(self, connection: Connection) -> list[dict[str, Any]]:
        """All rows, by name."""
        rows = connection.execute(self._table.select().order_by(self._table.c.name))
        return [dict(row._mapping) for row in rows]

    def insert(self, connection: Connection, values: Mapping[str, Any]) -> None:
        connection.execute(self._table.insert().values(dict(values)))

    def update(self, connection: Connection, number: str, values: Mapping[str, Any]) -> None:
        connection.execute(self._table.update().where(self._table.c.id == number).values(dict(values)))

    def drop(self, connection: Connection, number: str) -> None:
        connection.execute(self._table.delete().where(self._table.c.id == number))

    def tell(self, connection: Connection, record: Mapping[str, Any]) -> None:
        """Have something told with the transaction."""
        self._outbox.add(connection, self._records, [record])
