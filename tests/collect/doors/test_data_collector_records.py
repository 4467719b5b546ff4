"""What becomes of a Data Collector body: columns by suffix, times, limits, refusals."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import orjson
import pytest

from workbench.base import clock
from workbench.base.dtypes import Column, Schema
from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError
from workbench.collect.doors import data_collector as door
from workbench.collect.doors.data_collector import Post, Taken
from workbench.collect.operations import Operations

NOW = 20_000 * 864_000_000_000  # ticks: 2024-10-04
POST = Post("primary", "App", "today")
GUID = "8145d822-13a7-44ad-859c-36f31a84f6dd"


def take(body: Any, schema: Schema = (), **more: str) -> Taken:
    data = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
    with clock.frozen(NOW):
        return door.batch_of(Post("primary", "App", "today", **more), data, schema)


def rows(taken: Taken) -> dict[str, list[Any]]:
    """Columns that have a value, without `TimeGenerated`."""
    (part,) = taken.batch.parts
    return {
        name: series.to_list() for (name, _), series in part.columns.series.items() if name != "TimeGenerated"
    }


def stamps(taken: Taken) -> list[Any]:
    (part,) = taken.batch.parts
    return part.columns.series["TimeGenerated", T.DATETIME].to_list()


def refused(taken: Taken) -> list[tuple[str, bytes]]:
    return [(r.why.code, r.original) for r in taken.batch.refused]


def columns(*names: str) -> Schema:
    types = {"s": T.STRING, "b": T.BOOL, "d": T.REAL, "t": T.DATETIME, "g": T.STRING}
    return tuple(Column(name, types[name[-1]]) for name in names)


# ---- suffixes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "column", "stored"),
    [
        ("x", "p_s", "x"),
        ("", "p_s", ""),
        (True, "p_b", True),
        (3, "p_d", 3.0),
        (-0.5, "p_d", -0.5),
        (2**64, "p_d", 2.0**64),
        ("2016-05-12T20:00:00.625Z", "p_t", dt.datetime(2016, 5, 12, 20, 0, 0, 625000, dt.UTC)),
        ("2016-05-12T20:00:00+02:00", "p_t", dt.datetime(2016, 5, 12, 18, tzinfo=dt.UTC)),
        ("2016-13-12T20:00:00Z", "p_s", "2016-13-12T20:00:00Z"),
        ("2016-05-12", "p_s", "2016-05-12"),
        (GUID, "p_g", GUID),
        (GUID.replace("-", ""), "p_g", GUID),
        (GUID + "\n", "p_s", GUID + "\n"),
        ({"a": [1, None]}, "p_s", '{"a":[1,null]}'),
        ([], "p_s", "[]"),
    ],
)
def test_the_suffix_is_that_of_the_value(value: Any, column: str, stored: Any) -> None:
    body = b'[{"p":18446744073709551616}]' if value == 2**64 else [{"p": value}]
    assert rows(take(body)) == {column: [stored]}


def test_null_is_left_out() -> None:
    assert rows(take([{"a": None, "b": 1}, {"b": None}])) == {"b_d": [1.0, None]}
    assert stamps(take([{"a": None}, {}])) == [None, None]


DOCUMENTED = columns("number_d", "boolean_b", "string_s")


def test_texts_are_turned_into_what_the_table_has() -> None:
    body = [{"number": "1.0", "boolean": "false", "string": "text"}]
    assert rows(take(body, DOCUMENTED)) == {
        "number_d": [1.0],
        "boolean_b": [False],
        "string_s": ["text"],
    }


def test_what_is_no_text_is_not_turned_and_gets_a_new_column() -> None:
    body = [{"number": 4, "boolean": 5, "string": 6}]
    assert rows(take(body, DOCUMENTED)) == {"number_d": [4.0], "boolean_d": [5.0], "string_d": [6.0]}


def test_a_table_of_texts_stays_one() -> None:
    body = [{"number": "1", "boolean": "true", "id": GUID}]
    assert rows(take(body)) == {"number_s": ["1"], "boolean_s": ["true"], "id_g": [GUID]}
    assert rows(take(body, columns("number_s", "boolean_s", "id_s"))) == {
        "number_s": ["1"],
        "boolean_s": ["true"],
        "id_s": [GUID],
    }


@pytest.mark.parametrize("one_by_one", [True, False])
def test_one_delivery_gives_the_columns_that_single_ones_would(one_by_one: bool) -> None:
    values: list[Any] = [1, "2.0", "x", "3", GUID, True, "2016-05-12T20:00:00Z", "y", {"a": 1}, None, "true"]
    if not one_by_one:
        found = rows(take([{"p": v} for v in values]))
    else:
        found, names = {}, list[str]()
        for index, value in enumerate(values):
            made = rows(take([{"p": value}], columns(*names))) if value is not None else {}
            for name, (stored,) in made.items():
                found.setdefault(name, [None] * len(values))[index] = stored
                names += [name] if name not in names else []
    assert found == {
        "p_d": [1.0, 2.0, *[None] * 9],
        "p_s": [None, None, "x", "3", GUID, None, "2016-05-12T20:00:00Z", "y", '{"a":1}', None, "true"],
        "p_b": [*[None] * 5, True, *[None] * 5],
    }


@pytest.mark.parametrize(
    ("texts", "made"),
    [
        ([GUID, "x", GUID], {"p_g": [GUID, None, GUID], "p_s": [None, "x", None]}),
        (["x", GUID], {"p_s": ["x", GUID]}),
        (["2016-05-12T20:00:00Z", "soon"], {"p_t": [dt.datetime(2016, 5, 12, 20, tzinfo=dt.UTC), None], "p_s": [None, "soon"]}),
    ],
)  # fmt: skip
def test_texts_of_several_kinds(texts: list[str], made: dict[str, list[Any]]) -> None:
    assert rows(take([{"p": t} for t in texts])) == made


def test_fields_that_come_and_go_stay_in_their_rows() -> None:
    assert rows(take([{"a": 1}, {"b": "x", "a": 2}, {"b": "y"}, {"a": 4}])) == {
        "a_d": [1.0, 2.0, None, 4.0],
        "b_s": [None, "x", "y", None],
    }


# ---- bodies ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b'[{"a":1},{"a":2}]',
        b'{"a":1},{"a":2}',
        b' {"a":1} ,\n {"a":2}\n',
        b'\xef\xbb\xbf[{"a":1},{"a":2}]',
        b'[{"a":0,"a":1},{"a":1e400,"a":2}]',
    ],
)
def test_forms_of_two_records(body: bytes) -> None:
    assert rows(take(body)) == {"a_d": [1.0, 2.0]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"7",
        b'"text"',
        b"[",
        b'{"a":1',
        b'[{"a":1}',
        b'[{"a":"1}]',
        b'[{"a":1},]',
        b'{"a":1}{"a":2}',
        b'{"a":1}]',
        b'[{"a":NaN}]',
        b'[{"a":-Infinity}]',
        b'[{"a":"\xff"}]',
        b'[{"a":1e400},{"a":+1}]',
        b"\x1f\x8b\x08",
        b"{" * 100_000,
        b'"' * 99_999,
        b'[{"a":"' + b'\\"' * 100_000,
    ],
)
def test_a_body_that_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(WorkbenchError) as caught:
        take(body)
    assert caught.value.code == "DCA109"


def test_a_record_nested_too_deep_is_kept_aside_alone() -> None:
    deep = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    taken = take(b'[{"a":1},' + deep + b',{"a":2}]')
    assert refused(taken) == [("DCA206", deep)]
    assert rows(taken) == {"a_d": [1.0, 2.0]}


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (b"7", "IMP103"),
        (b"null", "IMP103"),
        (b'[{"a":9}]', "IMP103"),
        (b'{"tenant":1}', "DCA201"),
        (b'{"TimeGenerated":"2016-05-12T20:00:00Z"}', "DCA201"),
        (b'{"RawData":"x"}', "DCA201"),
        (b'{"' + b"n" * 46 + b'":1}', "DCA202"),
        (b'{"":1}', "IMP112"),
        (b'{"p":1e400}', "DCA205"),
        (b'{"p":' + b"[" * 300 + b"]" * 300 + b"}", "DCA204"),
        (b'{"p":["\\ud800"]}', "DCA204"),
    ],
)
def test_a_bad_record_is_kept_aside_alone(record: bytes, code: str) -> None:
    taken = take(b'[{"a":1},' + record + b',{"a":2}]')
    assert refused(taken) == [(code, record)]
    assert rows(taken) == {"a_d": [1.0, 2.0]}


def test_a_lone_surrogate_is_kept_as_its_escape() -> None:
    assert rows(take(b'[{"a":"x\\ud800"}]')) == {"a_s": ["x\\ud800"]}


# ---- limits ----------------------------------------------------------------------------------


def test_a_name_may_have_45_characters() -> None:
    assert list(rows(take([{"n" * 45: 1}]))) == ["n" * 45 + "_d"]


def test_the_501st_column_is_one_too_many() -> None:
    wide = {f"c{n}": n for n in range(500)}
    taken = take([wide, {**wide, "more": 1}, {"c1": "x"}, {"c1": "7", "c2": None}])
    assert [code for code, _ in refused(taken)] == ["DCA203", "DCA203"]
    assert len(rows(taken)) == 500
    assert rows(taken)["c1_d"] == [1.0, 7.0]
    there = columns(*(f"c{n}_d" for n in range(500)))
    assert [code for code, _ in refused(take([{"new": 1}], there))] == ["DCA203"]
    assert refused(take([{"c7": 1}], there)) == []


def test_a_value_over_32_kb_is_cut_between_characters_and_counted() -> None:
    taken = take([{"a": "é" * 20_000}, {"a": "x" * 32_768}, {"b": "x" + "é" * 20_000}, {"c": ["y" * 40_000]}])
    found = rows(taken)
    assert found["a_s"][:2] == ["é" * 16_384, "x" * 32_768]
    assert found["b_s"][2] == "x" + "é" * 16_383
    assert len(found["c_s"][3]) == 32_768
    assert taken.changes.cut == 3


def test_digits_that_a_double_has_not_are_counted() -> None:
    taken = take([{"a": 2**53}, {"a": 2**53 + 1}, {"a": -(2**62) - 1}])
    assert rows(taken) == {"a_d": [2.0**53, 2.0**53, -(2.0**62)]}
    assert taken.changes.rounded == 2


def test_digits_that_64_bits_have_not_are_counted_also_inside_of_values() -> None:
    taken = take([{"a": 2**64}, {"b": {"c": [2**70, -(2**63) - 1, 2**64 - 1, -(2**63)]}}, {"c": str(2**70)}])
    assert taken.changes.rounded == 3


def test_what_was_changed_is_told() -> None:
    operations = Operations()
    door.tell(operations, take([{"a": "x" * 40_000, "b": 2**53 + 1, "t": "x"}], time_field="t"))
    told = operations.take(whole=True)
    assert told is not None
    series = told.batches[0].parts[0].columns.series
    assert series["OperationCategory", T.STRING].to_list() == ["Data Collector"] * 3
    assert series["OperationKey", T.STRING].to_list() == ["DCA301", "DCA302", "DCA303"]


# ---- time and resource -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "stored", "old"),
    [
        ("2024-10-03T12:00:00Z", dt.datetime(2024, 10, 3, 12, tzinfo=dt.UTC), 0),
        ("2024-10-02T00:00:00Z", dt.datetime(2024, 10, 2, tzinfo=dt.UTC), 0),
        ("2024-10-01T23:59:59Z", None, 1),
        ("soon", None, 1),
        (1_727_956_800, None, 1),
        ("\ud800", None, 1),
        (None, None, 0),
    ],
)
def test_the_named_field_gives_the_time(value: Any, stored: Any, old: int) -> None:
    import json

    taken = take(json.dumps([{"when": value}]).encode(), time_field="when")
    assert (stamps(taken), taken.old) == ([stored], old)


def test_a_time_a_year_ahead_is_kept_aside() -> None:
    record = {"when": "2025-10-03T12:00:00Z"}
    taken = take([record, {"when": "2024-10-04T00:00:01Z"}], time_field="when")
    assert refused(taken) == [("IMP111", orjson.dumps(record))]
    assert len(stamps(taken)) == 1


def test_the_named_field_is_a_column_too_but_for_its_own_name() -> None:
    when = "2024-10-03T12:00:00Z"
    assert list(rows(take([{"when": when}], time_field="when"))) == ["when_t"]
    assert rows(take([{"TimeGenerated": when, "a": 1}], time_field="TimeGenerated")) == {"a_d": [1.0]}


def test_the_resource_is_a_column() -> None:
    assert rows(take([{"a": 1}], resource="/subscriptions/x")) == {
        "a_d": [1.0],
        "_ResourceId": ["/subscriptions/x"],
    }


# ---- the delivery ----------------------------------------------------------------------------


def test_the_same_bytes_and_date_are_one_delivery() -> None:
    first = take([{"a": 1}]).batch.id
    assert first == take([{"a": 1}]).batch.id
    assert first != take([{"a": 2}]).batch.id
    assert first != take([{"a": 1}], told="request 7").batch.id
