"""A question on a thread of its own, so that who asked can go on with others while it takes long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from workbench.alerts.evaluating import Answer, Window
from workbench.base import clock
from workbench.base.diagnostics import alerting as diagnostics


class Asked:
    """An evaluation that is being asked.

    Parameters
    ----------
    ask : callable
    row : mapping
        The rule's row as it was looked at.
    window : Window

    Examples
    --------
    >>> asked = Asked(lambda: Answer(None, {"T": {0: 1}}), {}, Window(2, 1, None))
    >>> asked.wait(60).until
    {'T': {0: 1}}
    """

    def __init__(self, ask: Callable[[], Answer], row: Mapping[str, Any], window: Window) -> None:
        self.row, self.window = row, window
        self.began = clock.now_us()
        self._ask = ask
        self._since = time.monotonic()
        self._answer: Answer | None = None
        self._done = threading.Event()
        threading.Thread(target=self._run, name="alert query", daemon=True).start()

    @property
    def seconds(self) -> float:
        """How long it takes so far."""
        return time.monotonic() - self._since

    @property
    def done(self) -> bool:
        return self._done.is_set()

    def wait(self, seconds: float) -> Answer | None:
        """The answer, if it comes so soon."""
        return self._answer if self._done.wait(seconds) else None

    def _run(self) -> None:
        try:
            self._answer = self._ask()
        except BaseException as fault:  # noqa: BLE001 - it ends here, on a thread that nobody watches
            why = f"{type(fault).__name__}: {fault}".split("\n")[0][:300]
            self._answer = Answer(None, {}, diagnostics.fault(why))
        self._done.set()
