"""`workbench watchlist create | list | remove`: files of facts that queries join with."""

from __future__ import annotations

from typing import Annotated

import typer

from workbench.cli import options

Alias = Annotated[str, typer.Argument(metavar="ALIAS", help="What _GetWatchlist('ALIAS') calls it.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        name="watchlist",
        help="Keep lists that queries join with: _GetWatchlist('ALIAS').",
        no_args_is_help=True,
    )
    group.command()(create)
    group.command("list")(list_all)
    group.command()(remove)
    app.add_typer(group)


def create(
    alias: Alias,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A CSV file with a header, in UTF-8.")],
    key: Annotated[str, typer.Option(metavar="COLUMN", help="The column that items are looked up by.")],
    workspace: options.Workspace = None,
) -> None:
    """Make a watchlist of a CSV file, in place of one of that name."""
    from workbench.collect import watchlists
    from workbench.workspace import open as open_workspace

    repository = open_workspace(options.chosen(workspace), create=True).repository
    print(f"{alias}: items {watchlists.create(repository, alias, file, key):,}")


def list_all(as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """List the watchlists."""
    from workbench.base.dtypes import format_datetime
    from workbench.cli.output import listing
    from workbench.collect import watchlists
    from workbench.workspace import open as open_workspace

    found = watchlists.listed(open_workspace(options.chosen(workspace)).repository)
    rows = [
        {"alias": w.alias, "items": w.items, "key": w.key, "updated": format_datetime(w.updated * 10)}
        for w in found
    ]
    listing(rows, ("alias", "items", "key", "updated"), as_json=as_json)


def remove(alias: Alias, workspace: options.Workspace = None) -> None:
    """Remove a watchlist; what it held stays in the history of the table Watchlist."""
    from workbench.collect import watchlists
    from workbench.workspace import open as open_workspace

    repository = open_workspace(options.chosen(workspace)).repository
    print(f"{alias}: items removed {watchlists.remove(repository, alias):,}")
