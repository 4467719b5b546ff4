"""Options that several commands share, spelt once."""

from __future__ import annotations

from typing import Annotated

import typer

Workspace = Annotated[
    str | None,
    typer.Option(
        "--workspace",
        metavar="PATH-or-URL",
        help="Folder or URL of the workspace; else WORKBENCH_WORKSPACE, else the default one.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
JobUser = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="The OS user that jobs run as, who sees neither workspace nor keys; by default workbench-job, where "
        "root runs this and that user exists.",
    ),
]


def chosen(workspace: str | None) -> str:
    """The workspace of a command: its own option, else the environment, else the default."""
    from workbench.base.config import default_workspace

    return workspace or default_workspace()
