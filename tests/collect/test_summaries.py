"""Summary rules: each bin once, whoever runs it how often; failed and missed bins come later, the past by backfill."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import workbench
from workbench.base import clock
from workbench.base.database import Database
from workbench.base.errors import WorkbenchError
from workbench.collect.intake import Intake
from workbench.collect.kept import moment
from workbench.collect.summaries import Summaries, run_due

QUERY = "App | summarize Count=count(), Sum=sum(N) by Kind"
HOUR = 3_600_000_000


def ticks(text: str) -> int:
    return moment(text) * 10


@pytest.fixture
def opened(tmp_path: Path) -> Any:
    return workbench.open(str(tmp_path / "workspace"), create=True)


@pytest.fixture
def rules(opened: Any) -> Summaries:
    state = Path(opened.path, "state")
    return Summaries(Database.open(state), state)


@pytest.fixture
def filled(opened: Any) -> Any:
    """One record each half hour from 00:00 to 04:00, one of them on the last microsecond of a bin."""
    times = [f"2026-01-02T0{h}:{m}:00Z" for h in range(4) for m in ("00", "30")]
    times.append("2026-01-02T01:59:59.999999Z")
    opened.ingest("App", [{"TimeGenerated": t, "N": n, "Kind": "a"} for n, t in enumerate(times)])
    return opened


@pytest.fixture
def hourly(rules: Summaries) -> Summaries:
    with clock.frozen(ticks("2026-01-02T00:20:00Z")):
        rules.create("Hourly", QUERY, "1h", "Apps_CL", delay="5m")
    return rules


def rows(opened: Any) -> list[tuple[int, str, int]]:
    if not opened.repository.has("Apps_CL"):
        return []
    found = opened.query("Apps_CL | project Hour=hourofday(_BinStartTime), Kind, Count | order by Hour asc")
    return [tuple(r) for r in found.frame.rows()]


def test_bins_run_when_they_are_over_and_the_delay_is(filled: Any, hourly: Summaries) -> None:
    intake = Intake(filled.repository)
    for at, ran in (("01:04:59", 0), ("01:05:00", 1), ("01:30:00", 0), ("04:10:00", 3)):
        with clock.frozen(ticks(f"2026-01-02T{at}Z")):
            assert run_due(hourly, filled.source, intake) == ran
    assert rows(filled) == [(0, "a", 2), (1, "a", 3), (2, "a", 2), (3, "a", 2)]
    shown = filled.query(
        "Apps_CL | where Sum == 1 | project TimeGenerated, _BinStartTime, _BinSize, _RuleName, _RuleLastModifiedTime"
    ).frame.row(0)
    assert [str(v)[:19] for v in shown] == [
        "2026-01-02 00:00:00", "2026-01-02 00:00:00", "60", "Hourly", "2026-01-02 00:20:00",
    ]  # fmt: skip
    log = filled.query(
        "LASummaryLogs | summarize count(), sum(ResultsRecordCount) by Status, RuleName, BinSize"
    )
    assert log.frame.row(0) == ("Succeeded", "Hourly", 60, 4, 4)


def test_a_bin_that_runs_again_is_stored_once(filled: Any, hourly: Summaries) -> None:
    intake = Intake(filled.repository)
    start = moment("2026-01-02T01:00:00Z")
    first = hourly.run("Hourly", start, filled.source, intake)
    filled.ingest("App", [{"TimeGenerated": "2026-01-02T01:10:00Z", "N": 1, "Kind": "b"}])
    again = hourly.run("Hourly", start, filled.source, intake)
    assert (first.rows, first.skipped, again.rows, again.skipped, again.tries) == (1, False, 1, True, 2)
    assert rows(filled) == [(1, "a", 3)]


def test_an_empty_bin_is_filled_by_a_later_run(filled: Any, hourly: Summaries) -> None:
    intake = Intake(filled.repository)
    start = moment("2026-01-02T09:00:00Z")
    assert hourly.run("Hourly", start, filled.source, intake).state == "Succeeded"
    filled.ingest("App", [{"TimeGenerated": "2026-01-02T09:10:00Z", "N": 1, "Kind": "late"}])
    assert hourly.run("Hourly", start, filled.source, intake).rows == 1
    assert rows(filled) == [(9, "late", 1)]


def test_a_bin_that_fails_is_tried_again_later_and_by_hand_in_the_end(opened: Any, hourly: Summaries) -> None:
    intake = Intake(opened.repository)
    ran = []
    for minute in range(5, 60):
        with clock.frozen(ticks(f"2026-01-02T01:{minute:02}:00Z")):
            if run_due(hourly, opened.source, intake):
                ran.append(minute)
    assert ran == [5, 6, 11], "after one minute, after five more, and no more"
    failed = hourly.bins("Hourly")[0]
    assert (failed.state, failed.tries, failed.message[:3]) == ("Failed", 3, "KQL")
    opened.ingest("App", [{"TimeGenerated": "2026-01-02T00:30:00Z", "N": 1, "Kind": "a"}])
    assert hourly.run("Hourly", failed.start, opened.source, intake).state == "Succeeded"
    assert rows(opened) == [(0, "a", 1)]
    log = opened.query("LASummaryLogs | summarize count() by Status | order by Status asc")
    assert log.frame.rows() == [("Failed", 3), ("Succeeded", 1)]


def test_backfill_runs_what_has_no_rows(filled: Any, hourly: Summaries) -> None:
    intake = Intake(filled.repository)
    hourly.run("Hourly", moment("2026-01-02T02:00:00Z"), filled.source, intake)
    first, last = moment("2026-01-02T00:10:00Z"), moment("2026-01-02T05:00:00Z")
    with clock.frozen(ticks("2026-01-02T04:30:00Z")):
        done = list(hourly.backfill("Hourly", first, last, filled.source, intake))
        assert [b.start // HOUR % 24 for b in done] == [1, 3], "the first began before, the last is not over"
    assert rows(filled) == [(1, "a", 3), (2, "a", 2), (3, "a", 2)]
    # Bins that were filled before they were due are not stored again.
    with clock.frozen(ticks("2026-01-02T04:10:00Z")):
        run_due(hourly, filled.source, intake)
    assert rows(filled) == [(0, "a", 2), (1, "a", 3), (2, "a", 2), (3, "a", 2)]


_KILLED = """
import os, signal, sys
from pathlib import Path
import workbench
from workbench.base.database import Database
from workbench.collect.intake import Intake
from workbench.collect.summaries import Summaries

opened = workbench.open(sys.argv[1])
state = Path(opened.path, "state")
really = Intake.store

def store(*given, **more):
    if sys.argv[2] == "after":
        really(*given, **more)
    os.kill(os.getpid(), signal.SIGKILL)

Intake.store = store
Summaries(Database.open(state), state).run("Hourly", int(sys.argv[3]), opened.source, Intake(opened.repository))
"""


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_in_a_bin_neither_loses_nor_doubles_it(when: str, filled: Any, hourly: Summaries) -> None:
    start = moment("2026-01-02T00:00:00Z")
    died = subprocess.run([sys.executable, "-c", _KILLED, filled.path, when, str(start)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert rows(filled) == ([(0, "a", 2)] if when == "after" else [])
    with clock.frozen(ticks("2026-01-02T01:05:00Z")):
        assert run_due(hourly, filled.source, Intake(filled.repository)) == 1
    done = hourly.bins("Hourly")[0]
    assert (done.state, done.rows, done.skipped) == ("Succeeded", 1, False)
    assert rows(filled) == [(0, "a", 2)]


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("SAV301", {"bin_size": "7m"}),
        ("SAV301", {"bin_size": "30s"}),
        ("SAV301", {"bin_size": "2d"}),
        ("SAV301", {"bin_size": "60"}),
        ("SAV302", {"table": "Apps"}),
        ("SAV303", {"delay": "2d"}),
        ("SAV004", {"name": "Hourly"}),
        ("KQL", {"query": "App | where"}),
    ],
)
def test_what_is_no_rule(hourly: Summaries, code: str, given: dict[str, str]) -> None:
    values = {"name": "New", "query": QUERY, "bin_size": "1h", "table": "New_CL", **given}
    with pytest.raises(WorkbenchError) as refused:
        hourly.create(**values)
    assert refused.value.code.startswith(code)


def test_what_is_no_bin(filled: Any, hourly: Summaries) -> None:
    ask: Callable[[str], Any] = lambda text: hourly.run(  # noqa: E731
        "Hourly", moment(text), filled.source, Intake(filled.repository)
    )
    with pytest.raises(WorkbenchError, match="SAV304"):
        ask("2026-01-02T00:10:00Z")
    with clock.frozen(ticks("2026-01-02T00:30:00Z")), pytest.raises(WorkbenchError, match="SAV305"):
        ask("2026-01-02T00:00:00Z")
    with pytest.raises(WorkbenchError, match="SAV003"):
        hourly.run("Hurly", 0, filled.source, Intake(filled.repository))


def test_a_column_of_the_rule_is_not_the_querys(filled: Any, rules: Summaries) -> None:
    rules.create("R", "App | extend _BinSize = 1", "1h", "R_CL")
    done = rules.run("R", moment("2026-01-02T00:00:00Z"), filled.source, Intake(filled.repository))
    assert (done.state, done.message[:6]) == ("Failed", "SAV306")
    rules.remove("R")
    assert rules.all() == []
