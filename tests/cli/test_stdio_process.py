"""`workbench query --stdio` as the conformance harness starts it."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def test_it_answers_each_line_and_ends_with_its_input(run: Any, tmp_path: Any) -> None:
    asked = [
        b'{"id": "a", "query": "print x = 1"}',
        b"no request",
        b'{"id": "b", "query": "print x = ("}',
        b'{"id": "c", "query": "T | count"}',
    ]
    schemas = tmp_path / "schemas.json"
    schemas.write_text('{"T": [["x", "long"]]}')
    nowhere = tmp_path / "none"
    ran = run(
        "query", "--stdio", "--schemas", str(schemas), "--workspace", str(nowhere), stdin=b"\n".join(asked)
    )
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert (ran.returncode, [a["id"] for a in answers]) == (0, ["a", None, "b", "c"])
    assert answers[0]["rows"] == [[1]]
    assert "^" in answers[2]["error"]
    assert answers[3]["rows"] == [[0]]
    assert not nowhere.exists()


def test_the_tables_of_the_workspace_come_first(run: Any, workspace: str, tmp_path: Any) -> None:
    schemas = tmp_path / "schemas.json"
    schemas.write_text('{"App": [["x", "long"]], "Other": [["y", "real"]]}')
    asked = b'{"id": 1, "query": "App | count"}\n{"id": 2, "query": "Other | project y"}'
    ran = run("query", "--stdio", "--schemas", str(schemas), "--workspace", workspace, stdin=asked)
    first, second = (json.loads(line) for line in ran.stdout.splitlines())
    assert first["rows"] == [[10]]
    assert (second["types"], second["rows"]) == (["real"], [])


def test_a_file_that_holds_no_schemas_is_a_mistake(run: Any, tmp_path: Any) -> None:
    bad = tmp_path / "schemas.json"
    bad.write_text("[]")
    ran = run("query", "--stdio", "--schemas", str(bad))
    assert (ran.returncode, ran.stdout) == (1, b"")
    assert ran.stderr.startswith(b"SRV011")
