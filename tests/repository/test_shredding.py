"""Shredded columns: what they hold, which files have them, and that nothing hangs on them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.base.json_values import dumps, loads
from workbench.repository import shredding
from workbench.repository.deltalog import DeltaLog
from workbench.repository.shredded import FOOTER_KEY, Description, Kind, Manifest, from_json, to_json
from workbench.repository.shredding import shred
from workbench.repository.tables import CompactResult, PathRead, Repository

ROOT = Path(__file__).parents[2]
DYNAMIC = {"D": ScalarType.DYNAMIC}
KEYS = st.sampled_from(["a", "A", "b", "n", "it's", "x.y", "é", ""])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**65), 2**65),
    st.integers(0, 3),
    st.floats(),
    st.text(max_size=4),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)


@st.composite
def texts(draw: st.DrawFn) -> str | None:
    way = draw(st.integers(0, 9))
    if way == 0:
        return draw(st.sampled_from([None, "", "plain", "[1]", '{"a":"x"', '{"a":"\\ud800"}', '{"a":NaN}']))
    text = json.dumps(draw(st.dictionaries(KEYS, VALUES, max_size=4)), ensure_ascii=way < 5)
    return '{"a":{"b":"twice"},' + text[1:] if way == 1 and len(text) > 2 else text


def at(text: str | None, keys: tuple[str, ...]) -> str | None:
    """The value at a path as compact JSON: what a shredded column has to agree with."""
    value = loads(text) if text else None
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return dumps(value)


def held(frame: pl.DataFrame, description: Description, keys: tuple[str, ...]) -> list[str | None]:
    """The same, from where the description says that it lies."""
    place = description.place("D", keys)
    if place.kind is Kind.NULL:
        return [None] * frame.height
    cells = frame[place.stored].to_list()
    if place.kind in (Kind.REST, Kind.TEXT):
        return [at(c, keys) for c in cells]
    return cells if place.kind is Kind.JSON else [dumps(c) for c in cells]


def paths() -> Iterator[tuple[str, ...]]:
    names = ["a", "A", "b", "n", "x.y", ""]
    for one in names:
        yield (one,)
        yield from ((one, two) for two in names)
    yield ("a", "b", "n")


@settings(max_examples=150, deadline=None)
@given(st.lists(texts(), min_size=1, max_size=10), st.integers(1, 4), st.integers(1, 4))
@example(['{"a":1}', '{"a":{"b":2}}', '{"a":1,"a":"x"}', '{"n":{"a":1}}', '{"n":[{"a":1}]}'], 4, 1)
@example(['{"a":1}'] * 3 + ['{"a":true}', '{"a":18446744073709551616}'], 2, 2)
def test_every_path_is_what_the_text_has(rows: list[str | None], chunk: int, most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shredding, "_CHUNK", chunk)
        patch.setattr(shredding, "_MOST", most)
        patch.setattr(shredding, "_SAMPLE", 2)  # some rows are not as those that the choice was made by
        patch.setattr(shredding, "_REST_SHARE", 1.0)
        patch.setattr(shredding, "_REST_LIMIT", 9.0)
        frame, found = shred(pl.DataFrame({"D": rows}, schema={"D": pl.String}), ["D"])
    description = from_json(json.loads(json.dumps(to_json(found))))["D"]
    assert description == found["D"]
    assert [n.lower() for n in frame.columns] == list(dict.fromkeys(n.lower() for n in frame.columns))
    assert description.columns() == frame.columns[1:]
    for keys in paths():
        assert held(frame, description, keys) == [at(r, keys) for r in rows], (keys, description)


def test_what_is_chosen() -> None:
    rows = [
        {"s": "x", "n": i, "b": True, "r": 0.5, "mixed": i if i % 2 else "t", "list": [i], "in": {"deep": "y"},
         "long": "z" * 3000, **({"rare": "r"} if i == 7 else {}), **({"seldom": "w" * 900} if i < 3 else {})}
        for i in range(100)
    ]  # fmt: skip
    frame, found = shred(pl.DataFrame({"D": [json.dumps(r) for r in rows]}), ["D"])
    kinds = {".".join(k): p.kind.value for k, p in found["D"].paths.items()}
    assert kinds == {"s": "string", "n": "long", "b": "bool", "r": "real", "mixed": "json", "list": "json", "in.deep": "string",
                     "seldom": "string"}  # fmt: skip
    assert found["D"].text == {("long",)}
    assert found["D"].rest == "D.*"
    assert frame["D.*"].drop_nulls().to_list() == ['{"rare":"r"}']
    assert frame["D"].to_list() == [json.dumps(r) for r in rows]


def test_keys_of_ids_are_not_stored_twice() -> None:
    rows = [json.dumps({f"id-{i}": "value"}) for i in range(1000)]
    frame, found = shred(pl.DataFrame({"D": rows}), ["D"])
    assert frame.columns == ["D"]
    assert found["D"].place("D", ("id-1",)).kind is Kind.TEXT


def test_json_deeper_than_the_reader_goes() -> None:
    deep = '{"a":' * 100_000 + "1" + "}" * 100_000
    frame, found = shred(pl.DataFrame({"D": [deep, '{"a":1}']}), ["D"])
    assert frame.columns == ["D"]
    assert found["D"].place("D", ("a",)).kind is Kind.TEXT


# ---- files ----------------------------------------------------------------------------------


def fill(repository: Repository, count: int = 3, value: Any = "x") -> None:
    rows = [json.dumps({"a": value, "n": {"i": i}, "Key": 1, "key": "2"}) for i in range(count)]
    repository.append("T", pl.DataFrame({"D": rows, "E": list(range(count))}), DYNAMIC)


def read(repository: Repository, *keys: str) -> list[tuple[str, Any]]:
    """The kind of each place that is read for a path, and the values of the rows."""
    kinds: list[str] = []

    def build(column: pl.Expr, kind: Kind) -> pl.Expr:
        kinds.append(kind.value)
        if kind in (Kind.REST, Kind.TEXT):
            return column.map_elements(lambda t: at(t, keys), return_dtype=pl.String)
        return column.cast(pl.String)

    scan = repository.scan("T", ["E"], paths=[PathRead("path", "D", keys, build)])
    values = scan.lazy.collect()
    parts = pl.concat([g.collect() for g in scan.groups(1)]) if scan.files else values
    assert sorted(parts.rows(), key=repr) == sorted(values.rows(), key=repr)
    assert scan.part(range(scan.files_read)).collect().height == values.height
    return [*((k, None) for k in sorted(set(kinds))), *(("", v) for v in values["path"].to_list())]


def test_a_lone_file_is_shredded_once(repository: Repository) -> None:
    fill(repository)
    assert read(repository, "a")[0][0] == "text"
    result = repository.compact("T")
    assert (result.files_before, result.files_after, result.rows) == (1, 1, 3)
    assert repository.compact("T") == CompactResult()
    assert read(repository, "a") == [("string", None), ("", "x"), ("", "x"), ("", "x")]
    assert read(repository, "Key")[0][0] == "long"
    assert read(repository, "key")[0][0] == "string"
    assert read(repository, "none") == [("null", None), ("", None), ("", None), ("", None)]
    assert repository.is_shredded("T", "D", ("n", "i"))
    assert not repository.is_shredded("T", "D", ("n",))
    assert not repository.is_shredded("T", "E", ("a",))
    fill(repository, value=5)
    assert {k for k, _ in read(repository, "a")} == {"", "string", "text"}
    repository.compact("T")
    assert read(repository, "a")[0][0] == "json"
    assert repository.compact("T") == CompactResult()


def test_tables_without_dynamic_columns_are_left_alone(repository: Repository) -> None:
    repository.append("T", pl.DataFrame({"E": [1]}))
    assert repository.compact("T").files_before == 0
    assert not Path(repository.path, "tables", "T", "_shredded.json").exists()
    fill(repository)
    repository.append("T", pl.DataFrame({"E": [2]}))
    repository.compact("T")
    assert repository.compact("T") == CompactResult()
    assert sorted(read(repository, "n", "i")[1:], key=repr)[:3] == [("", "0"), ("", "1"), ("", "2")]


@pytest.mark.parametrize("damage", ["absent", "no JSON", "another format", "no such kind", "another size"])
def test_without_its_manifest_a_table_is_read_as_text_and_told_anew(
    damage: str, repository: Repository
) -> None:
    fill(repository)
    repository.compact("T")
    place = Path(repository.path, "tables", "T", "_shredded.json")
    content = json.loads(place.read_bytes())
    if damage == "absent":
        place.unlink()
    elif damage == "no JSON":
        place.write_text("{")
    elif damage == "another format":
        place.write_text(json.dumps({**content, "format": 2}))
    elif damage == "no such kind":
        place.write_text(json.dumps(content).replace('"long"', '"short"'))
    else:
        content["files"] = {path: [size + 1, number] for path, (size, number) in content["files"].items()}
        place.write_text(json.dumps(content))
    assert read(repository, "a") == [("text", None), *[("", '"x"')] * 3]
    assert repository.is_shredded("T", "D", ("a",)) is (damage == "another size")
    files = repository.scan("T").files
    assert repository.compact("T") == CompactResult()
    assert repository.scan("T").files == files
    assert read(repository, "a")[0][0] == "string"


def test_the_manifest_forgets_files_that_are_gone(repository: Repository) -> None:
    for _ in range(3):
        fill(repository)
        repository.compact("T")
    content = json.loads(Path(repository.path, "tables", "T", "_shredded.json").read_bytes())
    names = [f.split("/tables/T/")[1] for f in repository.scan("T").files]
    # Those that were replaced just now are still read by scans that began before.
    assert len(content["files"]) == 2
    assert set(names) < set(content["files"])
    repository.vacuum("T", 0)
    assert read(repository, "a")[0][0] == "string"


def test_a_column_that_nobody_knows_stops_compaction(repository: Repository) -> None:
    fill(repository)
    fill(repository)
    file = repository.scan("T").files[0]
    told = pyarrow.parquet.read_metadata(file).metadata
    assert FOOTER_KEY.encode() not in told
    pl.read_parquet(file, hive_partitioning=False).with_columns(pl.lit(1).alias("D.a")).write_parquet(file)
    with pytest.raises(WorkbenchError) as caught:
        repository.compact("T")
    assert caught.value.code == "REP004"


def test_other_readers_of_delta_see_the_table_as_before(repository: Repository) -> None:
    from deltalake import DeltaTable

    fill(repository)
    repository.compact("T")
    fill(repository, value=1)
    folder = f"{repository.path}/tables/T"
    expected = sorted(repository.scan("T", ["E", "D"]).lazy.collect().rows())
    table = DeltaTable(folder)
    assert not [f.name for f in table.schema().fields if "." in f.name]
    arrow: Any = table.to_pyarrow_table(columns=["E", "D"])
    assert sorted(zip(*arrow.to_pydict().values(), strict=True)) == expected
    lazy = pl.scan_delta(folder)
    assert "D.a" not in lazy.collect_schema()
    assert sorted(lazy.select("E", "D").collect().rows()) == expected
    duckdb = pytest.importorskip("duckdb")
    files = repository.scan("T").files
    assert sorted(duckdb.execute("SELECT E, D FROM read_parquet(?)", [files]).fetchall()) == expected


def values(repository: Repository) -> list[Any]:
    found = [v for k, v in read(repository, "a") if not k]
    # As JSON text where they came out of JSON text or a column of it.
    return sorted(json.loads(v) if v.startswith('"') else v for v in found)


KILLED = """
    import os, signal, sys
    from workbench.repository import compaction, deltalog, shredded
    from workbench.repository.tables import Repository

    path, step = sys.argv[1:]

    def die(*arguments, **named):
        os.kill(os.getpid(), signal.SIGKILL)

    if step == "columns":
        compaction.write_file = die
    elif step == "manifest":
        shredded.Manifests.put = die
    elif step == "commit":
        deltalog.DeltaLog.commit = die
    elif step == "committed":
        deltalog.sync = die
    Repository.open(path).compact("T")
"""


@pytest.mark.slow
@pytest.mark.parametrize("step", ["columns", "manifest", "commit", "committed"])
def test_a_kill_during_compaction_changes_no_value(step: str, repository: Repository) -> None:
    fill(repository)
    fill(repository, value=2)
    expected = values(repository)
    code = [sys.executable, "-c", textwrap.dedent(KILLED), repository.path, step]
    assert subprocess.run(code, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    again = Repository.open(repository.path)
    assert values(again) == expected
    again.compact("T")
    assert again.compact("T") == CompactResult()
    assert read(again, "a")[0][0] == "json"
    assert values(again) == expected
    assert os.path.exists(f"{again.path}/tables/T/_shredded.json")


def test_a_commit_that_is_refused_leaves_the_old_files(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workbench.repository.deltalog import Conflict

    def refuse(*arguments: Any, **named: Any) -> None:
        raise Conflict("another one came first")

    fill(repository)
    with monkeypatch.context() as patch:
        patch.setattr(DeltaLog, "commit", refuse)
        assert repository.compact("T").files_after == 0
    assert read(repository, "a")[0][0] == "text"
    repository.compact("T")
    assert read(repository, "a")[0][0] == "string"


def test_the_manifest_has_each_description_once() -> None:
    content = {"D": {"paths": [["a", "long", "D.a"]], "text": [], "rest": ""}}
    manifest = Manifest({f"f{i}": (1, from_json(content)) for i in range(3)})
    assert len(json.loads(manifest.dumped())["layouts"]) == 1
