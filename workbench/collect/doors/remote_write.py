"""Prometheus remote write 1.0: a WriteRequest as rows of `InsightsMetrics`, one row a sample.

In go unpacked bytes, out come rows. `Name` is the metric's name, `Val` the value, `Tags` the other labels as a JSON
text, `Computer` the host of the label `instance`. A marker of staleness is no value: it is counted and left out.
Another not-a-number, and the infinities, are stored as they are. A series with bad labels is refused by itself, and so
is a sample whose time is none or more than a day ahead. Metadata is left out; native histograms, which version 1.0
does not have, are counted and left out. Must not store.
"""

from __future__ import annotations

import array
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from workbench.base import clock
from workbench.base.diagnostics import open_protocols as diagnostics
from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError
from workbench.collect.batch import Batch, Part, batch_id
from workbench.collect.doors.rows import columns_of_rows
from workbench.collect.quarantine import Refused
from workbench.collect.settling import refuse_times
from workbench.repository.physical import MAX_MICROSECONDS, MIN_MICROSECONDS

DOOR = "remote write"
TABLE = "InsightsMetrics"
PATH = "/api/v1/write"
BODY_BYTES = 32 << 20
"""The most that a request may have once it is unpacked."""
TYPES = {
    "TimeGenerated": T.DATETIME, "Computer": T.STRING, "Origin": T.STRING, "Namespace": T.STRING, "Name": T.STRING,
    "Val": T.REAL, "Tags": T.STRING,
}  # fmt: skip
STALE = 0x7FF0000000000002


def _messages() -> Any:
    """The class of a WriteRequest, made here: names and values are bytes, so that one bad text spoils one series.

    A sample's value is read as its 64 bits, because not every float survives being handed around as one.
    """
    file = descriptor_pb2.FileDescriptorProto(name="workbench/remote_write.proto", package="workbench.prw")
    file.syntax = "proto3"
    kinds = descriptor_pb2.FieldDescriptorProto
    fields = {
        "Label": [("name", 1, kinds.TYPE_BYTES, ""), ("value", 2, kinds.TYPE_BYTES, "")],
        "Sample": [("bits", 1, kinds.TYPE_FIXED64, ""), ("timestamp", 2, kinds.TYPE_INT64, "")],
        "TimeSeries": [
            ("labels", 1, kinds.TYPE_MESSAGE, "Label"),
            ("samples", 2, kinds.TYPE_MESSAGE, "Sample"),
            ("histograms", 4, kinds.TYPE_BYTES, "*"),
        ],
        "WriteRequest": [("timeseries", 1, kinds.TYPE_MESSAGE, "TimeSeries")],
    }
    for name, members in fields.items():
        made = file.message_type.add(name=name)
        for field_name, number, kind, of in members:
            added = made.field.add(name=field_name, number=number, type=kind)
            added.label = kinds.LABEL_REPEATED if of else kinds.LABEL_OPTIONAL
            if kind == kinds.TYPE_MESSAGE:
                added.type_name = f".workbench.prw.{of}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("workbench.prw.WriteRequest"))


WriteRequest = _messages()


@dataclass(slots=True)
class Taken:
    """What a request holds.

    Attributes
    ----------
    part : Part or None
    refused : list of Refused
        One a bad series or sample.
    stale, histograms : int
        Left out, to be counted.
    """

    part: Part | None = None
    refused: list[Refused] = field(default_factory=list)
    stale: int = 0
    histograms: int = 0


def read(body: bytes, source: str) -> Taken:
    """The samples of a request.

    Parameters
    ----------
    body : bytes
        Unpacked.
    source : str
        Who sent it.

    Raises
    ------
    WorkbenchError
        OTL105 when the body is no WriteRequest.
    """
    try:
        request = WriteRequest.FromString(body)
    except DecodeError as broken:
        raise diagnostics.no_request("protobuf of WriteRequest", str(broken)[:200]) from None
    taken = Taken()
    rows: list[tuple[Any, ...]] = []
    for series in request.timeseries:
        taken.histograms += len(series.histograms)
        try:
            name, computer, tags = _described(series.labels)
        except WorkbenchError as why:
            taken.refused.append(Refused(TABLE, why, source, None, _original(series)))
            continue
        fresh = [s for s in series.samples if s.bits != STALE]
        taken.stale += len(series.samples) - len(fresh)
        for sample, value in zip(fresh, _reals([s.bits for s in fresh]), strict=True):
            moment = sample.timestamp * 1000
            if not MIN_MICROSECONDS <= moment <= MAX_MICROSECONDS:
                bad = diagnostics.bad_timestamp(name, sample.timestamp)
                taken.refused.append(Refused(TABLE, bad, source, None, _one(name, tags, sample, value)))
                continue
            rows.append((moment, computer, "remote write", "prometheus", name, value, tags))

    def refuse(row: int, why: WorkbenchError) -> None:
        moment, _, _, _, name, value, tags = rows[row]
        original = orjson.dumps({"name": name, "labels": tags, "time": moment, "value": value})
        taken.refused.append(Refused(TABLE, why, source, None, original))

    if rows:
        columns, left = refuse_times(columns_of_rows(TYPES, rows), clock.now_us(), refuse)
        taken.part = Part(TABLE, columns, TYPES) if left else None
    return taken


def batch_of(taken: Taken, body: bytes, source: str) -> Batch:
    """A request as a delivery; every sample has a time, so the same bytes are stored once within a day."""
    parts = [taken.part] if taken.part else []
    return Batch(DOOR, source, parts, taken.refused, batch_id(source, PATH, "", body), size=len(body))


def _described(labels: Any) -> tuple[str, str | None, str | None]:
    """Name, computer and tags of a series.

    Labels come in the order of their names, each once, and one is the metric's name. One with an empty value is as
    good as none.
    """
    before = b""
    told: dict[str, str] = {}
    for label in labels:
        raw = label.name
        if not raw:
            raise diagnostics.bad_series("a label has no name")
        if raw <= before:
            why = "appears twice" if raw == before else "is out of order"
            raise diagnostics.bad_series(f"{raw.decode('utf-8', 'backslashreplace')!r} {why}")
        before = raw
        if label.value:
            try:
                told[raw.decode("utf-8")] = label.value.decode("utf-8")
            except UnicodeDecodeError:
                raise diagnostics.bad_series("a name or value is no UTF-8") from None
    name = told.pop("__name__", "")
    if not name:
        raise diagnostics.bad_series("there is no metric name (__name__)")
    instance = told.get("instance")
    return name, host_of(instance) if instance else None, orjson.dumps(told).decode() if told else None


def host_of(instance: str) -> str:
    """The host of an `instance` label.

    Examples
    --------
    >>> [host_of(text) for text in ("web01:9100", "web01", "[::1]:9100", "::1", "http://web01:80/x")]
    ['web01', 'web01', '::1', '::1', 'web01']
    """
    host = instance.partition("://")[2].partition("/")[0] if "://" in instance else instance
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host


def _reals(bits: Sequence[int]) -> array.array[float]:
    """Floats of their bits."""
    reals = array.array("d")
    reals.frombytes(array.array("Q", bits).tobytes())
    return reals


def _original(series: Any) -> bytes:
    """A refused series as JSON."""

    def text(raw: bytes) -> str:
        return raw.decode("utf-8", "backslashreplace")

    values = _reals([s.bits for s in series.samples])
    return orjson.dumps(
        {
            "labels": [[text(label.name), text(label.value)] for label in series.labels],
            "samples": [[s.timestamp, _plain(v)] for s, v in zip(series.samples, values, strict=True)],
        }
    )


def _one(name: str, tags: str | None, sample: Any, value: float) -> bytes:
    told = {"name": name, "labels": tags, "timestamp": sample.timestamp, "value": _plain(value)}
    return orjson.dumps(told)


def _plain(value: float) -> float | str:
    return value if math.isfinite(value) else str(value)
