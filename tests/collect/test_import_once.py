"""The same source is stored once: again, after a kill, from standard input, beside others."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.collect import importing
from workbench.collect.formats import _lines
from workbench.collect.importing import import_source
from workbench.repository.tables import Repository

Table = Callable[..., list[dict[str, Any]]]
Count = Callable[[str], int]


def _lines_of(count: int, width: int = 20) -> bytes:
    """Records, and every hundredth line broken."""
    rows = [
        "{broken" if i % 100 == 99 else json.dumps({"n": i, "even": i % 2 == 0, "pad": "x" * width})
        for i in range(count)
    ]
    return ("\n".join(rows) + "\n").encode()


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks and chunks so small that a small file has many."""
    monkeypatch.setattr(importing, "CHUNK_BYTES", 4_000)
    monkeypatch.setattr(_lines, "BLOCK_BYTES", 1_000)
    monkeypatch.setattr(_lines.cut, "__defaults__", (1_000, 16 << 20))


@pytest.mark.slow
def test_again(repository: Repository, tmp_path: Path, count: Count) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(_lines_of(1_000))
    first = import_source(repository, path, table="App")
    assert (first.stored, first.quarantined, first.skipped) == ({"App": 990}, 10, 0)
    copy = tmp_path / "copy.json"
    copy.write_bytes(path.read_bytes())
    for same in (path, copy):
        summary = import_source(repository, same, table="App")
        assert (summary.stored, summary.quarantined, summary.skipped, summary.lines) == (
            {"App": 0},
            0,
            1_000,
            1_000,
        )
    assert import_source(repository, path, table="Other").stored == {"Other": 990}
    again = import_source(repository, path, table="App", again=True)
    assert (again.stored, again.quarantined) == ({"App": 990}, 10)
    assert (count("App"), count("_Quarantine")) == (1_980, 30)


def test_without_the_note_the_tables_know(repository: Repository, tmp_path: Path, count: Count) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(_lines_of(1_000))
    import_source(repository, path, table="App")
    notes = list((Path(repository.path) / "state" / "imports").glob("*.json"))
    assert len(notes) == 1
    notes[0].unlink()
    summary = import_source(repository, path, table="App")
    assert (summary.stored, summary.quarantined, summary.skipped) == ({"App": 0}, 0, 1_000)
    assert (count("App"), count("_Quarantine")) == (990, 10)


def test_a_note_without_the_rows_is_not_believed(
    repository: Repository, tmp_path: Path, count: Count
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(_lines_of(1_000))
    import_source(repository, path, table="App")
    other = Repository.open(str(tmp_path / "other"), create=True)
    os.rename(Path(repository.path) / "state" / "imports", Path(other.path) / "state" / "imports")
    assert import_source(other, path, table="App").stored == {"App": 990}


@pytest.mark.slow
@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("stop", [1, 2, 5, 8])
def test_stopped_between_two_commits(
    repository: Repository, tmp_path: Path, table: Table, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    """Every commit of an import in turn is the last; the next run stores exactly what is missing."""
    path, mapping = tmp_path / "a.json", tmp_path / "m.yaml"
    path.write_bytes(_lines_of(600))
    mapping.write_text(
        "tables: [{table: Even, where: {field: even, equals: true}, rest: R, columns: {n: {field: n, type: long}}},"
        " {table: Odd, columns: {n: {field: n, type: long}}, rest: R}]"
    )
    real, commits = Repository.append, 0

    def dying(self: Repository, *given: Any, **named: Any) -> Any:
        nonlocal commits
        commits += 1
        if commits > stop:
            raise KeyboardInterrupt
        return real(self, *given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(Repository, "append", dying)
        with pytest.raises(KeyboardInterrupt):
            import_source(repository, path, mapping=mapping)
    before = len(table("Even")) + len(table("Odd")) + len(table("_Quarantine"))
    summary = import_source(repository, path, mapping=mapping)
    assert summary.lines == 600
    assert summary.skipped == before
    assert sum(summary.stored.values()) + summary.quarantined == 600 - before
    found = sorted(r["n"] for name in ("Even", "Odd") for r in table(name))
    assert found == [i for i in range(600) if i % 100 != 99]
    assert [r["Line"] for r in table("_Quarantine")] == [100, 200, 300, 400, 500, 600]


@pytest.mark.usefixtures("small_chunks")
def test_types_that_change_between_chunks(repository: Repository, tmp_path: Path, table: Table) -> None:
    path = tmp_path / "a.json"
    values = [*range(300), *(f"t{i}" for i in range(300)), *(i + 0.5 for i in range(300)), *range(300)]
    path.write_text("".join(json.dumps({"v": v, "V": 1}) + "\n" for v in values))
    import_source(repository, path, table="App")
    rows = table("App")
    assert [r["v"] for r in rows if r["v"] is not None] == [v for v in values if not isinstance(v, str)]
    assert [r["v_s"] for r in rows if r["v_s"]] == [v for v in values if isinstance(v, str)]
    assert sum(r["V"] for r in rows) == 1_200


def test_standard_input(
    repository: Repository, tmp_path: Path, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = _lines_of(1_000)
    seen: list[tuple[int, int | None]] = []
    for stored in (990, 0):
        seen.clear()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        summary = import_source(repository, "-", table="App", progress=lambda *at: seen.append(at))
        assert (summary.file, summary.stored) == ("stdin", {"App": stored})
        assert (seen[0][1], seen[-1]) == (None, (len(content), len(content)))
    path = tmp_path / "same.json"
    path.write_bytes(content)
    assert import_source(repository, path, table="App").skipped == 1_000
    assert count("App") == 990
    left = [p.name for p in (Path(repository.path) / "state" / "imports").iterdir() if p.suffix != ".json"]
    assert left == []


def test_a_pipe(repository: Repository, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["sh", "-c", f"printf '{{\"n\": 1}}\\n' > {pipe}"]) as writer:
        assert import_source(repository, pipe, table="App", format="jsonl").stored == {"App": 1}
        assert writer.wait() == 0


_CHILD = """
import sys
from workbench.collect.importing import import_source
from workbench.repository.tables import Repository
import_source(Repository.open(sys.argv[1], create=True), sys.argv[2], table="App")
"""


@pytest.mark.slow
@pytest.mark.parametrize("files", [1, 3])
def test_killed_and_run_again(tmp_path: Path, files: int) -> None:
    """`kill -9` once at least `files` data files are there; the next run makes it exact."""
    path, workspace = tmp_path / "big.json", tmp_path / "ws"
    path.write_bytes(_lines_of(300_000, width=400))
    child = subprocess.Popen([sys.executable, "-c", _CHILD, str(workspace), str(path)])
    deadline = time.monotonic() + 120
    while len(list(workspace.glob("tables/App/**/*.parquet"))) < files:
        assert child.poll() is None, "the import was through before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    child.send_signal(signal.SIGKILL)
    child.wait()
    repository = Repository.open(str(workspace))
    summary = import_source(repository, path, table="App")
    assert summary.lines == 300_000
    numbers = repository.scan("App", ["n"]).lazy.collect()["n"].sort().to_list()
    assert numbers == [i for i in range(300_000) if i % 100 != 99]
    lines = repository.scan("_Quarantine", ["Line"]).lazy.collect()["Line"].sort().to_list()
    assert lines == list(range(100, 300_001, 100))


@pytest.mark.slow
def test_several_processes_store_what_one_does(tmp_path: Path) -> None:
    lines = [b'{"A": %d, "B": "x"}' % i if i % 7 else b"broken %d" % i for i in range(200_000)]
    file = tmp_path / "many.jsonl"
    file.write_bytes(b"\n".join(lines) + b"\n")
    found = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importing, "LARGE", 1)
        for processes in (1, 2):
            repository = Repository.open(str(tmp_path / str(processes)), create=True)
            summary = import_source(repository, file, table="App", processes=processes)
            rows = repository.scan("App", ["A", "B"]).lazy.collect().sort("A")
            refused = repository.scan("_Quarantine", ["Line", "Original", "Code"]).lazy.collect().sort("Line")
            found.append((summary.stored, summary.quarantined, rows.rows(), refused.rows()))
    assert found[0] == found[1]
    assert found[0][1] == 28572


def test_usage_counts_what_was_imported_once(
    repository: Repository, tmp_path: Path, table: Callable[..., list[dict[str, Any]]]
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": 2}\nbroken\n')
    for again in (False, False, True):
        import_source(repository, path, table="App", again=again)
    told = table("Usage", "DataType", "Records", "Quantity", "QuantityUnit", "IsBillable")
    once = {"DataType": "App", "Records": 2, "Quantity": 25e-6, "QuantityUnit": "MBytes", "IsBillable": False}
    assert told == [once, once]
    rows = table("Usage", "StartTime", "EndTime", "TimeGenerated")
    assert all(row["StartTime"] <= row["EndTime"] == row["TimeGenerated"] for row in rows)
