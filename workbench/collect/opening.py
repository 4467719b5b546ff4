"""A source of an import: a file or standard input, its identity, and the files of records in it.

In goes a path or `-`, out come a content hash and `Member`s. What can't be read twice (standard
input, a pipe) is first written to a temporary file in the workspace's state folder, so it is bounded
by the disk and not by memory. Must not know records.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, cast

from workbench.base import clock
from workbench.base.diagnostics import collect as diagnostics
from workbench.collect.archives import members
from workbench.collect.streams import PIECE, Member, Stream

STANDARD_INPUT = "-"
_READ = 8 << 20  # as much as a reader of lines asks for: then nothing has to be put together
Progress = Callable[[int, int | None], None]


@dataclass(slots=True)
class Source:
    """An open source. A context manager.

    Attributes
    ----------
    name : str
        The path as it was given; `stdin` for standard input.
    digest : str
        SHA-256 of its bytes, hexadecimal.
    size : int
        Bytes; what is written to the file later is not read.
    modified : float
        When it was last written, in seconds since 1970.
    position : int
        How many bytes were read by `members`.
    """

    name: str
    file: IO[bytes]
    digest: str
    size: int
    modified: float
    spool: str
    position: int = 0

    def members(self) -> Iterator[Member]:
        """The files of records in it, from the start."""
        self.file.seek(0)
        self.position = 0
        whole = Member(self.name, Stream(self._pieces()), self.modified, self.spool)
        return members(whole, cast(IO[bytes], _Watched(self)))

    def _pieces(self) -> Iterator[bytes]:
        while self.position < self.size:
            data = self.file.read(min(_READ, self.size - self.position))
            if not data:
                return
            self.position += len(data)
            yield data

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.file.close()


class _Watched:
    """The file of a source under another reader: where it reads is how far the source is."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.closed = False

    def read(self, count: int = -1) -> bytes:
        data = self._source.file.read(count)
        self._source.position = min(self._source.file.tell(), self._source.size)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._source.file.seek(offset, whence)

    def tell(self) -> int:
        return self._source.file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        """The source closes its file itself."""

    def __enter__(self) -> _Watched:
        return self

    def __exit__(self, *error: object) -> None:
        return None


def open_source(path: str | Path, state: Path, progress: Progress = lambda done, total: None) -> Source:
    """Open a file, or standard input for `-`, and take its content hash.

    Parameters
    ----------
    path : str or Path
    state : Path
        The workspace's state folder; temporary files lie in `imports` there.
    progress : callable
        Told the bytes of standard input that have come.

    Raises
    ------
    WorkbenchError
        IMP001, IMP002 or IMP003 when it can't be read.
    """
    spool = state / "imports"
    spool.mkdir(parents=True, exist_ok=True)
    if str(path) == STANDARD_INPUT:
        return _spooled("stdin", sys.stdin.buffer, spool, progress)
    name = str(path)
    try:
        file = open(path, "rb")  # noqa: SIM115  (Source closes it)
    except FileNotFoundError:
        raise diagnostics.no_such_file(name) from None
    except IsADirectoryError:
        raise diagnostics.is_folder(name) from None
    except OSError as e:
        raise diagnostics.not_readable(name, e.strerror or str(e)) from e
    with contextlib.ExitStack() as on_error:
        on_error.callback(file.close)
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            with file:
                return _spooled(name, file, spool, progress)
        try:
            digest, size = _hash(file)
        except OSError as e:
            raise diagnostics.not_readable(name, e.strerror or str(e)) from e
        on_error.pop_all()
    return Source(name, file, digest, size, status.st_mtime, str(spool))


def _hash(file: IO[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while data := file.read(PIECE):
        digest.update(data)
        size += len(data)
    return digest.hexdigest(), size


def _spooled(name: str, stream: IO[bytes], spool: Path, progress: Progress) -> Source:
    # Without a name in the folder: the kernel takes it back however this process ends.
    file = tempfile.TemporaryFile(dir=spool)  # noqa: SIM115  (its user closes it)
    digest, size = hashlib.sha256(), 0
    while data := stream.read(PIECE):
        digest.update(data)
        file.write(data)
        size += len(data)
        progress(size, None)
    file.flush()
    return Source(name, file, digest.hexdigest(), size, clock.now_us() / 1e6, str(spool))
