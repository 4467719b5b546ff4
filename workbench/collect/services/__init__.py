"""Services of this machine through one interface: which there are, their states, start, stop, restart.

Two backends: `Systemd` where systemd runs, and `Supervisord` by XML-RPC over its unix socket. Nothing
here writes records; the agent's source `services` and the actions that restart a service use it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from workbench.base.diagnostics import machine as diagnostics
from workbench.collect.services._manager import Service, ServiceManager
from workbench.collect.services.supervisord import Supervisord
from workbench.collect.services.systemd import Systemd

__all__ = ["Service", "ServiceManager", "Supervisord", "Systemd", "manager_of", "managers"]


def managers() -> list[ServiceManager]:
    """The managers that this machine has, in the order in which a name is looked for.

    Whether supervisord answers is seen when it is asked: it counts as there when its settings are.
    """
    found: list[ServiceManager] = []
    if Systemd.runs_here():
        found.append(Systemd())
    socket = os.environ.get("WORKBENCH_SUPERVISOR_SOCKET")
    supervisor = Supervisord(Path(socket)) if socket else Supervisord.of_this_machine()
    if supervisor is not None:
        found.append(supervisor)
    return found


def manager_of(name: str, among: Sequence[ServiceManager] | None = None) -> ServiceManager:
    """The manager that knows a service.

    Raises
    ------
    WorkbenchError
        `MAC001` when none does.
    """
    known: list[str] = []
    asked = managers() if among is None else among
    for manager in asked:
        names = [service.name for service in manager.list()]
        if name.removesuffix(".service") in names:
            return manager
        known += names
    raise diagnostics.no_such_service(name, " or ".join(m.name for m in asked) or "this machine", known)
