"""The agent's spool: what comes back after kills and damage, and what goes when it is full."""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.collect.agent import frames
from workbench.collect.agent.sending import body_of
from workbench.collect.agent.spool import Spool
from workbench.collect.doors.agent import BODY_BYTES
from workbench.collect.doors.unpacking import gunzip
from workbench.collect.sources import Batch


def batch(table: str, *numbers: int, pad: int = 0, **marks: Any) -> Batch:
    return Batch(
        table, [{"n": n, "pad": "".join(random.choices("abcdef", k=pad))} for n in numbers], marks=marks
    )


def records(spool: Spool) -> list[tuple[str, Any]]:
    """All that waits, in order, as the service would read it."""
    found: list[tuple[str, Any]] = []
    while waiting := spool.first():
        for one in json.loads(gzip.decompress(body_of(waiting)))["batches"]:
            found += [(one["table"], record.get("n", record.get("Count"))) for record in one["records"]]
        spool.done(waiting[-1].number)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def spool(folder: Path) -> Iterator[Spool]:
    made = Spool(folder)
    yield made
    made.close()


def test_batches_come_in_order_and_stay_until_they_are_done(spool: Spool) -> None:
    numbers = [spool.put([batch("A", n)]) for n in range(5)]
    assert numbers == sorted(set(numbers))
    assert [f.number for f in spool.first()] == [f.number for f in spool.first()] == numbers
    spool.done(numbers[1])
    assert [f.number for f in spool.first()] == numbers[2:]
    spool.done(numbers[-1])
    assert (spool.first(), spool.waiting) == ([], False)


def test_a_post_takes_at_least_one_batch_and_no_more_than_it_may(spool: Spool) -> None:
    for n in range(3):
        spool.put([batch("A", n, pad=1000)])
    assert len(spool.first(most=1)) == 1
    assert len(spool.first(most=10_000, most_text=1500)) == 1
    assert len(spool.first(most=10_000, most_text=2500)) == 2


def test_a_door_takes_as_many_batches_as_a_post_has(spool: Spool) -> None:
    spool.put([batch("A", n) for n in range(1000)])
    waiting = spool.first()
    assert len(waiting) < 1000
    body = gunzip(body_of(waiting), BODY_BYTES)
    assert len(json.loads(body)["batches"]) == len(waiting)


def test_what_waits_and_the_marks_survive_and_numbers_rise(folder: Path) -> None:
    first = Spool(folder)
    before = first.put([batch("A", 1, at=10), batch("B", 2)], "file")
    first.put([batch("A", at=20, name="x")], "file")
    first.put([batch("A", name=None)], "file")
    first.put([batch("A", 3, at=7)], "other")
    # No close: as after a kill.
    again = Spool(folder)
    assert (again.marks("file"), again.marks("other")) == ({"at": 20}, {"at": 7})
    assert again.put([batch("A", 4)]) > before + 1
    assert records(again) == [("A", 1), ("B", 2), ("A", 3), ("A", 4)]


def test_marks_outlive_the_segments_they_were_written_in(folder: Path) -> None:
    spool = Spool(folder, limit=64_000)
    spool.put([batch("A", 1, at=1)], "old")
    for n in range(60):
        spool.done(spool.put([batch("A", n, pad=2000, at=n)], "new"))
    assert len(list(folder.iterdir())) == 1
    again = Spool(folder)
    assert (again.marks("old"), again.marks("new")) == ({"at": 1}, {"at": 59})


@pytest.mark.parametrize("cut", range(1, 400, 7))
def test_a_reading_that_was_not_written_whole_is_none(folder: Path, cut: int) -> None:
    """All batches of a reading and their marks are there, or none of them."""
    spool = Spool(folder)
    spool.put([batch("A", 1, at=1)], "file")
    (path,) = folder.iterdir()
    whole = path.stat().st_size
    spool.put([batch("A", 2), batch("B", 3, pad=50), batch("C", 4, at=2)], "file")
    assert path.stat().st_size - cut > whole
    os.truncate(path, path.stat().st_size - cut)
    again = Spool(folder)
    assert again.marks("file") == {"at": 1}
    again.put([batch("A", 5)])
    assert records(again) == [("A", 1), ("A", 5)]


def test_a_damaged_batch_costs_no_more_than_its_reading_and_is_told(folder: Path) -> None:
    spool = Spool(folder)
    for n in range(5):
        spool.put([batch("A", n, pad=100)])
    (path,) = folder.iterdir()
    data = bytearray(path.read_bytes())
    places = [at for at in range(len(data)) if data.startswith(frames.MAGIC, at)]
    data[places[3] - 5] ^= 0xFF  # in the body of the second batch
    path.write_bytes(data)
    assert [n for _, n in records(Spool(folder))] == [0, 2, 3, 4]
    assert Spool(folder).lost_bytes() > 0


def test_damage_that_comes_later_does_not_stop_the_rest(spool: Spool, folder: Path) -> None:
    for n in range(4):
        spool.put([batch("A", n, pad=100)])
    (path,) = folder.iterdir()
    data = bytearray(path.read_bytes())
    places = [at for at in range(len(data)) if data.startswith(frames.MAGIC, at)]
    data[places[2] + 8] ^= 0xFF  # the head of the second batch
    data[-1] ^= 0xFF  # the body of the last
    path.write_bytes(data)
    assert [n for _, n in records(spool)] == [0, 2]
    assert not spool.waiting
    assert (spool.lost_bytes() > 0, spool.lost_bytes()) == (True, 0)


def test_a_segment_without_a_readable_state_leaves_what_the_one_before_knew(folder: Path) -> None:
    Spool(folder).put([batch("A", 1, at=1)], "file")
    Spool(folder).put([batch("A", 2)])
    path = folder / frames.file_name(2)
    data = bytearray(path.read_bytes())
    data[25] ^= 0xFF
    path.write_bytes(data)
    again = Spool(folder)
    assert again.marks("file") == {"at": 1}
    assert [n for _, n in records(again)] == [1, 2]


def test_a_write_that_failed_counts_for_nothing_even_if_its_bytes_are_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(folder)
    spool.put([batch("A", 1, at=1)], "file")
    real = os.fdatasync

    def failing(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", failing)
    with pytest.raises(OSError, match="Input/output"):
        spool.put([batch("A", 2, at=2)], "file")
    monkeypatch.setattr(os, "fdatasync", real)
    assert spool.marks("file") == {"at": 1}
    spool.put([batch("A", 2, at=2)], "file")
    assert records(Spool(folder)) == [("A", 1), ("A", 2)]


def test_a_large_reading_is_sent_in_parts(spool: Spool) -> None:
    spool.put([Batch("A", [{"n": n, "pad": "x" * 1000} for n in range(10_000)])])
    waiting = spool.first(most=1 << 30, most_text=1 << 30)
    assert len(waiting) > 1
    assert max(frame.size for frame in waiting) < 4 << 20
    assert [n for _, n in records(spool)] == list(range(10_000))


def test_what_json_has_no_word_for_does_not_stop_a_batch(spool: Spool) -> None:
    spool.put([Batch("A", [{"n": 2**70, "t": "\ud800", "f": float("inf")}])])
    assert [n for _, n in records(spool)] == [2**70]


# ---- a full spool -----------------------------------------------------------------------------


def test_a_full_spool_drops_perf_first_and_tells_how_many(folder: Path) -> None:
    spool = Spool(folder, "web01", limit=60_000)
    for n in range(40):
        spool.put([batch("Event", n, pad=500)])
        spool.put([batch("Perf", n, 1000 + n, pad=2000)])
    assert spool.size <= 60_000
    found = records(Spool(folder, limit=60_000))
    kept = [n for table, n in found if table == "Perf"]
    lost = sum(n for table, n in found if table == "Operation")
    assert [n for table, n in found if table == "Event"] == list(range(40))
    assert lost + len(kept) == 80
    assert lost > 0
    assert kept[-2:] == [39, 1039], "the newest stay"


def test_without_perf_the_oldest_go(folder: Path) -> None:
    spool = Spool(folder, limit=50_000)
    for n in range(100):
        spool.put([batch("Event", n, pad=1500)])
    found = records(Spool(folder, limit=50_000))
    kept = [n for table, n in found if table == "Event"]
    assert kept == list(range(100 - len(kept), 100))
    assert sum(n for table, n in found if table == "Operation") == 100 - len(kept) > 0


def test_what_is_on_its_way_is_never_dropped(folder: Path) -> None:
    spool = Spool(folder, limit=50_000)
    spool.put([batch("Perf", 0, pad=3000)])
    (sending,) = spool.first()
    for n in range(1, 60):
        spool.put([batch("Perf", n, pad=1500)])
    assert spool.first()[0] == sending
    spool.done(sending.number)
    found = records(spool)
    kept = [n for table, n in found if table == "Perf"]
    assert sum(n for table, n in found if table == "Operation") == 59 - len(kept)


# ---- another agent's batches ------------------------------------------------------------------


def test_a_gateway_keeps_the_numbers_and_takes_a_batch_once(folder: Path) -> None:
    def frame(number: int) -> frames.Frame:
        text = frames.text_of("A", [{"n": number}])
        return frames.Frame(number, "A", 1, len(text), frames.squeezed(text))

    spool = Spool(folder, own_numbers=False)
    spool.take([frame(5), frame(9)])
    spool.take([frame(5), frame(9), frame(11)])
    again = Spool(folder, own_numbers=False)
    again.take([frame(9), frame(12)])
    assert again.last == 12
    assert [f.number for f in again.first()] == [5, 9, 11, 12]
