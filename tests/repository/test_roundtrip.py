"""What goes in comes out: every type, nulls, empty text, odd dtypes; and what is refused."""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from workbench.base import clock
from workbench.base.dtypes import ScalarType, find_column
from workbench.base.errors import WorkbenchError
from workbench.repository.physical import FRAME
from workbench.repository.tables import Repository

T = ScalarType
GUID = "74be27de-1e4e-49d9-b579-fe0b331d3642"
LAST = dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC)
VALUES: dict[ScalarType, list[Any]] = {
    T.BOOL: [True, None, False],
    T.INT: [2**31 - 1, None, -(2**31)],
    T.LONG: [2**63 - 1, None, -(2**63)],
    T.REAL: [1e308, None, float("inf")],
    T.DECIMAL: ["12345678901234567890.123456789", None, "-0.1"],
    T.STRING: ["ünï\n\0\"'", "", "x" * 100_000],
    T.DATETIME: [dt.datetime(1, 1, 1, tzinfo=dt.UTC), None, LAST],
    T.TIMESPAN: [dt.timedelta(days=-3, microseconds=1), None, dt.timedelta(days=10_000)],
    T.DYNAMIC: ['{"a":[1,null,"x"]}', None, '""'],
    T.GUID: [GUID, None, GUID],
}


@pytest.mark.parametrize("type_", list(ScalarType), ids=lambda t: t.value)
def test_each_type_comes_back_as_it_went_in(
    type_: ScalarType, repository: Repository, column: Callable[..., list[Any]]
) -> None:
    frame = pl.DataFrame({"V": pl.Series(VALUES[type_], dtype=FRAME[type_])})
    repository.append("T", frame, {"V": type_})
    found = find_column(repository.schema("T"), "V")
    assert found is not None
    assert found.type is type_
    assert repository.scan("T", ["V"]).lazy.collect_schema() == {"V": FRAME[type_]}
    assert column("T", "V") == VALUES[type_]


def test_null_text_becomes_empty_and_other_nulls_stay(
    repository: Repository, column: Callable[..., list[Any]]
) -> None:
    repository.append("T", pl.DataFrame({"S": ["a", None, ""], "N": [None, 1, 2]}))
    assert column("T", "S") == ["a", "", ""]
    assert column("T", "N") == [None, 1, 2]


@pytest.mark.parametrize(
    ("series", "type_", "back"),
    [
        (pl.Series([1, 2], dtype=pl.UInt16), T.INT, [1, 2]),
        (pl.Series([1, 2**32 - 1], dtype=pl.UInt32), T.LONG, [1, 2**32 - 1]),
        (pl.Series([1, 2**63 - 1], dtype=pl.UInt64), T.LONG, [1, 2**63 - 1]),
        (pl.Series([1.5, None], dtype=pl.Float32), T.REAL, [1.5, None]),
        (pl.Series(["a", "b"], dtype=pl.Categorical), T.STRING, ["a", "b"]),
        (pl.Series([decimal.Decimal("1.20"), None]), T.DECIMAL, ["1.20", None]),
        (pl.Series([dt.date(1, 1, 1)]), T.DATETIME, [dt.datetime(1, 1, 1, tzinfo=dt.UTC)]),
        (pl.Series([dt.datetime(2024, 1, 1)]), T.DATETIME, [dt.datetime(2024, 1, 1, tzinfo=dt.UTC)]),
        (
            pl.Series([dt.datetime(2024, 7, 1)]).dt.replace_time_zone("Europe/Berlin"),
            T.DATETIME,
            [dt.datetime(2024, 6, 30, 22, tzinfo=dt.UTC)],
        ),
        (
            pl.Series([-1], dtype=pl.Int64).cast(pl.Datetime("ns")),
            T.DATETIME,
            [dt.datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC)],
        ),
        (pl.Series([dt.time(1, 2, 3)]), T.TIMESPAN, [dt.timedelta(hours=1, minutes=2, seconds=3)]),
        (pl.Series([[1, None], None]), T.DYNAMIC, ["[1,null]", None]),
        (
            pl.Series([{"a": dt.datetime(2024, 1, 1), "b": float("nan"), "c": dt.timedelta(1)}]),
            T.DYNAMIC,
            ['{"a":"2024-01-01T00:00:00.0000000Z","b":"NaN","c":"1.00:00:00"}'],
        ),
    ],
    ids=lambda v: repr(v)[:30] if not isinstance(v, pl.Series) else str(v.dtype),
)
def test_other_dtypes_find_their_type(
    series: pl.Series,
    type_: ScalarType,
    back: list[Any],
    repository: Repository,
    column: Callable[..., list[Any]],
) -> None:
    repository.append("T", series.to_frame("V"))
    found = find_column(repository.schema("T"), "V")
    assert found is not None
    assert found.type is type_
    assert column("T", "V") == back


@pytest.mark.parametrize(
    ("series", "code"),
    [
        (pl.Series([b"x"]), "REP201"),
        (pl.Series([2**64 - 1], dtype=pl.UInt64), "REP201"),
        (pl.Series([2**62], dtype=pl.Int64).cast(pl.Datetime("us")), "REP202"),
    ],
    ids=["bytes", "too big", "year 100000"],
)
def test_what_cannot_be_stored_is_refused_as_a_whole(
    series: pl.Series, code: str, repository: Repository
) -> None:
    repository.append("T", pl.DataFrame({"Good": [1]}))
    frame = pl.DataFrame({"Good": [2], "Bad": series})
    with pytest.raises(WorkbenchError) as raised:
        repository.append("T", frame)
    assert raised.value.code == code
    assert "'Bad'" in raised.value.message
    assert repository.scan("T").lazy.collect().height == 1


def test_time_generated_is_now_where_it_is_absent_or_null(
    repository: Repository, column: Callable[..., list[Any]], at: Callable[..., dt.datetime]
) -> None:
    now = at(1000)
    with clock.frozen(int(now.timestamp()) * 10_000_000):
        repository.append("T", pl.DataFrame({"X": [1]}))
        repository.append("T", pl.DataFrame({"TimeGenerated": [at(1), None]}))
    assert column("T", "TimeGenerated") == [now, at(1), now]
    assert column("T", "_TimeReceived") == [now] * 3


def test_first_and_last_year_have_days_of_their_own(repository: Repository) -> None:
    first = dt.datetime(1, 1, 1, tzinfo=dt.UTC)
    repository.append("T", pl.DataFrame({"TimeGenerated": [LAST, first]}))
    scan = repository.scan("T", ["TimeGenerated"])
    assert ["_Day=9999-12-31" in f for f in scan.files] == [True, False]
    assert "_Day=0001-01-01" in scan.files[1]
    assert scan.lazy.collect()["TimeGenerated"].to_list() == [LAST, first]
    early = repository.scan("T", ["TimeGenerated"], (None, 0))
    assert (early.files_total, early.files_read) == (2, 1)


def test_an_empty_frame_makes_table_and_columns(repository: Repository) -> None:
    assert repository.append("T", pl.DataFrame(), {"A": T.GUID}).stored == 0
    names = [c.name for c in repository.schema("T")]
    assert names == ["TimeGenerated", "A", "_TimeReceived", "_BatchId", "_Writer", "_Sequence"]
    assert [c.name for c in repository.schema("T") if c.hidden] == ["_BatchId", "_Writer", "_Sequence"]
    scan = repository.scan("T")
    assert scan.lazy.collect().shape == (0, 6)
    assert scan.files == []


def test_a_column_of_nulls_without_a_type_holds_nothing_and_makes_nothing(repository: Repository) -> None:
    repository.append("T", pl.DataFrame({"A": [1], "B": [None]}))
    assert find_column(repository.schema("T"), "B") is None
    repository.append("T", pl.DataFrame({"A": [None], "B": [None]}), {"B": T.REAL})
    found = find_column(repository.schema("T"), "B")
    assert found is not None
    assert found.type is T.REAL


def test_batch_id_is_kept(repository: Repository, column: Callable[..., list[Any]]) -> None:
    repository.append("T", pl.DataFrame({"A": [1]}), batch_id="b-1")
    repository.append("T", pl.DataFrame({"A": [1]}))
    assert column("T", "_BatchId") == ["b-1", ""]
