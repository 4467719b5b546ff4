"""A result as aligned text: for terminals, logs, diffs and hosts that show no HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.kernel_ext import footer
from workbench.kernel_ext.cells import Cell, cell, is_right_aligned, printable, width
from workbench.query.result import Result

LINE = 120
_WIDEST = 40
_GAP = "  "


def table(result: Result, limit: int, notes: Sequence[str] = (), name: str | None = None) -> str:
    """The first `limit` rows under their names and types, and the footer.

    Examples
    --------
    >>> import polars as pl
    >>> from workbench.base.dtypes import Column, ScalarType
    >>> r = Result(pl.DataFrame({"host": ["web01"], "n": [1200]}),
    ...            (Column("host", ScalarType.STRING), Column("n", ScalarType.LONG)))
    >>> print(table(r, 50))
    host        n
    string   long
    ------  -----
    web01   1,200
    rows 1 of 1 · <0.01 s
    """
    shown = result.frame.head(limit)
    columns = (
        _column(c.name, c.type.value, [cell(v, c.type) for v in shown.to_series(i)], is_right_aligned(c.type))
        for i, c in enumerate(result.schema)
    )
    lines = [line.rstrip() for line in _within(columns, len(result.schema))]
    below = footer.line(footer.parts(result, shown.height, name, notes))
    return "\n".join([*lines, below])


def _column(name: str, kind: str, cells: list[Cell], right: bool) -> list[str]:
    """One column as lines of one width: name, type, rule, values."""
    texts = [_cut(t) for t in (printable(name), kind, *(c.text for c in cells))]
    wide = max(width(t) for t in texts)
    padded = [(" " * (wide - width(t)) + t) if right else (t + " " * (wide - width(t))) for t in texts]
    return [*padded[:2], "-" * wide, *padded[2:]]


def _cut(text: str) -> str:
    if width(text) <= _WIDEST:
        return text
    kept = text[: _WIDEST - 1]
    while width(kept) > _WIDEST - 1:
        kept = kept[:-1]
    return kept + "…"


def _within(columns: Iterable[list[str]], count: int) -> list[str]:
    """Columns side by side, as many as fit on a line; the number left out stands in the header."""
    used, fitting = 0, list[list[str]]()
    for column in columns:
        used += width(column[2]) + (len(_GAP) if fitting else 0)
        if used > LINE and fitting:
            break
        fitting.append(column)
    lines = [_GAP.join(row) for row in zip(*fitting, strict=True)]
    if len(fitting) < count:
        lines[0] += f"{_GAP}… {count - len(fitting)} more columns"
    return lines
