"""How much room the disk of a spool has, and for whom: a reserve stays free of what senders bring.

Half of the reserve is for what the service tells of itself, so that it can say and raise alerts about a full disk.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from workbench.base import memory

SHARE, LEAST = 0.05, 256 * 2**20
VARIABLE = "WORKBENCH_DISK_RESERVE"


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes of a disk: in all, free, and to stay free.

    Examples
    --------
    >>> low = Room(total=1000, free=60, reserve=100)
    >>> low.takes(), low.takes(own=True), low.is_near
    (False, True, True)
    """

    total: int
    free: int
    reserve: int

    def takes(self, *, own: bool = False) -> bool:
        """Whether records may be taken in; `own`: of the service itself."""
        return self.free > (self.reserve // 2 if own else self.reserve)

    @property
    def is_near(self) -> bool:
        """Whether it is time to make room."""
        return self.free <= 2 * self.reserve


def room(folder: str | Path, reserve: int | None = None) -> Room:
    """The room on the disk of a folder that is there.

    Parameters
    ----------
    folder : str or Path
    reserve : int, optional
        In bytes. By default what `WORKBENCH_DISK_RESERVE` says (`20 GB`), else 5 % of the disk, at least 256 MiB.
    """
    disk = shutil.disk_usage(folder)
    if reserve is None:
        reserve = memory.from_text(os.environ.get(VARIABLE, ""))
    if reserve is None:
        reserve = max(int(disk.total * SHARE), LEAST)
    return Room(disk.total, disk.free, reserve)
