"""Real senders of syslog against a running service: rsyslog over TCP in both framings and UDP, logger, a logging handler."""

from __future__ import annotations

import json
import logging
import logging.handlers
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
SERVE = ("--syslog", "127.0.0.1:0")


def rows(service: Any, query: str) -> list[list[Any]]:
    status, body = service.query(query)
    # Before the first message there is no table.
    found: list[list[Any]] = body["tables"][0]["rows"] if status == 200 else []
    return found


def until(service: Any, query: str, count: int, seconds: float = 40) -> list[list[Any]]:
    end = time.monotonic() + seconds
    while True:
        found = rows(service, query)
        if len(found) >= count:
            return found
        assert time.monotonic() < end, (len(found), service.log()[-2000:])
        time.sleep(0.05)


@pytest.fixture
def port(service: Any) -> int:
    found = re.search(r"syslog on 127\.0\.0\.1:(\d+), UDP and TCP", service.log())
    assert found
    return int(found[1])


@contextmanager
def rsyslog(folder: Path, action: str) -> Iterator[Path]:
    """A forwarding rsyslogd; gives the socket on which it takes messages."""
    program = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin")
    if program is None:
        pytest.skip("there is no rsyslogd here")
    taken = folder / "log"
    (folder / "rsyslog.conf").write_text(
        f"""
        global(workDirectory="{folder}" net.enableDNS="off" localHostname="web01")
        module(load="imuxsock" SysSock.Use="off")
        input(type="imuxsock" Socket="{taken}" useSysTimeStamp="off" createPath="on" RateLimit.Interval="0")
        action(type="omfwd" target="127.0.0.1" {action})
        """
    )
    process = subprocess.Popen(
        [program, "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "pid")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 20
        while not taken.exists():
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        yield taken
    finally:
        process.terminate()
        process.wait(20)


FORWARDS = {
    "lines": 'port="{port}" protocol="tcp" TCP_Framing="traditional"',
    "counted": 'port="{port}" protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format"',
    "datagrams": 'port="{port}" protocol="udp"',
    "datagrams23": 'port="{port}" protocol="udp" template="RSYSLOG_SyslogProtocol23Format"',
}


@pytest.mark.parametrize("name", FORWARDS)
def test_what_rsyslog_forwards_is_found(service: Any, port: int, tmp_path: Path, name: str) -> None:
    count = 200
    with rsyslog(tmp_path, FORWARDS[name].format(port=port)) as taken:
        sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sender.connect(str(taken))
        for n in range(count):
            stamp = time.strftime("%b %e %H:%M:%S")
            sender.send(f"<75>{stamp} {name}[{n + 1}]: Straße {n} öffnet".encode())
        sender.close()
        query = f'Syslog | where ProcessName == "{name}" | sort by ProcessID asc'
        columns = "ProcessID, SyslogMessage, Facility, SeverityLevel, Computer, HostName, HostIP, TimeGenerated > ago(1h), EventTime == TimeGenerated"
        found = until(service, f"{query} | project {columns}", count)
    assert found == [
        [n + 1, f"Straße {n} öffnet", "cron", "err", "web01", "web01", "127.0.0.1", True, True]
        for n in range(count)
    ]


@pytest.mark.parametrize(
    "way", ["--tcp --octet-count --rfc5424", "--tcp --rfc3164", "--udp --rfc5424", "--udp --rfc3164"]
)
def test_what_logger_sends_is_found(service: Any, port: int, way: str) -> None:
    program = shutil.which("logger")
    if program is None:
        pytest.skip("there is no logger here")
    tag = way.replace("-", "").replace(" ", "")
    subprocess.run(
        [program, *way.split(), "--server", "127.0.0.1", "--port", str(port), "--tag", tag, "-p", "local3.warning", "hello [x] wörld"],
        check=True,
        timeout=20,
    )  # fmt: skip
    query = f'Syslog | where ProcessName == "{tag}" | project SyslogMessage, Facility, SeverityLevel, Computer, TimeGenerated > ago(1h), TimeGenerated < now(1h)'
    found = until(service, query, 1)
    assert found[0][:3] == ["hello [x] wörld", "local3", "warning"]
    assert found[0][3].split(".")[0] == socket.gethostname().split(".")[0]
    assert found[0][4:] == [True, True]


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_the_logging_handler_of_python(service: Any, port: int, kind: socket.SocketKind) -> None:
    """It sends a priority and the text, ended by a NUL: over TCP two of these can't be told apart, so one is sent."""
    handler = logging.handlers.SysLogHandler(("127.0.0.1", port), socktype=kind)
    logger = logging.getLogger(f"tests.syslog.{kind}")
    logger.propagate = False
    logger.addHandler(handler)
    logger.error("broken by %s", kind.name)
    logger.removeHandler(handler)
    handler.close()
    found = until(
        service,
        f'Syslog | where SyslogMessage == "broken by {kind.name}" | project Facility, SeverityLevel, Computer',
        1,
    )
    assert found == [["user", "err", "127.0.0.1"]]


def test_raw_bytes_in_odd_pieces_and_what_is_mended(service: Any, port: int) -> None:
    data = (
        b'<11>1 2026-01-02T03:04:05.123456Z web02 raw 7 ID1 [a@1 b="c\\"d\\]"] \xef\xbb\xbfhello\n'
        + b"<11>1 - web02 raw - - - caf\xe9\n"
    )
    with socket.create_connection(("127.0.0.1", port)) as sender:
        for index in range(0, len(data), 7):
            sender.sendall(data[index : index + 7])
    query = 'Syslog | where ProcessName == "raw" | sort by SyslogMessage asc | project SyslogMessage, TimeGenerated, ProcessID, MessageId, tostring(StructuredData["a@1"].b), CollectorHostName'
    found = until(service, query, 2)
    assert found[0][0] == "caf\\xe9"
    assert found[1] == ["hello", "2026-01-02T03:04:05.1234560Z", 7, "ID1", 'c"d]', socket.gethostname()]


def test_the_service_still_says_one_line(service: Any) -> None:
    assert json.loads((service.workspace / "state" / "service.json").read_text())["url"] == service.url
