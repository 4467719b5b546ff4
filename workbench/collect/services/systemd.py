"""The services of systemd, asked and told through `systemctl`: a `ServiceManager`."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from workbench.base.diagnostics import machine as diagnostics
from workbench.collect import programs
from workbench.collect.services._manager import ACTION_SECONDS, LIST_SECONDS, Service, checked

_STATES = {
    "active": "Running",
    "reloading": "Running",
    "activating": "Starting",
    "deactivating": "Stopping",
    "inactive": "Stopped",
    "failed": "Failed",
}
_STARTUP = {
    "enabled": "Auto",
    "enabled-runtime": "Auto",
    "static": "Manual",
    "indirect": "Manual",
    "generated": "Auto",
    "disabled": "Manual",
    "masked": "Disabled",
    "masked-runtime": "Disabled",
}
_PROPERTIES = (
    "Id,Names,Description,LoadState,ActiveState,SubState,UnitFileState,MainPID,User,ExecStart,WantedBy"
)


class Systemd:
    """The services of systemd, through `systemctl`."""

    name = "systemd"

    def __init__(self, program: str = "systemctl") -> None:
        self._program = program

    @staticmethod
    def runs_here() -> bool:
        """Whether this machine was started by systemd (`sd_booted`)."""
        return Path("/run/systemd/system").is_dir() and shutil.which("systemctl") is not None

    def list(self) -> list[Service]:
        return parse_units(self._asked("show", "*.service", "--all", f"--property={_PROPERTIES}"))

    def state(self, name: str) -> Service:
        unit = _unit(name)
        found = parse_units(self._asked("show", unit, f"--property={_PROPERTIES}"))
        if not found:
            raise diagnostics.no_such_service(name, self.name)
        return found[0]

    def start(self, name: str) -> Service:
        return self._told("start", name)

    def stop(self, name: str) -> Service:
        return self._told("stop", name)

    def restart(self, name: str) -> Service:
        return self._told("restart", name)

    def _told(self, action: str, name: str) -> Service:
        self.state(name)
        ended = self._run(ACTION_SECONDS, action, _unit(name))
        if ended.why is not None:
            raise diagnostics.service_action_failed(action, name, ended.why)
        return self.state(name)

    def _asked(self, *arguments: str) -> str:
        ended = self._run(LIST_SECONDS, *arguments)
        if ended.why is not None:
            raise diagnostics.manager_away(self.name, ended.why)
        return ended.out.decode("utf-8", "backslashreplace")

    def _run(self, seconds: float, *arguments: str) -> programs.Ended:
        try:
            return programs.run(
                [self._program, "--no-pager", "--no-ask-password", *arguments], seconds=seconds
            )
        except OSError as broken:
            raise diagnostics.manager_away(self.name, str(broken)) from broken


def _unit(name: str) -> str:
    return checked(name) if name.endswith(".service") else f"{checked(name)}.service"


def parse_units(text: str) -> list[Service]:
    """The services of the output of `systemctl show`: properties by the line, units apart by an empty one.

    Units that are only spoken of (not found) are left out.

    Examples
    --------
    >>> unit = parse_units("Id=cron.service\\nLoadState=loaded\\nActiveState=active\\nSubState=running\\n"
    ...                    "UnitFileState=enabled\\nMainPID=42\\nExecStart={ path=/usr/sbin/cron ; argv[]=x }\\n")[0]
    >>> unit.name, unit.state, unit.detail, unit.startup, unit.pid, unit.path
    ('cron', 'Running', 'active (running)', 'Auto', 42, '/usr/sbin/cron')
    """
    services = []
    for block in re.split(r"\n\s*\n", text):
        found = dict(line.partition("=")[::2] for line in block.splitlines() if "=" in line)
        if not found.get("Id") or found.get("LoadState") == "not-found":
            continue
        active, sub = found.get("ActiveState", ""), found.get("SubState", "")
        path = re.match(r"\{ path=(\S+) ;", found.get("ExecStart", ""))
        services.append(
            Service(
                name=found["Id"].removesuffix(".service"),
                manager="systemd",
                state=_STATES.get(active, "Unknown"),
                detail=f"{active} ({sub})",
                startup="Disabled"
                if found.get("LoadState") == "masked"
                else _STARTUP.get(found.get("UnitFileState", ""), "Manual"),
                display_name=found["Id"],
                description=found.get("Description", ""),
                account=found.get("User", "") or "root",
                path=path[1] if path else "",
                runlevels=found.get("WantedBy", ""),
                pid=int(found["MainPID"]) if found.get("MainPID", "").isdigit() else 0,
            )
        )
    return services
