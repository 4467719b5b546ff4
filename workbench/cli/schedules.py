"""`workbench schedule …`: runbooks that are started by the clock."""

from __future__ import annotations

import urllib.parse
from typing import Annotated, Any

import typer

from workbench.cli import options
from workbench.cli.asking import asked, parameters_of, place_of, quoted

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of a schedule.")]
When = Annotated[
    str,
    typer.Argument(
        metavar="WHEN",
        help="'daily 06:30', 'weekly mon,fri 06:30', 'monthly 1,last 06:30', 'monthly second tue 06:30', "
        "'every 20m', 'once 2026-12-01 06:30', or five fields of cron.",
    ),
]
Zone = Annotated[str, typer.Option(help="The time zone whose clock is meant, such as Europe/Brussels.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        name="schedule", help="Schedules: runbooks that are started by the clock.", no_args_is_help=True
    )
    group.command()(create)
    group.command("list")(list_all)
    group.command()(show)
    group.command("next")(next_runs)
    group.command()(pause)
    group.command()(resume)
    group.command()(remove)
    app.add_typer(group)


def create(
    name: Name,
    when: When,
    runbook: Annotated[str, typer.Option(help="The runbook that it starts.")],
    zone: Zone = "UTC",
    start: Annotated[str, typer.Option(help="Not before that time of the zone.")] = "",
    end: Annotated[str, typer.Option(help="Not after that time of the zone.")] = "",
    misfire: Annotated[
        str, typer.Option(help="Runs that were missed: skip, once (the newest) or all:N.")
    ] = "once",
    overlap: Annotated[
        str, typer.Option(help="While a run of before is not at its end: queue, skip, replace or allow.")
    ] = "queue",
    parameters: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="A parameter; JSON, or text."),
    ] = None,
    group: Annotated[str, typer.Option(help="The worker group that runs it.")] = "default",
    timeout: Annotated[int, typer.Option(help="Seconds that a run may take; 0: as long as it takes.")] = 0,
    retries: Annotated[int, typer.Option(help="More tries after a failure.")] = 0,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Make a schedule, or change the one of that name."""
    place = place_of(workspace)
    body: dict[str, Any] = {
        "runbook": runbook, "when": when, "zone": zone, "start": start, "end": end, "misfire": misfire,
        "overlap": overlap, "group": group, "timeout": timeout, "retries": retries,
    }  # fmt: skip
    if parameters:
        body["parameters"] = parameters_of(place, runbook, parameters)
    _print(asked(place, "PUT", f"/api/schedules/{quoted(name)}", body), as_json)


def list_all(as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """List the schedules."""
    from workbench.cli.output import listing

    rows = asked(place_of(workspace), "GET", "/api/schedules")["schedules"]
    listing(rows, ("name", "runbook", "when", "zone", "state", "next", "last", "last_error"), as_json=as_json)


def show(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Show a schedule and its next runs."""
    _print(asked(place_of(workspace), "GET", f"/api/schedules/{quoted(name)}"), as_json)


def next_runs(
    when: When, zone: Zone = "UTC", as_json: options.Json = False, workspace: options.Workspace = None
) -> None:
    """Show when a text would be due, and make nothing."""
    from workbench.cli.output import emit_json

    query = urllib.parse.urlencode({"when": when, "zone": zone})
    runs = asked(place_of(workspace), "GET", f"/api/next-runs?{query}")["runs"]
    if as_json:
        emit_json(runs)
    else:
        print("\n".join(runs) or "never")


def pause(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Have a schedule rest; what is due until it is resumed does not run."""
    _print(asked(place_of(workspace), "POST", f"/api/schedules/{quoted(name)}/pause"), as_json)


def resume(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Have a schedule run again."""
    _print(asked(place_of(workspace), "POST", f"/api/schedules/{quoted(name)}/resume"), as_json)


def remove(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Remove a schedule; jobs that it made go on."""
    from workbench.cli.output import emit_json

    gone = asked(place_of(workspace), "DELETE", f"/api/schedules/{quoted(name)}")
    if as_json:
        emit_json(gone)
    else:
        print(f"removed {gone['name']}")


def _print(schedule: dict[str, Any], as_json: bool) -> None:
    from workbench.cli.output import emit_json

    if as_json:
        emit_json(schedule)
        return
    for key, value in schedule.items():
        if key != "runs" and value not in (None, "", {}):
            print(f"{key:12} {value}")
    for place, run in enumerate(schedule.get("runs", ())):
        print(f"{'' if place else 'next runs':12} {run}")
