"""Which writer this process is: a small number that no other living process has.

In goes the state folder, out comes the number of the lowest free slot, held by `flock` until the
process ends. Rows carry it as `_Writer`, and each writer numbers its own rows.
"""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path

from workbench.repository.files import open_lock

_MOST = 100_000
_held: dict[str, tuple[int, int]] = {}
_guard = threading.Lock()


def writer_slot(state: Path) -> int:
    """The writer number of this process in the workspace with that state folder, from 0."""
    key = str(state.resolve())
    with _guard:
        if key not in _held:
            _held[key] = _take(state / "writers")
        return _held[key][0]


def slots(state: Path) -> int:
    """How many writer numbers were ever used."""
    folder = state / "writers"
    return len(list(folder.glob("*.lock"))) if folder.is_dir() else 0


def _take(folder: Path) -> tuple[int, int]:
    for slot in range(_MOST):
        descriptor = open_lock(folder / f"{slot:02d}.lock")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        return slot, descriptor
    raise RuntimeError(f"all {_MOST} writer slots are taken")


def _forget_in_child() -> None:
    # A forked child shares the parent's lock; it must not write under the parent's number, nor
    # keep the lock alive after the parent's end.
    global _guard
    _guard = threading.Lock()
    for _, descriptor in _held.values():
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_forget_in_child)
