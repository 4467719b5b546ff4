"""A dashboard as one HTML file that needs no network and no kernel: what it showed, and the searches behind it."""

from __future__ import annotations

import json
from html import escape

from workbench.kernel_ext.cells import printable
from workbench.kernel_ext.dashboards import words
from workbench.kernel_ext.dashboards.answering import drill_down
from workbench.kernel_ext.dashboards.board import Board, Tiles, asset

_ROWS = 10
_LIGHT = {
    "--jp-layout-color0": "#ffffff", "--jp-layout-color1": "#ffffff", "--jp-layout-color2": "#eeeeee",
    "--jp-border-color1": "#bdbdbd", "--jp-border-color2": "#e0e0e0", "--jp-border-color3": "#eeeeee",
    "--jp-content-font-color0": "#111111", "--jp-content-font-color1": "#212121", "--jp-content-font-color2": "#616161",
    "--jp-content-font-color3": "#9e9e9e", "--jp-brand-color1": "#1976d2", "--jp-error-color1": "#d32f2f",
}  # fmt: skip
_DARK = {
    "--jp-layout-color0": "#111111", "--jp-layout-color1": "#1a1a1a", "--jp-layout-color2": "#2a2a2a",
    "--jp-border-color1": "#616161", "--jp-border-color2": "#424242", "--jp-border-color3": "#2e2e2e",
    "--jp-content-font-color0": "#ffffff", "--jp-content-font-color1": "#e6e6e6", "--jp-content-font-color2": "#b0b0b0",
    "--jp-content-font-color3": "#808080", "--jp-brand-color1": "#64b5f6", "--jp-error-color1": "#ef9a9a",
}  # fmt: skip
_SCRIPT = """
const searches = JSON.parse(document.getElementById("searches").textContent);
document.querySelectorAll(".wb-tiles").forEach((root, group) => {
  wire(root, (tile, row) => {
    const found = searches[group]?.[tile];
    if (found) showSearch(found[row === null ? 0 : row + 1] ?? found[0]);
  });
});
"""


def page(board: Board) -> str:
    """The file. Its theme follows the reader's."""
    title = escape(printable(board.dashboard.title))
    script = (
        asset("dashboard.js").replace("export default { render };", "").replace("export function", "function")
    )
    # In a script element only its end tag could end it early.
    searches = json.dumps(_searches(board)).replace("<", "\\u003c")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
        f"<title>{title}</title><style>:root {{ color-scheme: light dark; {_css(_LIGHT)} }} "
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_css(_DARK)} }} }} "
        "body { margin: 16px; background: var(--jp-layout-color0); }"
        f"{asset('dashboard.css')}</style></head><body>{fragment(board, with_style=False)}"
        f'<script type="application/json" id="searches">{searches}</script>'
        f'<script type="module">{script}{_SCRIPT}</script></body></html>\n'
    )


def fragment(board: Board, with_style: bool = True) -> str:
    """The tiles as they stand, under their headings."""
    title = escape(printable(board.dashboard.title))
    asked = [a for grid in board.grids for a in grid.answers if a is not None]
    when = f"<p>as of {words.moment(asked[0].end)}</p>" if asked else ""
    style = f"<style>{asset('dashboard.css')}</style>" if with_style else ""
    groups = "".join(_group(grid) for grid in board.grids)
    return f'{style}<div class="wb-board"><h2>{title}</h2>{when}{groups}</div>'


def _group(grid: Tiles) -> str:
    heading = f"<h3>{escape(printable(grid.group.title))}</h3>" if grid.group.title else ""
    cells = "".join(
        f'<div class="wb-cell" style="--w:{width}" data-tile="{i}">{html}</div>'
        for i, (html, width) in enumerate(zip(grid.tiles, grid.widths, strict=True))
    )
    return f'{heading}<div class="wb-tiles-place"><div class="wb-tiles">{cells}</div></div>'


def _searches(board: Board) -> list[list[list[str]]]:
    """For each group and tile: the search of the whole, then those of its first rows."""
    found = []
    for grid in board.grids:
        tiles: list[list[str]] = []
        for answer in grid.answers:
            if answer is None or not answer.query:
                tiles.append([])
                continue
            rows = 0 if answer.result is None else min(len(answer.result), _ROWS)
            title = board.dashboard.title
            tiles.append([drill_down(title, answer, board.values, row) for row in (None, *range(rows))])
        found.append(tiles)
    return found


def _css(variables: dict[str, str]) -> str:
    return " ".join(f"{name}: {value};" for name, value in variables.items())
