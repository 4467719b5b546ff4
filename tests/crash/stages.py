"""What a process was doing when it was killed: a byte a stage in a mapped file, which outlives any kill.

The process marks its stages with `during`; who kills it reads them with `now`, before to aim and after to count.
"""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

STAGES = ("intake", "sync", "drain", "commit", "compaction", "vacuum")
AIMS = ("intake", "sync", "drain", "compaction", "vacuum")
"""Commits are part of drain and compaction, and over too soon to aim at; they are counted."""


class Stages:
    """The stages of one process, seen by another."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(len(STAGES)))
        with path.open("r+b") as file:
            self._bytes = mmap.mmap(file.fileno(), len(STAGES))
        self._guard = threading.Lock()

    @contextmanager
    def during(self, stage: str) -> Iterator[None]:
        """Mark a stage while the block runs; several threads may be in one."""
        self._add(STAGES.index(stage), 1)
        try:
            yield
        finally:
            self._add(STAGES.index(stage), -1)

    def _add(self, place: int, count: int) -> None:
        with self._guard:
            self._bytes[place] += count

    def mark(self, owner: Any, name: str, stage: str) -> None:
        """Have every call of a function or method be such a stage."""
        really: Callable[..., Any] = getattr(owner, name)

        @wraps(really)
        def marked(*arguments: Any, **more: Any) -> Any:
            with self.during(stage):
                return really(*arguments, **more)

        setattr(owner, name, marked)

    def now(self) -> set[str]:
        """The stages that are under way, or were when the process died."""
        return {stage for stage, count in zip(STAGES, self._bytes[:], strict=True) if count}


def fresh(path: Path) -> Stages:
    """No stage under way: for the next process."""
    if path.exists():
        os.unlink(path)
    return Stages(path)
