"""Unchanged OpenTelemetry exporters against a running service, and what it answers to other bodies."""

from __future__ import annotations

import gzip
import http.client
import json
import time
import urllib.parse
from typing import Any

import pytest
from google.protobuf import json_format
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

pytestmark = pytest.mark.slow
PROTOBUF, JSON = "application/x-protobuf", "application/json"
RESOURCE = Resource.create(
    {"service.name": "shop", "service.instance.id": "shop-1", "service.version": "2.0"}
)


def exporter(service: Any, kind: Any, path: str) -> Any:
    headers = {"Authorization": f"Bearer {service.token}"}
    return kind(endpoint=service.url + path, headers=headers, compression=Compression.Gzip, timeout=20)


def rows(service: Any, query: str) -> list[list[Any]]:
    status, body = service.query(query)
    assert status == 200, body
    found: list[list[Any]] = body["tables"][0]["rows"]
    return found


def test_log_records_of_the_sdk(service: Any) -> None:
    provider = LoggerProvider(resource=RESOURCE)
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter(service, OTLPLogExporter, "/v1/logs")))
    logger = provider.get_logger("tests.otlp")
    for n in range(50):
        told = {"order": n, "käufer": "Bär"}
        logger.emit(
            timestamp=time.time_ns(),
            severity_number=SeverityNumber.WARN,
            body=f"order {n} is late",
            attributes=told,
        )
    logger.emit(severity_number=SeverityNumber.ERROR, body={"lost": [1, None]})
    provider.shutdown()
    assert rows(service, "AppTraces | summarize count() by SeverityLevel | sort by SeverityLevel asc") == [
        [2, 50],
        [3, 1],
    ]
    query = "AppTraces | where SeverityLevel == 2 | project Order = toint(Properties.order), Message | sort by Order asc"
    assert rows(service, query) == [[n, f"order {n} is late"] for n in range(50)]
    query = 'AppTraces | where Properties.order == 7 | project Message, AppRoleName, AppRoleInstance, AppVersion, tostring(Properties["käufer"]), TimeGenerated > ago(10m)'
    assert rows(service, query) == [["order 7 is late", "shop", "shop-1", "2.0", "Bär", True]]


def test_metrics_of_the_sdk(service: Any) -> None:
    reader = PeriodicExportingMetricReader(
        exporter(service, OTLPMetricExporter, "/v1/metrics"), export_interval_millis=3_600_000
    )
    provider = MeterProvider([reader], resource=RESOURCE)
    meter = provider.get_meter("tests")
    counter = meter.create_counter("orders", unit="1")
    counter.add(3, {"shop": "a"})
    counter.add(4, {"shop": "b"})
    latency = meter.create_histogram("latency", unit="ms")
    for value in (1, 7, 30):
        latency.record(value)
    meter.create_gauge("depth").set(-2.5)
    provider.shutdown()
    assert rows(service, 'AppMetrics | where Name == "orders" | project tostring(Properties.shop), Sum, ItemCount, IsMonotonic, Unit | sort by Sum asc') == [["a", 3.0, 1, True, "1"], ["b", 4.0, 1, True, "1"]]  # fmt: skip
    assert rows(service, 'AppMetrics | where Name == "latency" | project Sum, Min, Max, ItemCount, array_length(Distribution.counts) - array_length(Distribution.bounds)') == [[38.0, 1.0, 30.0, 3, 1]]  # fmt: skip
    assert rows(service, 'AppMetrics | where Name == "depth" | project Sum, MetricKind') == [[-2.5, "Gauge"]]


def test_spans_of_the_sdk(service: Any) -> None:
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(BatchSpanProcessor(exporter(service, OTLPSpanExporter, "/v1/traces")))
    tracer = provider.get_tracer("tests")
    served_by = {
        "http.request.method": "GET",
        "url.path": "/cart",
        "server.address": "shop",
        "http.response.status_code": 200,
    }
    with tracer.start_as_current_span("GET /cart", kind=SpanKind.SERVER, attributes=served_by) as served:
        asked_of = {"db.system.name": "postgresql", "db.query.text": "select 1", "server.address": "db1"}
        with tracer.start_as_current_span("select", kind=SpanKind.CLIENT, attributes=asked_of) as called:
            called.set_status(Status(StatusCode.ERROR, "gone"))
            called.record_exception(ValueError("no such row"))
    provider.shutdown()
    trace = f"{served.get_span_context().trace_id:032x}"
    span = f"{served.get_span_context().span_id:016x}"
    assert rows(
        service, "AppRequests | project OperationId, Id, Name, Success, ResultCode, Url, DurationMs > 0"
    ) == [[trace, span, "GET /cart", True, "200", "http://shop/cart", True]]
    query = "AppDependencies | project OperationId, ParentId, Name, Success, DependencyType, Target, Data"
    assert rows(service, query) == [[trace, span, "select", False, "postgresql", "db1", "select 1"]]
    query = "AppExceptions | join kind=inner AppDependencies on $left.ParentId == $right.Id | project ExceptionType, OuterMessage"
    assert rows(service, query) == [["ValueError", "no such row"]]


# ---- bodies by hand --------------------------------------------------------------------------


def post(
    service: Any, body: bytes, content: str = JSON, path: str = "/v1/logs", **more: str
) -> tuple[int, str, bytes]:
    parts = urllib.parse.urlsplit(service.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    headers = {"Content-Type": content, "Authorization": f"Bearer {service.token}"}
    headers.update({key.replace("_", "-").title(): value for key, value in more.items()})
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.headers.get("content-type", ""), answer.read()
    connection.close()
    return found


def logs(*records: dict[str, Any], name: str) -> dict[str, Any]:
    told = {"attributes": [{"key": "service.name", "value": {"stringValue": name}}]}
    return {"resourceLogs": [{"resource": told, "scopeLogs": [{"logRecords": records}]}]}


def record(text: str, ahead_seconds: int = 0) -> dict[str, Any]:
    nanoseconds = time.time_ns() + ahead_seconds * 10**9
    return {"timeUnixNano": str(nanoseconds), "body": {"stringValue": text}}


@pytest.mark.parametrize("encoding", [JSON, PROTOBUF])
def test_a_refused_record_is_told_and_the_others_are_stored(service: Any, encoding: str) -> None:
    name = "partial " + encoding
    body = logs(record("good"), record("late", 400 * 86_400), name=name)
    raw = json.dumps(body).encode()
    if encoding == PROTOBUF:
        raw = json_format.ParseDict(body, ExportLogsServiceRequest()).SerializeToString()
    for _ in range(2):  # the second is a retry: answered the same, stored once
        status, content, answer = post(service, raw, encoding)
        assert (status, content) == (200, encoding)
        response = ExportLogsServiceResponse()
        told = json_format.Parse(answer, response) if encoding == JSON else response.FromString(answer)
        assert told.partial_success.rejected_log_records == 1
        assert told.partial_success.error_message.startswith("IMP111")
    assert rows(service, f'AppTraces | where AppRoleName == "{name}" | project Message') == [["good"]]
    query = '_Quarantine | where Table == "AppTraces" and Code == "IMP111" | where Original has "late" | summarize count(), take_any(Source)'
    assert rows(service, query)[0] == [1 if encoding == JSON else 2, "owner"]


def test_all_is_well_answers_are_empty_messages(service: Any) -> None:
    body = json.dumps(logs(record("fine"), name="fine")).encode()
    assert post(service, body) == (200, JSON, b"{}")
    assert post(service, gzip.compress(body), content_encoding="gzip")[0] == 200
    assert post(service, b"", PROTOBUF) == (200, PROTOBUF, b"")
    assert rows(service, 'AppTraces | where AppRoleName == "fine" | count') == [[1]]


STATUSES = {
    "no JSON": (b"{", JSON, {}, 400, 3),
    "no protobuf": (b"\xff\xff", PROTOBUF, {}, 400, 3),
    "deep": (b"[" * 100_000, JSON, {}, 400, 3),
    "no gzip": (b"{}", JSON, {"content_encoding": "gzip"}, 400, 3),
    "cut gzip": (gzip.compress(b"{}")[:-2], JSON, {"content_encoding": "gzip"}, 400, 3),
    "another content": (b"<a/>", "text/xml", {}, 415, 3),
    "another packing": (b"{}", JSON, {"content_encoding": "br"}, 415, 3),
    "too long": (b" " * (20 * 2**20 + 1), PROTOBUF, {}, 413, 8),
    "bomb": (gzip.compress(bytes(200 * 2**20), 1), JSON, {"content_encoding": "gzip"}, 413, 8),
}


@pytest.mark.parametrize(("body", "content", "more", "status", "code"), STATUSES.values(), ids=STATUSES)
def test_bodies_that_are_not_taken(
    service: Any, body: bytes, content: str, more: dict[str, str], status: int, code: int
) -> None:
    got, encoding, answer = post(service, body, content, **more)
    assert got == status
    if content == PROTOBUF:
        assert encoding == PROTOBUF
        assert answer[:2] == bytes([8, code])
        assert answer[2] == 0x12
    else:
        assert encoding == JSON
        told = json.loads(answer)
        assert (told["code"], list(told)) == (code, ["code", "message"])


@pytest.mark.parametrize("path", ["/v1/logs", "/v1/metrics", "/v1/traces", "/api/v1/write"])
def test_a_door_needs_a_token(service: Any, path: str) -> None:
    assert post(service, b"{}", path=path, authorization="Bearer wrong")[0] == 403
    assert post(service, b"{}", path=path, authorization="")[0] == 401
    assert post(service, b"{}", path=path, content_type="text/plain")[0] == 415
