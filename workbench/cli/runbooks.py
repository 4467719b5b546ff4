"""`workbench runbook …`: bring notebooks in as runbooks, start them, watch and stop their jobs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from workbench.cli import options
from workbench.cli.asking import asked, parameters_of, place_of, quoted

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of a runbook.")]
Job = Annotated[str, typer.Argument(metavar="JOB", help="The id of a job.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        name="runbook", help="Runbooks: notebooks that are run as jobs.", no_args_is_help=True
    )
    group.command("import")(bring)
    group.command("list")(list_all)
    group.command()(show)
    group.command()(publish)
    group.command()(start)
    group.command()(status)
    group.command()(streams)
    group.command()(notebook)
    group.command()(cancel)
    group.command()(resume)
    app.add_typer(group)


def bring(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A notebook, or a folder of them.")],
    name: Annotated[str | None, typer.Option(help="Its name; by default the file's.")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="Do not publish it.")] = False,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Bring a notebook in as a runbook: a new version, published unless --draft."""
    from pathlib import Path

    from workbench.actions.runbook.files import notebooks
    from workbench.cli.output import emit_json, listing

    place = place_of(workspace)
    rows = []
    for own_name, found in notebooks(Path(file), name):
        rows.append(
            _row(
                asked(place, "PUT", f"/api/runbooks/{quoted(own_name)}", {"notebook": found, "draft": draft})
            )
        )
    if as_json:
        emit_json(rows[0] if len(rows) == 1 and not Path(file).is_dir() else rows)
    else:
        listing(rows, ("name", "version", "published"), as_json=False)


def list_all(as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """List the runbooks."""
    from workbench.cli.output import listing

    rows = [_row(r) for r in asked(place_of(workspace), "GET", "/api/runbooks")["runbooks"]]
    listing(rows, ("name", "version", "published", "parameters", "description"), as_json=as_json)


def show(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Show what a runbook takes."""
    from workbench.cli.output import emit_json, listing

    told = asked(place_of(workspace), "GET", f"/api/runbooks/{quoted(name)}")
    if as_json:
        emit_json(told)
        return
    print(f"{told['name']} version {told['version']}: {told['description']}")
    rows = [
        {"default": "", **p, "choices": ", ".join(map(str, p.get("choices", ())))} for p in told["parameters"]
    ]
    listing(rows, ("name", "type", "required", "default", "choices", "help"), as_json=False)


def publish(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Publish the newest draft of a runbook."""
    _print(
        _row(asked(place_of(workspace), "POST", f"/api/runbooks/{quoted(name)}/publish")), as_json, "version"
    )


def start(
    name: Name,
    parameters: Annotated[
        list[str] | None,
        typer.Option("-p", "--parameter", metavar="NAME=VALUE", help="A parameter; JSON, or text."),
    ] = None,
    group: Annotated[str, typer.Option(help="The worker group that runs it.")] = "default",
    timeout: Annotated[int, typer.Option(help="Seconds that it may run; 0: as long as it takes.")] = 0,
    retries: Annotated[int, typer.Option(help="More tries after a failure.")] = 0,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for its end; exit 1 when that is not Completed.")
    ] = False,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Start a runbook as a job."""
    from workbench.cli.output import emit_json

    place = place_of(workspace)
    body: dict[str, Any] = {"group": group, "timeout": timeout, "retries": retries}
    if parameters:
        body["parameters"] = parameters_of(place, name, parameters)
    number = asked(place, "POST", f"/api/runbooks/{quoted(name)}/start", body)["job_id"]
    job = asked(place, "GET", f"/api/jobs/{number}")
    while wait and job["state"] not in ("Completed", "Failed", "Stopped", "Suspended"):
        job = asked(place, "GET", f"/api/jobs/{number}?wait=30")
    if as_json:
        emit_json({"job_id": number, **{k: v for k, v in job.items() if k != "id"}})
    else:
        print(
            number if not wait else f"{number} {job['state']}" + (f": {job['error']}" if job["error"] else "")
        )
    if wait and job["state"] != "Completed":
        raise typer.Exit(1)


def status(
    job: Annotated[str | None, typer.Argument(metavar="JOB", help="One job; without it the newest.")] = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Show jobs and their states."""
    from workbench.cli.output import emit_json, listing

    place = place_of(workspace)
    if job is not None:
        found = asked(place, "GET", f"/api/jobs/{quoted(job)}")
        if as_json:
            emit_json(found)
        else:
            for key, value in found.items():
                print(f"{key:12} {value if value is not None else ''}")
        return
    rows = asked(place, "GET", "/api/jobs")["jobs"]
    listing(rows, ("id", "runbook", "state", "trigger", "worker", "attempt", "error"), as_json=as_json)


def streams(job: Job, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Print what a job told, in its order."""
    from workbench.cli.output import emit_json
    from workbench.server import client

    place = place_of(workspace)
    number = asked(place, "GET", f"/api/jobs/{quoted(job)}")["id"]
    text = f"JobStream | where JobId == '{number}' | sort by Sequence asc | project StreamType, Message"
    answer = client.query(place, text)
    rows = answer.body.get("tables", [{}])[0].get("rows", []) if answer is not None and answer.body else []
    if as_json:
        emit_json([{"StreamType": kind, "Message": message} for kind, message in rows])
        return
    for kind, message in rows:
        for line in str(message).rstrip("\n").split("\n"):
            print(f"{kind:9} {line}")


def notebook(job: Job, workspace: options.Workspace = None) -> None:
    """Print the executed notebook of a job."""
    import json

    print(json.dumps(asked(place_of(workspace), "GET", f"/api/jobs/{quoted(job)}/notebook"), indent=1))


def cancel(job: Job, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Stop a job."""
    _print(asked(place_of(workspace), "POST", f"/api/jobs/{quoted(job)}/cancel"), as_json, "state")


def resume(job: Job, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Start a suspended job again; this agrees to what it asked."""
    _print(asked(place_of(workspace), "POST", f"/api/jobs/{quoted(job)}/resume"), as_json, "state")


def _row(told: dict[str, Any]) -> dict[str, Any]:
    return {**told, "parameters": ", ".join(p["name"] for p in told["parameters"])}


def _print(told: dict[str, Any], as_json: bool, what: str) -> None:
    from workbench.cli.output import emit_json

    if as_json:
        emit_json(told)
    else:
        print(told[what])
