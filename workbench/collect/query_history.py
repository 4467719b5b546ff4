"""Notes the queries of one process in the query log: what was asked, how it ended, what it took.

Written beside the answer and never in its way: a workspace that takes no records has no history.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.base import clock
from workbench.base.config import state_folder
from workbench.base.errors import WorkbenchError
from workbench.collect import query_log
from workbench.collect.query_log import Asked, QueryLog
from workbench.query.result import Result
from workbench.query.timerange import parse_timerange
from workbench.repository.tables import Repository

if TYPE_CHECKING:
    from workbench.collect.intake import Intake

VARIABLE = "WORKBENCH_QUERY_LOG"
_STOPS = frozenset({"KQL303", "KQL304", "KQL305"})
_FAULTS = frozenset({"SRV017", "SRV018"})


@dataclass(slots=True)
class Note:
    """What is known of a query when it has ended.

    `cpu_milliseconds` is None where this process ran it: its own processor time meanwhile is taken.
    """

    rows: int = 0
    partial: bool = False
    cpu_milliseconds: float | None = None

    def answered(self, result: Result) -> None:
        """It has ended with this answer."""
        self.rows, self.partial = len(result), result.partial


class History:
    """The queries of one application over one workspace.

    Parameters
    ----------
    repository : Repository
    application : str
        As `RequestClientApp` names it.
    intake : Intake, optional
        Takes the rows; by default one of the repository.
    after : float, optional
        See `QueryLog`.

    Examples
    --------
    >>> import tempfile
    >>> history = History(Repository.open(tempfile.mkdtemp(), create=True), "doctest")
    >>> with history.noting("print 1") as note:
    ...     note.rows = 1
    >>> history.waiting()["ResponseRowCount"].to_list()
    [1]
    """

    def __init__(
        self,
        repository: Repository,
        application: str,
        *,
        intake: Intake | None = None,
        after: float | None = query_log.AFTER,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._path, self._application = repository.path, application

        def taking() -> Intake:
            from workbench.collect.intake import Intake  # a process that asks once needs none

            return intake or Intake(repository)

        self._log = QueryLog(taking, Path(state_folder(repository.path)), after)
        self._on = environment.get(VARIABLE, "").lower() != "off"
        self.waiting = self._log.waiting
        self.keep_small = self._log.keep_small

    def before(self, text: str) -> None:
        """Have what was asked so far in the table, where a query asks for it."""
        if query_log.TABLE in text and self._on:
            self._log.try_to_store()

    @contextmanager
    def noting(self, text: str, timespan: str = "", *, sql: bool = False, who: str = "") -> Iterator[Note]:
        """Note the query that runs inside of the block."""
        note, began, cpu, moment = Note(), time.perf_counter(), time.process_time(), clock.now_us()
        code = query_log.STOPPED
        try:
            yield note
            code = query_log.PARTIAL if note.partial else query_log.OK
        except WorkbenchError as error:
            code = query_log.STOPPED if error.code in _STOPS else query_log.MISTAKE
            code = query_log.FAULT if error.code in _FAULTS else code
            raise
        finally:
            if self._on:
                took, used = (time.perf_counter() - began) * 1000, (time.process_time() - cpu) * 1000
                used = used if note.cpu_milliseconds is None else note.cpu_milliseconds
                start, end = _times(timespan)
                self._add(
                    Asked(
                        text, moment, code, took, note.rows, used, self._application, self._path, start, end, timespan,
                        sql, who,
                    )
                )  # fmt: skip

    def _add(self, asked: Asked) -> None:
        try:
            self._log.add(asked)
        except OSError:
            self._on = False  # a folder that takes nothing now takes nothing later


def _times(timespan: str) -> tuple[int | None, int | None]:
    try:
        return parse_timerange(timespan) if timespan else (None, None)
    except WorkbenchError:
        return None, None
