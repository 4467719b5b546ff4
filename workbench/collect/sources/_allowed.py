"""Opens a file for reading only if it lies under a path that the machine allows.

The path is resolved first (so a symbolic link counts as what it leads to), and what was opened is
looked at again through its descriptor, so that nothing exchanged in between gets through.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from workbench.base.diagnostics import machine as diagnostics

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def resolved(path: Path, allowed: Sequence[Path]) -> Path:
    """Where a path really leads.

    Raises
    ------
    WorkbenchError
        `MAC201` when that is outside of the allowed paths.
    OSError
        When there is no such path.
    """
    real = path.resolve(strict=True)
    if not _inside(real, allowed):
        raise diagnostics.path_not_allowed(str(path), [str(p) for p in allowed])
    return real


def open_file(path: Path, allowed: Sequence[Path]) -> int:
    """A descriptor of a regular file; the caller closes it.

    Raises
    ------
    WorkbenchError
        `MAC201` when it lies outside of the allowed paths.
    OSError
        When it is not there, not readable, or no regular file.
    """
    handle = os.open(resolved(path, allowed), _FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise FileNotFoundError(f"{path} is no regular file")
        opened = Path(os.readlink(f"/proc/self/fd/{handle}").removesuffix(" (deleted)"))
        if not _inside(opened, allowed):
            raise diagnostics.path_not_allowed(str(path), [str(p) for p in allowed])
    except BaseException:
        os.close(handle)
        raise
    return handle


def inside(path: Path, allowed: Sequence[Path]) -> bool:
    """Whether a path, with all links followed, lies under an allowed one; it need not exist (yet).

    Examples
    --------
    >>> inside(Path("/srv/app/../../etc/shadow"), [Path("/srv/app")])
    False
    """
    return _inside(path.resolve(), allowed)


def _inside(real: Path, allowed: Sequence[Path]) -> bool:
    return any(real.is_relative_to(root.resolve()) for root in allowed)
