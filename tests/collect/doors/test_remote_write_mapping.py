"""Prometheus remote write as rows: what is stored, what is left out, what is refused alone."""

from __future__ import annotations

import math
import struct
from typing import Any

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.base.errors import WorkbenchError
from workbench.collect.doors import remote_write
from workbench.collect.doors.unpacking import gunzip, unsnappy

AT = 1_770_000_000_123
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


def varint(value: int) -> bytes:
    out = bytearray()
    value &= 2**64 - 1
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def member(number: int, raw: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def series(labels: list[tuple[bytes, bytes]], samples: list[tuple[bytes, int]]) -> bytes:
    """A TimeSeries written by hand; values are the eight bytes of a float."""
    told = b"".join(member(1, member(1, name) + member(2, value)) for name, value in labels)
    return member(
        1, told + b"".join(member(2, b"\x09" + bits + b"\x10" + varint(at)) for bits, at in samples)
    )


def real(value: float) -> bytes:
    return struct.pack("<d", value)


UP = [(b"__name__", b"up"), (b"instance", b"web01:9100"), (b"job", "käse".encode())]


def rows(body: bytes) -> tuple[list[dict[str, Any]], remote_write.Taken]:
    taken = remote_write.read(body, "me")
    if taken.part is None:
        return [], taken
    names = [name for name, _ in taken.part.columns.series]
    lists = [s.to_list() for s in taken.part.columns.series.values()]
    return [dict(zip(names, row, strict=True)) for row in zip(*lists, strict=True)], taken


def test_a_sample_is_a_row() -> None:
    (row,), taken = rows(series(UP, [(real(1.5), AT)]))
    assert row.pop("TimeGenerated").isoformat() == "2026-02-02T02:40:00.123000+00:00"
    assert row == {
        "Computer": "web01", "Origin": "remote write", "Namespace": "prometheus", "Name": "up", "Val": 1.5,
        "Tags": '{"instance":"web01:9100","job":"käse"}',
    }  # fmt: skip
    assert (taken.refused, taken.stale, taken.histograms) == ([], 0, 0)


def test_a_marker_of_staleness_is_left_out_and_other_odd_numbers_are_kept() -> None:
    odd = [
        (struct.pack("<Q", 0x7FF0000000000002), AT),
        (real(math.nan), AT),
        (real(math.inf), AT),
        (real(-math.inf), AT),
    ]
    found, taken = rows(series(UP, odd))
    assert [str(row["Val"]) for row in found] == ["nan", "inf", "-inf"]
    assert taken.stale == 1


BAD_LABELS = {
    "no name": [(b"a", b"b")],
    "empty name": [(b"__name__", b""), (b"a", b"b")],
    "out of order": [(b"__name__", b"up"), (b"b", b"1"), (b"a", b"1")],
    "twice": [(b"__name__", b"up"), (b"a", b"1"), (b"a", b"2")],
    "a label without a name": [(b"", b"1"), (b"__name__", b"up")],
    "no UTF-8": [(b"__name__", b"up"), (b"a", b"\xff")],
    "no labels": [],
}


@pytest.mark.parametrize("labels", BAD_LABELS.values(), ids=BAD_LABELS)
def test_a_series_with_bad_labels_is_refused_alone(labels: list[tuple[bytes, bytes]]) -> None:
    body = series(labels, [(real(1), AT)]) + series(UP, [(real(2), AT)])
    found, taken = rows(body)
    assert [row["Val"] for row in found] == [2.0]
    assert [r.why.code for r in taken.refused] == ["PRW201"]
    assert taken.refused[0].original.startswith(b'{"labels":')


@pytest.mark.parametrize(
    ("at", "code"), [(2**62, "PRW202"), (-(2**62), "PRW202"), (4_000_000_000_000, "IMP111")]
)
def test_a_sample_whose_time_can_not_be_is_refused_alone(at: int, code: str) -> None:
    found, taken = rows(series(UP, [(real(1), at), (real(2), AT)]))
    assert [row["Val"] for row in found] == [2.0]
    assert [r.why.code for r in taken.refused] == [code]


def test_metadata_is_left_out_and_histograms_are_counted() -> None:
    metadata = member(3, b"\x08\x01" + member(2, b"up"))
    histograms = member(
        1, b"".join(member(1, member(1, n) + member(2, v)) for n, v in UP) + member(4, b"\x08\x01")
    )
    found, taken = rows(metadata + histograms + series(UP, [(real(1), AT)]))
    assert (len(found), taken.histograms, taken.refused) == (1, 1, [])


def test_an_empty_value_is_as_good_as_no_label() -> None:
    found, _ = rows(series([(b"__name__", b"up"), (b"a", b"")], [(real(1), AT)]))
    assert found[0].get("Tags") is None


@given(body=st.binary(max_size=80))
def test_bytes_are_a_request_or_refused(body: bytes) -> None:
    code = ""
    try:
        remote_write.read(body, "me")
    except WorkbenchError as refused:
        code = refused.code
    assert code in ("", "OTL105")


def test_a_block_that_claims_too_much_is_refused_before_it_is_unpacked() -> None:
    for raw, code in (
        (b"\xff\xff\xff\xff\x0f\x00", "OTL101"), (b"\xff\xff\xff\xff\xff\xff", "OTL102"), (b"", "OTL102"),
        (b"\x05\x00", "OTL102"), (bytes(cramjam.snappy.compress_raw(bytes(11))), "OTL101"),
    ):  # fmt: skip
        with pytest.raises(WorkbenchError) as refused:
            unsnappy(raw, 10)
        assert refused.value.code == code


def test_a_small_body_that_unpacks_to_much_is_refused() -> None:
    import gzip

    packed = gzip.compress(bytes(10_000_000))
    assert gunzip(gzip.compress(b"a") * 900 + bytes(100_000), 1000) == b"a" * 900
    for raw, code in (
        (packed, "OTL101"),
        (packed[:-9], "OTL101"),
        (gzip.compress(b"abc")[:-3], "OTL102"),
        (b"abc", "OTL102"),
        (b"", "OTL102"),
        (gzip.compress(b"") * 2000, "OTL102"),
    ):
        with pytest.raises(WorkbenchError) as refused:
            gunzip(raw, 1000)
        assert refused.value.code == code
