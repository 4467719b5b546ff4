"""Who reads which version of a table: leases, so that vacuum leaves the data files that a running query needs.

In go a table's folder and version, out comes a lease that lasts as long as its holder keeps it. A lease is an empty file
of the state folder, named by both. It counts while its process holds a lock file beside it by `flock`: the kernel frees
that when the process dies, however it dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import threading
import uuid
from pathlib import Path

_LOCK = "lock"


class Lease:
    """The right to read the files that were in a version of a table or in a later one, until it is dropped."""

    __slots__ = ("_path", "_readers")

    def __init__(self, path: str, readers: Readers) -> None:
        self._path = path
        self._readers = readers  # whose lock it needs

    def release(self) -> None:
        """End it; doing so twice does no harm."""
        path, self._path = self._path, ""
        if path:
            with contextlib.suppress(OSError):  # what a broken disk leaves ends with the process
                os.unlink(path)

    def __del__(self) -> None:
        self.release()


class Readers:
    """The leases of a workspace. Safe for threads.

    Parameters
    ----------
    folder : Path
        Where they lie; made when the first one is taken.

    Examples
    --------
    >>> import tempfile
    >>> readers = Readers(Path(tempfile.mkdtemp()))
    >>> lease = readers.lease("Perf", 7)
    >>> readers.oldest("Perf"), readers.oldest("Event")
    (7, None)
    >>> lease.release()
    >>> readers.oldest("Perf") is None
    True
    """

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._reader = uuid.uuid4().hex
        self._descriptor: int | None = None
        self._guard = threading.Lock()
        self._numbers = itertools.count()

    def lease(self, table: str, version: int) -> Lease | None:
        """Take a lease; after that the table's log has to be opened, at this version or a later one.

        Parameters
        ----------
        table : str
            The table's folder.
        version : int
            -1 stands for any version.

        Returns
        -------
        Lease or None
            None where nothing can be written (a full disk, another user's workspace): queries run there, too, and
            rely on the hours that vacuum waits.
        """
        path = f"{self._folder}/{self._reader}.{next(self._numbers)}.{version}.{table}"
        try:
            self._live()
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644))
        except OSError:
            return None
        return Lease(path, self)

    def _live(self) -> None:
        """Have the lock by which this process shows that it lives."""
        with self._guard:
            while self._descriptor is None:
                os.makedirs(self._folder, exist_ok=True)
                descriptor = os.open(f"{self._folder}/{self._reader}.{_LOCK}", os.O_RDWR | os.O_CREAT, 0o644)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                except OSError:
                    os.close(descriptor)
                    raise
                # Between making and locking it, vacuum can have taken it for that of a dead one.
                if os.fstat(descriptor).st_nlink:
                    self._descriptor = descriptor
                else:
                    os.close(descriptor)

    def __del__(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def oldest(self, table: str) -> int | None:
        """The oldest version of a table (its folder) that somebody may still read; None: nobody reads it.

        Who takes a lease after this call opens the log after it, too. Leases of the dead are deleted.
        """
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return None
        alive: dict[str, bool] = {}
        versions = []
        for name in names:
            reader, _, rest = name.partition(".")
            if reader not in alive:
                alive[reader] = self._is_held(f"{self._folder}/{reader}.{_LOCK}")
            if not alive[reader]:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(f"{self._folder}/{name}")
            elif rest != _LOCK:
                _, version, folder = rest.split(".", 2)
                versions += [int(version)] if folder == table else []
        return min(versions, default=None)

    def _is_held(self, path: str) -> bool:
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            # Deleted while it is held: who waits for it sees that.
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            return False
        finally:
            os.close(descriptor)
