"""A workspace of ten machines, two of which have fallen silent, up to this moment."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from workbench import workspace
from workbench.repository.tables import Repository

HOSTS = [*(f"web{i:02d}" for i in range(1, 8)), "db01", "db02", "mail01"]
# Minutes since a machine was last heard of.
SILENT = {"db02": 40, "web05": 8}


def fill(path: Path) -> None:
    """Six hours of heartbeats and counters, a day of sign-ins and messages."""
    repository = Repository.open(str(path), create=True)
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    beats: list[dict[str, Any]] = []
    counters: list[dict[str, Any]] = []
    for number, host in enumerate(HOSTS):
        for minute in range(SILENT.get(host, 0), 360):
            at = now - dt.timedelta(minutes=minute)
            system = "Debian GNU/Linux 12" if number < 7 else "Windows Server 2025"
            beats.append(
                {"TimeGenerated": at, "Computer": host, "OSName": system, "ComputerIP": f"10.0.0.{number}"}
            )
            if minute % 5 == 0:
                busy = 30 + 4 * number + 20 * math.sin(minute / 40 + number)
                used = 40 + 6.0 * number - minute / 60
                for kind, counter, instance, value in (
                    ("Processor", "% Processor Time", "_Total", busy), ("Processor", "% Processor Time", "0", busy),
                    ("Memory", "% Used Memory", "", 50.0), ("Logical Disk", "% Used Space", "/", used),
                ):  # fmt: skip
                    counters.append({"TimeGenerated": at, "Computer": host, "ObjectName": kind, "CounterName": counter, "InstanceName": instance, "CounterValue": value})  # fmt: skip
    events: list[dict[str, Any]] = []
    messages: list[dict[str, Any]] = []
    windows: list[dict[str, Any]] = []
    for minute in range(1440):
        at = now - dt.timedelta(minutes=minute)
        host = HOSTS[7 + minute % 3]
        events.append({"TimeGenerated": at, "Computer": host, "EventID": (4624, 4624, 4625, 4634)[minute % 4], "TargetUserName": ("alice", "bob", "carol")[minute % 3], "IpAddress": "10.0.0.9"})  # fmt: skip
        messages.append({"TimeGenerated": at, "Computer": HOSTS[minute % 7], "SeverityLevel": ("info", "warning", "err")[minute % 3], "ProcessName": ("sshd", "cron")[minute % 2]})  # fmt: skip
        if minute % 7 == 0:
            windows.append({"TimeGenerated": at, "Computer": host, "EventLevelName": ("Information", "Error")[minute % 2], "Source": "Disk"})  # fmt: skip
    tables = {
        "Heartbeat": beats,
        "Perf": counters,
        "SecurityEvent": events,
        "Syslog": messages,
        "Event": windows,
    }
    for name, rows in tables.items():
        repository.append(
            name, pl.DataFrame(rows).with_columns(pl.col("TimeGenerated").dt.cast_time_unit("us"))
        )


@pytest.fixture(scope="session")
def fleet_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fleet") / "workspace"
    fill(path)
    return path


@pytest.fixture(scope="session")
def fleet(fleet_path: Path) -> workspace.Workspace:
    return workspace.open(str(fleet_path))
