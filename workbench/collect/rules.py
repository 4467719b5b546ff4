"""Collection rules as they are kept: made, changed, asked for, removed.

In go rules as JSON (see `rule_text`), out come their ids, and the rules again. They lie in the control database; what
was checked of a rule is kept in memory, since every post to a stream asks for it. Must not touch records.
"""

from __future__ import annotations

import fnmatch
import secrets
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from workbench.base import clock
from workbench.base.diagnostics import rules as diagnostics
from workbench.base.dtypes import format_datetime
from workbench.collect.rule_text import MOST_BYTES, Rule, checked

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from workbench.base.database import Database

SECONDS = 1.0
"""So long a rule that another process changed may go on as it was."""
_made: list[tuple[Any, Any, Any]] = []


def _schema() -> tuple[Any, Any, Any]:
    """Metadata and tables of this module; SQLAlchemy is loaded when they are asked for."""
    if not _made:
        from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text

        metadata = MetaData()
        rules = Table(
            "collection_rules", metadata, Column("id", String(36), primary_key=True), Column("name", String(260), nullable=False, index=True),
            Column("version", BigInteger, nullable=False), Column("created", BigInteger, nullable=False),
            Column("changed", BigInteger, nullable=False), Column("content", Text, nullable=False),
        )  # fmt: skip
        changes = Table(
            "collection_rule_changes", metadata, Column("one", BigInteger, primary_key=True, autoincrement=False),
            Column("version", BigInteger, nullable=False),
        )  # fmt: skip
        _made.append((metadata, rules, changes))
    return _made[0]


class Rules:
    """The collection rules of a workspace. Safe for threads.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from workbench.base.database import Database
    >>> rules = Rules(Database.open(Path(tempfile.mkdtemp())))
    >>> number = rules.create({
    ...     "name": "disk", "dataSources": {"commands": [{"streams": ["Custom-Disk_CL"], "commands": ["smart"]}]}})
    >>> number[:4], rules.version, [r["name"] for r in rules.for_agent("a-1", "web-1")]
    ('dcr-', 1, ['disk'])
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        database.ensure(_schema()[0])
        _first_version(database)
        self._guard = threading.Lock()
        self._checked: dict[str, tuple[float, int, Rule]] = {}

    @property
    def version(self) -> int:
        """A number that rises with each change of any rule."""
        with self._database.read() as connection:
            return _version(connection) or 0

    def create(self, rule: Mapping[str, Any]) -> str:
        """Keep a rule; one of the same name is changed to it and keeps its id.

        Returns
        -------
        str
            The immutable id: `dcr-` and 32 hexadecimal digits.

        Raises
        ------
        WorkbenchError
            RUL104 to RUL117, or what a transform has (KQLnnn, RUL2nn); CTL001.
        """
        from sqlalchemy import insert, select, update

        good = checked(dict(rule))
        text = orjson.dumps(good.content)
        if len(text) > MOST_BYTES:
            raise diagnostics.too_large(len(text), MOST_BYTES)
        table, now = _schema()[1], clock.now_us()
        with self._database.begin() as connection:
            version = _next_version(connection)
            known = None
            if good.name:
                known = connection.execute(select(table.c.id).where(table.c.name == good.name)).scalar()
            found = str(known or "dcr-" + secrets.token_hex(16))
            values = {"version": version, "changed": now, "content": text.decode()}
            if known:
                connection.execute(update(table).where(table.c.id == found).values(**values))
            else:
                connection.execute(insert(table).values(id=found, name=good.name, created=now, **values))
        self._forget()
        return found

    def get(self, number: str) -> dict[str, Any] | None:
        """A rule by its immutable id: what it says, with `immutableId` and `version`; None where there is none."""
        return next((rule for rule in self._rows(number)), None)

    def all(self) -> list[dict[str, Any]]:
        """All rules, oldest first."""
        return self._rows()

    def remove(self, name: str) -> str:
        """Remove a rule by its immutable id or its name; which one it was.

        Raises
        ------
        WorkbenchError
            RUL116 where there is none.
        """
        from sqlalchemy import delete, or_, select

        table = _schema()[1]
        with self._database.begin() as connection:
            _next_version(connection)
            asked = select(table.c.id).where(or_(table.c.id == name, table.c.name == name))
            found = connection.execute(asked).scalar()
            if found is None or not name:
                known = connection.execute(select(table.c.name, table.c.id)).all()
                raise diagnostics.no_such_rule(name, [row[0] or row[1] for row in known])
            connection.execute(delete(table).where(table.c.id == found))
        self._forget()
        return str(found)

    def for_agent(self, agent: str, computer: str = "") -> list[dict[str, Any]]:
        """The rules with data sources for an agent, by its id or the name of its computer."""
        return [
            rule
            for rule in self.all()
            if rule.get("dataSources") and _concerns(rule.get("computers"), agent, computer)
        ]

    def checked(self, number: str) -> Rule | None:
        """A rule by its immutable id, ready for records; None where there is none.

        Asks the database at most once in `SECONDS`.
        """
        began = time.monotonic()
        with self._guard:
            known = self._checked.get(number)
        if known is not None and began - known[0] < SECONDS:
            return known[2]
        row = self._row(number)
        if row is None:
            with self._guard:
                self._checked.pop(number, None)
            return None
        version, content = row
        rule = known[2] if known is not None and known[1] == version else checked(orjson.loads(content))
        with self._guard:
            self._checked[number] = (began, version, rule)
        return rule

    def _forget(self) -> None:
        with self._guard:
            self._checked.clear()

    def _row(self, number: str) -> tuple[int, str] | None:
        from sqlalchemy import select

        table = _schema()[1]
        with self._database.read() as connection:
            asked = select(table.c.version, table.c.content).where(table.c.id == number)
            found = connection.execute(asked).first()
        return None if found is None else (int(found[0]), str(found[1]))

    def _rows(self, number: str | None = None) -> list[dict[str, Any]]:
        from sqlalchemy import select

        table = _schema()[1]
        asked = select(table).order_by(table.c.created, table.c.id)
        if number is not None:
            asked = asked.where(table.c.id == number)
        with self._database.read() as connection:
            rows = connection.execute(asked).mappings().all()
        return [
            {
                **orjson.loads(row["content"]),
                "immutableId": row["id"],
                "version": row["version"],
                "changed": format_datetime(row["changed"] * 10),
            }
            for row in rows
        ]


def _version(connection: Connection) -> int | None:
    from sqlalchemy import select

    found: int | None = connection.execute(select(_schema()[2].c.version)).scalar()
    return found


def _first_version(database: Database) -> None:
    from sqlalchemy import insert
    from sqlalchemy.exc import IntegrityError

    try:
        with database.begin() as connection:
            if _version(connection) is None:
                connection.execute(insert(_schema()[2]).values(one=1, version=0))
    except IntegrityError:  # another process was as quick
        return


def _next_version(connection: Connection) -> int:
    """Count a change; whoever changes rules too waits here until this transaction is over."""
    from sqlalchemy import update

    table = _schema()[2]
    connection.execute(update(table).values(version=table.c.version + 1))
    return _version(connection) or 0


def _concerns(computers: Any, agent: str, computer: str) -> bool:
    """Whether a rule is for an agent.

    Examples
    --------
    >>> _concerns(["web-*"], "a-1", "WEB-7"), _concerns(["a-1"], "a-1", ""), _concerns(None, "a-1", "x")
    (True, True, True)
    """
    if not computers:
        return True
    names = [name.lower() for name in (agent, computer) if name]
    return any(fnmatch.fnmatchcase(name, str(pattern).lower()) for pattern in computers for name in names)
