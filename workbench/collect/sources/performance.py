"""`Perf`: processor, memory, disk, network and load of the machine, every 15 seconds.

Object and counter names are those of the Log Analytics agent for Linux. Rates (`…/sec` and
`% Processor Time`) are averages over the time since the reading before.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator

import psutil

from workbench.base import clock
from workbench.base.dtypes import format_datetime
from workbench.collect.sources._card import Batch, Machine, SourceCard

MIB = 1024 * 1024
Sample = tuple[str, str, str, float]


class Performance:
    """Writes one record a counter and instance."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        # The first call only sets the starting point of the percentages and rates.
        psutil.cpu_percent(percpu=True)
        self._rates = _Rates()
        for _ in (*_disk_rates(self._rates), *_network_rates(self._rates)):
            pass
        self._rates.turn()

    def collect(self) -> Iterable[Batch]:
        now = format_datetime(clock.now_ticks())
        computer = self._machine.computer
        samples = [
            *_processor(),
            *_memory(),
            *_file_systems(),
            *_disk_rates(self._rates),
            *_network_rates(self._rates),
            *_system(),
        ]
        self._rates.turn()
        records = [
            {
                "TimeGenerated": now,
                "Computer": computer,
                "ObjectName": item,
                "CounterName": counter,
                "InstanceName": instance,
                "CounterValue": float(value),
                "CounterPath": rf"\\{computer}\{item}({instance})\{counter}",
            }
            for item, counter, instance, value in samples
        ]
        return [Batch("Perf", records)]


class _Rates:
    """Turns rising totals into amounts a second, from one turn to the next."""

    def __init__(self) -> None:
        self._before: dict[tuple[str, str], float] = {}
        self._now: dict[tuple[str, str], float] = {}
        self._turned = time.monotonic()

    def turn(self) -> None:
        """The totals told since the last turn are the starting point of the next."""
        self._before, self._now, self._turned = self._now, {}, time.monotonic()

    def of(self, counter: str, instance: str, total: float) -> float | None:
        """Amount a second since the last turn; None for an instance seen first or set back."""
        key = (counter, instance)
        self._now[key] = total
        before = self._before.get(key)
        if before is None or total < before:
            return None
        return (total - before) / max(time.monotonic() - self._turned, 1e-3)


def _processor() -> Iterator[Sample]:
    each = psutil.cpu_percent(percpu=True)
    yield "Processor", "% Processor Time", "_Total", sum(each) / max(len(each), 1)
    for number, percent in enumerate(each):
        yield "Processor", "% Processor Time", str(number), percent


def _memory() -> Iterator[Sample]:
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    used = memory.total - memory.available
    yield "Memory", "Available MBytes Memory", "Memory", memory.available / MIB
    yield "Memory", "Used Memory MBytes", "Memory", used / MIB
    yield "Memory", "% Used Memory", "Memory", 100 * used / max(memory.total, 1)
    yield "Memory", "% Available Memory", "Memory", 100 * memory.available / max(memory.total, 1)
    if swap.total:
        yield "Memory", "Used MBytes Swap Space", "Memory", swap.used / MIB
        yield "Memory", "% Used Swap Space", "Memory", swap.percent


def _file_systems() -> Iterator[Sample]:
    mounts = {part.mountpoint for part in psutil.disk_partitions() if os.path.isdir(part.mountpoint)}
    for mount in sorted(mounts | {"/"}):
        try:
            usage = psutil.disk_usage(mount)
        except OSError:  # unmounted between listing and asking, or not ours to read
            continue
        if usage.total:
            yield "Logical Disk", "% Used Space", mount, usage.percent
            yield "Logical Disk", "% Free Space", mount, 100 - usage.percent
            yield "Logical Disk", "Free Megabytes", mount, usage.free / MIB


def _disk_rates(rates: _Rates) -> Iterator[Sample]:
    for device, totals in sorted((psutil.disk_io_counters(perdisk=True) or {}).items()):
        for counter, total in (
            ("Disk Read Bytes/sec", totals.read_bytes),
            ("Disk Write Bytes/sec", totals.write_bytes),
            ("Disk Reads/sec", totals.read_count),
            ("Disk Writes/sec", totals.write_count),
        ):
            rate = rates.of(counter, device, total)
            if rate is not None:
                yield "Physical Disk", counter, device, rate


def _network_rates(rates: _Rates) -> Iterator[Sample]:
    for name, totals in sorted(psutil.net_io_counters(pernic=True).items()):
        for counter, total in (
            ("Bytes Transmitted/sec", totals.bytes_sent),
            ("Bytes Received/sec", totals.bytes_recv),
        ):
            rate = rates.of(counter, name, total)
            if rate is not None:
                yield "Network", counter, name, rate


def _system() -> Iterator[Sample]:
    load = psutil.getloadavg()
    for minutes, value in zip((1, 5, 15), load, strict=True):
        yield "System", f"Load{minutes}", "System", value
    yield "System", "Uptime", "System", max(clock.now_us() / 1e6 - psutil.boot_time(), 0.0)
    yield "System", "Processes", "System", len(psutil.pids())


CARD = SourceCard("performance", ("Perf",), 15, Performance, first_after=1)
