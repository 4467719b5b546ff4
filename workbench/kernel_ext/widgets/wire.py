"""A window of rows as bytes for the browser: Arrow IPC with the texts that the cells show.

Numbers and times are made text here (`kernel_ext.cells`), so that the grid, the HTML table and the plain one
read alike. `js/arrow.js` reads exactly what is written here: int32, bool and large text, uncompressed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from workbench.base.dtypes import Column, ScalarType
from workbench.kernel_ext.cells import cell, is_code, is_right_aligned
from workbench.kernel_ext.widgets.view import View

T = ScalarType
LONGEST = 200  # characters of a cell in a window; the row's details have all
LONGEST_DETAIL = 200_000
_LEVELS = (
    "level",
    "severity",
    "severitylevel",
    "loglevel",
    "eventlevelname",
    "levelname",
    "alertseverity",
    "priority",
)


def columns(view: View) -> list[dict[str, Any]]:
    """What the browser knows of the columns."""
    return [
        {
            "name": c.name,
            "type": c.type.value,
            "right": is_right_aligned(c.type),
            "code": is_code(c.type),
            "level": _is_level(c),
        }
        for c in view.schema
    ]


def _is_level(column: Column) -> bool:
    return column.type is T.STRING and column.name.lower() in _LEVELS


def window(view: View, start: int, count: int, wanted: Sequence[int]) -> bytes:
    """The lines from `start` on: `row`, `group` (-1: a row), `count`, `opened`, and a text `c<n>` for each wanted column.

    Examples
    --------
    >>> view = View(pl.DataFrame({"n": [1200]}), (Column("n", T.LONG),))
    >>> pl.read_ipc_stream(window(view, 0, 1, [0])).rows()
    [(0, -1, 0, False, '1,200')]
    """
    lines = view.lines(start, count)
    rows = view.frame[[line.row for line in lines]] if lines else view.frame.head(0)
    made: dict[str, pl.Series] = {
        "row": pl.Series([line.row for line in lines], dtype=pl.Int32),
        "group": pl.Series([-1 if line.group is None else line.group for line in lines], dtype=pl.Int32),
        "count": pl.Series([line.count for line in lines], dtype=pl.Int32),
        "opened": pl.Series([line.opened for line in lines], dtype=pl.Boolean),
    }
    for number in wanted:
        column = view.schema[number]
        texts = [_shown(value, column.type) for value in rows[column.name]]
        made[f"c{number}"] = pl.Series(texts, dtype=pl.String)
    out = io.BytesIO()
    pl.DataFrame(made).write_ipc_stream(out, compression="uncompressed", compat_level=pl.CompatLevel.oldest())
    return out.getvalue()


def _shown(value: Any, kql: ScalarType) -> str | None:
    shown = cell(value, kql)
    if shown.null:
        return None
    return shown.text if len(shown.text) <= LONGEST else shown.text[:LONGEST] + "…"


def details(view: View, row: int) -> list[dict[str, Any]]:
    """All values of one row in full; dynamic ones as JSON for the tree."""
    found: list[dict[str, Any]] = []
    for value, column in zip(view.frame.row(row), view.schema, strict=True):
        shown = cell(value, column.type)
        full = shown.folded or shown.text
        entry: dict[str, Any] = {
            "name": column.name,
            "type": column.type.value,
            "null": shown.null,
            "text": full[:LONGEST_DETAIL],
            "cut": max(0, len(full) - LONGEST_DETAIL),
            "exact": shown.exact,
        }
        if column.type is T.DYNAMIC and (tree := _tree(value)) is not None:
            entry["json"] = tree
        found.append(entry)
    return found


def _tree(value: Any) -> str | None:
    """The JSON of an object or a list, as text: the browser parses it, and keeps what a number of its own can't hold."""
    if value is None or not str(value).startswith(("{", "[")) or len(value) > LONGEST_DETAIL:
        return None
    try:
        json.loads(value)
    except ValueError:
        return None
    return str(value)


def empty_columns(view: View) -> list[int]:
    """Places of the columns that hold only null or empty text."""
    columns = [pl.col(c.name) for c in view.schema]
    empty = [
        (e if c.type is not T.STRING else e.replace("", None)).is_null().all()
        for e, c in zip(columns, view.schema, strict=True)
    ]
    found = view.frame.select(e.alias(str(i)) for i, e in enumerate(empty)).row(0) if empty else ()
    return [place for place, is_empty in enumerate(found) if is_empty]


def copied(view: View, rows: Sequence[int], wanted: Sequence[int], header: bool) -> str:
    """Whole values as lines with tabs, for the clipboard; tabs and line ends inside of a value become spaces.

    Examples
    --------
    >>> view = View(pl.DataFrame({"n": [1200], "t": ["a\\tb"]}), (Column("n", T.LONG), Column("t", T.STRING)))
    >>> copied(view, [0], [0, 1], True)
    'n\\tt\\n1200\\ta b'
    """
    names = [view.schema[c].name for c in wanted]
    one = len(rows) == len(wanted) == 1
    lines = ["\t".join(names)] if header else []
    for values in view.frame.select(names)[list(rows)].iter_rows():
        texts = (_whole(v, view.schema[c].type) for v, c in zip(values, wanted, strict=True))
        lines.append("\t".join(t if one else " ".join(t.split("\t")).replace("\n", " ") for t in texts))
    return "\n".join(lines)


def _whole(value: Any, kql: ScalarType) -> str:
    """A value to be pasted: no thousands, no cut."""
    if value is None:
        return ""
    if kql in (T.DATETIME, T.TIMESPAN, T.BOOL):
        shown = cell(value, kql)
        return shown.exact or shown.text
    return str(value)
