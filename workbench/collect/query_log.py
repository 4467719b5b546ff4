"""What was asked, as records: every query of this process becomes a row of `LAQueryLogs`.

A row is first a line of a journal in the state folder (so it outlives a killed process), and some seconds later
part of one commit; a journal is stored once, whoever stores it. Texts hidden by `h'…'` stay hidden.
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
from uuid import uuid4

import orjson
import polars as pl

from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError
from workbench.collect.intake import Intake

TABLE = "LAQueryLogs"
FOLDER = "asked"
TYPES = {
    "CorrelationId": T.STRING, "AADEmail": T.STRING, "RequestClientApp": T.STRING, "RequestTarget": T.STRING,
    "QueryText": T.STRING, "QueryTimeRangeStart": T.DATETIME, "QueryTimeRangeEnd": T.DATETIME,
    "ResponseCode": T.INT, "ResponseDurationMs": T.REAL, "ResponseRowCount": T.INT, "StatsCPUTimeMs": T.REAL,
}  # fmt: skip
OK, PARTIAL, MISTAKE, STOPPED = 200, 206, 400, 499
"""Values of `ResponseCode`: all rows, rows until it was stopped, an error of the user, stopped without rows."""
_FRAME = pl.Schema(
    {"TimeGenerated": pl.Datetime("us", "UTC")}
    | {n: {T.STRING: pl.String(), T.DATETIME: pl.Datetime("us", "UTC"), T.INT: pl.Int32(), T.REAL: pl.Float64()}[t] for n, t in TYPES.items()}
)  # fmt: skip
_AFTER = 5.0
_HIDDEN = re.compile(r"""\b[hH]@?("(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|```.*?(?:```|$)|~~~.*?(?:~~~|$))""", re.DOTALL)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """One query that was answered, or not. Times in µs since 1970, `start` and `end` of its time range."""

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


class QueryLog:
    """The journal of one process.

    Parameters
    ----------
    intake : callable
        Gives the intake of the workspace.
    state : Path
        Its state folder.

    Examples
    --------
    >>> import tempfile
    >>> from workbench.repository.tables import Repository
    >>> repository = Repository.open(tempfile.mkdtemp(), create=True)
    >>> log = QueryLog(lambda: Intake(repository), Path(tempfile.mkdtemp()))
    >>> log.add(Asked("T | where a == h'secret'", 0, OK, 3.5, 1, 2.0, "doctest", "w"))
    >>> log.store()
    1
    >>> repository.facts("LAQueryLogs").rows, log.store()
    (1, 0)
    """

    def __init__(self, intake: Callable[[], Intake], state: Path) -> None:
        self._intake = intake
        self._folder = state / FOLDER
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._file: int | None = None
        self._path: Path | None = None

    def add(self, asked: Asked) -> None:
        """Note a query; it is in the table some seconds later."""
        row = asdict(asked) | {"text": hidden(asked.text), "id": str(uuid4()), "who": _who()}
        with self._lock:
            if self._file is None:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._path = self._folder / f"{uuid4().hex}.jsonl"
                self._file = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
                fcntl.flock(self._file, fcntl.LOCK_EX)
            os.write(self._file, orjson.dumps(row) + b"\n")
            if self._timer is None:
                self._timer = threading.Timer(_AFTER, self.try_to_store)
                self._timer.daemon = True
                self._timer.start()

    def try_to_store(self) -> None:
        """`store`; what can't be stored now stays in its journal for the next time."""
        try:
            self.store()
        except (OSError, WorkbenchError):
            return

    def store(self) -> int:
        """Put the journals that nobody writes any more into the table; gives the number of rows."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._file is not None:
                os.close(self._file)
                self._file = self._path = None
            return sum(self._store(path) for path in sorted(self._folder.glob("*.jsonl")))

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
        except BlockingIOError:
            return 0  # its process still writes it
        finally:
            os.close(descriptor)


def hidden(text: str) -> str:
    """A query without the texts that it marks as secret.

    Examples
    --------
    >>> hidden('T | where a == h"pass" and b == "word"')
    'T | where a == h"…" and b == "word"'
    """
    return _HIDDEN.sub(lambda m: f"{m[0][0]}{m[1][0]}…{m[1][0]}", text)


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _frame(journal: bytes) -> pl.DataFrame:
    """The lines of a journal as rows; a last one that was cut by a kill is left out."""
    rows = []
    for line in journal.split(b"\n")[:-1]:
        a = orjson.loads(line)
        rows.append(
            (
                a["moment"], a["id"], a["who"], a["application"], a["target"], a["text"], a["start"], a["end"],
                a["code"], a["milliseconds"], a["rows"], a["cpu_milliseconds"],
            )
        )  # fmt: skip
    return pl.DataFrame(rows, schema=_FRAME, orient="row")
