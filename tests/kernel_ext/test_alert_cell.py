"""`%%logsearch --alert`: the rule that a cell makes of its query in a running service, and what it shows of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from running_service import Running, serving

import workbench
from workbench.alerts.reading import read
from workbench.alerts.rule import Dimension, Rule, Severity
from workbench.base.errors import WorkbenchError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("alert_cell")
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(hours=6)
    records = [
        {"TimeGenerated": (moment + dt.timedelta(minutes=m)).isoformat(), "EventID": 4625} for m in (0, 1, 90)
    ]
    workbench.open(str(folder / "workspace"), create=True).ingest("Logins", records)
    with serving(folder) as running:
        yield running


@pytest.fixture
def run(service: Running) -> Any:
    """Runs a cell below `%%logsearch OPTIONS` over the service's workspace; gives what it showed as text."""
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "workbench")

    def cell(options: str, query: str) -> str:
        with capture_output() as shown:
            done = shell.run_cell(f'%%logsearch --workspace "{service.workspace}" {options}\n{query}')
        if done.error_in_exec:
            raise done.error_in_exec
        return "\n".join(o.data["text/plain"] for o in shown.outputs)

    yield cell
    InteractiveShell.clear_instance()


def test_a_cell_makes_a_rule_and_changes_it(service: Running, run: Any) -> None:
    said = run(
        "--alert 'Failed log-ins' --when 'count > 0' --over 10m --severity 1",
        "Logins\n| where EventID == 4625",
    )
    assert said.startswith(
        "alert rule 'Failed log-ins'\n\nname: Failed log-ins\nseverity: Error\nquery: |-\n  Logins\n"
    )
    assert "in the last day it would have fired 2 times, in 288 evaluations\n" in said
    assert said.endswith("kept: Failed log-ins, evaluated from now on")
    rule = _kept(service)
    assert (rule.window, rule.frequency) == (600, 300)

    said = run("--alert 'Failed log-ins' --split EventID", "Logins\n| where EventID == 4624")
    assert "(it is there, and changes)" in said
    assert "it would have fired 0 times" in said
    rule = _kept(service)
    assert (rule.query, rule.window, rule.severity) == (
        "Logins\n| where EventID == 4624", 600, Severity.ERROR,
    )  # fmt: skip
    assert rule.dimensions == (Dimension("EventID"),)


def _kept(service: Running) -> Rule:
    status, kept = service.ask("GET", "/api/alertRules/Failed%20log-ins")
    assert status == 200
    return read(kept["text"])


def test_what_is_refused_makes_no_rule(service: Running, run: Any) -> None:
    for options, query, code in (
        ("--alert bad --every often", "Logins", "ALR105"),
        ("--alert bad", "Logins | where EventId == 1", "KQL101"),
        ("--alert bad --split Computr", "Logins", "ALR109"),
        ("--every 5m", "Logins", "LAB009"),
    ):
        with pytest.raises(WorkbenchError) as caught:
            run(options, query)
        assert caught.value.code == code
    assert service.ask("GET", "/api/alertRules/bad")[0] == 404
