"""The agent as a process beside its service: finds the service by its files, ends on SIGTERM."""

from __future__ import annotations

import logging
import signal
import sys

from workbench.collect.agent import Agent, Endpoint
from workbench.collect.sources import Machine
from workbench.server.place import ServicePlace


def run_agent(workspace: str) -> None:
    """Collect this machine's records into `workspace` until SIGTERM or SIGINT.

    The service may start later, or again on another port: its address is looked up at each try.
    """
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    place = ServicePlace(workspace)

    def find() -> Endpoint | None:
        address, token = place.address(), place.token()
        return Endpoint(address.url, token) if address and token else None

    agent = Agent(Machine(place.folder / "agent"), find)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: agent.stop())
    agent.run()
