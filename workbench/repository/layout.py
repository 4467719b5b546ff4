"""Names on disk: folders, stored names, system columns, and the figures files are written with.

In go KQL names, out come names that Delta, Parquet and every file system take. Reads and writes
nothing but the workspace file.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import uuid
from collections.abc import Iterable

from workbench.base.diagnostics import repository as diagnostics
from workbench.base.dtypes import Column, ScalarType
from workbench.repository.files import Files

FORMAT_VERSION = 1
WORKSPACE_FILE = "workspace.json"
CATALOG_FOLDER = "catalog"
FILES_FOLDER = "files"
FUNCTIONS_FOLDER = "catalog/shared/functions"
TABLES_FOLDER = "tables"
ARCHIVE_FOLDER = "archive"

TIME = "TimeGenerated"
RECEIVED = "_TimeReceived"
BATCH = "_BatchId"
WRITER = "_Writer"
SEQUENCE = "_Sequence"
DAY = "_Day"

FIRST_COLUMN = Column(TIME, ScalarType.DATETIME)
LAST_COLUMNS = (
    Column(RECEIVED, ScalarType.DATETIME),
    Column(BATCH, ScalarType.STRING, hidden=True),
    Column(WRITER, ScalarType.INT, hidden=True),
    Column(SEQUENCE, ScalarType.LONG, hidden=True),
)
OWN_APPLICATIONS = "workbench/"
SYSTEM_NAMES = frozenset({TIME, DAY, *(c.name for c in LAST_COLUMNS)})

# Small row groups: both cores work on one file, and the newest rows of a wide table are fetched
# without decoding the rest.
ROW_GROUP_ROWS = 32_768
COMPRESSION_LEVEL = 3
# A compacted file holds about this much before compression: it bounds the memory of compaction and
# keeps files fine enough to be skipped by time.
TARGET_FILE_BYTES = 256 * 1024 * 1024
TARGET_FILE_ROWS = 1_048_576

_PLAIN = re.compile(r"[^A-Za-z0-9_\-]")
_LONGEST_NAME = 1024
_LONGEST_FOLDER = 120


def check_name(kind: str, name: str) -> None:
    """Raise REP103 for a name that no table or column can have."""
    if not name.strip():
        raise diagnostics.bad_name(kind, name, "it is empty")
    if len(name) > _LONGEST_NAME:
        raise diagnostics.bad_name(kind, name[:40] + "…", f"it is longer than {_LONGEST_NAME} characters")


def stored_name(name: str, taken: Iterable[str]) -> str:
    """The name under which `name` is stored: safe characters only, unlike all `taken` ignoring case.

    Parameters
    ----------
    name : str
        A KQL name.
    taken : iterable of str
        Stored names in use.

    Examples
    --------
    >>> stored_name("Port", []), stored_name("port", ["Port"]), stored_name("a b~", [])
    ('Port', 'port~2', 'a~u0020b~u007e')
    """
    used = {t.lower() for t in taken}
    base = _PLAIN.sub(lambda m: _escaped(m[0]), name)
    if len(base) > _LONGEST_FOLDER:
        base = f"{base[:80]}~h{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    stored, number = base, 1
    while stored.lower() in used:
        number += 1
        stored = f"{base}~{number}"
    return stored


def _escaped(character: str) -> str:
    code = ord(character)
    return f"~u{code:04x}" if code <= 0xFFFF else f"~U{code:08x}"


def writer_application(writer: int) -> str:
    """The application id under which a writer's last sequence number stands in a table's log."""
    return f"{OWN_APPLICATIONS}writer/{writer}"


def day_text(day: int) -> str:
    """Days since 1970 → `0001-01-01`, the text of a partition value.

    Examples
    --------
    >>> day_text(0), day_text(-719162)
    ('1970-01-01', '0001-01-01')
    """
    return (dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoformat()


def write_workspace(files: Files, created: str) -> str:
    """Make the workspace file of a new workspace; gives its id."""
    identity = str(uuid.uuid4())
    content = {"format": FORMAT_VERSION, "workspace_id": identity, "created": created}
    files.replace(WORKSPACE_FILE, (json.dumps(content, indent=2) + "\n").encode())
    return identity


def read_workspace(files: Files, path: str) -> str | None:
    """The id of the workspace, None where there is none; raises REP003 and REP004."""
    raw = files.read(WORKSPACE_FILE)
    if raw is None:
        return None
    content = parse_json(raw, f"{path}/{WORKSPACE_FILE}")
    identity = content.get("workspace_id")
    if not isinstance(identity, str):
        raise diagnostics.damaged(f"{path}/{WORKSPACE_FILE}", "it has no workspace_id")
    return identity


def read_folders(files: Files, path: str) -> list[str]:
    """What `external_folders` of the workspace file lists, relative ones seen from the workspace."""
    raw = files.read(WORKSPACE_FILE)
    content = {} if raw is None else parse_json(raw, f"{path}/{WORKSPACE_FILE}")
    listed = content.get("external_folders")
    if not isinstance(listed, list):
        return []
    return [os.path.join(path, folder) for folder in listed if isinstance(folder, str) and folder]


def write_folders(files: Files, path: str, folders: Iterable[str]) -> None:
    """Put `external_folders` into the workspace file; its other keys stay."""
    raw = files.read(WORKSPACE_FILE)
    content = {} if raw is None else parse_json(raw, f"{path}/{WORKSPACE_FILE}")
    content["external_folders"] = list(folders)
    files.replace(WORKSPACE_FILE, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def parse_json(raw: bytes, where: str) -> dict[str, object]:
    """A JSON object of this format; raises REP004 (no JSON object) or REP003 (from the future)."""
    try:
        content = json.loads(raw)
    except ValueError as e:
        raise diagnostics.damaged(where, f"it is no JSON ({e})") from e
    if not isinstance(content, dict):
        raise diagnostics.damaged(where, "it is no JSON object")
    version = content.get("format")
    if not isinstance(version, int) or version > FORMAT_VERSION:
        raise diagnostics.newer_format(where, version, FORMAT_VERSION)
    return content
