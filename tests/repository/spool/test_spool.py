"""The spool: what is acknowledged is on disk, seen by the next scan, drained once; what is torn is cut off."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import polars as pl
import pytest

from workbench.base import clock
from workbench.base.errors import WorkbenchError
from workbench.repository.append import place_values, stored_rows
from workbench.repository.spool import segment
from workbench.repository.spool.drain import drain
from workbench.repository.spool.writer import Rows, Spool
from workbench.repository.store import Store
from workbench.repository.tables import Repository

BATCH = "0123456789abcdef" * 2


@pytest.fixture
def place(tmp_path: Path) -> Path:
    Repository.open(str(tmp_path / "w"), create=True)
    return tmp_path / "w"


def rows_of(store: Store, table: str, **columns: list[object]) -> Rows:
    placed = place_values(store, table, pl.DataFrame(columns), {})
    return Rows(table, placed.entry.folder, stored_rows(placed, clock.now_us()))


def numbers(place: Path, table: str = "App", column: str = "N") -> list[int]:
    """As another process sees them, with the sequence that each row has."""
    found = Repository.open(str(place)).scan(table, [column, "_Sequence"]).lazy.collect().sort("_Sequence")
    assert found["_Sequence"].to_list() == list(range(1, found.height + 1))
    values: list[int] = found[column].to_list()
    return values


def test_what_is_added_is_seen_by_the_next_scan_before_and_after_the_drain(place: Path) -> None:
    store = Store(str(place))
    spool = Spool(store)
    assert spool.add([rows_of(store, "App", N=[1, 2])])
    assert spool.add([rows_of(store, "App", N=[3]), rows_of(store, "Other", N=[9])])
    assert numbers(place) == [1, 2, 3]
    assert Repository.open(str(place)).scan("App").files == []
    spool.turn_over()
    assert numbers(place) == [1, 2, 3]
    assert drain(spool, store).rows == {"App": 3, "Other": 1}
    assert numbers(place) == [1, 2, 3]
    assert len(Repository.open(str(place)).scan("App").files) == 1
    assert spool.segments == []
    assert list(spool.folder.glob("*.segment")) == []
    assert spool.add([rows_of(store, "App", N=[4])])
    assert numbers(place) == [1, 2, 3, 4]
    spool.close()


def test_a_batch_is_stored_once_also_after_drain_and_restart(place: Path) -> None:
    store = Store(str(place))
    spool = Spool(store)
    rows = [rows_of(store, "App", N=[1])]
    assert [spool.add(rows, BATCH), spool.add(rows, BATCH), spool.add(rows)] == [True, False, True]
    spool.close()
    spool = Spool(Store(str(place)))
    assert not spool.add(rows, BATCH)
    spool.turn_over()
    assert drain(spool, store).segments == 1
    spool.close()
    spool = Spool(Store(str(place)))
    assert not spool.add(rows, BATCH)
    assert spool.add(rows, BATCH.replace("0", "f"))
    spool.close()
    assert numbers(place) == [1, 1, 1]


def test_a_batch_is_forgotten_after_a_day(place: Path) -> None:
    store = Store(str(place))
    spool = Spool(store)
    now = clock.now_ticks()
    rows = [rows_of(store, "App", N=[1])]
    assert spool.add(rows, BATCH)
    with clock.frozen(now + 26 * 36_000_000_000):
        assert spool.add(rows, BATCH)
    spool.close()


def test_batches_of_hours_that_are_over_are_known(place: Path) -> None:
    store = Store(str(place))
    spool = Spool(store)
    start = clock.now_ticks() // 36_000_000_000 * 36_000_000_000
    rows = [rows_of(store, "App", N=[1])]
    batches = [f"{n:032x}" for n in (7, 2**127, 1, 2**64)]
    for hour in range(3):
        with clock.frozen(start + hour * 36_000_000_000):
            assert [spool.add(rows, b) for b in batches] == [hour == 0] * 4
            assert spool.add(rows, f"{hour + 100:032x}")
    spool.turn_over()
    drain(spool, store)
    spool.close()
    with clock.frozen(start + 23 * 36_000_000_000):
        spool = Spool(Store(str(place)))
        assert [spool.add(rows, b) for b in batches] == [False] * 4
        spool.close()
    with clock.frozen(start + 26 * 36_000_000_000):
        spool = Spool(Store(str(place)))
        assert spool.add(rows, batches[0])
        assert not spool.add(rows, f"{102:032x}")
        spool.close()


def test_a_sender_that_numbers_its_batches_is_known_for_ever(place: Path) -> None:
    store = Store(str(place))
    spool = Spool(store)
    rows = [rows_of(store, "App", N=[1])]
    assert spool.add(rows, sender="agent", number=7)
    assert not spool.add(rows, sender="agent", number=7)
    assert not spool.add(rows, sender="agent", number=3)
    assert spool.add(rows, sender="other", number=1)
    spool.turn_over()
    drain(spool, store)
    spool.close()
    with clock.frozen(clock.now_ticks() + 1000 * 36_000_000_000):
        spool = Spool(Store(str(place)))
        assert spool.last_number("agent") == 7
        assert not spool.add(rows, sender="agent", number=7)
        assert spool.add(rows, sender="agent", number=8)
        spool.close()


def test_a_drain_that_died_before_it_deleted_stores_nothing_twice(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(str(place))
    spool = Spool(store)
    spool.add([rows_of(store, "App", N=[1, 2])])
    spool.turn_over()
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "retire", lambda self, is_drained: 0)
        assert drain(spool, store).rows == {"App": 2}
    spool.add([rows_of(store, "App", N=[3])])
    spool.close()
    spool = Spool(Store(str(place)))
    assert spool.recovered.batches == 2
    assert numbers(place) == [1, 2, 3]
    assert drain(spool, store).rows == {"App": 1}
    assert numbers(place) == [1, 2, 3]
    spool.close()


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_torn_tail_is_cut_at_the_last_good_frame(place: Path, cut: int) -> None:
    store = Store(str(place))
    spool = Spool(store)
    for n in range(3):
        spool.add([rows_of(store, "App", N=[n])])
    end = spool.segments[0].end
    path = spool.segments[0].path
    spool.close()
    os.truncate(path, end - cut)
    spool = Spool(Store(str(place)))
    assert spool.recovered.batches == 2
    assert spool.recovered.lost_bytes > 0
    assert numbers(place) == [0, 1]
    spool.add([rows_of(store, "App", N=[7])])
    assert numbers(place) == [0, 1, 7]
    drain(spool, store)
    assert numbers(place) == [0, 1, 7]
    spool.close()


def test_frames_behind_the_mark_are_kept_where_they_are_whole(place: Path) -> None:
    store = Store(str(place))
    spool = Spool(store)
    spool.add([rows_of(store, "App", N=[1])])
    spool.add([rows_of(store, "App", N=[2])], BATCH)
    path, first = spool.segments[0].path, spool.segments[0].frames[0].end
    spool.close()
    descriptor = os.open(path, os.O_RDWR)
    segment.set_mark(descriptor, first)  # as if the machine had died between sync and mark
    os.close(descriptor)
    assert numbers(place) == [1]
    spool = Spool(Store(str(place)))
    assert numbers(place) == [1, 2]
    assert not spool.add([rows_of(store, "App", N=[2])], BATCH)
    spool.close()


def test_a_hole_before_the_mark_costs_one_frame_and_is_told(place: Path) -> None:
    store = Store(str(place))
    spool = Spool(store)
    for n in range(4):
        spool.add([rows_of(store, "App", N=[n])])
    frames = list(spool.segments[0].frames)
    path = spool.segments[0].path
    spool.close()
    descriptor = os.open(path, os.O_RDWR)
    os.pwrite(descriptor, b"\xff\xff", frames[1].body + 10)  # in a body
    os.pwrite(descriptor, b"\xff\xff", frames[1].end + 6)  # in the head of the next
    os.close(descriptor)
    spool = Spool(Store(str(place)))
    assert (spool.recovered.batches, spool.recovered.holes) == (2, 2)
    spool.turn_over()
    drain(spool, store)
    found = Repository.open(str(place)).scan("App", ["N", "_Sequence"]).lazy.collect().sort("N")
    assert found["N"].to_list() == [0, 3]
    spool.close()


def test_after_a_failed_sync_nothing_of_the_batch_is_stored_and_the_next_one_is(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(str(place))
    spool = Spool(store)
    spool.add([rows_of(store, "App", N=[1])])
    with monkeypatch.context() as patch:
        patch.setattr(os, "fdatasync", _fails)
        patch.setattr(os, "ftruncate", _fails)
        with pytest.raises(WorkbenchError) as caught:
            spool.add([rows_of(store, "App", N=[2])], BATCH)
    assert caught.value.code == "REP303"
    assert numbers(place) == [1]
    assert spool.add([rows_of(store, "App", N=[3])], BATCH)
    assert numbers(place) == [1, 3]
    spool.close()
    spool = Spool(Store(str(place)))
    assert numbers(place) == [1, 3]
    drain(spool, store)
    assert numbers(place) == [1, 3]
    spool.close()


def _fails(*_: object) -> None:
    raise OSError(5, "Input/output error")


def test_below_the_reserve_nothing_is_taken_in_and_queries_run(place: Path) -> None:
    store = Store(str(place))
    spool = Spool(store, reserve=2**62)
    with pytest.raises(WorkbenchError) as caught:
        spool.add([rows_of(store, "App", N=[1])])
    assert caught.value.code == "REP302"
    assert numbers(place) == []
    spool.close()


def test_what_the_service_tells_of_itself_may_use_half_of_the_reserve(place: Path) -> None:
    store = Store(str(place))
    spool = Spool(store, reserve=shutil.disk_usage(place).free * 3 // 2)
    mine = rows_of(store, "Operation", N=[1])
    assert spool.add([mine], own=True)
    with pytest.raises(WorkbenchError) as caught:
        spool.add([rows_of(store, "App", N=[1])])
    assert caught.value.code == "REP302"
    spool.close()
    spool = Spool(store, reserve=2**62)
    with pytest.raises(WorkbenchError):
        spool.add([mine], own=True)
    spool.close()


def test_a_table_that_gets_a_column_and_a_wider_one_while_rows_wait(place: Path) -> None:
    store = Store(str(place))
    spool = Spool(store)
    spool.add([rows_of(store, "App", N=[1])])
    spool.add([rows_of(store, "App", N=[2.5], S=["x"])])
    spool.add([rows_of(store, "App", S=["y"])])
    seen = Repository.open(str(place)).scan("App", ["N", "S", "_Sequence"]).lazy.collect().sort("_Sequence")
    assert seen.select("N", "S").rows() == [(1.0, None), (2.5, "x"), (None, "y")]
    spool.turn_over()
    drain(spool, store)
    after = Repository.open(str(place)).scan("App", ["N", "S", "_Sequence"]).lazy.collect().sort("_Sequence")
    assert after.select("N", "S").rows() == [(1.0, None), (2.5, "x"), (None, "y")]
    spool.close()


def test_rows_that_wait_answer_a_path_of_a_shredded_column(place: Path) -> None:
    import workbench

    repository = Repository.open(str(place))
    from workbench.base.dtypes import ScalarType

    many = pl.DataFrame({"D": ['{"a": "x"}'] * 50})
    for _ in range(2):
        repository.append("App", many, {"D": ScalarType.DYNAMIC})
    repository.compact("App")
    store = Store(str(place))
    spool = Spool(store)
    placed = place_values(store, "App", pl.DataFrame({"D": ['{"a": "y"}']}), {"D": ScalarType.DYNAMIC})
    spool.add([Rows("App", placed.entry.folder, stored_rows(placed, clock.now_us()))])
    workspace = workbench.open(str(place))
    for on in ("polars", "duckdb"):
        found = workspace.query("App | summarize n = count() by a = tostring(D.a) | sort by a asc", on=on)
        assert found.frame.rows() == [("x", 100), ("y", 1)]
    newest = workspace.query("App | top 1 by TimeGenerated | project D.a").frame.rows()
    assert newest == [("y",)] or newest == [('"y"',)]
    assert workspace.query("App | where D has 'y' | count").frame.item() == 1
    spool.close()
