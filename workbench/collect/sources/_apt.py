"""What apt would upgrade, found by a simulation that writes nothing on the machine.

A simulation over missing package lists ends well and finds nothing, and so would be taken for "no
updates": `scan` refuses it, and every other scan that did not run to its end.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.collect import programs

LISTS = Path("/var/lib/apt/lists")
_STAMP = Path("/var/lib/apt/periodic/update-success-stamp")
_DEADLINE = 300.0
# Without caches, apt keeps what it reads in memory and writes no file.
_ARGUMENTS = ("-s", "-V", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
              "-o", "Debug::NoLocking=1")  # fmt: skip
_INST = re.compile(
    r"Inst (?P<name>\S+) \[(?P<old>[^\]]+)\] \((?P<new>\S+) (?P<origin>.*?) ?\[(?P<arch>[^\]]+)\]\)"
)
_KEPT = re.compile(r" +(?P<name>[^\s:(]+)(:(?P<arch>\S+))? \((?P<old>\S+) => (?P<new>\S+)\)")
_SUMMARY = re.compile(r"\d+ upgraded, \d+ newly installed, \d+ to remove and \d+ not upgraded\.")


class ScanFailed(Exception):
    """Why nothing is known about pending updates."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A package that has a newer version.

    Attributes
    ----------
    name, architecture, installed, candidate : str
    origin : str
        The archives that have the candidate; "" where apt does not say.
    kept_back : bool
        Held, phased, or to be upgraded only along with others: an upgrade leaves it alone.
    """

    name: str
    architecture: str
    installed: str
    candidate: str
    origin: str = ""
    kept_back: bool = False

    @property
    def security(self) -> bool:
        """Whether an archive of security updates has it."""
        return "security" in self.origin.lower()


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan found; `listed` is when the package lists were fetched (seconds since 1970)."""

    pending: tuple[Pending, ...]
    listed: float


def scan(program: str = "apt-get", lists: Path = LISTS, options: Sequence[str] = ()) -> Scan:
    """Ask apt what it would upgrade.

    Raises
    ------
    ScanFailed
        When there are no package lists, apt failed, or its answer has no end.
    """
    try:
        listed = _listed(lists)
        command = [program, *_ARGUMENTS, "-o", f"Dir::State::lists={lists}", *options, "dist-upgrade"]
        ended = programs.run(command, seconds=_DEADLINE)
    except OSError as broken:
        raise ScanFailed(str(broken)) from broken
    if ended.why is not None:
        raise ScanFailed(f"apt-get: {ended.why}")
    text = ended.out.decode("utf-8", "backslashreplace")
    if not _SUMMARY.search(text):
        raise ScanFailed("apt-get: its answer has no end")
    return Scan(tuple(parse(text)), listed)


def _listed(lists: Path) -> float:
    if not any(lists.glob("*Packages*")):
        raise ScanFailed(f"{lists} holds no package lists: 'apt-get update' did not run on this machine")
    times = [lists.stat().st_mtime]
    if lists == LISTS and _STAMP.exists():
        times.append(_STAMP.stat().st_mtime)
    return max(times)


def parse(text: str) -> Iterator[Pending]:
    """The packages of the output of `apt-get -s -V dist-upgrade`.

    Examples
    --------
    >>> text = '''The following packages have been kept back:
    ...    linux-image (6.1.1 => 6.1.2)
    ... Inst bash [5.1] (5.2 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64]) []
    ... Inst new (1.0 Debian:12.15/oldstable [amd64])
    ... '''
    >>> [(p.name, p.installed, p.candidate, p.security, p.kept_back) for p in parse(text)]
    [('linux-image', '6.1.1', '6.1.2', False, True), ('bash', '5.1', '5.2', True, False)]
    """
    kept = False
    for line in text.splitlines():
        if not line.startswith(" "):
            kept = "kept back" in line or "deferred due to phasing" in line
        found = _INST.match(line)
        if found:
            # A package that would come along anew has no version in brackets and is no update.
            yield Pending(found["name"], found["arch"], found["old"], found["new"], found["origin"])
        elif kept and (found := _KEPT.match(line)):
            yield Pending(found["name"], found["arch"] or "", found["old"], found["new"], kept_back=True)
