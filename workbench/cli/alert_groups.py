"""`workbench alert group …`: who is told of alerts, and what became of a sample."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli import options
from workbench.cli.asking import asked, place_of, quoted

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of an action group.")]
Destination = Annotated[
    str | None,
    typer.Argument(metavar="NETWORK|HOST", help="An address, a network (10.1.0.0/16) or a host's name."),
]
app = typer.Typer(name="group", help="Action groups: who is told of alerts.", no_args_is_help=True)


@app.command()
def create(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The group as YAML or JSON; - for standard input.")
    ],
    name: Annotated[str | None, typer.Option(help="Its name, where the text has none.")] = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Make an action group, or change the one of that name."""
    from workbench.actions.deliveries.groups import from_yaml
    from workbench.base.diagnostics import notify as diagnostics

    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as why:
        raise diagnostics.no_yaml(f"{file}: {getattr(why, 'strerror', None) or 'it is no text'}") from None
    spec = from_yaml(text)
    called = name or spec.get("name")
    if not isinstance(called, str):
        raise diagnostics.bad_field("name", "it is missing: in the text, or as --name")
    if name:
        spec["name"] = name
    _print(asked(place_of(workspace), "PUT", f"/api/actionGroups/{quoted(called)}", spec), as_json)


@app.command("list")
def list_all(as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """List the action groups."""
    from workbench.cli.output import listing

    rows = asked(place_of(workspace), "GET", "/api/actionGroups")["groups"]
    counted = [
        {**row, **{kind: len(row.get(kind) or ()) for kind in ("email", "webhooks", "chat", "runbooks")}}
        for row in rows
    ]
    columns = ("name", "email", "webhooks", "chat", "runbooks", "changed", "changed_by")
    listing(rows if as_json else counted, columns, as_json=as_json)


@app.command()
def show(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Show an action group; secrets are only named in it."""
    _print(asked(place_of(workspace), "GET", f"/api/actionGroups/{quoted(name)}"), as_json)


@app.command()
def remove(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Remove an action group; what is on its way goes on."""
    _said(
        asked(place_of(workspace), "DELETE", f"/api/actionGroups/{quoted(name)}"), "removed", "name", as_json
    )


@app.command()
def test(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Tell each action of a group a sample, and show what became of it; exit 1 where one failed."""
    from workbench.cli.output import listing

    rows = asked(place_of(workspace), "POST", f"/api/actionGroups/{quoted(name)}/test")["results"]
    listing(rows, ("type", "name", "state", "code", "detail", "job_id"), as_json=as_json)
    if any(row["state"] != "Delivered" for row in rows):
        raise typer.Exit(1)


@app.command()
def allow(
    destination: Destination = None,
    plain: Annotated[bool, typer.Option("--plain", help="Also without TLS.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take it from the list.")] = False,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Let alerts be told to a private network or host, for owners; without one, list who may be told."""
    from workbench.cli.output import listing

    place, path = place_of(workspace), "/api/alert-destinations"
    if destination is None:
        rows = asked(place, "GET", path)["destinations"]
        listing(rows, ("destination", "plain", "added", "added_by"), as_json=as_json)
    elif remove:
        gone = asked(place, "POST", f"{path}/remove", {"destination": destination})
        _said(gone, "removed", "destination", as_json)
    else:
        made = asked(place, "POST", path, {"destination": destination, "plain": plain})
        _said(made, "allowed", "destination", as_json)


def _said(value: dict[str, Any], word: str, key: str, as_json: bool) -> None:
    from workbench.cli.output import emit_json

    if as_json:
        emit_json(value)
    else:
        print(f"{word} {value[key]}")


def _print(group: dict[str, Any], as_json: bool) -> None:
    import yaml

    from workbench.cli.output import emit_json

    if as_json:
        emit_json(group)
    else:
        print(yaml.safe_dump(group, sort_keys=False, allow_unicode=True), end="")
