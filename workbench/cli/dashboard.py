"""`workbench dashboard serve | export`: dashboards for others."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import options


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        name="dashboard",
        help="Dashboards for viewers: serve them, write them as a file.",
        no_args_is_help=True,
    )
    group.command()(serve)
    group.command()(export)
    app.add_typer(group)


def serve(
    notebooks: Annotated[
        list[Path], typer.Argument(metavar="NOTEBOOK…", help="Notebooks with a %dashboard cell.")
    ],
    port: Annotated[int, typer.Option(help="Port; 0 takes any free one.", min=0, max=65535)] = 0,
    host: Annotated[
        str, typer.Option(help="Address to listen on; one that other machines reach needs TLS.")
    ] = "127.0.0.1",
    tls_cert: Annotated[str, typer.Option(metavar="FILE", help="Certificate (PEM, with its chain).")] = "",
    tls_key: Annotated[str, typer.Option(metavar="FILE", help="Its key (PEM).")] = "",
    warm: Annotated[int, typer.Option(help="Kernels that wait ready for each notebook.", min=0, max=20)] = 1,
    workspace: options.Workspace = None,
) -> None:
    """Serve dashboards to viewers who log in with a token of role reader; they run no code."""
    from workbench.cli.access import opened
    from workbench.cli.output import emit_json
    from workbench.kernel_ext.dashboards.serving import serve as run

    path = options.chosen(workspace)
    os.environ["WORKBENCH_WORKSPACE"] = path
    run(notebooks, opened(path), lambda url: emit_json({"url": url}), host=host, port=port,
        certificate=tls_cert, key=tls_key, warm=warm)  # fmt: skip


def export(
    text: Annotated[
        Path,
        typer.Argument(metavar="FILE.yaml|NOTEBOOK", help="The dashboard, or the notebook that shows it."),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE.html", help="Where to write; without it on stdout."),
    ] = None,
    link: Annotated[
        str, typer.Option(metavar="QUERY", help="Parameters as in a link: 'p_machines=web01&timespan=PT1H'.")
    ] = "",
    workspace: options.Workspace = None,
) -> None:
    """Ask all tiles and write the dashboard as one HTML file that needs no network."""
    import workbench
    from workbench.kernel_ext.dashboards import parameters, spec
    from workbench.kernel_ext.dashboards.board import Board
    from workbench.kernel_ext.dashboards.exporting import page
    from workbench.kernel_ext.dashboards.serving import texts_of

    dashboard = spec.load(texts_of(text)[0] if text.suffix == ".ipynb" else text)
    values, timespan = parameters.from_link(dashboard, link)
    board = Board(workbench.open(options.chosen(workspace)), dashboard, values)
    board.show_all(timespan)
    made = page(board)
    if output is None:
        sys.stdout.write(made)
    else:
        output.write_text(made, encoding="utf-8")
