"""The stored functions of a workspace: KQL under a name, one JSON file each (FORMAT.md §11).

In go names and texts, out come frozen `StoredFunction` values. Nothing here reads the texts: that
they are KQL is checked by whoever stores them. Readers need no lock: a file is replaced as a whole.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from typing import Any

from workbench.base.clock import now_ticks
from workbench.base.diagnostics import repository as diagnostics
from workbench.base.dtypes import format_datetime
from workbench.base.errors import WorkbenchError
from workbench.repository.files import Files, Locks, Stamp
from workbench.repository.layout import FORMAT_VERSION, FUNCTIONS_FOLDER, check_name, parse_json, stored_name

_LOCK = "functions"
_KNOWN = frozenset(
    {"format", "function", "parameters", "body", "folder", "docstring", "view", "created", "changed"}
)


@dataclass(frozen=True, slots=True)
class StoredFunction:
    """A function under a name.

    Attributes
    ----------
    parameters : str
        As written, parentheses included: `(host: string, n: long = 10)`.
    body : str
        As written, braces included.
    folder, docstring : str
        For people; "" for none.
    view : bool
        Whether `union *` and `search *` find it.
    created, changed : str
        Times in KQL's text form.
    """

    name: str
    parameters: str
    body: str
    folder: str = ""
    docstring: str = ""
    view: bool = False
    created: str = ""
    changed: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


class Functions:
    """The functions of one workspace, read again whenever their files change. Safe for threads.

    Examples
    --------
    >>> import tempfile
    >>> from workbench.repository.tables import Repository
    >>> functions = Repository.open(tempfile.mkdtemp(), create=True).functions
    >>> functions.put(StoredFunction("Recent", "(n: long = 5)", "{ Heartbeat | take n }")).name
    'Recent'
    >>> functions.names(), functions.remove("Recent"), functions.find("Recent")
    (['Recent'], True, None)
    """

    def __init__(self, files: Files, locks: Locks, path: str) -> None:
        self._files = files
        self._locks = locks
        self._path = path
        self._guard = threading.Lock()
        self._listed: Stamp | None = None
        self._stored: dict[str, str] = {}
        self._read: dict[str, tuple[Stamp, StoredFunction]] = {}
        self._damaged: list[WorkbenchError] = []

    def names(self) -> list[str]:
        """All names, sorted."""
        self._list()
        return sorted(self._stored)

    def all(self) -> list[StoredFunction]:
        """All functions, by name.

        Raises
        ------
        WorkbenchError
            REP003, REP004 where a file can't be read: elsewhere such a function is not there.
        """
        found = [f for name in self.names() if (f := self.find(name)) is not None]
        if self._damaged:
            raise self._damaged[0]
        return found

    def find(self, name: str) -> StoredFunction | None:
        """A function as it stands on disk now, or None.

        Raises
        ------
        WorkbenchError
            REP003, REP004 for a file that can't be read.
        """
        self._list()
        stored = self._stored.get(name)
        return None if stored is None else self._entry(stored)

    def put(self, function: StoredFunction) -> StoredFunction:
        """Store a function, in place of one of the same name; gives it as stored.

        Raises
        ------
        WorkbenchError
            REP103 for a name that can't be one, REP005 disk.
        """
        check_name("function", function.name)
        with self._locks.exclusive(_LOCK):
            old = self.find(function.name)
            now = format_datetime(now_ticks())
            new = replace(
                function,
                created=old.created if old else now,
                changed=now,
                extra=old.extra if old else function.extra,
            )
            stored = self._stored.get(new.name) or stored_name(new.name, self._stored.values())
            self._files.replace(_file_of(stored), _json_of(new))
            with self._guard:
                self._stored[new.name] = stored
                self._read.pop(stored, None)
            return new

    def remove(self, name: str) -> bool:
        """Delete a function; False where there was none.

        Raises
        ------
        WorkbenchError
            REP005 disk.
        """
        with self._locks.exclusive(_LOCK):
            self._list()
            stored = self._stored.get(name)
            if stored is None:
                return False
            self._files.remove(_file_of(stored))
            with self._guard:
                del self._stored[name]
                self._read.pop(stored, None)
            return True

    def _list(self) -> None:
        stamp = self._files.stamp(FUNCTIONS_FOLDER)
        if stamp is not None and stamp == self._listed:
            return
        found: dict[str, str] = {}
        damaged: list[WorkbenchError] = []
        for file in self._files.names(FUNCTIONS_FOLDER):
            if file.endswith(".json"):
                stored = file.removesuffix(".json")
                try:
                    entry = self._entry(stored)
                except WorkbenchError as problem:
                    # One damaged function must not stop the queries that do not use it.
                    damaged.append(problem)
                    continue
                if entry is not None:
                    found[entry.name] = stored
        with self._guard:
            # The stamp was taken before the list: a change in between makes the next call read again.
            self._stored, self._damaged, self._listed = found, damaged, stamp

    def _entry(self, stored: str) -> StoredFunction | None:
        file = _file_of(stored)
        stamp = self._files.stamp(file)
        if stamp is None:
            return None
        known = self._read.get(stored)
        if known is not None and known[0] == stamp:
            return known[1]
        raw = self._files.read(file)
        if raw is None:
            return None
        entry = _parsed(raw, f"{self._path}/{file}")
        with self._guard:
            self._read[stored] = (stamp, entry)
        return entry


def _file_of(stored: str) -> str:
    return f"{FUNCTIONS_FOLDER}/{stored}.json"


def _json_of(function: StoredFunction) -> bytes:
    content = {
        **function.extra,
        "format": FORMAT_VERSION,
        "function": function.name,
        "parameters": function.parameters,
        "body": function.body,
        "folder": function.folder,
        "docstring": function.docstring,
        "view": function.view,
        "created": function.created,
        "changed": function.changed,
    }
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def _parsed(raw: bytes, where: str) -> StoredFunction:
    content: dict[str, Any] = parse_json(raw, where)
    try:
        return StoredFunction(
            name=str(content["function"]),
            parameters=str(content["parameters"]),
            body=str(content["body"]),
            folder=str(content.get("folder") or ""),
            docstring=str(content.get("docstring") or ""),
            view=content.get("view") is True,
            created=str(content.get("created") or ""),
            changed=str(content.get("changed") or ""),
            extra={k: v for k, v in content.items() if k not in _KNOWN},
        )
    except KeyError as e:
        raise diagnostics.damaged(where, f"it lacks {e}") from e
