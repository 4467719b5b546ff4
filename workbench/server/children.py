"""Child processes of `workbench up`: each in its own process group, its log in a file, none left over.

A child gets SIGTERM first, then SIGKILL; on Linux the kernel ends it too when its parent dies.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from workbench.base.diagnostics import service as diagnostics

GRACE_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent() -> None:
    """Runs in the child before it starts: end it when its parent is gone."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """A running child process.

    Parameters
    ----------
    name : str
        As messages call it.
    command : sequence of str
    log : Path
        Its standard output and error are written there anew.
    environment : mapping, optional
        The child's whole environment; by default that of this process.
    """

    def __init__(
        self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = log
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                env=dict(environment) if environment is not None else None,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def ended(self) -> int | None:
        """The exit status, or None while it runs."""
        return self._process.poll()

    def check(self) -> None:
        """Raise SRV003 when the child has ended by itself."""
        status = self.ended()
        if status is not None:
            raise diagnostics.child_ended(self.name, status, str(self.log))

    def wait_until(self, ready: Callable[[], bool], seconds: float, every: float = 0.05) -> None:
        """Wait until `ready()`.

        Raises
        ------
        WorkbenchError
            SRV003 when the child ends before, SRV004 when the time is over.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            self.check()
            if time.monotonic() > deadline:
                raise diagnostics.child_not_ready(self.name, seconds, str(self.log))
            time.sleep(every)

    def stop(self, grace: float = GRACE_SECONDS) -> None:
        """End the child and all of its process group; returns when it is gone."""
        if self._process.poll() is None:
            self._signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace)
        # Whatever it started in its own group goes with it.
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def stop_all(children: Sequence[Child]) -> None:
    """End children in the reverse order of their start; each is tried even when one resists."""
    for child in reversed(children):
        child.stop()
