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
        held = _held.get(key)
        if held is None or not _is_there(state / "writers", *held):
            _held[key] = held = _take(state / "writers")
        return held[0]


def _is_there(folder: Path, slot: int, descriptor: int) -> bool:
    """Whether the lock file is still the one that is held (the workspace may have been made anew)."""
    try:
        return os.stat(_file(folder, slot)).st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False


def _file(folder: Path, slot: int) -> Path:
    return folder / f"{slot:02d}.lock"


def _take(folder: Path) -> tuple[int, int]:
    for slot in range(_MOST):
        descriptor = open_lock(_file(folder, slot))
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
