"""Compaction beside a running service, in a process of its own.

In go names of tables, out come the counts of `Repository.compact` or its error. A compaction holds a data file before
compression, and the engine gives back only a part of what it took: here all of it is gone with the process. It works at
a lower priority than the service, and ends with it: a compaction that is killed leaves the table as it was.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
from dataclasses import asdict
from types import TracebackType

import orjson

from workbench.base.errors import WorkbenchError
from workbench.repository.tables import CompactResult, Repository

_LESS_URGENT = 5


class Compactor:
    """One process that compacts tables of a workspace, one after the other, until the block ends. Begun when first asked.

    Parameters
    ----------
    workspace : str
        Its folder.

    Examples
    --------
    >>> import tempfile, polars as pl
    >>> repository = Repository.open(tempfile.mkdtemp(), create=True)
    >>> for size in (1, 2):
    ...     _ = repository.append("App", pl.DataFrame({"Size": [size]}))
    >>> with Compactor(repository.path) as compactor:
    ...     compactor.compact("App").files_after
    1
    """

    def __init__(self, workspace: str) -> None:
        self._workspace = workspace
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Compactor:
        return self

    def __exit__(self, kind: type[BaseException] | None, why: BaseException | None, trace: TracebackType | None) -> None:  # fmt: skip
        if self._process is not None:
            self._process.communicate()  # it ends with its input

    def compact(self, table: str) -> CompactResult:
        """See `Repository.compact`.

        Raises
        ------
        WorkbenchError
            What `Repository.compact` raises.
        ChildProcessError
            The process ended without an answer; the table is as it was.
        """
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, self._workspace], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )  # fmt: skip
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        with contextlib.suppress(BrokenPipeError):
            asked.write(orjson.dumps(table) + b"\n")
            asked.flush()
        line = answers.readline()
        if not line:
            raise ChildProcessError(f"the compaction of {table} ended with {self._process.wait()}")
        answer = orjson.loads(line)
        if "error" in answer:
            raise WorkbenchError.unpacked(answer["error"])
        return CompactResult(**answer["done"])


def main(workspace: str) -> None:
    """Answer lines of the standard input, each the name of a table as JSON, until it ends."""
    with contextlib.suppress(OSError):  # not every system lets it
        os.nice(_LESS_URGENT)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing else may write between the answers
    asked: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(asked,), daemon=True).start()
    repository = Repository.open(workspace)
    while True:
        answers.write(orjson.dumps(_answer(repository, asked.get())) + b"\n")
        answers.flush()


def _read(asked: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin.buffer:
        asked.put(orjson.loads(line))
    os._exit(0)  # the service is gone, or needs no more; also in the middle of a compaction


def _answer(repository: Repository, table: str) -> dict[str, object]:
    try:
        return {"done": asdict(repository.compact(table))}
    except WorkbenchError as why:
        return {"error": why.packed()}


if __name__ == "__main__":
    main(sys.argv[1])
