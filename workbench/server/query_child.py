"""A process that answers the queries of one workspace, one at a time, for the service that started it.

Questions come as frames on standard input, answers go as frames on standard output; see `frames`. It ends
when its input ends, when its parent dies, and when it could not stop a query in another way.
"""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO

from workbench.base import memory
from workbench.base.diagnostics import service as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.query.control import Control, Limits, Progress
from workbench.query.stopping import HOOK, run
from workbench.server import frames

_PR_SET_PDEATHSIG = 1
_GIVE_UP = 2.0  # seconds to stop a query in this process before the process itself ends
_LARGEST = 1_500_000_000  # bytes; a process that holds more after a query makes room for a new one


def main(workspace: str) -> None:
    """Answer questions until the input ends."""
    _die_with_parent()
    # Interrupts are what this process sends to itself to stop the engine.
    signal.signal(signal.SIGINT, lambda *_: None)
    HOOK.learn()
    source, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing else may write between the frames
    from workbench.workspace import open as open_workspace

    opened = open_workspace(workspace)
    opened.query("print 1")
    asked = _Questions(source)
    frames.write(answers, {"kind": "ready"})
    while True:
        question = asked.next()
        header, body, ended = _answered(opened, question, asked.control(question), answers)
        # What Polars does not give back would count for the next query.
        last = ended or memory.resident() > _LARGEST
        frames.write(answers, {"kind": "answer", "last": last, **header}, body)
        if last:
            os._exit(0)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(0)


class _Questions:
    """Reads the input on a thread of its own, so that a stop arrives while a query runs."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._asked: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._control: Control | None = None
        threading.Thread(target=self._read, name="questions", daemon=True).start()

    def _read(self) -> None:
        while (frame := frames.read(self._source)) is not None:
            header, _ = frame
            if header["kind"] == "stop":
                if self._control is not None:
                    self._control.cancel()
            else:
                self._asked.put(header)
        os._exit(0)  # whoever asked is gone

    def next(self) -> dict[str, Any]:
        self._control = None
        return self._asked.get()

    def control(self, question: dict[str, Any]) -> Control:
        """The control of a query that is about to run."""
        limits = Limits(question.get("seconds"), question.get("memory"))
        self._control = Control(limits, keep_partial=bool(question.get("partial")))
        return self._control


def _log_search(result: Any, question: dict[str, Any]) -> Any:
    from workbench.server import wire

    extras = question["extras"]
    return wire.log_search(result, with_statistics="statistics" in extras, with_render="render" in extras)


def _kusto_frames(result: Any, question: dict[str, Any]) -> Any:
    from workbench.server import kusto_wire

    return kusto_wire.frames(result, question["request"])


def _kusto_tables(result: Any, question: dict[str, Any]) -> Any:
    from workbench.server import kusto_wire

    return kusto_wire.tables(result, question["request"], command="command" in question["extras"])


FORMS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "log search": _log_search, "kusto frames": _kusto_frames, "kusto tables": _kusto_tables,
}  # fmt: skip


def _answered(workspace: Any, question: dict[str, Any], control: Control, out: BinaryIO) -> tuple[dict[str, Any], bytes, bool]:  # fmt: skip
    """The header and the body of an answer, and whether this process is of no more use."""
    heard: list[Progress] = []
    control.progress = heard.append

    def beat(_: float) -> None:
        told = {"kind": "progress", "seconds": control.limits.seconds, "memory": control.limits.memory}
        if heard:
            told |= {"done": heard[-1].files_done, "total": heard[-1].files_total}
        frames.write(out, told)

    def answer() -> tuple[dict[str, Any], bytes]:
        from workbench.server import wire

        began = time.process_time()
        result = workspace.query(
            question["query"], timespan=question.get("timespan"), limit=question.get("rows"), control=control,
            parameters=question.get("parameters"), options=question.get("options"), sql=bool(question.get("sql")),
            may_store=bool(question.get("may_store")),
        )  # fmt: skip
        body = wire.dump(FORMS[question["form"]](result, question))
        used = (time.process_time() - began) * 1000
        return {"ok": True, "rows": len(result), "partial": result.partial, "cpu": used}, body

    try:
        return *run(answer, beat, control, give_up=_GIVE_UP), False
    except WorkbenchError as mistake:
        error = mistake.within(question["query"])
        stuck = error.code == "LAB105"
        return _refusal((control.reason() or error) if stuck else error), b"", stuck
    except BaseException as fault:  # noqa: BLE001  (a panic of the engine is no Exception)
        traceback.print_exception(fault)
        why = f"{type(fault).__name__}: {fault}".split("\n")[0][:300]
        return _refusal(diagnostics.query_fault(why)), b"", False


def _refusal(error: WorkbenchError) -> dict[str, Any]:
    return {"ok": False, **error.packed()}


if __name__ == "__main__":
    main(sys.argv[1])
