"""Scheduled exports: a query, a folder, a schedule; each run writes one file with every row, or says why not.

In go definitions (kept in the control database) and a source of tables, out come files and what happened. A run that a
kill stopped is done again under the same name and with the same rows.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.base import clock
from workbench.base.diagnostics import kept as diagnostics
from workbench.base.dtypes import format_datetime
from workbench.base.errors import WorkbenchError
from workbench.base.schedule import Schedule
from workbench.collect import exporting
from workbench.collect.kept import checked_name, checked_query, whole
from workbench.collect.searches import Searches
from workbench.collect.since import Position, Since
from workbench.query.frames import Tables
from workbench.repository.files import Locks

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Row, Table

    from workbench.base.database import Database

KIND = "export"
SUCCEEDED, FAILED, WRITING = "Succeeded", "Failed", "Writing"


@dataclass(frozen=True, slots=True)
class Export:
    """A scheduled export.

    Attributes
    ----------
    name : str
    query, search : str
        One of them: KQL, or the name of a saved search (as it is then).
    every : str
        A schedule (see `base.schedule`), "" for none: only when told.
    folder : str
        Absolute.
    form : str
        csv, parquet, xlsx or jsonl.
    timespan : str
        `P1D` or `start/end`, "" for all records.
    since_last : bool
        Only rows that came since the last run that succeeded.
    parameters : mapping of str
    id : str
    next_run : int
        In µs since 1970; 0 for never.
    number : int
        Of the last run.
    state, message, file, rows, ran :
        Of the last run: `Succeeded`, `Failed`, or `Writing` where a kill stopped it; when in µs since 1970.
    since, until : mapping
        Positions by table: where the next run starts, where one that was stopped had to end.
    """

    name: str
    query: str = ""
    search: str = ""
    every: str = ""
    folder: str = ""
    form: str = "csv"
    timespan: str = ""
    since_last: bool = False
    parameters: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    next_run: int = 0
    number: int = 0
    state: str = ""
    message: str = ""
    file: str = ""
    rows: int = 0
    ran: int = 0
    since: Mapping[str, Position] = field(default_factory=dict)
    until: Mapping[str, Position] = field(default_factory=dict)


class Exports:
    """The exports of a workspace.

    Parameters
    ----------
    database : Database
    state : Path
        The workspace's state folder: one run of an export at a time, of all processes.
    """

    def __init__(self, database: Database, state: Path) -> None:
        self._database = database
        self._locks = Locks(state / "locks")
        self._searches = Searches(database)
        database.ensure(_schema()[0])

    def create(self, export: Export) -> Export:
        """Keep a new export; its first run is at the next moment of its schedule.

        Raises
        ------
        WorkbenchError
            SAV001 to SAV007, SAV201 to SAV203, KQL… for a query that can't be read.
        """
        name = checked_name(KIND, export.name)
        if bool(export.query) == bool(export.search):
            raise diagnostics.query_or_search()
        if export.search:
            self._searches.get(export.search)
        if export.form not in exporting.FORMS:
            raise diagnostics.bad_form(export.form, exporting.names())
        if any(e.name == name for e in self.all()):
            raise diagnostics.exists(KIND, name)
        folder = Path(export.folder).expanduser().absolute()
        exporting.free_of(folder)
        values = {
            "id": uuid.uuid4().hex,
            "name": name,
            "query": checked_query(export.query) if export.query else "",
            "search": export.search,
            "every": export.every,
            "folder": str(folder),
            "form": export.form,
            "timespan": export.timespan,
            "since_last": int(export.since_last),
            "parameters": json.dumps(dict(export.parameters)),
            "next_run": Schedule.parse(export.every).after(clock.now_us()) if export.every else 0,
        }
        table = _schema()[1]
        with self._database.begin() as connection:
            connection.execute(table.insert().values(values))
        return self.get(name)

    def get(self, name: str) -> Export:
        """The export of that name; SAV003 where there is none."""
        table = _schema()[1]
        with self._database.begin() as connection:
            row = connection.execute(table.select().where(table.c.name == name)).one_or_none()
        if row is None:
            raise diagnostics.unknown(KIND, name, [e.name for e in self.all()])
        return _export(row)

    def all(self) -> list[Export]:
        """All of them by name."""
        table = _schema()[1]
        with self._database.begin() as connection:
            return [_export(r) for r in connection.execute(table.select().order_by(table.c.name))]

    def remove(self, name: str) -> None:
        """Forget an export; its files stay."""
        found = self.get(name)
        table = _schema()[1]
        with self._database.begin() as connection:
            connection.execute(table.delete().where(table.c.id == found.id))

    def due(self, now: int) -> list[str]:
        """The names of those whose time has come."""
        return [e.name for e in self.all() if 0 < e.next_run <= now]

    def run(self, name: str, source: Tables, *, scheduled: bool = False) -> Export:
        """Run an export now; the error of one that fails is kept, and raised.

        Parameters
        ----------
        name : str
        source : Tables
        scheduled : bool
            Do nothing where somebody else has just run it.

        Raises
        ------
        WorkbenchError
            SAV003, SAV008 and SAV009, SAV203 to SAV205, and those of the query.
        """
        with self._locks.exclusive(f"export-{self.get(name).id}"):
            export = self.get(name)
            if scheduled and not 0 < export.next_run <= clock.now_us():
                return export
            after = Schedule.parse(export.every).after(clock.now_us()) if export.every else 0
            try:
                done = self._run(export, source)
            except WorkbenchError as why:
                self._note(
                    export, state=FAILED, message=why.message, ran=clock.now_us(), next_run=after, until="{}"
                )
                raise
            self._note(export, next_run=after, **done)
        return self.get(name)

    def _run(self, export: Export, source: Tables) -> dict[str, Any]:
        """Write the file; gives what is to be noted then."""
        again = export.state == WRITING
        query, timespan, parameters = export.query, export.timespan, export.parameters
        if export.search:
            search = self._searches.get(export.search)
            query, timespan = search.query, timespan or search.timespan
            parameters = {**search.parameters, **parameters}
        cut = Since(source, export.since, export.until if again else None) if export.since_last else None
        result = whole(query, cut or source, timespan=timespan or None, parameters=parameters)
        until = json.dumps({t: dict(p) for t, p in {**export.since, **(cut.until if cut else {})}.items()})
        number, file = export.number, export.file
        if not again:
            number += 1
            stamp = format_datetime(clock.now_ticks())[:19].replace("-", "").replace(":", "")
            file = str(Path(export.folder, f"{export.name}_{number:06}_{stamp}Z.{export.form}"))
            # What a kill from here on leaves is done again: the same rows under the same name.
            self._note(export, state=WRITING, number=number, file=file, until=until, ran=clock.now_us())
        exporting.write(result, Path(file), export.form)
        return {
            "state": SUCCEEDED, "message": "", "rows": len(result), "since": until, "until": "{}", "ran": clock.now_us(),
        }  # fmt: skip

    def _note(self, export: Export, **values: Any) -> None:
        table = _schema()[1]
        with self._database.begin() as connection:
            connection.execute(table.update().where(table.c.id == export.id).values(values))


def run_due(exports: Exports, source: Tables, tell: Callable[..., None]) -> int:
    """Run all exports that are due; each is told to `tell` as an `Operation`. Gives how many ran."""
    names = exports.due(clock.now_us())
    for name in names:
        try:
            done = exports.run(name, source, scheduled=True)
        except WorkbenchError as why:
            tell("Export", f"{name}: {why.message}", status="Error", key=why.code)
        else:
            tell("Export", f"{name}: {done.rows:,} rows to {done.file}", status="Success", key="Export")
    return len(names)


def _export(row: Row[Any]) -> Export:
    values = dict(row._mapping)
    values["since_last"] = bool(values["since_last"])
    values["parameters"] = json.loads(values["parameters"])
    for name in ("since", "until"):
        values[name] = {t: {int(w): n for w, n in p.items()} for t, p in json.loads(values[name]).items()}
    return Export(**values)


@cache
def _schema() -> tuple[MetaData, Table]:
    from sqlalchemy import BigInteger, Column, Integer, MetaData, String, Table, Text

    def text(name: str, default: str = "") -> Column[str]:
        return Column(name, Text, nullable=False, default=default)

    def number(name: str) -> Column[int]:
        return Column(name, BigInteger, nullable=False, default=0)

    metadata = MetaData()
    table = Table(
        "exports",
        metadata,
        Column("id", String(32), primary_key=True),
        Column("name", String(200), nullable=False, unique=True),
        *(text(n) for n in ("query", "search", "every", "folder", "form", "timespan")),
        Column("since_last", Integer, nullable=False),
        text("parameters", "{}"),
        *(text(n) for n in ("state", "message", "file")),
        *(number(n) for n in ("next_run", "number", "rows", "ran")),
        text("since", "{}"),
        text("until", "{}"),
    )
    return metadata, table
