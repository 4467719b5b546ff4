"""`Heartbeat`: the machine is there, what it is, once a minute."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from workbench.base import clock
from workbench.base.dtypes import format_datetime
from workbench.collect.sources._card import Batch, Machine, SourceCard

_FIRMWARE_ID = Path("/sys/class/dmi/id/product_uuid")


class Heartbeat:
    """Writes one record a reading, in the columns of Azure Monitor's `Heartbeat`.

    `SourceComputerId` is set anew by the service, from the agent's identity; behind a gateway it sets
    `Category`, `SCAgentChannel` and `ManagementGroupName`, too.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        name, major, minor = _operating_system()
        self._fixed = {
            "Computer": machine.computer,
            "Category": "SCOM Management Server" if machine.group else "Direct Agent",
            "OSType": platform.system(),
            "OSName": name,
            "OSMajorVersion": major,
            "OSMinorVersion": minor,
            "Version": metadata.version("workbench"),
            "SourceComputerId": machine.source_computer_id,
            "ComputerEnvironment": "Non-Azure",
            "Solutions": "",
            "SourceSystem": platform.system(),
            "SCAgentChannel": "SCManagementServer" if machine.group else "Direct",
            "ManagementGroupName": machine.group,
            "IsGatewayInstalled": bool(machine.group),
            "RemoteIPCountry": "",
            "VMUUID": _hardware_id(),
        }

    def collect(self) -> Iterable[Batch]:
        addresses = self._machine.addresses()
        record = {
            "TimeGenerated": format_datetime(clock.now_ticks()),
            **self._fixed,
            "ComputerIP": addresses[0] if addresses else "127.0.0.1",
            "ComputerPrivateIPs": addresses,
        }
        return [Batch("Heartbeat", [record])]


def _hardware_id() -> str:
    """The id that the machine's firmware has; "" where there is none, or only root may see it."""
    try:
        return _FIRMWARE_ID.read_text().strip().lower()
    except OSError:
        return ""


def _operating_system() -> tuple[str, str, str]:
    """Name, major and minor version of the operating system."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return platform.system(), platform.release(), ""
    major, _, minor = release.get("VERSION_ID", "").partition(".")
    return release.get("NAME", platform.system()), major, minor


CARD = SourceCard("heartbeat", ("Heartbeat",), 60, Heartbeat)
