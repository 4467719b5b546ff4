"""Installed packages: all of them into `ConfigurationData` once an hour, changes into `ConfigurationChange`.

Reads the lists of `dpkg-query` and `rpm`, whichever the machine has. Between two inventories the
lists are only read when the package manager wrote to its database.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from workbench.base import clock
from workbench.base.dtypes import format_datetime
from workbench.collect import programs
from workbench.collect.sources._card import NO_SETTINGS, Batch, Machine, Record, Settings, SourceCard
from workbench.collect.sources._changes import changed_marks, with_marks
from workbench.collect.sources._settings import flag_of, seconds_of
from workbench.collect.sources._turns import Turns

log = logging.getLogger("workbench.agent")
_FIELDS = ("${db:Status-Abbrev}", "${Package}", "${Version}", "${Architecture}", "${Maintainer}")
_DPKG = ("dpkg-query", "-W", "-f=" + "\\t".join((*_FIELDS, "${binary:Summary}")) + "\\n")
_RPM_FIELDS = ("ii", "%{NAME}", "%{VERSION}-%{RELEASE}", "%{ARCH}", "%{VENDOR}", "%{SUMMARY}")
_RPM = ("rpm", "-qa", "--queryformat", "\\t".join(_RPM_FIELDS) + "\\n")
_DATABASES = tuple(Path(p) for p in ("/var/lib/dpkg/status", "/var/lib/rpm", "/usr/lib/sysimage/rpm"))
_DEADLINE = 60.0
TURN_SECONDS = 60.0
INVENTORY_SECONDS = 3600.0
_COMPARED = ("SoftwareName", "CurrentVersion", "Architecture", "Publisher")


class Packages:
    """Lists the packages and compares them with the list before.

    Parameters
    ----------
    machine : Machine
    settings : mapping
        `inventoryFrequencyInSeconds` (3600 by default); `changes`: whether changes are told. Without
        a rule they are not where `dpkg.log` is followed, which tells them already.
    """

    def __init__(self, machine: Machine, settings: Settings = NO_SETTINGS) -> None:
        self._machine = machine
        followed = not settings and (machine.log_root / "dpkg.log").exists()
        self._tells = flag_of(settings, "changes", not followed)
        self._inventory = Turns(seconds_of(settings, "inventoryFrequencyInSeconds", INVENTORY_SECONDS))
        self._commands = [command for command in (_DPKG, _RPM) if shutil.which(command[0])]
        self._known: dict[str, Record] = dict(machine.marks)
        self._written: tuple[int, ...] | None = None
        if not self._commands:
            log.warning("neither dpkg-query nor rpm is on this machine: packages are not collected")

    def collect(self) -> Iterable[Batch]:
        written = _written()
        inventory = self._inventory.due()
        if not self._commands or (not inventory and written == self._written):
            return []
        found = self._listed()
        # Only now: a listing that failed is tried again at the next turn.
        self._written = written
        shared = {
            "TimeGenerated": format_datetime(clock.now_ticks()),
            "Computer": self._machine.computer,
            "SourceComputerId": self._machine.source_computer_id,
            "SoftwareType": "Package",
        }
        rows = [{**shared, "ConfigDataType": "Software", **package} for package in found]
        after = {f"{p['SoftwareName']}:{p['Architecture']}": _compared(p) for p in found}
        changes = self._changes(shared, after) if self._known and self._tells else []
        marks = changed_marks(self._known, after)
        self._known = after
        batches = [Batch("ConfigurationData", rows)] if inventory and rows else []
        if changes:
            batches.append(Batch("ConfigurationChange", changes))
        return with_marks(batches, marks, "ConfigurationData")

    def _listed(self) -> list[Record]:
        found: list[Record] = []
        for command in self._commands:
            ended = programs.run(command, seconds=_DEADLINE)
            if ended.why is not None:
                raise RuntimeError(f"{command[0]}: {ended.why}")
            found += parse(ended.out.decode("utf-8", "backslashreplace"), {})
        return found

    def _changes(self, shared: Record, after: dict[str, Record]) -> list[Record]:
        rows = []
        for name in sorted({*self._known, *after}):
            old, new = self._known.get(name), after.get(name)
            if old == new:
                continue
            package = new or old or {}
            rows.append(
                {
                    **shared,
                    "ConfigChangeType": "Software",
                    "ChangeCategory": "Modified" if old and new else "Added" if new else "Removed",
                    "SoftwareName": package["SoftwareName"],
                    "Publisher": package["Publisher"],
                    "Previous": old["CurrentVersion"] if old else "",
                    "Current": new["CurrentVersion"] if new else "",
                }
            )
        return rows


def _compared(package: Record) -> Record:
    return {name: package[name] for name in _COMPARED}


def _written() -> tuple[int, ...]:
    """When the databases of packages were last written."""
    times = []
    for path in _DATABASES:
        try:
            times.append(path.stat().st_mtime_ns)
        except OSError:
            times.append(0)
    return tuple(times)


def parse(listing: str, shared: Record) -> list[Record]:
    """The installed packages of a listing; `shared` goes into each record.

    Examples
    --------
    >>> parse("ii \\tbash\\t5.2\\tamd64\\tMatthias\\tGNU shell\\nrc \\told\\t1\\tall\\tx\\ty\\n", {})
    [{'SoftwareName': 'bash', 'CurrentVersion': '5.2', 'Architecture': 'amd64', 'Publisher': 'Matthias', 'SoftwareDescription': 'GNU shell'}]
    """
    records = []
    for line in listing.split("\n"):
        fields = line.split("\t", len(_FIELDS))
        if len(fields) != len(_FIELDS) + 1 or not fields[0].startswith("ii"):
            continue
        _, name, version, architecture, publisher, summary = fields
        records.append(
            {
                **shared,
                "SoftwareName": name,
                "CurrentVersion": version,
                "Architecture": architecture,
                "Publisher": publisher,
                "SoftwareDescription": summary,
            }
        )
    return records


CARD = SourceCard(
    "packages",
    ("ConfigurationData", "ConfigurationChange"),
    TURN_SECONDS,
    Packages,
    rule_key="packages",
)
