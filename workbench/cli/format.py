"""`workbench format`: query files laid out, checked or rewritten."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.base.errors import WorkbenchError


def register(app: typer.Typer) -> None:
    app.command("format")(format_files)


def format_files(
    files: Annotated[
        list[str] | None, typer.Argument(metavar="FILE…", help="Files of KQL; '-' is standard input.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Name the files that are not laid out, change none; exit 1.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the files instead of printing them.")] = False,
) -> None:
    """Lay out KQL: one pipe a line, long lists broken. Meaning and comments stay as they are."""
    if check and write:
        raise typer.BadParameter("give either --check or --write")
    names = files or ["-"]
    if write and "-" in names:
        raise typer.BadParameter("standard input can't be written to")
    if names.count("-") > 1:
        raise typer.BadParameter("standard input can be read once")
    if len(names) > 1 and not (check or write):
        raise typer.BadParameter("several files need --check or --write")
    failed = False
    for name in names:
        try:
            failed |= _one(name, check=check, write=write)
        except (WorkbenchError, OSError, UnicodeDecodeError) as wrong:
            print(f"{name}: {_told(wrong)}", file=sys.stderr)
            failed = True
    if failed:
        raise typer.Exit(1)


def _told(wrong: WorkbenchError | OSError | UnicodeDecodeError) -> str:
    if isinstance(wrong, WorkbenchError):
        return wrong.render()
    return (wrong.strerror or str(wrong)) if isinstance(wrong, OSError) else "this is no text in UTF-8"


def _one(name: str, *, check: bool, write: bool) -> bool:
    """Lay out one file; whether `--check` found that it is not."""
    from workbench.query.language.formatting import format

    text = sys.stdin.buffer.read().decode() if name == "-" else Path(name).read_bytes().decode()
    made = format(text.replace("\r\n", "\n"))
    made += "\n" if made else ""
    if not (check or write):
        sys.stdout.write(made)
        return False
    if made == text:
        return False
    if write:
        Path(name).write_bytes(made.encode())
    print(f"{'laid out' if write else 'not laid out'}: {name}")
    return check
