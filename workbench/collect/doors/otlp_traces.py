"""Spans of OTLP as rows of `AppRequests` and `AppDependencies`, their exceptions as rows of `AppExceptions`.

In goes an ExportTraceServiceRequest, out come rows. A span of kind server or consumer is a request that the
application answered, any other a dependency that it called. Names of attributes are those of the semantic
conventions, new and old. `SpanKind`, `StatusMessage`, `Events`, `Links`, `TraceState`, `Resource` and `Scope` are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from workbench.base import clock
from workbench.base.diagnostics import open_protocols as diagnostics
from workbench.base.dtypes import ScalarType as T
from workbench.collect.doors import otlp_values as values
from workbench.collect.doors.otlp_values import ORIGIN_TYPES, PERSON_TYPES, Taken, first
from workbench.collect.doors.rows import json_text
from workbench.collect.settling import MOST_AHEAD_US

REQUESTS, DEPENDENCIES, EXCEPTIONS = "AppRequests", "AppDependencies", "AppExceptions"
_SPAN_TYPES = {
    "TimeGenerated": T.DATETIME, "Id": T.STRING, "OperationId": T.STRING, "ParentId": T.STRING, "Name": T.STRING,
    "OperationName": T.STRING, "DurationMs": T.REAL, "Success": T.BOOL, "ResultCode": T.STRING, "ItemCount": T.INT,
    "Properties": T.DYNAMIC, **PERSON_TYPES, "SpanKind": T.STRING, "StatusMessage": T.STRING, "Events": T.DYNAMIC,
    "Links": T.DYNAMIC, "TraceState": T.STRING, **ORIGIN_TYPES,
}  # fmt: skip
REQUEST_TYPES = {**_SPAN_TYPES, "Url": T.STRING, "Source": T.STRING}
DEPENDENCY_TYPES = {**_SPAN_TYPES, "DependencyType": T.STRING, "Target": T.STRING, "Data": T.STRING}
EXCEPTION_TYPES = {
    "TimeGenerated": T.DATETIME, "OperationId": T.STRING, "ParentId": T.STRING, "OperationName": T.STRING,
    "ProblemId": T.STRING, "ExceptionType": T.STRING, "OuterType": T.STRING, "OuterMessage": T.STRING,
    "Message": T.STRING, "Details": T.DYNAMIC, "SeverityLevel": T.INT, "ItemCount": T.INT, "Properties": T.DYNAMIC,
    **ORIGIN_TYPES,
}  # fmt: skip
_KINDS = {1: "Internal", 2: "Server", 3: "Client", 4: "Producer", 5: "Consumer"}
_SERVED = (2, 5)
_OK, _ERROR = 1, 2
Attributes = Mapping[str, Any]


def rows(request: Any, source: str) -> Taken:
    """The spans of a request; one without valid ids is refused by itself."""
    taken = Taken()
    requests: list[tuple[Any, ...]] = []
    dependencies: list[tuple[Any, ...]] = []
    exceptions: list[tuple[Any, ...]] = []
    served: list[Any] = []
    called: list[Any] = []
    for of_resource in request.resource_spans:
        resource = values.resource_columns(of_resource.resource)
        for of_scope in of_resource.scope_spans:
            origin = (*resource, values.scope_column(of_scope.scope))
            for span in of_scope.spans:
                told = values.attributes_of(span.attributes)
                row = _row(span, told, origin)
                if row is None:
                    target = REQUESTS if span.kind in _SERVED else DEPENDENCIES
                    taken.refuse(target, diagnostics.bad_ids(), source, span)
                    continue
                taken.timed &= span.start_time_unix_nano > 0
                if span.kind in _SERVED:
                    requests.append((*row, url(told), _destination(told)))
                    served.append(span)
                else:
                    dependencies.append((*row, *dependency(span.kind, told)))
                    called.append(span)
                exceptions.extend(
                    _exception(event, span, origin) for event in span.events if event.name == "exception"
                )
    taken.add(REQUESTS, REQUEST_TYPES, requests, served, source)
    taken.add(DEPENDENCIES, DEPENDENCY_TYPES, dependencies, called, source)
    # They stand in their spans too, so one with a wrong time is left out without a count of its own.
    latest = clock.now_us() + MOST_AHEAD_US
    exceptions = [row for row in exceptions if row[0] is None or row[0] <= latest]
    taken.add(EXCEPTIONS, EXCEPTION_TYPES, exceptions, exceptions, source)
    return taken


def _row(span: Any, told: Attributes, origin: tuple[str | None, ...]) -> tuple[Any, ...] | None:
    trace, own = values.identifier(span.trace_id, 16), values.identifier(span.span_id, 8)
    if trace is None or own is None:
        return None
    began, ended = span.start_time_unix_nano, span.end_time_unix_nano
    code = result_code(told)
    return (
        values.micros(began),
        own,
        trace,
        values.identifier(span.parent_span_id, 8),
        span.name or None,
        first(told, "ai.operation.name") or (span.name or None if span.kind in _SERVED else None),
        (ended - began) / 1e6 if began and ended else None,
        succeeded(span.status.code, code, told),
        str(span.status.code) if code is None else code,
        1,
        values.bag(told),
        *values.person_columns(told),
        _KINDS.get(span.kind),
        span.status.message or None,
        _events(span.events),
        _links(span.links),
        span.trace_state or None,
        *origin,
    )


def result_code(told: Attributes) -> str | None:
    """The code that the protocol of a call gave: of HTTP, else of RPC, else of a database."""
    return first(
        told, "http.response.status_code", "http.status_code", "rpc.response.status_code",
        "rpc.grpc.status_code", "db.response.status_code",
    )  # fmt: skip


def succeeded(status: int, code: str | None, told: Attributes) -> bool:
    """Whether a span succeeded: its status says it, else its HTTP status (below 400), else it did.

    Examples
    --------
    >>> http = {"http.status_code": 404}
    >>> succeeded(0, "404", http), succeeded(1, "404", http), succeeded(2, None, {}), succeeded(0, "5", {})
    (False, True, False, True)
    """
    if status in (_OK, _ERROR):
        return status == _OK
    of_http = "http.response.status_code" in told or "http.status_code" in told
    return not (of_http and code is not None and code.isdecimal() and int(code) >= 400)


def url(told: Attributes) -> str | None:
    """The URL of a request: as it was told, else put together.

    Examples
    --------
    >>> url({"url.scheme": "https", "server.address": "a.example", "server.port": 443, "url.path": "/b"})
    'https://a.example/b'
    >>> url({"http.scheme": "http", "http.host": "a:8080", "http.target": "/b?c=1"})
    'http://a:8080/b?c=1'
    """
    whole = first(told, "url.full", "http.url")
    if whole is not None:
        return whole
    path = first(told, "url.path", "http.target")
    if path is None:
        return None
    asked = first(told, "url.query")
    rest = f"{path}?{asked}" if asked else path
    scheme = first(told, "url.scheme", "http.scheme")
    host = first(told, "http.host") or _server(told, {"http": "80", "https": "443"}.get(scheme or ""))
    return f"{scheme or 'http'}://{host}{rest}" if host else rest


def _server(told: Attributes, usual: str | None = None) -> str | None:
    host = first(
        told, "server.address", "net.peer.name", "net.host.name", "network.peer.address", "net.peer.ip"
    )
    port = first(told, "server.port", "net.peer.port", "net.host.port", "network.peer.port")
    if host is None or port is None or port == usual:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _destination(told: Attributes) -> str | None:
    return first(told, "messaging.destination.name", "messaging.destination")


def dependency(kind: int, told: Attributes) -> tuple[str | None, str | None, str | None]:
    """DependencyType, Target and Data of a call.

    Examples
    --------
    >>> dependency(3, {"http.request.method": "GET", "url.full": "https://a.example/b"})
    ('HTTP', 'a.example', 'https://a.example/b')
    >>> dependency(3, {"db.system": "postgresql", "db.name": "shop", "db.statement": "select 1"})
    ('postgresql', 'shop', 'select 1')
    >>> dependency(1, {})
    ('InProc', None, None)
    """
    system = first(told, "db.system.name", "db.system")
    if system is not None:
        place = [part for part in (_server(told), first(told, "db.namespace", "db.name")) if part]
        return system, " | ".join(place) or None, first(told, "db.query.text", "db.statement", "db.operation")
    if "http.request.method" in told or "http.method" in told:
        whole = url(told)
        host = urlsplit_host(whole) if whole else None
        return "HTTP", first(told, "peer.service") or host or _server(told, "443"), whole
    system = first(told, "rpc.system.name", "rpc.system")
    if system is not None:
        called = [part for part in (first(told, "rpc.service"), first(told, "rpc.method")) if part]
        return system, _server(told) or first(told, "rpc.service"), "/".join(called) or None
    system = first(told, "messaging.system")
    if system is not None:
        return system, _destination(told) or _server(told), _destination(told)
    named = first(told, "peer.service") or _server(told)
    return ("InProc" if kind in (0, 1) else None), named, None


def urlsplit_host(whole: str) -> str | None:
    """Host and port of a URL; None where it has none that can be read."""
    try:
        return urlsplit(whole).netloc.rpartition("@")[2] or None
    except ValueError:
        return None


def _events(events: Any) -> str | None:
    told = [
        {"time": e.time_unix_nano // 1000, "name": e.name, "attributes": values.attributes_of(e.attributes)}
        for e in events
    ]
    return json_text(told) if told else None


def _links(links: Any) -> str | None:
    told = [
        {
            "OperationId": values.identifier(link.trace_id, 16),
            "Id": values.identifier(link.span_id, 8),
            "attributes": values.attributes_of(link.attributes),
        }
        for link in links
    ]
    return json_text(told) if told else None


def _exception(event: Any, span: Any, origin: tuple[str | None, ...]) -> tuple[Any, ...]:
    told = values.attributes_of(event.attributes)
    kind, message = first(told, "exception.type"), first(told, "exception.message")
    stack = first(told, "exception.stacktrace")
    details = [{"type": kind, "message": message, "rawStack": stack}]
    return (
        values.micros(event.time_unix_nano or span.start_time_unix_nano),
        values.identifier(span.trace_id, 16),
        values.identifier(span.span_id, 8),
        span.name or None,
        kind,
        kind,
        kind,
        message,
        message,
        json_text(details),
        3,
        1,
        values.bag({k: v for k, v in told.items() if not k.startswith("exception.")}),
        *origin,
    )
