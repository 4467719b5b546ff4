"""How rows are printed: an aligned table for people, JSON, CSV or Parquet for programs.

A table of rows is a preview, as in a notebook; the other forms hold every row and every character.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.base.diagnostics import service as diagnostics

if TYPE_CHECKING:
    from workbench.query.result import Result

PREVIEW_ROWS = 100


# ---- tables for people ------------------------------------------------------------------------


def text_table(names: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[bool]) -> str:
    """Rows of text, aligned; `right` says which columns stand at the right.

    Control characters are shown as escapes: a name must not steer the terminal.

    Examples
    --------
    >>> print(text_table(["Table", "Rows"], [["Perf", "12"]], [False, True]))
    Table  Rows
    -----  ----
    Perf     12
    """
    body = [[shown(cell) for cell in row] for row in rows]
    heads = [shown(name) for name in names]
    widths = [max([len(h), *(len(row[i]) for row in body)]) for i, h in enumerate(heads)]

    def line(cells: Sequence[str]) -> str:
        parts = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(cells, widths, right, strict=True))
        return "  ".join(parts).rstrip()

    return "\n".join([line(heads), "  ".join("-" * w for w in widths), *(line(row) for row in body)])


def shown(cell: str) -> str:
    """A text of others as it may stand in a terminal: signs that steer it are escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cell)


def preview(result: Result) -> str:
    """The first rows of a result as it looks in a terminal, with a line that says how many there are.

    Of a query that gives several tables all of them, one under the other.
    """
    from workbench.kernel_ext.plain import table

    return "\n\n".join(table(t, PREVIEW_ROWS) for t in result.tables)


# ---- all rows for programs --------------------------------------------------------------------


def write(result: Result, form: str) -> None:
    """Every row on standard output as `json`, `csv` or `parquet`.

    Of several tables JSON is an object with the rows of each by its name; in CSV an empty line parts them.

    Raises
    ------
    WorkbenchError
        SRV014 when the result was cut, SRV010 for Parquet to a terminal, SRV015 for several tables
        as Parquet.
    """
    if result.partial:
        raise diagnostics.result_partial(result.partial_note)
    for table in result.tables:
        if table.truncated:
            raise diagnostics.result_cut(len(table))
    for sentence in result.statistics.warnings:
        print(f"warning: {shown(sentence)}", file=sys.stderr)
    {"json": _write_json, "csv": _write_csv, "parquet": _write_parquet}[form](result)


def _write_json(result: Result) -> None:
    """An array of objects, one a line."""
    from workbench.server import wire

    out = sys.stdout.buffer
    for place, table in enumerate(result.tables):
        if result.others:
            out.write((b"," if place else b"{") + b"\n" + wire.dump(table.name or "") + b": ")
        names, before = table.columns, b"["
        for part in wire.slices(table):
            for row in part:
                out.write(before + b"\n" + wire.dump(dict(zip(names, row, strict=True))))
                before = b","
        out.write((b"[" if before == b"[" else b"\n") + b"]")
    out.write(b"\n}\n" if result.others else b"\n")
    out.flush()


def _write_csv(result: Result) -> None:
    from workbench.server import wire

    sys.stdout.flush()
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=False)
    try:
        writer = csv.writer(out, lineterminator="\n")
        for place, table in enumerate(result.tables):
            if place:
                out.write("\n")
            writer.writerow(table.columns)
            for part in wire.slices(table, dynamic_as_text=True):
                writer.writerows([_plain(cell) for cell in row] for row in part)
        out.flush()
    finally:
        out.detach()


def _plain(cell: Any) -> Any:
    """A cell of CSV: an empty field for null, `true` and `false` as KQL spells them."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell


def _write_parquet(result: Result) -> None:
    if result.others:
        raise diagnostics.several_as_parquet(len(result.tables))
    if sys.stdout.isatty():
        raise diagnostics.parquet_to_terminal()
    data = io.BytesIO()
    result.frame.write_parquet(data)
    sys.stdout.buffer.write(data.getbuffer())
    sys.stdout.buffer.flush()


# ---- listings ---------------------------------------------------------------------------------


def listing(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Rows of plain values: a table, or with `as_json` an array of objects with all their fields.

    In the table a field that a row lacks stays blank, one that is None is a dash.
    """
    if as_json:
        emit_json(list(rows))
        return
    if not rows:
        print("nothing to list", file=sys.stderr)
        return
    numbers = [all(isinstance(row.get(c, 0), int | float) for row in rows) for c in columns]
    body = [[_listed(row.get(c, "")) for c in columns] for row in rows]
    print(text_table(columns, body, numbers))


def _listed(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)


def emit_json(value: Any) -> None:
    """One JSON value on a line of its own."""
    from workbench.server import wire

    sys.stdout.buffer.write(wire.dump(value) + b"\n")
    sys.stdout.buffer.flush()
