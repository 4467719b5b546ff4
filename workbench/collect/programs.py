"""Runs a program of this machine with a time limit and an output limit, in a process group of its own.

In goes an argument list, never a shell line; out comes what it wrote and how it ended. When the
program ends, whatever it left running in its group is ended too, so a limit holds for all it started.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_POLL = 0.02
_AFTER_TERM = 2.0
_CHUNK = 1 << 16
PLAIN_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
"""What programs see: nothing of the agent's own environment, in which secrets may stand."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended.

    Attributes
    ----------
    code : int
        Its exit status; minus the signal that ended it.
    out, err : bytes
        What it wrote, `err` at most 64 kB.
    timed_out, cut : bool
        It was ended because its time was over, or because it wrote more than it may.
    seconds : float
    """

    code: int
    out: bytes
    err: bytes
    timed_out: bool
    cut: bool
    seconds: float

    @property
    def why(self) -> str | None:
        """What went wrong, in words; None when nothing did.

        Examples
        --------
        >>> run(["/bin/sh", "-c", "echo no space >&2; exit 3"], seconds=5).why
        'it ended with status 3: no space'
        """
        if self.timed_out:
            return f"it was ended after {self.seconds:.0f} s"
        if self.cut:
            return "it wrote more than it may"
        if self.code == 0:
            return None
        lines = self.err.decode("utf-8", "backslashreplace").strip().splitlines()
        how = f"status {self.code}" if self.code > 0 else f"signal {-self.code}"
        return f"it ended with {how}" + (f": {lines[-1][:300]}" if lines else "")


def run(
    arguments: Sequence[str],
    *,
    seconds: float,
    limit: int = 16 << 20,
    environment: Mapping[str, str] = PLAIN_ENVIRONMENT,
    folder: Path | None = None,
    program: str | None = None,
    stopping: threading.Event | None = None,
) -> Ended:
    """Run a program to its end or its limit.

    Parameters
    ----------
    arguments : sequence of str
        The first is the program, unless `program` names its file.
    seconds : float
        After this SIGTERM goes to its group, and SIGKILL two seconds later.
    limit : int
        Bytes of output; one more, and the program is ended.
    environment : mapping
        All that it sees.
    folder : Path, optional
        Where it runs; `/` by default.
    program : str, optional
        Its file, where the first argument is another name of it.
    stopping : Event, optional
        Ends it as its time does when it is set.

    Raises
    ------
    OSError
        If it can't be started.

    Examples
    --------
    >>> run(["echo", "hello"], seconds=5).out
    b'hello\\n'
    """
    began = time.monotonic()
    child = subprocess.Popen(
        list(arguments),
        executable=program,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
        cwd=folder or "/",
        start_new_session=True,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    with child.stdout, child.stderr, selectors.DefaultSelector() as selector:
        reading = _Reading(selector, child.stdout, child.stderr, limit)
        timed_out = False
        while not _has_ended(child.pid):
            timed_out = time.monotonic() - began > seconds or (stopping is not None and stopping.is_set())
            if timed_out or reading.cut:
                _end_group(child.pid, reading)
                break
            reading.some(_POLL)
        # What is in the pipes was written by the program; what it left behind may not go on.
        reading.some(0.0, until_quiet=True)
        _signal_group(child.pid, signal.SIGKILL)
        code = child.wait()
    seconds_taken = time.monotonic() - began
    return Ended(code, bytes(reading.out), bytes(reading.err), timed_out, reading.cut, seconds_taken)


class _Reading:
    """Takes what a program writes, up to the limit."""

    def __init__(self, selector: selectors.BaseSelector, out: IO[bytes], err: IO[bytes], limit: int) -> None:
        self.out, self.err, self.cut = bytearray(), bytearray(), False
        self._limit = limit
        self._selector = selector
        for stream, kept in ((out, self.out), (err, self.err)):
            selector.register(stream, selectors.EVENT_READ, kept)

    def some(self, seconds: float, *, until_quiet: bool = False) -> None:
        """Read what is there, waiting at most `seconds` for it; with `until_quiet` until nothing is left."""
        if not self._selector.get_map():
            time.sleep(seconds)  # both ends were closed before the program ended
            return
        while (ready := self._selector.select(seconds)) and not self.cut:
            for key, _ in ready:
                data = os.read(key.fd, _CHUNK)
                if not data:
                    self._selector.unregister(key.fileobj)
                self._keep(key.data, data)
            if not until_quiet or not self._selector.get_map():
                return

    def _keep(self, kept: bytearray, data: bytes) -> None:
        limit = self._limit if kept is self.out else _CHUNK
        self.cut = self.cut or (kept is self.out and len(kept) + len(data) > limit)
        kept += data[: max(limit - len(kept), 0)]


def _has_ended(pid: int) -> bool:
    """Whether it ended; it is not reaped, so that its group's number stays its own."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end_group(pid: int, reading: _Reading) -> None:
    _signal_group(pid, signal.SIGTERM)
    until = time.monotonic() + _AFTER_TERM
    while not _has_ended(pid) and time.monotonic() < until:
        if reading.cut:
            time.sleep(_POLL)
        else:
            reading.some(_POLL)
    if not _has_ended(pid):
        _signal_group(pid, signal.SIGKILL)


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):  # nobody is left, or it became another user's
        return
