"""`%%step` outside of a job: the cell runs, its variables are as they would come back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from workbench.actions.runbook import step_magic
from workbench.base.errors import WorkbenchError


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    InteractiveShell.clear_instance()
    made = InteractiveShell.instance()
    step_magic.load(made)
    yield made
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, source: str) -> Any:
    with capture_output() as shown:
        done = shell.run_cell(source)
    error = done.error_before_exec or done.error_in_exec
    if error:
        raise error
    return shown.stdout


def test_a_cell_leaves_what_json_gives_back(shell: InteractiveShell) -> None:
    run(shell, "%%step copy -o pair -o name\npair = (1, None)\nname = 'a'\nother = 2")
    assert (shell.user_ns["pair"], shell.user_ns["name"], shell.user_ns["other"]) == ([1, None], "a", 2)


def test_its_last_value_is_shown_and_magics_work(shell: InteractiveShell) -> None:
    assert "42" in run(shell, "%%step show\n%time\n6 * 7")


def test_its_mistake_is_its_own(shell: InteractiveShell) -> None:
    with pytest.raises(ZeroDivisionError):
        run(shell, "%%step fails\n1 / 0")
    with pytest.raises(SyntaxError):
        run(shell, "%%step fails\n1 +")


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("%%step\n1", "JOB307"),
        ("%%step two names\n1", "JOB307"),
        ("%%step a --out b\n1", "JOB307"),
        ("%%step a -o 1x\n1", "JOB307"),
        ("%%step 'a\n1", "JOB307"),
        ("%%step a -o missing\n1", "JOB308"),
    ],
)
def test_a_line_that_is_none_is_told(shell: InteractiveShell, cell: str, code: str) -> None:
    with pytest.raises(WorkbenchError, match=code):
        run(shell, cell)
