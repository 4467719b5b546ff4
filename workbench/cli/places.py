"""`workbench folders list | allow | forbid`: folders whose files `externaldata` may read."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from workbench.base.diagnostics import statements as diagnostics
from workbench.cli import options

Folder = Annotated[str, typer.Argument(metavar="FOLDER", help="A folder of this machine.")]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        name="folders", help="Say which folders externaldata may read files of.", no_args_is_help=True
    )
    group.command("list")(list_all)
    group.command()(allow)
    group.command()(forbid)
    app.add_typer(group)


def list_all(as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """List the folders: the workspace's own, those allowed here, those of the environment."""
    from workbench.cli.output import listing
    from workbench.workspace import open as open_workspace

    repository = open_workspace(options.chosen(workspace)).repository
    rows = [{"folder": f, "there": os.path.isdir(f)} for f in dict.fromkeys(repository.open_folders())]
    listing(rows, ("folder", "there"), as_json=as_json)


def allow(folder: Folder, workspace: options.Workspace = None) -> None:
    """Let the queries of this workspace read the files of a folder."""
    from workbench.workspace import open as open_workspace

    repository = open_workspace(options.chosen(workspace)).repository
    path = os.path.realpath(os.path.expanduser(folder))
    if not os.path.isdir(path):
        raise diagnostics.no_folder(path)
    repository.allow_folders([*(f for f in repository.allowed_folders() if f != path), path])
    print(path)


def forbid(folder: Folder, workspace: options.Workspace = None) -> None:
    """Take a folder back."""
    from workbench.workspace import open as open_workspace

    repository = open_workspace(options.chosen(workspace)).repository
    path = os.path.realpath(os.path.expanduser(folder))
    known = repository.allowed_folders()
    if path not in known:
        raise diagnostics.folder_not_allowed(path, known)
    repository.allow_folders([f for f in known if f != path])
    print(path)
