"""`workbench alert lint | import | backtest`: the texts of alert rules, before they are kept."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.base.errors import WorkbenchError
from workbench.cli import options
from workbench.cli.asking import asked, place_of, quoted

if TYPE_CHECKING:
    from workbench.alerts.importing import Imported
    from workbench.query.frames import Tables

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE…",
        help="Rules: our YAML, Sentinel's, Azure's scheduledQueryRules in JSON, Sigma's; a folder is all files in it.",
    ),
]
_ENDINGS = (".yaml", ".yml", ".json")


def add_to(group: typer.Typer) -> None:
    """Add the commands to `workbench alert`."""
    group.command()(lint)
    group.command("import")(import_rules)


def lint(files: Files, as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """Say what is unwise in rules; exit status 1 where one can't do what it says."""
    from workbench.alerts import lint as linting
    from workbench.cli.output import emit_json, shown

    source = _tables(workspace)
    rows: list[dict[str, Any]] = []
    for file in _files(files):
        try:
            found = _read(file)
        except WorkbenchError as error:
            rows.append(_row(file, "", "error", error.code, error.message, error.hint or "", error.render()))
            continue
        for one in found:
            rows += [
                _row(file, one.rule.name, f.level.value, f.name, f.message, f.hint)
                for f in linting.lint(one.rule, source)
            ]
    if as_json:
        emit_json([{k: v for k, v in row.items() if k != "text"} for row in rows])
    for row in [] if as_json else rows:
        said = row["text"] or f"{row['level']}: {row['message']} ({row['finding']})" + (
            f"\n  hint: {row['hint']}" if row["hint"] else ""
        )
        print(f"{shown(row['file'])}: " + "\n".join(shown(line) for line in said.split("\n")))
    if any(row["level"] == "error" for row in rows):
        raise typer.Exit(1)


def import_rules(
    files: Files,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER", help="Write each rule there as YAML of its own; nothing is written over."
        ),
    ] = None,
    create: Annotated[
        bool, typer.Option("--create", help="Have the running service keep each rule.")
    ] = False,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Make rules of what others wrote; what has no counterpart here is told.

    Without --to and --create their YAML goes to standard output. A rule that can't be taken is told and left out, and
    makes the exit status 1.
    """
    from workbench.cli.output import emit_json, shown

    if to is not None and create:
        raise typer.BadParameter("--to and --create are two ways: give one")
    made: list[dict[str, Any]] = []
    refused = False
    for file in _files(files):
        try:
            for one in _read(file):
                place, text = _put(one, to, create=create, workspace=workspace)
                if not as_json:
                    print(text)
                made.append({"file": file, "name": one.rule.name, "to": place, "remarks": list(one.remarks)})
                for remark in one.remarks:
                    print(f"{shown(file)}: {shown(remark)}", file=sys.stderr)
        except WorkbenchError as error:
            refused = True
            made.append({"file": file, "name": "", "to": "", "remarks": [], "error": error.packed()})
            print(f"{shown(file)}: {error.render()}", file=sys.stderr)
    if as_json:
        emit_json(made)
    if refused:
        raise typer.Exit(1)


def _put(one: Imported, to: str | None, *, create: bool, workspace: str | None) -> tuple[str, str]:
    """Keep one rule where it was asked for; gives where, and what is printed of it."""
    from workbench.alerts.reading import as_text

    if create:
        path = f"/api/alertRules/{quoted(one.rule.name)}"
        asked(place_of(workspace), "PUT", path, {"text": as_text(one.rule)})
        return "service", one.rule.name
    if to is None:
        return "", "---\n" + as_text(one.rule).rstrip("\n")
    file = _free(Path(to), one.rule.name)
    file.write_text(as_text(one.rule), encoding="utf-8")
    return str(file), str(file)


def _free(folder: Path, name: str) -> Path:
    """A file of the rule's name that is not there yet."""
    from workbench.base.diagnostics import alerts as diagnostics

    stem = "".join(c if c.isalnum() or c in "-_" else "_" for c in name)[:120] or "rule"
    file = folder / f"{stem}.yaml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if file.exists():
            raise diagnostics.file_exists(str(file))
    except OSError as error:
        raise diagnostics.no_file(str(folder), error.strerror or str(error)) from None
    return file


def _read(file: str) -> list[Imported]:
    from workbench.alerts.importing import read_file

    return read_file(file)


def _files(given: list[str]) -> Iterator[str]:
    for name in given:
        if Path(name).is_dir():
            yield from sorted(str(p) for p in Path(name).rglob("*") if p.suffix in _ENDINGS and p.is_file())
        else:
            yield name


def _tables(workspace: str | None) -> Tables | None:
    """The tables of the workspace; None where there is none and none was named."""
    from workbench.workspace import open as open_workspace

    try:
        return open_workspace(options.chosen(workspace)).source
    except WorkbenchError:
        if workspace is not None:
            raise
        return None


def _row(
    file: str, rule: str, level: str, finding: str, message: str, hint: str, text: str = ""
) -> dict[str, Any]:
    return {"file": file, "rule": rule, "level": level, "finding": finding, "message": message, "hint": hint, "text": text}  # fmt: skip
