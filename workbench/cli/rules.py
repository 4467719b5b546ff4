"""`workbench rule create | list | show | remove`: collection rules, which say what comes in and where it goes."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import options

if TYPE_CHECKING:
    from workbench.collect.rules import Rules
    from workbench.server.place import ServicePlace

Rule = Annotated[str, typer.Argument(metavar="RULE", help="The name or the immutable id of a rule.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        name="rule", help="Collection rules: what comes in, and where it goes.", no_args_is_help=True
    )
    group.command()(create)
    group.command("list")(list_all)
    group.command()(show)
    group.command()(remove)
    app.add_typer(group)


def create(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A rule in JSON or YAML, or a shipped one: windows_events.")
    ],
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Make a rule, or change the one of that name."""
    from workbench.cli.output import emit_json
    from workbench.collect.rule_text import load

    rule = load(file)
    place = _place(workspace)
    told = _asked(place, "POST", "/api/rules", rule)
    number = told["immutable_id"] if told is not None else _rules(place, make=True).create(rule)
    if as_json:
        emit_json({"immutable_id": number})
    else:
        print(number)


def list_all(as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """List the rules."""
    from workbench.cli.output import listing

    rows = [_row(rule) for rule in _all(_place(workspace))]
    listing(rows, ("name", "immutable_id", "version", "streams", "tables", "sources"), as_json=as_json)


def show(rule: Rule, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Print a rule as JSON."""
    import json

    from workbench.base.diagnostics import rules as diagnostics
    from workbench.cli.output import emit_json

    known = _all(_place(workspace))
    for found in known:
        if rule in (found["immutableId"], found.get("name")):
            if as_json:
                emit_json(found)
            else:
                print(json.dumps(found, indent=2, ensure_ascii=False))
            return
    raise diagnostics.no_such_rule(rule, [r.get("name") or r["immutableId"] for r in known])


def remove(rule: Rule, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Remove a rule; records that came in by it stay."""
    from workbench.cli.output import emit_json

    place = _place(workspace)
    told = _asked(place, "DELETE", f"/api/rules/{urllib.parse.quote(rule, safe='')}")
    number = told["immutable_id"] if told is not None else _rules(place).remove(rule)
    if as_json:
        emit_json({"immutable_id": number})
    else:
        print(f"removed {number}")


def _row(rule: dict[str, Any]) -> dict[str, Any]:
    flows = rule.get("dataFlows") or []
    tables = [(f.get("outputStream") or f["streams"][0]).split("-", 1)[1] for f in flows]
    return {
        "name": rule.get("name", ""),
        "immutable_id": rule["immutableId"],
        "version": rule["version"],
        "streams": ", ".join(rule.get("streamDeclarations") or ()),
        "tables": ", ".join(dict.fromkeys(tables)),
        "sources": ", ".join(rule.get("dataSources") or ()),
    }


def _place(workspace: str | None) -> ServicePlace:
    from workbench.server.place import ServicePlace

    return ServicePlace(options.chosen(workspace))


def _all(place: ServicePlace) -> list[dict[str, Any]]:
    told = _asked(place, "GET", "/api/rules")
    return list(told["rules"]) if told is not None else _rules(place).all()


def _asked(place: ServicePlace, method: str, path: str, body: object = None) -> dict[str, Any] | None:
    """What the running service answers; None when none runs."""
    from workbench.server import client

    return client.told(place, method, path, body)


def _rules(place: ServicePlace, *, make: bool = False) -> Rules:
    """The rules of a workspace without a service; `make` also makes a workspace that is missing."""
    from workbench.base.database import Database
    from workbench.collect.rules import Rules
    from workbench.workspace import open as open_workspace

    open_workspace(place.workspace, create=make)
    return Rules(Database.open(place.folder))
