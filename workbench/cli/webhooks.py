"""`workbench webhook …`: runbooks that are started by whoever knows a URL."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workbench.cli import options
from workbench.cli.asking import asked, parameters_of, place_of, quoted

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of a webhook.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        name="webhook", help="Webhooks: runbooks that are started by a URL.", no_args_is_help=True
    )
    group.command()(create)
    group.command("list")(list_all)
    group.command()(show)
    group.command()(rotate)
    group.command()(enable)
    group.command()(disable)
    group.command()(remove)
    app.add_typer(group)


def create(
    name: Name,
    runbook: Annotated[str, typer.Option(help="The runbook that it starts.")],
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "-p", "--parameter", metavar="NAME=VALUE", help="A parameter that no caller can change."
        ),
    ] = None,
    days: Annotated[int, typer.Option(help="How long it is open; of an existing one it stays.")] = 365,
    signed: Annotated[
        bool, typer.Option("--signed", help="Take only messages that are signed (Standard Webhooks).")
    ] = False,
    overlap: Annotated[
        str, typer.Option(help="While a run of before is not at its end: allow, queue, skip or replace.")
    ] = "allow",
    group: Annotated[str, typer.Option(help="The worker group that runs it.")] = "default",
    timeout: Annotated[int, typer.Option(help="Seconds that a run may take; 0: as long as it takes.")] = 0,
    retries: Annotated[int, typer.Option(help="More tries after a failure.")] = 0,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Make a webhook and show its URL, this once; or change what the one of that name starts."""
    place = place_of(workspace)
    body: dict[str, Any] = {
        "runbook": runbook, "days": days, "signed": signed, "overlap": overlap, "group": group, "timeout": timeout,
        "retries": retries,
    }  # fmt: skip
    if parameters:
        body["parameters"] = parameters_of(place, runbook, parameters)
    _print(asked(place, "PUT", f"/api/webhooks/{quoted(name)}", body), as_json)


def list_all(as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """List the webhooks."""
    from workbench.cli.output import listing

    rows = asked(place_of(workspace), "GET", "/api/webhooks")["webhooks"]
    columns = ("name", "runbook", "state", "expires", "signed", "last_called", "last_error")
    listing(rows, columns, as_json=as_json)


def show(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Show a webhook; its token is not kept."""
    _print(asked(place_of(workspace), "GET", f"/api/webhooks/{quoted(name)}"), as_json)


def rotate(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Give it a new URL, and open it for as long again; the old one opens nothing any more."""
    _print(asked(place_of(workspace), "POST", f"/api/webhooks/{quoted(name)}/rotate"), as_json)


def enable(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Let callers in again."""
    _print(asked(place_of(workspace), "POST", f"/api/webhooks/{quoted(name)}/enable"), as_json)


def disable(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Let nobody in until it is enabled."""
    _print(asked(place_of(workspace), "POST", f"/api/webhooks/{quoted(name)}/disable"), as_json)


def remove(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Remove a webhook; jobs that it made go on."""
    from workbench.cli.output import emit_json

    gone = asked(place_of(workspace), "DELETE", f"/api/webhooks/{quoted(name)}")
    if as_json:
        emit_json(gone)
    else:
        print(f"removed {gone['name']}")


def _print(webhook: dict[str, Any], as_json: bool) -> None:
    from workbench.cli.output import emit_json

    if as_json:
        emit_json(webhook)
        return
    for key, value in webhook.items():
        if key != "token" and value not in (None, "", {}):
            print(f"{key:12} {value}")
