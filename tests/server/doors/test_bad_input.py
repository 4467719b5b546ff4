"""Each line of the table "Bad input" in `collect/SENDERS.md`, sent to a running service: the status, what is kept, what is counted.

The table is read: a cell that promises another status than a door gives fails here, and so does a line that is not sent.
"""

from __future__ import annotations

import base64
import datetime as dt
import email.utils
import gzip
import hashlib
import hmac
import http.client
import json
import re
import socket
import struct
import time
import urllib.parse
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cramjam
import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

import workbench.collect
from workbench.base.access import Access
from workbench.base.database import Database
from workbench.collect.doors.remote_write import WriteRequest

pytestmark = pytest.mark.slow
SERVE = ("--syslog", "127.0.0.1:0")
DOORS = ("Data Collector", "Logs Ingestion", "OTLP", "remote write", "syslog")
YEAR_AHEAD = (dt.datetime.now(dt.UTC) + dt.timedelta(days=366)).strftime("%Y-%m-%dT%H:%M:%SZ")
DEEP = "[" * 100_000 + "]" * 100_000
RULE = {
    "name": "bad input",
    "streamDeclarations": {
        "Custom-Bad": {
            "columns": [{"name": n, "type": t} for n, t in {"TimeGenerated": "datetime", "Run": "string", "A": "dynamic", "N": "long"}.items()]
        }
    },
    "destinations": {"logAnalytics": [{"name": "here"}]},
    "dataFlows": [{"streams": ["Custom-Bad"], "destinations": ["here"], "outputStream": "Custom-Bad_CL"}],
}  # fmt: skip


def promised() -> dict[tuple[str, str], str]:
    """Input and door → what the page says."""
    page = (Path(workbench.collect.__file__).parent / "SENDERS.md").read_text()
    lines = page.partition("## Bad input")[2].split("\n")
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert rows[0] == ["input", *DOORS]
    return {(row[0], door): cell for row in rows[2:] for door, cell in zip(DOORS, row[1:], strict=True)}


PROMISED = promised()


# ---- senders ----------------------------------------------------------------------------------


@dataclass
class Sender:
    """Posts to each door as a client of it would; each post is a run of its own."""

    service: Any
    rule: str
    port: int
    run: str = field(default_factory=lambda: "r" + uuid.uuid4().hex)

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        parts = urllib.parse.urlsplit(self.service.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        found = answer.status, answer.read()
        connection.close()
        return found

    def collector(self, body: str | bytes, minutes: float = 0, key: str = "", **more: str) -> int:
        data = body.encode() if isinstance(body, str) else body
        when = email.utils.format_datetime(
            dt.datetime.now(dt.UTC) + dt.timedelta(minutes=minutes), usegmt=True
        )
        keys = Access(Database.open(self.service.workspace / "state"), self.service.workspace_id).keys()
        text = f"POST\n{len(data)}\napplication/json\nx-ms-date:{when}\n/api/logs"
        digest = hmac.new(base64.b64decode(key or keys.secondary), text.encode(), hashlib.sha256).digest()
        signed = f"SharedKey {self.service.workspace_id}:{base64.b64encode(digest).decode()}"
        headers = {
            "Content-Type": "application/json",
            "Log-Type": "Bad",
            "x-ms-date": when,
            "Authorization": signed,
        }
        return self.post("/api/logs?api-version=2016-04-01", data, {**headers, **more})[0]

    def ingestion(self, body: str | bytes, stream: str = "Custom-Bad", **more: str) -> int:
        data = body.encode() if isinstance(body, str) else body
        path = f"/dataCollectionRules/{self.rule}/streams/{stream}?api-version=2023-01-01"
        return self.post(path, data, {**self.bearer("application/json"), **more})[0]

    def otlp(self, body: str | bytes, content: str = "application/json", path: str = "/v1/logs", **more: str) -> tuple[int, bytes]:  # fmt: skip
        data = body.encode() if isinstance(body, str) else body
        return self.post(path, data, {**self.bearer(content), **more})

    def write(self, body: bytes, **more: str) -> int:
        headers = self.bearer("application/x-protobuf") | {"Content-Encoding": "snappy"}
        return self.post("/api/v1/write", body, {**headers, **more})[0]

    def syslog(self, *messages: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(b"\n".join(messages) + b"\n")

    def bearer(self, content: str) -> dict[str, str]:
        return {"Content-Type": content, "Authorization": f"Bearer {self.service.token}"}

    # ---- what became of it ----

    def found(self, query: str) -> list[list[Any]]:
        status, body = self.service.query(query)
        if status != 200:  # before the first record there is no table, or no such column
            assert "SEM0001" in str(body) or "no table" in str(body) or "no column" in str(body), body
            return []
        rows: list[list[Any]] = body["tables"][0]["rows"]
        return rows

    def until(self, query: str, count: int = 1) -> list[list[Any]]:
        end = time.monotonic() + 40
        while len(rows := self.found(query)) < count:
            assert time.monotonic() < end, self.service.log()[-2000:]
            time.sleep(0.05)
        return rows

    def kept(self, table: str, run: str) -> list[str]:
        """The marks of the records of this test that are stored."""
        return sorted(row[0] for row in self.found(f"{table} | where {run} startswith '{self.run}' | project substring({run}, {len(self.run)})"))  # fmt: skip

    def aside(self) -> list[str]:
        """Codes of the records of this test that lie in quarantine."""
        return sorted(
            row[0] for row in self.found(f"_Quarantine | where Original contains '{self.run}' | project Code")
        )


@pytest.fixture(scope="module")
def rule(service: Any) -> str:
    status, answer = service.ask("POST", "/api/rules", RULE)
    assert status == 201, answer
    return str(answer["immutable_id"])


@pytest.fixture
def send(service: Any, rule: str) -> Sender:
    found = re.search(r"syslog on 127\.0\.0\.1:(\d+)", service.log())
    assert found
    return Sender(service, rule, int(found[1]))


def log(run: str, mark: str, more: str = "", time_text: str = "") -> str:
    """A request with one record of OTLP logs as JSON."""
    stamp = time_text or str(time.time_ns())
    return f'{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{_record(run, mark, more, stamp)}]}}]}}]}}'


def logs(*records: str) -> str:
    return '{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + ",".join(records) + "]}]}]}"


def _record(run: str, mark: str, more: str = "", stamp: str = "") -> str:
    stamp = stamp or str(time.time_ns())
    return f'{{"timeUnixNano":"{stamp}","body":{{"stringValue":"{run}{mark}"}}{more}}}'


def series(run: str, mark: str, value: float = 1.0, ahead_ms: int = 0, **labels: bytes) -> Any:
    """One time series with one sample."""
    request = WriteRequest()
    added = request.timeseries.add()
    for name, text in sorted({"__name__": (run + mark).encode(), **labels}.items()):
        added.labels.add(name=name.encode(), value=text)
    (bits,) = struct.unpack("<Q", struct.pack("<d", value))
    added.samples.add(bits=bits, timestamp=time.time_ns() // 1_000_000 + ahead_ms)
    return added


def written(*some: Any) -> bytes:
    request = WriteRequest()
    request.timeseries.extend(some)
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


# ---- the lines of the table -------------------------------------------------------------------

Line = Callable[[Sender], Any]
LINES: dict[tuple[str, str], Line] = {}


def line(name: str, door: str) -> Callable[[Line], Line]:
    def add(send: Line) -> Line:
        LINES[name, door] = send
        return send

    return add


for _name, _body in {
    "wrong signature or token": '{"run": "x"}',
    "stale date": '{"run": "x"}',
}.items():
    LINES[_name, DOORS[0]] = lambda s, b=_body, n=_name: s.collector(b, minutes=-16 if n == "stale date" else 0, key="" if n == "stale date" else base64.b64encode(b"k").decode())  # type: ignore[misc]  # fmt: skip
LINES["wrong signature or token", DOORS[1]] = lambda s: s.ingestion("[{}]", Authorization="Bearer no")
LINES["wrong signature or token", DOORS[2]] = lambda s: s.otlp("{}", Authorization="Bearer no")
LINES["wrong signature or token", DOORS[3]] = lambda s: s.write(b"", Authorization="Bearer no")
LINES["unknown stream", DOORS[1]] = lambda s: s.ingestion("[{}]", stream="Custom-Nope")
LINES["too large", DOORS[0]] = lambda s: s.collector(b" " * 31_000_000)
LINES["too large", DOORS[1]] = lambda s: s.ingestion(b"[{}" + b" " * 31_000_000 + b"]")
LINES["too large", DOORS[2]] = lambda s: s.otlp(b" " * 31_000_000)
LINES["too large", DOORS[3]] = lambda s: s.write(b"\0" * 34_000_000)


@line("too large", "syslog")
def _(s: Sender) -> None:
    s.syslog(b"<11>1 - h app - - - " + s.run.encode() + b"x" * 70_000, b"<11>1 - h app - - - " + s.run.encode() + b"good")  # fmt: skip
    rows = s.until(f"Syslog | where SyslogMessage startswith '{s.run}' | project n = strlen(SyslogMessage) | sort by n asc", 2)  # fmt: skip
    assert rows == [[len(s.run) + 4], [65_536 - len("<11>1 - h app - - - ")]]


@line("501st column", "Data Collector")
def _(s: Sender) -> int:
    wide = {f"c{n}": n for n in range(500)} | {"run": s.run + "bad"}
    status = s.collector(json.dumps([wide, {"run": s.run + "good"}]))
    assert s.kept("Bad_CL", "run_s") == ["good"]
    assert s.aside() == ["DCA203"]
    return status


@line("501st column", "Logs Ingestion")
def _(s: Sender) -> int:
    columns = [{"name": f"c{n}", "type": "long"} for n in range(501)]
    status, answer = s.service.ask("POST", "/api/rules", {**RULE, "name": "wide", "streamDeclarations": {"Custom-Bad": {"columns": columns}}})  # fmt: skip
    assert "500" in answer["error"]["message"]
    return int(status)


@line("501st column", "OTLP")
def _(s: Sender) -> int:
    many = ",".join(f'{{"key":"a{n}","value":{{"intValue":"{n}"}}}}' for n in range(501))
    status, _ = s.otlp(log(s.run, "wide", f',"attributes":[{many}]'))
    assert s.found(f"AppTraces | where Message == '{s.run}wide' | project array_length(bag_keys(Properties))") == [[501]]  # fmt: skip
    return status


@line("501st column", "remote write")
def _(s: Sender) -> int:
    status = s.write(written(series(s.run, "wide", **{f"l{n}": b"v" for n in range(501)})))
    assert s.found(f"InsightsMetrics | where Name == '{s.run}wide' | project array_length(bag_keys(todynamic(Tags)))") == [[501]]  # fmt: skip
    return status


LONG = "ä" * 20_000


@line("value over 32 kB", "Data Collector")
def _(s: Sender) -> int:
    status = s.collector(json.dumps([{"run": s.run + "cut", "text": LONG}, {"run": s.run + "good"}]))
    assert s.kept("Bad_CL", "run_s") == ["cut", "good"]
    assert s.found(f"Bad_CL | where run_s == '{s.run}cut' | project strlen(text_s)") == [[16_384]]
    return status


@line("value over 32 kB", "Logs Ingestion")
def _(s: Sender) -> int:
    status = s.ingestion(json.dumps([{"Run": s.run + "cut", "A": LONG}, {"Run": s.run + "good"}]))
    assert s.kept("Bad_CL", "Run") == ["cut", "good"]
    assert s.found(f"Bad_CL | where Run == '{s.run}cut' | project strlen(tostring(A)) <= 16384") == [[True]]
    return status


@line("value over 32 kB", "OTLP")
def _(s: Sender) -> int:
    status, _ = s.otlp(log(s.run, LONG))
    assert s.kept("AppTraces", "Message") == [LONG]
    return status


@line("value over 32 kB", "remote write")
def _(s: Sender) -> int:
    status = s.write(written(series(s.run, "m", long=LONG.encode())))
    assert s.found(f"InsightsMetrics | where Name == '{s.run}m' | project strlen(tostring(todynamic(Tags).long))") == [[20_000]]  # fmt: skip
    return status


@line("value over 32 kB", "syslog")
def _(s: Sender) -> None:
    s.syslog(b"<11>1 - h app - - - " + s.run.encode() + b"x" * 40_000)
    assert s.until(f"Syslog | where SyslogMessage startswith '{s.run}' | project strlen(SyslogMessage)") == [[len(s.run) + 40_000]]  # fmt: skip


@line("invalid UTF-8", "Data Collector")
def _(s: Sender) -> int:
    return s.collector(f'[{{"run":"{s.run}good"}},{{"run":"'.encode() + b'\xff"}]')


@line("invalid UTF-8", "Logs Ingestion")
def _(s: Sender) -> int:
    return s.ingestion(f'[{{"Run":"{s.run}good"}},{{"Run":"'.encode() + b'\xff"}]')


@line("invalid UTF-8", "OTLP")
def _(s: Sender) -> int:
    return s.otlp(logs(_record(s.run, "good"), _record(s.run, "@")).encode().replace(b"@", b"\xff"))[0]


@line("invalid UTF-8", "remote write")
def _(s: Sender) -> int:
    status = s.write(written(series(s.run, "bad", l=b"\xff"), series(s.run, "good")))
    assert s.kept("InsightsMetrics", "Name") == ["good"]
    assert s.aside() == ["PRW201"]
    return status


@line("invalid UTF-8", "syslog")
def _(s: Sender) -> None:
    s.syslog(b"<11>1 - h app - - - " + s.run.encode() + b" caf\xe9")
    assert s.until(f"Syslog | where SyslogMessage startswith '{s.run}' | project SyslogMessage") == [[s.run + " caf\\xe9"]]  # fmt: skip


def _twice(s: Sender, name: str) -> str:
    return f'{{"{name}":"{s.run}1"}},{{"{name}":"{s.run}2"}}'


@line("objects without brackets", "Data Collector")
def _(s: Sender) -> int:
    status = s.collector(_twice(s, "run"))
    assert s.kept("Bad_CL", "run_s") == ["1", "2"]
    return status


LINES["objects without brackets", DOORS[1]] = lambda s: s.ingestion(_twice(s, "Run"))
LINES["objects without brackets", DOORS[2]] = lambda s: s.otlp("{},{}")


def _beside(s: Sender, name: str, bad: str) -> str:
    return f'[{{"{name}":"{s.run}1"}},{{"{name}":"{s.run}bad","{"a" if name == "run" else "A"}":{bad}}},{{"{name}":"{s.run}2"}}]'


def _alone(bad: str, code: str, door: str) -> Line:
    def send(s: Sender) -> int:
        collector = door == DOORS[0]
        name, table_name = ("run", "run_s") if collector else ("Run", "Run")
        status = (s.collector if collector else s.ingestion)(_beside(s, name, bad))
        assert s.kept("Bad_CL", table_name) == ["1", "2"]
        assert s.aside() == [code]
        return status

    return send


LINES["100,000 levels deep", DOORS[0]] = _alone(DEEP, "DCA206", DOORS[0])
LINES["100,000 levels deep", DOORS[1]] = _alone(DEEP, "RUL310", DOORS[1])
LINES["100,000 levels deep", DOORS[2]] = lambda s: s.otlp(log(s.run, "x", f',"attributes":{DEEP}'))
LINES["100,000 levels deep", DOORS[3]] = lambda s: s.write(
    bytes(cramjam.snappy.compress_raw(_nested(100_000)))
)
LINES["number beyond a double", DOORS[0]] = _alone("1e999", "DCA205", DOORS[0])
LINES["number beyond a double", DOORS[1]] = _alone("1e999", "RUL311", DOORS[1])
LINES["number beyond a double", DOORS[2]] = lambda s: s.otlp(log(s.run, "x", ',"severityNumber":1e999'))


def _nested(levels: int) -> bytes:
    """Length-delimited fields one in another, as a protobuf reader meets them."""
    raw = b""
    for _ in range(min(levels, 20_000)):
        size, head = len(raw), bytearray(b"\x0a")
        while size > 0x7F:
            head.append(size & 0x7F | 0x80)
            size >>= 7
        raw = bytes(head) + bytes([size]) + raw
    return raw


@line("duplicate keys", "Data Collector")
def _(s: Sender) -> int:
    status = s.collector(f'[{{"run":"{s.run}first","run":"{s.run}last"}}]')
    assert s.kept("Bad_CL", "run_s") == ["last"]
    return status


@line("duplicate keys", "Logs Ingestion")
def _(s: Sender) -> int:
    status = s.ingestion(f'[{{"Run":"{s.run}first","Run":"{s.run}last"}}]')
    assert s.kept("Bad_CL", "Run") == ["last"]
    return status


@line("duplicate keys", "OTLP")
def _(s: Sender) -> int:
    twice = ",".join(f'{{"key":"k","value":{{"stringValue":"{v}"}}}}' for v in ("first", "last"))
    status, _ = s.otlp(log(s.run, "d", f',"attributes":[{twice}]'))
    assert s.found(f"AppTraces | where Message == '{s.run}d' | project tostring(Properties.k)") == [["last"]]
    return status


@line("duplicate keys", "remote write")
def _(s: Sender) -> int:
    bad = series(s.run, "bad", a=b"1")
    bad.labels.add(name=b"a", value=b"2")
    status = s.write(written(bad, series(s.run, "good")))
    assert s.kept("InsightsMetrics", "Name") == ["good"]
    assert s.aside() == ["PRW201"]
    return status


LINES["NaN", DOORS[0]] = lambda s: s.collector(_beside(s, "run", "NaN"))
LINES["NaN", DOORS[1]] = lambda s: s.ingestion(_beside(s, "Run", "NaN"))


@line("NaN", "OTLP")
def _(s: Sender) -> int:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name=s.run + "nan")
    metric.gauge.data_points.add(time_unix_nano=time.time_ns(), as_double=float("nan"))
    packed = request.SerializeToString()
    assert s.otlp(packed, "application/x-protobuf", "/v1/metrics")[0] == 200
    assert s.found(f"AppMetrics | where Name == '{s.run}nan' | project isnan(Sum)") == [[True]]
    return s.otlp(log(s.run, "x", ',"severityNumber":NaN'))[0]


@line("NaN", "remote write")
def _(s: Sender) -> int:
    status = s.write(written(series(s.run, "nan", value=float("nan"))))
    assert s.found(f"InsightsMetrics | where Name == '{s.run}nan' | project isnan(Val)") == [[True]]
    return status


@line("whole number beyond 64 bits", "Data Collector")
def _(s: Sender) -> int:
    status = s.collector(f'[{{"run":"{s.run}n","n":123456789012345678901}}]')
    assert s.found(f"Bad_CL | where run_s == '{s.run}n' | project n_d") == [[123456789012345678901.0]]
    return status


@line("whole number beyond 64 bits", "Logs Ingestion")
def _(s: Sender) -> int:
    status = s.ingestion(f'[{{"Run":"{s.run}n","N":123456789012345678901}},{{"Run":"{s.run}o","N":18446744073709551615}}]')  # fmt: skip
    rows = s.found(f"Bad_CL | where Run startswith '{s.run}' | project N, N_d, N_s | sort by N_s asc")
    assert rows == [[None, 123456789012345678901.0, ""], [None, None, "18446744073709551615"]]
    return status


@line("whole number beyond 64 bits", "OTLP")
def _(s: Sender) -> int:
    return s.otlp(log(s.run, "x", ',"attributes":[{"key":"n","value":{"intValue":"123456789012345678901"}}]'))[0]  # fmt: skip


@line("a clock a year ahead", "Data Collector")
def _(s: Sender) -> int:
    body = [{"run": s.run + "bad", "at": YEAR_AHEAD}, {"run": s.run + "good"}]
    status = s.collector(json.dumps(body), **{"time-generated-field": "at"})
    assert s.kept("Bad_CL", "run_s") == ["good"]
    assert s.aside() == ["IMP111"]
    return status


@line("a clock a year ahead", "Logs Ingestion")
def _(s: Sender) -> int:
    body = [{"Run": s.run + "bad", "TimeGenerated": YEAR_AHEAD}, {"Run": s.run + "good"}]
    status = s.ingestion(json.dumps(body))
    assert s.kept("Bad_CL", "Run") == ["good"]
    assert s.aside() == ["IMP111"]
    return status


@line("a clock a year ahead", "OTLP")
def _(s: Sender) -> int:
    ahead = str(time.time_ns() + 366 * 86_400 * 10**9)
    status, answer = s.otlp(logs(_record(s.run, "good"), _record(s.run, "bad", stamp=ahead)))
    assert json.loads(answer)["partialSuccess"]["rejectedLogRecords"] == "1"
    assert s.kept("AppTraces", "Message") == ["good"]
    assert s.aside() == ["IMP111"]
    return status


@line("a clock a year ahead", "remote write")
def _(s: Sender) -> int:
    status = s.write(written(series(s.run, "bad", ahead_ms=366 * 86_400_000), series(s.run, "good")))
    assert s.kept("InsightsMetrics", "Name") == ["good"]
    assert s.aside() == ["IMP111"]
    return status


@line("a clock a year ahead", "syslog")
def _(s: Sender) -> None:
    s.syslog(
        f"<11>1 {YEAR_AHEAD} h app - - - {s.run}bad".encode(), f"<11>1 - h app - - - {s.run}good".encode()
    )
    assert s.until(f"Syslog | where SyslogMessage startswith '{s.run}' | project SyslogMessage") == [[s.run + "good"]]  # fmt: skip
    s.until(f"_Quarantine | where Original contains '{s.run}bad' and Code == 'IMP111'")


BOMB = gzip.compress(b"[" + b" " * 200_000_000 + b"]", 1)
LINES["compression bomb", DOORS[0]] = lambda s: s.collector(BOMB, **{"Content-Encoding": "gzip"})
LINES["compression bomb", DOORS[1]] = lambda s: s.ingestion(BOMB, **{"Content-Encoding": "gzip"})
LINES["compression bomb", DOORS[2]] = lambda s: s.otlp(BOMB, **{"Content-Encoding": "gzip"})
LINES["compression bomb", DOORS[3]] = lambda s: s.write(b"\xff\xff\xff\xff\x0f" + b"\0" * 1000)


@line("no object", "Data Collector")
def _(s: Sender) -> int:
    status = s.collector(f'[{{"run":"{s.run}good"}},"{s.run}",7]')
    assert s.kept("Bad_CL", "run_s") == ["good"]
    assert s.aside() == ["IMP103"]
    return status


@line("no object", "Logs Ingestion")
def _(s: Sender) -> int:
    status = s.ingestion(f'[{{"Run":"{s.run}good"}},"{s.run}",7]')
    assert s.kept("Bad_CL", "Run") == ["good"]
    assert s.aside() == ["IMP103"]
    return status


LINES["no object", DOORS[2]] = lambda s: s.otlp(f'"{s.run}"')
NOT_HERE = {("wrong signature or token", "syslog")}
"""Tested where a foreign address can be had: `test_syslog_listeners.py`."""


def test_each_promise_has_a_line_here() -> None:
    assert {key for key, cell in PROMISED.items() if cell} - NOT_HERE == LINES.keys()


@pytest.mark.parametrize("key", LINES, ids=" - ".join)
def test_bad_input_has_the_answer_that_is_written(send: Sender, key: tuple[str, str]) -> None:
    got = LINES[key](send)
    status = got[0] if isinstance(got, tuple) else got
    cell = PROMISED[key]
    assert (str(status) if status is not None else "") == "".join(re.findall(r"^\d{3}", cell)), cell
    if "nothing" in cell and "200 stored" not in cell:
        for table, name in (("Bad_CL", "run_s"), ("Bad_CL", "Run"), ("AppTraces", "Message"), ("InsightsMetrics", "Name")):  # fmt: skip
            assert send.kept(table, name) == []
        assert send.aside() == []
    # Whatever came before, the service lives and answers.
    assert send.service.ask("GET", "/api/health", token="")[0] == 200


@pytest.mark.parametrize(
    ("door", "codes"),
    [
        ("Data Collector", {"DCA101", "DCA109", "DCA110", "DCA203", "DCA205", "DCA206", "DCA301", "DCA302", "IMP103", "IMP111"}),
        ("Logs Ingestion", {"ACC202", "RUL302", "RUL304", "RUL308", "OTL101", "RUL310", "RUL311", "RUL401", "RUL403", "IMP103", "IMP111"}),
        ("OTLP", {"ACC202", "OTL101", "OTL105", "IMP111"}),
        ("remote write", {"ACC202", "OTL101", "PRW201", "IMP111"}),
        ("syslog", {"IMP111", ""}),
    ],
)  # fmt: skip
def test_what_was_refused_or_changed_is_counted(service: Any, door: str, codes: set[str]) -> None:
    """Last, for it ends the service: a service that ends stores what it counted."""
    service.process.terminate()
    assert service.process.wait(30) == 0
    told = workbench.open(str(service.workspace)).query(
        f"Operation | where OperationCategory == '{door}' | summarize n = count() by OperationKey, TimeGenerated"
    )
    rows = told.frame.rows()
    assert codes <= {row[0] for row in rows}
    if door != "syslog":
        assert {row[2] for row in rows} == {1}, "one row a door, reason and minute"
