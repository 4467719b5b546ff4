"""Prometheus remote write against a running service."""

from __future__ import annotations

import http.client
import struct
import time
import urllib.parse
from typing import Any

import cramjam
import pytest

from workbench.collect.doors.remote_write import STALE, WriteRequest

pytestmark = pytest.mark.slow


def request_of(*series: tuple[dict[str, str], list[float | int]]) -> bytes:
    """A WriteRequest whose samples are a second apart; an int is the bits of a value."""
    request = WriteRequest()
    now = time.time_ns() // 1_000_000
    for labels, values in series:
        added = request.timeseries.add()
        for name, value in labels.items():
            added.labels.add(name=name.encode(), value=value.encode())
        for index, value in enumerate(values):
            bits = value if isinstance(value, int) else struct.unpack("<Q", struct.pack("<d", value))[0]
            added.samples.add(bits=bits, timestamp=now + 1000 * index)
    return bytes(request.SerializeToString())


def post(service: Any, body: bytes, **more: str) -> tuple[int, str, dict[str, str]]:
    parts = urllib.parse.urlsplit(service.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    headers = {
        "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy", "User-Agent": "Prometheus/3",
        "X-Prometheus-Remote-Write-Version": "0.1.0", "Authorization": f"Bearer {service.token}",
    }  # fmt: skip
    headers.update({key.replace("_", "-").title(): value for key, value in more.items()})
    connection.request("POST", "/api/v1/write", body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), dict(answer.headers)
    connection.close()
    return found


def packed(body: bytes) -> bytes:
    return bytes(cramjam.snappy.compress_raw(body))


def rows(service: Any, query: str) -> list[list[Any]]:
    status, body = service.query(query)
    assert status == 200, body
    found: list[list[Any]] = body["tables"][0]["rows"]
    return found


def test_samples_are_found_by_query_and_a_retry_stores_nothing(service: Any) -> None:
    body = packed(
        request_of(
            ({"__name__": "up", "instance": "web01:9100", "job": "node"}, [1.0, STALE, 0.0]),
            ({"__name__": "load", "instance": "web02:9100"}, [2.5]),
        )
    )
    for _ in range(2):
        status, text, _ = post(service, body)
        assert (status, text) == (204, "")
    query = "InsightsMetrics | project Name, Val, Computer, Namespace, tostring(todynamic(Tags).job) | sort by Name asc, Val asc"
    assert rows(service, query) == [
        ["load", 2.5, "web02", "prometheus", ""], ["up", 0.0, "web01", "prometheus", "node"],
        ["up", 1.0, "web01", "prometheus", "node"],
    ]  # fmt: skip


def test_a_bad_series_is_400_and_the_others_are_stored(service: Any) -> None:
    body = request_of(({"__name__": "bad", "b": "1", "a": "2"}, [1.0]), ({"__name__": "good"}, [1.0]))
    status, text, headers = post(service, packed(body))
    assert (status, text[:7]) == (400, "PRW201:")
    assert headers["content-type"].startswith("text/plain")
    assert rows(service, 'InsightsMetrics | where Name in ("bad", "good") | project Name') == [["good"]]
    assert rows(service, '_Quarantine | where Code == "PRW201" | project Table') == [["InsightsMetrics"]]


@pytest.mark.parametrize(
    ("body", "more", "status"),
    [
        (b"", {}, 400),
        (b"no snappy", {}, 400),
        (packed(b"\xff\xff"), {}, 400),
        (b"\xff\xff\xff\xff\x0f\x00", {}, 413),
        (packed(b""), {"content_type": "application/x-protobuf;proto=io.prometheus.write.v2.Request"}, 415),
        (packed(b""), {"content_type": "application/json"}, 415),
        (packed(b""), {"content_encoding": "gzip"}, 415),
        (packed(b""), {"content_type": "application/x-protobuf;proto=prometheus.WriteRequest"}, 204),
    ],
)
def test_bodies_that_are_not_taken(service: Any, body: bytes, more: dict[str, str], status: int) -> None:
    assert post(service, body, **more)[0] == status
