"""`workbench query`: one KQL text, or a stream of them with `--stdio`."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from workbench.cli import options

EVERY_ROW = 2**32 - 2  # the most that the engine counts


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    json = "json"
    csv = "csv"
    parquet = "parquet"


def register(app: typer.Typer) -> None:
    app.command()(query)


def query(
    text: Annotated[
        str | None, typer.Argument(metavar="KQL", help="The query; '-' reads it from standard input.")
    ] = None,
    form: Annotated[
        Format, typer.Option("--format", help="'table' is a preview, the others hold every row.")
    ] = Format.table,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    timespan: Annotated[
        str | None, typer.Option(help="Only records of this time: P1D, PT1H, START/END.", show_default=False)
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Print the plan; ask nothing.")] = False,
    stdio: Annotated[
        bool, typer.Option("--stdio", help="One JSON request a line in, one JSON answer a line out.")
    ] = False,
    schemas: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="With --stdio: tables of this JSON that the workspace lacks are empty."
        ),
    ] = None,
    workspace: options.Workspace = None,
) -> None:
    """Ask a question in KQL."""
    path = options.chosen(workspace)
    if stdio:
        if text is not None:
            raise typer.BadParameter("--stdio takes its queries from standard input")
        _stdio(path, schemas)
        return
    if text is None:
        raise typer.BadParameter("name a query, such as: workbench query 'Heartbeat | take 10'")
    if schemas is not None:
        raise typer.BadParameter("--schemas needs --stdio")
    kql = sys.stdin.read() if text == "-" else text
    from workbench.workspace import open as open_workspace

    opened = open_workspace(path)
    if explain:
        print(opened.explain(kql, timespan=timespan))
        return
    from workbench.cli import output

    chosen = "json" if as_json else form.value
    if chosen == "table":
        print(output.preview(opened.query(kql, timespan=timespan)))
        return
    output.write(opened.query(kql, timespan=timespan, limit=EVERY_ROW), chosen)


def _stdio(path: str, schemas: str | None) -> None:
    from workbench.server import stdio
    from workbench.server.source import ask_for

    def note(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    stdio.serve(ask_for(path, schemas), sys.stdin.buffer, sys.stdout.buffer, note)
