"""`ConfigurationData`: the installed packages of the machine, at start and once an hour.

Reads the list of `dpkg-query`; a machine without it has no such records.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Iterable

from workbench.base import clock
from workbench.base.dtypes import format_datetime
from workbench.collect.sources._card import Batch, Machine, Record, SourceCard

log = logging.getLogger("workbench.agent")
_FIELDS = (
    "${db:Status-Abbrev}",
    "${Package}",
    "${Version}",
    "${Architecture}",
    "${Maintainer}",
    "${binary:Summary}",
)
_FORMAT = "\\t".join(_FIELDS) + "\\n"
_DEADLINE = 60


class Packages:
    """Writes one record an installed package a reading."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._program = shutil.which("dpkg-query")
        if self._program is None:
            log.warning("no dpkg-query on this machine: installed packages are not collected")

    def collect(self) -> Iterable[Batch]:
        if self._program is None:
            return []
        listed = subprocess.run(
            [self._program, "-W", f"-f={_FORMAT}"], capture_output=True, check=True, timeout=_DEADLINE
        )
        shared = {
            "TimeGenerated": format_datetime(clock.now_ticks()),
            "Computer": self._machine.computer,
            "ConfigDataType": "Software",
            "SoftwareType": "Package",
            "SourceComputerId": self._machine.source_computer_id,
        }
        records = parse(listed.stdout.decode("utf-8", "backslashreplace"), shared)
        return [Batch("ConfigurationData", records)] if records else []


def parse(listing: str, shared: Record) -> list[Record]:
    """The installed packages of a listing; `shared` goes into each record.

    Examples
    --------
    >>> parse("ii \\tbash\\t5.2\\tamd64\\tMatthias\\tGNU shell\\nrc \\told\\t1\\tall\\tx\\ty\\n", {})
    [{'SoftwareName': 'bash', 'CurrentVersion': '5.2', 'Architecture': 'amd64', 'Publisher': 'Matthias', 'SoftwareDescription': 'GNU shell'}]
    """
    records = []
    for line in listing.split("\n"):
        fields = line.split("\t")
        if len(fields) != len(_FIELDS) or not fields[0].startswith("ii"):
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


CARD = SourceCard("packages", ("ConfigurationData",), 3600, Packages)
