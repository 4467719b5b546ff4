"""`workbench serve`: the one service process of a workspace, from lock to clean end.

Takes the lock, makes the workspace when it is missing, binds a loopback port, says once on standard
output where it is, and runs until SIGTERM or SIGINT. Logs go to standard error.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

import uvicorn

from workbench.base.diagnostics import service as diagnostics
from workbench.collect.drainer import Drainer
from workbench.collect.intake import Intake
from workbench.server.app import Service, create
from workbench.server.place import Address, ServicePlace
from workbench.server.query_pool import QueryPool
from workbench.server.upkeep import Upkeep
from workbench.workspace import Workspace
from workbench.workspace import open as open_workspace

HOST = "127.0.0.1"


def serve(path: str, port: int, ready: Callable[[Address], None]) -> None:
    """Run the service of `path` until it is told to stop.

    Parameters
    ----------
    path : str
        Folder or URL of the workspace; made when missing.
    port : int
        0 takes any free port.
    ready : callable
        Called once, when requests are answered.

    Raises
    ------
    WorkbenchError
        SRV001 when a service of the workspace runs already, SRV012 when the port is taken.
    """
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    place = ServicePlace(path)
    with place.held(), _listening(port) as listener:
        workspace = open_workspace(path, create=True)
        token = place.token(create=True)
        assert token is not None
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        address = Address(url, os.getpid(), workspace.repository.workspace_id)

        def announce() -> None:
            place.publish(address)
            ready(address)

        upkeep = Upkeep(workspace.repository)
        with _taking_in(workspace, upkeep) as intake:
            service = Service(workspace, token, upkeep, QueryPool(workspace.path), intake)
            config = uvicorn.Config(
                create(service), log_config=None, access_log=False, timeout_graceful_shutdown=5
            )
            try:
                asyncio.run(_run(_Server(config, announce), listener))
            finally:
                place.withdraw()


@contextmanager
def _taking_in(workspace: Workspace, upkeep: Upkeep) -> Generator[Intake]:
    """The service's intake: what it accepts is drained inside the block, and at its end."""
    spool = workspace.repository.open_spool()
    intake = Intake(workspace.repository, spool)
    drainer = Drainer(intake, upkeep.stored)
    drainer.start()
    try:
        yield intake
    finally:
        drainer.stop()
        spool.close()


@contextmanager
def _listening(port: int) -> Generator[socket.socket]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        try:
            listener.bind((HOST, port))
        except OSError as broken:
            raise diagnostics.port_taken(port, broken.strerror or str(broken)) from None
        yield listener
    finally:
        listener.close()


class _Server(uvicorn.Server):
    """Tells when it answers, and leaves the signals to this module (uvicorn raises them anew)."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def _run(server: _Server, listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await server.serve(sockets=[listener])
