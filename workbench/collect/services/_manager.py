"""What a service is and what a manager of services can do; the backends lie beside this."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from workbench.base.diagnostics import machine as diagnostics

ACTION_SECONDS = 90.0
LIST_SECONDS = 30.0
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9:._@\\-]{0,199}")


@dataclass(frozen=True, slots=True)
class Service:
    """A service as its manager tells of it.

    Attributes
    ----------
    name : str
    manager : str
        `systemd` or `supervisord`.
    state : str
        `Running`, `Stopped`, `Starting`, `Stopping`, `Failed` or `Unknown`.
    detail : str
        The manager's own words for the state.
    startup : str
        `Auto`, `Manual` or `Disabled`.
    display_name, description, account, path : str
        As far as the manager knows them.
    runlevels : str
        The targets that want it (systemd).
    pid : int
        0: none.
    """

    name: str
    manager: str
    state: str
    detail: str = ""
    startup: str = ""
    display_name: str = ""
    description: str = ""
    account: str = ""
    path: str = ""
    runlevels: str = ""
    pid: int = 0


class ServiceManager(Protocol):
    """One manager of services.

    `start`, `stop` and `restart` return when the manager says that it is done, and may be repeated:
    starting what runs is no error. All raise `MAC001` for an unknown name, `MAC002` when the manager
    does not answer (which says nothing about the services), `MAC003` when an action failed.
    """

    @property
    def name(self) -> str: ...

    def list(self) -> Sequence[Service]: ...

    def state(self, name: str) -> Service: ...

    def start(self, name: str) -> Service: ...

    def stop(self, name: str) -> Service: ...

    def restart(self, name: str) -> Service: ...


def checked(name: str) -> str:
    """A name that is safe to hand to a manager.

    Raises
    ------
    WorkbenchError
        `MAC004` otherwise.

    Examples
    --------
    >>> checked("web:worker-1")
    'web:worker-1'
    """
    if not _NAME.fullmatch(name):
        raise diagnostics.no_service_name(name)
    return name
