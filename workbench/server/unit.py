"""The systemd unit of the agent: what it may do is little, and all of it stands in the unit.

In go the state folder and this installation, out comes the text of the unit. Writes one file and starts nothing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from workbench.base.diagnostics import agent as diagnostics
from workbench.server.local_agent import MachineSettings, is_enrolled_elsewhere, machine_settings

NAME = "workbench-agent.service"
FOLDER = Path("/etc/systemd/system")
STATE = Path("/var/lib/workbench/agent")


def text(state: Path | None = None) -> str:
    """The unit's text.

    Examples
    --------
    >>> "NoNewPrivileges=yes" in text(Path("/srv/agent"))
    True
    """
    folder = (state or STATE).absolute()
    settings = machine_settings(folder)
    own = folder == STATE
    writable = (
        "StateDirectory=workbench/agent\nStateDirectoryMode=0700"
        if own
        else f"ReadWritePaths={_quoted(folder)}"
    )
    return f"""\
[Unit]
Description=Workbench agent: collects the records of this machine
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
ExecStart={_quoted(Path(sys.executable))} -m workbench.cli agent run --state {_quoted(folder)}
Restart=always
RestartSec=5
KillSignal=SIGTERM
TimeoutStopSec=20
{writable}
{_readable(settings)}
UMask=0077

# It reads logs of all users and the states of all processes, and writes to its own folder only.
CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_SYS_PTRACE
AmbientCapabilities=
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
MemoryMax=512M
Nice=5

[Install]
WantedBy=multi-user.target
"""


def install(unit: str, state: Path | None = None, folder: Path = FOLDER) -> list[str]:
    """Write the unit; what is left to do, as lines to be shown.

    Raises
    ------
    WorkbenchError
        AGT012 when the unit can't be written.
    """
    path = folder / NAME
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(unit)
    except OSError as refused:
        raise diagnostics.unit_not_written(str(path), refused.strerror or str(refused)) from None
    lines = [f"wrote {path}"]
    if not is_enrolled_elsewhere(state or STATE):
        lines.append(f"first:  workbench agent enrol URL --key - --state {state or STATE}")
    return [*lines, "then:   systemctl daemon-reload", f"        systemctl enable --now {NAME}"]


def _readable(settings: MachineSettings) -> str:
    """The paths that rules may have read stay visible, whatever is hidden otherwise."""
    paths = " ".join(_quoted(f"-{path}") for path in settings.allow_paths)
    return f"ReadOnlyPaths={paths}" if paths else "# agent.yaml allows no paths"


def _quoted(path: Path | str) -> str:
    """A path as systemd reads it: its own signs are doubled."""
    plain = os.fspath(path).replace("%", "%%").replace("$", "$$")
    return f'"{plain}"' if any(c in plain for c in " \t\"'\\") else plain
