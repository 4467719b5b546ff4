"""Exports: every row or an error, whole files, nothing that a spreadsheet runs, each record once since the last run."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

import workbench
from workbench.base import clock
from workbench.base.database import Database
from workbench.base.errors import WorkbenchError
from workbench.base.schedule import Schedule
from workbench.collect import exporting, exports
from workbench.collect.exports import Export, Exports
from workbench.collect.searches import Search, Searches

Make = Callable[..., Export]
KINDS = """print b=true, i=int(7), l=9007199254740993, r=1.5, n=real(nan), d=decimal(1.1000000000), s="=1+1", t="plain, \\"q\\"\\nline",
 at=datetime(2026-01-02T03:04:05.1234567Z), long_ago=datetime(1700-01-01), span=time(1.02:03:04), bag=dynamic({"a": [1, null]}), word=dynamic("-x"),
 id=guid(12345678-1234-1234-1234-123456789abc), nothing=int(null), ["@name"]="-3"
"""


@pytest.fixture
def opened(tmp_path: Path) -> Any:
    return workbench.open(str(tmp_path / "workspace"), create=True)


@pytest.fixture
def kept(opened: Any) -> Exports:
    state = Path(opened.path, "state")
    return Exports(Database.open(state), state)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def made(kept: Exports, out: Path, form: str = "csv", **more: Any) -> Export:
    return kept.create(Export(more.pop("name", "Out"), folder=str(out), form=form, **more))


def numbers(file: str | Path) -> list[int]:
    return sorted(json.loads(line)["N"] for line in Path(file).read_text().splitlines())


def test_csv_has_every_value_and_no_formula(opened: Any, kept: Exports, out: Path) -> None:
    made(kept, out, query=KINDS)
    done = kept.run("Out", opened.source)
    with open(done.file, newline="", encoding="utf-8") as file:
        names, values = list(csv.reader(file))
    assert dict(zip(names, values, strict=True)) == {
        "b": "true", "i": "7", "l": "9007199254740993", "r": "1.5", "n": "NaN", "d": "1.1000000000", "s": "'=1+1",
        "t": 'plain, "q"\nline', "at": "2026-01-02T03:04:05.1234567Z", "long_ago": "1700-01-01T00:00:00.0000000Z",
        "span": "1.02:03:04", "bag": '{"a":[1,null]}', "word": '"-x"', "id": "12345678-1234-1234-1234-123456789abc",
        "nothing": "", "'@name": "'-3",
    }  # fmt: skip


@pytest.mark.slow
def test_json_lines_keep_types_and_texts_as_they_are(opened: Any, kept: Exports, out: Path) -> None:
    made(kept, out, "jsonl", query=KINDS)
    row = json.loads(Path(kept.run("Out", opened.source).file).read_text())
    assert (row["s"], row["bag"], row["l"], row["n"]) == ("=1+1", {"a": [1, None]}, 9007199254740993, "NaN")
    assert (row["b"], row["nothing"], row["d"], row["word"]) == (True, None, "1.1000000000", "-x")


def test_parquet_is_the_frame(opened: Any, kept: Exports, out: Path) -> None:
    made(kept, out, "parquet", query=KINDS)
    found = pl.read_parquet(kept.run("Out", opened.source).file)
    assert found.equals(opened.query(KINDS).frame, null_equal=True)


def test_a_sheet_has_exact_numbers_days_and_no_formula(opened: Any, kept: Exports, out: Path) -> None:
    made(kept, out, "xlsx", query=KINDS)
    book = openpyxl.load_workbook(kept.run("Out", opened.source).file)
    names, values = book.active.iter_rows()
    row = {n.value: v for n, v in zip(names, values, strict=True)}
    assert (row["i"].value, row["l"].value, row["r"].value, row["b"].value) == (
        7,
        "9007199254740993",
        1.5,
        True,
    )
    assert (row["s"].value, row["s"].data_type, row["'@name"].value) == ("'=1+1", "s", "'-3")
    assert row["at"].value.isoformat(timespec="milliseconds") == "2026-01-02T03:04:05.123"
    assert (row["long_ago"].value, row["nothing"].value, row["n"].value) == (
        "1700-01-01T00:00:00.0000000Z",
        None,
        "NaN",
    )


def test_what_a_sheet_cannot_hold_is_an_error_and_no_file(opened: Any, kept: Exports, out: Path) -> None:
    made(kept, out, "xlsx", name="Rows", query="range x from 1 to 1048576 step 1")
    made(kept, out, "xlsx", name="Cell", query='print x=strcat_array(repeat("abcd", 10000), "")')
    for name, code in (("Rows", "SAV204"), ("Cell", "SAV205")):
        with pytest.raises(WorkbenchError, match=code):
            kept.run(name, opened.source)
        assert (kept.get(name).state, kept.get(name).file) != ("Succeeded", "")
    assert list(out.iterdir()) == []


def test_more_rows_than_a_result_shows_are_all_there(opened: Any, kept: Exports, out: Path) -> None:
    made(kept, out, "parquet", query="range x from 1 to 600000 step 1")
    done = kept.run("Out", opened.source)
    assert done.rows == pl.read_parquet(done.file).height == 600_000


def test_a_saved_search_is_asked_as_it_is_then(opened: Any, kept: Exports, out: Path) -> None:
    searches = Searches(Database.open(Path(opened.path, "state")))
    text = "declare query_parameters(n:long = 1); print N=n"
    searches.save(Search("S", text, parameters={"n": "5"}))
    made(kept, out, "jsonl", search="S")
    assert numbers(kept.run("Out", opened.source).file) == [5]
    searches.save(Search("S", "print N=7"))
    assert numbers(kept.run("Out", opened.source).file) == [7]
    searches.remove("S")
    with pytest.raises(WorkbenchError, match="SAV003"):
        kept.run("Out", opened.source)
    assert kept.get("Out").state == "Failed"


@pytest.mark.slow
def test_since_last_gives_each_record_once_late_ones_too(opened: Any, kept: Exports, out: Path) -> None:
    made(kept, out, "jsonl", query="App | where N < 100", since_last=True)
    opened.ingest("App", [{"TimeGenerated": "2026-01-02T00:00:00Z", "N": n} for n in (1, 2)])
    assert numbers(kept.run("Out", opened.source).file) == [1, 2]
    assert kept.run("Out", opened.source).rows == 0
    opened.ingest("App", [{"TimeGenerated": "2020-01-01T00:00:00Z", "N": n} for n in (3, 300)])
    opened.repository.compact("App")
    assert numbers(kept.run("Out", opened.source).file) == [3]
    opened.ingest("App", [{"N": 4}])
    (out / "in the way").write_text("")
    assert len({e.name for e in out.iterdir()}) == 4
    assert numbers(kept.run("Out", opened.source).file) == [4]


def test_a_run_that_fails_gives_its_records_to_the_next(opened: Any, kept: Exports, out: Path) -> None:
    made(kept, out, "xlsx", query="App | project N, Text", since_last=True)
    opened.ingest("App", [{"N": 1, "Text": "x" * 40_000}])
    with pytest.raises(WorkbenchError, match="SAV205"):
        kept.run("Out", opened.source)
    assert kept.get("Out").since == {}
    made(kept, out, "jsonl", name="Other", query="App | project N", since_last=True)
    assert kept.run("Other", opened.source).rows == 1


_KILLED = """
import os, signal, sys
from pathlib import Path
import workbench
from workbench.base.database import Database
from workbench.collect import exporting
from workbench.collect.exports import Exports

opened = workbench.open(sys.argv[1])
state = Path(opened.path, "state")
really = exporting.write

def write(*given):
    if sys.argv[2] == "after":
        really(*given)
    os.kill(os.getpid(), signal.SIGKILL)

exporting.write = write
Exports(Database.open(state), state).run("Out", opened.source)
"""


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_run_is_done_again_with_the_same_rows_under_the_same_name(
    when: str, opened: Any, kept: Exports, out: Path
) -> None:
    made(kept, out, "jsonl", query="App", since_last=True)
    opened.ingest("App", [{"N": n} for n in (1, 2)])
    died = subprocess.run([sys.executable, "-c", _KILLED, opened.path, when], check=False)
    assert died.returncode == -signal.SIGKILL
    opened.ingest("App", [{"N": 3}])
    files = [numbers(kept.run("Out", opened.source).file) for _ in range(3)]
    assert files == [[1, 2], [3], []]
    assert len(list(out.glob("Out_*"))) == 3


def test_due_exports_run_once_and_what_fails_is_told(opened: Any, kept: Exports, out: Path) -> None:
    told: list[tuple[str, str]] = []

    def tell(category: str, detail: str, *, status: str, key: str) -> None:
        told.append((status, key))

    with clock.frozen(0):
        made(kept, out, query="print 1", every="1h")
        made(kept, out, name="Bad", query="Nowhere", every="daily 00:30")
        made(kept, out, name="Hand", query="print 1")
        assert exports.run_due(kept, opened.source, tell) == 0
    with clock.frozen(3600 * 10_000_000):
        assert exports.run_due(kept, opened.source, tell) == 2
        assert exports.run_due(kept, opened.source, tell) == 0
        assert [(e.name, e.state, e.next_run) for e in kept.all()] == [
            ("Bad", "Failed", (24 * 3600 + 1800) * 1_000_000),
            ("Hand", "", 0),
            ("Out", "Succeeded", 7200 * 1_000_000),
        ]
    assert [status for status, _ in told] == ["Error", "Success"]


def test_what_cannot_be_exported(kept: Exports, out: Path, tmp_path: Path) -> None:
    made(kept, out, query="T")
    (tmp_path / "file").write_text("")
    for code, given in {
        "SAV004": {"query": "T"},
        "SAV201": {"name": "x"},
        "SAV202": {"name": "x", "query": "T", "form": "doc"},
        "SAV001": {"name": "x", "query": "T", "every": "soon"},
        "SAV003": {"name": "x", "search": "none"},
        "SAV203": {"name": "x", "query": "T", "out": tmp_path / "file" / "y"},
    }.items():
        more: dict[str, Any] = dict(given)
        with pytest.raises(WorkbenchError, match=code):
            made(kept, more.pop("out", out), **more)
    with pytest.raises(WorkbenchError, match="SAV003"):
        kept.remove("Ot")
    kept.remove("Out")
    assert kept.all() == []


def test_a_file_that_cannot_be_written_leaves_nothing(opened: Any, out: Path) -> None:
    out.mkdir()
    (out / "x.csv").mkdir()
    with pytest.raises(WorkbenchError, match="SAV203"):
        exporting.write(opened.query("print 1"), out / "x.csv", "csv")
    assert [p.name for p in out.iterdir()] == ["x.csv"]


@pytest.mark.parametrize("text", ["", "1", "0m", "m", "-1h", "daily 24:00", "daily 1:5", "400d", "1.5h"])
def test_what_is_no_schedule(text: str) -> None:
    with pytest.raises(WorkbenchError, match="SAV001"):
        Schedule.parse(text)


def test_a_schedule_is_due_behind_the_moment() -> None:
    hour = 3_600_000_000
    assert [Schedule.parse("1h").after(m) for m in (0, hour - 1, hour)] == [hour, hour, 2 * hour]
    daily = Schedule.parse("daily 06:30")
    assert [daily.after(m) / hour for m in (0, 6.5 * hour, 7 * hour)] == [6.5, 30.5, 30.5]
