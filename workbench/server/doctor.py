"""`workbench doctor`: what is wrong with this machine, the workspace, its service and its agents, and what helps.

Each thing that is looked at gives one `Finding`: a plain sentence, and where something is wrong the command that
mends it. Changes nothing, and goes on whatever it meets. What it finds out about agents is in `doctor_agents`.
"""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.actions.runbook.isolation import DEFAULT_USER, NONE
from workbench.actions.runbook.isolation import asked as asked_user
from workbench.base import clock
from workbench.base.config import is_url
from workbench.base.dtypes import format_datetime
from workbench.base.errors import WorkbenchError
from workbench.repository.spool.room import room
from workbench.server.doctor_agents import Asked, agents_of_workspace, local_agent
from workbench.server.finding import Finding, clock_of
from workbench.server.place import Address, ServicePlace

if TYPE_CHECKING:
    from workbench.workspace import Workspace

_NEEDED = ("polars", "deltalake", "altair", "jupyterlab", "papermill", "vl-convert-python", "psutil")
_SLOW_DRAIN_SECONDS = 300
_DAY = "TimeGenerated > ago(1d)"
_SKEW_SECONDS = 60


def examine(workspace: str) -> list[Finding]:
    """Look at interpreter, packages, workspace, disk, clock, service, what it refused, and agents."""
    return list(_findings(workspace))


def _findings(workspace: str) -> Iterator[Finding]:
    yield Finding("python", "ok", f"{platform.python_version()} {sys.executable}")
    for name in ("workbench", *_NEEDED):
        yield _package(name)
    opened: Workspace | None = None
    place = ServicePlace(workspace)
    if is_url(workspace):
        yield Finding("workspace", "ok", workspace)
    else:
        found, opened = _workspace(Path(workspace).absolute())
        yield found
        yield _disk(Path(workspace).absolute())
    address = place.address()
    yield _service(place, address)
    if place.folder.exists():
        yield from _private(place)
        yield from _waiting(place, running=address is not None)
    asked = Asked(opened)
    yield _clock(asked, address)
    yield _isolation(asked)
    if opened is not None:
        yield from _refused(asked)
        yield from agents_of_workspace(asked)
    yield from local_agent(place, running=address is not None)
    for program, use in (("dpkg-query", "installed packages"), ("chromium", "tests in a browser")):
        there = shutil.which(program)
        yield Finding(program, "ok" if there else "note", there or f"not installed: no {use}")


def _package(name: str) -> Finding:
    try:
        return Finding(name, "ok", metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(name, "problem", "not installed in this environment", "pip install workbench")


# ---- workspace and disk -----------------------------------------------------------------------


def _workspace(path: Path) -> tuple[Finding, Workspace | None]:
    there = _nearest(path)
    if not path.exists():
        if os.access(there, os.W_OK):
            made = f"{path} is not there yet; the first start makes it"
            return Finding("workspace", "note", made, "workbench up"), None
        why = f"{path} can't be made: {there} is not writable"
        return Finding("workspace", "problem", why, f"chown {there}, or another --workspace"), None
    from workbench.workspace import open as open_workspace

    try:
        opened = open_workspace(str(path))
        tables = len(opened.tables)
    except WorkbenchError as broken:
        fix = broken.hint or "restore its workspace.json and catalog/ from a backup"
        return Finding("workspace", "problem", f"{path}: {broken.message}", fix), None
    if not os.access(path, os.W_OK):
        why = f"{path} is not writable for this user: queries work, records can't come in"
        return Finding("workspace", "problem", why, f"run as its owner, {_owner(path)}"), opened
    return Finding("workspace", "ok", f"{path}: {tables} tables"), opened


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except KeyError:
        return str(path.stat().st_uid)


def _nearest(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _disk(path: Path) -> Finding:
    disk = room(_nearest(path))
    detail = f"{_gib(disk.free)} of {_gib(disk.total)} GiB free"
    if not disk.is_near:
        return Finding("disk", "ok", detail)
    fix = "shorten a table: workbench tables shows their sizes, workbench retention T DAYS deletes old days"
    if disk.takes():
        near = f"{detail}: near the reserve of {_gib(disk.reserve)} GiB, below which no record is taken in"
        return Finding("disk", "note", near, fix)
    missing = f"free {_gib(disk.reserve - disk.free)} GiB"
    why = f"{detail}: below the reserve of {_gib(disk.reserve)} GiB, so records are refused with 503 and wait at their senders"
    return Finding("disk", "problem", why, f"{missing}, or {fix}")


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f}"


# ---- the service ------------------------------------------------------------------------------


def _service(place: ServicePlace, address: Address | None) -> Finding:
    if address is None:
        left = place.folder / "service.json"
        ended = " (it ended without a word: see its log)" if left.exists() else ""
        detail = f"not running{ended}: nothing comes in and no schedule runs; queries work"
        return Finding("service", "note", detail, "workbench up")
    status, why = clock_of(address.url)
    if status is None:
        detail = f"process {address.pid} holds the workspace and does not answer at {address.url} ({why})"
        fix = f"kill {address.pid}, then workbench up; acknowledged records are on disk"
        return Finding("service", "problem", detail, fix)
    return Finding("service", "ok", f"{address.url} answers (process {address.pid})")


def _private(place: ServicePlace) -> Iterator[Finding]:
    """Files that only their owner may read."""
    for name in ("owner.token",):
        path = place.folder / name
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            why = f"{path} can be read by other users of this machine: whoever has it owns the workspace"
            yield Finding(
                "token",
                "problem",
                why,
                f"chmod 600 {path}; then workbench token list, and revoke what is odd",
            )


def _waiting(place: ServicePlace, *, running: bool) -> Iterator[Finding]:
    """Acknowledged records that are in no data file yet."""
    files = [p for p in (place.folder / "spool").rglob("*") if p.is_file()]
    sizes = {path: path.stat() for path in files if path.exists()}
    used = {p: s for p, s in sizes.items() if s.st_blocks and s.st_size > 4096}
    if not used:
        return
    size = sum(min(s.st_size, s.st_blocks * 512) for s in used.values())
    age = clock.now_us() / 1e6 - min(s.st_mtime for s in used.values())
    detail = f"{size / 2**20:.1f} MiB of records wait to be moved into tables; queries see them"
    if not running:
        yield Finding("spool", "note", f"{detail}; the service moves them", "workbench up")
    elif age > _SLOW_DRAIN_SECONDS:
        why = f"{detail}, the oldest for {int(age // 60)} minutes: the mover is stuck"
        yield Finding(
            "spool", "problem", why, "see Operation: workbench query 'Operation | top 20 by TimeGenerated'"
        )
    else:
        yield Finding("spool", "ok", detail)


def _clock(asked: Asked, address: Address | None) -> Finding:
    now = clock.now_us()
    text = format_datetime(now * 10)[:19] + "Z"
    newest = asked.value("union isfuzzy=true Heartbeat, Perf, Operation | summarize max(_TimeReceived)")
    if newest is not None and newest > now + _SKEW_SECONDS * 1_000_000:
        ahead = int((newest - now) / 1e6)
        why = f"it is {text}, and a record came in {ahead:,} seconds later: the clock was set back"
        return Finding(
            "clock", "problem", why, "set it right (timedatectl set-ntp true); alerts wait until then"
        )
    if now < 1_700_000_000_000_000:
        return Finding("clock", "problem", f"it says {text}", "set it: timedatectl set-ntp true")
    return Finding("clock", "ok", text)


def _isolation(asked: Asked) -> Finding:
    """As whom jobs run: as the newest of them says, else as the next one would."""
    newest = asked.rows(
        "Job | where isnotempty(Isolation) | top 1 by TimeGenerated | project Isolation, Worker"
    )
    if newest and newest[0][0] != NONE:
        return Finding("isolation", "ok", f"jobs run as {newest[0][0]}, who sees neither workspace nor keys")
    user = asked_user("")
    if user is not None and not newest:
        return Finding("isolation", "ok", f"jobs will run as user {user.name}")
    detail = (
        "isolation: none: jobs run as the user of the service, and can read what it can: workspace and keys"
    )
    fix = f"useradd --system --no-create-home {DEFAULT_USER}, and run the service as root"
    if user is not None:
        fix = "the log of the worker (state/logs/worker.log) says why not"
    return Finding("isolation", "note", detail, fix)


def _refused(asked: Asked) -> Iterator[Finding]:
    """What of a day could not be stored, and what went wrong."""
    bad = asked.rows(f"_Quarantine | where {_DAY} | summarize n=count() by Table, Reason | top 1 by n")
    if bad:
        table, reason, count = bad[0]
        total = asked.value(f"_Quarantine | where {_DAY} | count") or count
        detail = f"{total:,} records of the last day could not be stored, most often for {table}: {reason}"
        yield Finding("records", "note", detail, "workbench query '_Quarantine | take 10' shows them, whole")
    else:
        yield Finding("records", "ok", "none of the last day had to be set aside")
    errors = asked.rows(
        f"Operation | where {_DAY} and OperationStatus == 'Error' "
        "| extend Key=column_ifexists('OperationKey', '') "
        "| summarize n=count(), arg_max(TimeGenerated, Detail) by OperationCategory, Key | top 3 by n"
    )
    for category, key, count, _, detail in errors:
        text = f"{category}{f' ({key})' if key else ''}, {count:,} times in the last day: {detail}"
        query = f"Operation | where OperationCategory == '{category}' | top 10 by TimeGenerated"
        yield Finding("operation", "note", text, f'workbench query "{query}"')
