"""Query processes: real ones, really killed; the proof of a stop is processor time that stands still."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.parse
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import polars as pl
import psutil
import pytest

from workbench.base.errors import WorkbenchError
from workbench.repository.tables import Repository
from workbench.server.query_pool import QueryPool, Question

pytestmark = pytest.mark.slow

FILES, ROWS = 16, 100_000
SLOW = "Big | where hash_sha256(hash_sha256(Text)) startswith 'ff' | summarize n = count()"
HUNGRY = "Big | extend Long = strcat(Text, Text, Text, Text, Text, Text) | sort by Long asc | extend n = row_number() | summarize max(Long), max(n)"  # fmt: skip
DEADLINE = 60.0


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of files enough to run in parts."""
    path = tmp_path_factory.mktemp("pool") / "workspace"
    repository = Repository.open(str(path), create=True)
    number = pl.int_range(ROWS, eager=True)
    for part in range(FILES):
        scattered = (number * 7919 + part * 104729) % 1_000_003
        repository.append(
            "Big", pl.DataFrame({"Key": scattered % 50, "Text": (scattered * 48271).cast(pl.String)})
        )
    return path


@asynccontextmanager
async def pool_of(workspace: Path, most: int = 2) -> AsyncIterator[QueryPool]:
    pool = QueryPool(str(workspace), most)
    try:
        yield pool
    finally:
        await pool.close()
        assert pool.pids == []


def running(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A coroutine as a test."""

    def run(workspace: Path) -> None:
        asyncio.run(asyncio.wait_for(test(workspace), 4 * DEADLINE))

    run.__name__, run.__doc__ = test.__name__, test.__doc__
    return run


async def busy(pool: QueryPool) -> int:
    """The process that has used a second for its query."""
    deadline = time.monotonic() + DEADLINE
    used = {pid: processor_seconds(pid) for pid in pool.pids}
    while time.monotonic() < deadline:
        for pid in pool.pids:
            if processor_seconds(pid) - used.setdefault(pid, processor_seconds(pid)) > 1.0:
                return pid
        await asyncio.sleep(0.02)
    raise AssertionError("no query is at work")


def processor_seconds(pid: int) -> float:
    try:
        used = psutil.Process(pid).cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(used.user + used.system)


async def refused(pool: QueryPool, question: Question) -> WorkbenchError:
    try:
        await pool.ask(question)
    except WorkbenchError as error:
        return error
    raise AssertionError(f"answered: {question.query}")


async def count(pool: QueryPool) -> int:
    found = json.loads(await pool.ask(Question("Big | count")))["tables"][0]["rows"][0][0]
    assert isinstance(found, int)
    return found


@running
async def test_a_process_is_kept_for_the_next_question(workspace: Path) -> None:
    async with pool_of(workspace) as pool:
        assert await count(pool) == FILES * ROWS
        first = pool.pids
        assert await count(pool) == FILES * ROWS
        assert (len(first), pool.pids) == (1, first)
        mistake = await refused(pool, Question("Big | where Nothing > 1"))
        assert mistake.render().splitlines()[:3] == [
            "KQL101 at 1:13: no column named 'Nothing'", "  Big | where Nothing > 1", "              ^^^^^^^",
        ]  # fmt: skip
        assert pool.pids == first


@running
async def test_questions_at_once_have_processes_of_their_own(workspace: Path) -> None:
    async with pool_of(workspace, 2) as pool:
        answers = await asyncio.gather(*(count(pool) for _ in range(5)))
        assert answers == [FILES * ROWS] * 5
        assert 1 <= len(pool.pids) <= 2


@running
async def test_a_cancelled_query_dies_with_its_process(workspace: Path) -> None:
    async with pool_of(workspace) as pool:
        await count(pool)
        asking = asyncio.create_task(pool.ask(Question(SLOW)))
        pid = await busy(pool)
        began = time.monotonic()
        asking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asking
        assert time.monotonic() - began < 1.0
        assert not psutil.pid_exists(pid)
        assert await count(pool) == FILES * ROWS


@running
async def test_a_query_out_of_time_stops_working_and_its_process_answers_on(workspace: Path) -> None:
    async with pool_of(workspace) as pool:
        await count(pool)
        (pid,) = pool.pids
        began = time.monotonic()
        error = await refused(pool, Question(SLOW, seconds=1.5))
        assert error.code == "KQL304"
        assert time.monotonic() - began < 3.0
        settled = processor_seconds(pid)
        await asyncio.sleep(1.0)
        assert processor_seconds(pid) - settled < 0.15
        assert await count(pool) == FILES * ROWS
        assert pool.pids == [pid]


@running
async def test_rows_found_in_time_can_be_kept(workspace: Path) -> None:
    async with pool_of(workspace) as pool:
        await count(pool)
        for seconds in (2.5, 5.0, 10.0):  # a slow machine has nothing after the first of them
            with contextlib.suppress(WorkbenchError):
                body = json.loads(await pool.ask(Question(SLOW, seconds=seconds, partial=True)))
                break
        assert body["tables"][0]["rows"][0][0] > 0
        assert body["error"]["code"] == "PartialError"
        said = body["error"]["details"][0]["message"]
        assert said.startswith("partial: ")
        assert said.endswith(f"of {FILES} files, the query took longer than its limit of {seconds:g} s")


@running
async def test_a_query_over_its_memory_ends_with_figures_and_the_next_one_is_answered(
    workspace: Path,
) -> None:
    async with pool_of(workspace) as pool:
        await count(pool)
        for question in (
            Question(HUNGRY, memory=50_000_000),
            Question(f"set max_memory_consumption_per_query_per_node = 50000000; {HUNGRY}"),
        ):
            error = await refused(pool, question)
            assert error.code == "KQL305"
            assert "its limit is 47.7 MiB" in error.message
        assert await count(pool) == FILES * ROWS


@running
async def test_a_process_that_is_killed_loses_its_query_only(workspace: Path) -> None:
    async with pool_of(workspace) as pool:
        await count(pool)
        asking = asyncio.create_task(refused(pool, Question(SLOW)))
        os.kill(await busy(pool), signal.SIGKILL)
        assert (await asking).code == "SRV017"
        assert await count(pool) == FILES * ROWS


PARENT = """
import asyncio, sys
from workbench.server.query_pool import QueryPool, Question
async def main():
    pool = QueryPool(sys.argv[1])
    await pool.ask(Question("print 1"))
    print(*pool.pids, flush=True)
    await pool.ask(Question(sys.argv[2]))
asyncio.run(main())
"""


def test_processes_die_with_their_parent(workspace: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(workspace), SLOW], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 5
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the query process outlives its parent"
        time.sleep(0.02)


# ---- over HTTP --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def filled(service: Any) -> Any:
    repository = Repository.open(str(service.workspace))
    number = pl.int_range(ROWS, eager=True)
    for part in range(FILES):
        scattered = (number * 7919 + part * 104729) % 1_000_003
        repository.append("Big", pl.DataFrame({"Text": (scattered * 48271).cast(pl.String)}))
    return service


def post(service: Any, text: str, prefer: str, **more: Any) -> http.client.HTTPConnection:
    parts = urllib.parse.urlsplit(service.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=DEADLINE)
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {service.token}",
        "Prefer": prefer,
    }
    body = json.dumps({"query": text, **more})
    connection.request("POST", f"/v1/workspaces/{service.workspace_id}/query", body, headers)
    return connection


def test_prefer_wait_is_the_time_limit(filled: Any) -> None:
    connection = post(filled, SLOW, "wait=1")
    answer = connection.getresponse()
    error = json.loads(answer.read())["error"]
    connection.close()
    assert answer.status == 504
    assert error["innererror"]["innererror"]["code"] == "KQL304"


def test_a_client_that_goes_away_takes_its_query_with_it(filled: Any) -> None:
    children = psutil.Process(filled.process.pid).children
    filled.query("print 1")
    before = {c.pid: processor_seconds(c.pid) for c in children()}
    connection = post(filled, SLOW, "wait=600")
    deadline = time.monotonic() + DEADLINE
    while not (at_work := [p for p in before if processor_seconds(p) - before[p] > 0.5]):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    connection.close()
    deadline = time.monotonic() + 2
    while any(psutil.pid_exists(p) for p in at_work):
        assert time.monotonic() < deadline, "the query goes on"
        time.sleep(0.02)
    assert filled.query("Big | count")[1]["tables"][0]["rows"] == [[FILES * ROWS]]
