"""Parameters as fields: the variable follows the field, and is a typed value in a query."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

import workbench
from workbench.base.errors import WorkbenchError
from workbench.kernel_ext import parameters
from workbench.kernel_ext.bind import timespan_of

START = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)


@pytest.fixture
def path(tmp_path: Path) -> str:
    workspace = workbench.open(str(tmp_path / "w"), create=True)
    rows = [
        {"TimeGenerated": START + dt.timedelta(minutes=i), "Computer": f"web{i % 3}'", "Load": i}
        for i in range(9)
    ]
    workspace.ingest("Perf", rows)
    return workspace.path


def test_a_choice_has_the_values_of_a_query_and_binds_the_chosen_one(path: str) -> None:
    variables: dict[str, Any] = {}
    field = parameters.choice(
        "host", query="Perf | distinct Computer | sort by Computer desc", workspace=path, namespace=variables
    )
    assert field.choices == ["web2'", "web1'", "web0'"]
    assert variables["host"] == "web2'"
    field.chosen = [1]
    answer = workbench.open(path).query("Perf | where Computer == host | count", scope=variables.__getitem__)
    assert (variables["host"], answer.frame.item()) == ("web1'", 3)


def test_values_keep_their_types(path: str) -> None:
    variables: dict[str, Any] = {}
    field = parameters.choices(
        "times", query="Perf | top 2 by TimeGenerated asc | project TimeGenerated", workspace=path,
        namespace=variables,
    )  # fmt: skip
    assert variables["times"] == [START, START + dt.timedelta(minutes=1)]
    assert field.choices == ["2026-11-23 00:00:00", "2026-11-23 00:01:00"]
    field.chosen = []
    assert variables["times"] == []


def test_a_variable_that_is_there_is_what_the_field_begins_with() -> None:
    variables: dict[str, Any] = {"host": "b", "least": 7, "gone": "z"}
    assert parameters.choice("host", ["a", "b"], namespace=variables).chosen == [1]
    assert parameters.text("least", 5, namespace=variables).text == "7"
    parameters.choice("gone", ["a", "b"], namespace=variables)
    assert variables == {"host": "b", "least": 7, "gone": "a"}


def test_what_is_no_value_is_told_beside_the_field_and_changes_nothing() -> None:
    variables: dict[str, Any] = {}
    number = parameters.text("least", 1.5, namespace=variables)
    number.text = "many"
    assert (variables["least"], number.wrong) == (1.5, "'many' is no real")
    number.text = "2"
    assert (variables["least"], number.wrong) == (2.0, "")
    time = parameters.time_range("when", namespace=variables)
    time.text = "yesterday"
    assert variables["when"] == "P1D"
    assert "no time range" in time.wrong
    with pytest.raises(WorkbenchError, match="LAB310"):
        parameters.text("_x", namespace=variables)
    with pytest.raises(WorkbenchError, match="LAB311"):
        parameters.choice("none", [], namespace=variables)


def test_a_timespan_may_be_a_variable() -> None:
    assert timespan_of("when", [{}, {"when": "P2D"}]) == "P2D"
    assert timespan_of("when", [{"when": ""}]) is None
    assert timespan_of("PT1H", [{"PT1H": "P2D"}]) == "PT1H"
    for namespace in ({}, {"when": 5}):
        with pytest.raises(WorkbenchError, match="LAB312"):
            timespan_of("when", [namespace])
