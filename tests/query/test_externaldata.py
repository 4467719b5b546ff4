"""`externaldata` over real files: what it reads, what it leaves alone, what hostile files do to it."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import workbench
from workbench.base.errors import Span, WorkbenchError
from workbench.query.operators import external_formats
from workbench.query.operators.external_files import Reader

CSV = b'name,n,when\r\n"x, y",1,2024-01-01\r\nz,,bad\r\n"q""q",3\r\nw,4,2024-01-02T03:04:05Z,extra\r\n'
NAMES = [("x, y", 1), ("z", None), ('q"q', 3), ("w", 4)]


@pytest.fixture
def ws(tmp_path: Path) -> workbench.Workspace:
    """A workspace with a folder of files."""
    opened = workbench.open(str(tmp_path / "mine"), create=True)
    Path(opened.path, "files").mkdir()
    return opened


def put(ws: workbench.Workspace, name: str, data: bytes) -> str:
    path = Path(ws.path, "files", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return str(path)


def ask(ws: workbench.Workspace, columns: str, place: str, properties: str = "", rest: str = "") -> Any:
    behind = f" with ({properties})" if properties else ""
    return ws.query(f"externaldata({columns})[{place}]{behind}{rest}")


def told(ws: workbench.Workspace, columns: str, place: str, properties: str = "") -> str:
    with pytest.raises(WorkbenchError) as caught:
        ask(ws, columns, place, properties)
    return caught.value.render().splitlines()[0]


def zipped(members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return made.getvalue()


# ---- what is read -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "data", "times"),
    [
        ("a.csv", CSV, 1), ("a.csv.gz", gzip.compress(CSV), 1), ("a", b"\xef\xbb\xbf" + CSV, 1),
        ("two.gz", gzip.compress(CSV[:20]) + gzip.compress(CSV[20:]), 1),
        ("a.zip", zipped({"a.csv": CSV, "b/c.csv": CSV}), 2), ("wide.csv", CSV.decode().encode("utf-16"), 1),
    ],
)  # fmt: skip
def test_csv_is_read_by_place_and_converted(
    ws: workbench.Workspace, name: str, data: bytes, times: int
) -> None:
    put(ws, name, data)
    result = ask(ws, "name:string, n:long, ['when']:datetime", f"'{name}'", "ignoreFirstRecord=true")
    assert result.types == ["string", "long", "datetime"]
    assert [row[:2] for row in result.frame.rows()] == NAMES * times
    assert result.frame["when"].is_null().to_list() == [False, True, True, False] * times
    assert result.statistics.warnings == ()


def test_a_place_may_be_written_in_several_ways(ws: workbench.Workspace) -> None:
    path = put(ws, "deep/a.csv", CSV)
    for place in (
        "deep/a.csv",
        path,
        f"file://{path}",
        "./deep/../deep/a.csv",
        f"{ws.path}/files/./deep/a.csv",
    ):
        assert len(ask(ws, "name:string", f"@'{place}'")) == 5
    both = ask(ws, "name:string", f"'deep/a.csv', h'{path}'", "", " | count")
    assert both.frame.item() == 10


@pytest.mark.parametrize(
    ("format_", "data", "rows"),
    [
        ("tsv", b"a\t1\nb\t2\n", [("a", 1), ("b", 2)]), ("psv", b"a|1", [("a", 1)]), ("scsv", b"a;1\n", [("a", 1)]),
        ("sohsv", b"a\x011\n", [("a", 1)]), ("txt", b"a,1\nb\n", [("a,1", None), ("b", None)]),
        ("raw", b"a,1\nb\n", [("a,1\nb\n", None)]),
        ("json", b'{"n": 1, "s": "a"}\n\n{"s": null, "x": 2}\n', [("a", 1), ("", None)]),
        ("multijson", b'[{"s": "a",\n "n": "1"}, {}]\n{"s": {"k": 1}, "n": 2.0}', [("a", 1), ("", None), ('{"k":1}', 2)]),
        ("csv", b"", []), ("json", b"\n", []), ("multijson", b"[]", []), ("txt", b"", []),
    ],
)  # fmt: skip
def test_formats(ws: workbench.Workspace, format_: str, data: bytes, rows: list[tuple[Any, ...]]) -> None:
    put(ws, "file", data)
    assert ask(ws, "s:string, n:long", "'file'", f"format={format_}").frame.rows() == rows
    assert ask(ws, "s:string, n:long", "'file'", f"format='{format_.upper()}'").frame.rows() == rows


def test_every_type_comes_from_text(ws: workbench.Workspace) -> None:
    put(
        ws,
        "t.csv",
        b'true,-1,9000000000,1.5,2.25,"{""a"":[1]}",1.02:03:04,74be27de-1e4e-49d9-b579-fe0b331d3642\n',
    )
    types = ("bool", "int", "long", "real", "decimal", "dynamic", "timespan", "guid")
    result = ask(
        ws, ", ".join(f"c{i}:{t}" for i, t in enumerate(types)), "'t.csv'", "", " | extend k = c5.a[0]"
    )
    assert result.types == [*types, "dynamic"]
    row = result.frame.row(0)
    assert (row[:4], row[5], row[8]) == ((True, -1, 9_000_000_000, 1.5), '{"a":[1]}', "1")
    assert None not in row


def test_parquet_is_read_by_name(ws: workbench.Workspace) -> None:
    made = io.BytesIO()
    frame = pl.DataFrame({
        "n": [1, 2], "d": [{"k": [1]}, {"k": None}], "t": pl.Series([0, None]).cast(pl.Datetime("ns")),
        "b": [b"x", None], "s": ["a", None], "p": pl.Series([1, None]).cast(pl.Duration("us")),
    })  # fmt: skip
    frame.write_parquet(made)
    put(ws, "p.parquet", made.getvalue())
    result = ask(
        ws, "s:string, n:long, d:dynamic, t:datetime, b:string, p:timespan, none:long", "'p.parquet'"
    )
    first, second = result.frame.rows()
    assert (first[0], first[1], first[2], first[3].year, first[4], first[6]) == (
        "a",
        1,
        '{"k":[1]}',
        1970,
        "x",
        None,
    )
    assert second == ("", 2, '{"k":null}', None, "", None, None)


def test_a_mapping_says_where_cells_come_from(ws: workbench.Workspace) -> None:
    put(ws, "j.json", b'{"d": {"x": [1, 2]}, "a b": "s"}')
    mapping = '[{"Column": "n", "Properties": {"Path": "$.d.x[1]"}}, {"column": "s", "path": "$[\'a b\']"}]'
    found = ask(ws, "s:string, n:long", "'j.json'", f"format='multijson', ingestionMapping=```{mapping}```")
    assert found.frame.rows() == [("s", 2)]
    put(ws, "c.csv", b"a,b,3\n")
    found = ask(
        ws,
        "n:long, s:string",
        "'c.csv'",
        'ingestionMapping=@\'[{"Name":"n","Ordinal":2},{"Name":"s","Ordinal":0}]\'',
    )
    assert found.frame.rows() == [(3, "a")]
    assert told(ws, "n:long", "'c.csv'", "ingestionMapping='[1]'").startswith("KQL208")


def test_it_is_a_table_like_any_other(ws: workbench.Workspace) -> None:
    put(ws, "a.csv", CSV)
    query = "let l = externaldata(name:string)['a.csv']; datatable(a:string)['z', 'k'] | where a in (l)"
    assert ws.query(query).frame.rows() == [("z",)]
    joined = (
        "datatable(name:string)['w'] | join (externaldata(name:string, n:long)['a.csv']) on name | project n"
    )
    assert ws.query(joined).frame.rows() == [(4,)]
    by_parameter = "declare query_parameters(place:string); externaldata(name:string)[place] | count"
    assert ws.query(by_parameter, parameters={"place": "a.csv"}).frame.item() == 5


# ---- what is left alone -----------------------------------------------------------------------


def test_nothing_outside_the_folders_is_read_and_nothing_is_told_of_it(ws: workbench.Workspace) -> None:
    secret = Path(ws.path).parent / "secret.csv"
    secret.write_text("s\n")
    inside = Path(ws.path, "files")
    (inside / "link.csv").symlink_to(secret)
    (inside / "folder").symlink_to(secret.parent)
    places = [
        str(secret), "../../secret.csv", "link.csv", "folder/secret.csv", f"{inside}/../../secret.csv",
        f"file://{secret}", f"file://elsewhere{secret}", f"file:///{secret}/%2e%2e/secret.csv", "/etc/passwd",
        "../workspace.json", "https://example.net/list.csv?sig=key", "http://127.0.0.1/x", "ftp://h/x", "", "a\0b",
        f"{inside}x/a.csv",
    ]  # fmt: skip
    for place in places:
        result = ws.query(
            "declare query_parameters(p:string); externaldata(x:string)[p]", parameters={"p": place}
        )
        assert len(result) == 0, place
        assert "is not fetched" in result.statistics.warnings[0]
        assert "key" not in result.statistics.warnings[0]
    missing = ws.query(f"externaldata(x:string)['{secret}.none']").statistics.warnings
    assert (
        missing[0].replace(".none", "")
        == ws.query(f"externaldata(x:string)['{secret}']").statistics.warnings[0]
    )


def test_one_allowed_file_is_read_beside_a_refused_one(ws: workbench.Workspace) -> None:
    put(ws, "a.csv", CSV)
    result = ask(ws, "name:string", "'a.csv', 'https://example.net/x'")
    assert len(result) == 5
    assert result.statistics.warnings[0].startswith("externaldata left files out: https://example.net/x")


def test_folders_are_allowed_by_the_workspace_and_by_the_environment(
    ws: workbench.Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.csv").write_text("x\n")
    query = f"externaldata(x:string)['{tmp_path}/one/one.csv', '{tmp_path}/two/two.csv'] | count"
    assert ws.query(query).frame.item() == 0
    ws.repository.allow_folders([str(tmp_path / "one")])
    assert ws.query(query).frame.item() == 1
    monkeypatch.setenv("WORKBENCH_EXTERNAL_FOLDERS", f"{tmp_path}/two:relative:")
    assert workbench.open(ws.path).query(query).frame.item() == 2
    assert ws.query("externaldata(x:string)['two.csv'] | count").frame.item() == 1


def test_a_folder_that_is_a_link_allows_what_it_leads_to(ws: workbench.Workspace, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.csv").write_text("x\n")
    (tmp_path / "via").symlink_to(tmp_path / "real")
    ws.repository.allow_folders([str(tmp_path / "via")])
    for folder in ("real", "via"):
        assert len(ask(ws, "x:string", f"'{tmp_path}/{folder}/a.csv'")) == 1


# ---- hostile and broken files -----------------------------------------------------------------


def test_only_plain_files_are_opened(ws: workbench.Workspace) -> None:
    os.mkfifo(Path(ws.path, "files", "pipe"))
    Path(ws.path, "files", "folder").mkdir()
    for name in ("pipe", "folder", "none.csv"):
        assert told(ws, "x:string", f"'{name}'") == f"KQL421 at 1:24: there is no file '{name}'"


def test_a_file_that_becomes_a_link_is_not_followed(ws: workbench.Workspace, tmp_path: Path) -> None:
    """Between binding and reading the file is exchanged."""
    path = Path(put(ws, "a.csv", CSV))
    (tmp_path / "secret").write_text("s")
    reader = Reader([str(path.parent)], Span(0, 1))
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    with pytest.raises(WorkbenchError) as caught:
        list(reader.contents("a.csv"))
    assert caught.value.code == "KQL421"


def test_unpacking_stops_at_the_limit(ws: workbench.Workspace) -> None:
    folder = str(Path(ws.path, "files"))
    put(ws, "bomb.gz", gzip.compress(b"\0" * 3_000_000))
    put(ws, "bomb.zip", zipped({"a": b"\0" * 800_000, "b": b"\0" * 800_000}))
    put(ws, "long.csv", b"x" * 1_000_001)
    for name in ("bomb.gz", "bomb.zip", "long.csv"):
        with pytest.raises(WorkbenchError) as caught:
            list(Reader([folder], Span(0, 1), most=1_000_000).contents(name))
        assert caught.value.code == "KQL423"
    reader = Reader([folder], Span(0, 1), most=1_500_000)
    assert len(next(reader.contents("long.csv"))) == 1_000_001
    with pytest.raises(WorkbenchError):  # the limit is that of all files together
        list(reader.contents("long.csv"))


def test_an_archive_with_too_many_files_is_refused(ws: workbench.Workspace) -> None:
    put(ws, "many.zip", zipped({str(i): b"" for i in range(1_001)}))
    assert "more than 1000 files" in told(ws, "x:string", "'many.zip'")
    lying = bytearray(zipped({"a": b"x"}))
    struct.pack_into("<I", lying, lying.rfind(b"PK\x05\x06") + 12, 2**31)
    put(ws, "lying.zip", bytes(lying))
    assert "list of files is too long" in told(ws, "x:string", "'lying.zip'")


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("cut.gz", gzip.compress(b"abc" * 1000)[:-12], "ends before its end"),
        ("bad.gz", b"\x1f\x8b\x08" + b"\0" * 7 + b"nonsense", "can't be read"),
        ("sum.gz", gzip.compress(b"abc")[:-8] + b"\0" * 8, "incorrect data check"),
        ("bad.zip", b"PK\x03\x04xxxxxxxx", "list of files is damaged"),
        ("cut.zip", zipped({"a": b"x" * 100})[:40], "list of files is damaged"),
        ("bad.parquet", b"PAR1xxxxPAR1", "can't be read"), ("empty.parquet", b"", "can't be read"),
        ("line.jsonl", b'{"x": 1}\n{broken\n', "line 2 is no JSON"), ("list.jsonl", b"[1]\n", "record 1 is no JSON object"),
        ("deep.json", b"[" * 200_000, "nested too deeply"), ("cut.json", b'[{"x": 1}', "it is no JSON"),
        ("scalar.json", b"5", "record 1 is no JSON object"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_a_coded_mistake(ws: workbench.Workspace, name: str, data: bytes, why: str) -> None:
    put(ws, name, data)
    said = told(ws, "x:string", f"'{name}'")
    assert said.startswith(f"KQL422 at 1:1: '{name}' can't be read")
    assert why in said


def test_an_encrypted_or_unknown_archive_is_a_coded_mistake(ws: workbench.Workspace) -> None:
    locked = bytearray(zipped({"a": b"x"}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.find(mark) + place] |= 1
    put(ws, "locked.zip", bytes(locked))
    assert told(ws, "x:string", "'locked.zip'").startswith("KQL422")
    put(ws, "other.csv", bz2.compress(b"x"))  # no packing that is known: read as text, whatever it says
    assert len(ask(ws, "x:string", "'other.csv'")) >= 1


@pytest.mark.parametrize(
    "data",
    [
        b'"unclosed\n' + b"x" * 1000, b"\xff\xfe\xfd", b"\x00" * 100, b"a" * 2_000_000, b"," * 100_000,
        b'"a""b"c,1\n', b"\r\r\n\n", b'"' * 999, b"\xef\xbb\xbf", b"a\x00b,1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("format_", ["csv", "tsv", "txt", "raw", "json", "multijson", "parquet"])
def test_any_bytes_give_rows_or_a_coded_mistake(ws: workbench.Workspace, format_: str, data: bytes) -> None:
    put(ws, "any", data)
    try:
        found = ask(ws, "a:string, b:long", "'any'", f"format={format_}").columns
    except WorkbenchError as mistake:
        found = mistake.code
    assert found in (["a", "b"], "KQL422")


def test_half_a_surrogate_pair_is_no_text(ws: workbench.Workspace) -> None:
    put(ws, "s.json", b'{"a": "x\\ud800y", "b": ["\\ud800"]}')
    assert ask(ws, "a:string, b:dynamic", "'s.json'").frame.rows() == [("x?y", '["?"]')]


def test_rows_are_bounded(ws: workbench.Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_formats, "MOST_ROWS", 3)
    put(ws, "a.csv", b"1\n2\n")
    put(ws, "b.csv", b"1\n2\n3\n4\n")
    put(ws, "c.jsonl", b'{"x":1}\n' * 4)
    for places in ("'b.csv'", "'a.csv', 'a.csv'", "'c.jsonl'"):
        assert told(ws, "x:long", places).startswith("KQL422")


def test_an_unknown_format(ws: workbench.Workspace) -> None:
    put(ws, "a.csv", CSV)
    assert (
        told(ws, "x:string", "'a.csv'", "format='avro'")
        == "KQL424 at 1:46: externaldata does not read 'avro'"
    )
