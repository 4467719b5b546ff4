"""`workbench agent [run] | enrol | install`: the agent of this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import options

Service = Annotated[
    str,
    typer.Option(
        metavar="URL",
        help="The service or gateway to report to; else that of the local workspace.",
        show_default=False,
    ),
]
Key = Annotated[
    str,
    typer.Option(
        metavar="KEY",
        envvar="WORKBENCH_KEY",
        help="A key of the workspace, to enrol; '-' reads it from standard input.",
        show_default=False,
        show_envvar=True,
    ),
]
State = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="Where identity, marks and waiting records are kept.", show_default=False
    ),
]
Gateway = Annotated[
    str, typer.Option(metavar="HOST:PORT", help="Listen there for other agents and forward for them.")
]
Group = Annotated[str, typer.Option(metavar="NAME", help="The management group of a gateway.")]
Name = Annotated[list[str] | None, typer.Option(metavar="NAME", help="A host name of the gateway.")]
Certificate = Annotated[
    str, typer.Option("--tls-cert", metavar="FILE", help="Certificate (PEM) of the gateway.")
]
PrivateKey = Annotated[str, typer.Option("--tls-key", metavar="FILE", help="Its key (PEM).")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        name="agent",
        help="Collect the records of this machine and send them to a service.",
        invoke_without_command=True,
    )
    group.callback()(_without_command)
    group.command()(run)
    group.command()(enrol)
    group.command()(install)
    app.add_typer(group)


def _without_command(
    context: typer.Context,
    service: Service = "",
    key: Key = "",
    state: State = None,
    gateway: Gateway = "",
    group: Group = "",
    name: Name = None,
    tls_cert: Certificate = "",
    tls_key: PrivateKey = "",
    workspace: options.Workspace = None,
) -> None:
    if context.invoked_subcommand is None:
        run(service, key, state, gateway, group, name, tls_cert, tls_key, workspace)


def run(
    service: Service = "",
    key: Key = "",
    state: State = None,
    gateway: Gateway = "",
    group: Group = "",
    name: Name = None,
    tls_cert: Certificate = "",
    tls_key: PrivateKey = "",
    workspace: options.Workspace = None,
) -> None:
    """Run in the foreground. Without --service it reports to where it is enrolled, or to the local workspace."""
    from workbench.cli.output import emit_json
    from workbench.server import local_agent
    from workbench.server.binding import Binding

    binding = None
    if gateway:
        host, port = local_agent.host_and_port(gateway)
        binding = Binding(host, port, tls_cert, tls_key, tuple(name or ()))
    local = workspace or os.environ.get("WORKBENCH_WORKSPACE")
    elsewhere = service or (state is not None and (not local or local_agent.is_enrolled_elsewhere(state)))
    if service:
        local_agent.enrol_at(service, given_key(key), state)
    local_agent.run_agent(
        None if elsewhere else options.chosen(workspace),
        state=state,
        gateway=binding,
        group=group,
        ready=lambda url: emit_json({"gateway": url}),
    )


def enrol(
    service: Annotated[str, typer.Argument(metavar="URL", help="The service or gateway to report to.")],
    key: Key = "",
    state: State = None,
) -> None:
    """Give this machine an identity at a service; the key is used once and not kept."""
    from workbench.server import local_agent

    identity = local_agent.enrol_at(service, given_key(key), state)
    print(f"enrolled at {identity.url} as {identity.id}")


def install(
    print_only: Annotated[bool, typer.Option("--print", help="Print the unit, and write nothing.")] = False,
    state: State = None,
) -> None:
    """Write a systemd unit that runs the agent from the next boot on."""
    from workbench.server import unit

    text = unit.text(state)
    if print_only:
        sys.stdout.write(text)
        return
    for line in unit.install(text, state):
        print(line)


def given_key(given: str) -> str:
    return sys.stdin.readline().strip() if given == "-" else given
