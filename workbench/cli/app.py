"""The commands in one tree, and what becomes of errors: one line or a coded message, never a traceback."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from workbench.base.errors import WorkbenchError
from workbench.cli import (
    access,
    agent,
    alerts,
    assets,
    dashboard,
    importing,
    kept,
    places,
    query,
    rules,
    runbooks,
    schedules,
    service,
    tables,
    watchlist,
    webhooks,
    workers,
)
from workbench.cli import format as format_command

DONE, MISTAKE, USAGE, FAULT = 0, 1, 2, 3

app = typer.Typer(
    name="workbench",
    help="Ask the records of your machines in KQL, and act on the answers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _group in (
    service,
    access,
    agent,
    query,
    kept,
    importing,
    tables,
    places,
    watchlist,
    workers,
    rules,
    runbooks,
    schedules,
    webhooks,
    alerts,
    assets,
    format_command,
    dashboard,
):
    _group.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"workbench {version('workbench')}")
        raise typer.Exit


@app.callback()
def _start(
    workspace: Annotated[
        str | None, typer.Option("--workspace", metavar="PATH-or-URL", help="The same before any command.")
    ] = None,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if workspace:
        os.environ["WORKBENCH_WORKSPACE"] = workspace


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit status."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="workbench")
        status = DONE
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else DONE if ended.code is None else MISTAKE
    except WorkbenchError as mistake:
        print(mistake.render(), file=sys.stderr)
        status = MISTAKE
    except BrokenPipeError:
        status = MISTAKE
    except KeyboardInterrupt:
        status = 130
    except BaseException as fault:  # noqa: BLE001  (a panic of the engine is no Exception)
        print(f"workbench: {_one_line(fault)}; details: {_keep(fault)}", file=sys.stderr)
        status = FAULT
    return _flushed(status)


def _flushed(status: int) -> int:
    """Write out what waits; a reader that went away is no reason to complain."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return status or MISTAKE
    return status


def _one_line(fault: BaseException) -> str:
    text = f"{type(fault).__name__}: {fault}".split("\n")[0]
    return f"this is a fault of ours ({text[:200]})"


def _keep(fault: BaseException) -> str:
    """Write the traceback to a file of its own; where it is."""
    from workbench.base.clock import now_us
    from workbench.base.config import data_home

    text = "".join(traceback.format_exception(fault))
    stamp = dt.datetime.fromtimestamp(now_us() // 1_000_000, dt.UTC).strftime("%Y%m%dT%H%M%S")
    for folder in (data_home() / "workbench" / "faults", Path("/tmp")):
        path = folder / f"workbench-{stamp}-{os.getpid()}.txt"
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{' '.join(sys.argv)}\n\n{text}")
            return str(path)
    return "could not be written"
