"""What the tables are called and what their columns are in KQL: one JSON file a table.

Delta's own types can't tell dynamic, guid, decimal or timespan, and it compares names without
case; the catalog maps KQL name → stored name and type. In go changes (under the table's lock), out
come frozen `TableEntry` values. Readers need no lock: a file is replaced as a whole.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.base.diagnostics import repository as diagnostics
from workbench.base.dtypes import Column, ScalarType, Schema, parse_type
from workbench.repository.files import Files, Stamp
from workbench.repository.layout import (
    CATALOG_FOLDER,
    DAY,
    FIRST_COLUMN,
    FORMAT_VERSION,
    LAST_COLUMNS,
    parse_json,
    stored_name,
)
from workbench.repository.standard import is_hidden


@dataclass(frozen=True, slots=True)
class Former:
    """How values of a column were stored before it was widened."""

    stored: str
    type: ScalarType


@dataclass(frozen=True, slots=True)
class StoredColumn:
    """A column: KQL name and type, and the name of its values in the data files.

    `former` lists earlier forms, newest first; a row has its value in at most one of them.
    """

    name: str
    type: ScalarType
    stored: str
    former: tuple[Former, ...] = ()


@dataclass(frozen=True, slots=True)
class TableEntry:
    """A table as the catalog knows it. `revision` grows by one with each change of the columns."""

    name: str
    folder: str
    created: str
    revision: int = 1
    columns: tuple[StoredColumn, ...] = ()
    retention_days: int | None = None
    archive_days: int | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        """`TimeGenerated`, the user's columns in order of appearance, then the system's columns."""
        user = tuple(Column(c.name, c.type, is_hidden(self.name, c.name)) for c in self.columns)
        return (FIRST_COLUMN, *user, *LAST_COLUMNS)

    def stored_columns(self) -> tuple[StoredColumn, ...]:
        """All columns with their stored names, in the order of `schema`."""
        return (_SYSTEM[0], *self.columns, *_SYSTEM[1:])

    def find(self, name: str) -> StoredColumn | None:
        return next((c for c in self.stored_columns() if c.name == name), None)

    def taken(self) -> list[str]:
        """Every stored name in use, formers and the partition column included."""
        names = [DAY]
        for column in self.stored_columns():
            names += [column.stored, *(f.stored for f in column.former)]
        return names

    def with_column(self, name: str, type_: ScalarType) -> TableEntry:
        """The entry with a new column at the end."""
        new = StoredColumn(name, type_, stored_name(name, self.taken()))
        return replace(self, columns=(*self.columns, new), revision=self.revision + 1)

    def widened(self, name: str, type_: ScalarType) -> TableEntry:
        """The entry with column `name` of a wider type, stored under a new name from now on."""
        fresh = stored_name(name, self.taken())
        columns = tuple(
            StoredColumn(name, type_, fresh, (Former(c.stored, c.type), *c.former)) if c.name == name else c
            for c in self.columns
        )
        return replace(self, columns=columns, revision=self.revision + 1)


_SYSTEM = tuple(StoredColumn(c.name, c.type, c.name) for c in (FIRST_COLUMN, *LAST_COLUMNS))


class Catalog:
    """The table entries of a workspace, read again whenever their files change."""

    def __init__(self, files: Files, path: str) -> None:
        self._files = files
        self._path = path
        self._guard = threading.Lock()
        self._folders: dict[str, str] = {}
        self._listed: Stamp | None = None
        self._entries: dict[str, tuple[Stamp, TableEntry]] = {}

    def names(self) -> list[str]:
        """The KQL names of all tables, sorted."""
        self._list()
        return sorted(self._folders)

    def find(self, name: str) -> TableEntry | None:
        """The entry of a table as it stands on disk now, or None."""
        folder = self._folders.get(name)
        if folder is None:
            self._list()
            folder = self._folders.get(name)
        return None if folder is None else self._entry(folder)

    def get(self, name: str) -> TableEntry:
        """As `find`, but raises REP101 for an unknown table."""
        entry = self.find(name)
        if entry is None:
            raise diagnostics.unknown_table(name, self.names())
        return entry

    def folders(self) -> list[str]:
        """The folder names in use."""
        self._list()
        return list(self._folders.values())

    def put(self, entry: TableEntry) -> None:
        """Write an entry. The caller holds the table's lock (for a new table: the catalog's)."""
        content = {
            **entry.extra,
            "format": FORMAT_VERSION,
            "table": entry.name,
            "folder": entry.folder,
            "created": entry.created,
            "revision": entry.revision,
            "retention_days": entry.retention_days,
            "archive_days": entry.archive_days,
            "columns": [_column_json(c) for c in entry.columns],
        }
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        self._files.replace(_file_of(entry.folder), text.encode())
        with self._guard:
            self._folders[entry.name] = entry.folder
            self._entries.pop(entry.folder, None)

    def _list(self) -> None:
        stamp = self._files.stamp(CATALOG_FOLDER)
        if stamp is not None and stamp == self._listed:
            return
        folders = {}
        for file in self._files.names(CATALOG_FOLDER):
            if file.endswith(".json"):
                entry = self._entry(file.removesuffix(".json"))
                if entry is not None:
                    folders[entry.name] = entry.folder
        with self._guard:
            # The stamp was taken before the list: a change in between makes the next call read again.
            self._folders, self._listed = folders, stamp

    def _entry(self, folder: str) -> TableEntry | None:
        file = _file_of(folder)
        stamp = self._files.stamp(file)
        if stamp is None:
            return None
        known = self._entries.get(folder)
        if known is not None and known[0] == stamp:
            return known[1]
        raw = self._files.read(file)
        if raw is None:
            return None
        entry = _parse(raw, f"{self._path}/{file}")
        with self._guard:
            self._entries[folder] = (stamp, entry)
        return entry


def _file_of(folder: str) -> str:
    return f"{CATALOG_FOLDER}/{folder}.json"


def _column_json(column: StoredColumn) -> dict[str, Any]:
    found: dict[str, Any] = {"name": column.name, "type": column.type.value, "stored": column.stored}
    if column.former:
        found["former"] = [{"stored": f.stored, "type": f.type.value} for f in column.former]
    return found


_KNOWN = frozenset(
    {"format", "table", "folder", "created", "revision", "retention_days", "archive_days", "columns"}
)


def _parse(raw: bytes, where: str) -> TableEntry:
    content: dict[str, Any] = parse_json(raw, where)
    try:
        return TableEntry(
            name=str(content["table"]),
            folder=str(content["folder"]),
            created=str(content["created"]),
            revision=int(content["revision"]),
            retention_days=content.get("retention_days"),
            archive_days=content.get("archive_days"),
            columns=tuple(_parse_column(c, where) for c in content["columns"]),
            extra={k: v for k, v in content.items() if k not in _KNOWN},
        )
    except (KeyError, TypeError, ValueError) as e:
        raise diagnostics.damaged(where, f"{type(e).__name__} {e}") from e


def _parse_column(content: dict[str, Any], where: str) -> StoredColumn:
    former = tuple(Former(f["stored"], _type(f["type"], where)) for f in content.get("former", ()))
    return StoredColumn(content["name"], _type(content["type"], where), content["stored"], former)


def _type(name: str, where: str) -> ScalarType:
    found = parse_type(name)
    if found is None:
        raise diagnostics.damaged(where, f"no type named {name!r}")
    return found
