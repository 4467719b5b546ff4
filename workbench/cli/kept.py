"""`workbench search | export | summary`: queries that are kept, and run again by name or by schedule."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import options
from workbench.cli.query import EVERY_ROW, Format, assigned, watched

if TYPE_CHECKING:
    from workbench.collect.exports import Export, Exports
    from workbench.collect.searches import Searches
    from workbench.collect.summaries import Bin, Summaries
    from workbench.workspace import Workspace

Name = Annotated[str, typer.Argument(metavar="NAME")]
Parameters = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter", "-p", metavar="NAME=VALUE", help="A value that 'declare query_parameters' asks for."
    ),
]
Timespan = Annotated[
    str, typer.Option(help="Only records of this time: P1D, PT1H, START/END.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the three groups."""
    group = _group(app, "search", "Keep queries by name.")
    group.command()(save)
    group.command("list")(searches)
    group.command()(show)
    group.command("remove")(forget)
    group.command("run")(run_search)
    group.command("m")(power_query)
    group = _group(app, "export", "Write the rows of a query to files, by schedule.")
    group.command("create")(export)
    group.command("list")(exports)
    group.command("run")(run_export)
    group.command("remove")(end_export)
    group = _group(app, "summary", "Summarize tables bin by bin into a table of their own.")
    group.command("create")(summarize)
    group.command("list")(summaries)
    group.command("run")(run_bins)
    group.command()(backfill)
    group.command("remove")(end_summary)


def _group(app: typer.Typer, name: str, text: str) -> typer.Typer:
    group = typer.Typer(name=name, help=text, no_args_is_help=True)
    app.add_typer(group)
    return group


def _opened(workspace: str | None) -> tuple[Workspace, Any, Path]:
    """The workspace, its control database and its state folder."""
    from workbench.base.config import state_folder
    from workbench.base.database import Database
    from workbench.workspace import open as open_workspace

    opened = open_workspace(options.chosen(workspace))
    state = state_folder(opened.path)
    return opened, Database.open(state), state


def _done(name: str, what: str, *, as_json: bool) -> None:
    """Say that something was done."""
    if as_json:
        from workbench.cli.output import emit_json

        emit_json({"name": name, "state": what})
    else:
        print(f"{name}: {what}")


def _text(file: str) -> str:
    """The text of a file, or of standard input."""
    if file == "-":
        return sys.stdin.read()
    from workbench.base.diagnostics import collect as diagnostics

    try:
        return Path(file).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise diagnostics.no_such_file(file) from None
    except (OSError, UnicodeDecodeError) as e:
        raise diagnostics.not_readable(file, str(e)) from e


def _time(moment: int) -> str | None:
    from workbench.base.dtypes import format_datetime

    return format_datetime(moment * 10)[:19] + "Z" if moment else None


# ---- saved searches ---------------------------------------------------------------------------


def _searches(workspace: str | None) -> tuple[Workspace, Searches]:
    from workbench.workspace import open as open_workspace

    opened = open_workspace(options.chosen(workspace))
    return opened, opened.searches


def save(
    name: Name,
    file: Annotated[
        str, typer.Argument(metavar="[FILE|-]", help="Its KQL; standard input by default.")
    ] = "-",
    query: Annotated[str, typer.Option(metavar="KQL", help="The query itself, in place of a file.")] = "",
    category: Annotated[str, typer.Option(show_default=False)] = "",
    description: Annotated[str, typer.Option(show_default=False)] = "",
    timespan: Timespan = "",
    parameters: Parameters = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Keep a query by name, in place of one of that name.

    Example: workbench search save Errors --query 'Syslog | where SeverityLevel == "err"'
    """
    from workbench.collect.searches import Search

    given = dict(assigned(p) for p in parameters or ())
    search = Search(name, query or _text(file), category, description, timespan, given)
    _searches(workspace)[1].save(search)
    _done(name, "saved", as_json=as_json)


def searches(as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """List the saved searches."""
    from workbench.cli.output import listing

    rows = [
        {
            "name": s.name, "category": s.category, "description": s.description, "query": s.query,
            "timespan": s.timespan, "parameters": dict(s.parameters), "changed": _time(s.changed),
        }
        for s in _searches(workspace)[1].all()
    ]  # fmt: skip
    listing(rows, ("category", "name", "description", "changed"), as_json=as_json)


def show(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Print the query of a saved search."""
    from dataclasses import asdict

    from workbench.cli.output import emit_json

    found = _searches(workspace)[1].get(name)
    if as_json:
        emit_json({**asdict(found), "changed": _time(found.changed)})
    else:
        print(found.query)


def forget(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Forget a saved search."""
    _searches(workspace)[1].remove(name)
    _done(name, "removed", as_json=as_json)


def run_search(
    name: Name,
    form: Annotated[
        Format, typer.Option("--format", help="'table' is a preview, the others hold every row.")
    ] = Format.table,
    timespan: Timespan = "",
    parameters: Parameters = None,
    workspace: options.Workspace = None,
) -> None:
    """Run a saved search."""
    from workbench.cli import output

    opened, kept = _searches(workspace)
    search = kept.get(name)
    given = {**search.parameters, **dict(assigned(p) for p in parameters or ())}
    limit = None if form is Format.table else EVERY_ROW
    result = watched(
        lambda c: opened.query(
            search.query, given, timespan=timespan or search.timespan or None, limit=limit, control=c
        )
    )
    if form is Format.table:
        print(output.preview(result))
    else:
        output.write(result, form.value)


def power_query(name: Name, workspace: options.Workspace = None) -> None:
    """Print a saved search as Power Query M for Power BI: it asks the service of the workspace."""
    from workbench.collect.searches import power_query as written
    from workbench.server.place import ServicePlace

    opened, kept = _searches(workspace)
    running = ServicePlace(options.chosen(workspace)).address()
    url = running.url if running else "http://127.0.0.1:PORT"
    print(written(kept.get(name), url, opened.repository.workspace_id), end="")


# ---- exports ----------------------------------------------------------------------------------


def _exports(workspace: str | None) -> tuple[Workspace, Exports]:
    from workbench.collect.exports import Exports

    opened, database, state = _opened(workspace)
    return opened, Exports(database, state)


def export(
    name: Name,
    folder: Annotated[str, typer.Option("--to", metavar="FOLDER", help="Where its files go.")],
    query: Annotated[str, typer.Option(metavar="KQL", help="'-' reads it from standard input.")] = "",
    search: Annotated[str, typer.Option(metavar="NAME", help="A saved search, in place of a query.")] = "",
    every: Annotated[
        str,
        typer.Option(
            help="20m, 1h, 1d, or 'daily 06:30' (UTC); else only by 'export run'.", show_default=False
        ),
    ] = "",
    form: Annotated[str, typer.Option("--format", help="csv, parquet, xlsx or jsonl.")] = "csv",
    timespan: Timespan = "",
    since_last: Annotated[
        bool, typer.Option("--since-last", help="Only records that came since the last run.")
    ] = False,
    parameters: Parameters = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Export the rows of a query by schedule; the running service does it.

    Example: workbench export create Errors --query 'Syslog | where SeverityLevel == "err"' --to /srv/out --every 'daily
    06:30' --format xlsx --timespan P1D
    """
    from workbench.collect.exports import Export

    given = dict(assigned(p) for p in parameters or ())
    made = _exports(workspace)[1].create(
        Export(
            name, sys.stdin.read() if query == "-" else query, search, every, folder, form, timespan,
            since_last, given,
        )
    )  # fmt: skip
    if as_json:
        from workbench.cli.output import emit_json

        emit_json(_export_row(made))
    else:
        print(f"{name}: next run {_time(made.next_run) or 'by hand'}, to {made.folder}")


def exports(as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """List the exports."""
    from workbench.cli.output import listing

    rows = [_export_row(e) for e in _exports(workspace)[1].all()]
    listing(rows, ("name", "every", "format", "folder", "state", "rows", "ran", "next_run"), as_json=as_json)


def _export_row(e: Export) -> dict[str, Any]:
    return {
        "name": e.name, "query": e.query, "search": e.search, "every": e.every, "format": e.form, "folder": e.folder,
        "timespan": e.timespan, "since_last": e.since_last, "state": e.state or None, "message": e.message,
        "file": e.file, "rows": e.rows, "ran": _time(e.ran), "next_run": _time(e.next_run),
    }  # fmt: skip


def run_export(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Run an export now."""
    from workbench.cli.output import emit_json
    from workbench.collect import care

    opened, kept = _exports(workspace)
    done = kept.run(name, opened.source)
    detail = f"{name}: {done.rows:,} rows to {done.file}"
    care.by_hand(opened.repository, lambda told: told.tell("Export", detail, status="Success", key="Export"))
    if as_json:
        emit_json(_export_row(done))
    else:
        print(detail)


def end_export(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Forget an export; its files stay."""
    _exports(workspace)[1].remove(name)
    _done(name, "removed", as_json=as_json)


# ---- summary rules ----------------------------------------------------------------------------


def _summaries(workspace: str | None) -> tuple[Workspace, Summaries]:
    from workbench.collect.summaries import Summaries

    opened, database, state = _opened(workspace)
    return opened, Summaries(database, state)


def summarize(
    name: Name,
    query: Annotated[str, typer.Option(metavar="KQL", help="'-' reads it from standard input.")],
    size: Annotated[str, typer.Option("--bin", help="20m, 1h, 1d: whole minutes that divide a day.")],
    table: Annotated[str, typer.Option(metavar="T_CL", help="Where the rows go.")],
    delay: Annotated[
        str,
        typer.Option(
            help="Wait so long for late records; a tenth of the bin by default.", show_default=False
        ),
    ] = "",
    description: Annotated[str, typer.Option(show_default=False)] = "",
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Make a rule that summarizes each bin of time once; the running service does it.

    Example: workbench summary create Hourly --query 'Perf | summarize avg(CounterValue) by Computer, CounterName' --bin 1h
    --table PerfHourly_CL; then 'summary backfill' for the time before it.
    """
    text = sys.stdin.read() if query == "-" else query
    made = _summaries(workspace)[1].create(name, text, size, table, delay=delay, description=description)
    if as_json:
        from workbench.cli.output import emit_json

        emit_json({"name": name, "table": table, "bin": made.bin // 60, "next_bin": _time(made.next_bin)})
    else:
        print(f"{name}: first bin {_time(made.next_bin)}")


def summaries(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A rule: its bins.", show_default=False)
    ] = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """List the summary rules, or the bins of one."""
    from workbench.cli.output import listing

    kept = _summaries(workspace)[1]
    if name is not None:
        rows = [_bin_row(b) for b in kept.bins(name)]
        listing(rows, ("bin", "state", "rows", "tries", "ran", "message"), as_json=as_json)
        return
    rows = []
    for rule in kept.all():
        bins = kept.bins(rule.name)
        rows.append(
            {
                "name": rule.name, "bin": rule.bin // 60, "table": rule.table, "query": rule.query,
                "description": rule.description, "delay": rule.delay, "next_bin": _time(rule.next_bin),
                "bins": len(bins), "failed": sum(b.state == "Failed" for b in bins),
            }
        )  # fmt: skip
    listing(rows, ("name", "bin", "table", "next_bin", "bins", "failed"), as_json=as_json)


def _bin_row(b: Bin) -> dict[str, Any]:
    return {
        "bin": _time(b.start), "state": b.state, "rows": b.rows, "tries": b.tries, "ran": _time(b.ran),
        "message": b.message, "skipped": b.skipped,
    }  # fmt: skip


def run_bins(
    name: Name,
    start: Annotated[
        str,
        typer.Option(
            "--bin", metavar="TIME", help="The bin that begins then; else all that are due or failed."
        ),
    ] = "",
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Run a bin again, or all that are due or failed; a bin that is stored stays as it is."""
    from workbench.base.clock import now_us
    from workbench.collect.intake import Intake
    from workbench.collect.kept import moment

    opened, kept = _summaries(workspace)
    rule, intake = kept.get(name), Intake(opened.repository)
    failed = [b.start for b in reversed(kept.bins(name)) if b.state == "Failed"]
    starts = [moment(start)] if start else list(dict.fromkeys([*failed, *kept.due(rule, now_us())]))
    _report([kept.run(name, s, opened.source, intake) for s in starts], as_json=as_json)


def backfill(
    name: Name,
    first: Annotated[
        str, typer.Option("--from", metavar="TIME", help="From the first bin that begins then or later.")
    ],
    last: Annotated[str, typer.Option("--to", metavar="TIME", help="To before this time.")],
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Run the bins of the past that have no rows yet."""
    from workbench.collect.intake import Intake
    from workbench.collect.kept import moment

    opened, kept = _summaries(workspace)
    done = kept.backfill(name, moment(first), moment(last), opened.source, Intake(opened.repository))
    _report(list(done), as_json=as_json)


def end_summary(name: Name, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Forget a rule; the rows that it made stay."""
    _summaries(workspace)[1].remove(name)
    _done(name, "removed", as_json=as_json)


def _report(done: list[Bin], *, as_json: bool) -> None:
    """What became of bins; the exit status is 1 where one failed."""
    from workbench.cli.output import listing

    listing([_bin_row(b) for b in done], ("bin", "state", "rows", "skipped", "message"), as_json=as_json)
    if any(b.state == "Failed" for b in done):
        raise typer.Exit(1)
