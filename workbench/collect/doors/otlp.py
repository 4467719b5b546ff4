"""OTLP over HTTP: bodies of the three signals read, and answers written, both in protobuf and in JSON.

In go bytes and their content type, out come the request's message, and bytes again for the answer. What the records
mean is in `otlp_logs`, `otlp_metrics` and `otlp_traces`. Must not store, and must not know HTTP.

JSON is read as the protocol has it, which is not quite protobuf's own JSON: ids are hexadecimal (`json_format` would
read them as base64 without a word), enums are numbers, and unknown fields are left out.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from workbench.base.diagnostics import open_protocols as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.batch import Batch, batch_id
from workbench.collect.doors import otlp_logs, otlp_loose, otlp_metrics, otlp_traces
from workbench.collect.doors.otlp_values import Taken
from workbench.collect.quarantine import Refused

PROTOBUF, JSON = "application/x-protobuf", "application/json"
DOOR = "OTLP"
BODY_BYTES = 20 << 20
"""The most that a body may have once it is unpacked."""
_DEPTH = 100
_IDS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})


@dataclass(frozen=True, slots=True)
class Signal:
    """One of the three doors: its path, its messages, and what makes rows of it."""

    path: str
    request: Any
    response: Any
    rejected: str
    table: str
    rows: Callable[[Any, str], Taken]


LOGS = Signal(
    "/v1/logs", logs_service_pb2.ExportLogsServiceRequest, logs_service_pb2.ExportLogsServiceResponse,
    "rejected_log_records", otlp_logs.TABLE, otlp_logs.rows,
)  # fmt: skip
METRICS = Signal(
    "/v1/metrics", metrics_service_pb2.ExportMetricsServiceRequest,
    metrics_service_pb2.ExportMetricsServiceResponse, "rejected_data_points", otlp_metrics.TABLE, otlp_metrics.rows,
)  # fmt: skip
TRACES = Signal(
    "/v1/traces", trace_service_pb2.ExportTraceServiceRequest, trace_service_pb2.ExportTraceServiceResponse,
    "rejected_spans", otlp_traces.DEPENDENCIES,
    otlp_traces.rows,
)  # fmt: skip


def encoding_of(content_type: str) -> str:
    """`PROTOBUF` or `JSON` for a Content-Type header.

    Raises
    ------
    WorkbenchError
        OTL104 for any other.

    Examples
    --------
    >>> encoding_of("application/json; charset=utf-8")
    'application/json'
    """
    name = content_type.partition(";")[0].strip().lower()
    if name not in (PROTOBUF, JSON):
        raise diagnostics.unknown_content(name, (PROTOBUF, JSON))
    return name


def message_of(signal: Signal, body: bytes, encoding: str) -> Any:
    """The request of a body.

    Raises
    ------
    WorkbenchError
        OTL105 when it is none: then nothing of it is taken.

    Examples
    --------
    >>> found = message_of(LOGS, b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"traceId": "0a0b"}]}]}]}', JSON)
    >>> found.resource_logs[0].scope_logs[0].log_records[0].trace_id
    b'\\n\\x0b'
    """
    kind = "protobuf of " + signal.request.DESCRIPTOR.name
    try:
        if encoding == PROTOBUF:
            return signal.request.FromString(body)
        kind = "JSON of " + signal.request.DESCRIPTOR.name
        parsed = orjson.loads(body)
        if not isinstance(parsed, dict):
            raise diagnostics.no_request(kind, "it is no JSON object")
        _ids_as_bytes(parsed)
        return json_format.ParseDict(
            parsed, signal.request(), ignore_unknown_fields=True, max_recursion_depth=_DEPTH
        )
    except (DecodeError, json_format.ParseError, ValueError, TypeError, AttributeError) as broken:
        raise diagnostics.no_request(kind, _first_line(broken)) from None


def read(signal: Signal, body: bytes, encoding: str, source: str) -> Batch:
    """A body as one delivery; records of protobuf with a text that is no UTF-8 are refused alone.

    Raises
    ------
    WorkbenchError
        OTL105 when it is no request, and for JSON that is no UTF-8, which is no JSON.
    """
    unread: list[tuple[bytes, str]] = []
    try:
        message = message_of(signal, body, encoding)
    except WorkbenchError as whole:
        if encoding != PROTOBUF:
            raise
        try:
            message, unread = otlp_loose.read(signal.request, body)
        except DecodeError:
            raise whole from None
    batch = batch_of(signal, message, body, source)
    for raw, why in unread:
        batch.refused.append(Refused(signal.table, diagnostics.unread_record(why), source, None, raw))
    return batch


def _ids_as_bytes(parsed: dict[str, Any]) -> None:
    """Put base64 in the place of hexadecimal ids; what is no hexadecimal becomes no id."""
    waiting: list[Any] = [parsed]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            for key, inner in value.items():
                if key in _IDS and isinstance(inner, str):
                    value[key] = _base64_of(inner)
                elif isinstance(inner, dict | list):
                    waiting.append(inner)


def _base64_of(text: str) -> str:
    try:
        return base64.b64encode(bytes.fromhex(text)).decode()
    except ValueError:
        return ""


def batch_of(signal: Signal, message: Any, body: bytes, source: str) -> Batch:
    """A request as a delivery.

    The same bytes of the same sender are stored once within a day, so a retry stores nothing twice. A record without
    a time has nothing that tells it from the next one: a request that has such a record is always new.
    """
    taken = signal.rows(message, source)
    number = batch_id(source, signal.path, "", body) if taken.timed else ""
    return Batch(DOOR, source, taken.parts, taken.refused, number, size=len(body))


# ---- answers ---------------------------------------------------------------------------------


def accepted(signal: Signal, encoding: str, batch: Batch) -> bytes:
    """The answer to a request that was stored; it tells of records that could not be."""
    response = signal.response()
    if batch.refused:
        setattr(response.partial_success, signal.rejected, len(batch.refused))
        response.partial_success.error_message = _told(batch.refused)
    return _encoded(response, encoding)


def _told(refused: Sequence[Any]) -> str:
    counts: dict[str, int] = {}
    for record in refused:
        text = f"{record.why.code}: {record.why.message}"
        counts[text] = counts.get(text, 0) + 1
    told = [f"{text} ({count})" for text, count in list(counts.items())[:5]]
    return "; ".join([*told, "and others"] if len(counts) > 5 else told)


def _encoded(message: Any, encoding: str) -> bytes:
    if encoding == PROTOBUF:
        return bytes(message.SerializeToString())
    return orjson.dumps(json_format.MessageToDict(message))


STATUS_CODES = {400: 3, 413: 8, 415: 3, 429: 8, 500: 13, 503: 14}
"""Number of google.rpc.Code by HTTP status."""


def failure(status: int, text: str, encoding: str) -> bytes:
    """A google.rpc.Status, written by hand: it is two fields, a number (1) and a text (2).

    Examples
    --------
    >>> failure(400, "no", PROTOBUF), failure(400, "no", JSON)
    (b'\\x08\\x03\\x12\\x02no', b'{"code":3,"message":"no"}')
    """
    code = STATUS_CODES.get(status, 2)
    if encoding == JSON:
        return orjson.dumps({"code": code, "message": text})
    raw = text.encode()
    return b"\x08" + bytes([code]) + b"\x12" + _varint(len(raw)) + raw


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _first_line(error: Exception) -> str:
    return (str(error).strip().split("\n")[0] or type(error).__name__)[:200]
