"""Syslog from the wire: where one message ends, and what a message becomes."""

from __future__ import annotations

import ast
import itertools
import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.collect.doors.syslog import NO_UTF8, TYPES, Framer, Message, batch_of, nearest, row_of

CASES = Path(__file__).parent / "cases"
RECEIVED = int(datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()) * 1_000_000
LIMIT = 40
_CASE = re.compile(r"\[case (.+)\]\n(.*)\n\[(\w+)\]\n((?:.+\n)*)")


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Any:
    """RFC 3164 is read in the zone of this machine."""
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def cases(name: str) -> list[Any]:
    text = (CASES / name).read_text()
    found = _CASE.findall(text)
    assert len(found) == text.count("[case ") > 3
    return [pytest.param(*case[1:], id=case[0]) for case in found]


def taken(pieces: list[bytes], limit: int = LIMIT) -> tuple[list[bytes], str | None, int]:
    """Messages, the code of what was cut off, and how many were cut short."""
    framer = Framer(limit)
    found = [message for piece in pieces for message in framer.feed(piece)]
    rest, cut_off = framer.finish()
    return found + rest, cut_off.why.code if cut_off else None, framer.cut


@pytest.mark.parametrize(("wire", "_section", "expected"), cases("framing.test"))
def test_framing(wire: str, _section: str, expected: str) -> None:
    messages, code, cut = taken([ast.literal_eval(f'b"{wire}"')])
    told = [str(m)[2:-1] for m in messages]
    told += [f"! {code}"] if code else []
    told += [f"! {cut} cut"] if cut else []
    assert told == expected.splitlines()


PIECES = st.lists(
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from(
            [b"<1>a", b"5 <1>ab", b"\n", b"12", b" ", b"60 <1>", b"\r\n", b"\0", b"99999999 <", b"0 <"]
        ),
    ),
    max_size=12,
)


@given(pieces=PIECES, cuts=st.lists(st.integers(0, 400), max_size=8))
def test_any_split_of_the_stream_gives_the_same_messages(pieces: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(pieces)
    places = [0, *sorted({min(cut, len(stream)) for cut in cuts}), len(stream)]
    split = [stream[a:b] for a, b in itertools.pairwise(places)]
    whole = taken([stream])
    assert taken(split) == whole
    assert taken([bytes([byte]) for byte in stream]) == whole


@given(messages=st.lists(st.binary(min_size=1, max_size=LIMIT - 3).map(lambda b: b"<1>" + b), max_size=8))
def test_what_is_counted_may_hold_anything(messages: list[bytes]) -> None:
    messages = [m for m in messages if m == m.rstrip(b"\r\n\0")]
    stream = b"".join(b"%d %s" % (len(m), m) for m in messages)
    assert taken([stream]) == (messages, None, 0)


@given(messages=st.lists(st.text(min_size=1, max_size=9).map(lambda t: f"<14>{t}".encode()), max_size=8))
def test_what_ends_at_a_line_feed_may_hold_all_but_that(messages: list[bytes]) -> None:
    messages = [m for m in messages if b"\n" not in m and m == m.rstrip(b"\r\0")]
    assert taken([b"\n".join(messages)]) == (messages, None, 0)


@pytest.mark.parametrize(("wire", "section", "expected"), cases("messages.test"))
def test_message(wire: str, section: str, expected: str) -> None:
    assert section == "record"
    mended: Counter[str] = Counter()
    row = dict(zip(TYPES, row_of(Message(wire.encode(), "10.0.0.7", RECEIVED), "here", mended), strict=True))
    assert (row.pop("CollectorHostName"), row.pop("HostIP"), row.pop("SourceSystem")) == (
        "here",
        "10.0.0.7",
        "Linux",
    )
    assert row.pop("HostName") == row["Computer"]
    event = row.pop("EventTime")
    moment = row.pop("TimeGenerated")
    assert moment == (RECEIVED if event is None else event)
    if row["StructuredData"] is not None:
        row["StructuredData"] = json.loads(row["StructuredData"])
    shown = {name: value for name, value in row.items() if value not in (None, "")}
    shown["TimeGenerated"] = (
        "received" if event is None else datetime.fromtimestamp(event / 1e6, UTC).isoformat()
    )
    if mended:
        shown["mended"] = len(mended)
    assert shown == json.loads(expected)


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        ("2026-12-31T23:59:58", "2027-01-01"),
        ("2026-01-03T00:00:00", "2026-01-01"),
        ("2026-06-01T00:00:00", "2026-01-01"),
    ],
)
def test_a_time_without_a_year_is_of_the_nearest(received: str, expected: str) -> None:
    reference = datetime.fromisoformat(received).replace(tzinfo=UTC)
    assert nearest(1, 1, "00:00:00", reference)[:10] == expected


def test_bytes_that_are_no_text_are_kept_readable_and_counted() -> None:
    batch, mended = batch_of([Message(b"<13>caf\xe9 \xf0\x9f\x90\x9f", "::1", RECEIVED)], "here")
    (part,) = batch.parts
    told = {name: series[0] for (name, _), series in part.columns.series.items()}
    assert told["SyslogMessage"] == "caf\\xe9 🐟"
    assert mended[NO_UTF8] == 1


def test_a_clock_a_year_ahead_is_refused_alone() -> None:
    good, bad = b"<13>1 2026-03-02T11:59:59Z h a - - - good", b"<13>1 2027-03-02T11:59:59Z h a - - - bad"
    batch, _ = batch_of([Message(bad, "10.0.0.9", RECEIVED), Message(good, "10.0.0.7", RECEIVED)], "here")
    assert [(r.why.code, r.source, r.original) for r in batch.refused] == [("IMP111", "10.0.0.9", bad)]
    assert [part.columns.height for part in batch.parts] == [1]


@given(raw=st.binary(max_size=80))
def test_no_message_is_an_error(raw: bytes) -> None:
    batch, _ = batch_of([Message(raw, "10.0.0.7", RECEIVED)], "here")
    assert sum(part.columns.height for part in batch.parts) + len(batch.refused) == 1


@given(
    text=st.from_regex(
        r"<\d{1,3}>(1 )?[0-9T:Z+\-]{0,25} [a-z] [a-z\[\]\d:]{0,6} - - (\[[a-z]( a=\"[a\\\"\]]*\")?\])? x",
        fullmatch=True,
    )
)
def test_nearly_right_messages_are_no_error_either(text: str) -> None:
    batch, _ = batch_of([Message(text.encode(), "10.0.0.7", RECEIVED)], "here")
    assert sum(part.columns.height for part in batch.parts) + len(batch.refused) == 1
