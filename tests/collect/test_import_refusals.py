"""What is no record goes to `_Quarantine`: reason, line number, original bytes; the good ones are stored."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.base import clock
from workbench.base.dtypes import TICKS_PER_DAY, format_datetime
from workbench.base.errors import WorkbenchError
from workbench.collect.formats import _lines
from workbench.collect.importing import ImportSummary, import_source
from workbench.collect.streams import Stream
from workbench.repository.tables import Repository

Table = Callable[..., list[dict[str, Any]]]


def _import(repository: Repository, path: Path, content: bytes, **options: Any) -> ImportSummary:
    path.write_bytes(content)
    return import_source(repository, path, **{"table": "App", **options})


def test_broken_lines(repository: Repository, tmp_path: Path, table: Table) -> None:
    long = json.dumps({"Message": "x" * (2 << 20), "n": 6}).encode()
    lines = [
        b'{"n": 1, "Message": "good"}',
        b'{"n": 2, "Message": "broken',
        b"",
        b'{"n": 4, "Message": "\xff\xfe"}',
        b"   \t\r",
        long,
        b"[7]",
        b'{"n": 8}\r',
        b'{"n": 9, "cut',
    ]
    path = tmp_path / "broken.json"
    summary = _import(repository, path, b"\n".join(lines))
    assert (summary.lines, summary.stored, summary.quarantined, summary.blank) == (7, {"App": 2}, 5, 2)
    assert [row["n"] for row in table("App")] == [1, 8]
    refused = {row["Line"]: row for row in table("_Quarantine")}
    assert {line: row["Code"] for line, row in refused.items()} == {
        2: "IMP101", 4: "IMP102", 6: "IMP104", 7: "IMP103", 9: "IMP105",
    }  # fmt: skip
    assert all(row["Table"] == "App" and row["Source"] == str(path) for row in refused.values())
    assert refused[2]["Original"] == lines[1].decode()
    assert refused[4]["Encoding"] == "base64"
    assert base64.b64decode(refused[4]["Original"]) == lines[3]
    assert refused[6]["Original"].encode() == long
    assert refused[9]["Reason"].startswith("the last line is cut off")
    again = import_source(repository, path, table="App")
    assert (again.stored, again.quarantined, again.skipped, again.lines) == ({"App": 0}, 0, 7, 7)
    assert len(table("_Quarantine")) == 5


def test_a_last_line_without_line_end_is_a_line(repository: Repository, tmp_path: Path) -> None:
    assert _import(repository, tmp_path / "a.json", b'\xef\xbb\xbf{"n": 1}\n{"n": 2}').stored == {"App": 2}


def test_times(repository: Repository, tmp_path: Path, table: Table) -> None:
    ahead = format_datetime(clock.now_ticks() + TICKS_PER_DAY * 2)
    soon = format_datetime(clock.now_ticks() + TICKS_PER_DAY // 2)
    records: list[dict[str, Any]] = [
        {"TimeGenerated": "2020-01-01T00:00:00Z", "n": 1},
        {"TimeGenerated": "2020-01-01 01:00:00+01:00", "n": 2},
        {"TimeGenerated": "0000-01-01T00:00:00Z", "n": 3},
        {"TimeGenerated": ahead, "n": 4},
        {"TimeGenerated": soon, "n": 5},
        {"TimeGenerated": 1577836800, "n": 6},
        {"TimeGenerated": None, "n": 7},
        {"TimeGenerated": "0001-01-01T00:00:00Z", "n": 8},
        {"TimeGenerated": "next week", "n": 9},
        {"n": 10},
    ]
    summary = _import(repository, tmp_path / "t.json", "\n".join(map(json.dumps, records)).encode())
    assert (summary.stored, summary.quarantined) == ({"App": 6}, 4)
    assert sorted(row["n"] for row in table("App", "n")) == [1, 2, 5, 7, 8, 10]
    codes = {row["Line"]: row["Code"] for row in table("_Quarantine")}
    assert codes == {3: "IMP110", 4: "IMP111", 6: "IMP110", 9: "IMP110"}
    first, second = (r["TimeGenerated"] for r in table("App") if r["n"] in (1, 2))
    assert first == second


def test_a_name_that_no_column_can_have(repository: Repository, tmp_path: Path, table: Table) -> None:
    summary = _import(repository, tmp_path / "n.json", b'{"": 1}\n{"a": 1}\n{"a": 2, " ": 3}\n')
    assert (summary.stored, summary.quarantined) == ({"App": 1}, 2)
    assert [(r["Line"], r["Code"]) for r in table("_Quarantine")] == [(1, "IMP112"), (3, "IMP112")]


def test_a_line_longer_than_memory_allows() -> None:
    content = b"a\n" + b"x" * 1000 + b"\nb\n" + b"y" * 500
    for block in (1, 7, 64, 10_000):
        parts = list(_lines.cut(Stream(iter([content])), block=block, kept=100))
        lines = [line for part in parts for line in part.lines]
        lengths = [part.lengths.get(i, len(line)) for part in parts for i, line in enumerate(part.lines)]
        assert lengths == [1, 1000, 1, 500]
        assert [line[:1] for line in lines] == [b"a", b"x", b"b", b"y"]
        assert sum(part.size for part in parts) == len(content)
        assert parts[-1].open_end


@pytest.mark.parametrize(
    ("name", "content", "options", "code"),
    [
        ("none.json", None, {}, "IMP001"),
        (".", None, {}, "IMP002"),
        ("a.bin", b"\x00\x01\x02", {}, "IMP004"),
        ("a.json", b"{}", {"format": "jsnol"}, "IMP005"),
        ("a.json", b"{}", {"table": None}, "IMP006"),
        ("a.json", b"{}", {"mapping": "windows_events"}, "IMP007"),
        ("a.parquet", b"PAR1 no", {}, "IMP009"),
        ("a.json", b'[\n{"a": 1}\n]\n', {}, "IMP010"),
        ("a.csv", b'"a', {}, "IMP011"),
        ("a.json.gz", b"\x1f\x8b\x08", {}, "IMP008"),
        ("a.json", b"{}", {"table": None, "mapping": "window_events"}, "IMP201"),
    ],
)
def test_mistakes_have_a_code(
    repository: Repository,
    tmp_path: Path,
    name: str,
    content: bytes | None,
    options: dict[str, Any],
    code: str,
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WorkbenchError) as mistake:
        import_source(repository, path, **{"table": "App", **options})
    assert mistake.value.code == code
    assert "Traceback" not in mistake.value.render()
    assert repository.tables() == []


def test_an_empty_file_is_no_mistake(repository: Repository, tmp_path: Path) -> None:
    assert _import(repository, tmp_path / "empty", b"").lines == 0


def test_whole_numbers_beyond_64_bits_are_kept_as_they_stand(
    repository: Repository, tmp_path: Path, table: Table
) -> None:
    """In a column as text beside it, inside of a value where it is; a text of digits is a text."""
    numbers = 7, 2**64, -(2**63) - 1, 2**200, 2**64 - 1
    lines = [json.dumps({"n": n, "in": {"a": [n, 1.5]}, "text": str(n)}) for n in numbers]
    summary = _import(repository, tmp_path / "wide.json", "\n".join(lines).encode())
    assert (summary.stored, summary.quarantined) == ({"App": 5}, 0)
    rows = table("App")
    assert [row["n"] if row["n"] is not None else int(row["n_s"]) for row in rows] == list(numbers)
    assert [json.loads(row["in"])["a"][0] for row in rows] == list(numbers)
    assert [row["text"] for row in rows] == list(map(str, numbers))
