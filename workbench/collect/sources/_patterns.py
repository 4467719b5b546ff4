"""Files that a pattern of a rule names, looked for only below the paths that the machine allows.

`*` and `?` stand for a part of one name, `**` for any folders. The part before the first sign must
lie in an allowed path, so a pattern can't make the agent walk through what it may not read; folders
below `**` that are links are not entered, and the number of names looked at is bounded.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workbench.base.diagnostics import machine as diagnostics
from workbench.collect.sources._allowed import inside

MOST_NAMES = 100_000
_SIGNS = re.compile(r"[*?\[]")


@dataclass
class _Walk:
    """What is left of the names that may be looked at."""

    left: int = MOST_NAMES
    full: bool = field(default=False)

    def take(self) -> bool:
        self.left -= 1
        self.full = self.left < 0
        return not self.full


def checked_pattern(pattern: str, allowed: Sequence[Path]) -> str:
    """A pattern that names files under allowed paths.

    Raises
    ------
    WorkbenchError
        `MAC201` when it does not.
    """
    path = Path(pattern)
    if not path.is_absolute() or ".." in path.parts or not inside(_start(path), allowed):
        raise diagnostics.path_not_allowed(pattern, [str(p) for p in allowed])
    return pattern


def _start(path: Path) -> Path:
    """The part before the first sign."""
    parts = path.parts
    plain = next((n for n, part in enumerate(parts) if _SIGNS.search(part)), len(parts))
    return Path(*parts[:plain])


def files_of(pattern: str) -> Iterator[Path]:
    """The files that match, in order of their names; whoever opens one checks where it leads."""
    path = Path(pattern)
    start = _start(path)
    walk = _Walk()
    yield from _matching(start, path.parts[len(start.parts) :], walk)


def _matching(path: Path, parts: Sequence[str], walk: _Walk) -> Iterator[Path]:
    if not parts:
        if path.is_file():
            yield path
        return
    first, rest = parts[0], parts[1:]
    if first == "**":
        for folder, folders, _ in os.walk(path):
            folders.sort()
            yield from _matching(Path(folder), rest or ("*",), walk)
            if walk.full:
                return
    elif _SIGNS.search(first):
        for name in _names(path):
            if not walk.take():
                return
            if fnmatch.fnmatchcase(name, first):
                yield from _matching(path / name, rest, walk)
    else:
        yield from _matching(path / first, rest, walk)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:  # no folder, or not ours to read
        return []
