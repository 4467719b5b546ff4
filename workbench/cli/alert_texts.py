"""`workbench alert lint | import | backtest`: the texts of alert rules, before they are kept."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.base.errors import WorkbenchError
from workbench.cli import options
from workbench.cli.asking import asked, place_of, quoted

if TYPE_CHECKING:
    from workbench.alerts.backtest import Firing
    from workbench.alerts.importing import Imported
    from workbench.alerts.rule import Rule
    from workbench.query.frames import Tables
    from workbench.query.result import Result

Files = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE…",
        help="Rules: our YAML, Sentinel's, Azure's scheduledQueryRules in JSON, Sigma's; a folder is all files in it.",
    ),
]
_FIRED = ("fired", "resolved", "value", "records", "dimensions", "told")
_ENDINGS = (".yaml", ".yml", ".json")


class Format(StrEnum):
    """How alerts are printed."""

    table = "table"
    json = "json"
    csv = "csv"


def add_to(group: typer.Typer) -> None:
    """Add the commands to `workbench alert`."""
    group.command()(lint)
    group.command("import")(import_rules)
    group.command()(backtest)


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


def backtest(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="A file, or the name of a rule that is kept.")],
    over: Annotated[str, typer.Option(help="How far back: 30d, P1W.")] = "30d",
    form: Annotated[Format, typer.Option("--format", help="How the alerts are printed.")] = Format.table,
    chart: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Draw the measured values there: .svg, .png or .html.", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    workspace: options.Workspace = None,
) -> None:
    """Show when a rule would have fired over stored records; nothing is kept, and nobody is told."""
    from workbench.alerts.backtest import backtest as tried
    from workbench.alerts.phrases import seconds_of
    from workbench.base import clock
    from workbench.base.diagnostics import alerts as diagnostics
    from workbench.cli import output
    from workbench.workspace import open as open_workspace

    seconds = seconds_of(over)
    if not seconds:
        raise diagnostics.bad_value(None, "--over", over, ["30d", "12h", "P1W"])
    if chart is not None and Path(chart).suffix not in (".svg", ".png", ".html"):
        raise diagnostics.bad_value(None, "--chart", chart, ["a file that ends with .svg, .png or .html"])
    end = clock.now_us()
    found = tried(_one_rule(rule, workspace), open_workspace(options.chosen(workspace)).source, end - seconds * 1_000_000, end, _progress)  # fmt: skip
    rows = [_fired(one) for one in found.firings]
    if form is Format.csv and not as_json:
        writer = csv.DictWriter(sys.stdout, _FIRED, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    else:
        output.listing(rows, _FIRED, as_json=as_json or form is Format.json)
    if chart is not None:
        _draw(found.chart(), Path(chart))
    count = len(rows)
    print(
        f"{count:,} alert{'s' * (count != 1)} in {len(found.measured):,} evaluations over {over}; "
        f"{found.records:,} records read, the query asked {found.asked:,} times",
        file=sys.stderr,
    )


def _one_rule(given: str, workspace: str | None) -> Rule:
    """The rule of a file that has one, or a kept one by its name."""
    from workbench.alerts.reading import read
    from workbench.base.diagnostics import alerts as diagnostics

    if not Path(given).is_file():
        return read(asked(place_of(workspace), "GET", f"/api/alertRules/{quoted(given)}")["text"])
    found = _read(given)
    if len(found) != 1:
        raise diagnostics.several_rules(given, [one.rule.name for one in found])
    return found[0].rule


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        print(
            f"\r{done:,} of {of:,} evaluations", end="\r" if done < of - 100 else "\r\033[K", file=sys.stderr
        )


def _fired(one: Firing) -> dict[str, Any]:
    from workbench.base.clock import moment

    return {
        "fired": moment(one.at),
        "resolved": moment(one.resolved_at) or "",
        "value": one.value,
        "records": one.count,
        "dimensions": ", ".join(f"{k}={v}" for k, v in one.dimensions.items()),
        "told": one.told,
    }


def _draw(result: Result, file: Path) -> None:
    from workbench.base.diagnostics import alerts as diagnostics
    from workbench.query.charts.look import picture, pixels

    spec = result.chart().to_dict()
    try:
        if file.suffix == ".png":
            file.write_bytes(pixels(spec))
        else:
            svg = picture(spec)
            file.write_text(
                svg if file.suffix == ".svg" else f"<!doctype html><meta charset=utf-8>{svg}",
                encoding="utf-8",
            )
    except OSError as error:
        raise diagnostics.not_written(str(file), error.strerror or str(error)) from None


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
