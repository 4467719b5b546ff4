"""The magic in an IPython shell over a real workspace: what it shows, keeps, binds and refuses."""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output

import workbench
from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.display import VEGA
from workbench.query.result import Result
from workbench.repository.tables import Repository

START = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with 120 heartbeats of three machines."""
    path = tmp_path_factory.mktemp("magic") / "workspace"
    rows = [
        {"TimeGenerated": START + dt.timedelta(minutes=i), "Computer": f"web{i % 3:02d}", "Load": i / 10}
        for i in range(120)
    ]
    frame = pl.DataFrame(
        rows, schema={"TimeGenerated": pl.Datetime("us", "UTC"), "Computer": pl.String, "Load": pl.Float64}
    )
    Repository.open(str(path), create=True).append("Heartbeat", frame)
    return path


class Cells:
    """Runs cells and gives what they showed."""

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell

    def run(self, source: str) -> CapturedIO:
        with capture_output() as shown:
            done = self.shell.run_cell(source)
        if done.error_before_exec or done.error_in_exec:
            raise done.error_before_exec or done.error_in_exec
        shown.result = done.result
        return shown

    def __getitem__(self, name: str) -> Any:
        return self.shell.user_ns[name]


@pytest.fixture
def cells(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cells]:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(folder))
    # `display` and `get_ipython` talk to the one shell of the process.
    shell = InteractiveShell.instance()
    workbench.load_ipython_extension(shell)
    yield Cells(shell)
    if shell.history_manager is not None:
        shell.history_manager.end_session()
    InteractiveShell.clear_instance()


def data_of(shown: CapturedIO, number: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = shown.outputs[number].data
    return found


def test_a_cell_shows_its_answer_as_html_and_as_text(cells: Cells) -> None:
    shown = cells.run(
        "%%logsearch --limit 2\nHeartbeat | sort by TimeGenerated asc | project TimeGenerated, Computer"
    )
    assert len(shown.outputs) == 1
    assert data_of(shown)["text/plain"].splitlines()[-1].startswith("rows 2 of 120")
    assert "2026-11-23 00:01:00" in data_of(shown)["text/html"]
    assert shown.result is None


def test_a_query_is_saved_and_loaded_by_name(cells: Cells) -> None:
    cells.run(
        '%%logsearch --save "By machine" --timespan 2026-11-23/2026-11-24\nHeartbeat | summarize n=count() by Computer'
    )
    cells.run('r = %logsearch --load "By machine" | where Computer == "web01"')
    assert cells["r"].frame.rows() == [("web01", 40)]
    cells.run('%logsearch --load "By machine" --as all')
    assert cells["all"].frame.height == 3
    with pytest.raises(WorkbenchError, match="SAV003") as refused:
        cells.run('%logsearch --load "By machines"')
    assert "By machine" in (refused.value.hint or "")


def test_as_keeps_the_whole_answer(cells: Cells) -> None:
    cells.run("%%logsearch --as r --limit 1\nHeartbeat | project Computer")
    assert isinstance(cells["r"], Result)
    assert cells["r"].frame.height == 120


def test_the_line_form_gives_the_result(cells: Cells) -> None:
    cells.run("r = %logsearch Heartbeat | where Computer == 'web01' | count")
    assert cells["r"].frame.item() == 40


def test_a_result_at_the_end_of_a_cell_looks_like_the_cell_form(cells: Cells) -> None:
    shown = cells.shell.display_formatter.format(cells.run("%logsearch --limit 1 Heartbeat").result)
    assert shown[0]["text/plain"].splitlines()[-1].startswith("rows 1 of 120")


def test_notebook_variables_are_bound_by_type_and_named_below(cells: Cells) -> None:
    cells.run("import polars as pl, datetime as dt\nhost = 'web01'\nsince = dt.datetime(2026, 11, 23, 1)")
    cells.run("owners = pl.DataFrame({'Computer': ['web01'], 'Owner': ['ann']})")
    query = (
        "Heartbeat | where Computer == host and TimeGenerated >= since | join kind=inner owners on Computer"
    )
    shown = cells.run(f"%%logsearch --as r\n{query} | project Owner")
    assert cells["r"].frame.rows() == [("ann",)] * 20
    assert "bound: host (string), since (datetime), owners (table)" in data_of(shown)["text/plain"]


def test_variables_of_a_function_are_seen_by_the_line_form(cells: Cells) -> None:
    cells.run(
        "def of(host):\n    return get_ipython().run_line_magic('logsearch', 'Heartbeat | where Computer == host | count')"
    )
    cells.run("n = of('web02').frame.item()")
    assert cells["n"] == 40


def test_braces_and_dollars_are_not_expanded(cells: Cells) -> None:
    cells.run("host = 'web01'")
    cells.run("r = %logsearch print a = '{host} $host', b = dynamic({\"k\": 1})")
    assert cells["r"].frame.row(0)[0] == "{host} $host"


def test_timespan_cuts_the_tables(cells: Cells) -> None:
    cells.run("%%logsearch --as r --timespan 2026-11-23T00:00:00Z/PT9M30S\nHeartbeat | count")
    assert cells["r"].frame.item() == 10


def test_another_workspace_can_be_asked(cells: Cells, tmp_path: Path) -> None:
    other = tmp_path / "with space"
    Repository.open(str(other), create=True).append(
        "Other", pl.DataFrame({"a": [1]}), transaction=("test", 1)
    )
    cells.run(f"%%logsearch --as r --workspace '{other}'\nOther | project a")
    assert cells["r"].frame.rows() == [(1,)]


def test_explain_shows_the_plan_and_runs_nothing(cells: Cells) -> None:
    shown = cells.run("%%logsearch --explain --as r\nHeartbeat | where Computer == 'web01'")
    assert "Filter" in data_of(shown)["text/plain"]
    assert "r" not in cells.shell.user_ns


@pytest.mark.slow
def test_render_draws_a_chart_and_a_footer(cells: Cells) -> None:
    shown = cells.run(
        "%%logsearch\nHeartbeat | summarize avg(Load) by bin(TimeGenerated, 10m), Computer"
        " | render timechart with (title='Load')"
    )
    chart, below = data_of(shown, 0), data_of(shown, 1)
    assert set(chart) == {VEGA, "image/svg+xml", "image/png", "text/plain"}
    assert chart["text/plain"] == "timechart: Load: avg_Load by TimeGenerated (UTC), 3 series, 36 values"
    assert chart["image/svg+xml"].count("mark-line") >= 1
    assert "drawn from 36 rows" in below["text/plain"]
    assert "http" not in json.dumps(chart[VEGA]).replace(chart[VEGA]["$schema"], "")


@pytest.mark.slow
def test_charts_of_results_and_of_altair_draw_without_a_network(cells: Cells) -> None:
    cells.run("r = %logsearch Heartbeat | summarize count() by Computer\nimport altair as alt")
    own = cells.run("alt.Chart(r.frame).mark_bar().encode(x='Computer', y='count_')").result
    for chart in (cells.run("r.chart()").result, own):
        data = cells.shell.display_formatter.format(chart)[0]
        assert "</svg>" in data["image/svg+xml"]
        assert "script" not in data.get("text/html", "")


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("%%logsearch\nHeartbeat | where Computr == 'a'", "KQL101"),
        ("%%logsearch --limt 3\nHeartbeat", "LAB001"),
        ("%%logsearch\n   ", "LAB005"),
        ("%%logsearch --expect 121\nHeartbeat", "LAB008"),
        (
            "%%logsearch --expect 1\nHeartbeat | where Load < 0 | project TimeGenerated, Load | render timechart",
            "LAB008",
        ),
        ("%logsearch --expect 2 Heartbeat | count", "LAB008"),
        ("thing = object()\n%logsearch print thing", "LAB101"),
        ("%%logsearch --workspace /no/such/folder\nHeartbeat", "REP"),
        ("%%logsearch\nHeartbeat | project Computer | render timechart", "LAB205"),
    ],
)
def test_a_mistake_fails_the_cell_with_its_code_and_no_traceback(cells: Cells, cell: str, code: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        cells.run(cell)
    assert caught.value.code.startswith(code)
    with capture_output() as shown:
        cells.shell.run_cell(cell)
    told = (shown.stdout + shown.stderr).strip()
    assert told.endswith("\n".join(caught.value._render_traceback_()))
    assert "Traceback" not in told
    assert 'File "' not in told


def test_an_error_points_into_the_cell(cells: Cells) -> None:
    with pytest.raises(WorkbenchError) as caught:
        cells.run("%%logsearch\nHeartbeat\n| where Computr == 'a'")
    assert caught.value.render().splitlines()[:3] == [
        "KQL101 at 2:9: no column named 'Computr'", "  | where Computr == 'a'", "          ^^^^^^^",
    ]  # fmt: skip


def test_an_answer_is_kept_and_shown_before_the_cell_fails(cells: Cells) -> None:
    with capture_output() as shown:
        cells.shell.run_cell("%%logsearch --as r --expect 500\nHeartbeat")
    assert cells["r"].frame.height == 120
    assert len(shown.outputs) == 1


def test_unloading_takes_everything_back(cells: Cells) -> None:
    cells.run("r = %logsearch Heartbeat | count")
    from workbench.kernel_ext import unload_ipython_extension

    unload_ipython_extension(cells.shell)
    assert cells.shell.find_cell_magic("logsearch") is None
    assert "rows 1" not in cells.shell.display_formatter.format(cells["r"])[0]["text/plain"]


def test_a_cell_of_sql_reads_tables_and_variables(cells: Cells) -> None:
    cells.shell.user_ns.update(least=11.0, sites=pl.DataFrame({"Name": ["web00"], "Site": ["north"]}))
    cells.run(
        "%%logsearch --sql --as found\n"
        "SELECT s.Site, count(*) AS n\nFROM heartbeat h JOIN sites s ON s.Name = h.Computer\n"
        "WHERE h.Load >= :least GROUP BY s.Site"
    )
    assert cells["found"].frame.to_dicts() == [{"Site": "north", "n": 3}]
    with pytest.raises(WorkbenchError, match=r"SQL102 at 1:8"):
        cells.run("%%logsearch --dialect postgres\nSELECT Lod FROM Heartbeat")


# ---- cached rows --------------------------------------------------------------------------------


def footer_of(shown: CapturedIO) -> str:
    return str(shown.outputs[0].data["text/plain"].rsplit("\n", 1)[-1])


def test_cached_rows_answer_while_no_record_is_new_and_say_since_when(cells: Cells, folder: Path) -> None:
    asked = "%%logsearch --cache\nHeartbeat | where TimeGenerated > ago(3650d) and Load > least | count"
    cells.shell.user_ns["least"] = 5.0
    assert "cached" not in footer_of(cells.run(asked))
    # Layout, comments and the moment of asking make no difference; values and new records do.
    again = footer_of(cells.run(asked.replace(" | ", "\n| ") + " // again"))
    assert "cached since 20" in again
    cells.shell.user_ns["least"] = 6.0
    assert "cached" not in footer_of(cells.run(asked))
    assert "cached since" in footer_of(cells.run(asked))
    assert "cached" not in footer_of(cells.run(asked.replace(" --cache", "")))
    Repository.open(str(folder)).append("Heartbeat", pl.DataFrame({"Load": [99.0]}))
    fresh = cells.run(asked)
    assert "cached" not in footer_of(fresh)


def test_a_wrong_query_is_told_with_its_place_when_it_may_be_cached_too(cells: Cells) -> None:
    with pytest.raises(WorkbenchError, match="KQL101") as told:
        cells.run("%%logsearch --cache\nHeartbeat | where Lod > 1")
    assert told.value.position == (1, 19)


def test_a_kept_result_is_shown_again_by_its_id_and_runs_nothing(
    cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_GRID", "on")
    said = footer_of(cells.run("%%logsearch\nHeartbeat | where Load > 11 | project Load"))
    name = re.search(r"result ([0-9a-f]{12})$", said)
    assert name is not None, said
    for thread in threading.enumerate():
        if thread.name == "workbench-keep":
            thread.join(30)
    shown = cells.run(f"%logsearch --show {name[1]} --as again")
    assert "kept since 20" in footer_of(shown)
    assert "Load" in shown.outputs[0].data["text/html"]
    assert cells["again"].query.strip() == "Heartbeat | where Load > 11 | project Load"
    with pytest.raises(WorkbenchError, match="LAB302"):
        cells.run("%logsearch --show 0123456789ab")
