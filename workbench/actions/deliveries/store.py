"""Action groups and the list of who may be told, in the control database. Safe for threads, and for several processes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workbench.actions.deliveries.groups import Group
from workbench.actions.deliveries.schema import metadata, table
from workbench.actions.notify.guard import Destination
from workbench.base import clock
from workbench.base.clock import moment
from workbench.base.diagnostics import notify as diagnostics

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from workbench.base.database import Database


class ActionGroups:
    """The groups of a workspace.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from workbench.base.database import Database
    >>> groups = ActionGroups(Database.open(Path(tempfile.mkdtemp())))
    >>> groups.put("ops", {"webhooks": [{"url": "https://example.org/hook"}]}, by="ada")["webhooks"]
    [{'url': 'https://example.org/hook'}]
    >>> groups.allow("10.0.0.0/8", by="ada")["destination"]
    '10.0.0.0/8'
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        database.ensure(metadata())

    def put(self, name: str, spec: Mapping[str, Any], *, by: str) -> dict[str, Any]:
        """Make a group or change it; as it is shown.

        Raises
        ------
        WorkbenchError
            NOT002 to NOT007; nothing was changed.
        """
        Group.read(name, spec)
        kept = {key: value for key, value in spec.items() if key != "name"}
        values = {"spec": json.dumps(kept), "changed": clock.now_us(), "changed_by": by}
        groups = table("action_groups")
        with self.database.begin() as connection:
            if self._find(connection, name) is None:
                connection.execute(groups.insert().values(name=name, **values))
            else:
                connection.execute(groups.update().where(groups.c.name == name).values(values))
            return self._row(connection, name)

    def get(self, name: str) -> dict[str, Any]:
        """A group as it is shown; raises NOT001."""
        with self.database.read() as connection:
            return self._row(connection, name)

    def all(self) -> list[dict[str, Any]]:
        """All groups as they are shown, by name."""
        groups = table("action_groups")
        with self.database.read() as connection:
            return [_shown(r._mapping) for r in connection.execute(groups.select().order_by(groups.c.name))]

    def remove(self, name: str) -> None:
        """Remove a group; what is on its way goes on. Raises NOT001."""
        groups = table("action_groups")
        with self.database.begin() as connection:
            self._row(connection, name)
            connection.execute(groups.delete().where(groups.c.name == name))

    def group(self, name: str) -> Group:
        """A group as a value; raises NOT001."""
        with self.database.read() as connection:
            found = self.find(connection, name)
            if found is None:
                self._row(connection, name)
                raise AssertionError(name)
            return found

    def find(self, connection: Connection, name: str) -> Group | None:
        """A group as a value, in a transaction of the caller; None when there is none."""
        spec = self._find(connection, name)
        return None if spec is None else Group.read(name, json.loads(spec["spec"]))

    # ---- who may be told although its address is not open to everybody ------------------------------

    def allow(self, text: str, *, plain: bool = False, by: str) -> dict[str, Any]:
        """Let a network, an address or a host be told; raises NOT201."""
        entry = Destination.read(text, plain)
        kept = table("alert_destinations")
        now = clock.now_us()
        values = {"plain": plain, "added": now, "added_by": by}
        with self.database.begin() as connection:
            changed = connection.execute(kept.update().where(kept.c.destination == entry.text).values(values))
            if not changed.rowcount:
                connection.execute(kept.insert().values(destination=entry.text, **values))
        return {"destination": entry.text, **values, "added": moment(now)}

    def disallow(self, text: str) -> None:
        """Take an entry from the list; raises NOT201, NOT202."""
        entry = Destination.read(text)
        kept = table("alert_destinations")
        with self.database.begin() as connection:
            gone = connection.execute(kept.delete().where(kept.c.destination == entry.text))
            if not gone.rowcount:
                raise diagnostics.no_such_destination(text)

    def allowed(self) -> list[Destination]:
        """The list, for the guard."""
        return [Destination(row["destination"], row["plain"]) for row in self.destinations()]

    def destinations(self) -> list[dict[str, Any]]:
        """The list as it is shown."""
        kept = table("alert_destinations")
        with self.database.read() as connection:
            rows = connection.execute(kept.select().order_by(kept.c.destination)).all()
        return [{**r._mapping, "plain": bool(r.plain), "added": moment(r.added)} for r in rows]

    # ---- inside a transaction ----------------------------------------------------------------------

    def _find(self, connection: Connection, name: str) -> dict[str, Any] | None:
        groups = table("action_groups")
        found = connection.execute(groups.select().where(groups.c.name == name[:100])).one_or_none()
        return None if found is None else dict(found._mapping)

    def _row(self, connection: Connection, name: str) -> dict[str, Any]:
        found = self._find(connection, name)
        if found is None:
            groups = table("action_groups")
            known = connection.scalars(groups.select().with_only_columns(groups.c.name)).all()
            raise diagnostics.no_such_group(name[:100], known)
        return _shown(found)


def _shown(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "name": row["name"], **json.loads(row["spec"]), "changed": moment(row["changed"]), "changed_by": row["changed_by"],
    }  # fmt: skip
