"""The cell in JupyterLab, in a real browser without a network: what it draws, in both themes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab_server import PANEL, browser, loads, open_notebook, playwright_error, served, write_notebook

from workbench.repository.tables import Repository

pytestmark = [pytest.mark.slow, pytest.mark.browser]

STARTED = f"{PANEL}.content.widgets.some(w => w.model.executionCount !== null || w.model.executionState === 'running')"
ERROR = "[data-mime-type='application/vnd.jupyter.stderr']"
WIDTHS = "[...document.querySelectorAll('.jp-RenderedVegaCommon5')].map(e => [e.clientWidth, e.querySelector('svg').clientWidth])"
# Whether a cell's text and a label of a chart stand out: dark on light, light on dark.
BRIGHTNESS = """([cell, label]) => [[cell, 'color'], [label, 'fill']].map(([where, how]) => {
    const [r, g, b] = getComputedStyle(document.querySelector(where))[how].match(/[\\d.]+/g).map(Number);
    return (0.2126 * r + 0.7152 * g + 0.0722 * b) / 255;
})"""
SEEN_IN = {
    "Light": f"places => ({BRIGHTNESS})(places).every(bright => bright < 0.45)",
    "Dark": f"places => ({BRIGHTNESS})(places).every(bright => bright > 0.55)",
}
OTHER = (
    "from IPython.display import display\n"
    "spec = {'data': {'values': [{'a': 1}]}, 'mark': 'bar', 'encoding': {'x': {'field': 'a', 'type': 'quantitative'}}}\n"
    "display({'application/vnd.vegalite.v5+json': spec, 'text/plain': ''}, raw=True)"
)
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
    minutes = (i for i in range(300) if not 100 < i < 140)
    Repository.open(str(folder / "workspace"), create=True).append("Perf", loads(minutes))
    write_notebook(folder / "files" / "asked.ipynb", CELLS)
    mixed = (CELLS[0], OTHER, CELLS[2], CELLS[3], CELLS[5])
    write_notebook(folder / "files" / "mixed.ipynb", mixed)
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


@pytest.fixture(scope="module")
def base(notebook: Path) -> Iterator[str]:
    with served(notebook, "light") as address:
        yield address


def test_tables_charts_and_errors_are_seen_in_both_themes(notebook: Path, base: str) -> None:
    with browser() as chromium:
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

        chart = page.locator(".vega-embed svg").first
        box = chart.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
        page.wait_for_selector("#vg-tooltip-element.visible", timeout=30_000)
        told = page.locator("#vg-tooltip-element").inner_text()
        assert all(host in told for host in ("web0", "web1", "web2"))

        for theme in ("Light", "Dark"):
            page.evaluate(
                f"void jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}})"
            )
            page.wait_for_selector(
                f"body[data-jp-theme-name='JupyterLab {theme}']", state="attached", timeout=60_000
            )
            page.wait_for_function(
                SEEN_IN[theme], arg=[".wb-result td", ".vega-embed svg text"], timeout=60_000
            )
            page.screenshot(path=str(notebook / f"{theme.lower()}.png"), full_page=True)
        outside = [u for u in asked if not u.startswith(("http://127.0.0.1", "data:", "blob:"))]
        assert outside == []


def test_a_chart_does_not_hang_the_page_beside_one_with_the_style_of_vega_embed(base: str) -> None:
    """JupyterLab redraws for ever where a chart has no width and brings no PNG (seen in 4.6.6)."""
    with browser() as chromium:
        page = chromium.new_page(viewport={"width": 1440, "height": 1000})
        run_all(page, f"{base}/mixed.ipynb?token=t&reset")
        *_, timechart, columns = page.evaluate(WIDTHS)
        for place, drawn in (timechart, columns):
            assert 0.5 * place < drawn <= place
