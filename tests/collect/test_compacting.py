"""Compaction in a process of its own: it begins again after a kill, and ends with whoever asked."""

from __future__ import annotations

import array
import fcntl
import signal
import subprocess
import sys
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import pytest

import workbench
from workbench.collect.compacting import Compactor

ASKER = """
import sys, time
from workbench.collect.compacting import Compactor
with Compactor(sys.argv[1]) as compactor:
    compactor.compact("App")
    print(compactor._process.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def opened(tmp_path: Any) -> Any:
    opened = workbench.open(str(tmp_path / "workspace"), create=True)
    for number in range(3):
        opened.ingest("App", [{"Size": number}])
    return opened


@pytest.mark.slow
def test_after_a_kill_the_table_is_as_it_was_and_the_next_one_is_compacted(opened: Any) -> None:
    with Compactor(opened.path) as compactor:
        assert compactor.compact("App").files_before == 3
        assert compactor._process is not None
        first = compactor._process
        first.send_signal(signal.SIGSTOP)  # the question is asked, and never answered
        opened.ingest("App", [{"Size": 3}])
        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(compactor.compact, "App")
            while not _waiting_bytes(first):
                time.sleep(0.01)
            first.kill()
            with pytest.raises(ChildProcessError):
                asked.result(60)
        done = compactor.compact("App")
        assert compactor._process is not first
    assert opened.query("App | summarize sum(Size), count()").frame.row(0) == (6, 4)
    assert done.files_after <= 1
    assert opened.repository.scan("App").files_total == 1


@pytest.mark.slow
def test_it_ends_with_the_process_that_asked(opened: Any) -> None:
    asker = subprocess.Popen([sys.executable, "-c", ASKER, opened.path], stdout=subprocess.PIPE, text=True)
    assert asker.stdout is not None
    compacting = psutil.Process(int(asker.stdout.readline()))
    asker.kill()
    asker.wait()
    until = time.monotonic() + 60
    while _lives(compacting) and time.monotonic() < until:
        time.sleep(0.01)
    assert not _lives(compacting)


def _waiting_bytes(process: subprocess.Popen[bytes]) -> int:
    """What was written to the input of a process and not read by it."""
    assert process.stdin is not None
    return int(array.array("i", fcntl.ioctl(process.stdin, termios.FIONREAD, bytes(4)))[0])


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
