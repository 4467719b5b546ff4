"""What a parameters cell declares, and which values come through."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.actions.runbook.declaration import REQUIRED, Parameter, checked, declared, from_text, read
from workbench.base.errors import WorkbenchError

CELL = '''
"""Where to look."""
host: str = ...  # which machine
wait: int = 30  # seconds {choices: 10|30|60}
share: float = 0.5
dry = True
names = ["a", "#b"]  # '#' is text here
more: dict = {}
anything = None
'''


def test_a_cell_declares_names_types_defaults_and_help() -> None:
    assert read(CELL) == [
        Parameter("host", "str", REQUIRED, "which machine"),
        Parameter("wait", "int", 30, "seconds", (10, 30, 60)),
        Parameter("share", "float", 0.5),
        Parameter("dry", "bool", True),
        Parameter("names", "list", ["a", "#b"], "'#' is text here"),
        Parameter("more", "dict", {}),
        Parameter("anything", "any", None),
    ]


def test_the_cell_with_the_tag_is_read_and_nothing_of_it_runs(tmp_path: Any) -> None:
    cells = [
        {"cell_type": "code", "metadata": {}, "source": "other = 1"},
        {"cell_type": "code", "metadata": {"tags": ["parameters"]}, "source": ["a = 1\n", "b = 2"]},
    ]
    assert [p.name for p in declared({"cells": cells})] == ["a", "b"]
    assert declared({"cells": cells[:1]}) == []


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("import os", "assigns nothing"),
        ("open('/tmp/x', 'w')", "assigns nothing"),
        ("a = open('/tmp/x', 'w')", "no literal"),
        ("a.b = 1", "no plain name"),
        ("a, b = 1, 2", "no plain name"),
        ("a = b = 1", "assigns nothing"),
        ("a: bytes = 1", "no type 'bytes'"),
        ("a = {1, 2}", "no literal"),
        ("a =", "no Python"),
        ("a = " + "[" * 5000, "no Python"),
    ],
)
def test_a_line_that_is_no_declaration_is_refused(line: str, why: str) -> None:
    with pytest.raises(WorkbenchError) as refused:
        read(line)
    assert refused.value.code == "JOB107"
    assert why in refused.value.message


GOOD = [
    ({"host": "web01"}, {"host": "web01"}),
    ({"host": "web01", "share": 1}, {"host": "web01", "share": 1.0}),
    ({"host": "", "wait": 60, "dry": False}, {"host": "", "wait": 60, "dry": False}),
    ({"host": "x", "anything": [1, {"a": None}]}, {"host": "x", "anything": [1, {"a": None}]}),
]


@pytest.mark.parametrize(("given_values", "made"), GOOD)
def test_values_of_their_types_come_through(given_values: dict[str, Any], made: dict[str, Any]) -> None:
    assert checked("r", read(CELL), given_values) == made


BAD = [
    ({}, "JOB103"),
    ({"host": "x", "a=1\nimport os": 1}, "JOB102"),
    ({"host": "x", "hots": 1}, "JOB102"),
    ({"host": 7}, "JOB104"),
    ({"host": None}, "JOB104"),
    ({"host": "x", "wait": "30"}, "JOB104"),
    ({"host": "x", "wait": True}, "JOB104"),
    ({"host": "x", "wait": 31}, "JOB105"),
    ({"host": "x", "dry": 1}, "JOB104"),
    ({"host": "x", "share": float("nan")}, "JOB104"),
    ({"host": "x" * 600_000}, "JOB106"),
    ({f"n{i}": 1 for i in range(51)}, "JOB108"),
]


@pytest.mark.parametrize(("given_values", "code"), BAD)
def test_anything_else_is_refused_with_its_reason(given_values: dict[str, Any], code: str) -> None:
    with pytest.raises(WorkbenchError) as refused:
        checked("r", read(CELL), given_values)
    assert refused.value.code == code
    assert len(refused.value.render()) < 400


def test_a_runbook_without_parameters_takes_none() -> None:
    assert checked("r", [], {}) == {}
    with pytest.raises(WorkbenchError) as refused:
        checked("r", [], {"a": 1})
    assert refused.value.code == "JOB101"


@given(st.dictionaries(st.text(), st.none() | st.text() | st.integers() | st.floats() | st.booleans()))
def test_only_declared_names_ever_come_through(values: dict[str, Any]) -> None:
    try:
        made = checked("r", read(CELL), values)
    except WorkbenchError:
        return
    assert set(made) <= {p.name for p in read(CELL)}


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [("str", "7", "7"), ("int", "7", 7), ("float", "7", 7.0), ("bool", "True", True), ("list", "[1]", [1]), ("any", "x", "x")],
)  # fmt: skip
def test_text_becomes_the_type(kind: str, text: str, value: object) -> None:
    assert from_text(Parameter("p", kind, REQUIRED), text) == value


def test_text_of_another_type_is_refused() -> None:
    with pytest.raises(WorkbenchError) as refused:
        from_text(Parameter("wait", "int", 1), "soon")
    assert refused.value.render() == "JOB104: parameter 'wait' is a whole number, and 'soon' is none"
