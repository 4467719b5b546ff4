"""The queries of a kernel's cells as records: what was asked, how it ended, what it took.

Written beside the answer and never in its way: a workspace that takes no records has no history.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.base import clock
from workbench.base.config import state_folder
from workbench.base.errors import WorkbenchError
from workbench.collect import query_log
from workbench.collect.intake import Intake
from workbench.collect.query_log import Asked, QueryLog
from workbench.query.result import Result
from workbench.query.run import parse_timerange

VARIABLE = "WORKBENCH_QUERY_LOG"
APPLICATION = "workbench-notebook"
_STOPS = frozenset({"KQL303", "KQL304", "KQL305"})


class Note:
    """What is known of a query when it has ended; `result` is set where there is one."""

    result: Result | None = None


class History:
    """Notes the queries of one kernel, by workspace.

    Parameters
    ----------
    workspace : callable
        Opens a workspace by its path.
    """

    def __init__(self, workspace: Callable[[str], Any], environment: Mapping[str, str] = os.environ) -> None:
        self._workspace = workspace
        self._logs: dict[str, QueryLog] = {}
        self._on = environment.get(VARIABLE, "").lower() != "off"

    def before(self, path: str, text: str) -> None:
        """Have what was asked so far in the table, where a query asks for it."""
        if query_log.TABLE in text and self._on:
            self._log(path).try_to_store()

    @contextmanager
    def noting(self, path: str, text: str, timespan: str = "") -> Iterator[Note]:
        """Note the query that runs inside of the block."""
        note, began, cpu, moment = Note(), time.perf_counter(), time.process_time(), clock.now_us()
        code = query_log.STOPPED
        try:
            yield note
            code = query_log.PARTIAL if note.result is not None and note.result.partial else query_log.OK
        except WorkbenchError as error:
            code = query_log.STOPPED if error.code in _STOPS else query_log.MISTAKE
            raise
        finally:
            if self._on:
                took, used = time.perf_counter() - began, time.process_time() - cpu
                rows = 0 if note.result is None else len(note.result)
                self._add(
                    path,
                    Asked(
                        text,
                        moment,
                        code,
                        took * 1000,
                        rows,
                        used * 1000,
                        APPLICATION,
                        path,
                        *_times(timespan),
                    ),
                )

    def _add(self, path: str, asked: Asked) -> None:
        try:
            self._log(path).add(asked)
        except OSError:
            self._on = False

    def _log(self, path: str) -> QueryLog:
        if path not in self._logs:
            log = QueryLog(lambda: Intake(self._workspace(path).repository), Path(state_folder(path)))
            self._logs[path] = log
        return self._logs[path]


def _times(timespan: str) -> tuple[int | None, int | None]:
    try:
        return parse_timerange(timespan) if timespan else (None, None)
    except WorkbenchError:
        return None, None
