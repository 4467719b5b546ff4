"""Processes and connections, with real sockets of this test: who connected to whom, and how often."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from workbench.collect.sources.processes import Processes


@pytest.fixture
def looked(run, monkeypatch: pytest.MonkeyPatch):
    """A runner whose interval ends with every reading."""
    monkeypatch.setattr("workbench.collect.sources._turns._EARLY", float("inf"))
    return run(Processes)


def rows_of(found, port: int, direction: str):
    rows = found.get("VMConnection", [])
    return [r for r in rows if r["DestinationPort"] == port and r["Direction"] == direction]


def test_connections_are_counted_on_both_sides(looked) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    with server:
        pairs = []
        for _ in range(3):
            pairs += [socket.create_connection(("127.0.0.1", port)), server.accept()[0]]
        found = looked.collect()
        for direction in ("inbound", "outbound"):
            (row,) = rows_of(found, port, direction)
            assert (row["LinksEstablished"], row["LinksLive"], row["LinksTerminated"]) == (3, 3, 0)
            assert (row["SourceIp"], row["DestinationIp"], row["RemoteIp"]) == ("127.0.0.1",) * 3
            assert row["Protocol"] == "tcp"
            assert row["ProcessName"]
        for each in pairs[:2]:
            each.close()
        (row,) = rows_of(looked.collect(), port, "outbound")
        assert (row["LinksEstablished"], row["LinksLive"], row["LinksTerminated"]) == (0, 2, 1)
        for each in pairs[2:]:
            each.close()
    (row,) = rows_of(looked.collect(), port, "outbound")
    assert (row["LinksLive"], row["LinksTerminated"]) == (0, 2)
    assert rows_of(looked.collect(), port, "outbound") == []


def test_what_was_open_before_the_start_is_not_counted_as_new(run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), server.accept()[0]:
            processes = run(Processes, {"intervalInSeconds": 1})
            processes.source._interval._next = 0.0
            (row,) = rows_of(processes.collect(), port, "inbound")
            assert (row["LinksEstablished"], row["LinksLive"]) == (0, 1)


def test_processes_are_rows_with_their_secrets_masked(run, machine, eventually) -> None:
    arguments = [
        sys.executable,
        "-c",
        "print(flush=True); input()",
        "--password=hunter2",
        "--token",
        "hunter3",
    ]
    child = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        found = run(Processes).collect()
        (row,) = [r for r in found["VMProcess"] if r["FirstPid"] == child.pid]
        assert row["ExecutablePath"] == os.path.realpath(sys.executable)
        assert row["CommandLine"].endswith("--password=*** --token ***")
        assert row["WorkingDirectory"] == os.getcwd()
        assert row["Machine"] == f"m-{machine.source_computer_id}"
    finally:
        child.communicate(b"\n", timeout=30)
    (computer,) = found["VMComputer"]
    assert computer["PhysicalMemoryMB"] > 0
    assert computer["Cpus"] >= 1
    assert computer["Machine"] == row["Machine"]
