"""What a source is: a name, the tables it fills, how often it is asked, and how it is made.

A source reads; it stores nothing and sends nothing. What it read is a `Batch`. The batches of one
`collect` go to the agent's spool in one write, all or none, and the `marks` they carry with them: where
the source would go on after a restart is kept together with the records, so that a kill between the two
can neither lose a record nor read it twice. `acknowledged` is called after that write; a mark that a
source keeps by itself may move then at the earliest (a kill in between reads again).
"""

from __future__ import annotations

import platform
import socket
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import psutil

Record = dict[str, Any]
Settings = Mapping[str, Any]
"""The entry of a rule's `dataSources` that a source was made for, as JSON has it; empty: no rule."""
NO_SETTINGS: Settings = MappingProxyType({})


def _nothing() -> None:
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Records of one table, as they go over the wire.

    Attributes
    ----------
    table : str
    records : list of dict
        Column → JSON value; times as ISO text in UTC.
    acknowledged : callable
        Called once, when the records are on disk in the agent's spool.
    marks : mapping
        What the source needs to go on behind these records: name → JSON value, None takes a name away.
        They are added to those it kept before; at its next start they are `Machine.marks`. A batch
        without records may carry marks, too.
    """

    table: str
    records: list[Record]
    acknowledged: Callable[[], None] = _nothing
    marks: Mapping[str, Any] = field(default_factory=lambda: NO_SETTINGS)


class Source(Protocol):
    """One source at work.

    `collect` may be called late or after an error; it returns what is new since the last call and
    must not wait for anything outside this machine. An exception is told on the log, and the source
    is asked again at its next turn. It may have a method `close()`, called when it is no longer wanted,
    and an attribute `more`: whether the last reading left something behind, so that it is asked again at once.
    """

    def collect(self) -> Iterable[Batch]: ...


@dataclass(frozen=True)
class Machine:
    """What all records of this machine carry, what a source kept, and what the machine's owner allows.

    Each source gets one of its own: two entries of rules never share `state` or `marks`.

    Attributes
    ----------
    state : Path
        A folder of the source's own (of the agent's own for the set that runs without rules).
    log_root : Path
        Where the text logs lie.
    marks : mapping
        What the source had kept by `Batch.marks` when it was last at work; empty at its first start.
    allow_paths : tuple of Path
        Folders and files that rules may have read; from the machine's own `agent.yaml`.
    commands : Path
        The folder of the commands that rules may call by name.
    identity : str
        The agent's id at its service; "" before it has one.
    group : str
        The management group that the agent speaks for as its gateway; "" for others.
    """

    state: Path
    log_root: Path = Path("/var/log")
    marks: Mapping[str, Any] = field(default_factory=lambda: NO_SETTINGS, compare=False)
    allow_paths: tuple[Path, ...] = (Path("/var/log"),)
    commands: Path = Path("/etc/workbench/commands.d")
    identity: str = ""
    group: str = ""

    @cached_property
    def computer(self) -> str:
        """The name of the machine, as `Computer` has it everywhere."""
        return socket.gethostname() or platform.node() or "localhost"

    @cached_property
    def source_computer_id(self) -> str:
        """A uuid that stays the same for this agent: its id, or until it has one, made at its first start."""
        if self.identity:
            return self.identity
        path = self.state / "computer-id"
        if not path.exists():
            self.state.mkdir(parents=True, exist_ok=True)
            path.write_text(str(uuid.uuid4()) + "\n")
        return path.read_text().strip()

    def addresses(self) -> list[str]:
        """The IPv4 addresses of the machine, without loopback."""
        found = [
            address.address
            for addresses in psutil.net_if_addrs().values()
            for address in addresses
            if address.family == socket.AF_INET and not address.address.startswith("127.")
        ]
        return sorted(set(found))


@dataclass(frozen=True, slots=True)
class SourceCard:
    """A source as the agent knows it.

    Attributes
    ----------
    name : str
    tables : tuple of str
        What it fills.
    every : float
        Seconds from one reading to the next.
    make : callable
        Makes the source for a machine: `make(machine)`, and with a `rule_key` `make(machine, settings)`.
        Entries of several rules are one source each.
    rule_key : str
        The name of the list in a rule's `dataSources` whose entries configure this source
        (`performanceCounters`, `syslog`, `logFiles`, …); "" where rules have no say.
    unasked : bool
        Whether the source runs (with empty settings) on a machine that no rule concerns.
    first_after : float
        Seconds from the agent's start to the first reading.
    rereads : bool
        What it reads stays where it is, so it is not asked while the agent's buffer is full;
        other sources lose their oldest records then.
    """

    name: str
    tables: tuple[str, ...]
    every: float
    make: Callable[..., Source]
    first_after: float = 0.0
    rereads: bool = False
    rule_key: str = ""
    unasked: bool = True

    def start(self, machine: Machine, settings: Settings = NO_SETTINGS) -> Source:
        """The source for a machine, as an entry of a rule wants it (or as it comes)."""
        return self.make(machine, settings) if self.rule_key else self.make(machine)
