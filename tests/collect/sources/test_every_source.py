"""What all sources promise: the tables they name, times and computer in every record, no records without a rule."""

from __future__ import annotations

import pytest

from workbench.base.dtypes import parse_datetime
from workbench.collect.sources import SOURCES, Machine
from workbench.collect.sources.heartbeat import Heartbeat


@pytest.mark.parametrize("name", list(SOURCES))
def test_a_source_fills_only_the_tables_it_names(name: str, machine: Machine, run) -> None:
    (machine.log_root / "app.log").write_text("started\n")
    card = SOURCES.get(name)
    assert card is not None
    found = run(lambda machine: card.start(machine)).collect()
    assert set(found) <= set(card.tables)
    for records in found.values():
        assert all(parse_datetime(r["TimeGenerated"]) is not None for r in records)
        assert all(r["Computer"] == machine.computer for r in records)


@pytest.mark.parametrize("name", [name for name, card in SOURCES.items() if card.rule_key])
def test_a_rule_with_a_wrong_value_is_told_and_never_a_crash(name: str, machine: Machine) -> None:
    from workbench.base.errors import WorkbenchError

    card = SOURCES.get(name)
    assert card is not None
    strange = {
        "name": 7,
        "streams": "x",
        "settings": [],
        **{key: {"a": 1} for key in ("filePatterns", "paths", "commands", "services", "facilityNames")},
        **dict.fromkeys(("intervalInSeconds", "inventoryFrequencyInSeconds", "scanFrequencyInSeconds"), -1),
        "counterSpecifiers": [1],
    }
    with pytest.raises(WorkbenchError) as told:
        card.start(machine, strange)
    assert told.value.code == "MAC202"


def test_heartbeat_says_what_the_machine_is(machine: Machine, run) -> None:
    (record,) = run(Heartbeat).collect()["Heartbeat"]
    assert record["Category"] == "Direct Agent"
    assert record["OSType"] == "Linux"
    assert record["Version"]
    assert record["SourceComputerId"] == Machine(machine.state).source_computer_id
