"""What was asked, as records: every query of a cell, tile, command line or client becomes a row of `LAQueryLogs`.

A row is first a line of a journal in the state folder, which all processes of a workspace write (so it outlives a
killed one), and some seconds later part of one commit; a journal that was closed is stored once, whoever stores it.
Texts hidden by `h'…'` stay hidden.
"""

from __future__ import annotations

import fcntl
import getpass
import os
import re
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import orjson
import polars as pl

from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError

if TYPE_CHECKING:
    from workbench.collect.intake import Intake

TABLE = "LAQueryLogs"
FOLDER = "asked"
TYPES = {
    "CorrelationId": T.STRING, "AADEmail": T.STRING, "RequestClientApp": T.STRING, "RequestTarget": T.STRING,
    "QueryText": T.STRING, "QueryTimeRangeStart": T.DATETIME, "QueryTimeRangeEnd": T.DATETIME,
    "ResponseCode": T.INT, "ResponseDurationMs": T.REAL, "ResponseRowCount": T.INT, "StatsCPUTimeMs": T.REAL,
    "RequestContextFilters": T.DYNAMIC,
}  # fmt: skip
OK, PARTIAL, MISTAKE, STOPPED, FAULT = 200, 206, 400, 499, 500
"""Values of `ResponseCode`: all rows, rows until it was stopped, an error of the user, stopped without rows, our error."""
_FRAME = pl.Schema(
    {"TimeGenerated": pl.Datetime("us", "UTC")}
    | {n: {T.STRING: pl.String(), T.DYNAMIC: pl.String(), T.DATETIME: pl.Datetime("us", "UTC"), T.INT: pl.Int32(), T.REAL: pl.Float64()}[t] for n, t in TYPES.items()}
)  # fmt: skip
AFTER = 5.0
_OPEN, _CLOSED = "open", ".jsonl"
_LARGE = 256 * 1024  # bytes of a journal that nobody has stored
_HIDDEN = re.compile(r"""\b[hH]@?("(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|```.*?(?:```|$)|~~~.*?(?:~~~|$))""", re.DOTALL)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """One query that was answered, or not. Times in µs since 1970, `start` and `end` of its time range.

    `timespan` is that range as it was asked for, `who` the asker, by default the user of this process.
    """

    text: str
    moment: int
    code: int
    milliseconds: float
    rows: int
    cpu_milliseconds: float
    application: str
    target: str
    start: int | None = None
    end: int | None = None
    timespan: str = ""
    sql: bool = False
    who: str = ""


class QueryLog:
    """The journal of one workspace, as one process sees it.

    Parameters
    ----------
    intake : callable
        Gives the intake of the workspace.
    state : Path
        Its state folder.
    after : float, optional
        Seconds from a query to its row; None in a process that leaves that to others.

    Examples
    --------
    >>> import tempfile
    >>> from workbench.collect.intake import Intake
    >>> from workbench.repository.tables import Repository
    >>> repository = Repository.open(tempfile.mkdtemp(), create=True)
    >>> log = QueryLog(lambda: Intake(repository), Path(tempfile.mkdtemp()))
    >>> log.add(Asked("T | where a == h'secret'", 0, OK, 3.5, 1, 2.0, "doctest", "w"))
    >>> log.waiting()["QueryText"].to_list(), log.store()
    (["T | where a == h'…'"], 1)
    >>> repository.facts("LAQueryLogs").rows, log.store()
    (1, 0)
    """

    def __init__(self, intake: Callable[[], Intake], state: Path, after: float | None = AFTER) -> None:
        self._intake = intake
        self._folder = state / FOLDER
        self._open = self._folder / _OPEN
        self._after = after
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def add(self, asked: Asked) -> None:
        """Note a query; it is in the table some seconds later."""
        more = {"text": hidden(asked.text), "id": str(uuid4()), "who": asked.who or user()}
        line = orjson.dumps(asdict(asked) | more) + b"\n"
        with self._lock:
            if not self._written(line):
                self._write_apart(line)
            if self._after is not None and self._timer is None:
                self._timer = threading.Timer(self._after, self.try_to_store)
                self._timer.daemon = True
                self._timer.start()

    def _written(self, line: bytes) -> bool:
        """Put a line into the open journal; False where another process has it just now, which is not waited for."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._open, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not _is_at(descriptor, self._open):
                return False  # it was closed meanwhile
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                line = b"\n" + line  # behind what a kill has cut
            os.write(descriptor, line)
            return True
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)

    def _write_apart(self, line: bytes) -> None:
        """A closed journal of one line."""
        path = self._folder / f"{uuid4().hex}.new"
        path.touch(0o600)
        path.write_bytes(line)
        path.rename(path.with_suffix(_CLOSED))

    def keep_small(self) -> None:
        """Store a journal that has grown large, where no service and no notebook did."""
        try:
            large = self._open.stat().st_size > _LARGE
        except OSError:
            return
        if large:
            self.try_to_store()

    def waiting(self) -> pl.DataFrame:
        """The rows that are not in the table yet."""
        found = []
        for path in [*sorted(self._folder.glob(f"*{_CLOSED}")), self._open]:
            try:
                found.append(_frame(path.read_bytes()))
            except OSError:
                continue  # none yet, or stored just now
        return pl.concat(found) if found else pl.DataFrame(schema=_FRAME)

    def try_to_store(self) -> None:
        """`store`; what can't be stored now stays in its journal for the next time."""
        try:
            self.store()
        except (OSError, WorkbenchError, RuntimeError):
            return  # a RuntimeError: this process is ending and starts no more threads

    def store(self) -> int:
        """Put the rows that wait into the table; gives their number."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._close()
            return sum(self._store(path) for path in sorted(self._folder.glob(f"*{_CLOSED}")))

    def _close(self) -> None:
        """Give the open journal a name of its own: from now on it is written no more."""
        try:
            descriptor = os.open(self._open, os.O_RDONLY)
        except FileNotFoundError:
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, self._open):
                self._open.rename(self._folder / f"{uuid4().hex}{_CLOSED}")
        except BlockingIOError:
            return  # it is written just now: next time
        finally:
            os.close(descriptor)

    def _store(self, path: Path) -> int:
        try:
            descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return 0  # another process was faster
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            frame = _frame(path.read_bytes())
            if frame.height:
                self._intake().store(TABLE, frame, TYPES, transaction=(f"{FOLDER}/{path.stem}", 1))
            path.unlink(missing_ok=True)
            return frame.height
        except FileNotFoundError:
            return 0
        except BlockingIOError:
            return 0  # another process stores it
        finally:
            os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file still has this name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def hidden(text: str) -> str:
    """A query without the texts that it marks as secret.

    Examples
    --------
    >>> hidden('T | where a == h"pass" and b == "word"')
    'T | where a == h"…" and b == "word"'
    """
    return _HIDDEN.sub(lambda m: f"{m[0][0]}{m[1][0]}…{m[1][0]}", text)


def user() -> str:
    """Who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _frame(journal: bytes) -> pl.DataFrame:
    """The lines of a journal as rows; one that was cut by a kill is left out."""
    rows = []
    for line in journal.split(b"\n"):
        try:
            a = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        filters = {"timespan": a["timespan"]} if a.get("timespan") else {}
        filters |= {"language": "sql"} if a.get("sql") else {}
        rows.append(
            (
                a["moment"], a["id"], a["who"], a["application"], a["target"], a["text"], a["start"], a["end"],
                a["code"], a["milliseconds"], a["rows"], a["cpu_milliseconds"], orjson.dumps(filters).decode() if filters else None,
            )
        )  # fmt: skip
    return pl.DataFrame(rows, schema=_FRAME, orient="row")
