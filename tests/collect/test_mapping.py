"""Mapping files: routing, fallbacks, value maps, the rest, KQL columns, and their mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.collect.importing import import_source
from workbench.collect.mapping import load, parse, shipped
from workbench.repository.tables import Repository

Table = Callable[..., list[dict[str, Any]]]
MAPPING = """
tables:
  - table: Web
    where:
      - {field: kind, equals: [web, WWW], ignore_case: true}
      - {field: status, exists: true}
    columns:
      TimeGenerated: ts
      Status: {field: status, type: int}
      Size: {field: bytes, type: long, hidden: true}
      IsError: {kql: "Status >= 500", type: bool}
      Kilo: {kql: "Size / 1024.0"}
      Origin: {value: shop}
      User: {first: [user, login]}
  - table: Other
    where: {field: kind, exists: true}
    columns: {TimeGenerated: ts, Kind: kind, Never: {field: never, type: real}}
    rest: Rest
"""
RECORDS: list[Any] = [
    {"kind": "web", "ts": "2026-01-01T00:00:00Z", "status": "503", "bytes": 2048, "user": "a", "login": "b", "x": 1},
    {"kind": "www", "ts": "2026-01-01T00:00:01Z", "status": 200, "bytes": "many", "user": None, "login": "b", "Status": 7},
    {"kind": "www", "ts": "soon", "status": 200},
    {"kind": "db", "ts": "2026-01-01T00:00:02", "q": [1, {"a": 2}]},
    {"ts": "2026-01-01T00:00:02"},
    {"kind": ["web"], "status": 1, "ts": "2026-01-01T00:00:03Z"},
]  # fmt: skip


@pytest.fixture
def imported(repository: Repository, tmp_path: Path) -> Repository:
    (tmp_path / "shop.yaml").write_text(MAPPING)
    (tmp_path / "a.json").write_text("".join(json.dumps(r) + "\n" for r in RECORDS))
    summary = import_source(repository, tmp_path / "a.json", mapping=tmp_path / "shop.yaml")
    assert (summary.stored, summary.quarantined) == ({"Web": 2, "Other": 2}, 2)
    return repository


def test_columns(imported: Repository, table: Table) -> None:
    first, second = table("Web")
    assert (first["Status"], first["IsError"], first["Kilo"], first["Origin"]) == (503, True, 2.0, "shop")
    assert (second["Status"], second["IsError"], second["Kilo"]) == (200, False, None)
    # The user that is null is no user; the field that was not taken stays.
    assert (first["User"], first["login"], second["User"], second["login"]) == ("a", "b", "b", "")
    # A hidden column leaves its field alone; a field with the name of a column gets another.
    assert (first["bytes"], second["bytes_s"]) == (2048, "many")
    assert (first["Status_raw"], second["Status_raw"], first["x"]) == (None, 7, 1)
    assert "Size" not in first


def test_routing_and_rest(imported: Repository, table: Table) -> None:
    first, second = table("Other")
    assert (first["Kind"], first["Rest"]) == ("db", '{"q":[1,{"a":2}]}')
    assert (second["Kind_o"], second["Rest"]) == ('["web"]', '{"status":1}')
    schema = {c.name: c.type for c in imported.schema("Other")}
    assert (schema["Never"], schema["Rest"]) == (ScalarType.REAL, ScalarType.DYNAMIC)
    refused = [(r["Table"], r["Line"], r["Code"]) for r in table("_Quarantine")]
    assert refused == [("Web", 3, "IMP110"), ("Other", 5, "IMP114")]


def test_declared_order_of_columns(imported: Repository) -> None:
    names = [c.name for c in imported.schema("Web")]
    assert names[:6] == ["TimeGenerated", "Status", "IsError", "Kilo", "Origin", "User"]


@pytest.mark.parametrize("name", shipped())
def test_shipped_mappings_can_be_read(name: str) -> None:
    mapping = load(name)
    assert mapping.name == name
    assert mapping.tables[-1].where == ()


def test_windows_events_is_shipped() -> None:
    assert "windows_events" in shipped()


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("tables: [", "IMP202", "no YAML"),
        ("[]", "IMP203", "top level"),
        ("name: x", "IMP203", "no list of tables"),
        ("tabels: []", "IMP204", "did you mean 'tables'?"),
        ("tables: [{columns: {}}]", "IMP203", "table 1, table"),
        ("tables: [{table: A, colums: {}}]", "IMP204", "did you mean 'columns'?"),
        ("tables: [{table: A, columns: {a: {field: f, type: integer}}}]", "IMP205", "'integer'"),
        ("tables: [{table: A, columns: {a: {field: f, value: 1}}}]", "IMP203", "exactly one of"),
        ("tables: [{table: A, columns: {a: {first: []}}}]", "IMP203", "list of fields"),
        (
            "tables: [{table: A, columns: {a: b}, fields: {a: int}}]",
            "IMP203",
            "under columns and under fields",
        ),
        ("tables: [{table: A, columns: {a: b}, rest: a}]", "IMP203", "is a column and the rest"),
        ("tables: [{table: A, where: {field: f}}]", "IMP203", "'equals' or 'exists: true'"),
        ("tables: [{table: A, columns: {a: {field: f, keep: maybe}}}]", "IMP203", "true or false"),
    ],
)
def test_mistakes(text: str, code: str, said: str) -> None:
    with pytest.raises(WorkbenchError) as mistake:
        parse(text, "m.yaml", "m")
    assert mistake.value.code == code
    assert said in mistake.value.render()


def test_a_mistake_in_kql_is_told_and_nothing_is_stored(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "m.yaml").write_text("tables: [{table: A, columns: {a: b, c: {kql: 'strlen(d)'}}}]")
    (tmp_path / "a.json").write_text('{"b": "x"}\n')
    with pytest.raises(WorkbenchError) as mistake:
        import_source(repository, tmp_path / "a.json", mapping=tmp_path / "m.yaml")
    assert mistake.value.code == "KQL101"
    assert not repository.has("A")
