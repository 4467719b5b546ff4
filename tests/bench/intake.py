"""Records in: how fast the service takes them over HTTP, how soon a query sees them, how fast a file is imported.

    python tests/bench/intake.py [--seconds 20] [--soak MINUTES]

Four connections post through the Logs Ingestion API: real events in posts of 1 MB by the shipped rule, then 1,000
records of 200 bytes a post, each field a column. Each answer is durable, and at the end a query counts what was
acknowledged. Prints MB/s, records/s, and the processor time of service and sender apart, also per MB: on a machine
that others use as well, that is the figure to compare. The time from a post to the first query that sees it (p50,
p95) is asked all the while; --soak tells the service's memory minute by minute. The import is measured beside
DuckDB's read_json to Parquet of the same file, in the same run.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import psutil

sys.path.insert(0, str(Path(__file__).parent))
import data

from workbench.collect.importing import import_source
from workbench.collect.parallel import processors
from workbench.repository.tables import Repository

CONNECTIONS = 4
POST_BYTES = 1_000_000
SMALL = 1_000
EVENTS, SMALL_STREAM, PROBES = "Custom-WindowsEvents", "Custom-Small", "Custom-Probe"


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=20.0)
    options.add_argument("--soak", type=float, default=0.0, metavar="MINUTES")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-intake-") as folder:
        place = Path(folder)
        lines = place / "events.jsonl"
        with lines.open("wb") as out:
            for record in data._records():
                out.write(orjson.dumps(record) + b"\n")
        events = list(_posts(lines))
        small = [_small(i) for i in range(64)]
        for load in (
            Load("real events, 1 MB", EVENTS, events, ("SecurityEvent", "Event")),
            Load("small records, 1,000 of 200 bytes", SMALL_STREAM, small, ("Small_CL",)),
        ):
            with Running(place / load.name.split(",")[0].replace(" ", "-")) as service:
                _measure(service, load, given.seconds)
        if given.soak:
            with Running(place / "soak") as service:
                _soak(service, Load("soak", EVENTS, events, ("SecurityEvent", "Event")), given.soak)
        _import(place, lines)
    return 0


@dataclass(frozen=True)
class Load:
    """What is posted: bodies for a stream, and the tables that its records come to lie in."""

    name: str
    stream: str
    bodies: list[bytes]
    tables: tuple[str, ...]


class Running:
    """A service of its own, with a token, the shipped rule for events and one for small records and probes."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace

    def __enter__(self) -> Running:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "workbench.cli", "--workspace", str(self.workspace), "serve"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        told = json.loads(self.process.stdout.readline())
        self.address = urllib.parse.urlsplit(told["url"])
        self.path = f"/v1/workspaces/{told['workspace_id']}/query"
        self.token = self._command("token", "create", "--role", "owner", "--json")["token"]
        rule = self.workspace.with_suffix(".rule.json")
        rule.write_text(json.dumps(RULE))
        self.rules = {
            EVENTS: self._command("rule", "create", "windows_events", "--json")["immutable_id"],
            **dict.fromkeys(
                (SMALL_STREAM, PROBES), self._command("rule", "create", str(rule), "--json")["immutable_id"]
            ),
        }
        self.watched = psutil.Process(self.process.pid)
        return self

    def resident(self) -> int:
        """Bytes of memory that the service and all its processes hold now."""
        size = 0
        for process in (self.watched, *self.watched.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                size += process.memory_info().rss
        return size

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def _command(self, *arguments: str) -> dict[str, str]:
        command = [sys.executable, "-m", "workbench.cli", "--workspace", str(self.workspace), *arguments]
        found: dict[str, str] = json.loads(subprocess.check_output(command, text=True))
        return found

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.address.hostname or "", self.address.port, timeout=60)

    def post(self, connection: http.client.HTTPConnection, stream: str, body: bytes, number: str) -> int:
        headers = {
            "Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "x-ms-client-request-id": number
        }  # fmt: skip
        target = f"/dataCollectionRules/{self.rules[stream]}/streams/{stream}?api-version=2023-01-01"
        connection.request("POST", target, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def ask(self, connection: http.client.HTTPConnection, query: str) -> list[list[object]]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request("POST", self.path, orjson.dumps({"query": query}), headers)
        answer = orjson.loads(connection.getresponse().read())
        rows: list[list[object]] = answer["tables"][0]["rows"] if "tables" in answer else []
        return rows


def _flow(stream: str) -> dict[str, object]:
    return {
        "streams": [stream],
        "destinations": ["here"],
        "transformKql": "source",
        "outputStream": stream + "_CL",
    }


def _columns(**types: str) -> dict[str, object]:
    return {"columns": [{"name": name, "type": type_} for name, type_ in types.items()]}


RULE = {
    "streamDeclarations": {
        SMALL_STREAM: _columns(TimeGenerated="datetime", Computer="string", Level="string", Code="long", Message="string"),
        PROBES: _columns(TimeGenerated="datetime", Probe="string"),
    },
    "destinations": {"logAnalytics": [{"name": "here"}]},
    "dataFlows": [_flow(SMALL_STREAM), _flow(PROBES)],
}  # fmt: skip


def _posts(lines: Path) -> Iterator[bytes]:
    parts: list[bytes] = []
    size = 0
    for line in lines.open("rb"):
        if size + len(line) > POST_BYTES:
            yield b"[" + b",".join(parts) + b"]"
            parts, size = [], 0
        parts.append(line.rstrip())
        size += len(line)


def _small(number: int) -> bytes:
    return orjson.dumps(
        [{"Computer": f"host{i % 7}", "Level": "info", "Code": i, "Message": "x" * 130 + str(i)} for i in range(number * SMALL, (number + 1) * SMALL)]
    )  # fmt: skip


def _measure(service: Running, load: Load, seconds: float) -> None:
    name, bodies = load.name, load.bodies
    sent = [0] * CONNECTIONS
    records = [0] * CONNECTIONS
    refused = [0] * CONNECTIONS
    counts = {id(b): len(orjson.loads(b)) for b in bodies}
    delays: list[float] = []
    began = time.monotonic()
    ends = began + seconds
    cpu, own = service.watched.cpu_times(), psutil.Process().cpu_times()

    def lane(number: int) -> None:
        connection = service.connection()
        turn = number
        while time.monotonic() < ends:
            body = bodies[turn % len(bodies)]
            status = service.post(connection, load.stream, body, f"{number}-{turn}")
            if status < 300:
                sent[number] += len(body)
                records[number] += counts[id(body)]
            else:
                refused[number] += 1
                time.sleep(0.05)
            turn += CONNECTIONS

    def probe() -> None:
        connection, asking, turn = service.connection(), service.connection(), 0
        while time.monotonic() < ends:
            turn += 1
            word = f"probe-{turn}"
            posted = time.monotonic()
            if service.post(connection, PROBES, orjson.dumps([{"Probe": word}]), word) >= 300:
                continue
            while not service.ask(asking, f"Probe_CL | where Probe == '{word}' | take 1"):
                pass
            delays.append(time.monotonic() - posted)
            time.sleep(0.2)

    threads = [threading.Thread(target=lane, args=(n,)) for n in range(CONNECTIONS)] + [
        threading.Thread(target=probe)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    used, mine = service.watched.cpu_times(), psutil.Process().cpu_times()
    server = used.user + used.system - cpu.user - cpu.system
    sender = mine.user + mine.system - own.user - own.system
    ranked = sorted(delays) or [float("nan")]
    sent_mb = sum(sent) / 1e6
    print(
        f"{name}: {sent_mb / took:.1f} MB/s, {sum(records) / took:,.0f} records/s, refused {sum(refused)}; "
        f"processor: service {server / took:.2f} ({1000 * server / sent_mb:.1f} ms a MB, "
        f"{1e6 * server / sum(records):.1f} µs a record), sender {sender / took:.2f}; sent to searchable: "
        f"p50 {statistics.median(ranked):.3f} s, p95 {ranked[min(len(ranked) - 1, int(len(ranked) * 0.95))]:.3f} s, {len(delays)} probes",
        flush=True,
    )  # fmt: skip
    tables = ", ".join(load.tables)
    found = service.ask(service.connection(), f"union {tables} | count")
    assert found == [[sum(records)]], (found, sum(records))


def _soak(service: Running, load: Load, minutes: float) -> None:
    """Posts at a steady tenth of what was possible, and the memory of the service and its processes in each minute.

    A drain or a compaction holds its rows for a moment, so a minute is told by its median and its bounds.
    """
    connection = service.connection()
    began = time.monotonic()
    turn = minute = 0
    sizes: list[float] = []
    medians: dict[int, float] = {}
    while minute < minutes:
        service.post(connection, load.stream, load.bodies[turn % len(load.bodies)], f"soak-{turn}")
        turn += 1
        sizes.append(service.resident() / 2**20)
        time.sleep(max(0.0, began + turn * 0.2 - time.monotonic()))
        if time.monotonic() - began > 60 * (minute + 1):
            minute += 1
            medians[minute] = statistics.median(sizes)
            print(
                f"soak, minute {minute}: {medians[minute]:.0f} MiB ({min(sizes):.0f} to {max(sizes):.0f}), {turn} posts",
                flush=True,
            )
            sizes.clear()
    if minute >= 10:
        print(f"soak: minute 10 is {medians[10] / medians[3]:.2f} of minute 3")


def _import(place: Path, lines: Path) -> None:
    size = lines.stat().st_size / 1e6
    times: dict[str, float] = {}
    for turn in range(2):
        for how in ("mapping", "table"):
            repository = Repository.open(str(place / f"import-{how}-{turn}"), create=True)
            began = time.perf_counter()
            import_source(
                repository,
                lines,
                processes=processors(),
                **({"mapping": "windows_events"} if how == "mapping" else {"table": "Raw"}),
            )  # type: ignore[arg-type]
            times[how] = min(times.get(how, 1e9), time.perf_counter() - began)
        try:
            import duckdb
        except ModuleNotFoundError:
            continue
        began = time.perf_counter()
        duckdb.sql(
            f"COPY (SELECT * FROM read_json('{lines}', format='newline_delimited', maximum_object_size=33554432, union_by_name=true)) "
            f"TO '{place}/peer{turn}.parquet' (COMPRESSION zstd)"
        )
        times["DuckDB"] = min(times.get("DuckDB", 1e9), time.perf_counter() - began)
    print("import: " + ", ".join(f"{how} {size / took:.0f} MB/s" for how, took in times.items()))


if __name__ == "__main__":
    sys.exit(main())
