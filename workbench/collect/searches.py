"""Saved searches: queries that people keep by name, in the control database; and their text for Power BI.

In go names and KQL texts, out come `Search` values. Must not run a query.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from workbench.base import clock
from workbench.base.diagnostics import kept as diagnostics
from workbench.collect.kept import checked_name, checked_query

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Row, Table

    from workbench.base.database import Database

KIND = "saved search"


@dataclass(frozen=True, slots=True)
class Search:
    """A saved search.

    Attributes
    ----------
    name, query : str
    category, description : str
        For people.
    timespan : str
        `P1D` or `start/end`, "" for all records.
    parameters : mapping of str
        Values for `declare query_parameters`, as text.
    changed : int
        When it was last saved, in µs since 1970.
    """

    name: str
    query: str
    category: str = ""
    description: str = ""
    timespan: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    changed: int = 0


class Searches:
    """The saved searches of a workspace.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from workbench.base.database import Database
    >>> searches = Searches(Database.open(Path(tempfile.mkdtemp())))
    >>> searches.save(Search("Beats", "Heartbeat | count"))
    >>> searches.get("Beats").query, len(searches.all())
    ('Heartbeat | count', 1)
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        database.ensure(_schema()[0])

    def save(self, search: Search) -> None:
        """Keep a search, in place of one of that name.

        Raises
        ------
        WorkbenchError
            SAV002 bad name, SAV006 and SAV007 no query, KQL… one that can't be read.
        """
        table = _schema()[1]
        name, query = checked_name(KIND, search.name), checked_query(search.query)
        values = {
            "query": query,
            "category": search.category,
            "description": search.description,
            "timespan": search.timespan,
            "parameters": json.dumps(dict(search.parameters)),
            "changed": clock.now_us(),
        }
        with self._database.begin() as connection:
            changed = connection.execute(table.update().where(table.c.name == name).values(values))
            if not changed.rowcount:
                connection.execute(table.insert().values(name=name, **values))

    def get(self, name: str) -> Search:
        """The search of that name.

        Raises
        ------
        WorkbenchError
            SAV003.
        """
        table = _schema()[1]
        with self._database.begin() as connection:
            row = connection.execute(table.select().where(table.c.name == name)).one_or_none()
        if row is None:
            raise diagnostics.unknown(KIND, name, [s.name for s in self.all()])
        return _search(row)

    def all(self) -> list[Search]:
        """All of them by category and name."""
        table = _schema()[1]
        with self._database.begin() as connection:
            rows = connection.execute(table.select()).all()
        return sorted(map(_search, rows), key=lambda s: (s.category.lower(), s.name.lower(), s.name))

    def remove(self, name: str) -> None:
        """Forget a search.

        Raises
        ------
        WorkbenchError
            SAV003.
        """
        self.get(name)
        table = _schema()[1]
        with self._database.begin() as connection:
            connection.execute(table.delete().where(table.c.name == name))


def _search(row: Row[Any]) -> Search:
    return Search(
        row.name,
        row.query,
        row.category,
        row.description,
        row.timespan,
        json.loads(row.parameters),
        row.changed,
    )


@cache
def _schema() -> tuple[MetaData, Table]:
    from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text

    metadata = MetaData()
    table = Table(
        "saved_searches",
        metadata,
        Column("name", String(200), primary_key=True),
        Column("query", Text, nullable=False),
        Column("category", Text, nullable=False),
        Column("description", Text, nullable=False),
        Column("timespan", Text, nullable=False),
        Column("parameters", Text, nullable=False),
        Column("changed", BigInteger, nullable=False),
    )
    return metadata, table


# ---- Power BI ---------------------------------------------------------------------------------

_M_TYPES = {
    "string": "type text",
    "guid": "type text",
    "dynamic": "type text",
    "int": "Int32.Type",
    "long": "Int64.Type",
    "real": "type number",
    "decimal": "type number",
    "bool": "type logical",
    "datetime": "type datetimezone",
    "timespan": "type duration",
}


def power_query(search: Search, url: str, workspace_id: str) -> str:
    """The search as a text in Power Query's language M, which asks the Log Search API and types the columns.

    Parameters
    ----------
    search : Search
    url : str
        Of the service, such as `http://127.0.0.1:8000`.
    workspace_id : str

    Examples
    --------
    >>> text = power_query(Search("Beats", "Heartbeat | count"), "http://127.0.0.1:8000", "7")
    >>> 'query = "Heartbeat | count"' in text
    True
    """
    types = ",\n".join(f"        {name} = {m}" for name, m in _M_TYPES.items())
    asked = [f"query = {_m_text(search.query)}"]
    if search.timespan:
        asked.append(f"timespan = {_m_text(search.timespan)}")
    return f"""// {_one_line(search.name)}
// Paste it into Power Query as a blank query. Token: of role reader, made by 'workbench token create'.
// When Power BI asks how to sign in: Anonymous (the token is in the header).
let
    Service = {_m_text(url.rstrip("/"))},
    Token = "put the token here",
    Types = [
{types}
    ],
    Body = Json.FromValue([{", ".join(asked)}]),
    Answer = Json.Document(
        Web.Contents(
            Service,
            [
                RelativePath = {_m_text(f"v1/workspaces/{workspace_id}/query")},
                Headers = [Authorization = "Bearer " & Token, #"Content-Type" = "application/json"],
                Content = Body,
                Timeout = #duration(0, 0, 4, 0)
            ]
        )
    ),
    Complete = if Record.HasFields(Answer, "error") then error Answer[error][message] else Answer[tables]{{0}},
    Columns = Complete[columns],
    Plain = Table.FromRows(Complete[rows], List.Transform(Columns, each [name])),
    Typed = Table.TransformColumnTypes(
        Plain,
        List.Transform(Columns, each {{[name], Record.FieldOrDefault(Types, [type], type any)}}),
        "en-US"
    )
in
    Typed
"""


def _m_text(text: str) -> str:
    """A text literal of M: quotes twice, line ends and tabs as escapes.

    Examples
    --------
    >>> _m_text('a "b"\\n#(c)')
    '"a ""b""#(lf)#(#)(c)"'
    """
    text = text.replace("#(", "#(#)(").replace('"', '""')
    for character, name in (("\r", "cr"), ("\n", "lf"), ("\t", "tab")):
        text = text.replace(character, f"#({name})")
    return f'"{text}"'


def _one_line(text: str) -> str:
    return " ".join(text.split())
