"""How much memory this process uses, and how much the machine (or its container) has left.

Reads the kernel's files where there are any, else asks `psutil`. Decides nothing.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_GROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
_UNITS = {"kb": 2**10, "mb": 2**20, "gb": 2**30, "kib": 2**10, "mib": 2**20, "gib": 2**30, "b": 1, "": 1}


def resident() -> int:
    """Bytes of memory that this process holds now.

    Examples
    --------
    >>> resident() > 1_000_000
    True
    """
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except FileNotFoundError:
        import psutil

        return int(psutil.Process().memory_info().rss)


def available() -> int:
    """Bytes that this process could still take: of the machine, or of its control group if that has less."""
    free = _of_machine()
    for limit, used in _GROUPS:
        with contextlib.suppress(OSError, ValueError):  # no such group, or it has no limit ("max")
            free = min(free, max(0, int(Path(limit).read_text()) - int(Path(used).read_text())))
    return free


def _of_machine() -> int:
    try:
        with open("/proc/meminfo", "rb") as file:
            for line in file:
                if line.startswith(b"MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except FileNotFoundError:
        pass
    import psutil

    return int(psutil.virtual_memory().available)


def as_text(size: float) -> str:
    """Bytes in the largest fitting unit.

    Examples
    --------
    >>> as_text(900), as_text(1_572_864), as_text(3 * 2**30)
    ('900 B', '1.5 MiB', '3.0 GiB')
    """
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def from_text(text: str) -> int | None:
    """Bytes from a number with or without a unit; None where it is no size.

    Examples
    --------
    >>> from_text("4 GB"), from_text("1048576"), from_text("much")
    (4294967296, 1048576, None)
    """
    number = text.strip().rstrip("abgikmABGIKM ")
    unit = text.strip()[len(number) :].strip().lower()
    try:
        return int(float(number) * _UNITS[unit])
    except (ValueError, KeyError):
        return None
