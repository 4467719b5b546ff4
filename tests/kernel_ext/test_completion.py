"""Tab and Shift-Tab in log search cells: in an IPython shell, and in a real kernel over its channels."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.manager import KernelManager

import workbench
from workbench.kernel_ext.cell_query import asked
from workbench.repository.tables import Repository

DEADLINE = 60.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with heartbeats of three machines."""
    path = tmp_path_factory.mktemp("completion") / "workspace"
    start = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    rows = [
        {"TimeGenerated": start + dt.timedelta(minutes=i), "Computer": f"web{i % 3:02d}", "Load": i / 10}
        for i in range(30)
    ]
    frame = pl.DataFrame(
        rows, schema={"TimeGenerated": pl.Datetime("us", "UTC"), "Computer": pl.String, "Load": pl.Float64}
    )
    Repository.open(str(path), create=True).append("Heartbeat", frame)
    return path


@pytest.fixture
def shell(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(folder))
    made = InteractiveShell.instance()
    workbench.load_ipython_extension(made)
    yield made
    if made.history_manager is not None:
        made.history_manager.end_session()
    InteractiveShell.clear_instance()


def completed(shell: InteractiveShell, code: str) -> list[str]:
    """What Tab offers at `▮`, as the texts that would stand in the cell."""
    at = code.index("▮")
    text = code.replace("▮", "")
    with provisionalcompleter():
        found = list(shell.Completer.completions(text, at))
    return [text[: c.start] + c.text for c in found]


def offered(shell: InteractiveShell, code: str) -> list[str]:
    """What Tab offers at `▮`, each from where the word begins."""
    at = code.index("▮")
    with provisionalcompleter():
        found = list(shell.Completer.completions(code.replace("▮", ""), at))
    return [c.text for c in found]


def test_columns_in_a_cell(shell: InteractiveShell) -> None:
    found = offered(shell, "%%logsearch --limit 3\nHeartbeat\n| where ▮")
    assert found[:2] == ["TimeGenerated", "Computer"]
    assert "Load" in found


def test_a_word_is_completed_where_it_stands(shell: InteractiveShell) -> None:
    assert (
        completed(shell, "%%logsearch\nHeartbeat | where Comp▮ == 1")[0]
        == "%%logsearch\nHeartbeat | where Computer"
    )


def test_operators_with_hyphens(shell: InteractiveShell) -> None:
    assert completed(shell, "%%logsearch\nHeartbeat | project-a▮") == [
        "%%logsearch\nHeartbeat | project-away "
    ]


def test_the_line_form(shell: InteractiveShell) -> None:
    assert "Heartbeat" in offered(shell, "x = 1\nr = %logsearch --limit 3 ▮\ny = 2")
    assert offered(shell, "r = %logsearch Heartbeat | where Lo▮")[0] == "Load"


def test_a_query_that_begins_behind_the_options(shell: InteractiveShell) -> None:
    assert offered(shell, "%%logsearch --limit 3 Heartbeat\n| where Lo▮")[0] == "Load"


def test_options(shell: InteractiveShell) -> None:
    assert offered(shell, "%%logsearch --li▮") == ["--limit "]


def test_values_of_stored_rows(shell: InteractiveShell) -> None:
    code = '%%logsearch\nHeartbeat | where Computer == "▮'
    end = time.monotonic() + DEADLINE
    while not (found := [t for t in offered(shell, code) if t.startswith("web")]) and time.monotonic() < end:
        pass  # the first answer may come before the rows are read
    assert found == ['web00"', 'web01"', 'web02"']


def test_notebook_variables(shell: InteractiveShell) -> None:
    shell.run_cell(
        "import polars as pl\nhost = 'web01'\nowners = pl.DataFrame({'Computer': ['a'], 'Team': ['b']})"
    )
    assert "host" in offered(shell, "%%logsearch\nHeartbeat | where Computer == ▮")
    assert "owners" in offered(shell, "%%logsearch\nHeartbeat | join ▮")
    assert offered(shell, "%%logsearch\nowners | where Te▮")[0] == "Team"


def test_python_is_left_alone(shell: InteractiveShell) -> None:
    shell.run_cell("machines = 1")
    assert "machines" in offered(shell, "print(machi▮")
    assert "Heartbeat" not in offered(shell, "Heart▮")


def test_no_workspace_offers_nothing(
    shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path / "nothing"))
    assert "where" not in offered(shell, "%%logsearch\nHeartbeat | ▮")


def test_unloading_takes_it_back(shell: InteractiveShell) -> None:
    from workbench.kernel_ext import unload_ipython_extension

    unload_ipython_extension(shell)
    assert "Computer" not in offered(shell, "%%logsearch\nHeartbeat | where ▮")


@pytest.mark.parametrize(
    ("code", "query", "workspace"),
    [
        ("%%logsearch --workspace '/a b'\nT | ▮take 1", "T | take 1", "/a b"),
        ("\n%%logsearch\n▮", "", None),
        ("%%logsearch --limit x\nT▮", "T", None),
        ("%%logsearch T\n| take▮", "T\n| take", None),
    ],
)
def test_the_query_is_found_in_the_cell(code: str, query: str, workspace: str | None) -> None:
    at = code.index("▮")
    place = asked(code.replace("▮", ""), at)
    assert place is not None
    assert (place.query, place.workspace) == (query, workspace)
    assert place.query[: place.position] == code[:at][len(code[:at]) - place.position :]


@pytest.mark.slow
def test_a_kernel_answers_tab_and_shift_tab(folder: Path) -> None:
    manager = KernelManager(kernel_name="python3", transport="ipc")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=DEADLINE)
        load = f"import os; os.environ['WORKBENCH_WORKSPACE'] = {str(folder)!r}\n%load_ext workbench"
        assert client.execute_interactive(load, timeout=DEADLINE)["content"]["status"] == "ok"

        def reply(sent: str) -> dict[str, Any]:
            while True:
                message = client.get_shell_msg(timeout=DEADLINE)
                if message["parent_header"].get("msg_id") == sent:
                    found: dict[str, Any] = message["content"]
                    return found

        code = "%%logsearch\nHeartbeat | where "
        found = reply(client.complete(code, len(code)))
        assert found["matches"][:2] == ["TimeGenerated", "Computer"]
        assert found["cursor_start"] == found["cursor_end"] == len(code)
        told = found["metadata"]["_jupyter_types_experimental"]
        assert told[0]["type"] == "column"
        code = "%%logsearch\nHeartbeat | where Load > strlen("
        about = reply(client.inspect(code, code.index("Load") + 1))
        assert about["found"]
        assert about["data"]["text/plain"] == "Load: real\nFrom Heartbeat.Load."
        about = reply(client.inspect(code, len(code)))
        assert about["data"]["text/plain"].startswith("strlen(text: string)")
        assert reply(client.inspect("print", 3))["data"]["text/plain"]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
