"""The performance counters of the machine: each object's counters and instances, with their values now.

Names are those of the Log Analytics agent for Linux. Counters a second and shares of time are
averages over the time since the reading before; at the first reading they are missing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping

import psutil

from workbench.base import clock

MIB = 1024 * 1024
Sample = tuple[str, str, str, float]
"""Object, counter, instance, value."""
_PROCESSOR = {
    "% User Time": "user",
    "% Privileged Time": "system",
    "% Nice Time": "nice",
    "% IO Wait Time": "iowait",
    "% Interrupt Time": "irq",
    "% DPC Time": "softirq",
    "% Idle Time": "idle",
}


class Rates:
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


def processor(rates: Rates) -> Iterator[Sample]:
    each = psutil.cpu_times(percpu=True)
    shares: dict[str, list[float]] = {}
    for number, times in enumerate(each):
        found = {
            counter: rates.of(f"cpu {counter}", str(number), getattr(times, field, 0.0))
            for counter, field in _PROCESSOR.items()
        }
        idle = rates.of("cpu away", str(number), times.idle + getattr(times, "iowait", 0.0))
        # Ticks of idle time may come late, so a share can pass its bounds by a little.
        found["% Processor Time"] = None if idle is None else 1 - idle
        for counter, share in found.items():
            if share is not None:
                percent = min(max(100 * share, 0.0), 100.0)
                shares.setdefault(counter, []).append(percent)
                yield "Processor", counter, str(number), percent
    for counter, percents in shares.items():
        yield "Processor", counter, "_Total", sum(percents) / len(percents)


def memory(rates: Rates) -> Iterator[Sample]:
    found, swap = psutil.virtual_memory(), psutil.swap_memory()
    used = found.total - found.available
    yield "Memory", "Available MBytes Memory", "Memory", found.available / MIB
    yield "Memory", "Used Memory MBytes", "Memory", used / MIB
    yield "Memory", "% Used Memory", "Memory", 100 * used / max(found.total, 1)
    yield "Memory", "% Available Memory", "Memory", 100 * found.available / max(found.total, 1)
    if swap.total:
        yield "Memory", "Used MBytes Swap Space", "Memory", swap.used / MIB
        yield "Memory", "Available MBytes Swap", "Memory", swap.free / MIB
        yield "Memory", "% Used Swap Space", "Memory", swap.percent
        yield "Memory", "% Available Swap Space", "Memory", 100 - swap.percent
    paged = _paged()
    for counter, total in paged.items():
        rate = rates.of(counter, "Memory", total)
        if rate is not None:
            yield "Memory", counter, "Memory", rate


def _paged() -> dict[str, float]:
    """Kilobytes read and written by paging since the machine started, as the kernel counts them."""
    try:
        with open("/proc/vmstat", encoding="ascii") as file:
            found = dict(line.split() for line in file)
    except (OSError, ValueError):
        return {}
    reads, writes = float(found.get("pgpgin", 0)), float(found.get("pgpgout", 0))
    return {"Page Reads/sec": reads, "Page Writes/sec": writes, "Pages/sec": reads + writes}


def file_systems(rates: Rates) -> Iterator[Sample]:
    mounts = {part.mountpoint for part in psutil.disk_partitions() if os.path.isdir(part.mountpoint)}
    for mount in sorted(mounts | {"/"}):
        try:
            usage, nodes = psutil.disk_usage(mount), os.statvfs(mount)
        except OSError:  # unmounted between listing and asking, or not ours to read
            continue
        if usage.total:
            yield "Logical Disk", "% Used Space", mount, usage.percent
            yield "Logical Disk", "% Free Space", mount, 100 - usage.percent
            yield "Logical Disk", "Free Megabytes", mount, usage.free / MIB
        if nodes.f_files:
            free = 100 * nodes.f_ffree / nodes.f_files
            yield "Logical Disk", "% Free Inodes", mount, free
            yield "Logical Disk", "% Used Inodes", mount, 100 - free


def disks(rates: Rates) -> Iterator[Sample]:
    for device, totals in sorted((psutil.disk_io_counters(perdisk=True) or {}).items()):
        for counter, total in (
            ("Disk Read Bytes/sec", totals.read_bytes),
            ("Disk Write Bytes/sec", totals.write_bytes),
            ("Physical Disk Bytes/sec", totals.read_bytes + totals.write_bytes),
            ("Disk Reads/sec", totals.read_count),
            ("Disk Writes/sec", totals.write_count),
            ("Disk Transfers/sec", totals.read_count + totals.write_count),
        ):
            rate = rates.of(counter, device, total)
            if rate is not None:
                yield "Physical Disk", counter, device, rate


def network(rates: Rates) -> Iterator[Sample]:
    for name, totals in sorted(psutil.net_io_counters(pernic=True).items()):
        for counter, total in (
            ("Bytes Transmitted/sec", totals.bytes_sent),
            ("Bytes Received/sec", totals.bytes_recv),
        ):
            rate = rates.of(counter, name, total)
            if rate is not None:
                yield "Network", counter, name, rate
        yield "Network", "Total Bytes Transmitted", name, totals.bytes_sent
        yield "Network", "Total Bytes Received", name, totals.bytes_recv
        yield "Network", "Total Bytes", name, totals.bytes_sent + totals.bytes_recv
        yield "Network", "Total Packets Transmitted", name, totals.packets_sent
        yield "Network", "Total Packets Received", name, totals.packets_recv
        yield "Network", "Total Rx Errors", name, totals.errin
        yield "Network", "Total Tx Errors", name, totals.errout


def processes(rates: Rates) -> Iterator[Sample]:
    """Sums over the processes of one name, as instances of `Process`."""
    sums: dict[tuple[str, str], float] = {}
    for process in psutil.process_iter(["name", "cpu_times", "memory_info"]):
        name, times, used = (process.info[field] for field in ("name", "cpu_times", "memory_info"))
        found: dict[str, float | None] = {}
        if times is not None:
            found["Pct User Time"] = rates.of("user", str(process.pid), times.user)
            found["Pct Privileged Time"] = rates.of("system", str(process.pid), times.system)
        if used is not None:
            found["Used Memory"] = used.rss / 1024
            found["Virtual Shared Memory"] = getattr(used, "shared", 0) / 1024
        for counter, value in found.items():
            if value is not None:
                share = 100 * value if counter.startswith("Pct") else value
                sums[counter, name] = sums.get((counter, name), 0.0) + share
    for (counter, name), value in sums.items():
        yield "Process", counter, name, value


def system(rates: Rates) -> Iterator[Sample]:
    for minutes, value in zip((1, 5, 15), psutil.getloadavg(), strict=True):
        yield "System", f"Load{minutes}", "System", value
    yield "System", "Uptime", "System", max(clock.now_us() / 1e6 - psutil.boot_time(), 0.0)
    yield "System", "Processes", "System", len(psutil.pids())
    yield "System", "Users", "System", len(psutil.users())


OBJECTS: Mapping[str, Callable[[Rates], Iterator[Sample]]] = {
    "Processor": processor,
    "Memory": memory,
    "Logical Disk": file_systems,
    "Physical Disk": disks,
    "Network": network,
    "Process": processes,
    "System": system,
}
