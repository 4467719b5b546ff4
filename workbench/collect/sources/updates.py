"""Pending updates of packages into `Update` and `UpdateSummary`, every three hours.

Every scan tells all updates that are needed, and once those that no longer are. A scan that failed
is an `Operation` record and nothing else: it never looks like a machine that needs no updates.
"""

from __future__ import annotations

import logging
import platform
import shutil
import threading
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

from workbench.base import clock
from workbench.base.dtypes import format_datetime
from workbench.collect.sources import _apt
from workbench.collect.sources._card import NO_SETTINGS, Batch, Machine, Record, Settings, SourceCard
from workbench.collect.sources._changes import changed_marks, with_marks
from workbench.collect.sources._settings import seconds_of
from workbench.collect.sources._turns import Turns

log = logging.getLogger("workbench.agent")
TURN_SECONDS = 5.0
SCAN_SECONDS = 3 * 3600.0
OLD_DAYS = 14
_RESTART = Path("/run/reboot-required")


class Updates:
    """Scans apart from the agent's turns, as a scan takes seconds.

    Parameters
    ----------
    machine : Machine
    settings : mapping
        `scanFrequencyInSeconds` (10800 by default, at least 60).
    scan : callable
        Finds what is pending, or raises `ScanFailed`.
    """

    def __init__(
        self,
        machine: Machine,
        settings: Settings = NO_SETTINGS,
        scan: Callable[[], _apt.Scan] = _apt.scan,
    ) -> None:
        self._machine = machine
        self._scan = scan
        self._turns = Turns(seconds_of(settings, "scanFrequencyInSeconds", SCAN_SECONDS, 60))
        self._needed: dict[str, Record] = dict(machine.marks)
        self._found: _apt.Scan | str | None = None
        self._thread: threading.Thread | None = None

    def collect(self) -> Iterable[Batch]:
        """What the last scan found, once; a scan that is due is started and not waited for."""
        if (self._thread is None or not self._thread.is_alive()) and self._turns.due():
            self._thread = threading.Thread(target=self._run, name="update scan", daemon=True)
            self._thread.start()
        found, self._found = self._found, None
        if found is None:
            return []
        shared = {
            "TimeGenerated": format_datetime(clock.now_ticks()),
            "Computer": self._machine.computer,
            "SourceComputerId": self._machine.source_computer_id,
        }
        if isinstance(found, str):
            return [self._told(shared, "Error", f"the scan for updates failed: {found}")]
        return self._batches(shared, found)

    def _run(self) -> None:
        try:
            if self._scan is _apt.scan and shutil.which("apt-get") is None:
                raise _apt.ScanFailed("there is no apt-get, and no other way to ask is known here")
            self._found = self._scan()
        except _apt.ScanFailed as failed:
            log.warning("the scan for updates failed: %s", failed)
            self._found = str(failed)

    def _batches(self, shared: Record, found: _apt.Scan) -> list[Batch]:
        needed = {f"{p.name}:{p.architecture}": _update(p) for p in found.pending}
        gone = [update for name, update in self._needed.items() if name not in needed]
        system = _system()
        rows = [{**shared, **system, **update, "UpdateState": "Needed"} for update in needed.values()]
        rows += [{**shared, **system, **update, "UpdateState": "Not needed"} for update in gone]
        security = sum(pending.security for pending in found.pending)
        summary = {
            **shared,
            "OsVersion": system["OSVersion"],
            "TotalUpdatesMissing": len(needed),
            "SecurityUpdatesMissing": security,
            "OtherUpdatesMissing": len(needed) - security,
            "RestartPending": _RESTART.exists(),
        }
        batches = [Batch("Update", rows)] if rows else []
        batches.append(Batch("UpdateSummary", [summary]))
        days = int((clock.now_us() / 1e6 - found.listed) / 86_400)
        if days >= OLD_DAYS:
            told = f"the package lists are {days} days old: updates published since then are not known"
            batches.append(self._told(shared, "Warning", told))
        marks = changed_marks(self._needed, needed)
        self._needed = needed
        return with_marks(batches, marks, "Update")

    def _told(self, shared: Record, status: str, detail: str) -> Batch:
        event = {"OperationCategory": "Updates", "OperationStatus": status, "Detail": detail}
        return Batch("Operation", [shared | event])


def _update(pending: _apt.Pending) -> Record:
    identity = f"{pending.name}:{pending.architecture}={pending.candidate}"
    return {
        "Title": pending.name,
        "Product": pending.name,
        "ProductVersion": pending.candidate,
        "ProductArch": pending.architecture,
        "PackageRepository": pending.origin,
        "Classification": "Security Updates" if pending.security else "Others",
        "Optional": pending.kept_back,
        "UpdateID": str(uuid.uuid5(uuid.NAMESPACE_URL, f"package:{identity}")),
    }


def _system() -> Record:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    return {
        "OSType": platform.system(),
        "OSName": release.get("NAME", ""),
        "OSVersion": release.get("VERSION_ID", ""),
        "OSFullName": release.get("PRETTY_NAME", ""),
    }


CARD = SourceCard(
    "updates",
    ("Update", "UpdateSummary", "Operation"),
    TURN_SECONDS,
    Updates,
    first_after=10,
    rule_key="updates",
)
