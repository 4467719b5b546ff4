"""Counters: the usual ones, those that a rule names, and names that are none."""

from __future__ import annotations

import pytest

from workbench.base.errors import WorkbenchError
from workbench.collect.sources.performance import Performance, parse_specifier


def counters(records) -> set[tuple[str, str, str]]:
    return {(r["ObjectName"], r["CounterName"], r["InstanceName"]) for r in records}


def test_without_a_rule_the_usual_counters_of_the_agent_for_linux(run) -> None:
    records = run(Performance).collect()["Perf"]
    seen = counters(records)
    assert {
        ("Processor", "% Processor Time", "_Total"),
        ("Memory", "% Used Memory", "Memory"),
        ("Logical Disk", "% Used Space", "/"),
        ("System", "Processes", "System"),
    } <= seen
    assert len(seen) == len(records)
    shares = [r["CounterValue"] for r in records if r["CounterName"].startswith("%")]
    assert all(0 <= share <= 100 for share in shares)
    assert records[0]["CounterPath"].startswith("\\\\")


def test_a_rule_gets_what_it_names_and_nothing_else(run) -> None:
    named = [
        r"\\some-computer\Processor(_Total)\% Processor Time",
        r"\Processor(*)\% processor time",
        r"Memory(*)\Available*",
        r"System\Uptime",
    ]
    seen = counters(run(Performance, {"counterSpecifiers": named}).collect()["Perf"])
    assert {item for item, _, _ in seen} == {"Processor", "Memory", "System"}
    assert {c for item, c, _ in seen if item == "Processor"} == {"% Processor Time"}
    assert ("Processor", "% Processor Time", "0") in seen
    assert ("System", "Uptime", "System") in seen
    assert all(c.startswith("Available") for item, c, _ in seen if item == "Memory")


def test_an_object_that_this_machine_has_not_gives_nothing(run) -> None:
    assert run(Performance, {"counterSpecifiers": [r"LogicalDisk(C:)\% Free Space"]}).collect() == {}


@pytest.mark.parametrize("text", ["", "Processor", "Processor(*)", "\\", "(x)\\y"])
def test_what_is_no_counter_is_told(text: str) -> None:
    with pytest.raises(WorkbenchError) as told:
        parse_specifier(text)
    assert told.value.code == "MAC202"


def test_many_stars_take_no_time() -> None:
    found = parse_specifier("Process(" + "*a" * 500 + "*)\\" + "*x" * 500)
    assert not found.matches(("Process", "x" * 499, "a" * 10_000, 1.0))


def test_signs_that_are_no_star_mean_themselves() -> None:
    found = parse_specifier(r"Logical Disk([/?])\% Used Space")
    assert found.matches(("Logical Disk", "% Used Space", "[/?]", 1.0))
    assert not found.matches(("Logical Disk", "% Used Space", "/", 1.0))
