"""How far each text file was read and acknowledged: a small JSON file that survives a restart.

A file is known by device and inode, so that it keeps its mark when it is rotated to another name; a
hash of its first bytes tells a new file that got an old inode.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a file.

    Attributes
    ----------
    offset : int
        Bytes that need not be read again.
    head : str
        Hash of the first bytes of the file, as far as `offset` (at most 256).
    """

    offset: int
    head: str


class Marks:
    """Key of a file → the place up to which its records are stored.

    Parameters
    ----------
    path : Path
        Where the marks are kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.fresh = not path.exists()
        self._marks: dict[str, Mark] = {}
        if not self.fresh:
            found = json.loads(path.read_text())
            self._marks = {key: Mark(**mark) for key, mark in found["files"].items()}

    def get(self, key: str) -> Mark | None:
        return self._marks.get(key)

    def items(self) -> Iterable[tuple[str, Mark]]:
        return self._marks.items()

    def keep(self, places: Mapping[str, Mark]) -> None:
        """Move marks forward and write them; the file on disk is replaced as a whole."""
        self._marks.update(places)
        self._write()

    def forget(self, keys: Iterable[str]) -> None:
        """Drop the marks of files that are gone."""
        gone = [key for key in keys if self._marks.pop(key, None) is not None]
        if gone:
            self._write()

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"version": 1, "files": {key: asdict(mark) for key, mark in self._marks.items()}})
        temporary = self._path.with_name(self._path.name + ".new")
        with temporary.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, self._path)
        self.fresh = False
