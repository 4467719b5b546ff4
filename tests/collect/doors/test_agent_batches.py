"""The agents' door: bodies that are none are refused whole, what can't be stored is set aside whatever it is."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.base.errors import WorkbenchError
from workbench.collect.doors.agent import Numbered, batch_of, delivery_of


@pytest.mark.parametrize(
    "body",
    [
        {}, {"batches": []}, {"batches": {}}, {"batches": [7]}, {"batches": [{"number": 0, "table": "A", "records": []}]},
        {"batches": [{"number": True, "table": "A", "records": []}]}, {"batches": [{"number": 1, "records": []}]},
        {"batches": [{"number": 2**63, "table": "A", "records": []}]}, {"batches": [{"number": 1, "table": "A", "records": {}}]},
        {"batches": [{"number": n, "table": "A", "records": []} for n in (2, 2)]}, {"batches": [{"number": 1, "table": "A", "records": []}], "agent": 7},
    ],
)  # fmt: skip
def test_a_body_that_is_none_is_refused_whole(body: dict[str, Any]) -> None:
    with pytest.raises(WorkbenchError) as caught:
        delivery_of(body, 10)
    assert caught.value.code == "AGT101"


def test_records_for_a_table_of_the_house_are_set_aside_however_deep_they_are() -> None:
    deep: Any = 1
    for _ in range(600):
        deep = [deep]
    made = batch_of([Numbered(1, "_Quarantine", [{"a": deep}, {"a": 1}])], agent="a-1", sender="agent/a-1")
    assert made.parts == []
    assert [len(r.original) > 1200 for r in made.refused] == [True, False]


def test_batches_of_one_table_become_one_part_under_the_last_number() -> None:
    batches = [
        Numbered(3, "App", [{"N": 1}]),
        Numbered(4, "Web", [{"N": 2}]),
        Numbered(9, "App", [{"N": 3}, 7]),
    ]
    made = batch_of(batches, agent="a-1", sender="agent/a-1")
    assert (made.sender, made.number) == ("agent/a-1", 9)
    assert {p.table: p.columns.height for p in made.parts} == {"App": 2, "Web": 1}
    assert len(made.refused) == 1
