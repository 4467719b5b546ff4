"""Interrupting a real kernel: the engine's threads stop, the kernel lives.

The prompt coming back proves nothing, so the proof is the processor time of the kernel's process: it
stands still a second after the interrupt.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import polars as pl
import psutil
import pytest
from jupyter_client.manager import KernelManager

from workbench.repository.tables import Repository

pytestmark = pytest.mark.slow

ROWS = 400_000
PARTS = 30
DEADLINE = 60.0
QUERIES = {
    "scan": "Big | where strcat(Text, Text, Text) matches regex '9[0-7]*8[0-6]*7[0-5]*z' or tostring(hash_sha256(Text)) has 'none' | count",
    "sort": "Big | sort by Text asc, Value desc | serialize n = row_number() | where n % 1000 == 0 | summarize max(Text)",
    "join": "Big | join kind=inner (Big | extend Text = strcat(Text, '')) on $left.Key == $right.Key | summarize dcount(Text), count() by Key",
}


class Kernel:
    """One kernel with the extension loaded, asked over its channels."""

    def __init__(self, workspace: Path) -> None:
        self.manager = KernelManager(kernel_name="python3", transport="ipc")
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=DEADLINE)
        self.process = psutil.Process(self.manager.provisioner.pid)
        self.ask(f"import os; os.environ['WORKBENCH_WORKSPACE'] = {str(workspace)!r}")

    def ask(
        self, code: str, when: Callable[[Kernel], None] | None = None, said: str | None = None
    ) -> list[dict[str, Any]]:
        """Run a cell to its end; `when` is called once it has begun to work, or has shown what fits `said`."""
        sent = self.client.execute(code)
        outputs: list[dict[str, Any]] = []
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            try:
                message = self.client.get_iopub_msg(timeout=0.05)
            except Empty:
                if when is not None and said is None:
                    when(self)
                    when = None
                continue
            if message["parent_header"].get("msg_id") != sent:
                continue
            if message["msg_type"] in (
                "error",
                "execute_result",
                "display_data",
                "update_display_data",
                "stream",
            ):
                outputs.append(message["content"])
                shown = message["content"].get("data", {}).get("text/plain", "")
                if when is not None and said is not None and re.search(said, shown):
                    when(self)
                    when = None
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                return outputs
        raise AssertionError(f"the cell did not end within {DEADLINE:.0f} s: {code}")

    def processor_seconds(self) -> float:
        used = self.process.cpu_times()
        return float(used.user + used.system)

    def stop(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table that no question over it answers in less than some seconds."""
    path = tmp_path_factory.mktemp("interrupt") / "workspace"
    repository = Repository.open(str(path), create=True)
    number = pl.int_range(ROWS, eager=True)
    for part in range(PARTS):
        scattered = (number * 7919 + part * 104729) % 1_000_003
        frame = pl.DataFrame(
            {"Key": scattered % 2000, "Value": scattered, "Text": (scattered * 48271).cast(pl.String)}
        )
        repository.append("Big", frame)
    return path


@pytest.fixture(scope="module", params=["polars first", "extension first"])
def kernel(request: pytest.FixtureRequest, workspace: Path) -> Iterator[Kernel]:
    """With Polars imported by the notebook before the extension, and after it."""
    made = Kernel(workspace)
    if request.param == "polars first":
        made.ask("import polars")
    made.ask("%load_ext workbench")
    yield made
    made.stop()


def interrupt_when_busy(kernel: Kernel) -> None:
    """Interrupt once the query has used half a second of processor time."""
    began = kernel.processor_seconds()
    deadline = time.monotonic() + DEADLINE
    while kernel.processor_seconds() - began < 0.5:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    kernel.manager.interrupt_kernel()


def test_an_interrupt_stops_scan_join_and_sort_and_the_kernel_lives(kernel: Kernel) -> None:
    kernel.ask("%logsearch Big | take 1")
    for name, query in QUERIES.items():
        began: list[float] = []

        def stop(asked: Kernel, began: list[float] = began) -> None:
            interrupt_when_busy(asked)
            began.append(time.monotonic())

        outputs = kernel.ask(f"%%logsearch\n{query}", stop)
        assert began, f"{name}: ended before it could be interrupted"
        took = time.monotonic() - began[0]
        # What can run file by file keeps the rows that it has, if it has some.
        kept = name == "scan" and "partial: " in outputs[-1].get("data", {}).get("text/plain", "")
        assert kept or outputs[-1].get("evalue", "").startswith("KQL303"), (name, outputs)
        assert took < 2.0, f"{name}: the prompt came back after {took:.1f} s"
        settled = kernel.processor_seconds()
        time.sleep(1.0)
        assert kernel.processor_seconds() - settled < 0.15, f"{name}: the kernel still works"
    answer = kernel.ask("%logsearch Big | count")
    assert f"{ROWS * PARTS:,}" in answer[-1]["data"]["text/plain"]


def test_a_query_that_is_busy_in_python_stops_too(kernel: Kernel) -> None:
    kernel.ask("from workbench.query import stopping")
    kernel.ask("def spin():\n    n = 0\n    while True:\n        n += 1")
    outputs = kernel.ask("stopping.run(spin)", interrupt_when_busy)
    assert outputs[-1]["evalue"].startswith("KQL303")
    assert "42" in kernel.ask("stopping.run(lambda: 42)")[-1]["data"]["text/plain"]


def test_a_long_query_says_how_long_it_runs_and_leaves_one_line(kernel: Kernel) -> None:
    outputs = kernel.ask(
        f"%%logsearch\n{QUERIES['sort']}", lambda k: k.manager.interrupt_kernel(), said="searching"
    )
    told = [o["data"]["text/plain"] for o in outputs if "data" in o]
    assert told, outputs
    assert re.match(r"searching · ((\d+ of 30 files|all 30 files read) · )?1\.?\d* s · interrupt", told[0])
    assert told[-1].startswith("stopped after")
    places = {o["transient"]["display_id"] for o in outputs if "data" in o}
    assert len(places) == 1


def test_an_interrupted_query_keeps_the_rows_of_the_files_that_it_has_read(kernel: Kernel) -> None:
    cell = (
        "%%logsearch --as r\nBig | where tostring(hash_sha256(Text)) startswith '00' | summarize n = count()"
    )
    outputs = kernel.ask(
        cell, lambda k: k.manager.interrupt_kernel(), said=r"searching · [1-9]\d* of 30 files"
    )
    assert "data" in outputs[-1], outputs
    last = outputs[-1]["data"]["text/plain"]
    done = re.search(r"partial: (\d+) of 30 files, the query was stopped ", last)
    assert done, outputs
    settled = kernel.processor_seconds()
    time.sleep(1.0)
    assert kernel.processor_seconds() - settled < 0.15
    told = kernel.ask("(r.partial, r.frame.item() > 0, r.statistics.files_read)")[-1]["data"]["text/plain"]
    assert told == f"(True, True, {done[1]})"
