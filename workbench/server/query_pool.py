"""The service's query processes: a few that are warm, each with one query at a time, killed when it must end.

In goes a question, out comes the body of its answer. A process is spawned, never forked: the engine's threads
do not survive a fork. What a query uses (memory, its engine's threads, its faults) dies with its process.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from dataclasses import dataclass
from typing import Any

import psutil

from workbench.base.diagnostics import query as query_diagnostics
from workbench.base.diagnostics import service as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.query_history import Note
from workbench.server import frames

log = logging.getLogger("workbench.service")
_LOOK_EVERY = 0.2
_GRACE = 3.0  # seconds that a process has to stop its query by itself
_SHARE = 1.25  # of the memory limit at which a process that did not stop by itself is killed
_BUFFER = 2**22


@dataclass(frozen=True, slots=True)
class Question:
    """A query text and what it may take: `seconds`, bytes of `memory` (None: the default), `rows`.

    `partial`: rows found until a limit are an answer. `parameters` are the values of `declare query_parameters`,
    `options` what `set` statements could say, `may_store` whether a command may store something. `form` is how
    the answer is written (`query_child.FORMS`), with what `extras` name beside the rows; `request` is the asker's
    own name of the request.
    """

    query: str
    timespan: str | None = None
    rows: int | None = None
    seconds: float = 180.0
    memory: int | None = None
    partial: bool = False
    parameters: dict[str, Any] | None = None
    options: dict[str, Any] | None = None
    sql: bool = False
    may_store: bool = False
    form: str = "log search"
    extras: tuple[str, ...] = ()
    request: str = ""

    @property
    def header(self) -> dict[str, Any]:
        return {"kind": "question", **{name: getattr(self, name) for name in self.__slots__}}


class QueryPool:
    """The processes for the queries of one workspace.

    Parameters
    ----------
    workspace : str
        Folder or URL.
    most : int
        How many queries run at once; others wait.
    """

    def __init__(self, workspace: str, most: int = 4) -> None:
        self._workspace = workspace
        self._free = asyncio.Semaphore(most)
        self._idle: list[_Process] = []
        self._all: set[_Process] = set()
        self._warming: asyncio.Task[None] | None = None

    @property
    def pids(self) -> list[int]:
        """The processes that live now."""
        return [p.pid for p in self._all]

    def warm(self) -> None:
        """Have a process ready for the next question, soon; returns at once."""
        if not self._idle and (self._warming is None or self._warming.done()):
            self._warming = asyncio.create_task(self._warm())

    async def _warm(self) -> None:
        try:
            process = await self._started()
        except WorkbenchError as error:
            log.error("%s", error.render())
            return
        self._idle.append(process)

    async def _started(self) -> _Process:
        process = await _Process.start(self._workspace)
        self._all.add(process)
        try:
            await process.ready()
        except BaseException:
            await self._end(process)
            raise
        return process

    async def ask(self, question: Question, note: Note | None = None) -> bytes:
        """The body of the answer; `note` is told of its rows. Cancelling the call kills the query's process.

        Raises
        ------
        WorkbenchError
            The query's own; KQL304 and KQL305 when it went over its limits, SRV017 when its process ended.
        """
        async with self._free:
            process = await self._next()
            try:
                header, body = await process.exchange(question)
            except BaseException:
                await self._end(process)
                self.warm()
                raise
            if header["last"]:
                await self._end(process)
                self.warm()
            else:
                self._idle.append(process)
        if not header["ok"]:
            raise WorkbenchError.unpacked(header)
        if note is not None:
            note.rows, note.partial = header["rows"], header["partial"]
            note.cpu_milliseconds = header["cpu"]
        return body

    async def _next(self) -> _Process:
        if not self._idle and self._warming is not None:
            await asyncio.shield(self._warming)
        while self._idle:
            process = self._idle.pop()
            if process.lives:
                return process
            await self._end(process)
        return await self._started()

    async def _end(self, process: _Process) -> None:
        self._all.discard(process)
        await asyncio.shield(process.kill())

    async def close(self) -> None:
        """End all processes."""
        if self._warming is not None:
            self._warming.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._warming
        self._idle.clear()
        for process in list(self._all):
            await self._end(process)


class _Process:
    """One query process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    @classmethod
    async def start(cls, workspace: str) -> _Process:
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "workbench.server.query_child", workspace,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_BUFFER,
                start_new_session=True,  # an interrupt of the service's terminal is the service's affair
            )
        )  # fmt: skip

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lives(self) -> bool:
        return self._process.returncode is None

    async def ready(self) -> None:
        try:
            await frames.receive(self._out)
        except asyncio.IncompleteReadError:
            raise diagnostics.query_process_ended(await self._process.wait()) from None

    async def exchange(self, question: Question) -> tuple[dict[str, Any], bytes]:
        """Send a question and wait for its answer, watching time and memory from outside as well."""
        self._in.write(frames.pack(question.header))
        watch = _Watch(self.pid, question)
        while True:
            coming = asyncio.ensure_future(frames.receive(self._out))
            try:
                while not (await asyncio.wait({coming}, timeout=_LOOK_EVERY))[0]:
                    watch.look()
            finally:
                if not coming.done():
                    coming.cancel()
            try:
                header, body = coming.result()
            except asyncio.IncompleteReadError:
                raise diagnostics.query_process_ended(await self._process.wait()) from None
            if header["kind"] == "answer":
                return header, body
            watch.hear(header)
            watch.look()

    async def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        self._in.close()


class _Watch:
    """The limits of a running query, kept from outside: for when its process no longer keeps them."""

    def __init__(self, pid: int, question: Question) -> None:
        self._process = psutil.Process(pid)
        self._before = self._used()
        self._began = time.monotonic()
        self._seconds = question.seconds
        self._memory = question.memory

    def hear(self, told: dict[str, Any]) -> None:
        """The limits that hold by the query's own options."""
        self._seconds = told["seconds"] if told["seconds"] is not None else self._seconds
        self._memory = told["memory"] or self._memory

    def look(self) -> None:
        if time.monotonic() - self._began > self._seconds + _GRACE:
            raise query_diagnostics.out_of_time(self._seconds)
        used = self._used() - self._before
        if self._memory is not None and used > self._memory * _SHARE:
            raise query_diagnostics.out_of_memory(used, self._memory)

    def _used(self) -> int:
        try:
            return int(self._process.memory_info().rss)
        except psutil.NoSuchProcess:
            return 0
