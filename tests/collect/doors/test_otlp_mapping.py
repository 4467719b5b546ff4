"""OTLP as rows: each signal in both encodings, and what is refused alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import orjson
import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from workbench.base.errors import WorkbenchError
from workbench.collect.doors import otlp, otlp_loose
from workbench.collect.doors.otlp import JSON, LOGS, METRICS, PROTOBUF, TRACES, Signal

TRACE, SPAN = "0123456789abcdef0123456789abcdef", "fedcba9876543210"
AT = 1_770_000_000_000_000_000
"""A time in nanoseconds: 2026-02-02T02:40:00Z."""
RESOURCE = {
    "attributes": [
        {"key": "service.name", "value": {"stringValue": "shop"}},
        {"key": "service.instance.id", "value": {"stringValue": "shop-1"}},
        {"key": "service.version", "value": {"stringValue": "2.0"}},
    ]
}


def attributes(**told: Any) -> list[dict[str, Any]]:
    kinds = {str: "stringValue", bool: "boolValue", int: "intValue", float: "doubleValue"}
    return [{"key": k.replace("__", "."), "value": {kinds[type(v)]: v}} for k, v in told.items()]


def logs(*records: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceLogs": [
            {"resource": RESOURCE, "scopeLogs": [{"scope": {"name": "s"}, "logRecords": records}]}
        ]
    }


def metrics(*found: dict[str, Any]) -> dict[str, Any]:
    return {"resourceMetrics": [{"resource": RESOURCE, "scopeMetrics": [{"metrics": found}]}]}


def spans(*found: dict[str, Any]) -> dict[str, Any]:
    return {"resourceSpans": [{"resource": RESOURCE, "scopeSpans": [{"spans": found}]}]}


def read(signal: Signal, body: dict[str, Any]) -> Any:
    """The batch of a body; what protobuf says of it is the same."""
    raw = orjson.dumps(body)
    message = otlp.message_of(signal, raw, JSON)
    again = otlp.message_of(signal, message.SerializeToString(), PROTOBUF)
    assert message == again
    return otlp.batch_of(signal, message, raw, "me")


def rows(batch: Any, table: str) -> list[dict[str, Any]]:
    (part,) = [p for p in batch.parts if p.table == table]
    names = [name for name, _ in part.columns.series]
    assert len(set(names)) == len(names)
    lists = [series.to_list() for series in part.columns.series.values()]
    return [
        {n: v for n, v in zip(names, values, strict=True) if v is not None}
        for values in zip(*lists, strict=True)
    ]


def test_a_log_record_is_a_trace() -> None:
    record = {
        "timeUnixNano": str(AT + 123_456_789), "severityNumber": 17, "severityText": "ERROR",
        "body": {"stringValue": "no"}, "attributes": attributes(user__id="ann", n=3, ok=True), "traceId": TRACE,
        "spanId": SPAN.upper(), "somethingNew": {"a": [1]},
    }  # fmt: skip
    (row,) = rows(read(LOGS, logs(record)), "AppTraces")
    assert row.pop("TimeGenerated").isoformat() == "2026-02-02T02:40:00.123456+00:00"
    assert json.loads(row.pop("Properties")) == {"user.id": "ann", "n": 3, "ok": True}
    assert json.loads(row.pop("Resource"))["service.name"] == "shop"
    assert row == {
        "Message": "no", "SeverityLevel": 3, "SeverityNumber": 17, "SeverityText": "ERROR", "OperationId": TRACE,
        "ParentId": SPAN, "ItemCount": 1, "AppRoleName": "shop", "AppRoleInstance": "shop-1", "AppVersion": "2.0",
        "UserId": "ann", "Scope": '{"name":"s"}',
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"stringValue": ""}, ""),
        ({"intValue": "9007199254740993"}, "9007199254740993"),
        ({"kvlistValue": {"values": [{"key": "a", "value": {"arrayValue": {"values": [{"boolValue": False}]}}}]}}, '{"a":[false]}'),
        ({"bytesValue": "YQ=="}, "YQ=="),
        ({"doubleValue": "NaN"}, "null"),
    ],
)  # fmt: skip
def test_a_body_of_any_kind_is_a_message(body: Any, message: str) -> None:
    (row,) = rows(read(LOGS, logs({"timeUnixNano": AT, "body": body})), "AppTraces")
    assert row["Message"] == message


def test_a_record_without_a_time_has_that_of_its_observation_and_may_come_twice() -> None:
    batch = read(LOGS, logs({"observedTimeUnixNano": AT}))
    assert rows(batch, "AppTraces")[0]["TimeGenerated"].isoformat() == "2026-02-02T02:40:00+00:00"
    assert batch.id != ""
    batch = read(LOGS, logs({"body": {"stringValue": "x"}}))
    assert "TimeGenerated" not in rows(batch, "AppTraces")[0]
    assert batch.id == ""


def test_ids_of_a_wrong_size_are_none_for_a_record_and_refused_for_a_span() -> None:
    for bad in ("", "00", "0" * 32, TRACE + "00", "xyz", "AAAAAAAAAAAAAAAAAAAAAA=="):
        (row,) = rows(read(LOGS, logs({"timeUnixNano": AT, "traceId": bad, "spanId": SPAN})), "AppTraces")
        assert "OperationId" not in row
        good = {"traceId": TRACE, "spanId": SPAN, "name": "good", "startTimeUnixNano": AT}
        batch = read(TRACES, spans({**good, "traceId": bad, "name": "bad"}, good))
        assert [r["Name"] for r in rows(batch, "AppDependencies")] == ["good"]
        assert [(r.why.code, json.loads(r.original)["name"]) for r in batch.refused] == [("OTL201", "bad")]


def test_a_record_more_than_a_day_ahead_is_refused_alone_and_told() -> None:
    late = {"timeUnixNano": "4000000000000000000", "body": {"stringValue": "late"}}
    batch = read(LOGS, logs(late, {"timeUnixNano": AT, "body": {"stringValue": "good"}}))
    assert [r["Message"] for r in rows(batch, "AppTraces")] == ["good"]
    told = json.loads(otlp.accepted(LOGS, JSON, batch))["partialSuccess"]
    assert told["rejectedLogRecords"] == "1"
    assert told["errorMessage"].startswith("IMP111: ")
    proto = LOGS.response.FromString(otlp.accepted(LOGS, PROTOBUF, batch))
    assert json_format.MessageToDict(proto)["partialSuccess"] == told


def test_numbers_of_gauges_and_sums() -> None:
    found = rows(
        read(METRICS, metrics(
            {"name": "g", "unit": "By", "gauge": {"dataPoints": [{"timeUnixNano": AT, "asInt": "7", "attributes": attributes(a="b")}]}},
            {"name": "s", "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [{"timeUnixNano": AT, "asDouble": 1.5}]}},
            {"name": "gone", "gauge": {"dataPoints": [{"timeUnixNano": AT, "flags": 1}]}},
        )),
        "AppMetrics",
    )  # fmt: skip
    assert [r["Name"] for r in found] == ["g", "s"]
    gauge, total = found
    assert (gauge["Sum"], gauge["Min"], gauge["Max"], gauge["ItemCount"]) == (7.0, 7.0, 7.0, 1)
    assert (gauge["MetricKind"], gauge["Unit"], gauge["Properties"]) == ("Gauge", "By", '{"a":"b"}')
    assert (total["Sum"], total["Temporality"], total["IsMonotonic"]) == (1.5, "Cumulative", True)


def test_distributions() -> None:
    histogram = {
        "timeUnixNano": AT,
        "count": "5",
        "sum": 9.5,
        "min": 0.5,
        "max": 4,
        "bucketCounts": ["2", "3"],
        "explicitBounds": [1.0],
    }
    exponential = {
        "timeUnixNano": AT,
        "count": "4",
        "sum": 3,
        "scale": 2,
        "zeroCount": "1",
        "positive": {"offset": -1, "bucketCounts": ["3"]},
    }
    summary = {
        "timeUnixNano": AT,
        "count": "10",
        "sum": 20,
        "quantileValues": [
            {"quantile": 0, "value": 1},
            {"quantile": 0.5, "value": 2},
            {"quantile": 1, "value": 4},
        ],
    }
    found = rows(
        read(METRICS, metrics(
            {"name": "h", "histogram": {"aggregationTemporality": 1, "dataPoints": [histogram]}},
            {"name": "e", "exponentialHistogram": {"dataPoints": [exponential]}},
            {"name": "q", "summary": {"dataPoints": [summary]}},
        )),
        "AppMetrics",
    )  # fmt: skip
    told = {
        r["Name"]: (r.get("Sum"), r.get("Min"), r.get("Max"), r["ItemCount"], json.loads(r["Distribution"]))
        for r in found
    }
    assert told == {
        "h": (9.5, 0.5, 4.0, 5, {"bounds": [1.0], "counts": [2, 3]}),
        "e": (3.0, None, None, 4, {"scale": 2, "zeroCount": 1, "zeroThreshold": 0.0, "positive": {"offset": -1, "counts": [3]}}),
        "q": (20.0, 1.0, 4.0, 10, {"0": 1.0, "0.5": 2.0, "1": 4.0}),
    }  # fmt: skip


def test_metrics_that_can_not_be_points_are_refused_alone() -> None:
    point = {"dataPoints": [{"timeUnixNano": AT, "asInt": "1"}]}
    batch = read(METRICS, metrics({"name": "empty"}, {"gauge": point}, {"name": "good", "gauge": point}))
    assert [r["Name"] for r in rows(batch, "AppMetrics")] == ["good"]
    assert [r.why.code for r in batch.refused] == ["OTL202", "OTL203"]


def test_a_count_beyond_an_int_is_kept() -> None:
    point = {"timeUnixNano": AT, "count": str(2**40), "sum": 1}
    (row,) = rows(read(METRICS, metrics({"name": "h", "histogram": {"dataPoints": [point]}})), "AppMetrics")
    assert row["ItemCount"] == 2**40


def span(kind: int, **told: Any) -> dict[str, Any]:
    return {
        "traceId": TRACE, "spanId": SPAN, "parentSpanId": SPAN[::-1], "name": "GET /cart", "kind": kind,
        "startTimeUnixNano": str(AT), "endTimeUnixNano": str(AT + 2_500_000), "attributes": attributes(**told),
    }  # fmt: skip


@pytest.mark.parametrize("kind", [2, 5])
def test_a_span_that_served_is_a_request(kind: int) -> None:
    told = {
        "http__request__method": "GET",
        "url__scheme": "https",
        "server__address": "shop.example",
        "url__path": "/cart",
        "http__response__status_code": 500,
        "client__address": "10.0.0.1",
    }
    (row,) = rows(read(TRACES, spans(span(kind, **told))), "AppRequests")
    assert row["TimeGenerated"].isoformat() == "2026-02-02T02:40:00+00:00"
    expected = {
        "Id": SPAN, "OperationId": TRACE, "ParentId": SPAN[::-1], "Name": "GET /cart", "OperationName": "GET /cart",
        "DurationMs": 2.5, "Success": False, "ResultCode": "500", "Url": "https://shop.example/cart",
        "ClientIP": "10.0.0.1", "AppRoleName": "shop", "ItemCount": 1,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(("kind", "named"), [(1, "Internal"), (3, "Client"), (4, "Producer")])
def test_a_span_that_called_is_a_dependency(kind: int, named: str) -> None:
    batch = read(
        TRACES, spans(span(kind, db__system="postgresql", db__name="shop", db__statement="select 1"))
    )
    (row,) = rows(batch, "AppDependencies")
    assert (row["DependencyType"], row["Target"], row["Data"]) == ("postgresql", "shop", "select 1")
    assert (row["SpanKind"], row["Success"], row["ResultCode"]) == (named, True, "0")
    assert [p.table for p in batch.parts] == ["AppDependencies"]


def test_an_exception_of_a_span_has_a_row_of_its_own() -> None:
    event = {
        "name": "exception",
        "timeUnixNano": str(AT + 1000),
        "attributes": attributes(
            exception__type="ValueError", exception__message="no", exception__stacktrace="at a", x="y"
        ),
    }
    batch = read(TRACES, spans({**span(3), "status": {"code": 2, "message": "bad"}, "events": [event]}))
    (called,) = rows(batch, "AppDependencies")
    assert (called["Success"], called["StatusMessage"]) == (False, "bad")
    assert json.loads(called["Events"])[0]["name"] == "exception"
    (row,) = rows(batch, "AppExceptions")
    assert (row["ExceptionType"], row["OuterMessage"], row["ParentId"]) == ("ValueError", "no", SPAN)
    assert (row["Properties"], json.loads(row["Details"])[0]["rawStack"]) == ('{"x":"y"}', "at a")


def test_the_types_are_those_of_azure(captures: Path) -> None:
    known = json.loads((captures.parents[1] / "schemas" / "log_analytics_tables.json").read_text())
    from workbench.collect.doors import otlp_logs, otlp_traces, remote_write, syslog

    for table, types in {
        "AppTraces": otlp_logs.TYPES, "AppRequests": otlp_traces.REQUEST_TYPES,
        "AppDependencies": otlp_traces.DEPENDENCY_TYPES, "AppExceptions": otlp_traces.EXCEPTION_TYPES,
        "InsightsMetrics": remote_write.TYPES, "Syslog": syslog.TYPES,
    }.items():  # fmt: skip
        theirs = dict(known[table])
        ours = {name: type_.value for name, type_ in types.items()}
        assert {n: t for n, t in ours.items() if n in theirs} == {n: theirs[n] for n in ours if n in theirs}
        assert len(set(ours) & set(theirs)) >= 7


def test_a_text_that_is_no_utf8_costs_its_own_record() -> None:
    """Of protobuf: in a record, in a scope, which all records of it share, and in a resource."""
    request = otlp.message_of(
        LOGS, orjson.dumps(logs({"timeUnixNano": AT, "body": {"stringValue": "good"}})), JSON
    )
    for text in ("BAD1", "SCOPE", "BAD2"):
        more = request.resource_logs.add()
        more.CopyFrom(request.resource_logs[0])
        more.scope_logs[0].scope.name = text
        more.scope_logs[0].log_records[0].body.string_value = text
    more.resource.attributes[0].value.string_value = "SHOP"
    more.scope_logs.add().log_records.add().body.string_value = "of the bad resource"
    body = request.SerializeToString()
    body = (
        body.replace(b"\x04BAD1", b"\x04BAD\xff").replace(b"SCOPE", b"SCOP\xe2").replace(b"SHOP", b"SH\xc3(")
    )
    batch = otlp.read(LOGS, body, PROTOBUF, "me")
    assert [(row["Message"], row["AppRoleName"]) for row in rows(batch, "AppTraces")] == [("good", "shop")]
    assert [(r.table, r.why.code) for r in batch.refused] == [("AppTraces", "OTL204")] * 4
    assert b"BAD\xff" in batch.refused[0].original
    told = json.loads(otlp.accepted(LOGS, JSON, batch))["partialSuccess"]
    assert told["rejectedLogRecords"] == "4"
    assert "UTF-8" in told["errorMessage"]


@pytest.mark.parametrize(
    ("signal", "body"),
    [(LOGS, logs({"severityNumber": 9}, {})), (METRICS, metrics({"name": "x"}, {})), (TRACES, spans({"name": "x"}, {}))],
)  # fmt: skip
def test_a_request_read_loosely_is_the_request(signal: Signal, body: dict[str, Any]) -> None:
    (outer,) = body.values()
    for part in (outer[0], *(value[0] for key, value in outer[0].items() if key != "resource")):
        part["schemaUrl"] = "https://opentelemetry.io/schemas/1.9.0"
    message = otlp.message_of(signal, orjson.dumps(body), JSON)
    assert otlp_loose.read(signal.request, message.SerializeToString()) == (message, [])


BROKEN = [
    b"", b"[", b"[]", b"null", b'{"resourceLogs": 1}', b'{"resourceLogs": [1]}',
    b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": "soon"}]}]}]}',
    b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"timeUnixNano": 1e40}]}]}]}',
    b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"severityNumber": NaN}]}]}]}',
    b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": "\xff"}}]}]}]}',
    b'{"a": ' * 100_000, b"[" * 100_000 + b"]" * 100_000,
    b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": ' + b'{"arrayValue": {"values": [' * 200 + b"]}}" * 200 + b"}]}]}]}",
]  # fmt: skip


@pytest.mark.parametrize("body", BROKEN, ids=lambda b: b[:60].decode("latin-1"))
def test_json_that_is_no_request_is_refused_whole(body: bytes) -> None:
    with pytest.raises(WorkbenchError) as refused:
        otlp.message_of(LOGS, body, JSON)
    assert refused.value.code == "OTL105"


def answered(signal: Signal, body: bytes, encoding: str) -> str:
    """The code under which a body is refused, or the door that took it."""
    try:
        return otlp.read(signal, body, encoding, "me").door
    except WorkbenchError as refused:
        return refused.code


@given(body=st.binary(max_size=60))
def test_bytes_are_a_request_or_refused(body: bytes) -> None:
    for signal in (LOGS, METRICS, TRACES):
        assert answered(signal, body, PROTOBUF) in ("OTL105", "OTLP")


JSONS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["resourceLogs", "scopeLogs", "logRecords", "traceId", "body", "attributes", "key", "value", "stringValue", "timeUnixNano", "resource"]), inner, max_size=4),
    ),
    max_leaves=12,
)  # fmt: skip


@given(value=JSONS)
def test_any_json_is_a_request_or_refused(value: Any) -> None:
    for made in (value, logs(value) if isinstance(value, dict) else value):
        assert answered(LOGS, json.dumps(made).encode(), JSON) in ("OTL105", "OTLP")
