"""Schemas that change: new columns, widening, the suffix rule, names by case and odd names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.repository.physical import FRAME
from workbench.repository.tables import Repository

T = ScalarType
BIG = 2**53 + 1
DAY = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
GUID = "74be27de-1e4e-49d9-b579-fe0b331d3642"
Read = Callable[..., list[Any]]


def types_of(repository: Repository, table: str = "T") -> dict[str, str]:
    system = ("TimeGenerated", "_TimeReceived", "_BatchId", "_Writer", "_Sequence")
    return {c.name: c.type.value for c in repository.schema(table) if c.name not in system}


def test_a_new_column_is_null_in_older_rows(repository: Repository, column: Read) -> None:
    repository.append("T", pl.DataFrame({"A": [1]}))
    repository.append("T", pl.DataFrame({"A": [2], "B": [2.5]}))
    repository.append("T", pl.DataFrame({"B": [3.5]}))
    assert column("T", "A") == [1, 2, None]
    assert column("T", "B") == [None, 2.5, 3.5]


@pytest.mark.parametrize(
    ("first", "second", "stored"),
    [
        ((T.LONG, 1), (T.STRING, "abc"), {"X": [1, None], "X_s": [None, "abc"]}),
        ((T.LONG, 1), (T.STRING, "7"), {"X": [1, 7]}),
        ((T.LONG, 1), (T.STRING, "07"), {"X": [1, None], "X_s": [None, "07"]}),
        ((T.LONG, 1), (T.STRING, ""), {"X": [1, None]}),
        ((T.LONG, 1), (T.BOOL, True), {"X": [1, None], "X_b": [None, True]}),
        ((T.LONG, 1), (T.DATETIME, DAY), {"X": [1, None], "X_t": [None, DAY]}),
        ((T.LONG, 1), (T.DYNAMIC, "[1]"), {"X": [1, None], "X_o": [None, "[1]"]}),
        ((T.LONG, 1), (T.TIMESPAN, dt.timedelta(1)), {"X": [1, None], "X_ts": [None, dt.timedelta(1)]}),
        ((T.STRING, "a"), (T.LONG, 5), {"X": ["a", None], "X_d": [None, 5.0]}),
        ((T.STRING, "a"), (T.LONG, BIG), {"X": ["a", None], "X_l": [None, BIG]}),
        ((T.STRING, "a"), (T.REAL, 1.5), {"X": ["a", None], "X_d": [None, 1.5]}),
        ((T.STRING, "a"), (T.BOOL, False), {"X": ["a", None], "X_b": [None, False]}),
        ((T.STRING, "a"), (T.GUID, GUID), {"X": ["a", GUID]}),
        ((T.REAL, 1.5), (T.STRING, "2.5"), {"X": [1.5, 2.5]}),
        ((T.REAL, 1.5), (T.STRING, "2.50"), {"X": [1.5, None], "X_s": [None, "2.50"]}),
        ((T.REAL, 1.5), (T.LONG, 2), {"X": [1.5, 2.0]}),
        ((T.REAL, 1.5), (T.LONG, BIG), {"X": [1.5, None], "X_l": [None, BIG]}),
        ((T.BOOL, True), (T.STRING, "false"), {"X": [True, False]}),
        ((T.BOOL, True), (T.LONG, 1), {"X": [True, None], "X_d": [None, 1.0]}),
        ((T.DATETIME, DAY), (T.STRING, "2024-01-01T00:00:00.000Z"), {"X": [DAY, DAY]}),
        ((T.DATETIME, DAY), (T.STRING, "soon"), {"X": [DAY, None], "X_s": [None, "soon"]}),
        ((T.GUID, GUID), (T.STRING, GUID.replace("-", "").upper()), {"X": [GUID, GUID]}),
        ((T.GUID, GUID), (T.STRING, "me"), {"X": [GUID, None], "X_s": [None, "me"]}),
        ((T.DYNAMIC, "[]"), (T.STRING, 'a"b'), {"X": ["[]", '"a\\"b"']}),
        ((T.DYNAMIC, "[]"), (T.LONG, 5), {"X": ["[]", "5"]}),
        ((T.DYNAMIC, "[]"), (T.DATETIME, DAY), {"X": ["[]", None], "X_t": [None, DAY]}),
        ((T.DECIMAL, "1.5"), (T.LONG, 5), {"X": ["1.5", "5"]}),
        ((T.DECIMAL, "1.5"), (T.REAL, 5.1), {"X": ["1.5", None], "X_d": [None, 5.1]}),
        ((T.LONG, 5), (T.DECIMAL, "1.5"), {"X": [5, None], "X_n": [None, "1.5"]}),
        # widening
        ((T.INT, 1), (T.LONG, 2), {"X": [1, 2]}),
        ((T.INT, 1), (T.LONG, 2**40), {"X": [1, 2**40]}),
        ((T.INT, 1), (T.REAL, 1.5), {"X": [1.0, 1.5]}),
        ((T.LONG, 1), (T.REAL, 2.0), {"X": [1, 2]}),
        ((T.LONG, 1), (T.REAL, 2.5), {"X": [1.0, 2.5]}),
        ((T.LONG, 1), (T.REAL, float("inf")), {"X": [1.0, float("inf")]}),
        ((T.LONG, BIG), (T.REAL, 2.5), {"X": [BIG, None], "X_d": [None, 2.5]}),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_kept(
    first: tuple[ScalarType, Any],
    second: tuple[ScalarType, Any],
    stored: dict[str, list[Any]],
    repository: Repository,
    column: Read,
) -> None:
    for type_, value in (first, second):
        repository.append("T", pl.DataFrame({"X": pl.Series([value], dtype=FRAME[type_])}), {"X": type_})
    assert list(types_of(repository)) == list(stored)
    # A text column of a file that has it gives "", of an older file null: both are KQL's empty text.
    texts = {n for n, t in types_of(repository).items() if t == "string"}
    for name, values in stored.items():
        assert [v or None if name in texts else v for v in column("T", name)] == values


def test_values_of_one_column_part_by_what_fits(repository: Repository, column: Read) -> None:
    repository.append("T", pl.DataFrame({"X": [1]}))
    result = repository.append("T", pl.DataFrame({"X": ["2", "two", None, ""]}))
    assert result.renamed == {"X": "X_s"}
    assert column("T", "X") == [1, 2, None, None, None]
    assert column("T", "X_s") == [None, "", "two", "", ""]


def test_what_is_left_over_never_meets_a_value_of_the_same_row(repository: Repository, column: Read) -> None:
    repository.append("T", pl.DataFrame({"X": [1], "X_s": ["own"]}))
    repository.append("T", pl.DataFrame({"X": ["a", "b"], "X_s": ["own", None]}))
    assert column("T", "X_s") == ["own", "own", "b"]
    assert column("T", "X_s_s") == [None, "a", ""]


def test_a_column_widens_twice_and_old_rows_keep_their_values(repository: Repository, column: Read) -> None:
    values = [pl.Series([1], dtype=pl.Int32), pl.Series([2**40]), pl.Series([0.5])]
    for series in values:
        repository.append("T", series.to_frame("X"))
    assert types_of(repository) == {"X": "real"}
    assert column("T", "X") == [1.0, 2.0**40, 0.5]
    repository.compact("T")
    assert column("T", "X") == [1.0, 2.0**40, 0.5]


def test_a_declared_text_takes_numbers(repository: Repository, column: Read) -> None:
    repository.append("T", pl.DataFrame({"X": [5, None]}), {"X": T.STRING})
    assert types_of(repository) == {"X": "string"}
    assert column("T", "X") == ["5", ""]


def test_names_that_differ_in_case_live_side_by_side(repository: Repository, column: Read) -> None:
    repository.append("T", pl.DataFrame({"Port": [1], "port": ["a"], "PORT": [0.5]}))
    repository.append("T", pl.DataFrame({"port": ["b"]}))
    assert types_of(repository) == {"Port": "long", "port": "string", "PORT": "real"}
    assert (column("T", "Port"), column("T", "port"), column("T", "PORT")) == (
        [1, None],
        ["a", "b"],
        [0.5, None],
    )


def test_tables_that_differ_in_case_live_side_by_side(repository: Repository, column: Read) -> None:
    repository.append("Syslog", pl.DataFrame({"A": [1]}))
    repository.append("syslog", pl.DataFrame({"A": ["x"]}))
    assert repository.tables() == ["Syslog", "syslog"]
    assert (column("Syslog", "A"), column("syslog", "A")) == ([1], ["x"])
    again = Repository.open(repository.path)
    assert again.tables() == ["Syslog", "syslog"]


def test_odd_names_are_kept(repository: Repository, column: Read) -> None:
    names = [
        "a b",
        "a.b",
        "a;,{}()\n\t=b",
        "größe",
        "日本",
        "a~2",
        "_day",
        "timegenerated",
        "x" * 300,
        "/",
        "`'\"%",
    ]
    repository.append("../T T", pl.DataFrame({n: [i] for i, n in enumerate(names)}))
    assert list(types_of(repository, "../T T")) == names
    assert [column("../T T", n) for n in names] == [[i] for i in range(len(names))]
    assert repository.tables() == ["../T T"]


def test_a_name_of_the_system_gets_a_suffix(repository: Repository, column: Read) -> None:
    result = repository.append("T", pl.DataFrame({"_Sequence": [70], "_Day": ["d"], "_TimeReceived": [DAY]}))
    assert result.renamed == {
        "_Sequence": "_Sequence_d",
        "_Day": "_Day_s",
        "_TimeReceived": "_TimeReceived_t",
    }
    assert column("T", "_Sequence_d") == [70.0]
    assert column("T", "_Sequence") == [1]
    assert column("T", "_TimeReceived_t") == [DAY]


def test_a_time_as_text_is_read_or_kept(repository: Repository, column: Read) -> None:
    repository.append("T", pl.DataFrame({"TimeGenerated": ["2024-01-01T00:00:00Z", "soon"]}))
    assert column("T", "TimeGenerated")[0] == DAY
    assert column("T", "TimeGenerated_s") == ["", "soon"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 2000])
def test_a_name_that_cannot_be_is_refused(name: str, repository: Repository) -> None:
    with pytest.raises(WorkbenchError, match="REP103"):
        repository.append("T", pl.DataFrame({name: [1]}))
    with pytest.raises(WorkbenchError, match="REP103"):
        repository.append(name, pl.DataFrame({"A": [1]}))
    assert name not in repository.tables()


VALUE = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-5, 5),
    st.floats(allow_nan=False),
    st.text(st.sampled_from("01.-x"), min_size=1, max_size=4),
    st.booleans(),
    st.datetimes(timezones=st.just(dt.UTC)),
)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(VALUE, min_size=1, max_size=12))
def test_no_value_is_ever_lost_whatever_the_types(
    values: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each row keeps exactly one value, in `X` or a column named after it, equal to what came in."""
    repository = Repository.open(str(tmp_path_factory.mktemp("ws") / "ws"), create=True)
    for value in values:
        repository.append("T", pl.DataFrame({"X": [value]}))
    names = list(types_of(repository))
    frame = repository.scan("T", [*names, "_Sequence"]).lazy.collect().sort("_Sequence")
    for value, row in zip(values, frame.select(names).rows(), strict=True):
        held = [v for v in row if v is not None and v != ""]
        assert len(held) == 1
        assert held[0] == value or _as_text(held[0], value)


def _as_text(held: Any, value: Any) -> bool:
    """Text may lie as the number it spells."""
    if not isinstance(value, str) or isinstance(held, bool | str):
        return False
    return str(held) == value or str(held) == f"{value}.0"
