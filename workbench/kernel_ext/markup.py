"""A result as HTML that needs nothing around it: names and types, rows, footer.

Colours come from JupyterLab's `--jp-*` variables and fall back to those of the page. Each text from
the data is made printable and then escaped; there is no script, so it looks the same where outputs
are not trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files

import orjson

from workbench.base.dtypes import ScalarType
from workbench.kernel_ext import footer
from workbench.kernel_ext.cells import Cell, cell, is_code, is_right_aligned, printable
from workbench.query.result import Result

_SHORT = 40
_BELOW_CHART = 20  # rows
_LONGEST_SUMMARY = 60
_LONGEST_CELL = 10_000
# Bytes of a notebook that one table may take: of its cells, and of what hides behind those that unfold.
_MOST_BYTES, _USUAL = 120_000, 50
_UNFOLDED_BUDGET = 40_000


@cache
def style() -> str:
    """The style sheet, as it stands in every output (a saved notebook has to carry it)."""
    return files("workbench.kernel_ext").joinpath("assets/result.css").read_text()


def table(
    result: Result,
    limit: int,
    notes: Sequence[str] = (),
    name: str | None = None,
    live: str | None = None,
    with_style: bool = True,
) -> str:
    """The first `limit` rows as a table with a sticky header, and the footer below it.

    Columns that would make the notebook large are left out, and counted. `live` is the id under which a grid finds the result: where there are widgets it takes the table's place.
    """
    shown = result.frame.head(limit)
    budget = _Budget(_UNFOLDED_BUDGET)
    room = _MOST_BYTES * max(1.0, limit / _USUAL)  # who asks for many rows wants them
    heads: list[str] = []
    columns: list[list[str]] = []
    for c, values in zip(result.schema, shown.iter_columns(), strict=True):
        made = [_data(cell(value, c.type), c.type, budget) for value in values]
        room -= _stored("".join(made))
        if room < 0 and columns:
            break
        heads.append(_head(c.name, c.type))
        columns.append(made)
    if len(columns) < len(result.schema):
        heads.append(
            f'<th scope="col" class="wb-null">… {len(result.schema) - len(columns):,} more columns</th>'
        )
    rows = "".join(f"<tr>{''.join(row)}</tr>" for row in zip(*columns, strict=True))
    if not shown.height and columns and not len(result):
        rows = f'<tr><td colspan="{len(columns)}" class="wb-null">no rows</td></tr>'
    label = escape(f"Result: {shown.height:,} of {len(result):,} rows, {len(columns)} columns", quote=True)
    return _frame(
        f'<div class="wb-scroll" tabindex="0" role="region" aria-label="{label}">'
        f'<table class="wb-table"><thead><tr>{"".join(heads)}</tr></thead><tbody>{rows}</tbody></table></div>'
        + _foot(footer.parts(result, shown.height, name, notes)),
        live,
        with_style,
    )


def below_chart(
    result: Result, notes: Sequence[str] = (), name: str | None = None, live: str | None = None
) -> str:
    """The footer, and folded behind it the rows that were drawn."""
    rows = table(result, _BELOW_CHART, (), None, live, with_style=False)
    return _frame(
        _foot(footer.parts(result, None, name, notes))
        + f'<details class="wb-drawn"><summary>Rows of the chart</summary>{rows}</details>'
    )


def text(lines: str) -> str:
    """Plain text as it is, in the code font."""
    return _frame(f"<pre>{escape(printable(lines, lines=True))}</pre>")


def progress(line: str) -> str:
    """The line that stands where the answer will be."""
    return _frame(f'<div class="wb-foot" role="status">{escape(line)}</div>')


class _Budget:
    """How many bytes may still be hidden behind cells that unfold."""

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, text: str) -> str:
        """As much of `text` as there is room for, and a word about the rest."""
        kept = text[: min(_LONGEST_CELL, self.left)]
        while kept and _stored(escape(kept)) > self.left:
            kept = kept[: len(kept) // 2]
        self.left -= _stored(escape(kept))
        if len(kept) == len(text):
            return text
        return f"{kept}\n… {len(text) - len(kept):,} more characters"


def _stored(html: str) -> int:
    """Bytes that a piece takes in a notebook, which is JSON."""
    return len(orjson.dumps(html)) - 2


def _frame(inner: str, live: str | None = None, with_style: bool = True) -> str:
    of = f' data-wb-result="{live}"' if live else ""
    looks = f"<style>{style()}</style>" if with_style else ""
    return f'<div class="wb-result"{of}>{looks}{inner}</div>'


def _foot(parts: Sequence[str]) -> str:
    said = [
        f'<span class="wb-warn">{escape(p)}</span>' if p.startswith(("truncated", "partial")) else escape(p)
        for p in parts
    ]
    return f'<div class="wb-foot">{" · ".join(said)}</div>'


def _head(name: str, kql: ScalarType) -> str:
    right = ' class="wb-n"' if is_right_aligned(kql) else ""
    return f'<th scope="col"{right}>{escape(printable(name))} <span class="wb-type">{kql.value}</span></th>'


def _data(shown: Cell, kql: ScalarType, budget: _Budget) -> str:
    """One `<td>`; long and many-lined text unfolds on a click."""
    if shown.null:
        return f'<td class="{"wb-null wb-n" if is_right_aligned(kql) else "wb-null"}" aria-label="null">{shown.text}</td>'
    names = [
        name
        for name, on in (
            ("wb-n", is_right_aligned(kql)), ("wb-t", kql is ScalarType.DATETIME), ("wb-c", is_code(kql))
        )
        if on
    ]  # fmt: skip
    attributes = f' class="{" ".join(names)}"' if names else ""
    if shown.exact:
        attributes += f' title="{escape(shown.exact, quote=True)}"'
    if not shown.folded and len(shown.text) <= _SHORT:
        return f"<td{attributes}>{escape(shown.text)}</td>"
    summary = shown.text if len(shown.text) <= _LONGEST_SUMMARY else shown.text[:_LONGEST_SUMMARY] + "…"
    unfolded = budget.take(shown.folded or shown.text)
    return (
        f"<td{attributes}><details><summary>{escape(summary)}</summary>"
        f"<pre>{escape(unfolded)}</pre></details></td>"
    )
