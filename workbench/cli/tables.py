"""`workbench tables | schema | retention | compact`: what is stored, and its upkeep."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli import options

if TYPE_CHECKING:
    from workbench.repository.tables import Repository

Table = Annotated[str, typer.Argument(metavar="T", help="A table.")]


def register(app: typer.Typer) -> None:
    for command in (tables, schema, retention, compact):
        app.command()(command)


def _repository(workspace: str | None) -> Repository:
    from workbench.workspace import open as open_workspace

    return open_workspace(options.chosen(workspace)).repository


def tables(as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """List the tables."""
    from workbench.cli.output import listing

    repository = _repository(workspace)
    rows = [
        {"table": name, "columns": sum(not c.hidden for c in repository.schema(name))}
        for name in repository.tables()
    ]
    listing(rows, ("table", "columns"), as_json=as_json)


def schema(table: Table, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """List the columns of a table."""
    from workbench.cli.output import listing

    columns = _repository(workspace).schema(table)
    rows = [{"column": c.name, "type": c.type.value, "hidden": c.hidden} for c in columns]
    shown = rows if as_json else [row for row in rows if not row["hidden"]]
    listing(shown, ("column", "type"), as_json=as_json)


def retention(
    table: Table,
    days: Annotated[str, typer.Argument(metavar="DAYS", help="Whole days to keep, or 'forever'.")],
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Keep the records of a table for so many days; older days are deleted now."""
    if days != "forever" and (not days.isdigit() or int(days) < 1):
        raise typer.BadParameter("DAYS is a whole number from 1, or 'forever'")
    kept = None if days == "forever" else int(days)
    _report(asdict(_repository(workspace).retain(table, kept)), as_json=as_json)


def compact(table: Table, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Rewrite the small files of a table as fewer large ones, and index their words; delete files replaced a day ago."""
    repository = _repository(workspace)
    _report({**asdict(repository.compact(table)), **asdict(repository.vacuum(table))}, as_json=as_json)


def _report(result: dict[str, object], *, as_json: bool) -> None:
    from workbench.cli.output import emit_json

    if as_json:
        emit_json(result)
    else:
        print(", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in result.items()))
    sys.stdout.flush()
