"""The agent of this machine beside a real service: its records can be searched."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest

pytestmark = pytest.mark.slow

FIRST = ("Perf", "Heartbeat")
LATER = ("Syslog", "Update", "VMConnection")
"""Tables that an agent fills when there is something to tell; a question has an answer before."""
SEARCHES = {
    "Heartbeat | where Category == 'Direct Agent' | count": 1,
    "Perf | where ObjectName == 'Processor' and InstanceName == '_Total' and CounterValue between (0.0 .. 100.0) | count": 1,
    "Perf | distinct CounterName | count": 8,
    "Perf | where isempty(Computer) or TimeGenerated > now() | count": 0,
}


def test_first_records_can_be_searched_within_seconds(service: Any) -> None:
    assert service.query("Perf | count")[0] == 400
    agent = subprocess.Popen(
        [sys.executable, "-m", "workbench.cli", "agent", "--workspace", str(service.workspace)],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 20
        while service.query("Perf | count")[0] != 200:
            assert time.monotonic() < deadline, "not enrolled in time"
            time.sleep(0.05)
        while not all(service.query(f"{table} | take 1")[1]["tables"][0]["rows"] for table in FIRST):
            assert time.monotonic() < deadline, "no records in time"
            time.sleep(0.05)
        for table in LATER:
            assert service.query(f"{table} | where isnotempty(_ResourceId) | count")[0] == 200
        for text, least in SEARCHES.items():
            status, body = service.query(text)
            assert status == 200, body
            count = body["tables"][0]["rows"][0][0]
            assert count >= least if least else count == 0, text
    finally:
        agent.terminate()
        _, said = agent.communicate(timeout=20)
    assert agent.returncode == 0
    assert "Traceback" not in said
