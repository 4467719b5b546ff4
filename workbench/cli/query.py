"""`workbench query`: one KQL text, or a stream of them with `--stdio`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from workbench.base.errors import WorkbenchError
from workbench.cli import options

if TYPE_CHECKING:
    from workbench.collect.query_history import Note
    from workbench.query.control import Control
    from workbench.query.result import Result

_PROGRESS_AFTER = 1.0
APPLICATION = "workbench-cli"
EVERY_ROW = 2**32 - 2  # the most that the engine counts


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    json = "json"
    csv = "csv"
    parquet = "parquet"


class Engine(StrEnum):
    """What runs a query."""

    polars = "polars"
    duckdb = "duckdb"
    spark = "spark"


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
    on: Annotated[
        Engine,
        typer.Option("--on", help="The engine that runs it; with --explain the SQL for it is printed."),
    ] = Engine.polars,
    sql: Annotated[bool, typer.Option("--sql", help="The query is SQL: one SELECT.")] = False,
    dialect: Annotated[
        str | None,
        typer.Option(help="Its dialect, as --sql: postgres, tsql, spark, …", show_default=False),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Print syntax, plans, files kept and why the others not; no rows."),
    ] = False,
    stdio: Annotated[
        bool, typer.Option("--stdio", help="One JSON request a line in, one JSON answer a line out.")
    ] = False,
    schemas: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="With --stdio: tables of this JSON that the workspace lacks are empty."
        ),
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME=VALUE",
            help="A value that 'declare query_parameters' asks for.",
        ),
    ] = None,
    workspace: options.Workspace = None,
) -> None:
    """Ask a question in KQL, or give a command such as .show tables."""
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
    given = dict(assigned(p) for p in parameters or ())
    from workbench.workspace import open as open_workspace

    opened = open_workspace(path)
    if explain:
        print(opened.explain(kql, given, timespan=timespan, on=on.value, sql=sql, dialect=dialect))
        return
    from workbench.cli import output

    chosen = "json" if as_json else form.value
    from workbench.collect.query_history import History

    history = History(opened.repository, APPLICATION, after=None)
    history.before(kql)
    preview = chosen == "table"

    def ask(control: Control) -> Result:
        answer: Result = opened.query(
            kql, given, timespan=timespan, limit=None if preview else EVERY_ROW, control=control, on=on.value,
            sql=sql, dialect=dialect,
        )  # fmt: skip
        return answer

    noting = history.noting(kql, timespan or "", sql=sql or dialect is not None)
    result = watched(ask, keep_partial=preview, noting=noting)
    if preview:
        print(output.preview(result))
        if result.partial:
            print(result.partial_note, file=sys.stderr)
            _leave(0)
    else:
        output.write(result, chosen)
    history.keep_small()


def assigned(text: str) -> tuple[str, str]:
    """`NAME=VALUE` of `--parameter`; the declaration of the parameter says what type the value is."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        from workbench.base.diagnostics import statements

        raise statements.bad_assignment(text)
    return name.strip(), value


def watched(
    ask: Callable[[Control], Result],
    *,
    keep_partial: bool = False,
    noting: AbstractContextManager[Note] | None = None,
) -> Result:
    """Run a query so that limits and Ctrl-C stop it; a terminal's standard error says how far it is.

    `noting` is the place of the query in the history.
    """
    from workbench.query import stopping
    from workbench.query.control import Control, Progress

    line = ""

    def clear() -> None:
        if line:
            print(f"\r{' ' * len(line)}\r", end="", file=sys.stderr, flush=True)

    def tell(progress: Progress) -> None:
        nonlocal line
        if progress.seconds >= _PROGRESS_AFTER:
            text = f"{progress}, {progress.seconds:.1f} s"
            print(f"\r{text.ljust(len(line))}", end="", file=sys.stderr, flush=True)
            line = text

    control = Control(progress=tell if sys.stderr.isatty() else None, keep_partial=keep_partial)
    try:
        with noting or nullcontext() as note:
            result = stopping.run(lambda: ask(control), control=control)
            if note is not None:
                note.answered(result)
            return result
    except WorkbenchError as error:
        if control.reason() is None:
            raise
        clear()
        print(error.render(), file=sys.stderr)
        _leave(1)
    finally:
        clear()


def _leave(status: int) -> NoReturn:
    """End the process at once: a thread of the engine that was stopped in one of our functions would
    end an orderly exit with an abort."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _stdio(path: str, schemas: str | None) -> None:
    from workbench.server import stdio
    from workbench.server.source import ask_for

    def note(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    stdio.serve(ask_for(path, schemas), sys.stdin.buffer, sys.stdout.buffer, note)
