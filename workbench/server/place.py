"""Where a workspace's service is found: its lock, its address and its owner's token, as files.

`state/service.lock` is held by `flock` as long as the service lives (the kernel frees it, even after
kill -9); `state/service.json` says `{"url", "pid", "workspace_id"}`; `state/owner.token` (mode 0600)
is the secret of whoever owns the workspace. This module opens no socket.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from workbench.base.config import state_folder
from workbench.base.diagnostics import service as diagnostics


@dataclass(frozen=True, slots=True)
class Address:
    """A running service: its URL without a slash at the end, its process, its workspace."""

    url: str
    pid: int
    workspace_id: str


class ServicePlace:
    """The files of the service of one workspace.

    Parameters
    ----------
    workspace : str
        Folder or URL.
    """

    def __init__(self, workspace: str) -> None:
        self.workspace = workspace
        self.folder = state_folder(workspace)

    @property
    def logs(self) -> Path:
        """The folder for the logs of the processes around the service; made when missing."""
        folder = self.folder / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the one service of the workspace inside the block.

        Raises
        ------
        WorkbenchError
            SRV001 when another process is.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.folder / "service.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                _lock(handle)
            except BlockingIOError:
                there = self._read()
                raise diagnostics.service_runs_already(
                    there.url if there else "starting", there.pid if there else 0
                ) from None
            yield
        finally:
            os.close(handle)

    def publish(self, address: Address) -> None:
        """Say where the service is; a reader sees the old file or the new one, never half of it."""
        text = orjson.dumps({"url": address.url, "pid": address.pid, "workspace_id": address.workspace_id})
        _write_private(self.folder / "service.json", text + b"\n")

    def withdraw(self) -> None:
        (self.folder / "service.json").unlink(missing_ok=True)

    def address(self) -> Address | None:
        """Where the service is, or None when none runs (a file left by kill -9 does not count)."""
        return self._read() if self._is_held() else None

    def token(self, *, create: bool = False) -> str | None:
        """The owner's token, made once when `create`; None when there is none."""
        path = self.folder / "owner.token"
        if not path.exists():
            if not create:
                return None
            self.folder.mkdir(parents=True, exist_ok=True)
            _write_private(path, secrets.token_urlsafe(32).encode() + b"\n")
        return path.read_text().strip()

    def _is_held(self) -> bool:
        try:
            handle = os.open(self.folder / "service.lock", os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    def _read(self) -> Address | None:
        try:
            found: Any = orjson.loads((self.folder / "service.json").read_bytes())
            return Address(str(found["url"]), int(found["pid"]), str(found["workspace_id"]))
        except (FileNotFoundError, orjson.JSONDecodeError, KeyError, ValueError, TypeError):
            return None


def _lock(handle: int) -> None:
    """Take the lock. Who only looks whether it is held (`address`) holds it for a moment himself."""
    for _ in range(10):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(0.02)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _write_private(path: Path, data: bytes) -> None:
    """Replace a file as a whole; nobody but its owner may read it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
