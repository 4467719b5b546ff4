"""The result grid in a real JupyterLab: a million rows, moved through, arranged, put back into the query."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from lab_server import KERNEL, PANEL, browser, open_notebook, served
from many_events import SLOW_FILES, fill

pytestmark = [pytest.mark.slow, pytest.mark.browser]

ROWS = 1_000_000
LOAD, MILLION, FEW, LONG, FIELDS, BOUND, DRAWN = range(7)
CELLS = [
    "%load_ext workbench",
    "%%logsearch\nEvents",
    "%%logsearch\nEvents\n| where Number < 400 // a few\n| summarize Events = count() by Computer, Level, bin(TimeGenerated, 1m)\n| take 100",
    "%%logsearch\nSlow | where tostring(hash_sha256(Text)) startswith '00'",
    "from IPython.display import display\nfrom workbench.kernel_ext import parameters\n"
    "display(parameters.choice('host', query='Events | distinct Computer | sort by Computer asc', label='Machine'),\n"
    "        parameters.time_range('when', '', label='Time'))",
    "%%logsearch --timespan when\nEvents | where TimeGenerated > datetime(2025-01-01) and Computer == host | take 5",
    "%%logsearch\nEvents\n| summarize n = count() by Computer\n| render columnchart",
]
CELL = f"{PANEL}.content.widgets"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a million events, and a notebook over it."""
    made = tmp_path_factory.mktemp("grid")
    fill(made, ROWS, CELLS)
    return made


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[Any]:
    """The notebook in front with the extension loaded, and the million rows shown."""
    with browser() as chromium, served(folder, "light") as base:
        context = chromium.new_context(
            viewport={"width": 1440, "height": 1000}, permissions=["clipboard-read", "clipboard-write"]
        )
        made = context.new_page()
        made.set_default_timeout(10_000)
        open_notebook(made, f"{base}/asked.ipynb?token=t")
        run(made, LOAD)
        run(made, MILLION)
        grid_of(made, MILLION).locator(".wb-cell").first.wait_for()
        yield made


def run(page: Any, cell: int) -> None:
    """Run a cell to its end."""
    start(page, cell)
    page.wait_for_function(f"{CELL}[{cell}].model.executionState === 'idle'", timeout=60_000)


def start(page: Any, cell: int) -> None:
    """Have a cell begin to run: JupyterLab drops the command without a word while it still settles."""
    page.evaluate(f"window.ran = {CELL}[{cell}].model.executionCount")
    page.evaluate(f"{PANEL}.content.activeCellIndex = {cell}")
    page.wait_for_function(
        f"""() => {{
            const {{ executionCount, executionState }} = {CELL}[{cell}].model;
            if (executionState === 'running' || executionCount !== window.ran) return true;
            jupyterapp.commands.execute('notebook:run-cell');
            return false;
        }}""",
        polling=500,
        timeout=60_000,
    )


def output_of(page: Any, cell: int) -> Any:
    return page.locator(".jp-Notebook .jp-Cell").nth(cell).locator(".jp-OutputArea")


def grid_of(page: Any, cell: int) -> Any:
    return output_of(page, cell).locator(".wb-grid").first


def source_of(page: Any, cell: int) -> str:
    return str(page.evaluate(f"{CELL}[{cell}].model.sharedModel.getSource()"))


def wait_for_text(page: Any, cell: int, text: str) -> None:
    grid_of(page, cell).locator(".wb-lines").get_by_text(text, exact=True).first.wait_for(timeout=10_000)


def top(page: Any) -> None:
    """Back to the first line of the million, arranged as the query has them."""
    page.evaluate("document.activeElement?.blur()")
    grid = grid_of(page, MILLION)
    for chip in grid.locator(".wb-chip").all():
        chip.click()
    grid.locator(".wb-chip").first.wait_for(state="detached")
    grid.locator(".wb-view").focus()
    page.keyboard.press("Control+Home")
    grid.locator("[data-line='0']").first.wait_for()


def test_the_grid_says_how_much_there_is_and_shows_ranges_of_it(page: Any) -> None:
    grid = grid_of(page, MILLION)
    assert "of 1,000,000" in grid.locator(".wb-facts-line").inner_text()
    view = grid.locator("[role=grid]")
    assert view.get_attribute("aria-rowcount") == "1000001"
    assert grid.locator(".wb-line").count() < 60
    level = grid.locator(".wb-cell[data-line='2']").nth(2)
    assert level.inner_text() == "Error"
    assert level.locator(".wb-critical").count() == 1


def test_row_900000_of_a_million_by_the_bar_and_the_last_one_by_the_keyboard(page: Any) -> None:
    top(page)
    view = grid_of(page, MILLION).locator(".wb-view")
    view.evaluate("v => { v.scrollTop = (v.scrollHeight - v.clientHeight) * 0.9 }")
    wait_for_text(page, MILLION, "900,000")
    # From there line by line: the list moves with the wheel as a short one would.
    view.hover()
    page.mouse.wheel(0, 29)
    wait_for_text(page, MILLION, "900,004")
    page.keyboard.press("Control+End")
    wait_for_text(page, MILLION, "999,999")
    assert "–1,000,000 of 1,000,000" in grid_of(page, MILLION).locator(".wb-facts-line").inner_text()
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowUp")
    active = view.get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").get_attribute("aria-selected") == "true"


def test_a_million_rows_are_sorted_within_a_second(page: Any) -> None:
    top(page)
    grid = grid_of(page, MILLION)
    took = []
    for _ in range(3):
        began = time.perf_counter()
        grid.locator(".wb-th[data-column='3']").click()
        grid.locator(".wb-th[data-column='3'][aria-sort=ascending]").wait_for()
        took.append(time.perf_counter() - began)
        grid.locator(".wb-th[data-column='3']").click()
        wait_for_text(page, MILLION, "999,999")
        assert grid.locator("[data-line='0'][data-column='3']").inner_text() == "999,999"
        grid.locator(".wb-th[data-column='3']").click()
        grid.locator(".wb-th[data-column='3'][aria-sort=none]").wait_for()
    assert min(took) < 1.0, took


def test_search_group_and_condition_are_made_by_the_engine(page: Any) -> None:
    top(page)
    grid = grid_of(page, MILLION)
    grid.get_by_role("searchbox").fill("connection 7919 from")
    grid.get_by_text("1, 1,000,000 in all").wait_for()
    grid.get_by_role("searchbox").fill("")
    grid.locator(".wb-facts-line").get_by_text("of 1,000,000 ·").wait_for()

    grid.locator(".wb-th[data-column='1'] .wb-more").click()
    panel = page.get_by_role("dialog", name="Computer")
    panel.locator(".wb-top").first.wait_for()
    assert panel.locator(".wb-facts").inner_text().split()[:2] == ["Rows", "1,000,000"]
    assert "142,858" in panel.locator(".wb-top").first.inner_text()
    panel.get_by_role("button", name="Group by this").click()
    grid.locator(".wb-group").nth(6).wait_for()
    assert "142,858 rows" in grid.locator(".wb-group").first.inner_text()
    grid.locator(".wb-group").nth(1).click()
    grid.locator(".wb-line:not(.wb-group)").first.wait_for()
    assert grid.locator(".wb-group").nth(1).get_attribute("aria-expanded") == "true"
    grid.get_by_role("button", name="Do not group by Computer").click()

    grid.locator(".wb-th[data-column='3'] .wb-more").click()
    panel = page.get_by_role("dialog", name="Number")
    panel.locator(".wb-bins").wait_for()
    panel.get_by_role("combobox").select_option(">=")
    panel.get_by_role("textbox").fill("nine")
    panel.get_by_role("button", name="Apply").click()
    panel.get_by_text("LAB301: 'nine' is no long").wait_for()
    panel.get_by_role("textbox").fill("999,990")
    panel.get_by_role("button", name="Apply").click()
    grid.get_by_text("rows 1–10 of 10, 1,000,000 in all").wait_for()


def test_a_row_opens_with_a_tree_whose_leaf_becomes_a_filter_of_the_cell(page: Any) -> None:
    before = source_of(page, MILLION)
    top(page)
    grid = grid_of(page, MILLION)
    page.keyboard.press("Enter")
    leaf = grid.locator(".wb-details [role=treeitem]", has_text="name: user0").last
    leaf.wait_for()
    leaf.hover()
    leaf.get_by_role("button", name="Add user.name as filter").click()
    grid.locator(".wb-note code").wait_for()
    assert source_of(page, MILLION) == '%%logsearch\nEvents | where tostring(Props.user.name) == "user0"'
    leaf.get_by_role("button", name="Add user.name as column").click()
    grid.get_by_text("| extend Props_user_name = tostring(Props.user.name)").wait_for()
    assert source_of(page, MILLION).endswith(
        '== "user0" | extend Props_user_name = tostring(Props.user.name)'
    )
    grid.locator(".wb-details button").first.focus()
    page.keyboard.press("Escape")
    grid.locator(".wb-details").wait_for(state="detached")
    page.evaluate(f"{CELL}[{MILLION}].model.sharedModel.setSource({json.dumps(before)})")


def test_a_value_becomes_a_filter_before_summarize_and_take_and_the_cell_runs(page: Any) -> None:
    run(page, FEW)
    grid = grid_of(page, FEW)
    cell = grid.locator(".wb-cell[data-line='0'][data-column='0']")
    value = cell.inner_text()
    cell.click(button="right")
    page.get_by_role("menuitem", name="Exclude").click()
    grid.locator(".wb-note code").wait_for()
    wanted = CELLS[FEW].replace("| summarize", f'| where Computer != "{value}"\n| summarize')
    assert source_of(page, FEW) == wanted
    run(page, FEW)
    grid.get_by_text("rows 1–", exact=False).first.wait_for()
    shown = grid.locator(".wb-cell[data-column='0']").all_inner_texts()
    assert shown
    assert value not in shown


def test_a_grid_stays_whole_while_the_theme_changes(page: Any) -> None:
    top(page)
    last = grid_of(page, MILLION).locator(".wb-cell[data-line='0'][data-column='4']")
    last.wait_for()
    for theme in ("Dark", "Light"):
        page.evaluate(
            f"void jupyterapp.commands.execute('apputils:change-theme', {{theme: 'JupyterLab {theme}'}})"
        )
        page.wait_for_selector(
            f"body[data-jp-theme-name='JupyterLab {theme}']", state="attached", timeout=60_000
        )
        last.wait_for(timeout=60_000)


def test_copy_gives_whole_values_of_what_is_chosen(page: Any) -> None:
    top(page)
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Shift+ArrowDown", "Shift+ArrowRight", "Control+c"):
        page.keyboard.press(key)
    grid_of(page, MILLION).locator(".wb-note").get_by_text("copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "0\t0.0\n1\t7.9190000000000005"


def test_the_rows_around_one_come_from_its_table_and_host(page: Any) -> None:
    top(page)
    grid = grid_of(page, MILLION)
    for _ in range(20):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+F10")
    page.get_by_role("menuitem", name="Rows around this one").click()
    around = grid.get_by_role("region", name="Rows around the chosen one")
    around.locator(".wb-cell").first.wait_for()
    # Row 20 is of web6, which has every seventh row: two before it, ten behind it.
    assert "of 13" in around.locator(".wb-facts-line").inner_text()
    assert set(around.locator(".wb-cell[data-column='1']").all_inner_texts()) == {"web6"}
    assert around.locator(".wb-active").inner_text().endswith(".020")
    around.get_by_role("button", name="Close").click()
    around.wait_for(state="detached")


def test_exports_have_the_rows_of_the_view(page: Any, folder: Path) -> None:
    run(page, FEW)
    grid = grid_of(page, FEW)
    files = {}
    for form, name in (("parquet", "Parquet"), ("csv", "CSV"), ("xlsx", "Excel")):
        grid.get_by_role("button", name="Export").click()
        page.get_by_role("menuitem", name=name).click()
        link = grid.locator(f".wb-note a[download$='.{form}']")
        link.wait_for()
        answer = page.request.get(page.evaluate("a => a.href", link.element_handle()) + "?token=t")
        assert answer.ok
        files[form] = folder / "files" / str(link.get_attribute("download"))
        assert answer.body() == files[form].read_bytes()
    rows = pl.read_parquet(files["parquet"])
    assert str(rows.height) in grid.locator(".wb-facts-line").inner_text()
    assert rows["Events"].to_list() == pl.read_csv(files["csv"])["Events"].to_list()
    sheet = openpyxl.load_workbook(files["xlsx"], read_only=True).active
    assert [r[0] for r in sheet.iter_rows(min_row=2, values_only=True)] == rows["Computer"].to_list()


def test_another_time_is_put_into_the_cell_and_its_rows_in_the_place_of_the_grid(page: Any) -> None:
    run(page, FEW)
    grid = grid_of(page, FEW)
    before = source_of(page, FEW)
    grid.get_by_role("button", name="Time range: All time").click()
    page.get_by_role("button", name="Last hour").click()
    grid.get_by_role("button", name="Time range: Last hour").wait_for()
    assert "no rows" in grid.locator(".wb-facts-line").inner_text()
    page.wait_for_function(
        f"{CELL}[{FEW}].model.sharedModel.getSource().startsWith('%%logsearch --timespan PT1H')"
    )
    assert source_of(page, FEW) == before.replace("%%logsearch", "%%logsearch --timespan PT1H")


def test_a_query_is_run_again_and_again_until_that_is_turned_off(page: Any) -> None:
    run(page, FEW)
    grid = grid_of(page, FEW)
    grid.locator(".wb-facts-line").wait_for()

    def choose(seconds: int) -> None:
        grid.get_by_role("button", name="Time range").click()
        # The page offers 10 s at least, for which no test should wait.
        page.get_by_label("Run again every").evaluate(
            "(e, n) => { e.add(new Option(`${n} s`, n)); e.value = n; e.dispatchEvent(new Event('change')) }",
            seconds,
        )

    choose(1)
    for _ in range(2):
        page.evaluate("e => { e.seen = true }", grid.element_handle())
        page.wait_for_function(
            f"""() => {{
                const grid = document.querySelectorAll('.jp-Notebook .jp-Cell')[{FEW}].querySelector('.wb-grid');
                return grid && !grid.seen;
            }}""",
            timeout=60_000,
        )
    choose(0)
    grid.get_by_role("button", name="Time range").click()
    assert page.get_by_label("Run again every").input_value() == "0"
    page.keyboard.press("Escape")


def test_what_a_field_says_is_bound_as_a_value_and_a_query_may_set_the_time(page: Any) -> None:
    run(page, FIELDS)
    machine = output_of(page, FIELDS).get_by_label("Machine")
    machine.wait_for()
    assert machine.locator("option").all_inner_texts() == [f"web{n}" for n in range(7)]
    machine.select_option(label="web3")
    run(page, BOUND)
    grid = grid_of(page, BOUND)
    grid.locator(".wb-cell").first.wait_for()
    assert set(grid.locator(".wb-cell[data-column='1']").all_inner_texts()) == {"web3"}
    assert "bound: host (string)" in grid.locator(".wb-facts-line").inner_text()
    grid.get_by_role("button", name="Time range: Set in query").click()
    page.get_by_text("The query says by itself of which time its records are.").wait_for()
    page.keyboard.press("Escape")


def test_the_rows_of_a_chart_are_a_grid_below_it(page: Any) -> None:
    run(page, DRAWN)
    below = output_of(page, DRAWN).locator("details.wb-drawn")
    below.locator("summary").first.click()
    grid = below.locator(".wb-grid")
    cell = grid.locator(".wb-cell[data-line='6'][data-column='0']")
    cell.wait_for(timeout=60_000)
    assert "of 7" in grid.locator(".wb-facts-line").inner_text()
    assert grid.get_by_role("button", name="Time range").count() == 0
    name = cell.inner_text()
    cell.click(button="right")
    page.get_by_role("menuitem", name="Exclude").click()
    grid.locator(".wb-note code").wait_for()
    assert f'| where Computer != "{name}"\n| summarize' in source_of(page, DRAWN)


def test_an_interrupt_leaves_partial_rows_and_says_so(page: Any) -> None:
    start(page, LONG)
    said = re.compile(rf"searching · [1-9]\d* of {SLOW_FILES} files")
    output_of(page, LONG).get_by_text(said).first.wait_for(timeout=60_000)
    began = time.perf_counter()
    page.evaluate("void jupyterapp.commands.execute('notebook:interrupt-kernel')")
    page.wait_for_function(f"{CELL}[{LONG}].model.executionState === 'idle'", timeout=30_000)
    took = time.perf_counter() - began
    note = grid_of(page, LONG).locator(".wb-facts-line strong")
    note.wait_for()
    assert re.match(rf"partial: \d+ of {SLOW_FILES} files", note.inner_text())
    assert took < 2.0


def test_the_saved_notebook_is_small_and_its_grids_come_back_after_a_restart(page: Any, folder: Path) -> None:
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_function(f"!{PANEL}.context.model.dirty")
    saved = folder / "files" / "asked.ipynb"
    text = saved.read_text()
    assert len(text) < 200_000
    bundle = json.loads(text)["cells"][MILLION]["outputs"][0]["data"]
    assert set(bundle) == {"text/html", "text/plain"}
    assert "1,000,000" in "".join(bundle["text/plain"])

    kept = folder / "workspace" / "state" / "results"
    assert kept.stat().st_mode & 0o777 == 0o700
    assert all(f.stat().st_mode & 0o777 == 0o600 for f in kept.iterdir())

    page.evaluate(f"void {KERNEL}.restart()")
    # Without a kernel that knows them the tables of the notebook are there.
    output_of(page, MILLION).locator("table.wb-table tbody tr").first.wait_for()
    page.wait_for_function(f"{KERNEL}?.status === 'idle'", timeout=60_000)
    run(page, LOAD)
    grid = grid_of(page, MILLION)
    grid.locator(".wb-cell").first.wait_for()
    assert "kept since" in grid.locator(".wb-facts-line").inner_text()
    grid.locator(".wb-view").focus()
    page.keyboard.press("Control+End")
    wait_for_text(page, MILLION, "999,999")
