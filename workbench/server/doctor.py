"""`workbench doctor`: what this machine has of what is needed, as a short list."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from workbench.base.config import is_url
from workbench.server.place import ServicePlace

_NEEDED = ("polars", "deltalake", "altair", "jupyterlab", "papermill", "vl-convert-python", "psutil")
_RESERVE_SHARE, _RESERVE_BYTES = 0.05, 256 << 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `state` is `ok`, `note` (works, with less) or `missing`."""

    what: str
    state: str
    detail: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def examine(workspace: str) -> list[Finding]:
    """Look at interpreter, packages, workspace, disk, service and programs; changes nothing."""
    return list(_findings(workspace))


def _findings(workspace: str) -> Iterator[Finding]:
    yield Finding("python", "ok", f"{platform.python_version()} {sys.executable}")
    for name in ("workbench", *_NEEDED):
        yield _package(name)
    yield from _place(workspace)
    yield _service(workspace)
    for program, use in (("dpkg-query", "installed packages"), ("chromium", "tests in a browser")):
        found = shutil.which(program)
        yield Finding(program, "ok" if found else "note", found or f"not installed: no {use}")


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, "missing", "not installed in this environment")


def _place(workspace: str) -> Iterator[Finding]:
    if is_url(workspace):
        yield Finding("workspace", "ok", workspace)
        return
    path = Path(workspace).absolute()
    there = path
    while not there.exists():
        there = there.parent
    if path.exists():
        yield Finding("workspace", "ok", str(path))
    elif os.access(there, os.W_OK):
        yield Finding("workspace", "note", f"{path} is made at the first start")
    else:
        yield Finding("workspace", "missing", f"{path} can't be made: {there} is not writable")
    disk = shutil.disk_usage(there)
    enough = disk.free > max(_RESERVE_SHARE * disk.total, _RESERVE_BYTES)
    detail = f"{disk.free / 2**30:.1f} of {disk.total / 2**30:.1f} GiB free"
    yield Finding("disk", "ok" if enough else "missing", detail)


def _service(workspace: str) -> Finding:
    address = ServicePlace(workspace).address()
    if address is None:
        return Finding("service", "note", "not running; start it with: workbench up")
    return Finding("service", "ok", f"{address.url} (process {address.pid})")
