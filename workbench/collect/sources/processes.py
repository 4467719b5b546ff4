"""Processes and connections: `VMComputer` and `VMProcess` once an hour, `VMConnection` once a minute.

Connections are looked at every few seconds and counted over the interval; one that is opened and
closed between two looks is not seen, and bytes and response times are not known. What belongs to
other users' processes has no process name unless the agent may see it.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field

import psutil

from workbench.base import clock
from workbench.base.dtypes import format_datetime
from workbench.collect.sources._card import NO_SETTINGS, Batch, Machine, Record, Settings, SourceCard
from workbench.collect.sources._computer import computer_row
from workbench.collect.sources._process_rows import process_rows
from workbench.collect.sources._settings import seconds_of
from workbench.collect.sources._turns import Turns

LOOK_SECONDS = 5.0
CONNECTION_SECONDS = 60.0
INVENTORY_SECONDS = 3600.0
BATCH_RECORDS = 5000
_ANY = ("0.0.0.0", "::")
_Key = tuple[int, str, int, str, int]
"""A connection: process, own address and port, other address and port."""


@dataclass(frozen=True, slots=True)
class Line:
    """What connections are counted by; addresses as the documented columns have them."""

    process: str
    direction: str
    source: str
    destination: str
    port: int
    remote: str


@dataclass
class Counts:
    """What was seen of a line in an interval."""

    established: int = 0
    failed: int = 0
    terminated: int = 0
    live: set[_Key] = field(default_factory=set)


class Processes:
    """Looks at sockets and processes.

    Parameters
    ----------
    machine : Machine
    settings : mapping
        `intervalInSeconds` (60 by default: an interval of `VMConnection`),
        `inventoryFrequencyInSeconds` (3600: `VMProcess` and `VMComputer`).
    """

    def __init__(self, machine: Machine, settings: Settings = NO_SETTINGS) -> None:
        self._machine = machine
        self._interval = Turns(seconds_of(settings, "intervalInSeconds", CONNECTION_SECONDS))
        self._inventory = Turns(seconds_of(settings, "inventoryFrequencyInSeconds", INVENTORY_SECONDS))
        self._names: dict[int, str] = {}
        self._open: dict[_Key, tuple[Line, bool]] = {}
        self._counts: dict[Line, Counts] = {}
        # What is open at the start was established before, so it is not counted as new.
        self._look(first=True)
        self._interval.due()

    def collect(self) -> Iterable[Batch]:
        self._look()
        now = format_datetime(clock.now_ticks())
        shared = {
            "TimeGenerated": now,
            "Computer": self._machine.computer,
            "AgentId": self._machine.source_computer_id,
            "Machine": f"m-{self._machine.source_computer_id}",
        }
        tables: dict[str, list[Record]] = {}
        if self._inventory.due():
            tables["VMComputer"] = [shared | computer_row(self._machine)]
            tables["VMProcess"] = [shared | row for row in process_rows()]
        if self._interval.due():
            tables["VMConnection"] = [shared | row for row in self._rows()]
        return [
            Batch(table, rows[start : start + BATCH_RECORDS])
            for table, rows in tables.items()
            for start in range(0, len(rows), BATCH_RECORDS)
        ]

    def _look(self, *, first: bool = False) -> None:
        """Compare the connections with those of the look before."""
        found = self._found()
        for key, (line, established) in found.items():
            counts = self._counts.setdefault(line, Counts())
            _, before = self._open.get(key, (line, False))
            if established:
                counts.live.add(key)
                counts.established += not before and not first
        for key, (line, established) in self._open.items():
            if key in found and found[key][1] >= established:
                continue
            counts = self._counts.setdefault(line, Counts())
            counts.live.discard(key)
            counts.terminated += established
            counts.failed += not established
        self._open = found

    def _found(self) -> dict[_Key, tuple[Line, bool]]:
        sockets = psutil.net_connections(kind="tcp")
        listening = {
            (s.laddr.ip, s.laddr.port) for s in sockets if s.laddr and s.status == psutil.CONN_LISTEN
        }
        self._know({s.pid for s in sockets if s.pid})
        found: dict[_Key, tuple[Line, bool]] = {}
        for each in sockets:
            is_open = each.status in (psutil.CONN_ESTABLISHED, psutil.CONN_SYN_SENT)
            if not is_open or not each.raddr or not each.laddr:
                continue
            own, other = each.laddr, each.raddr
            inbound = any((ip, own.port) in listening for ip in (own.ip, *_ANY))
            pid = each.pid or 0
            line = Line(
                process=self._names.get(pid, ""),
                direction="inbound" if inbound else "outbound",
                source=_plain(other.ip if inbound else own.ip),
                destination=_plain(own.ip if inbound else other.ip),
                port=own.port if inbound else other.port,
                remote=_plain(other.ip),
            )
            key = (pid, own.ip, own.port, other.ip, other.port)
            found[key] = (line, each.status == psutil.CONN_ESTABLISHED)
        return found

    def _know(self, pids: set[int]) -> None:
        """Names of processes, asked once each."""
        names: dict[int, str] = {}
        for pid in pids:
            try:
                names[pid] = self._names.get(pid) or psutil.Process(pid).name()
            except psutil.Error:  # ended since, or another user's
                names[pid] = ""
        self._names = names

    def _rows(self) -> list[Record]:
        """The counts of the interval; those of the next begin with what is open now."""
        counted, self._counts = self._counts, {}
        rows = []
        for line, counts in counted.items():
            live = len(counts.live)
            if not (live or counts.established or counts.failed or counts.terminated):
                continue
            if live:
                self._counts[line] = Counts(live=set(counts.live))
            rows.append(self._row(line, counts, live))
        return rows

    def _row(self, line: Line, counts: Counts, live: int) -> Record:
        identity = (line.process, line.direction, line.source, line.destination, line.port)
        digest = hashlib.sha256(repr((self._machine.source_computer_id, *identity)).encode()).hexdigest()
        return {
            "ConnectionId": f"c-{digest[:32]}",
            "ProcessName": line.process,
            "Direction": line.direction,
            "Protocol": "tcp",
            "SourceIp": line.source,
            "DestinationIp": line.destination,
            "DestinationPort": line.port,
            "RemoteIp": line.remote,
            "LinksEstablished": counts.established,
            "LinksTerminated": counts.terminated,
            "LinksFailed": counts.failed,
            "LinksLive": live,
        }


def _plain(address: str) -> str:
    """An IPv4 address that a socket of IPv6 has, as IPv4.

    Examples
    --------
    >>> _plain("::ffff:10.0.0.1"), _plain("fe80::1")
    ('10.0.0.1', 'fe80::1')
    """
    mapped = address.lower().removeprefix("::ffff:")
    try:
        socket.inet_pton(socket.AF_INET, mapped)
    except OSError:
        return address
    return mapped


CARD = SourceCard(
    "processes",
    ("VMComputer", "VMProcess", "VMConnection"),
    LOOK_SECONDS,
    Processes,
    first_after=4,
    rule_key="processes",
)
