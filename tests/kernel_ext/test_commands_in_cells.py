"""Commands, stored functions and query parameters in cells."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

import workbench


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    workbench.open(str(tmp_path / "mine"), create=True).ingest("App", [{"Size": n} for n in range(4)])
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path / "mine"))
    made = InteractiveShell.instance()
    workbench.load_ipython_extension(made)
    yield made
    if made.history_manager is not None:
        made.history_manager.end_session()
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, cell: str) -> str:
    with capture_output() as shown:
        done = shell.run_cell(cell)
    error = done.error_before_exec or done.error_in_exec
    if error:
        raise error
    return "\n".join(str(o.data.get("text/plain", "")) for o in shown.outputs)


def test_a_cell_stores_a_function_that_the_next_one_calls(shell: InteractiveShell) -> None:
    shown = run(shell, "%%logsearch\n.create function Big(n:long = 2) {\n  App | where Size >= n\n}")
    assert "Big" in shown
    assert "(n:long = 2)" in shown
    run(shell, "%%logsearch --as r\nBig")
    assert len(shell.user_ns["r"]) == 2
    assert "App" in run(shell, "%%logsearch\n.show tables")
    run(shell, "r = %logsearch .show functions")
    assert shell.user_ns["r"].columns == ["Name", "Parameters", "Body", "Folder", "DocString"]


def test_variables_feed_the_parameters_of_a_query(shell: InteractiveShell) -> None:
    run(shell, "least = 3")
    shown = run(
        shell, "%%logsearch --as r\ndeclare query_parameters(least:long = 0);\nApp | where Size >= least"
    )
    assert len(shell.user_ns["r"]) == 1
    assert "least (long)" in shown
