"""A dashboard in JupyterLab and in Notebook 7: tiles seen in both themes, a click that becomes a cell and runs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from lab_server import PANEL, browser, open_notebook, served

pytestmark = [pytest.mark.slow, pytest.mark.browser]

ROOT = Path(__file__).parents[3]
CELLS = f"{PANEL}.content.widgets"
LAST = f"{CELLS}.at(-1).model"


@pytest.fixture(scope="module")
def folder(fleet_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("dashboards")
    (made / "workspace").symlink_to(fleet_path)
    (made / "files").mkdir()
    for ending in ("ipynb", "yaml"):
        shutil.copy(ROOT / f"notebooks/12_fleet.{ending}", made / "files")
    return made


@pytest.mark.parametrize(("application", "theme"), [("jupyterlab", "light"), ("notebook", "dark")])
def test_a_tile_drills_down_and_runs(folder: Path, application: str, theme: str) -> None:
    with browser() as chromium, served(folder, theme, application) as url:
        page = chromium.new_page(viewport={"width": 1440, "height": 1200})
        open_notebook(page, f"{url}/12_fleet.ipynb?token=t")
        if application == "jupyterlab":
            page.evaluate("void jupyterapp.commands.execute('application:toggle-left-area')")
        page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
        figure = page.locator(".wb-tile[aria-label='Machines'] .wb-figure")
        figure.wait_for(timeout=180_000)
        page.wait_for_function(
            "document.querySelectorAll('.wb-tile:not([aria-busy])').length === 6", timeout=180_000
        )
        assert figure.inner_text() == "10"
        page.screenshot(path=str(folder / f"lab-{theme}.png"), full_page=True)

        page.locator(".wb-tile[aria-label='Last heard of'] [data-drill]", has_text="db02").click()
        page.wait_for_function(f"{CELLS}.length === 4", timeout=30_000)
        source = page.evaluate(f"{LAST}.sharedModel.source")
        assert source.startswith("%%logsearch --timespan 20")
        assert 'let selected = "db02";' in source
        page.wait_for_function(
            f"{LAST}.executionCount !== null && {LAST}.outputs.length > 1", timeout=180_000
        )
        kinds = page.evaluate(
            f"Array.from({{length: {LAST}.outputs.length}}, (_, i) => {LAST}.outputs.get(i).type)"
        )
        assert "error" not in kinds
        page.locator(".jp-OutputArea .vega-embed svg").wait_for(timeout=60_000)
        page.screenshot(path=str(folder / f"drill-{theme}.png"), full_page=True)
