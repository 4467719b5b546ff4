"""What tests ask of a service about runbooks and jobs, and how they wait for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

SECONDS = 90


def notebook(*cells: str, parameters: str | None = None) -> dict[str, Any]:
    made = [
        {"cell_type": "code", "metadata": {}, "source": c, "outputs": [], "execution_count": None}
        for c in cells
    ]
    if parameters is not None:
        tagged = {"tags": ["parameters"]}
        made.insert(0, {"cell_type": "code", "metadata": tagged, "source": parameters, "outputs": [], "execution_count": None})  # fmt: skip
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}


class Jobs:
    """What tests ask of a service."""

    def __init__(self, service: Any) -> None:
        self.service = service

    def bring(self, name: str, *cells: str, parameters: str | None = None) -> None:
        status, told = self.service.ask(
            "PUT", f"/api/runbooks/{name}", {"notebook": notebook(*cells, parameters=parameters)}
        )
        assert status == 200, told

    def start(self, name: str, **body: Any) -> str:
        status, told = self.service.ask("POST", f"/api/runbooks/{name}/start", body)
        assert status == 202, told
        return str(told["job_id"])

    def get(self, job: str) -> dict[str, Any]:
        found: dict[str, Any] = self.service.ask("GET", f"/api/jobs/{job}")[1]
        return found

    def until(self, job: str, *states: str) -> dict[str, Any]:
        """Wait for a state, and for its record: the records of all that came before are stored then too."""
        found = wait_for(lambda: found if (found := self.get(job))["state"] in states else None)
        told = (
            f"Job | where JobId == '{job}' and State == '{found['state']}' and Attempt == {found['attempt']}"
        )
        wait_for(lambda: self.rows(f"{told} | project State"))
        return found

    def rows(self, query: str) -> list[list[Any]]:
        status, told = self.service.query(query)
        assert status in (200, 400), told
        return told["tables"][0]["rows"] if status == 200 else []

    def lines(self, job: str) -> list[list[Any]]:
        return self.rows(
            f"JobStream | where JobId == '{job}' | sort by Sequence asc | project StreamType, Message"
        )


def wait_for(look: Callable[[], Any]) -> Any:
    until = time.monotonic() + SECONDS
    while not (found := look()):
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)
    return found
