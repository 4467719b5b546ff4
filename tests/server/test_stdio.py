"""`query --stdio` line by line: it answers all, and nothing ends it but the end of its input."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from workbench.base.errors import WorkbenchError
from workbench.query.result import Result
from workbench.server import stdio
from workbench.server.schemas import read_schemas
from workbench.server.source import ask_for


@pytest.fixture
def ask(tmp_path: Path) -> stdio.Ask:
    schemas = tmp_path / "schemas.json"
    schemas.write_text(
        '{"Heartbeat": [["TimeGenerated", "datetime"], ["Computer", "string"], ["Extra", "dynamic"]]}'
    )
    return ask_for(str(tmp_path / "no workspace"), str(schemas))


def converse(ask: stdio.Ask, *lines: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    out, notes = io.BytesIO(), []
    stdio.serve(ask, lines, out, notes.append)
    return [json.loads(line) for line in out.getvalue().splitlines()], notes


def test_a_query_without_a_workspace(ask: stdio.Ask) -> None:
    (answer,), notes = converse(ask, b'{"id": "a", "query": "print x = 1, y = \'t\'"}\n')
    assert answer == {"id": "a", "columns": ["x", "y"], "types": ["long", "string"], "rows": [[1, "t"]]}
    assert notes == []


def test_a_table_known_by_schema_is_empty(ask: stdio.Ask) -> None:
    (answer,), _ = converse(ask, b'{"id": 1, "query": "Heartbeat | where Computer has \'x\'"}')
    assert answer["columns"] == ["TimeGenerated", "Computer", "Extra"]
    assert answer["types"] == ["datetime", "string", "dynamic"]
    assert answer["rows"] == []


def test_a_mistake_is_answered_with_its_caret(ask: stdio.Ask) -> None:
    (answer,), notes = converse(ask, b'{"id": 2, "query": "Heartbeat | where Computr == 1"}')
    assert answer["id"] == 2
    assert "KQL101" in answer["error"]
    assert "^^^^^^^" in answer["error"]
    assert notes == []


GARBAGE = [
    b"hello",
    b"{",
    b"[1]",
    b'"text"',
    b"null",
    b'{"id": 5}',
    b'{"id": 5, "query": 7}',
    b"\xff\xfe",
    b"1e999",
    b"{}",
]


@pytest.mark.parametrize("line", GARBAGE)
def test_a_line_that_is_no_request_is_answered_and_the_next_one_too(ask: stdio.Ask, line: bytes) -> None:
    answers, _ = converse(ask, line, b'{"id": 9, "query": "print 1"}')
    assert "error" in answers[0]
    assert (answers[1]["id"], answers[1]["rows"]) == (9, [[1]])


def test_blank_lines_are_passed_over(ask: stdio.Ask) -> None:
    answers, _ = converse(ask, b"\n", b"  \r\n", b'{"id": 9, "query": "print 1"}')
    assert [a["id"] for a in answers] == [9]


class Panic(BaseException):
    """What a panic of the engine looks like: no `Exception`."""


@pytest.mark.parametrize("fault", [RuntimeError("broken"), Panic("index out of bounds"), RecursionError()])
def test_a_fault_of_ours_is_answered_and_noted_with_its_traceback(fault: BaseException) -> None:
    def broken(text: str) -> Result:
        if text == "fail":
            raise fault
        return Result(pl.DataFrame(), ())

    answers, notes = converse(broken, b'{"id": 1, "query": "fail"}', b'{"id": 2, "query": "go on"}')
    assert answers[0]["id"] == 1
    assert type(fault).__name__ in answers[0]["error"]
    assert "Traceback" in notes[0]
    assert answers[1]["rows"] == []


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"T": 1}', '{"T": [["a"]]}', '{"T": [["a", "colour"]]}', '{"T": [["a", 1]]}'],
)
def test_a_file_of_other_form_is_no_schema(tmp_path: Path, text: str) -> None:
    path = tmp_path / "schemas.json"
    path.write_text(text)
    with pytest.raises(WorkbenchError, match="SRV011"):
        read_schemas(str(path))


def test_a_missing_file_is_no_schema(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="SRV011"):
        read_schemas(str(tmp_path / "none.json"))
