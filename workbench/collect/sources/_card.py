"""What a source is: a name, the tables it fills, how often it is asked, and how it is made.

A source reads; it stores nothing and sends nothing. What it read is a `Batch`; the agent calls the
batch's `acknowledged` once the service has the records for certain, and only then may a source move
the mark it would start from after a restart.
"""

from __future__ import annotations

import platform
import socket
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import psutil

Record = dict[str, Any]


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
        Called once, when the service has stored the records.
    """

    table: str
    records: list[Record]
    acknowledged: Callable[[], None] = _nothing


class Source(Protocol):
    """One source at work.

    `collect` may be called late or after an error; it returns what is new since the last call and
    must not wait for anything outside this machine. An exception is told on the log, and the source
    is asked again at its next turn.
    """

    def collect(self) -> Iterable[Batch]: ...


@dataclass(frozen=True)
class Machine:
    """What all records of this machine carry, and where a source may keep its marks.

    Attributes
    ----------
    state : Path
        A folder of the agent's own.
    log_root : Path
        Where the text logs lie.
    """

    state: Path
    log_root: Path = Path("/var/log")

    @cached_property
    def computer(self) -> str:
        """The name of the machine, as `Computer` has it everywhere."""
        return socket.gethostname() or platform.node() or "localhost"

    @cached_property
    def source_computer_id(self) -> str:
        """A uuid that stays the same for this agent, made at its first start."""
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
        Makes the source for a machine.
    first_after : float
        Seconds from the agent's start to the first reading.
    rereads : bool
        What it reads stays where it is, so it is not asked while the agent's buffer is full;
        other sources lose their oldest records then.
    """

    name: str
    tables: tuple[str, ...]
    every: float
    make: Callable[[Machine], Source]
    first_after: float = 0.0
    rereads: bool = False
