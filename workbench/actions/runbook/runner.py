"""A child process that runs one notebook, as its parent sees it: started warm, given a job, told to stop, gone.

In go jobs, out come the child's own words (`child.py`) and how it really ended. The child has a process group of its
own, its kernel another; `kill` ends both, and returns when they are gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.actions.runbook.isolation import Isolation

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
GRACE_SECONDS = 10.0
_MOST_OVERHEARD = 8 * 1024


def _die_with_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Runner:
    """A process with a kernel that waits for its one job.

    Parameters
    ----------
    folder : Path
        Where what it writes on its standard error before it has a job is kept.
    isolation : Isolation
        As whom it runs.
    """

    def __init__(self, folder: Path, isolation: Isolation) -> None:
        # The path of a kernel's socket must be short, so it lies where temporary files do.
        self.folder = Path(tempfile.mkdtemp(prefix="wbj-"))
        isolation.own(self.folder)
        self._log = (folder / f"{self.folder.name}.log").open("wb")
        # The executed notebook may hold secrets until the service has seen it, so it never lies in a file. The one of
        # the two that was written last is whole, also when the child is killed while it writes the other.
        self._saved = [_memory(), _memory()]
        self._newest: tuple[int, int] | None = None
        program = [sys.executable, "-m", "workbench.actions.runbook.child", str(self.folder)]
        self.process = subprocess.Popen(
            isolation.command([*program, *map(str, self._saved)], self.folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=isolation.environment(_environment(), self.folder),
            pass_fds=self._saved,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        self._said: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._kernel = 0
        self._ready = threading.Event()
        self._given = False
        self._overheard = b""
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._overhear, daemon=True).start()

    def notebook(self) -> bytes | None:
        """The executed notebook as it was written last; None where none was."""
        if self._newest is None:
            return None
        which, size = self._newest
        return os.pread(self._saved[which], size, 0)

    def overheard(self) -> str:
        """The end of what was written past Jupyter since it has a job: a crash of the kernel tells of itself there."""
        return self._overheard.decode("utf-8", "replace")

    def wait_ready(self, seconds: float) -> bool:
        """Wait until its kernel answers; whether it does."""
        return self._ready.wait(seconds) and self._kernel > 0

    def give(self, job: dict[str, Any]) -> None:
        """Let it run a job."""
        self._given = True
        self._write(job)

    def interrupt(self) -> None:
        """Interrupt the cell that runs."""
        self._write({"interrupt": True})

    def said(self, seconds: float) -> Iterator[dict[str, Any]]:
        """What it said since; waits for the first of it. `{"gone": STATUS}` is the last."""
        try:
            first = self._said.get(timeout=seconds)
        except queue.Empty:
            return
        yield from self._worded(first)
        while not self._said.empty():
            yield from self._worded(self._said.get())

    def _worded(self, found: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
        yield {"gone": self.process.wait()} if found is None else found

    def end(self, grace: float = GRACE_SECONDS) -> None:
        """End it: SIGTERM, then SIGKILL to it and to its kernel; returns when both are gone."""
        if self.process.poll() is None and grace > 0:
            self._signal(self.process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(grace)
        self._signal(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self._kernel:
            self._signal(self._kernel, signal.SIGKILL)
            while _group_lives(self._kernel):
                time.sleep(0.01)

    def close(self) -> None:
        """End it if it lives, and remove its folder."""
        self.end(0)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        for handle in self._saved:
            os.close(handle)
        self._log.close()
        with contextlib.suppress(OSError):
            if Path(self._log.name).stat().st_size == 0:
                Path(self._log.name).unlink()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, value: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it is gone, and says so itself
            self.process.stdin.write(json.dumps(value).encode() + b"\n")
            self.process.stdin.flush()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            found = json.loads(line)
            if "saved" in found:
                self._newest = found["saved"], found["size"]
            elif "ready" in found:
                self._kernel = found["ready"]
                self._ready.set()
            else:
                self._said.put(found)
        self._ready.set()
        self._said.put(None)

    def _overhear(self) -> None:
        # Its last reader closes the pipe: something that it started may hold the other end for longer.
        assert self.process.stderr is not None
        with self.process.stderr as pipe:
            while data := os.read(pipe.fileno(), 1 << 16):
                if self._given:
                    self._overheard = (self._overheard + data)[-_MOST_OVERHEARD:]
                else:
                    with contextlib.suppress(ValueError):  # closed, as it was never given a job
                        self._log.write(data)

    def _signal(self, group: int, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)


def _group_lives(group: int) -> bool:
    """Whether a process of the group is still there, but for dead ones that nobody has asked after."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            with contextlib.suppress(OSError, IndexError):
                state, _, member = (Path(entry.path) / "stat").read_text().rpartition(")")[2].split()[:3]
                if int(member) == group and state not in "ZX":
                    return True
    return False


def _memory() -> int:
    """A file that lies in memory, or where that can't be in no folder; gone when it is closed."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("executed notebook")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _environment() -> dict[str, str]:
    """The child's environment: none of ours that opens something."""
    hidden = ("WORKBENCH_", "PG", "AWS_", "SSH_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    return {**kept, "PYTHONUNBUFFERED": "1", "JPY_SESSION_NAME": ""}
