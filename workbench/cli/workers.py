"""`workbench worker [run] | list | remove`: the workers that run jobs, on this machine and others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import options
from workbench.cli.agent import Key, Service, given_key
from workbench.cli.asking import asked, place_of, quoted

Group = Annotated[str, typer.Option(metavar="NAME", help="The worker group whose jobs it runs.")]
State = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Where identity and logs are kept.", show_default=False),
]
Slots = Annotated[int, typer.Option(min=1, max=256, help="How many jobs it runs at once.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        name="worker",
        help="Run the jobs of a worker group on this machine; list and remove workers.",
        invoke_without_command=True,
    )
    group.callback()(_without_command)
    group.command()(run)
    group.command("list")(list_all)
    group.command()(remove)
    app.add_typer(group)


def _without_command(
    context: typer.Context,
    group: Group = "default",
    service: Service = "",
    key: Key = "",
    state: State = None,
    slots: Slots = 4,
    job_user: options.JobUser = "",
    workspace: options.Workspace = None,
) -> None:
    if context.invoked_subcommand is None:
        run(group, service, key, state, slots, job_user, workspace)


def run(
    group: Group = "default",
    service: Service = "",
    key: Key = "",
    state: State = None,
    slots: Slots = 4,
    job_user: options.JobUser = "",
    workspace: options.Workspace = None,
) -> None:
    """Run in the foreground. SIGTERM lets what runs come to its end; Ctrl-C gives it up, and another worker takes it."""
    from workbench.server.hybrid_worker import run_worker

    local = workspace or os.environ.get("WORKBENCH_WORKSPACE")
    elsewhere = service or (state is not None and not local)
    run_worker(
        group,
        workspace=None if elsewhere else options.chosen(workspace),
        service=service,
        key=given_key(key),
        state=state,
        slots=slots,
        job_user=job_user,
    )


def list_all(as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """List the workers, their groups, and when each was heard of."""
    from workbench.cli.output import listing

    rows = asked(place_of(workspace), "GET", "/api/workers")["workers"]
    listing(rows, ("id", "name", "group", "state", "running", "slots", "seen", "version"), as_json=as_json)


def remove(
    worker: Annotated[str, typer.Argument(metavar="WORKER", help="The id of a worker.")],
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """End a worker's identity: it gets no job any more."""
    from workbench.cli.output import emit_json

    asked(place_of(workspace), "DELETE", f"/api/workers/{quoted(worker)}")
    if as_json:
        emit_json({"removed": worker})
    else:
        print(f"removed {worker}")
