"""The panel of alerts in a real browser, over a real service: what fires, what a person makes of it, rules as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab_server import browser, open_notebook, served, write_notebook
from runbook_service import wait_for
from running_service import Running, serving

import workbench

pytestmark = [pytest.mark.slow, pytest.mark.browser]

LONG = 90_000
PANEL = ".wb-Alerts"
ROW = f"{PANEL} .wb-Tree-row"
CODE = ".wb-RuleEditor .cm-content"
HOSTILE = "<img src=x onerror=document.title='owned'>"
RULE = """\
name: Failed log-ins
description: Somebody guesses
severity: Error
query: Signin | where Result == "failed"
every: 1s
over: 1h
when: count > 2
split by: [Computer]
"""
QUIET = RULE.replace("Failed log-ins", "Many log-ins").replace("> 2", "> 100")
NEW = """\
name: Log-ins
query: Signin | where Resul == "failed"
every: 1m
over: 1h
when: count > 3
split by: [Computer]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("alerts")
    write_notebook(made / "files" / "work.ipynb", ["%load_ext workbench"])
    return made


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Running]:
    """A service with two rules, of which one fires for one of two machines."""
    with serving(folder) as running:
        tried = [(HOSTILE, "failed")] * 5 + [("web02", "failed"), ("web02", "passed")]
        records = [{"Computer": computer, "Result": result, "Tries": 1} for computer, result in tried]
        workbench.open(str(running.workspace)).ingest("Signin", records)
        for text in (RULE, QUIET):
            name = text.split("\n")[0].removeprefix("name: ")
            status, told = running.ask("PUT", f"/api/alertRules/{name.replace(' ', '%20')}", {"text": text})
            assert status == 200, told
        wait_for(lambda: running.ask("GET", "/api/alerts?open=true")[1]["alerts"])
        yield running


@pytest.fixture(scope="module")
def page(folder: Path, service: Running) -> Iterator[Any]:
    """JupyterLab with the panel in front, the extension loaded by its button."""
    with browser() as chromium, served(folder, "light") as base:
        made = chromium.new_context(viewport={"width": 1440, "height": 1000}).new_page()
        open_notebook(made, f"{base}/work.ipynb?token=t")
        made.evaluate("void jupyterapp.commands.execute('workbench:show-alerts')")
        made.locator(f"{PANEL} .wb-Panel-note button", has_text="Load Workbench").click(timeout=LONG)
        made.wait_for_selector(f"{ROW} >> text=Many log-ins", timeout=LONG)
        yield made


def lists(page: Any) -> None:
    page.evaluate("void jupyterapp.commands.execute('workbench:show-alerts')")
    page.wait_for_selector(ROW, timeout=LONG)


def enter(page: Any, text: str | re.Pattern[str]) -> None:
    """Do what the first line with a text is for, by the keyboard."""
    row = page.locator(ROW, has_text=text).first
    row.wait_for(timeout=LONG)
    row.focus()
    page.keyboard.press("Enter")


def press(page: Any, name: str, inside: str = PANEL) -> None:
    page.locator(inside).get_by_role("button", name=name, exact=True).click(timeout=LONG)


def write(page: Any, text: str) -> None:
    """Put a text in the place of what the editor of a rule has."""
    page.locator(CODE).click(timeout=LONG)
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    for line in text.rstrip("\n").split("\n"):
        page.keyboard.insert_text(line)
        page.keyboard.press("Enter")
        page.keyboard.press("Shift+Home")  # an indent that the editor made
        page.keyboard.press("Delete")


def told(page: Any, selector: str, text: str | re.Pattern[str]) -> None:
    page.locator(selector, has_text=text).first.wait_for(timeout=LONG)


def one(service: Running, rule: str = "Failed log-ins") -> dict[str, Any]:
    """The alert of a rule."""
    found: list[dict[str, Any]] = service.ask("GET", f"/api/alerts?rule={rule.replace(' ', '%20')}")[1]["alerts"]  # fmt: skip
    assert len(found) == 1
    return found[0]


def test_what_fires_is_first_and_untrusted_text_stays_text(page: Any, service: Running) -> None:
    lists(page)
    found = page.locator(ROW).evaluate_all("rows => rows.map(row => row.ariaLabel)")
    assert found == [
        "Firing, 1", f"Failed log-ins: {HOSTILE}, Error", "Rules, 2", "Failed log-ins, Firing", "Many log-ins, Normal",
        "Over, 0",
    ]  # fmt: skip
    enter(page, "Failed log-ins: ")
    told(page, f"{PANEL} .wb-Job-state", "Firing, Error")
    facts = page.locator(f"{PANEL} .wb-Job-facts dd").all_inner_texts()
    assert facts[:3] == [HOSTILE, "5, fires at count > 2", "5"]
    told(page, f"{PANEL} .wb-Alert-history li", "Fired: 5")
    assert page.locator(f"{PANEL} img").count() == 0
    assert "owned" not in page.title()


def test_the_records_behind_an_alert_are_asked_in_a_cell(page: Any) -> None:
    lists(page)
    enter(page, "Failed log-ins: ")
    press(page, "Records")
    told(page, ".jp-Notebook .jp-OutputArea-output", "Tries")
    # The grid covers the table of the output once it is there; both say how many rows there are.
    told(page, ".jp-Notebook .jp-OutputArea-output", re.compile(r"\b5 rows|of 5\b"))
    assert '| where Computer == "<img' in page.locator(".jp-Notebook").inner_text()


def test_an_alert_is_acknowledged_commented_and_closed(page: Any, service: Running) -> None:
    lists(page)
    enter(page, "Failed log-ins: ")
    box = page.get_by_label("Comment", exact=True)
    box.fill("I look after it", timeout=LONG)
    press(page, "Acknowledge")
    told(page, f"{PANEL} .wb-Job-facts", "Acknowledged by")
    told(page, f"{PANEL} .wb-Alert-comment", "I look after it")
    assert one(service)["response"] == "Acknowledged"
    box.fill("a forgotten script")
    press(page, "Comment")
    told(page, f"{PANEL} .wb-Alert-comment", "a forgotten script")
    assert box.input_value() == ""
    press(page, "Close")
    told(page, f"{PANEL} .wb-Job-facts", "Closed by")
    assert one(service)["response"] == "Closed"
    page.keyboard.press("Escape")
    told(page, ROW, "Nothing fires.")


def test_a_rule_shows_its_evaluations_and_is_switched(page: Any, service: Running) -> None:
    lists(page)
    enter(page, re.compile(r"^Failed log-ins\s*(Show)?\s*Firing"))
    strip = page.locator(f"{PANEL} .wb-Strip svg")
    strip.wait_for(timeout=LONG)
    assert page.locator(".wb-Strip-bar.wb-mod-violated").count() > 0
    assert "the threshold is 2" in strip.get_attribute("aria-label")
    told(page, f"{PANEL} .wb-Strip-told", "5, violated")
    told(page, f"{PANEL} .wb-Alert-table tr", "web02")
    press(page, "Disable")
    told(page, f"{PANEL} .wb-Job-state", "Disabled")
    assert not service.ask("GET", "/api/alertRules/Failed%20log-ins")[1]["enabled"]
    press(page, "Enable")
    told(page, f"{PANEL} .wb-Job-act", "Evaluate now")
    assert service.ask("GET", "/api/alertRules/Failed%20log-ins")[1]["enabled"]


def test_a_rule_is_written_previewed_and_saved(page: Any, service: Running) -> None:
    lists(page)
    press(page, "New rule")
    write(page, NEW)
    told(page, ".wb-RuleEditor-findings li", "2:23")
    assert "KQL101: no column named 'Resul'" in page.locator(".wb-RuleEditor-findings li").inner_text()
    page.wait_for_selector(".wb-RuleEditor .wb-Finding", timeout=LONG)
    write(page, NEW.replace("Resul ", "Result ").replace("every: 1m", "every: 2h"))
    told(page, ".wb-RuleEditor-findings li", "window-shorter-than-frequency")
    write(page, NEW.replace("Resul ", "Result "))
    page.wait_for_selector(".wb-RuleEditor-findings li", state="detached", timeout=LONG)
    press(page, "Preview", ".wb-RuleEditor")
    told(page, ".wb-Preview-answer", "It would fire now, for 1 combination.")
    rows = page.locator(".wb-Preview .wb-Alert-table").first.locator("tbody tr").all_inner_texts()
    assert [re.split(r"\s*\t\s*", row) for row in rows] == [
        [HOSTILE, "5", "5", "violated"],
        ["web02", "1", "1", "not violated"],
    ]
    assert service.ask("GET", "/api/alertRules/Log-ins")[0] == 404
    press(page, "Save rule", ".wb-RuleEditor")
    told(page, ".wb-RuleEditor-state", 'Saved as "Log-ins"')
    assert service.ask("GET", "/api/alertRules/Log-ins")[1]["rule"]["when"] == "count > 3"
    write(page, NEW.replace("Resul ", "Result ").replace("Log-ins", "Many log-ins"))
    told(page, ".wb-RuleEditor-state", "Not saved")
    told(page, ".wb-Preview-old", "before it was changed")
    press(page, "Save rule", ".wb-RuleEditor")
    told(page, ".wb-RuleEditor .wb-Mistake", "ALR008")
    assert service.ask("GET", "/api/alertRules/Many%20log-ins")[1]["version"] == 1


def test_without_a_service_it_says_what_to_do(page: Any, service: Running) -> None:
    service.process.terminate()
    service.process.wait(60)
    lists(page)
    page.locator(PANEL).get_by_role("button", name="Ask the service anew").click()
    page.wait_for_selector(
        f"{PANEL} .wb-Panel-note >> text=/SRV023.*'workbench up' starts one/s", timeout=LONG
    )
