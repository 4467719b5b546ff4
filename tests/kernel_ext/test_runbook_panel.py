"""The automation panel in a real browser, over a real service: what a person starts, sees and stops."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from lab_server import browser, open_notebook, served
from runbook_service import Jobs, notebook, wait_for
from running_service import Running, serving

pytestmark = [pytest.mark.slow, pytest.mark.browser]

LONG = 90_000
ROW = ".wb-Automation .wb-Tree-row"
LINES = ".wb-Lines .wb-Lines-line"
DECLARED = """days: int = ...  # what is older goes
kind: str = "logs"  # what is removed {choices: logs|cache}
dry: bool = True  # only tell
skip: list = []  # names that stay"""
CLEANS = (
    "print(f'{kind} older than {days} days, dry={dry}, skip={skip}')",
    "import workbench\nworkbench.runbook.progress(40, 'of the disks.')\nworkbench.runbook.warning('var is nearly full.')",
    "import time\nwhile workbench.runbook.variable('gate') != 'open':\n    time.sleep(0.2)",
    "workbench.runbook.progress(100)\n[days, dry, skip]",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a notebook, which loads the extension."""
    made = tmp_path_factory.mktemp("panel")
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    empty = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    empty.cells = [nbformat.v4.new_code_cell("%load_ext workbench")]
    (made / "files").mkdir()
    nbformat.write(empty, made / "files" / "work.ipynb")
    return made


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Running]:
    with serving(folder) as running:
        yield running


@pytest.fixture(scope="module")
def jobs(service: Running) -> Jobs:
    """A service with runbooks and something in each of the lists."""
    made = Jobs(service)
    made.bring("clean_up", *CLEANS, parameters=DECLARED)
    made.bring("endless", "print('on it')", "import time\nwhile True:\n    time.sleep(0.1)")
    made.bring("asks", "import workbench\nworkbench.runbook.approval('Remove 3 files?')", "print('removed')")
    put = [
        ("runbooks/unready", {"notebook": notebook("1"), "draft": True}),
        ("schedules/nightly", {"runbook": "clean_up", "when": "daily 02:30", "zone": "Europe/Brussels", "parameters": {"days": 7}}),
        ("webhooks/build", {"runbook": "endless"}),
        ("assets/variable/gate", {"value": "closed"}),
        ("assets/credential/database", {"user": "ada", "password": "q7-hidden-word"}),
    ]  # fmt: skip
    for path, body in put:
        status, told = service.ask("PUT", f"/api/{path}", body)
        assert status == 200, (path, told)
    return made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as made:
        yield made


@pytest.fixture(scope="module")
def page(folder: Path, jobs: Jobs, chromium: Any) -> Iterator[Any]:
    """JupyterLab with the panel in front, the extension loaded by its button."""
    with served(folder, "light") as base:
        made = chromium.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        open_notebook(made, f"{base}/work.ipynb?token=t")
        show(made)
        yield made


def show(page: Any) -> None:
    """Bring the panel to the front, and load the extension by its button."""
    page.evaluate("void jupyterapp.commands.execute('workbench:show-automation')")
    page.locator(".wb-Automation .wb-Panel-note button", has_text="Load Workbench").click(timeout=LONG)
    page.wait_for_selector(f"{ROW} >> text=clean_up", timeout=LONG)


def lists(page: Any) -> list[str]:
    """Go back to the lists; their lines."""
    page.evaluate("void jupyterapp.commands.execute('workbench:show-automation')")
    page.wait_for_selector(ROW, timeout=LONG)
    return shown(page)


def shown(page: Any) -> list[str]:
    """The lines as they are read out; the buttons of lines come and go with the mouse."""
    found: list[str] = page.locator(ROW).evaluate_all("rows => rows.map(row => row.ariaLabel)")
    return found


def enter(page: Any, text: str | re.Pattern[str]) -> None:
    """Do what the first line with a text is for, by the keyboard."""
    row = page.locator(ROW, has_text=text).first
    row.wait_for(timeout=LONG)
    row.focus()
    page.keyboard.press("Enter")


def state(page: Any, word: str) -> None:
    page.wait_for_selector(f".wb-Job-state >> text={word}", timeout=LONG)


def newest(jobs: Jobs) -> dict[str, Any]:
    found: dict[str, Any] = jobs.service.ask("GET", "/api/jobs?most=1")[1]["jobs"][0]
    return found


def test_the_lists_show_what_there_is_and_no_values(page: Any) -> None:
    lists(page)
    for section in ("Schedules", "Webhooks", "Assets", "Workers"):
        enter(page, re.compile(f"^{section}"))
    found = shown(page)
    assert {"Runbooks, 4", "asks", "clean_up", "endless", "unready, draft"} <= set(found)
    assert {"Jobs, 0", "Nothing was started yet."} <= set(found)
    assert {"nightly, active", "build, enabled", "gate, variable", "database, credential"} <= set(found)
    enter(page, "nightly")
    assert {"Runbook: clean_up", "When: daily 02:30 (Europe/Brussels)"} <= set(shown(page))
    enter(page, "database")
    assert "Encrypted: yes" in shown(page)
    assert "q7-hidden-word" not in page.content()


def test_a_wrong_value_is_refused_in_the_form_and_nothing_starts(page: Any, jobs: Jobs) -> None:
    lists(page)
    enter(page, "clean_up")
    form = page.locator(".wb-Form")
    form.wait_for(timeout=LONG)
    assert form.locator(".wb-Form-name").all_inner_texts() == ["days", "kind", "dry", "skip"]
    assert form.locator(".wb-Form-type").first.inner_text() == "whole number, required"
    assert form.locator("#wb-parameter-kind option").all_inner_texts() == ["logs", "cache"]
    assert form.locator("#wb-parameter-dry").input_value() == "true"
    assert form.locator("#wb-parameter-days-help").inner_text() == "what is older goes"
    page.wait_for_function("document.activeElement.id === 'wb-parameter-days'")
    page.keyboard.type("a week")
    form.locator("#wb-parameter-skip").fill("[")
    page.keyboard.press("Tab")
    form.locator("button[type=submit]").click()
    page.wait_for_selector("#wb-parameter-days-mistake", timeout=LONG)
    assert (
        form.locator("#wb-parameter-days-mistake").inner_text()
        == "JOB104: parameter 'days' is a whole number, and 'a week' is none."
    )
    assert (
        form.locator("#wb-parameter-skip-mistake")
        .inner_text()
        .startswith("JOB104: parameter 'skip' is a list")
    )
    assert form.locator("[aria-invalid=true]").count() == 2
    assert jobs.service.ask("GET", "/api/jobs")[1]["jobs"] == []
    form.locator("#wb-parameter-days").fill("")
    page.keyboard.press("Enter")
    page.wait_for_selector("#wb-parameter-days-mistake >> text=JOB103", timeout=LONG)


def test_a_started_job_is_followed_to_its_executed_notebook(page: Any, jobs: Jobs) -> None:
    lists(page)
    enter(page, "clean_up")
    page.locator("#wb-parameter-days").fill("30", timeout=LONG)
    page.locator("#wb-parameter-kind").select_option("cache")
    page.locator("#wb-parameter-skip").fill('["keep"]')
    page.keyboard.press("Tab")
    page.locator(".wb-Form button[type=submit]").click()
    page.wait_for_selector(f"{LINES} >> text=var is nearly full", timeout=LONG)
    state(page, "Running")
    assert page.locator(".wb-Lines-text").all_inner_texts() == [
        "cache older than 30 days, dry=True, skip=['keep']", "40 % of the disks.", "var is nearly full.",
    ]  # fmt: skip
    assert page.locator(f"{LINES}.wb-mod-Warning .wb-Lines-kind").inner_text().endswith("Warning")
    assert page.locator(".wb-Job-bar").get_attribute("aria-valuenow") == "40"
    assert newest(jobs)["parameters"] == {"days": 30, "kind": "cache", "skip": ["keep"]}
    assert jobs.service.ask("PUT", "/api/assets/variable/gate", {"value": "open"})[0] == 200
    state(page, "Completed")
    page.wait_for_selector(f"{LINES} >> text=[30, True, ['keep']]", timeout=LONG)
    assert page.locator(".wb-Job-bar").get_attribute("aria-valuenow") == "100"
    page.get_by_role("button", name="Executed notebook").click()
    page.wait_for_selector(
        ".wb-Evidence .jp-OutputArea-output >> text=cache older than 30 days", timeout=LONG
    )
    cell = page.locator(".wb-Evidence .cm-content").first
    before = cell.inner_text()
    cell.click()
    page.keyboard.type("x")
    assert page.locator(".wb-Evidence .cm-editor.jp-mod-readOnly").count() == 6
    assert cell.inner_text() == before


def test_a_running_job_is_cancelled(page: Any, jobs: Jobs) -> None:
    number = jobs.start("endless")
    lists(page)
    enter(page, re.compile("^endless.*(Queued|Starting|Running)", re.DOTALL))
    page.wait_for_selector(f"{LINES} >> text=on it", timeout=LONG)
    page.get_by_role("button", name="Cancel job").click()
    state(page, "Stopped")
    wait_for(lambda: jobs.get(number)["state"] == "Stopped")
    assert page.get_by_role("button", name="Cancel job").count() == 0
    page.keyboard.press("Escape")
    page.wait_for_selector(f"{ROW} >> text=Stopped", timeout=LONG)
    page.wait_for_selector(f"{ROW} >> text=service (default)", timeout=LONG)


def test_the_form_says_where_how_long_and_how_often(page: Any, jobs: Jobs) -> None:
    lists(page)
    enter(page, "endless")
    form = page.locator(".wb-Form")
    form.locator("summary").click(timeout=LONG)
    assert "default" in form.locator("#wb-form-groups option").evaluate_all(
        "all => all.map(one => one.value)"
    )
    before = jobs.service.ask("GET", "/api/jobs")[1]
    form.locator("#wb-form-retries").fill("-1")
    form.locator("button[type=submit]").click()
    page.wait_for_selector("#wb-form-retries:invalid", timeout=LONG)
    assert jobs.service.ask("GET", "/api/jobs")[1] == before
    for field, value in (("group", "web"), ("timeout", "600"), ("retries", "2")):
        form.locator(f"#wb-form-{field}").fill(value)
    form.locator("button[type=submit]").click()
    state(page, "Queued")
    found = newest(jobs)
    assert (found["worker_group"], found["timeout"], found["retries"]) == ("web", 600, 2)
    page.get_by_role("button", name="Cancel job").click()
    state(page, "Stopped")


def test_a_question_is_shown_and_agreed_to(page: Any) -> None:
    lists(page)
    enter(page, re.compile("^asks"))
    page.locator(".wb-Form button[type=submit]").click(timeout=LONG)
    page.wait_for_selector(".wb-Job-question >> text=Remove 3 files?", timeout=LONG)
    page.get_by_role("button", name="Agree and resume").click()
    page.wait_for_selector(f"{LINES} >> text=removed", timeout=LONG)
    state(page, "Completed")


def test_notebook_7_has_the_panel_too(folder: Path, jobs: Jobs, chromium: Any) -> None:
    """One job, since all but the frame around it is the same."""
    with served(folder, "light", "notebook") as base:
        made = chromium.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        open_notebook(made, f"{base}/work.ipynb?token=t")
        show(made)
        lists(made)
        enter(made, re.compile("^asks"))
        made.locator(".wb-Form button[type=submit]").click(timeout=LONG)
        made.wait_for_selector(".wb-Job-question >> text=Remove 3 files?", timeout=LONG)
        assert newest(jobs)["runbook"] == "asks"


def test_without_a_service_it_says_what_to_do(page: Any, service: Running) -> None:
    service.process.terminate()
    service.process.wait(60)
    lists(page)
    page.get_by_role("button", name="Ask the service anew").click()
    page.wait_for_selector(
        ".wb-Automation .wb-Panel-note >> text=/SRV023.*'workbench up' starts one/s", timeout=LONG
    )
