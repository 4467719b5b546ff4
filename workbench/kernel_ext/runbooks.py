"""`%runbook NAME`: start a runbook from a notebook cell, and watch it."""

from __future__ import annotations

import argparse
import shlex
import time
import urllib.parse
from typing import Any, NoReturn

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from workbench.actions.runbook.declaration import values
from workbench.base.config import default_workspace
from workbench.base.diagnostics import runbook as diagnostics
from workbench.base.diagnostics import service as service_messages
from workbench.server import client
from workbench.server.place import ServicePlace

_ENDED = ("Completed", "Failed", "Stopped", "Suspended")
_STREAMS = "JobStream | where JobId == '{job}' and Sequence > {last} | sort by Sequence asc | project Sequence, StreamType, Message"
_AGAIN_SECONDS = 0.5


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise diagnostics.bad_runbook_line(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="%runbook", add_help=False)
    parser.add_argument("name")
    parser.add_argument("-p", "--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--group", default="default")
    parser.add_argument("--timeout", type=int, default=0)
    parser.add_argument("--retries", type=int, default=0)
    parser.add_argument("--wait", action="store_true")
    parser.add_argument("--workspace")
    return parser


@magics_class
class Runbooks(Magics):  # type: ignore[misc]
    """The runbook magic of one kernel."""

    @no_var_expand  # type: ignore[untyped-decorator]
    @line_magic  # type: ignore[untyped-decorator]
    def runbook(self, line: str) -> str:
        """Start a runbook as a job; its id.

        %runbook NAME [-p NAME=VALUE …] [--group G] [--timeout S] [--retries N] [--wait] [--workspace PATH]

        With --wait what it tells is printed as it comes, and a job that does not complete fails the cell.
        """
        try:
            asked = _parser().parse_args(shlex.split(line))
        except ValueError as broken:
            raise diagnostics.bad_runbook_line(str(broken)) from None
        place = ServicePlace(asked.workspace or default_workspace())
        path = f"/api/runbooks/{urllib.parse.quote(asked.name, safe='')}"
        body: dict[str, Any] = {
            "group": asked.group, "timeout": asked.timeout, "retries": asked.retries,
        }  # fmt: skip
        if asked.parameter:
            body["parameters"] = values(_asked(place, "GET", path)["parameters"], asked.parameter)
        job = str(_asked(place, "POST", f"{path}/start", body)["job_id"])
        if asked.wait:
            _watch(place, job)
        return job


def _watch(place: ServicePlace, job: str) -> None:
    """Print what a job tells until it has ended; raises JOB309 when that was not well."""
    last = 0
    while True:
        found = _asked(place, "GET", f"/api/jobs/{job}")
        ended = found["state"] in _ENDED and _is_told(place, found)
        answer = client.query(place, _STREAMS.format(job=job, last=last))
        tables = answer.body.get("tables") if answer is not None and isinstance(answer.body, dict) else None
        for number, stream, message in tables[0]["rows"] if tables else ():
            last = number
            print(message if stream == "Output" else f"{stream}: {message}\n", end="")  # noqa: T201
        if ended:
            break
        time.sleep(_AGAIN_SECONDS)
    if found["state"] != "Completed":
        raise diagnostics.ended_badly(job, found["state"], found["error"])


def _is_told(place: ServicePlace, job: dict[str, Any]) -> bool:
    """Whether the record of a job's end is stored, and with it all that the job told before."""
    text = f"Job | where JobId == '{job['id']}' and State == '{job['state']}' and Attempt == {job['attempt']} | count"
    answer = client.query(place, text)
    return answer is not None and answer.status == 200 and answer.body["tables"][0]["rows"] != [[0]]


def _asked(place: ServicePlace, method: str, path: str, body: object = None) -> dict[str, Any]:
    told = client.told(place, method, path, body)
    if told is None:
        raise service_messages.needs_service(place.workspace)
    return told
