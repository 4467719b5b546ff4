"""`%runbook NAME`: start a runbook from a notebook cell, and watch it."""

from __future__ import annotations

import argparse
import shlex
import time
from typing import Any, NoReturn

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand

from workbench.actions.runbook.declaration import values
from workbench.base.config import default_workspace
from workbench.base.diagnostics import runbook as diagnostics
from workbench.kernel_ext import automation
from workbench.server import client
from workbench.server.place import ServicePlace

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
        path = automation.path_of("runbooks", asked.name)
        body: dict[str, Any] = {
            "group": asked.group, "timeout": asked.timeout, "retries": asked.retries,
        }  # fmt: skip
        if asked.parameter:
            body["parameters"] = values(client.asked(place, "GET", path)["parameters"], asked.parameter)
        job = str(client.asked(place, "POST", f"{path}/start", body)["job_id"])
        if asked.wait:
            _watch(place, job)
        return job


def _watch(place: ServicePlace, job: str) -> None:
    """Print what a job tells until it has ended; raises JOB309 when that was not well."""
    last, over = 0, False
    while not over:
        found, lines, over = automation.followed(place, job, last)
        for line in lines:
            last, message = line["number"], line["message"]
            print(message if line["stream"] == "Output" else f"{line['stream']}: {message}\n", end="")  # noqa: T201
        if not over and not lines:
            time.sleep(_AGAIN_SECONDS)
    if found["state"] != "Completed":
        raise diagnostics.ended_badly(job, found["state"], found["error"])
