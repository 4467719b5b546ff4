"""Runs a query so that an interrupt or a limit stops it, the engine's own threads included.

In goes a call without arguments, out comes its value. The call runs on a thread of its own while the main
thread waits and watches the limits; SIGINT, sent from outside or by this module, reaches the engine and the
waiting caller alike. Cells, the command line and the service's query processes run their queries here.

Why it takes more than a `try`: Polars hooks the C handler of SIGINT once, when it is imported. Every
later `signal.signal(SIGINT, …)` puts Python's handler in its place, and an IPython kernel does that
before and after each cell, so from the second cell on an interrupt would never reach Polars. So the
hooked handler is remembered and put back for as long as a query runs; it still calls Python's.
"""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Generic, TypeVar

from workbench.base.diagnostics import kernel as diagnostics
from workbench.base.diagnostics import query as query_diagnostics
from workbench.query.control import Control

T = TypeVar("T")
_TICK = 0.1
_GIVE_UP = 10.0
_POLITE = 1.0  # seconds for a query to see that it is to stop, and again to make its last rows ready
_POINTER = ctypes.sizeof(ctypes.c_void_p)

# Run in a fresh interpreter: where the hook lies in its library, and the rest of its sigaction.
_ASK_ANOTHER = """
import ctypes, polars
import polars._plr as lib
raw = ctypes.create_string_buffer(256)
ctypes.CDLL(None).sigaction(2, None, raw)
at = int.from_bytes(raw.raw[:ctypes.sizeof(ctypes.c_void_p)], "little")
base = min(int(l.split("-")[0], 16) for l in open("/proc/self/maps") if l.rstrip().endswith(lib.__file__))
print(at - base, raw.raw.hex())
"""


class _Hook:
    """The C handler of SIGINT that Polars installed, once it is known."""

    def __init__(self) -> None:
        self._action: bytes | None = None
        self._asked = False

    def learn(self) -> None:
        """Import Polars and keep its handler; does nothing the second time."""
        if self._asked:
            return
        self._asked = True
        if "polars" not in sys.modules:
            before = _read()
            import polars  # noqa: F401

            after = _read()
            self._action = after if after != before else None
        elif sys.platform == "linux":
            self._action = _from_another_process()

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Polars' handler in place inside the block, what was there before it afterwards."""
        current = _read()
        if self._action is None or current[:_POINTER] == self._action[:_POINTER]:
            yield
            return
        _write(self._action)
        try:
            yield
        finally:
            _write(current)


def _read() -> bytes:
    raw = ctypes.create_string_buffer(256)
    if sys.platform != "win32":
        ctypes.CDLL(None).sigaction(int(signal.SIGINT), None, raw)
    return raw.raw


def _write(action: bytes) -> None:
    ctypes.CDLL(None).sigaction(int(signal.SIGINT), ctypes.create_string_buffer(action, 256), None)


def _from_another_process() -> bytes | None:
    """The handler's place when Polars was here before us and its hook is already overwritten.

    A fresh process tells how far into Polars' library the handler lies; the library's place in
    this process gives the rest. Without an answer interrupts only stop at the engine's next step.
    """
    found = subprocess.run(
        [sys.executable, "-c", _ASK_ANOTHER], capture_output=True, text=True, timeout=30, check=False
    )
    if found.returncode != 0:
        return None
    import polars._plr as library

    offset, raw = found.stdout.split()
    with open("/proc/self/maps") as maps:
        bases = [
            int(line.split("-")[0], 16) for line in maps if line.rstrip().endswith(str(library.__file__))
        ]
    if not bases:
        return None
    return (min(bases) + int(offset)).to_bytes(_POINTER, "little") + bytes.fromhex(raw)[_POINTER:]


HOOK = _Hook()


class _Work(Generic[T]):
    """A call on a thread of its own; `done` is set when it is over, however it ended."""

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self.done = threading.Event()
        self.value: T | None = None
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="logsearch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        try:
            self._work()
            self.done.set()
        except KeyboardInterrupt:  # a stop that arrived when the call had just ended
            self.done.set()

    def _work(self) -> None:
        try:
            self.value = self._call()
        except BaseException as error:  # noqa: BLE001 - handed on to the thread that asked
            self.error = error

    @property
    def over(self) -> bool:
        return self.done.is_set() or not self._thread.is_alive()  # never started is over, too

    def stop_python(self) -> None:
        """Raise KeyboardInterrupt at the thread's next Python step."""
        if self._thread.ident is not None:
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(self._thread.ident), ctypes.py_object(KeyboardInterrupt)
            )


def run(
    call: Callable[[], T],
    waiting: Callable[[float], None] | None = None,
    control: Control | None = None,
    give_up: float = _GIVE_UP,
) -> T:
    """The value of `call()`, stopped by an interrupt or by the limits of `control`. For the main thread.

    Parameters
    ----------
    call : callable
        The work; it runs on another thread.
    waiting : callable, optional
        Told ten times a second how many seconds have passed.
    control : Control, optional
        That of the query which `call` runs. An interrupt cancels it; where it may keep partial rows, the
        query is given time to make them ready.
    give_up : float
        Seconds to try to stop it.

    Returns
    -------
    object
        What `call` returned.

    Raises
    ------
    WorkbenchError
        KQL303 when it was interrupted and has stopped, KQL304 or KQL305 when it reached a limit, LAB105
        when it would not stop.

    Examples
    --------
    >>> run(lambda: 6 * 7)
    42
    """
    HOOK.learn()
    work = _Work(call)
    with HOOK.installed():
        try:
            work.start()
            started = time.monotonic()
            while not work.done.wait(_TICK) and not work.over:
                if waiting is not None:
                    waiting(time.monotonic() - started)
                if control is not None and control.reason() is not None:
                    _stop_for_good(work, control, give_up)
        except KeyboardInterrupt:
            if control is not None:
                control.cancel()
            _stop_for_good(work, control, give_up)
    if isinstance(work.error, KeyboardInterrupt):
        why = control.reason() if control is not None else None
        raise (why or query_diagnostics.interrupted()) from None
    if work.error is not None:
        raise work.error
    return work.value  # type: ignore[return-value]


def _stop_for_good(work: _Work[T], control: Control | None, give_up: float) -> None:
    """Stop the work, whatever more interrupts arrive on the way."""
    while True:
        try:
            return _stop(work, control, give_up)
        except KeyboardInterrupt:
            continue


def _stop(work: _Work[T], control: Control | None, give_up: float) -> None:
    """Tell the engine and the thread again and again until the work is over.

    One signal ends what the engine runs at that moment; a query that goes on with its next part
    would start it afresh, so the signal is repeated, until the query has seen it and makes its last rows
    ready. Python's own handler is deaf meanwhile.
    """
    now = time.monotonic()
    deadline = now + give_up
    patient = now + _POLITE if control is not None and control.keep_partial else now
    settled: float | None = None
    with _deaf():
        told = False
        while not work.over:
            now = time.monotonic()
            if now > deadline:
                raise diagnostics.still_running(give_up)
            with control.signalling if control is not None else nullcontext():
                if settled is None and control is not None and control.settling:
                    settled = now
                if settled is None or now > settled + _POLITE:
                    if not told and now >= patient:
                        work.stop_python()
                        told = True
                    signal.raise_signal(signal.SIGINT)
            work.done.wait(0.1)
    if work.error is None and (control is None or work.value is None):
        work.error = KeyboardInterrupt()


@contextmanager
def _deaf() -> Iterator[None]:
    """SIGINT without a KeyboardInterrupt inside the block; the C handlers stay in place."""
    action = _read()
    before = signal.signal(signal.SIGINT, lambda *_: None)
    _write(action)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        _write(action)
