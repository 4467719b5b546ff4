"""`workbench up | serve | agent | doctor`: the processes of this machine."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from workbench.cli import options


def register(app: typer.Typer) -> None:
    for command in (up, serve, agent, doctor):
        app.command()(command)


def up(
    no_lab: Annotated[bool, typer.Option("--no-lab", help="Without JupyterLab.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Start all, see that it works, run the tour, stop all.")
    ] = False,
    workspace: options.Workspace = None,
) -> None:
    """Start service, agent and JupyterLab; Ctrl-C stops them."""
    from workbench.server import up as house

    path = options.chosen(workspace)
    try:
        with house.terminable():
            if check:
                house.check(path, lambda line: print(line, flush=True), with_lab=not no_lab)
                return
            with house.running(path, with_lab=not no_lab) as state:
                print(f"workspace  {state.workspace}")
                print(f"service    {state.address.url}")
                if state.lab is not None:
                    print(f"jupyterlab {state.lab.url}")
                print("stop all with Ctrl-C", flush=True)
                house.wait_until_one_ends(state)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        if check:
            raise typer.Exit(130) from None


def serve(
    port: Annotated[
        int, typer.Option(help="Port on this machine; 0 takes any free one.", min=0, max=65535)
    ] = 0,
    workspace: options.Workspace = None,
) -> None:
    """Run the service of a workspace in the foreground."""
    from workbench.cli.output import emit_json
    from workbench.server.serve import serve as run_service

    run_service(
        options.chosen(workspace),
        port,
        lambda address: emit_json({"url": address.url, "workspace_id": address.workspace_id}),
    )


def agent(workspace: options.Workspace = None) -> None:
    """Collect the records of this machine and send them to the service."""
    from workbench.server.local_agent import run_agent

    run_agent(options.chosen(workspace))


def doctor(as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Look whether this machine has what is needed."""
    from workbench.cli.output import listing
    from workbench.server.doctor import examine

    found = examine(options.chosen(workspace))
    listing([finding.as_dict() for finding in found], ("what", "state", "detail"), as_json=as_json)
    if any(finding.state == "missing" for finding in found):
        raise typer.Exit(1)
