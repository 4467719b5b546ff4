"""`workbench up`: all of it comes up, all of it goes, and what fails is named."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from workbench.base.errors import WorkbenchError
from workbench.server.children import Child
from workbench.server.place import ServicePlace
from workbench.server.tour import run_tour

pytestmark = pytest.mark.slow


def until(condition: Callable[[], Any], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)


def notebook(path: Path, *cells: str) -> Path:
    made = [
        {
            "cell_type": "code",
            "id": f"c{n}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": cell,
        }
        for n, cell in enumerate(cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path.write_text(
        json.dumps({"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5})
    )
    return path


# ---- children ---------------------------------------------------------------------------------


def test_a_child_that_ends_by_itself_is_named_with_its_log(tmp_path: Path) -> None:
    child = Child("the thing", [sys.executable, "-c", "print('bye'); raise SystemExit(7)"], tmp_path / "log")
    with pytest.raises(WorkbenchError, match=r"SRV003.*the thing.*status 7"):
        child.wait_until(lambda: False, 30)
    child.stop()
    assert (tmp_path / "log").read_text() == "bye\n"


def test_a_child_that_never_gets_ready_is_named(tmp_path: Path) -> None:
    child = Child("the thing", [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path / "log")
    try:
        with pytest.raises(WorkbenchError, match="SRV004"):
            child.wait_until(lambda: False, 0.1)
    finally:
        child.stop()
    assert not psutil.pid_exists(child.pid)


def test_a_child_that_resists_and_its_own_children_are_ended(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid, flush=True)\n"
        "time.sleep(60)"
    )
    log = tmp_path / "log"
    child = Child("the thing", [sys.executable, "-c", code], log)
    until(lambda: log.read_text().endswith("\n"))
    grandchild = int(log.read_text())
    child.stop(grace=0.2)
    until(lambda: not _runs(child.pid) and not _runs(grandchild))


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


# ---- up ---------------------------------------------------------------------------------------


@pytest.fixture
def up(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], ServicePlace]]:
    workspace = tmp_path / "workspace"
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench.cli", "up", "--no-lab", "--workspace", str(workspace)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process, ServicePlace(str(workspace))
    process.kill()
    process.communicate()


def started(process: subprocess.Popen[str]) -> list[int]:
    """The pids of the children, once all are up: service, its query process, agent."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("stop all"):
            break
    children = psutil.Process(process.pid).children
    until(lambda: len(children(recursive=True)) == 3)
    return [child.pid for child in children(recursive=True)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_ends_no_child_is_left_over(
    up: tuple[subprocess.Popen[str], ServicePlace], number: int
) -> None:
    process, place = up
    pids = started(process)
    assert place.address() is not None
    os.kill(process.pid, number)
    process.wait(30)
    until(lambda: not any(_runs(pid) for pid in pids))
    assert place.address() is None
    if number != signal.SIGKILL:
        assert process.returncode == 0


def test_when_one_part_ends_the_rest_is_stopped_and_it_is_named(
    up: tuple[subprocess.Popen[str], ServicePlace],
) -> None:
    process, place = up
    pids = started(process)
    address = place.address()
    assert address is not None
    os.kill(address.pid, signal.SIGKILL)
    assert process.wait(30) == 1
    assert process.stderr is not None
    assert "SRV003: service ended by itself" in process.stderr.read()
    until(lambda: not any(_runs(pid) for pid in pids))


def test_a_second_up_on_the_same_workspace_is_refused(up: tuple[subprocess.Popen[str], ServicePlace]) -> None:
    process, place = up
    started(process)
    second = subprocess.run(
        [sys.executable, "-m", "workbench.cli", "up", "--no-lab", "--workspace", place.workspace],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert second.returncode == 1
    assert "SRV001" in second.stderr
    assert place.address() is not None


# ---- the tour ---------------------------------------------------------------------------------


def test_the_first_failing_cell_of_a_notebook_is_named(tmp_path: Path) -> None:
    path = notebook(tmp_path / "tour.ipynb", "x = 1", "# a comment\nx / 0", "raise SystemExit")
    logs = tmp_path / "logs"
    logs.mkdir()
    with pytest.raises(
        WorkbenchError, match=r"SRV007.*cell 2 \(x / 0\): ZeroDivisionError: division by zero"
    ):
        run_tour(path, str(tmp_path), logs)
    assert (logs / "tour.ipynb").exists()


def test_a_notebook_knows_the_workspace_and_is_kept_as_it_ran(tmp_path: Path) -> None:
    path = notebook(tmp_path / "tour.ipynb", "import os", "print(os.environ['WORKBENCH_WORKSPACE'])")
    logs = tmp_path / "logs"
    logs.mkdir()
    assert run_tour(path, "/some/where", logs) == 2
    assert "/some/where" in (logs / "tour.ipynb").read_text()


def test_a_notebook_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "tour.ipynb"
    path.write_text("no notebook")
    with pytest.raises(WorkbenchError, match="SRV009"):
        run_tour(path, str(tmp_path), tmp_path)


def test_the_check_proves_it_all_and_stops_it_all(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    ran = subprocess.run(
        [sys.executable, "-m", "workbench.cli", "up", "--check", "--workspace", str(workspace)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stderr
    for part in ("service", "jupyterlab", "records    Perf", "tour", "all stopped"):
        assert f"\n{part}" in "\n" + ran.stdout
    assert ServicePlace(str(workspace)).address() is None
    mine = [
        p.pid for p in psutil.process_iter(["cmdline"]) if str(workspace) in " ".join(p.info["cmdline"] or ())
    ]
    assert mine == []
