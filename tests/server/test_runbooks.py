"""Runbooks through a real service: its included worker runs them in real kernels, and all of it is records."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from runbook_service import Jobs, wait_for

from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.runbooks import Runbooks

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def jobs(service: Any) -> Jobs:
    return Jobs(service)


def test_a_start_leads_to_records_streams_and_the_executed_notebook(jobs: Jobs) -> None:
    jobs.bring(
        "hello",
        "print('hello', host)",
        "import workbench\nworkbench.runbook.progress(50, 'half')\nworkbench.runbook.warning('mind')\n[wait]",
        parameters="host: str = ...\nwait: int = 3",
    )
    job = jobs.start("hello", parameters={"host": "web01"})
    found = jobs.until(job, "Completed", "Failed")
    assert (found["state"], found["error"], found["worker"], found["attempt"]) == (
        "Completed",
        "",
        "service",
        1,
    )
    wait_for(lambda: ["Completed"] in jobs.rows(f"Job | where JobId == '{job}' | project State"))
    assert jobs.rows(f"Job | where JobId == '{job}' | sort by TimeGenerated asc, State asc | project State") == [
        ["New"], ["Queued"], ["Starting"], ["Running"], ["Completed"],
    ]  # fmt: skip
    assert jobs.rows(
        f"Job | where JobId == '{job}' and State == 'Completed' | project tostring(Parameters.host), RunbookName"
    ) == [["web01", "hello"]]
    assert jobs.lines(job) == [
        ["Output", "hello web01\n"], ["Progress", "50 % half"], ["Warning", "mind"], ["Output", "[3]"],
    ]  # fmt: skip
    evidence = jobs.service.ask("GET", f"/api/jobs/{job}/notebook")[1]
    assert evidence["cells"][2]["outputs"][0]["text"] == ["hello web01\n"]


def test_what_is_not_declared_never_reaches_a_notebook(jobs: Jobs, tmp_path: Path) -> None:
    jobs.bring("plain", "print(a)", parameters="a: int = 1")
    mark = tmp_path / "ran"
    for parameters, code in (
        ({f"a=1\nopen({str(mark)!r}, 'w')": 1}, "JOB102"),
        ({"a": "1"}, "JOB104"),
        ({"a": 1, "b": 2}, "JOB102"),
        ({"a": "x" * 10_000_000}, "OTL101"),
    ):
        status, told = jobs.service.ask("POST", "/api/runbooks/plain/start", {"parameters": parameters})
        assert (status, told["error"]["packed"]["code"]) == (413 if code == "OTL101" else 400, code)
    assert jobs.service.ask("GET", "/api/jobs?runbook=plain")[1]["jobs"] == []
    assert not mark.exists()


def test_a_start_asked_twice_under_one_key_is_one_job(jobs: Jobs) -> None:
    jobs.bring("keyed", "pass")
    first = jobs.start("keyed", key="order 7")
    assert jobs.start("keyed", key="order 7") == first
    assert jobs.start("keyed", key="order 8") != first
    status, told = jobs.service.ask("POST", "/api/runbooks/keyed/start", {"key": ["order 7"]})
    assert (status, "'key'" in told["error"]["message"]) == (400, True)


def test_a_failure_is_told_and_tried_again_over_committed_steps(jobs: Jobs, tmp_path: Path) -> None:
    count = tmp_path / "count"
    jobs.bring(
        "twice",
        f"import workbench, pathlib\ncount = pathlib.Path({str(count)!r})\n"
        "def once():\n    count.write_text(count.read_text() + 'x' if count.exists() else 'x')\n    return (1, None)",
        "made = workbench.step('once', once)\nkey = workbench.step('key', workbench.runbook.step_key)",
        "print(made, key.partition('/')[2])\nassert workbench.runbook.start('nothing') if 0 else True",
        "%%step cell -o shown\nshown = once()[0]\nprint('in the cell')",
        "import pathlib\nagain = pathlib.Path(str(count) + '.again')\nif not again.exists():\n    again.touch()\n    1 / 0\nprint('shown', shown)",
    )
    job = jobs.start("twice", retries=1)
    found = jobs.until(job, "Completed", "Failed")
    assert (found["state"], found["attempt"]) == ("Completed", 2)
    assert count.read_text() == "xx"
    assert [m for s, m in jobs.lines(job) if s == "Output"] == [
        "[1, None] key\n", "in the cell\n", "[1, None] key\n", "shown 1\n",
    ]  # fmt: skip
    assert ["Error", "ZeroDivisionError: division by zero"] in jobs.lines(job)
    failed = jobs.rows(f"Job | where JobId == '{job}' and State == 'Queued' and Attempt == 1 | project Error")
    assert failed == [["JOB310: ZeroDivisionError: division by zero"]]


def test_a_kernel_that_dies_is_no_end_of_a_job(jobs: Jobs, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    jobs.bring("dies", f"import os, pathlib\nm = pathlib.Path({str(mark)!r})\nif not m.exists():\n    m.touch()\n    os.kill(os.getpid(), 9)")  # fmt: skip
    found = jobs.until(jobs.start("dies"), "Completed", "Failed", "Suspended")
    assert (found["state"], found["attempt"]) == ("Completed", 2)


def test_a_job_that_never_ends_is_stopped_and_all_of_it_is_gone(jobs: Jobs, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    jobs.bring(
        "endless",
        f"import os, subprocess, time\nopen({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{subprocess.Popen([\"sleep\", \"600\"]).pid}}')",
        "while True:\n    try:\n        time.sleep(600)\n    except KeyboardInterrupt:\n        break",
    )
    job = jobs.start("endless")
    kernel, asleep = map(int, wait_for(lambda: pids.exists() and pids.read_text()).split())
    assert jobs.service.ask("POST", f"/api/jobs/{job}/cancel")[1] == {"state": "Stopping"}
    assert jobs.until(job, "Stopped", "Failed", "Completed")["state"] == "Stopped"
    assert not lives(kernel)
    assert not lives(asleep)
    assert jobs.service.ask("POST", f"/api/jobs/{job}/cancel")[0] == 409


def test_a_limit_of_time_ends_a_job(jobs: Jobs) -> None:
    jobs.bring("slow", "import time\ntime.sleep(600)")
    found = jobs.until(jobs.start("slow", timeout=1), "Failed", "Completed", "Stopped")
    assert (found["state"], found["error_code"]) == ("Failed", "JOB025")


def test_a_runbook_asks_records_queries_and_starts_others(jobs: Jobs) -> None:
    jobs.bring("part", "import workbench\nworkbench.runbook.ingest('Made_CL', [{'Name': n} for n in names])", parameters="names: list = []")  # fmt: skip
    jobs.bring(
        "whole",
        "import workbench as w\nchild = w.runbook.start('part', {'names': ['a', 'b']})\nprint(w.runbook.wait(child))",
        "print(w.runbook.query('Made_CL | summarize n = count(), last = max(TimeGenerated) by Name | sort by Name asc').frame['n'].to_list())",
    )
    job = jobs.start("whole")
    assert jobs.until(job, "Completed", "Failed")["state"] == "Completed"
    assert [m for _, m in jobs.lines(job)] == ["Completed\n", "[1, 1]\n"]
    child = next(j for j in jobs.service.ask("GET", "/api/jobs?runbook=part")[1]["jobs"])
    assert (child["trigger"], child["parent"]) == ("job", job)


def test_a_runbook_waits_for_a_person_without_a_process(jobs: Jobs) -> None:
    jobs.bring("careful", "import workbench\nworkbench.step('before', lambda: print('before'))\nworkbench.runbook.approval('Delete all?')\nprint('after')")  # fmt: skip
    job = jobs.start("careful")
    found = jobs.until(job, "Suspended", "Completed", "Failed")
    assert (found["state"], found["error"]) == ("Suspended", "waits for a person: Delete all?")
    assert jobs.service.ask("POST", f"/api/jobs/{job}/resume")[0] == 200
    assert jobs.until(job, "Completed", "Failed", "Suspended")["state"] == "Completed"
    # The question is the reason of the suspension, and no message of the job beside it.
    told = [line for line in jobs.lines(job) if line[0] != "Verbose"]
    assert told == [["Output", "before\n"], ["Output", "after\n"]]
    asked = jobs.rows(f"Job | where JobId == '{job}' and Error has 'Delete all?' | project State")
    assert asked == [["Suspended"]]


def test_a_worker_that_is_killed_loses_no_job(jobs: Jobs, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    jobs.bring("killed", f"import pathlib, time\nm = pathlib.Path({str(mark)!r})\nif not m.exists():\n    m.touch()\n    time.sleep(600)")  # fmt: skip
    job = jobs.start("killed")
    wait_for(mark.exists)
    workers = children(jobs.service.process.pid, "workbench.server.worker")
    assert len(workers) == 1
    os.kill(workers[0], signal.SIGKILL)
    found = jobs.until(job, "Completed", "Failed", "Suspended")
    assert (found["state"], found["attempt"]) == ("Completed", 2)


def test_a_reader_may_look_and_not_start(jobs: Jobs) -> None:
    jobs.bring("plain", "1", parameters="a: int = 1")
    from workbench.base.access import Access, Role
    from workbench.base.database import Database

    access = Access(Database.open(jobs.service.workspace / "state"), jobs.service.workspace_id)
    _, token = access.create_token(Role.READER)
    assert jobs.service.ask("GET", "/api/jobs", token=token)[0] == 200
    for method, path in (("POST", "/api/runbooks/plain/start"), ("PUT", "/api/runbooks/plain"), ("POST", "/api/worker/claim")):  # fmt: skip
        assert jobs.service.ask(method, path, {}, token=token)[0] == 403
    assert jobs.service.ask("POST", "/api/job/renew", {}, token=token)[0] == 409


def lives(pid: int) -> bool:
    """Whether a process runs; one that is dead and waits to be asked after does not."""
    import psutil

    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def children(parent: int, module: str) -> list[int]:
    """Processes that run a module and have that parent."""
    import psutil

    return [p.pid for p in psutil.Process(parent).children() if module in " ".join(p.cmdline())]


def test_a_cell_of_a_notebook_starts_a_runbook_and_watches_it(jobs: Jobs, monkeypatch: Any) -> None:
    jobs.bring(
        "watched",
        "import workbench\nprint('hello', days + 1)\nworkbench.runbook.warning('mind')\nassert days < 9",
        parameters="days: int = 1",
    )
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(jobs.service.workspace))
    shell = InteractiveShell()
    shell.register_magics(Runbooks(shell))
    with capture_output() as shown:
        job = shell.run_line_magic("runbook", "watched -p days=7 --wait")
    assert shown.stdout == "hello 8\nWarning: mind\n"
    assert jobs.get(job)["trigger"] == "person"
    for line, code in (
        ("watched -p days=9 --wait", "JOB309"),
        ("watched -p day=9", "JOB102"),
        ("watched -p days", "JOB109"),
        ("watched --often", "JOB324"),
        ("'watched", "JOB324"),
        ("nothing", "JOB201"),
    ):
        with capture_output(), pytest.raises(WorkbenchError, match=code):
            shell.run_line_magic("runbook", line)
