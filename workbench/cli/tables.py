"""`workbench tables | schema | retention | compact | archive`: what is stored, and its care."""

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
    group = typer.Typer(
        name="archive", help="What tables no longer keep (see 'retention --archive').", no_args_is_help=True
    )
    group.command("list")(list_archive)
    group.command()(restore)
    app.add_typer(group)


def _repository(workspace: str | None) -> Repository:
    from workbench.workspace import open as open_workspace

    return open_workspace(options.chosen(workspace)).repository


def tables(as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """List the tables: rows and bytes in data files, and how many days they keep (-: for ever).

    Rows that came in during the last seconds may still wait in the spool; queries see them already.
    """
    from workbench.cli.output import listing

    repository = _repository(workspace)
    rows = [
        {
            "table": name,
            "columns": sum(not c.hidden for c in repository.schema(name)),
            **asdict(repository.facts(name)),
            "archive_days": repository.archive_retention(name),
        }
        for name in repository.tables()
    ]
    listing(rows, ("table", "columns", "rows", "bytes", "files", "retention_days"), as_json=as_json)


def schema(table: Table, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """List the columns of a table."""
    from workbench.cli.output import listing

    columns = _repository(workspace).schema(table)
    rows = [{"column": c.name, "type": c.type.value, "hidden": c.hidden} for c in columns]
    shown = rows if as_json else [row for row in rows if not row["hidden"]]
    listing(shown, ("column", "type"), as_json=as_json)


def retention(
    table: Table,
    days: Annotated[
        str,
        typer.Argument(
            metavar="[DAYS]", help="Whole days to keep, or 'forever'; without it only what is set is shown."
        ),
    ] = "",
    archive_days: Annotated[
        int | None,
        typer.Option(
            "--archive",
            metavar="DAYS",
            min=0,
            help="Older days go to the archive for so many days more; 0: there is none, and it is emptied. "
            "By default as it was set before.",
            show_default=False,
        ),
    ] = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Keep the records of a table for so many days; older days are archived or deleted now.

    Examples: 'retention Syslog' shows what is set, 'retention Syslog 90' keeps 90 days, 'retention Syslog 30 --archive
    335' keeps 30 to be asked and 335 more in the archive ('workbench archive restore' brings them back).
    """
    if not days and archive_days is None:
        repository = _repository(workspace)
        kept_now = repository.retention(table)
        shown: dict[str, object] = {
            "table": table,
            "retention_days": kept_now,
            "archive_days": repository.archive_retention(table),
        }
        if as_json:
            _report(shown, as_json=True)
        else:
            archived = f", then {shown['archive_days']} in the archive" if shown["archive_days"] else ""
            print(
                f"{table}: {'kept for ever' if kept_now is None else f'kept for {kept_now} days'}{archived}"
            )
        return
    if days != "forever" and (
        not days.isascii() or not days.isdigit() or not 1 <= int(days[:9]) == int(days)
    ):
        raise typer.BadParameter("DAYS is a whole number from 1, or 'forever'")
    from workbench.collect import care
    from workbench.repository.tables import SAME

    repository = _repository(workspace)
    kept = None if days == "forever" else int(days)
    done = repository.retain(table, kept, SAME if archive_days is None else archive_days or None)
    care.by_hand(repository, lambda told: care.tell_retention(told, table, done))
    _report(asdict(done), as_json=as_json)


def compact(table: Table, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Rewrite the small files of a table as fewer large ones, and index their words; delete files replaced a day ago."""
    from workbench.collect import care
    from workbench.collect.operations import Operations

    repository = _repository(workspace)
    compacted, vacuumed = repository.compact(table), repository.vacuum(table)

    def tell(told: Operations) -> None:
        care.tell_compaction(told, table, compacted)
        care.tell_vacuum(told, table, vacuumed)

    care.by_hand(repository, tell)
    _report({**asdict(compacted), **asdict(vacuumed)}, as_json=as_json)


def list_archive(
    table: Annotated[
        str | None, typer.Argument(metavar="T", help="A table: its days; else all.", show_default=False)
    ] = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """List what is archived, by table, or by day of one table."""
    from workbench.cli.output import listing

    repository = _repository(workspace)
    if table is not None:
        rows: list[dict[str, object]] = [
            {"day": _day(a.day), "files": a.files, "rows": a.rows, "bytes": a.bytes}
            for a in repository.archived(table)
        ]
        listing(rows, ("day", "files", "rows", "bytes"), as_json=as_json)
        return
    rows = []
    for name in repository.tables():
        kept = repository.archived(name)
        if kept or repository.archive_retention(name):
            rows.append(
                {
                    "table": name,
                    "days": repository.archive_retention(name),
                    "first": _day(kept[0].day) if kept else None,
                    "last": _day(kept[-1].day) if kept else None,
                    "rows": sum(a.rows for a in kept),
                    "bytes": sum(a.bytes for a in kept),
                }
            )
    listing(rows, ("table", "days", "first", "last", "rows", "bytes"), as_json=as_json)


def restore(
    table: Table,
    first: Annotated[str, typer.Option("--from", metavar="TIME", help="First TimeGenerated, UTC.")],
    last: Annotated[str, typer.Option("--to", metavar="TIME", help="The time behind the last.")],
    name: Annotated[
        str | None,
        typer.Option("--as", metavar="NAME_RST", help="Of the new table; else T_RST.", show_default=False),
    ] = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Bring archived records back as a table of their own, in place of what it held before."""
    from workbench.collect.kept import moment

    done = _repository(workspace).restore(table, moment(first), moment(last), name)
    _report(asdict(done), as_json=as_json)


def _day(day: int) -> str:
    from workbench.base.dtypes import TICKS_PER_DAY, format_datetime

    return format_datetime(day * TICKS_PER_DAY)[:10]


def _report(result: dict[str, object], *, as_json: bool) -> None:
    from workbench.cli.output import emit_json

    if as_json:
        emit_json(result)
    else:
        print(", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in result.items()))
    sys.stdout.flush()
