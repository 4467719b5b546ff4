"""The small files of a workspace (workspace file, catalog) and the locks of this machine.

In goes a name below the workspace, out come bytes; `replace` is atomic and durable, so a reader
sees the old or the new file and never a part. Locks are `flock` on files of the state folder: the
kernel frees them when a process dies, however it dies. Must not know what the files mean.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from workbench.base.config import is_url
from workbench.base.diagnostics import repository as diagnostics

Stamp = tuple[int, int, int]


class Files(Protocol):
    """Small files by name. `replace` and `remove` may be repeated; they are all or nothing."""

    def read(self, name: str) -> bytes | None: ...
    def replace(self, name: str, data: bytes) -> None: ...
    def remove(self, name: str) -> None: ...
    def names(self, folder: str) -> list[str]: ...
    def stamp(self, name: str) -> Stamp | None:
        """Something that changes when the file (or the list of a folder) changes; None: absent."""


class LocalFiles:
    """Files in a folder of this machine."""

    def __init__(self, root: str) -> None:
        self._root = Path(root)

    def read(self, name: str) -> bytes | None:
        try:
            return (self._root / name).read_bytes()
        except FileNotFoundError:
            return None

    def replace(self, name: str, data: bytes) -> None:
        target = self._root / name
        temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            temporary.replace(target)
            sync(target.parent)
        except OSError as e:
            temporary.unlink(missing_ok=True)
            raise diagnostics.not_writable(str(target), e.strerror or str(e)) from e

    def remove(self, name: str) -> None:
        target = self._root / name
        try:
            target.unlink(missing_ok=True)
            sync(target.parent)
        except OSError as e:
            raise diagnostics.not_writable(str(target), e.strerror or str(e)) from e

    def names(self, folder: str) -> list[str]:
        try:
            found = os.listdir(self._root / folder)
        except FileNotFoundError:
            return []
        return sorted(n for n in found if not n.startswith("."))

    def stamp(self, name: str) -> Stamp | None:
        try:
            found = os.stat(self._root / name)
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size


def files_of(path: str) -> Files:
    """The files of the workspace at `path`; raises REP002 for an object-store URL."""
    if is_url(path):
        raise diagnostics.url_not_supported(path)
    return LocalFiles(path)


def sync(path: str | Path) -> None:
    """Have the kernel put a file or folder on disk, so that it outlives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Locks:
    """Named locks of this machine, for threads and processes alike. Not reentrant."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def exclusive(self, name: str) -> Iterator[None]:
        """Alone inside the block; waits without a limit."""
        with self._held(name, fcntl.LOCK_EX):
            yield

    @contextmanager
    def shared(self, name: str) -> Iterator[None]:
        """Together with other holders of `shared`, never beside an `exclusive` one."""
        with self._held(name, fcntl.LOCK_SH):
            yield

    @contextmanager
    def _held(self, name: str, kind: int) -> Iterator[None]:
        descriptor = open_lock(self._folder / f"{name}.lock")
        try:
            fcntl.flock(descriptor, kind)
            yield
        finally:
            os.close(descriptor)  # closing the only descriptor of this opening frees the lock


def open_lock(path: Path) -> int:
    """Open (and make) a lock file. Lock files are never deleted: that would split a lock in two."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as e:
        raise diagnostics.not_writable(str(path), e.strerror or str(e)) from e
