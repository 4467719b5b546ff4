"""Reads a file, or finds a program, that nobody but root and the agent's own user can change.

"Nobody" covers the file and every folder above it: each must belong to root or to the agent's user
and be writable by its owner only. A folder with the sticky bit (`/tmp`) may be writable by all, as in
it nobody can rename or remove what is another's.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from workbench.base.diagnostics import machine as diagnostics

LARGEST = 64 << 10


def read_own(path: Path) -> str:
    """The text of a file that is ours alone.

    Raises
    ------
    WorkbenchError
        `MAC103` when it is not.
    OSError
        When it is not there, or no UTF-8 text of at most 64 kB.
    """
    _check_folders(path.parent.resolve(strict=True))
    handle = os.open(path.parent.resolve() / path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            raise OSError(f"{path} is no file of at most {LARGEST} bytes")
        _check(path, status)
        data = file.read(LARGEST + 1)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as broken:
        raise OSError(f"{path} is no UTF-8 text") from broken


def own_program(path: Path) -> Path:
    """Where a program really lies, if it is ours alone.

    Raises
    ------
    WorkbenchError
        `MAC103` when it is not.
    OSError
        When it is not there.
    """
    real = path.resolve(strict=True)
    _check(real, real.stat())
    _check_folders(real.parent)
    return real


def check_folder(path: Path) -> None:
    """Raises `MAC103` when a folder is not ours alone, `OSError` when it is not there."""
    _check_folders(path.resolve(strict=True))


def _check_folders(folder: Path) -> None:
    for each in (folder, *folder.parents):
        _check(each, each.stat())


def _check(path: Path, status: os.stat_result) -> None:
    if status.st_uid not in (0, os.geteuid()):
        raise diagnostics.not_ours_alone(str(path), f"it belongs to user {status.st_uid}")
    sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not sticky:
        raise diagnostics.not_ours_alone(str(path), "others than its owner may write to it")
