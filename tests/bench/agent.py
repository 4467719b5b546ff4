"""The agent at 10,000 events a second: its processor time and memory, and that nothing is lost.

    python tests/bench/agent.py [--seconds 60] [--rate 10000] [--soak MINUTES]

A log file grows at that rate; a real agent follows it by a collection rule and sends to a real service. Two forms:
lines as they are (200 bytes, to a table of one's own), and lines of syslog, which are taken apart. Prints the agent's
processor time as a share of one core (user and system, children included), its largest resident size, the delay until
the last line could be searched, and the count of rows against that of lines. With --soak the memory of agent and
service minute by minute, beside queries and compaction, and the ratio of the last minute to the third.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parent))
from intake import Running

TICKS = 50
"""Writes a second, as a busy daemon flushes."""
MOST_CORE, MOST_MIB = 0.5, 280.0
FORMS = ("text", "syslog")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--rate", type=int, default=10_000)
    options.add_argument("--form", choices=FORMS, action="append")
    options.add_argument("--soak", type=float, default=0.0, metavar="MINUTES")
    given = options.parse_args()
    fine = True
    with tempfile.TemporaryDirectory(prefix="bench-agent-", ignore_cleanup_errors=True) as folder:
        for form in given.form or FORMS:
            with Agent(Path(folder) / form, form) as agent:
                fine &= measure(agent, given.rate, given.seconds)
        if given.soak:
            with Agent(Path(folder) / "soak", "syslog") as agent:
                fine &= soak(agent, given.rate // 5, given.soak)
    return 0 if fine else 1


class Agent:
    """A service, and an agent that follows one growing file."""

    def __init__(self, folder: Path, form: str) -> None:
        self.form = form
        self.table = "Syslog" if form == "syslog" else "Lines_CL"
        self._folder = folder
        self.written = 0
        self.log = folder / "log" / "app.log"

    def __enter__(self) -> Agent:
        self.log.parent.mkdir(parents=True)
        self.log.write_text("")
        self.service = Running(self._folder / "ws").__enter__()
        state = self._folder / "agent"
        state.mkdir()
        (state / "agent.yaml").write_text(json.dumps({"allow_paths": [str(self.log.parent)]}))
        self._rule()
        key = self.service._command("key", "show", "--json")["primary"]
        url = f"http://{self.service.address.hostname}:{self.service.address.port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workbench.cli", "agent", "--service", url, "--key", key, "--state", str(state)],
            stderr=(self._folder / "agent.err").open("w"),
        )  # fmt: skip
        self.watched = psutil.Process(self.process.pid)
        self.write(1)
        self.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()
        self.service.__exit__()

    def _rule(self) -> None:
        stream = "Microsoft-Syslog" if self.form == "syslog" else "Custom-Lines"
        entry = {"name": "app", "streams": [stream], "filePatterns": [str(self.log)], "format": "text"}
        rule = {
            "dataSources": {"logFiles": [entry]},
            "streamDeclarations": {} if self.form == "syslog" else {
                "Custom-Lines": {"columns": [
                    {"name": "TimeGenerated", "type": "datetime"}, {"name": "Computer", "type": "string"},
                    {"name": "FilePath", "type": "string"}, {"name": "RawData", "type": "string"},
                ]}
            },
            "destinations": {"logAnalytics": [{"name": "here"}]},
            "dataFlows": [{"streams": [stream], "destinations": ["here"], "outputStream": "Microsoft-Syslog" if self.form == "syslog" else "Custom-Lines_CL"}],
        }  # fmt: skip
        path = self._folder / "rule.json"
        path.write_text(json.dumps(rule))
        self.service._command("rule", "create", str(path), "--json")

    def write(self, count: int) -> None:
        """Let the file grow by so many lines."""
        now = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        begin = f"{now} web01 nginx[4711]: " if self.form == "syslog" else f"{now} INFO request "
        pad = "GET /api/v1/things?page=7 200 1532 0.012 ref=- agent=Mozilla/5.0 (X11; Linux) " * 2
        lines = [f"{begin}{n} {pad}"[:199] + "\n" for n in range(self.written + 1, self.written + count + 1)]
        with self.log.open("a") as file:
            file.write("".join(lines))
        self.written += count

    def stored(self) -> int:
        rows = self.ask(f"{self.table} | count")
        return int(rows[0][0]) if rows else 0  # type: ignore[call-overload]

    def ask(self, query: str) -> list[list[object]]:
        """Over a connection of its own: an idle one may have been closed."""
        connection = self.service.connection()
        try:
            return self.service.ask(connection, query)
        finally:
            connection.close()

    def wait(self, seconds: float = 120.0) -> float:
        """Seconds until all lines can be searched."""
        began = time.monotonic()
        while self.stored() < self.written:
            if time.monotonic() - began > seconds:
                break
            time.sleep(0.05)
        return time.monotonic() - began

    def grow(self, rate: int, seconds: float) -> None:
        """Lines at a steady rate; a late write is made up for."""
        began, before = time.monotonic(), self.written
        while (now := time.monotonic() - began) < seconds:
            due = before + int(rate * now)
            if due > self.written:
                self.write(due - self.written)
            time.sleep(1 / TICKS)
        self.write(before + int(rate * seconds) - self.written)

    def used(self) -> float:
        """Processor seconds of the agent and what it started."""
        times = self.watched.cpu_times()
        return times.user + times.system + times.children_user + times.children_system

    def service_used(self) -> float:
        times = self.service.watched.cpu_times()
        return times.user + times.system

    def size(self) -> float:
        return self.watched.memory_info().rss / 2**20


def measure(agent: Agent, rate: int, seconds: float) -> bool:
    """A minute at the rate."""
    writer = threading.Thread(target=agent.grow, daemon=True, args=(rate, seconds))
    began, used, largest, service = time.monotonic(), agent.used(), 0.0, agent.service_used()
    writer.start()
    while writer.is_alive():
        largest = max(largest, agent.size())
        writer.join(1.0)
    took = time.monotonic() - began
    late = agent.wait()
    # To the last line, over the time in which they came: a machine that is too busy makes it late, not cheap.
    cores, service = (agent.used() - used) / took, (agent.service_used() - service) / took
    largest = max(largest, agent.size())
    stored = agent.stored()
    whole = stored == agent.written
    print(
        f"agent, {agent.form}: {agent.written / took:,.0f} lines/s for {took:.0f} s: {cores:.2f} core (at most {MOST_CORE}), "
        f"{largest:.0f} MiB (at most {MOST_MIB:.0f}); service {service:.2f} core; the last line could be searched {late:.1f} s later; "
        f"{stored:,} rows of {agent.written:,} lines{'' if whole else ': NOT THE SAME'}",
        flush=True,
    )  # fmt: skip
    return whole and cores <= MOST_CORE and largest <= MOST_MIB


def soak(agent: Agent, rate: int, minutes: float) -> bool:
    """Memory of both over minutes, beside a query a second and compactions."""
    writer = threading.Thread(target=agent.grow, daemon=True, args=(rate, 60 * minutes))
    sizes: list[tuple[float, float]] = []
    began = time.monotonic()
    writer.start()
    for minute in range(1, int(minutes) + 1):
        while time.monotonic() - began < 60 * minute:
            agent.ask(f"{agent.table} | summarize count() by bin(TimeGenerated, 1m)")
            time.sleep(1.0)
        agent.service._command("compact", agent.table, "--json")
        sizes.append((agent.size(), agent.service.watched.memory_info().rss / 2**20))
        print(f"soak, minute {minute}: agent {sizes[-1][0]:.0f} MiB, service {sizes[-1][1]:.0f} MiB", flush=True)  # fmt: skip
    writer.join()
    agent.wait()
    whole = agent.stored() == agent.written
    third = sizes[min(2, len(sizes) - 1)]
    ratios = [last / first for first, last in zip(third, sizes[-1], strict=True)]
    print(f"soak: minute {len(sizes)} to minute 3: agent {ratios[0]:.2f}, service {ratios[1]:.2f} (at most 1.10); all rows: {whole}")  # fmt: skip
    return whole and max(ratios) <= 1.1


if __name__ == "__main__":
    sys.exit(main())
