"""The machine itself as a row of `VMComputer`."""

from __future__ import annotations

import platform
import socket
import struct
import time
from pathlib import Path

import psutil

from workbench.base.dtypes import format_datetime
from workbench.collect.sources._card import Machine, Record

MIB = 1024 * 1024


def computer_row(machine: Machine) -> Record:
    """What the machine is, without the columns that all rows of a source share."""
    ipv4, masks, ipv6, hardware = _addresses()
    system = platform.freedesktop_os_release() if Path("/etc/os-release").exists() else {}
    speed = psutil.cpu_freq() if hasattr(psutil, "cpu_freq") else None
    virtual = _is_virtual()
    return {
        "HostName": machine.computer,
        "DisplayName": machine.computer.partition(".")[0],
        "FullDisplayName": machine.computer,
        "DnsNames": [machine.computer],
        "BootTime": format_datetime(round(psutil.boot_time()) * 10_000_000),
        "TimeZone": time.strftime("%z"),
        "Cpus": psutil.cpu_count() or 1,
        "CpuSpeed": round(speed.max or speed.current) if speed else None,
        "PhysicalMemoryMB": psutil.virtual_memory().total // MIB,
        "Ipv4Addresses": ipv4,
        "Ipv4SubnetMasks": masks,
        "Ipv4DefaultGateways": _gateways(),
        "Ipv6Addresses": ipv6,
        "MacAddresses": hardware,
        "OperatingSystemFamily": platform.system().lower(),
        "OperatingSystemFullName": system.get("PRETTY_NAME", platform.platform()),
        "VirtualizationState": "unknown" if virtual is None else "virtual" if virtual else "physical",
    }


def _addresses() -> tuple[list[str], list[str], list[str], list[str]]:
    """IPv4 with their masks, IPv6 and hardware addresses, without loopback."""
    ipv4: list[tuple[str, str]] = []
    ipv6: list[str] = []
    hardware: list[str] = []
    for name, addresses in sorted(psutil.net_if_addrs().items()):
        if name == "lo":
            continue
        for each in addresses:
            if each.family == socket.AF_INET:
                ipv4.append((each.address, each.netmask or ""))
            elif each.family == socket.AF_INET6:
                ipv6.append(each.address.partition("%")[0])
            elif each.family == psutil.AF_LINK:
                hardware.append(each.address)
    return [a for a, _ in ipv4], [m for _, m in ipv4], ipv6, hardware


def _gateways() -> list[str]:
    try:
        return parse_routes(Path("/proc/net/route").read_text())
    except OSError:
        return []


def parse_routes(table: str) -> list[str]:
    """The gateways of the default routes in a table of the kernel.

    Examples
    --------
    >>> parse_routes("Iface\\tDestination\\tGateway\\nens3\\t00000000\\t0101A8C0\\nens3\\t0001A8C0\\t00000000\\n")
    ['192.168.1.1']
    """
    found = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 2 and fields[1] == "00000000" and fields[2] != "00000000":
            found.append(socket.inet_ntoa(struct.pack("<L", int(fields[2], 16))))
    return list(dict.fromkeys(found))


def _is_virtual() -> bool | None:
    """Whether the processor says that a hypervisor is under it; None where it says nothing."""
    try:
        flags = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")]
    except OSError:
        return None
    return "hypervisor" in flags[0].split() if flags else None
