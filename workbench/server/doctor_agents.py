"""What `workbench doctor` says of agents: those that report to the workspace, and the one of this machine."""

from __future__ import annotations

import datetime as dt
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.base.errors import WorkbenchError
from workbench.collect.agent import enrolment
from workbench.collect.sources._own_files import read_own
from workbench.server.finding import Finding, clock_of
from workbench.server.local_agent import LOCK, default_state, machine_settings
from workbench.server.place import ServicePlace

if TYPE_CHECKING:
    from workbench.workspace import Workspace

SILENT_MINUTES = 15
_MOST_NAMED = 5
_SKEW_SECONDS = 300.0


class Asked:
    """Asks a workspace, where there is one; a table that is not there yet has no rows."""

    def __init__(self, workspace: Workspace | None) -> None:
        self._workspace = workspace

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        if self._workspace is None:
            return []
        try:
            return list(self._workspace.query(query).frame.rows())
        except WorkbenchError:
            return []

    def value(self, query: str) -> int | None:
        """The first value, a time as microseconds since 1970."""
        rows = self.rows(query)
        found = rows[0][0] if rows else None
        if isinstance(found, dt.datetime):
            return int(found.replace(tzinfo=dt.UTC).timestamp() * 1e6)
        return int(found) if found is not None else None


def agents_of_workspace(asked: Asked) -> Iterator[Finding]:
    """Machines that were heard of in the last day, and those of them that are silent now."""
    heard = asked.rows(
        "Heartbeat | where TimeGenerated > ago(1d) | summarize last=max(TimeGenerated) by Computer "
        "| extend minutes=datetime_diff('minute', now(), last) | project Computer, minutes | order by minutes"
    )
    silent = [(computer, minutes) for computer, minutes in heard if minutes >= SILENT_MINUTES]
    if heard and not silent:
        yield Finding("agents", "ok", f"all {len(heard)} that were heard of in the last day report")
    for computer, minutes in silent[:_MOST_NAMED]:
        detail = f"{computer} was heard of for the last time {minutes} minutes ago"
        fix = (
            f"there: systemctl status workbench-agent, or workbench agent run; workbench doctor on {computer}"
        )
        yield Finding("agents", "problem", detail, fix)
    if len(silent) > _MOST_NAMED:
        yield Finding("agents", "problem", f"{len(silent) - _MOST_NAMED} more machines are silent")
    skewed = asked.rows(
        "Heartbeat | where TimeGenerated > ago(1d) | extend late=datetime_diff('second', _TimeReceived, TimeGenerated) "
        f"| summarize late=min(late) by Computer | where late < -{_SKEW_SECONDS:.0f} | project Computer, late | take 5"
    )
    for computer, late in skewed:
        detail = (
            f"the clock of {computer} is {-late:,} seconds ahead; records more than a day ahead are set aside"
        )
        yield Finding("agents", "problem", detail, f"on {computer}: timedatectl set-ntp true")


def local_agent(place: ServicePlace, *, running: bool) -> Iterator[Finding]:
    """The agent of this machine: that of the workspace, and one that reports to a service elsewhere."""
    folders = [place.folder / "agent"]
    if default_state() not in folders and default_state().exists():
        folders.append(default_state())
    for folder in folders:
        yield from _agent(folder, elsewhere=folder != folders[0], running=running)


def _agent(folder: Path, *, elsewhere: bool, running: bool) -> Iterator[Finding]:
    start = f"workbench agent run --state {folder}" if elsewhere else "workbench agent"
    if not folder.exists():
        yield Finding(
            "agent", "note", "none was ever started here: this machine's own records are missing", start
        )
        return
    identity = enrolment.load(folder)
    if identity is None:
        fix = f"workbench agent enrol URL --key - --state {folder}" if elsewhere else "workbench up"
        yield Finding("agent", "problem", f"the agent in {folder} has no identity, so it can't send", fix)
    elif not _is_running(folder):
        yield Finding(
            "agent",
            "problem",
            f"the agent in {folder} does not run: nothing of this machine is collected",
            start,
        )
    else:
        yield Finding("agent", "ok", f"runs, as {identity.id}")
    if identity is not None and identity.url:
        yield _its_service(identity.url)
    try:
        settings = machine_settings(folder)
    except WorkbenchError as wrong:
        yield Finding("agent.yaml", "problem", f"{wrong.message}: the agent does not start", wrong.hint or "")
        return
    yield from _spool(folder, settings.spool_bytes, running=running or elsewhere)
    yield from _commands(settings.commands)


def _is_running(folder: Path) -> bool:
    try:
        handle = os.open(folder / LOCK, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _its_service(url: str) -> Finding:
    ahead, why = clock_of(url)
    if ahead is None:
        fix = "start it there, or look at the way to it; records wait on disk until then"
        return Finding("agent", "problem", f"its service at {url} does not answer ({why})", fix)
    if abs(ahead) > _SKEW_SECONDS:
        detail = f"this machine's clock is {abs(ahead):,.0f} seconds {'behind' if ahead > 0 else 'ahead of'} that of {url}"
        return Finding("clock", "problem", detail, "timedatectl set-ntp true")
    return Finding("agent", "ok", f"{url} answers")


def _spool(folder: Path, limit: int, *, running: bool) -> Iterator[Finding]:
    files = sorted((folder / "spool").glob("*.spool"))
    size = sum(path.stat().st_size for path in files if path.exists())
    if size > 0.8 * limit:
        detail = f"its spool holds {size / 2**20:,.0f} of {limit / 2**20:,.0f} MiB: Perf, then the oldest records, are dropped when it is full"
        fix = "make its service reachable, or raise spool_bytes in agent.yaml"
        yield Finding("agent spool", "problem", detail, fix)
    elif len(files) > 1:
        detail = f"about {size / 2**20:,.0f} MiB wait to be sent, of at most {limit / 2**20:,.0f}"
        yield Finding(
            "agent spool", "note" if running else "problem", detail, "" if running else "workbench up"
        )
    elif files:
        yield Finding("agent spool", "ok", f"nothing to speak of waits ({size / 2**20:.1f} MiB)")


def _commands(folder: Path) -> Iterator[Finding]:
    """Command files that the agent would not believe."""
    for path in sorted(folder.glob("*")) if folder.is_dir() else []:
        try:
            read_own(path)
        except WorkbenchError as wrong:
            fix = wrong.hint or f"chown root {path}; chmod 644 {path}"
            yield Finding("commands.d", "problem", f"{path} is not used: {wrong.message}", fix)
        except OSError as broken:
            yield Finding("commands.d", "problem", f"{path} can't be read ({broken.strerror})")
