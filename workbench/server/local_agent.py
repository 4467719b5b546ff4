"""The agent as a process: of a local workspace, or of a service elsewhere; ends on SIGTERM.

The agent of a local workspace finds its service by files and enrols itself with the workspace key that lies there;
any other reports to the service that its state folder names. Machine settings come from a file of the machine's
owner (`agent.yaml`), never from the service.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from workbench.base.config import data_home
from workbench.base.diagnostics import agent as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.agent import Agent, Endpoint, Spool, enrolment
from workbench.collect.agent.behind import Behind
from workbench.collect.agent.link import checked_url
from workbench.collect.agent.spool import SPOOL_BYTES
from workbench.collect.sources import SOURCES, Machine, SourceCard
from workbench.server.binding import Binding
from workbench.server.place import Address, ServicePlace

log = logging.getLogger("workbench.agent")
ENROL_SECONDS = 2.0
"""The least between two tries of a local agent to enrol."""
LOCK = "agent.lock"
OWNERS_FILE = Path("/etc/workbench/agent.yaml")


@dataclass(frozen=True, slots=True)
class MachineSettings:
    """What the owner of a machine allows and limits.

    Attributes
    ----------
    allow_paths : tuple of Path
        What rules may have read.
    commands : Path
        The folder of the commands that rules may call.
    spool_bytes : int
    """

    allow_paths: tuple[Path, ...] = (Path("/var/log"),)
    commands: Path = Path("/etc/workbench/commands.d")
    spool_bytes: int = SPOOL_BYTES


def machine_settings(state: Path) -> MachineSettings:
    """The settings in `/etc/workbench/agent.yaml`, else in the state folder's `agent.yaml`, else the defaults.

    Raises
    ------
    WorkbenchError
        AGT008 when the file can't be used.
    """
    path = next((p for p in (OWNERS_FILE, state / "agent.yaml") if p.is_file()), None)
    if path is None:
        return MachineSettings()
    try:
        told = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as broken:
        raise diagnostics.bad_settings(str(path), " ".join(str(broken).split())) from None
    return MachineSettings() if told is None else _checked(str(path), told)


def _checked(path: str, told: Any) -> MachineSettings:
    if not isinstance(told, Mapping):
        raise diagnostics.bad_settings(path, "it is no mapping")
    strange = set(told) - {"allow_paths", "commands", "spool_bytes"}
    if strange:
        raise diagnostics.bad_settings(path, f"{sorted(map(str, strange))[0]!r} is not known")
    found = MachineSettings()
    paths = told.get("allow_paths", [str(p) for p in found.allow_paths])
    commands = told.get("commands", str(found.commands))
    spool = told.get("spool_bytes", found.spool_bytes)
    if not isinstance(paths, list) or not all(isinstance(p, str) and os.path.isabs(p) for p in paths):
        raise diagnostics.bad_settings(path, "allow_paths is no list of absolute paths")
    if not isinstance(commands, str) or not os.path.isabs(commands):
        raise diagnostics.bad_settings(path, "commands is no absolute path")
    if isinstance(spool, bool) or not isinstance(spool, int) or spool < 1 << 20:
        raise diagnostics.bad_settings(path, "spool_bytes is no number of at least 1048576")
    return MachineSettings(tuple(Path(p) for p in paths), Path(commands), spool)


def default_state() -> Path:
    """Where an agent of a service elsewhere keeps its state: `/var/lib/workbench/agent` for root, else the user's."""
    return Path("/var/lib/workbench/agent") if os.geteuid() == 0 else data_home() / "workbench" / "agent"


def is_enrolled_elsewhere(state: Path) -> bool:
    """Whether a state folder has an identity at a service that is named by its URL."""
    identity = enrolment.load(state)
    return identity is not None and bool(identity.url)


def enrol_at(url: str, key: str, state: Path | None = None, worker_group: str = "") -> enrolment.Identity:
    """The identity of this machine at a service: the one it has there, else a new one for the key.

    It is a worker's where there is a `worker_group`, else an agent's.

    Raises
    ------
    WorkbenchError
        AGT001, AGT002 for the URL, AGT004 to AGT006 when nothing came of it, AGT011 when the agent has another
        service already.
    """
    folder = state or default_state()
    url = checked_url(url)
    there = enrolment.load(folder)
    if there is not None and there.url != url:
        raise diagnostics.enrolled_elsewhere(there.url or "its workspace", str(folder))
    if there is not None:
        return there
    made = enrolment.enrol(url, key, Machine(folder).computer, worker_group)
    enrolment.keep(folder, made)
    return made


def host_and_port(text: str) -> tuple[str, int]:
    """`HOST:PORT` in its parts.

    Raises
    ------
    WorkbenchError
        AGT009.

    Examples
    --------
    >>> host_and_port("[::1]:0")
    ('::1', 0)
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise diagnostics.bad_listen(text, "that is no address")
    return host.removeprefix("[").removesuffix("]"), int(port)


def run_agent(
    workspace: str | None = None,
    *,
    state: Path | None = None,
    cards: Iterable[SourceCard] | None = None,
    gateway: Binding | None = None,
    group: str = "",
    ready: Callable[[str], None] = print,
) -> None:
    """Collect this machine's records until SIGTERM or SIGINT.

    Parameters
    ----------
    workspace : str, optional
        A local workspace, whose service may start later, or again on another port. Without one the service of
        the state folder's identity.
    state : Path, optional
        The agent's folder; by default in the workspace's state, else `default_state`.
    cards : iterable of SourceCard, optional
        The sources; all registered ones by default.
    gateway : Binding, optional
        Listen there for other agents and forward what they send.
    group : str
        The management group of a gateway.
    ready : callable
        Called with the gateway's URL once it answers.

    Raises
    ------
    WorkbenchError
        AGT003 without an identity, AGT007 when another agent runs on the same state, AGT008.
    """
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    place = ServicePlace(workspace) if workspace is not None else None
    folder = state or (place.folder / "agent" if place is not None else default_state())
    settings = machine_settings(folder)
    identity = enrolment.load(folder)
    machine = Machine(
        folder,
        allow_paths=settings.allow_paths,
        commands=settings.commands,
        identity=identity.id if identity else "",
        group=group,
    )
    with alone(folder, LOCK, diagnostics.runs_already), ExitStack() as stack:
        find = (
            LocalService(place, folder, machine.computer).find if place is not None else named_service(folder)
        )
        spool = Spool(folder / "spool", machine.computer, settings.spool_bytes)
        behind = Behind(folder / "behind", find, group, settings.spool_bytes) if gateway is not None else None
        agent = Agent(
            machine,
            find,
            spool,
            cards or [card for _, card in SOURCES.items()],
            behind=behind.lanes if behind is not None else lambda: (),
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: agent.stop())
        if behind is not None and gateway is not None:
            from workbench.server.gateway import answering

            behind.on_news = agent.wake
            stack.callback(behind.close)
            ready(stack.enter_context(answering(behind, gateway)))
        agent.run()


class LocalService:
    """Finds the service of a local workspace, and enrols there with the workspace's own key. Safe for threads."""

    def __init__(self, place: ServicePlace, folder: Path, computer: str, worker_group: str = "") -> None:
        self._place = place
        self._folder = folder
        self._computer = computer
        self._worker_group = worker_group
        self._identity = enrolment.load(folder)
        self._guard = threading.Lock()
        self._not_before = 0.0

    def find(self) -> Endpoint | None:
        address = self._place.address()
        if address is None:
            return None
        with self._guard:
            if self._identity is None and time.monotonic() >= self._not_before:
                self._not_before = time.monotonic() + ENROL_SECONDS
                self._identity = self._enrolled(address)
        return Endpoint(address.url, self._identity.token) if self._identity is not None else None

    def _enrolled(self, address: Address) -> enrolment.Identity | None:
        from workbench.base.access import Access
        from workbench.base.database import Database

        try:
            key = Access(Database.open(self._place.folder), address.workspace_id).keys().primary
            found = enrolment.enrol(address.url, key, self._computer, self._worker_group)
        except WorkbenchError as refused:
            log.warning("this machine is not enrolled yet: %s", refused.message)
            return None
        # Its URL may be another at each start; where it is, the workspace's files tell.
        found = replace(found, url="")
        enrolment.keep(self._folder, found)
        return found


def named_service(folder: Path) -> Callable[[], Endpoint | None]:
    identity = enrolment.load(folder)
    if identity is None or not identity.url:
        raise diagnostics.not_enrolled(str(folder))
    endpoint = Endpoint(identity.url, identity.token)
    return lambda: endpoint


@contextmanager
def alone(folder: Path, lock: str, refused: Callable[[str], WorkbenchError]) -> Iterator[None]:
    """Be the one process of its kind in a state folder inside the block; the kernel frees it, even after kill -9."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise refused(str(folder)) from None
        yield
    finally:
        os.close(handle)
