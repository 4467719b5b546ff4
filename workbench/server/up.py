"""`workbench up`: service, agent and JupyterLab as one, and the check that all of it works.

The three are child processes; when one ends by itself the others are stopped and its log is named.
`check` starts all, waits until this machine's first records can be searched, runs the tour without a
browser, tells what it found, and stops everything.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from workbench.base.diagnostics import service as diagnostics
from workbench.server import client, lab, own_rules
from workbench.server.children import Child, stop_all
from workbench.server.place import Address, ServicePlace
from workbench.server.tour import run_tour

SERVICE_SECONDS = 30.0
RECORDS_SECONDS = 60.0
FIRST_TABLES = ("Heartbeat", "Perf", "ConfigurationData")
Tell = Callable[[str], None]


@dataclass
class Running:
    """What `up` has started."""

    workspace: str
    place: ServicePlace
    address: Address
    children: list[Child] = field(default_factory=list)
    lab: lab.Lab | None = None

    def check(self) -> None:
        """Raise SRV003 when one of the children has ended."""
        for child in self.children:
            child.check()


@contextmanager
def running(workspace: str, *, with_lab: bool = True) -> Iterator[Running]:
    """Service, agent and JupyterLab inside the block; all stopped after it, however it ends.

    Raises
    ------
    WorkbenchError
        SRV001 when a service of the workspace runs already, SRV003 or SRV004 when a part does not
        come up, SRV006 when there is no tour to open.
    """
    workspace = workspace if "://" in workspace else str(Path(workspace).absolute())
    place = ServicePlace(workspace)
    folder = lab.notebooks_folder(workspace) if with_lab else None
    there = place.address()
    if there is not None:
        raise diagnostics.service_runs_already(there.url, there.pid)
    children: list[Child] = []
    try:
        service = _workbench("service", ["serve"], workspace, place.logs)
        children.append(service)
        service.wait_until(lambda: _is_healthy(place), SERVICE_SECONDS)
        address = place.address()
        assert address is not None
        own_rules.make(place)
        children.append(_workbench("agent", ["agent"], workspace, place.logs))
        state = Running(workspace, place, address, children)
        if folder is not None:
            state.lab = lab.start(workspace, folder, place.logs / "jupyterlab.log")
            children.append(state.lab.child)
            state.lab.child.wait_until(state.lab.answers, lab.START_SECONDS, every=0.2)
        yield state
    finally:
        with _undisturbed():
            stop_all(children)


def _workbench(name: str, arguments: Sequence[str], workspace: str, logs: Path) -> Child:
    command = [sys.executable, "-m", "workbench.cli", *arguments, "--workspace", workspace]
    return Child(name, command, logs / f"{name}.log", os.environ)


def _is_healthy(place: ServicePlace) -> bool:
    address = place.address()
    if address is None:
        return False
    answer = client.get_json(f"{address.url}/api/health", seconds=5)
    return answer is not None and answer.status == 200


def wait_until_one_ends(state: Running) -> None:
    """Raise SRV003 as soon as a child ends by itself; nothing else ends the wait but an interrupt."""
    while True:
        state.check()
        time.sleep(0.2)


@contextmanager
def terminable() -> Iterator[None]:
    """Treat SIGTERM inside the block as Ctrl-C is treated, so that `running` stops its children."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ignore Ctrl-C and SIGTERM inside the block: the stopping of children runs to its end."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


# ---- the check --------------------------------------------------------------------------------


def check(workspace: str, tell: Tell, *, with_lab: bool = True) -> None:
    """Start all, prove that it works, stop all.

    Raises
    ------
    WorkbenchError
        With the first thing that did not work.
    """
    began = time.monotonic()

    def since() -> str:
        return f"{time.monotonic() - began:.1f} s"

    tour = lab.notebooks_folder(workspace) / lab.TOUR
    with running(workspace, with_lab=with_lab) as state:
        tell(f"service    {state.address.url} answers ({since()})")
        if state.lab is not None:
            tell(f"jupyterlab {state.lab.base} answers ({since()})")
        for table, count in wait_for_records(state).items():
            tell(f"records    {table}: {count:,} ({since()})")
        cells = run_tour(tour, state.workspace, state.place.logs)
        tell(f"tour       {cells} cells ran ({since()})")
        for table, count in row_counts(state).items():
            tell(f"table      {table}: {count:,} rows")
    tell(f"all stopped ({since()})")


def wait_for_records(state: Running, tables: Sequence[str] = FIRST_TABLES) -> dict[str, int]:
    """Wait until each table can be searched and has rows; their numbers.

    Raises
    ------
    WorkbenchError
        SRV005 naming the tables that stayed empty.
    """
    deadline = time.monotonic() + RECORDS_SECONDS
    found: dict[str, int] = {}
    while len(found) < len(tables):
        state.check()
        for table in tables:
            if table not in found and (count := _count(state.place, table)):
                found[table] = count
        if time.monotonic() > deadline:
            missing = [table for table in tables if table not in found]
            if missing:
                raise diagnostics.no_records(missing, RECORDS_SECONDS, str(state.place.logs / "agent.log"))
        time.sleep(0.2)
    return found


def row_counts(state: Running) -> dict[str, int]:
    """Rows by table, by one search over all of them."""
    answer = client.query(
        state.place, "union withsource=Table * | summarize Rows = count() by Table | sort by Table asc"
    )
    if answer is None or answer.status != 200:
        return {}
    return {row[0]: row[1] for row in answer.body["tables"][0]["rows"]}


def _count(place: ServicePlace, table: str) -> int:
    answer = client.query(place, f"{table} | count")
    if answer is None or answer.status != 200:  # the table is not there yet
        return 0
    return int(answer.body["tables"][0]["rows"][0][0])
