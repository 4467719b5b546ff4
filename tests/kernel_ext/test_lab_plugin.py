"""The JupyterLab plugin in a real browser: what a person sees and can do while a query is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab_server import KERNEL, PANEL, browser, loads, open_notebook, served, write_notebook

from workbench import workspace
from workbench.collect.query_history import History
from workbench.collect.searches import Search
from workbench.repository.tables import Repository

pytestmark = [pytest.mark.slow, pytest.mark.browser]

LOAD, COLOURS, EXTEND, WRONG, SQL, FORMAT, PYTHON = range(7)
CELLS = [
    "%load_ext workbench",
    "%%logsearch --limit 5\n// Load by machine\nBeats\n| where Load > 1.5 and Computer has_any ('web') and TimeGenerated > ago(7d)\n| summarize avg(Load) by Computer",
    "%%logsearch\nBeats\n| extend Half = Load / 2\n| where ",
    "%%logsearch --limit 3\nBeats | where Computr == '😀' and Lod > 1",
    "%%logsearch --sql\nSELECT Computer FROM Beats WHERE Load > 1",
    "%%logsearch --limit 5\nBeats|where Load>1|summarize count() by Computer",
    "limit = 1.5\nprint('a')",
]
CELL = f"{PANEL}.content.widgets"
OFFERED = ".jp-Completer:not(.lm-mod-hidden) .jp-Completer-item"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workspace and a notebook over it."""
    made = tmp_path_factory.mktemp("plugin")
    Repository.open(str(made / "workspace"), create=True).append("Beats", loads(range(100)))
    known = workspace.open(str(made / "workspace"))
    known.searches.save(Search("Load by machine", "Beats | summarize avg(Load) by Computer", timespan="P1D"))
    known.query(".create function Busy(least: real) { Beats | where Load > least }")
    write_notebook(made / "files" / "asked.ipynb", CELLS)
    return made


@pytest.fixture(scope="module", params=["jupyterlab", "notebook"])
def page(folder: Path, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The notebook in front, the extension loaded."""
    with browser() as chromium, served(folder, "light", request.param) as base:
        made = chromium.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        open_notebook(made, f"{base}/asked.ipynb?token=t")
        run(made, LOAD)
        made.wait_for_selector(".wb-Finding", timeout=60_000)
        yield made


def run(page: Any, cell: int) -> None:
    """Run a cell and wait until it has run."""
    page.evaluate(f"{PANEL}.content.activeCellIndex = {cell}")
    page.wait_for_function(f"{PANEL}.content.activeCellIndex === {cell}")
    # JupyterLab drops the command without a word while it still settles, so it is given until it is taken.
    page.wait_for_function(
        f"""() => {{
            const cell = {CELL}[{cell}].model;
            if (cell.executionCount === null && cell.executionState !== 'running') {{
                void jupyterapp.commands.execute('notebook:run-cell');
            }}
            return cell.executionCount !== null;
        }}""",
        timeout=60_000,
        polling=500,
    )


def lines(page: Any, cell: int) -> Any:
    """The drawn lines of a cell."""
    return page.locator(".jp-CodeCell").nth(cell).locator(".cm-line")


def styled(page: Any, cell: int) -> dict[str, str]:
    """The colour of every stretch of a cell that has one of its own."""
    found: dict[str, str] = page.evaluate(
        """cell => Object.fromEntries([...document.querySelectorAll('.jp-CodeCell')[cell].querySelectorAll('.cm-line span')]
            .map(e => [e.textContent, getComputedStyle(e).color]))""",
        cell,
    )
    return found


def variable(page: Any, name: str) -> str:
    """A variable of the theme as a computed colour."""
    found: str = page.evaluate(
        """name => { const e = document.body.appendChild(document.createElement('i'));
            e.style.color = `var(${name})`; const c = getComputedStyle(e).color; e.remove(); return c; }""",
        name,
    )
    return found


def source(page: Any, cell: int) -> str:
    text: str = page.evaluate(f"{CELL}[{cell}].model.sharedModel.getSource()")
    return text


def write(page: Any, cell: int, text: str) -> None:
    """Put a text in a cell, the cursor at its end."""
    page.evaluate(f"text => {CELL}[{cell}].model.sharedModel.setSource(text)", text)
    page.locator(".jp-CodeCell").nth(cell).locator(".cm-content").click()
    page.keyboard.press("Control+End")


def offered(page: Any) -> list[str]:
    """What Tab offers."""
    page.keyboard.press("Tab")
    page.wait_for_selector(OFFERED, timeout=30_000)
    found: list[str] = page.locator(f"{OFFERED} .jp-Completer-match").all_inner_texts()
    page.keyboard.press("Escape")
    page.wait_for_selector(OFFERED, state="detached", timeout=10_000)
    return found


def test_kql_has_the_colours_of_the_theme(page: Any) -> None:
    colour = styled(page, COLOURS)
    keyword = variable(page, "--jp-mirror-editor-keyword-color")
    assert [colour[w] for w in ("where", "summarize", "by")] == [keyword] * 3
    assert colour["'web'"] == variable(page, "--jp-mirror-editor-string-color")
    assert colour["1.5"] == variable(page, "--jp-mirror-editor-number-color")
    assert colour["avg"] == colour["ago"] == variable(page, "--jp-mirror-editor-builtin-color")
    assert colour["has_any"] == colour["|"] == variable(page, "--jp-mirror-editor-operator-color")
    assert colour["// Load by machine"] == variable(page, "--jp-mirror-editor-comment-color")
    assert colour["%%logsearch --limit 5"] == variable(page, "--jp-ui-font-color2")


def test_a_file_of_kql_has_them_too(page: Any, folder: Path) -> None:
    (folder / "files" / "loads.kql").write_text("Beats | where Load > 1")
    keyword = variable(page, "--jp-mirror-editor-keyword-color")
    file = page.context.new_page()
    file.goto(page.url.replace("asked.ipynb", "loads.kql").replace("/notebooks/", "/edit/"))
    file.wait_for_function(
        """colour => [...document.querySelectorAll('.jp-FileEditor .cm-line span')]
            .some(e => e.textContent === 'where' && getComputedStyle(e).color === colour)""",
        arg=keyword,
        timeout=60_000,
    )
    file.close()


def test_sql_has_them_too_and_python_keeps_its_own(page: Any) -> None:
    colour = styled(page, SQL)
    keyword = variable(page, "--jp-mirror-editor-keyword-color")
    assert [colour[w] for w in ("SELECT", "FROM", "WHERE")] == [keyword] * 3
    assert colour["%%logsearch --sql"] == variable(page, "--jp-ui-font-color2")
    assert page.evaluate(f"{CELL}[{PYTHON}].model.mimeType") == "text/x-ipython"


def test_a_cell_changes_its_language_with_its_first_line(page: Any) -> None:
    write(page, PYTHON, "%%logsearch\nBeats | where Load > 1")
    page.wait_for_function(f"{CELL}[{PYTHON}].model.mimeType === 'text/x-logsearch'")
    page.wait_for_selector(f".jp-CodeCell >> nth={PYTHON} >> .wb-LogSearch")
    write(page, PYTHON, CELLS[PYTHON])
    page.wait_for_function(f"{CELL}[{PYTHON}].model.mimeType === 'text/x-ipython'")
    page.wait_for_selector(f".jp-CodeCell >> nth={PYTHON} >> .wb-LogSearch", state="detached")


def test_completion_offers_a_column_that_extend_made(page: Any) -> None:
    write(page, EXTEND, CELLS[EXTEND])
    found = offered(page)
    assert found[:4] == ["TimeGenerated", "Computer", "Load", "Half"]
    assert "limit" not in found


def test_completion_knows_the_variables_of_the_notebook(page: Any) -> None:
    run(page, PYTHON)
    write(page, EXTEND, "%%logsearch\nBeats | where Load > ")
    assert "limit" in offered(page)


def test_completion_of_options(page: Any) -> None:
    write(page, EXTEND, "%%logsearch --ti\nBeats")
    page.keyboard.press("Control+Home")
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    page.wait_for_selector(OFFERED, timeout=30_000)
    page.keyboard.press("Enter")
    page.wait_for_function(
        f"{CELL}[{EXTEND}].model.sharedModel.getSource().startsWith('%%logsearch --timespan ')"
    )


def test_the_call_that_is_written_is_explained(page: Any) -> None:
    write(page, EXTEND, "%%logsearch\nBeats | where ")
    page.keyboard.type("substring(Computer, ")
    page.wait_for_selector(".wb-Tip >> text=/^substring/", timeout=30_000)
    assert page.locator(".wb-Tip-active").inner_text() == "start: long"
    page.keyboard.press("Escape")
    page.wait_for_selector(".wb-Tip", state="detached")


def test_what_is_wrong_is_underlined_at_its_columns(page: Any) -> None:
    write(page, WRONG, CELLS[WRONG])
    page.wait_for_function(
        "document.querySelectorAll('.jp-CodeCell')[3].querySelectorAll('.wb-Finding').length >= 1"
    )
    found = page.locator(".jp-CodeCell").nth(WRONG).locator(".wb-Finding")
    assert found.first.inner_text() == "Computr"
    found.first.hover()
    page.wait_for_selector(".cm-diagnostic", timeout=30_000)
    told = page.locator(".cm-diagnostic").inner_text()
    assert "KQL101 no column named 'Computr'" in told
    assert "did you mean 'Computer'?" in told
    write(page, WRONG, "%%logsearch --limt 3\nBeats")
    page.wait_for_selector(".wb-Finding >> text='--limt'", timeout=30_000)
    write(page, WRONG, "%%logsearch --limit 3\nBeats | where Computer == '😀' and Lod > 1")
    page.wait_for_selector(".wb-Finding >> text='Lod'", timeout=30_000)
    write(page, WRONG, "%%logsearch\nBeats | take 1")
    page.wait_for_selector(f".jp-CodeCell >> nth={WRONG} >> .wb-Finding", state="detached", timeout=30_000)


def test_sql_is_completed_and_underlined_too(page: Any) -> None:
    write(page, SQL, "%%logsearch --sql\nSELECT Lod FROM Beats")
    page.wait_for_selector(f".jp-CodeCell >> nth={SQL} >> .wb-Finding >> text='Lod'", timeout=60_000)
    write(page, SQL, f"{CELLS[SQL]} AND C")
    assert offered(page)[0] == "Computer"
    page.wait_for_selector(f".jp-CodeCell >> nth={SQL} >> .wb-Finding >> text='C'", timeout=60_000)
    write(page, SQL, CELLS[SQL])


def test_hover_tells_what_a_word_means(page: Any) -> None:
    word = lines(page, COLOURS).nth(4).locator("span", has_text=re.compile("^avg$"))
    word.hover()
    page.wait_for_selector(".cm-tooltip-hover .wb-Tip", timeout=30_000)
    assert page.locator(".cm-tooltip-hover .wb-Tip-code").first.inner_text().startswith("avg(")
    page.mouse.move(5, 5)
    page.wait_for_selector(".cm-tooltip-hover", state="detached", timeout=10_000)


def test_the_query_is_formatted_by_a_key(page: Any) -> None:
    write(page, FORMAT, CELLS[FORMAT])
    page.keyboard.press("Alt+Shift+F")
    page.wait_for_function(
        f"{CELL}[{FORMAT}].model.sharedModel.getSource() !== {CELLS[FORMAT]!r}", timeout=30_000
    )
    made = "%%logsearch --limit 5\nBeats\n| where Load > 1\n| summarize count() by Computer"
    assert source(page, FORMAT) == made
    page.keyboard.press("Control+Z")
    page.wait_for_function(f"{CELL}[{FORMAT}].model.sharedModel.getSource() === {CELLS[FORMAT]!r}")


def test_the_language_answers_while_a_cell_runs(page: Any) -> None:
    """And JupyterLab still shows that the kernel is busy."""
    page.evaluate(
        f"void {KERNEL}.requestExecute({{code: 'import threading; gate = threading.Event(); gate.wait(60)'}})"
    )
    page.wait_for_function(f"{KERNEL}.status === 'busy'")
    write(page, EXTEND, CELLS[EXTEND])
    assert offered(page)[3] == "Half"
    page.wait_for_function(f"{KERNEL}.status === 'busy'")
    page.evaluate(f"void {KERNEL}.interrupt()")
    page.wait_for_function(f"{KERNEL}.status === 'idle'")


def test_a_cell_runs_with_another_time_range(page: Any) -> None:
    write(page, FORMAT, "%%logsearch --limit 5\nBeats | count")
    page.evaluate("void jupyterapp.commands.execute('workbench:run-with-time', {span: 'P1D'})")
    page.wait_for_function(f"{CELL}[{FORMAT}].model.executionCount !== null", timeout=60_000)
    assert source(page, FORMAT) == "%%logsearch --timespan P1D --limit 5\nBeats | count"


def test_a_value_of_a_grid_is_put_into_the_cell(page: Any) -> None:
    write(page, FORMAT, "%%logsearch\nBeats | where Load > 1")
    page.evaluate(f"{CELL}[{FORMAT}].model.clearExecution()")
    run(page, FORMAT)
    value = (
        page.locator(".jp-CodeCell").nth(FORMAT).locator(".wb-grid .wb-cell[data-line='0'][data-column='1']")
    )
    value.click(button="right", timeout=60_000)
    name = value.inner_text()
    page.get_by_role("menuitem", name="Exclude").click()
    made = f'%%logsearch\nBeats | where Load > 1 | where Computer != "{name}"'
    page.wait_for_function(
        f"made => {CELL}[{FORMAT}].model.sharedModel.getSource() === made", arg=made, timeout=60_000
    )


# ---- the side panel ---------------------------------------------------------------------------

ROW = ".wb-Tree-row"


def panel(page: Any) -> list[str]:
    """Show the panel with the cursor in its filter; its lines."""
    page.evaluate("void jupyterapp.commands.execute('workbench:show-panel')")
    page.wait_for_selector(f"{ROW} >> text=Beats", timeout=30_000)
    page.wait_for_function("document.activeElement.matches('.wb-Panel-filter')")
    return shown(page)


def shown(page: Any) -> list[str]:
    return [text.replace("\n", " ") for text in page.locator(ROW).all_inner_texts()]


def test_the_panel_shows_what_is_there(page: Any) -> None:
    panel(page)
    page.wait_for_selector(f"{ROW} >> text='300'", timeout=30_000)
    found = shown(page)
    assert found[0].startswith("Tables ")  # LAQueryLogs is another, once a query is some seconds old
    assert found[1] == "Beats 300"
    assert "Saved searches 1" in found
    assert "Functions 1" in found
    assert (
        page.locator(ROW)
        .nth(1)
        .get_attribute("title")
        .startswith("300 records\nNewest 2026-11-23 01:39:00 UTC")
    )
    roles = page.locator("[role=tree] > *").evaluate_all(
        "rows => rows.map(r => [r.role, r.ariaLevel, r.ariaExpanded])"
    )
    assert roles[:2] == [["treeitem", "1", "true"], ["treeitem", "2", "false"]]


def test_the_panel_is_walked_with_keys_and_previews_a_table(page: Any) -> None:
    panel(page)
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    page.wait_for_selector(f"{ROW} >> text='Load'")
    assert "Load real" in shown(page)
    cells = page.evaluate(f"{CELL}.length")
    page.keyboard.press("Enter")
    page.wait_for_function(f"{CELL}.length === {cells + 1}")
    made = f"{PANEL}.content.activeCell.model"
    assert page.evaluate(f"{made}.sharedModel.getSource()") == "%%logsearch\nBeats\n| top 20 by TimeGenerated"
    page.wait_for_function(f"{made}.executionCount !== null", timeout=60_000)
    assert page.locator(".jp-mod-active .wb-result tbody tr").count() == 20
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(f"{ROW} >> text='Load'", state="detached")
    page.evaluate("void jupyterapp.commands.execute('notebook:delete-cell')")
    page.wait_for_function(f"{CELL}.length === {cells}")


def test_the_panel_is_filtered(page: Any) -> None:
    panel(page)
    page.keyboard.type("loa")
    page.wait_for_selector(f"{ROW} >> text='Load'")
    found = shown(page)
    assert "Load real" in found
    assert not any(row.startswith("Computer") for row in found)
    assert "Load by machine" in found
    page.keyboard.type("zzz")
    page.wait_for_selector(".wb-Panel-note >> text=Nothing here is called")
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('.wb-Panel-filter').value === ''")


def test_a_saved_search_becomes_a_cell(page: Any) -> None:
    panel(page)
    cells = page.evaluate(f"{CELL}.length")
    page.locator(ROW, has_text="Load by machine").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"{CELL}.length === {cells + 1}")
    made = page.evaluate(f"{PANEL}.content.activeCell.model.sharedModel.getSource()")
    assert made == "%%logsearch --timespan P1D\nBeats | summarize avg(Load) by Computer"
    page.evaluate("void jupyterapp.commands.execute('notebook:delete-cell')")
    page.wait_for_function(f"{CELL}.length === {cells}")


def test_what_was_asked_is_in_the_history_wherever_it_was(page: Any, folder: Path) -> None:
    elsewhere = History(Repository.open(str(folder / "workspace")), "workbench-cli", after=None)
    with elsewhere.noting("Beats | take 3", "P1D"):
        pass
    write(page, FORMAT, "%%logsearch --limit 5\nBeats | count")
    page.evaluate("void jupyterapp.commands.execute('workbench:run-with-time', {span: ''})")
    panel(page)
    page.locator(ROW, has_text="History").first.click()
    page.wait_for_selector(f"{ROW} >> text=/^Beats \\| count/", timeout=60_000)
    other = page.locator(ROW, has_text="Beats | take 3").first
    other.wait_for(timeout=60_000)
    assert other.get_attribute("title").endswith("workbench-cli")
    cells = page.evaluate(f"{CELL}.length")
    other.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"{CELL}.length === {cells + 1}")
    made = page.evaluate(f"{PANEL}.content.activeCell.model.sharedModel.getSource()")
    assert made == "%%logsearch --timespan P1D\nBeats | take 3"
    page.evaluate("void jupyterapp.commands.execute('notebook:delete-cell')")
    page.wait_for_function(f"{CELL}.length === {cells}")


def test_the_panel_loads_the_extension_after_a_restart(page: Any) -> None:
    panel(page)
    page.evaluate(f"void {KERNEL}.restart()")
    page.wait_for_selector(".wb-Panel-note >> text=has not loaded Workbench", timeout=60_000)
    page.locator(".wb-Panel-note button").click()
    page.wait_for_selector(f"{ROW} >> text=Beats", timeout=60_000)
    write(page, WRONG, "%%logsearch\nBeats | where Lod > 1")
    page.wait_for_selector(".wb-Finding >> text='Lod'", timeout=30_000)
