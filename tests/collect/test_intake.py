"""Intake of Python records: types, and what is refused."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable
from typing import Any

from workbench.base.dtypes import ScalarType as T
from workbench.collect.intake import Intake
from workbench.repository.tables import Repository

Table = Callable[..., list[dict[str, Any]]]
MOMENT = dt.datetime(2024, 1, 1, 12, tzinfo=dt.timezone(dt.timedelta(hours=1)))


def test_python_values(repository: Repository, table: Table) -> None:
    key = uuid.uuid4()
    record = {
        "TimeGenerated": MOMENT, "text": "x", "whole": 1, "real": 0.5, "flag": True, "span": dt.timedelta(hours=1),
        "money": decimal.Decimal("1E+2"), "key": key, "nested": {"at": MOMENT, "of": (1, 2)}, "naive": dt.datetime(2024, 1, 1),
        "day": dt.date(2024, 1, 1), "nothing": None,
    }  # fmt: skip
    assert Intake(repository).ingest("App", iter([record, {"text": None}])) == 2
    types = {c.name: c.type for c in repository.schema("App") if not c.hidden}
    assert types == {
        "TimeGenerated": T.DATETIME, "text": T.STRING, "whole": T.LONG, "real": T.REAL, "flag": T.BOOL,
        "span": T.TIMESPAN, "money": T.DECIMAL, "key": T.GUID, "nested": T.DYNAMIC, "naive": T.DATETIME,
        "day": T.DATETIME, "_TimeReceived": T.DATETIME,
    }  # fmt: skip
    first, second = table("App")
    assert first["TimeGenerated"] == MOMENT
    assert (first["money"], first["key"], first["span"]) == ("100", str(key), dt.timedelta(hours=1))
    assert first["naive"] == first["day"] == dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    assert first["nested"] == '{"at":"2024-01-01T12:00:00+01:00","of":[1,2]}'
    assert abs(second["TimeGenerated"] - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)
    assert second["text"] == ""


def test_records_that_can_not_be_stored(repository: Repository, table: Table) -> None:
    records: list[Any] = [
        {"a": 1},
        {"a": object()},
        {"": 1},
        "no record",
        {"a": {"deep": object()}},
        {"a": 2, "TimeGenerated": "never"},
        {"a": 3},
    ]
    assert Intake(repository).ingest("App", records, source="test") == 2
    assert [r["a"] for r in table("App")] == [1, 3]
    refused = table("_Quarantine")
    assert sorted(r["Code"] for r in refused) == ["IMP103", "IMP110", "IMP112", "IMP113", "IMP113"]
    assert {r["Source"] for r in refused} == {"test"}
    assert {r["Table"] for r in refused} == {"App"}


def test_no_records(repository: Repository) -> None:
    assert Intake(repository).ingest("App", []) == 0
    assert not repository.has("App")


def test_a_batch_has_an_id(repository: Repository) -> None:
    Intake(repository).ingest("App", [{"a": 1}, {"a": 2}])
    ids = repository.scan("App", ["_BatchId"]).lazy.collect()["_BatchId"].unique().to_list()
    assert len(ids) == 1
    assert len(ids[0]) == 32
