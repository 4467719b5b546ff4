"""The cell in JupyterLab, in a real browser without a network: what it draws, in both themes."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
import pytest
from lab_server import PANEL, browser, open_notebook, playwright_error, served

from workbench.repository.tables import Repository

pytestmark = [pytest.mark.slow, pytest.mark.browser]

STARTED = f"{PANEL}.content.widgets.some(w => w.model.executionCount !== null || w.model.executionState === 'running')"
ERROR = "[data-mime-type='application/vnd.jupyter.stderr']"
WIDTHS = "[...document.querySelectorAll('.jp-RenderedVegaCommon5')].map(e => [e.clientWidth, e.querySelector('svg').clientWidth])"
COLOUR = "e => { const c = getComputedStyle(e); return [c.color, c.fill] }"
CELLS = [
    "%load_ext workbench",
    "%%logsearch\nPerf | sort by TimeGenerated asc | project TimeGenerated, Computer, Load, Message = '<b>\\x1b[31m'",
    "%%logsearch\nPerf | summarize avg(Load) by bin(TimeGenerated, 5m), Computer | render timechart",
    "%logsearch Perf | summarize count() by Computer | render columnchart",
    "%%logsearch\nPerf | summarize count() by Computer | render piechart",
    "%%logsearch\nPerf | where Computr == 1",
]


@pytest.fixture(scope="module")
def notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workspace and a notebook over it."""
    folder = tmp_path_factory.mktemp("lab")
    start = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    rows = [
        {
            "TimeGenerated": start + dt.timedelta(minutes=i),
            "Computer": f"web{h}",
            "Load": h + math.sin(i / 20),
        }
        for i in range(300)
        for h in range(3)
        if not 100 < i < 140
    ]
    frame = pl.DataFrame(rows).with_columns(pl.col("TimeGenerated").dt.cast_time_unit("us"))
    Repository.open(str(folder / "workspace"), create=True).append("Perf", frame)
    made = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
        }
    )
    made.cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    (folder / "files").mkdir()
    nbformat.write(made, folder / "files" / "asked.ipynb")
    return folder


def run_all(page: Any, url: str) -> None:
    """Open the notebook, give it room, run it to its first error (the last cell)."""
    open_notebook(page, url)
    page.evaluate("void jupyterapp.commands.execute('application:toggle-left-area')")
    # JupyterLab drops the command without a word while it still settles, so it is given until it is taken.
    for _ in range(10):
        page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
        try:
            page.wait_for_function(STARTED, timeout=5_000)
            break
        except playwright_error():
            continue
    page.wait_for_selector(ERROR, timeout=120_000)
    assert "KQL101" in page.locator(ERROR).inner_text()
    page.wait_for_function("document.querySelectorAll('.vega-embed svg').length === 3", timeout=60_000)


def brightness(colour: str) -> float:
    """0 (black) to 1 (white) of a computed colour."""
    red, green, blue = (float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3])
    return (0.2126 * red + 0.7152 * green + 0.0722 * blue) / 255


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_tables_charts_and_errors_are_seen_in_jupyterlab(notebook: Path, theme: str) -> None:
    with browser() as chromium, served(notebook, theme) as base:
        page = chromium.new_page(viewport={"width": 1440, "height": 1000})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        run_all(page, f"{base}/asked.ipynb?token=t")

        for place, drawn in page.evaluate(WIDTHS):
            assert 0.7 * place < drawn <= place
        table = page.locator(".wb-result table").first
        assert table.locator("tbody tr").count() == 50
        assert "\\x1b[31m" in table.inner_text()
        assert table.locator("tbody b").count() == 0

        seen = brightness(page.locator(".wb-result td").first.evaluate(COLOUR)[0])
        label = brightness(page.locator(".vega-embed svg text").first.evaluate(COLOUR)[1])
        for found in (seen, label):
            assert found < 0.45 if theme == "light" else found > 0.55

        chart = page.locator(".vega-embed svg").first
        box = chart.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
        page.wait_for_selector("#vg-tooltip-element.visible", timeout=10_000)
        told = page.locator("#vg-tooltip-element").inner_text()
        assert all(host in told for host in ("web0", "web1", "web2"))

        page.screenshot(path=str(notebook / f"{theme}.png"), full_page=True)
        outside = [u for u in asked if not u.startswith(("http://127.0.0.1", "data:", "blob:"))]
        assert outside == []


def test_a_chart_does_not_hang_the_page_beside_one_with_the_style_of_vega_embed(notebook: Path) -> None:
    """JupyterLab redraws for ever where a chart has no width and brings no PNG (seen in 4.6.6)."""
    other = (
        "from IPython.display import display\n"
        "spec = {'data': {'values': [{'a': 1}]}, 'mark': 'bar', 'encoding': {'x': {'field': 'a', 'type': 'quantitative'}}}\n"
        "display({'application/vnd.vegalite.v5+json': spec, 'text/plain': ''}, raw=True)"
    )
    mixed = nbformat.read(notebook / "files" / "asked.ipynb", 4)
    mixed.cells = [nbformat.v4.new_code_cell(s) for s in (CELLS[0], other, CELLS[2], CELLS[3], CELLS[5])]
    nbformat.write(mixed, notebook / "files" / "mixed.ipynb")
    with browser() as chromium, served(notebook, "plain") as base:
        page = chromium.new_page(viewport={"width": 1440, "height": 1000})
        run_all(page, f"{base}/mixed.ipynb?token=t")
        *_, timechart, columns = page.evaluate(WIDTHS)
        for place, drawn in (timechart, columns):
            assert 0.5 * place < drawn <= place
