"""Every format, and every archive around it, whole and damaged."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from workbench.base.dtypes import ScalarType as T
from workbench.collect.importing import import_source
from workbench.repository.tables import Repository

Table = Callable[..., list[dict[str, Any]]]
LINES = b"".join(b'{"n": %d, "text": "%s"}\n' % (i, os.urandom(40).hex().encode()) for i in range(20_000))


def _zip(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def _zstd(content: bytes) -> bytes:
    packed: bytes = pa.compress(content, codec="zstd", asbytes=True)
    return packed


# ---- archives -------------------------------------------------------------------------------

PACKED = {
    "a.json.gz": gzip.compress(LINES),
    "two.gz": gzip.compress(LINES[:78]) + gzip.compress(LINES[78:]) + b"\0\0\0",
    "a.json.zst": _zstd(LINES),
    "a.zip": _zip(("a.json", LINES)),
    "stored.zip": _zip(("a.json", LINES), method=zipfile.ZIP_STORED),
    "inner.zip": _zip(("a.jsonl.gz", gzip.compress(LINES))),
    "outer.zip.gz": gzip.compress(_zip(("logs/", b""), ("logs/a.json", LINES))),
    "noname": _zstd(LINES),
}


@pytest.mark.parametrize("name", PACKED)
def test_archive(repository: Repository, tmp_path: Path, table: Table, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(PACKED[name])
    summary = import_source(repository, path, table="App")
    assert (summary.stored, summary.problems) == ({"App": 20_000}, [])
    assert [row["n"] for row in table("App", "n")] == list(range(20_000))


def test_zip_of_several_files(repository: Repository, tmp_path: Path, table: Table) -> None:
    path = tmp_path / "all.zip"
    path.write_bytes(
        _zip(
            ("a.json", b'{"n": 1}\n{"n'),
            ("empty.json", b""),
            ("__MACOSX/._a.json", b"\0"),
            ("b.csv", b"n\n2\n3\n"),
        )
    )
    summary = import_source(repository, path, table="App")
    assert (summary.stored, summary.quarantined, summary.problems) == ({"App": 3}, 1, [])
    assert [row["n"] for row in table("App", "n")] == [1, 2, 3]
    assert [(r["Source"], r["Line"]) for r in table("_Quarantine")] == [(f"{path}/a.json", 2)]


@pytest.mark.parametrize("name", [n for n in PACKED if n not in ("two.gz", "outer.zip.gz")])
def test_cut_archive_gives_what_can_be_read(
    repository: Repository, tmp_path: Path, table: Table, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(PACKED[name][: len(PACKED[name]) // 2])
    summary = import_source(repository, path, table="App")
    stored = summary.stored["App"]
    assert 8_000 < stored < 11_500  # Zstandard gives whole blocks only
    assert [row["n"] for row in table("App", "n")] == list(range(stored))
    assert {p.code for p in summary.problems} == {"IMP008"}
    # The line at the cut is kept aside.
    assert summary.quarantined <= 1
    assert [r["Code"] for r in table("_Quarantine")] == ["IMP105"] * summary.quarantined


def test_a_wrong_check_sum_is_told(
    repository: Repository, tmp_path: Path, count: Callable[[str], int]
) -> None:
    packed = bytearray(PACKED["a.json.gz"])
    packed[-6] ^= 1
    path = tmp_path / "a.json.gz"
    path.write_bytes(packed)
    summary = import_source(repository, path, table="App")
    assert (summary.stored, len(summary.problems)) == ({"App": 20_000}, 1)
    assert "check sum" in summary.problems[0].message
    assert count("App") == 20_000


def test_one_damaged_member_does_not_spoil_the_others(repository: Repository, tmp_path: Path) -> None:
    content = bytearray(_zip(("a.json", b'{"n": 1}\n'), ("b.what", b"\1\2\3"), ("c.json", b'{"n": 3}\n')))
    path = tmp_path / "all.zip"
    path.write_bytes(content)
    summary = import_source(repository, path, table="App")
    assert summary.stored == {"App": 2}
    assert [p.code for p in summary.problems] == ["IMP004"]


# ---- CSV ------------------------------------------------------------------------------------


def _csv(repository: Repository, tmp_path: Path, content: str | bytes, **options: Any) -> Any:
    path = tmp_path / "a.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_source(repository, path, **{"table": "App", **options})


def test_csv_types(repository: Repository, tmp_path: Path, table: Table) -> None:
    content = (
        "TimeGenerated,whole,real,flag,code,when,text,empty,huge\r\n"
        '2024-01-02 03:04:05,1,1.50,true,007,2024-01-01T00:00:00Z,"a, ""b""\nc",,12345678901234567890.5\r\n'
        "2024-01-02T03:04:06Z,-2,2,FALSE,1,2024-01-01T01:00:00+01:00,,,1\r\n"
    )
    assert _csv(repository, tmp_path, content).stored == {"App": 2}
    types = {c.name: c.type for c in repository.schema("App")}
    wanted = {"whole": T.LONG, "real": T.REAL, "flag": T.BOOL, "code": T.STRING, "when": T.DATETIME,
              "text": T.STRING, "empty": T.STRING, "huge": T.STRING, "TimeGenerated": T.DATETIME}  # fmt: skip
    assert {name: types[name] for name in wanted} == wanted
    first, second = table("App")
    assert (first["whole"], first["real"], first["flag"], first["code"]) == (1, 1.5, True, "007")
    assert (first["text"], second["text"], second["flag"]) == ('a, "b"\nc', "", False)
    assert first["when"] == second["when"] == dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def test_csv_bad_lines(repository: Repository, tmp_path: Path, table: Table) -> None:
    content = b'n;text\n1;"a\nb"\n2;b;c\n\n3\n4;"open\n5;ok\n6;\xff\n7;"quo"te\n8;last'
    summary = _csv(repository, tmp_path, content)
    assert (summary.stored, summary.quarantined, summary.blank) == ({"App": 3}, 5, 1)
    assert [(r["n"], r["text"]) for r in table("App")] == [(1, "a\nb"), (5, "ok"), (8, "last")]
    assert [(r["Line"], r["Code"]) for r in table("_Quarantine")] == [
        (4, "IMP106"), (6, "IMP106"), (7, "IMP107"), (9, "IMP102"), (10, "IMP107"),
    ]  # fmt: skip


def test_csv_later_cells_of_another_type(
    repository: Repository, tmp_path: Path, table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.collect.formats.csv.BLOCK_BYTES", 10)
    _csv(repository, tmp_path, "n,x\n1,1\n2,1\n3,1\nfour,2\n5,\n")
    rows = table("App")
    assert [r["n"] for r in rows] == [1, 2, 3, None, 5]
    assert [r["n_s"] for r in rows] == ["", "", "", "four", ""]
    assert [r["x"] for r in rows] == [1, 1, 1, 2, None]


def test_csv_header(repository: Repository, tmp_path: Path, table: Table) -> None:
    _csv(repository, tmp_path, "\ufeffa|a||b\n1|2|3|4\n")
    (row,) = table("App", "a", "a_2", "Column3", "b")
    assert list(row.values()) == [1, 2, 3, 4]


# ---- Parquet --------------------------------------------------------------------------------


def test_parquet(repository: Repository, tmp_path: Path, table: Table) -> None:
    path = tmp_path / "a.parquet"
    moment = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    pl.DataFrame(
        {
            "TimeGenerated": [moment, moment],
            "small": pl.Series([1, None], dtype=pl.UInt8),
            "huge": pl.Series([2**64 - 1, 1], dtype=pl.UInt64),
            "span": [dt.timedelta(seconds=1), None],
            "money": [decimal.Decimal("1.10"), None],
            "list": [[1, 2], None],
            "raw": [b"abc", b"\xff"],
            "text": ["x", None],
            "none": pl.Series([None, None], dtype=pl.Null),
            "naive": [dt.datetime(2024, 1, 1), None],
        }
    ).write_parquet(path, row_group_size=1)
    assert import_source(repository, path, table="App").stored == {"App": 2}
    types = {c.name: c.type for c in repository.schema("App")}
    assert (types["small"], types["span"], types["money"], types["list"]) == (
        T.INT, T.TIMESPAN, T.DECIMAL, T.DYNAMIC,
    )  # fmt: skip
    assert "none" not in types
    first, second = table("App")
    assert (first["huge"], first["list"], first["raw"]) == ("18446744073709551615", "[1,2]", "abc")
    assert (second["raw"], second["text"], second["small"]) == ("/w==", "", None)
    assert first["naive"] == moment


def test_parquet_in_an_archive_and_through_a_mapping(
    repository: Repository, tmp_path: Path, table: Table
) -> None:
    out = io.BytesIO()
    pl.DataFrame({"ts": ["2024-01-01T00:00:00Z"], "a": [1], "b": [dt.timedelta(1)]}).write_parquet(out)
    path = tmp_path / "a.parquet.gz"
    path.write_bytes(gzip.compress(out.getvalue()))
    mapping = tmp_path / "m.yaml"
    mapping.write_text("tables: [{table: App, columns: {TimeGenerated: ts}, rest: Other}]")
    assert import_source(repository, path, mapping=mapping).stored == {"App": 1}
    (row,) = table("App")
    assert row["TimeGenerated"] == dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    assert '"a":1' in row["Other"]


# ---- how a format is seen -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "target"),
    [
        (b'{"a": 1}\n', "App"),
        (b"a,b\n1,2\n", "App"),
        (b"<34>1 2003-10-11T22:14:15.003Z host su - ID47 - text\n", "Syslog"),
        (b"Oct 11 22:14:15 host su: text\n", "Syslog"),
        (b"2024-01-01T00:00:00.123+01:00 host su[1]: text\n", "Syslog"),
        (b"2024-01-01 00:00:00 status installed a:amd64 1\n", "ConfigurationChange"),
    ],
)
def test_format_is_seen_from_the_first_bytes(
    repository: Repository, tmp_path: Path, content: bytes, target: str
) -> None:
    path = tmp_path / "something.log"
    path.write_bytes(content)
    own = target != "App"
    summary = import_source(repository, path, table=None if own else "App")
    assert summary.stored == {target: 1}
