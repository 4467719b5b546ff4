"""What a file is at one moment: kind, size, mode, owner, times and the SHA-256 of what it holds.

Reading a large file is work of many steps; it goes on under the budget of the caller, who yields to
the agent whenever the budget of a turn is used up.
"""

from __future__ import annotations

import grp
import hashlib
import os
import pwd
import stat
from collections.abc import Generator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench.base.errors import WorkbenchError
from workbench.collect.sources._allowed import open_file, resolved
from workbench.collect.sources._text import shown

State = dict[str, Any]
"""JSON: kind, size, mode, owner, mtime, ctime (ns), inode, sum ("" where nothing was read)."""
_CHUNK = 1 << 20


class Budget:
    """How much one turn may still do: files looked at and bytes read."""

    def __init__(self, files: int, size: int) -> None:
        self._most = (files, size)
        self.files, self.bytes = self._most

    def refill(self) -> None:
        self.files, self.bytes = self._most

    @property
    def spent(self) -> bool:
        return self.files <= 0 or self.bytes <= 0


def state_of(
    path: Path, allowed: Sequence[Path], known: State | None, budget: Budget, largest: int
) -> Generator[None, None, State | None]:
    """The state of a path, None when it is gone or not allowed; yields whenever the budget is spent.

    Parameters
    ----------
    path : Path
    allowed : sequence of Path
        Where it must lie, links followed.
    known : dict or None
        Its state before: what has the same size, inode and times is not read again.
    budget : Budget
    largest : int
        Bytes; a larger file is not read, only looked at.
    """
    budget.files -= 1
    try:
        status = path.lstat()
        resolved(path.parent, allowed)
    except (OSError, WorkbenchError):
        return None
    state = _looked_at(status)
    if known is not None and all(state[name] == known.get(name) for name in state):
        return known
    if stat.S_ISLNK(status.st_mode):
        return state | {"sum": "", "target": _target(path)}
    if not stat.S_ISREG(status.st_mode) or status.st_size > largest:
        return state | {"sum": ""}
    try:
        handle = open_file(path, allowed)
    except (OSError, WorkbenchError):
        return state | {"sum": ""}  # not ours to read: what can be seen from outside is still watched
    digest = hashlib.sha256()
    with os.fdopen(handle, "rb", buffering=0) as file:
        # What was opened counts, taken before reading: a change meanwhile is seen the next time.
        state = _looked_at(os.fstat(file.fileno()))
        left = largest
        while left > 0 and (data := file.read(min(_CHUNK, left))):
            digest.update(data)
            left -= len(data)
            budget.bytes -= len(data)
            if budget.spent:
                yield
    return state | {"sum": digest.hexdigest()}


def _looked_at(status: os.stat_result) -> State:
    return {
        "mode": stat.filemode(status.st_mode),
        "owner": f"{_user(status.st_uid)}:{_group(status.st_gid)}",
        # The size and time of a folder only repeat what its files tell.
        "size": 0 if stat.S_ISDIR(status.st_mode) else status.st_size,
        "mtime": 0 if stat.S_ISDIR(status.st_mode) else status.st_mtime_ns,
        "ctime": 0 if stat.S_ISDIR(status.st_mode) else status.st_ctime_ns,
        "inode": status.st_ino,
    }


def _target(path: Path) -> str:
    try:
        return shown(os.readlink(path))
    except OSError:
        return ""


@lru_cache(256)
def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


@lru_cache(256)
def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
