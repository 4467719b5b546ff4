"""How commands ask the service of a workspace; all that concerns jobs goes through it."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING, Any

from workbench.cli import options

if TYPE_CHECKING:
    from workbench.server.place import ServicePlace


def place_of(workspace: str | None) -> ServicePlace:
    """Where the service of the chosen workspace is found."""
    from workbench.server.place import ServicePlace

    return ServicePlace(options.chosen(workspace))


def asked(place: ServicePlace, method: str, path: str, body: object = None) -> dict[str, Any]:
    """The service's answer; its mistakes are raised, and so is that none runs."""
    from workbench.server import client  # what it loads would slow every command

    return client.asked(place, method, path, body)


def quoted(name: str) -> str:
    """A name as a part of a path."""
    return urllib.parse.quote(name, safe="")


def parameters_of(place: ServicePlace, runbook: str, given: list[str]) -> dict[str, Any]:
    """Parameters written as NAME=VALUE, each of the type that the runbook declares."""
    from workbench.actions.runbook.declaration import values

    return values(asked(place, "GET", f"/api/runbooks/{quoted(runbook)}")["parameters"], given)
