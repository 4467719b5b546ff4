"""`workbench alert …`: alert rules and their alerts. What is about the texts of rules alone stands in `alert_texts`."""

from __future__ import annotations

import time
import urllib.parse
from typing import Annotated, Any

import typer

from workbench.cli import alert_groups, alert_texts, options
from workbench.cli.asking import asked, place_of, quoted

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of an alert rule.")]
Id = Annotated[
    str, typer.Argument(metavar="ID", help="The id of an alert, or a beginning of it that is clear.")
]
Comment = Annotated[str, typer.Option(help="A comment.")]
WAIT_SECONDS = 120


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        name="alert", help="Alert rules: log searches that act, and their alerts.", no_args_is_help=True
    )
    group.command("list")(list_all)
    group.command()(create)
    group.command()(show)
    group.command()(enable)
    group.command()(disable)
    group.command()(remove)
    group.command()(test)
    group.command()(run)
    group.command()(history)
    group.command()(ack)
    group.command()(close)
    group.command()(comment)
    alert_texts.add_to(group)
    group.add_typer(alert_groups.app)
    app.add_typer(group)


def create(
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="The rule as YAML.")] = None,
    shipped: Annotated[
        list[str] | None,
        typer.Option(
            "--shipped", metavar="NAME", help="A rule that ships, about the workspace itself; 'all' for all."
        ),
    ] = None,
    disabled: Annotated[
        bool, typer.Option("--disabled", help="Keep it without evaluating it, whatever its text says.")
    ] = False,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Make an alert rule, or change the one of its name."""
    from workbench.alerts import reading
    from workbench.alerts import shipped as rules

    if (file is None) == (not shipped):
        raise typer.BadParameter("name a FILE, or rules that ship with --shipped")
    names = rules.shipped() if shipped == ["all"] else shipped or ()
    texts = [rules.text_of(name) for name in names] if file is None else [reading.file_text(file)]
    place = place_of(workspace)
    for text in texts:
        rule = reading.read(text)
        path = f"/api/alertRules/{quoted(rule.name)}"
        body = {**reading.written(rule), "enabled": False} if disabled else {"text": text}
        _print(asked(place, "PUT", path, body), as_json)


def list_all(as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """List the alert rules with their state."""
    from workbench.cli.output import listing

    rows = asked(place_of(workspace), "GET", "/api/alertRules")["rules"]
    listing(rows, ("name", "state", "enabled", "severity", "last", "value", "next", "error"), as_json=as_json)


def show(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Show a rule: its text, its series, its last evaluations."""
    _print(asked(place_of(workspace), "GET", f"/api/alertRules/{quoted(name)}"), as_json)


def enable(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Evaluate a rule from now on."""
    _print(asked(place_of(workspace), "POST", f"/api/alertRules/{quoted(name)}/enable"), as_json)


def disable(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Evaluate a rule no more; its open alerts stay open."""
    _print(asked(place_of(workspace), "POST", f"/api/alertRules/{quoted(name)}/disable"), as_json)


def remove(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Remove a rule; its open alerts are resolved."""
    from workbench.cli.output import emit_json

    gone = asked(place_of(workspace), "DELETE", f"/api/alertRules/{quoted(name)}")
    if as_json:
        emit_json(gone)
    else:
        print(f"removed {gone['name']}")


def test(
    what: Annotated[str, typer.Argument(metavar="FILE-or-NAME", help="A rule as YAML, or a rule's name.")],
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Show what a rule would find now; nothing is kept, and nobody is told."""
    from pathlib import Path

    from workbench.alerts import reading
    from workbench.cli.output import emit_json, listing

    name, body = what, None
    if Path(what).is_file():
        text = reading.file_text(what)
        name, body = reading.read(text).name, {"text": text}
    found = asked(place_of(workspace), "POST", f"/api/alertRules/{quoted(name)}/test", body)
    if as_json:
        emit_json(found)
        return
    would = "would fire" if found["violated"] else "would not fire"
    print(f"{found['count']:,} records from {found['start']} to {found['end']}: it {would}")
    groups = [{**g, "dimensions": _pairs(g["dimensions"])} for g in found["groups"]]
    listing(groups, ("dimensions", "value", "violated", "count"), as_json=False)


def run(
    name: Name,
    wait: Annotated[bool, typer.Option("--wait", help="Come back when it was evaluated.")] = False,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Evaluate a rule at once, with all that follows from it."""
    place = place_of(workspace)
    path = f"/api/alertRules/{quoted(name)}"
    before = asked(place, "GET", path)["evaluations"][:1]
    found = asked(place, "POST", f"{path}/run")
    until = time.monotonic() + WAIT_SECONDS
    while wait and found["enabled"] and time.monotonic() < until:
        found = asked(place, "GET", path)
        if found["evaluations"][:1] != before:
            break
        time.sleep(0.1)
    _print(found, as_json)


def history(
    rule: Annotated[str, typer.Option(help="Only alerts of this rule.")] = "",
    open_only: Annotated[
        bool, typer.Option("--open", help="Only those that fire and are not closed.")
    ] = False,
    most: Annotated[int, typer.Option(help="How many.")] = 100,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """List alerts, the newest first. `Alert | …` in a query has every transition of each."""
    from workbench.cli.output import listing

    query = urllib.parse.urlencode({"rule": rule, "open": str(open_only).lower(), "most": most})
    rows = asked(place_of(workspace), "GET", f"/api/alerts?{query}")["alerts"]
    columns = ("id", "rule", "severity", "state", "response", "fired", "resolved", "value", "dimensions")
    if not as_json:
        rows = [{**r, "id": r["id"][:8], "dimensions": _pairs(r["dimensions"])} for r in rows]
    listing(rows, columns, as_json=as_json)


def ack(number: Id, comment: Comment = "", as_json: options.Json = False, workspace: options.Workspace = None) -> None:  # fmt: skip
    """Say that you look after an alert."""
    _respond("acknowledge", number, comment, as_json, workspace)


def close(number: Id, comment: Comment = "", as_json: options.Json = False, workspace: options.Workspace = None) -> None:  # fmt: skip
    """Say that an alert is dealt with."""
    _respond("close", number, comment, as_json, workspace)


def comment(
    number: Id,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What there is to say.")],
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Put a comment on an alert."""
    _respond("comment", number, text, as_json, workspace)


def _respond(verb: str, number: str, comment: str, as_json: bool, workspace: str | None) -> None:
    body = {"comment": comment}
    _print(asked(place_of(workspace), "POST", f"/api/alerts/{quoted(number)}/{verb}", body), as_json)


def _pairs(dimensions: dict[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in dimensions.items())


def _print(found: dict[str, Any], as_json: bool) -> None:
    from workbench.cli.output import emit_json, listing

    if as_json:
        emit_json(found)
        return
    for key, value in found.items():
        if isinstance(value, str | int | float) and key not in ("text", "query") and value != "":
            print(f"{key:12} {value}")
    if found.get("dimensions"):
        print(f"{'dimensions':12} {_pairs(found['dimensions'])}")
    for said in found.get("comments", ()):
        print(f"{'comment':12} {said['time']} {said['by']}: {said['text']}")
    if found.get("text"):
        print(f"\n{found['text']}")
    if found.get("series"):
        series = [{**s, "dimensions": _pairs(s["dimensions"])} for s in found["series"]]
        listing(series, ("dimensions", "state", "since", "value", "alert_id", "muted_until"), as_json=False)
    if found.get("evaluations"):
        listing(
            found["evaluations"],
            ("at", "health", "count", "value", "violated", "milliseconds"),
            as_json=False,
        )
