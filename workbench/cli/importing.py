"""`workbench import`: files into tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.base.errors import WorkbenchError
from workbench.cli import options

if TYPE_CHECKING:
    from workbench.collect.importing import ImportSummary

Progress = Callable[[int, int | None], None]


def register(app: typer.Typer) -> None:
    app.command("import")(import_files)


def import_files(
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Files; '-' is standard input.")],
    table: Annotated[
        str | None,
        typer.Option(metavar="T", help="The table that takes all records; syslog and dpkg have one."),
    ] = None,
    mapping: Annotated[
        str | None,
        typer.Option("--map", metavar="MAP", help="A mapping file, or one that ships: windows_events."),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="F", help="jsonl, csv, parquet, syslog, dpkg; else seen from the file."
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Store a file that was stored before once more.")
    ] = False,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Store the records of files; prints rows stored and quarantined."""
    if table is not None and mapping is not None:
        raise typer.BadParameter("give either --table or --map")
    if files.count("-") > 1:
        raise typer.BadParameter("standard input can be read once")
    from workbench.collect.importing import import_source
    from workbench.collect.parallel import processors
    from workbench.workspace import open as open_workspace

    repository = open_workspace(options.chosen(workspace), create=True).repository
    summaries: list[ImportSummary] = []
    failed = False
    for file in files:
        try:
            with _progress(file) as progress:
                summaries.append(
                    import_source(
                        repository,
                        file,
                        table=table,
                        mapping=mapping,
                        format=form,
                        again=again,
                        progress=progress,
                        processes=processors(),
                    )
                )
        except WorkbenchError as mistake:
            print(mistake.render(), file=sys.stderr)
            failed = True
    for summary in summaries:
        for problem in summary.problems:
            print(problem.render(), file=sys.stderr)
            failed = True
    _print(summaries, as_json=as_json)
    if failed:
        raise typer.Exit(1)


@contextmanager
def _progress(file: str) -> Iterator[Progress]:
    """A bar on standard error, where that is a terminal; told bytes done and bytes in all."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    name = "standard input" if file == "-" else Path(file).name
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print(summaries: list[ImportSummary], *, as_json: bool) -> None:
    from workbench.cli import output

    if as_json:
        output.emit_json([_as_dict(s) for s in summaries])
        return
    rows: list[dict[str, Any]] = []
    for summary in summaries:
        kept = summary.stored or {"": 0}
        ours: list[dict[str, Any]] = [{"table": table, "stored": count} for table, count in kept.items()]
        ours[0] |= {"file": summary.file, "lines": summary.lines}
        ours[0] |= {"quarantined": summary.quarantined, "skipped": summary.skipped}
        rows += ours
    if rows:
        output.listing(rows, ("file", "table", "stored", "lines", "quarantined", "skipped"), as_json=False)


def _as_dict(summary: ImportSummary) -> dict[str, Any]:
    from workbench.server.wire import error_value

    return {
        "file": summary.file,
        "lines": summary.lines,
        "stored": summary.stored,
        "quarantined": summary.quarantined,
        "skipped": summary.skipped,
        "blank": summary.blank,
        "problems": [error_value(problem) for problem in summary.problems],
    }
