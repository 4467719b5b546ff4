"""Records in: how fast the service takes them over HTTP, how soon a query sees them, how fast a file is imported.

    python tests/bench/intake.py [--seconds 20] [--soak MINUTES]

Four connections post through the Logs Ingestion API: real events in posts of 1 MB, then 1,000 records of 200 bytes
a post. Each answer is durable. Prints MB/s, records/s, and the processor time of service and sender apart; the time
from a post to the first query that sees it (p50, p95), asked all the while; and with --soak the service's memory
minute by minute. The import is measured beside DuckDB's read_json to Parquet of the same file, in the same run.
"""

from __future__ import annotations

import argparse
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
        for name, bodies in (("real events, 1 MB", events), ("small records, 1,000 of 200 bytes", small)):
            with Running(place / name.split(",")[0].replace(" ", "-")) as service:
                _measure(service, name, bodies, given.seconds)
        if given.soak:
            with Running(place / "soak") as service:
                _soak(service, events, given.soak)
        _import(place, lines)
    return 0


class Running:
    """A service of its own, with a token and a rule that takes a stream as it is."""

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
        made = self._command("rule", "create", str(rule), "--json")
        self.target = (
            f"/dataCollectionRules/{made['immutable_id']}/streams/Custom-Bench?api-version=2023-01-01"
        )
        self.watched = psutil.Process(self.process.pid)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def _command(self, *arguments: str) -> dict[str, str]:
        command = [sys.executable, "-m", "workbench.cli", "--workspace", str(self.workspace), *arguments]
        found: dict[str, str] = json.loads(subprocess.check_output(command, text=True))
        return found

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.address.hostname or "", self.address.port, timeout=60)

    def post(self, connection: http.client.HTTPConnection, body: bytes, number: str) -> int:
        headers = {
            "Authorization": f"Bearer {self.token}", "Content-Type": "application/json", "x-ms-client-request-id": number
        }  # fmt: skip
        connection.request("POST", self.target, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def ask(self, connection: http.client.HTTPConnection, query: str) -> list[list[object]]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request("POST", self.path, orjson.dumps({"query": query}), headers)
        answer = orjson.loads(connection.getresponse().read())
        rows: list[list[object]] = answer["tables"][0]["rows"] if "tables" in answer else []
        return rows


RULE = {
    "streamDeclarations": {"Custom-Bench": {"columns": [{"name": "TimeGenerated", "type": "datetime"}, {"name": "Probe", "type": "string"}]}},
    "destinations": {"logAnalytics": [{"name": "here"}]},
    "dataFlows": [{"streams": ["Custom-Bench"], "destinations": ["here"], "transformKql": "source", "outputStream": "Custom-Bench_CL"}],
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


def _measure(service: Running, name: str, bodies: list[bytes], seconds: float) -> None:
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
            status = service.post(connection, body, f"{name}-{number}-{turn}")
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
            if service.post(connection, orjson.dumps([{"Probe": word}]), word) >= 300:
                continue
            while not service.ask(asking, f"Bench_CL | where Probe == '{word}' | take 1"):
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
    print(
        f"{name}: {sum(sent) / took / 1e6:.1f} MB/s, {sum(records) / took:,.0f} records/s, refused {sum(refused)}; "
        f"processor: service {server / took:.2f}, sender {sender / took:.2f}; sent to searchable: "
        f"p50 {statistics.median(ranked):.3f} s, p95 {ranked[min(len(ranked) - 1, int(len(ranked) * 0.95))]:.3f} s, {len(delays)} probes"
    )  # fmt: skip


def _soak(service: Running, bodies: list[bytes], minutes: float) -> None:
    """Posts at a steady tenth of what was possible, and the memory of the service each minute."""
    connection = service.connection()
    began = time.monotonic()
    turn = minute = 0
    while minute < minutes:
        service.post(connection, bodies[turn % len(bodies)], f"soak-{turn}")
        turn += 1
        time.sleep(max(0.0, began + turn * 0.2 - time.monotonic()))
        if time.monotonic() - began > 60 * (minute + 1):
            minute += 1
            print(f"soak, minute {minute}: {service.watched.memory_info().rss / 2**20:.0f} MiB, {turn} posts")


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
