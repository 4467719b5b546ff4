"""The place of a cell's first output: how far the query is, then the answer itself, in the same line."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from IPython.display import display

from workbench.kernel_ext import display as shown
from workbench.kernel_ext.footer import reach, seconds
from workbench.query.control import Control, Progress

_AFTER = 1.0
_EVERY = 0.5
# A notebook holds more rows than a portal shows: grid and export have all of them.
_ROW_CAP = 2_000_000


class Place:
    """A display that is written into again and again.

    `control` is the query's; `name` is the id of the display, once it is there.
    """

    def __init__(self, name: str | None = None) -> None:
        self.control = Control(progress=self._hear, keep_partial=True, row_cap=_ROW_CAP)
        self.name = name or uuid4().hex
        self._there = name is not None
        self._heard: Progress | None = None
        self._said = 0.0
        self._passed = 0.0

    def _hear(self, progress: Progress) -> None:
        self._heard = progress  # on the query's thread; the kernel's own shows it

    def tick(self, passed: float) -> None:
        """Say twice a second how far the query is; nothing is said of a short one."""
        self._passed = passed
        if passed < _AFTER or passed - self._said < _EVERY:
            return
        self._said = passed
        line = f"searching · {reach(self._heard, passed)} · interrupt the kernel to stop"
        self._put(shown.of_progress(line))

    def _put(self, output: shown.Output) -> None:
        send(output, display_id=self.name, update=self._there)
        self._there = True

    def fill(self, outputs: list[shown.Output]) -> None:
        """Put the first output where the progress stood, the others below."""
        self._put(outputs[0])
        for output in outputs[1:]:
            send(output)

    def finish(self, word: str) -> None:
        """Leave one last line where the progress stood, if it did."""
        if self._there:
            self._put(shown.of_progress(f"{word} after {seconds(self._passed)}"))


def send(output: shown.Output, **how: Any) -> None:
    display(output.data, metadata=output.metadata, raw=True, **how)
