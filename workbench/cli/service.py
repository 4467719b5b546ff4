"""`workbench up | serve | doctor`: the processes of this machine."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from workbench.cli import options


def register(app: typer.Typer) -> None:
    for command in (up, serve, doctor):
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
    host: Annotated[
        str, typer.Option(help="Address to listen on; one that other machines reach needs TLS.")
    ] = "127.0.0.1",
    name: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A host name that requests may ask for.")
    ] = None,
    tls_cert: Annotated[
        str, typer.Option(metavar="FILE", help="Certificate (PEM, with its chain) for TLS.")
    ] = "",
    tls_key: Annotated[str, typer.Option(metavar="FILE", help="Its key (PEM).")] = "",
    syslog: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Take syslog messages there, over UDP and TCP.")
    ] = None,
    syslog_allow: Annotated[
        list[str] | None,
        typer.Option(metavar="CIDR", help="A network that may send syslog; this machine always may."),
    ] = None,
    syslog_tls_cert: Annotated[
        str, typer.Option(metavar="FILE", help="Syslog over TCP only with TLS: the certificate.")
    ] = "",
    syslog_tls_key: Annotated[str, typer.Option(metavar="FILE", help="Its key.")] = "",
    syslog_client_ca: Annotated[
        str, typer.Option(metavar="FILE", help="The authority of the senders' certificates.")
    ] = "",
    job_user: options.JobUser = "",
    workspace: options.Workspace = None,
) -> None:
    """Run the service of a workspace in the foreground."""
    from workbench.cli.output import emit_json
    from workbench.server.binding import Binding
    from workbench.server.serve import serve as run_service
    from workbench.server.syslog import settings

    chosen = None
    if syslog is not None:
        chosen = settings(
            syslog,
            syslog_allow or (),
            certificate=syslog_tls_cert,
            key=syslog_tls_key,
            authority=syslog_client_ca,
        )
    run_service(
        options.chosen(workspace),
        Binding(host, port, tls_cert, tls_key, tuple(name or ())),
        lambda address: emit_json({"url": address.url, "workspace_id": address.workspace_id}),
        syslog=chosen,
        job_user=job_user,
    )


def doctor(as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Say what is wrong with this machine, the workspace, its service and agents, and what helps; exit 1 if anything is.

    Looks at packages, workspace, disk reserve, clock, service, records that were set aside, agents that are silent, the
    agent of this machine with its spool, and the commands it may run. Changes nothing.
    """
    from workbench.cli.output import emit_json, shown
    from workbench.server.doctor import examine

    found = examine(options.chosen(workspace))
    if as_json:
        emit_json([finding.as_dict() for finding in found])
    else:
        width = max(len(finding.what) for finding in found)
        for one in found:
            print(shown(f"{one.state:<8} {one.what:<{width}}  {one.detail}"))
            if one.fix and one.state != "ok":
                print(shown(f"{'':<8} {'':<{width}}  fix: {one.fix}"))
    if any(finding.state == "problem" for finding in found):
        raise typer.Exit(1)
