"""The term index on disk: complete or ignored, whatever happens to it; files that it does not know are read."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
import xxhash

from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.base.terms import NOTHING, Terms, all_of, any_of
from workbench.repository import term_index, terms
from workbench.repository.tables import CompactResult, Repository
from workbench.repository.terms import hash_of, hashes_of_file, read_sidecar

ROOT = Path(__file__).resolve().parents[2]
At = Callable[..., dt.datetime]


def fill(repository: Repository, at: At, texts: list[str], first_day: int = 0) -> None:
    for number, text in enumerate(texts, start=first_day):
        frame = pl.DataFrame({"TimeGenerated": [at(24 * number)], "A": [text]})
        repository.append("T", frame)


def folder(repository: Repository) -> Path:
    return Path(repository.path, "tables", "T", "_terms")


def read(repository: Repository, wanted: Terms) -> list[str]:
    """The texts of the files that are read for a condition."""
    found = repository.scan("T", ["A"], terms=wanted).lazy.collect()["A"].to_list()
    return sorted(found)


@pytest.fixture
def indexed(repository: Repository, at: At) -> Repository:
    fill(repository, at, ["one", "two", "three", "two three"])
    repository.compact("T")
    return repository


# ---- terms of a file ------------------------------------------------------------------------


def terms_of(tmp_path: Path, texts: list[str | None], *, is_json: bool = False) -> Callable[[str], bool]:
    path = str(tmp_path / "file.parquet")
    pl.DataFrame({"t": pl.Series(texts, dtype=pl.String), "n": range(len(texts))}).write_parquet(path)
    hashes = hashes_of_file(path, {"t": is_json, "absent": True})
    assert hashes.to_list() == sorted(set(hashes))
    return lambda term: hash_of(term) in set(hashes)


def test_a_hash_is_the_upper_part_of_a_known_function() -> None:
    assert hash_of("error") == xxhash.xxh64(b"error", seed=0).intdigest() // 2**24 == 0xD6F35DD608


def test_terms_are_runs_of_letters_and_digits_in_lower_case(tmp_path: Path) -> None:
    has = terms_of(tmp_path, ["Foo_bar-7,8x", "", None, "naïve"])
    assert all(map(has, ["foo", "bar", "7", "8x", "na", "ve"]))
    assert not any(map(has, ["Foo", "foo_bar", "foobar", "x", "naive"]))


@pytest.mark.parametrize(
    ("text", "there", "absent"),
    [
        ('{"a":"x\\nfoo"}', ["a", "x", "nfoo", "foo"], ["oo"]),
        ('{"a":"C:\\\\temp\\\\new"}', ["c", "temp", "new"], []),
        ('{"a":"\\u0066oo\\u000abar"}', ["foo", "bar", "nbar"], []),
        ('{"a":"\\u212aelvin"}', ["kelvin"], []),
        ('{"a":1.50,"b":1e3,"c":-7}', ["50", "5", "1000", "7"], []),
        ('{"a":12345678901234567890123}', ["12345678901234567890123", "2345678901234568e", "22"], []),
        ('{"a":4625,"b":0.25}', ["4625", "0", "25"], ["250"]),
        ("no json \\u0066oo", ["no", "json", "u0066oo"], []),
    ],
)
def test_terms_of_json_are_those_of_the_text_and_of_its_values(
    text: str, there: list[str], absent: list[str], tmp_path: Path
) -> None:
    has = terms_of(tmp_path, [text], is_json=True)
    assert [t for t in there if not has(t)] == []
    assert [t for t in absent if has(t)] == []


def test_text_that_looks_like_json_is_read_as_json_too(tmp_path: Path) -> None:
    has = terms_of(tmp_path, [' {"a":"\\u0066oo"}', "\\u0062ar"])
    assert has("foo")
    assert not has("bar")


def test_letters_that_are_equal_in_any_case_are_one(tmp_path: Path) -> None:
    has = terms_of(tmp_path, ["ta\u017fk", "\u212ait", "\u0130d"])
    assert all(map(has, ["task", "kit", "id", "d"]))


@pytest.mark.slow
def test_large_files_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str | None] = [f"w{i} x{i % 7}" for i in range(5000)]
    whole = terms_of(tmp_path, texts)
    monkeypatch.setattr(terms, "_CHUNK_BYTES", 9_000)
    monkeypatch.setattr(terms, "_PIECE_BYTES", 1_000)
    pieces = terms_of(tmp_path, texts)
    words = [*(f"w{i}" for i in range(5000)), *(f"x{i}" for i in range(7))]
    assert all(map(whole, words))
    assert all(map(pieces, words))


# ---- looking up -------------------------------------------------------------------------------


def test_a_rare_word_reads_one_file(indexed: Repository) -> None:
    scan = indexed.scan("T", ["A"], terms="one")
    assert (scan.files_read, scan.files_total) == (1, 4)
    assert (scan.dropped_by_time, scan.dropped_by_terms) == (0, 3)
    assert scan.lazy.collect()["A"].to_list() == ["one"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (all_of(["two", "three"]), ["two three"]),
        (any_of(["one", "three"]), ["one", "three", "two three"]),
        (any_of([all_of(["two", "three"]), "one"]), ["one", "two three"]),
        (all_of([any_of(["one", "two"]), "three"]), ["two three"]),
        ("four", []),
        (NOTHING, []),
    ],
)
def test_conditions_are_answered(wanted: Terms, found: list[str], indexed: Repository) -> None:
    assert read(indexed, wanted) == found


def test_time_and_terms_drop_files_together(indexed: Repository, at: At) -> None:
    start = int(at(24).timestamp()) * 1_000_000
    scan = indexed.scan("T", ["A"], (start, None), terms="three")
    assert (scan.files_read, scan.dropped_by_time, scan.dropped_by_terms) == (2, 1, 1)


def test_hashes_that_reach_over_row_groups_are_found_everywhere(
    repository: Repository, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(term_index, "ROW_GROUP_HASHES", 3)
    monkeypatch.setattr(term_index, "_PAIRS_AT_ONCE", 7)
    monkeypatch.setattr(terms, "ROW_GROUP_HASHES", 1)
    chance = random.Random(5)
    words = [f"w{i}" for i in range(12)]
    texts = [" ".join(["all", f"own{n}", *chance.sample(words, 4)]) for n in range(11)]
    fill(repository, at, texts)
    repository.compact("T")
    assert pq.read_metadata(folder(repository) / "table.index").num_row_groups > 10
    monkeypatch.setattr(term_index, "_REMEMBERED", 5)
    # Twice: what was looked up is remembered, as far as there is room.
    for word in ["all", "none", "all", *words, *(f"own{n}" for n in range(11)), *words[:2]]:
        assert read(repository, word) == sorted(t for t in texts if word in t.split())


# ---- making -----------------------------------------------------------------------------------


def test_compaction_indexes_files_that_stay_and_then_has_nothing_to_do(
    repository: Repository, at: At
) -> None:
    fill(repository, at, ["one", "two"])
    result = repository.compact("T")
    assert (result.files_after, result.files_indexed) == (0, 2)
    assert result.terms_indexed >= 2
    stamp = os.stat(folder(repository) / "table.index").st_mtime_ns
    assert repository.compact("T") == CompactResult()
    assert os.stat(folder(repository) / "table.index").st_mtime_ns == stamp


def test_files_without_an_index_are_read_and_get_one(indexed: Repository, at: At) -> None:
    fill(indexed, at, ["four"], first_day=9)
    assert read(indexed, "one") == ["four", "one"]
    assert indexed.compact("T").files_indexed == 1
    assert read(indexed, "one") == ["one"]
    assert read(indexed, "four") == ["four"]


def test_columns_that_came_later_are_indexed_too(indexed: Repository, at: At) -> None:
    indexed.append("T", pl.DataFrame({"TimeGenerated": [at(24 * 9)], "B": ["beta"]}))
    assert indexed.compact("T").files_indexed == 1
    assert [s.files_read for t in ("beta", "one", "none") if (s := indexed.scan("T", terms=t))] == [1, 1, 0]


def test_tables_without_text_or_rows_have_an_index_too(repository: Repository) -> None:
    repository.append("T", pl.DataFrame({"N": [1]}))
    assert repository.compact("T").terms_indexed == 0
    assert repository.scan("T", terms="one").files_read == 0
    repository.append("U", pl.DataFrame())
    assert repository.compact("U") == CompactResult()
    assert repository.append("U", pl.DataFrame({"N": [1]})).stored == 1


def test_an_open_repository_sees_a_new_index(indexed: Repository, at: At) -> None:
    reader = Repository.open(indexed.path)
    assert read(reader, "one") == ["one"]
    fill(indexed, at, ["four"], first_day=9)
    assert read(reader, "one") == ["four", "one"]
    indexed.compact("T")
    assert read(reader, "one") == ["one"]


def test_joined_files_are_indexed_and_the_index_of_the_old_ones_counts_no_more(
    indexed: Repository, at: At
) -> None:
    indexed.append("T", pl.DataFrame({"TimeGenerated": [at(1)], "A": ["late"]}))
    assert indexed.compact("T").files_after == 1
    assert read(indexed, "late") == ["late", "one"]
    assert read(indexed, "two") == ["two", "two three"]


def test_every_column_of_text_is_indexed(repository: Repository) -> None:
    frame = pl.DataFrame(
        {
            "A": ["alpha"],
            "D": ['{"x":"beta"}'],
            "G": ["d3b07384-d113-edec-49ea-a6238ad5ff00"],
            "C": ["1234.5"],
        }
    )
    types = {"D": ScalarType.DYNAMIC, "G": ScalarType.GUID, "C": ScalarType.DECIMAL}
    repository.append("T", frame, types, batch_id="batch7")
    repository.compact("T")
    for term in ("alpha", "beta", "x", "d3b07384", "batch7"):
        assert repository.scan("T", terms=term).files_read == 1
    assert repository.scan("T", terms="1234").files_read == 0


def test_a_data_file_that_cannot_be_read_is_told_and_the_others_are_indexed(
    repository: Repository, at: At
) -> None:
    fill(repository, at, ["one", "two", "three"])
    broken = Path(repository.scan("T").files[1])
    broken.write_bytes(b"x" * broken.stat().st_size)
    with pytest.raises(WorkbenchError, match="REP004"):
        repository.compact("T")
    scan = repository.scan("T", terms="one")
    assert scan.files_read == 2
    assert str(broken) in scan.files


# ---- damage -----------------------------------------------------------------------------------


def test_without_any_index_everything_is_read(repository: Repository, at: At) -> None:
    fill(repository, at, ["one", "two"])
    assert read(repository, "one") == ["one", "two"]
    assert read(repository, NOTHING) == ["one", "two"]


def test_a_sidecar_counts_only_when_it_is_complete(indexed: Repository) -> None:
    for file in folder(indexed).glob("*.terms"):
        whole = file.read_bytes()
        told = read_sidecar(file)
        assert told is not None
        for length in range(0, len(whole), 7):
            file.write_bytes(whole[:length])
            assert read_sidecar(file) is None
        file.write_bytes(whole)
        assert read_sidecar(file) == told


def test_a_sidecar_that_is_gone_or_cut_is_made_again(indexed: Repository) -> None:
    first, second, *_ = sorted(folder(indexed).glob("*.terms"))
    first.unlink()
    second.write_bytes(second.read_bytes()[:-9])
    assert read(indexed, "one") == ["one"]  # the merged index has them still
    assert indexed.compact("T").files_indexed == 2
    (folder(indexed) / "table.index").unlink()
    assert indexed.compact("T").files_indexed == 0
    assert read(indexed, "one") == ["one"]


def test_a_sidecar_with_damaged_pages_is_left_out_and_made_again(indexed: Repository) -> None:
    victim = next(
        f for f in folder(indexed).glob("*.terms") if (s := read_sidecar(f)) and "2024-01-01" in s.path
    )
    raw = bytearray(victim.read_bytes())
    column = pq.read_metadata(victim).row_group(0).column(0)
    raw[column.data_page_offset + column.total_compressed_size - 2] ^= 0xFF
    victim.write_bytes(raw)
    assert read_sidecar(victim) is not None
    (folder(indexed) / "table.index").unlink()
    indexed.compact("T")
    assert read(indexed, "two") == ["one", "two", "two three"]
    assert indexed.compact("T").files_indexed == 1
    assert read(indexed, "two") == ["two", "two three"]


def test_a_damaged_index_gives_no_wrong_answer(indexed: Repository) -> None:
    place = folder(indexed) / "table.index"
    whole = place.read_bytes()
    texts = ["one", "two", "three", "two three"]
    chance = random.Random(7)
    for at in [*range(0, len(whole), 23), len(whole) - 1]:
        damaged = bytearray(whole)
        damaged[at] ^= 1 << chance.randrange(8)
        place.write_bytes(damaged if at % 2 else damaged[:at])
        for word in ("one", "three", "none"):
            found = set(read(indexed, word))
            assert found >= {t for t in texts if word in t.split()}, (at, word)
    place.write_bytes(whole)
    assert read(indexed, "one") == ["one"]


def test_an_index_of_other_rules_counts_for_nothing(
    indexed: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terms, "RULES", 2)
    assert len(read(Repository.open(indexed.path), "one")) == 4
    assert indexed.compact("T").files_indexed == 4
    assert read(indexed, "one") == ["one"]


def test_vacuum_deletes_what_no_data_file_has(indexed: Repository, at: At) -> None:
    indexed.append("T", pl.DataFrame({"TimeGenerated": [at(1)], "A": ["late"]}))
    indexed.compact("T")
    (folder(indexed) / ".part-0.parquet.terms.1f").write_bytes(b"PAR1")
    (folder(indexed) / "part-1.parquet.terms").write_bytes(b"PAR1")
    assert len(list(folder(indexed).iterdir())) == 8
    result = indexed.vacuum("T", 0)
    assert (result.files, result.index_files) == (2, 3)
    assert len(list(folder(indexed).glob("*.terms"))) == 4
    assert read(indexed, "late") == ["late", "one"]
    assert indexed.vacuum("T", 0).index_files == 0


def test_retention_and_the_index_agree(indexed: Repository, at: At) -> None:
    from workbench.base import clock

    with clock.frozen(int(at(24 * 3).timestamp()) * 10_000_000):
        indexed.retain("T", 1)
    assert read(indexed, "three") == ["three", "two three"]
    assert read(indexed, "one") == []
    indexed.compact("T")
    assert read(indexed, "three") == ["three", "two three"]


KILLED = """
    import os, signal, sys
    from workbench.repository import term_index, terms
    from workbench.repository.tables import Repository

    path, step, number = sys.argv[1:]
    left = int(number)

    def deadly(function):
        def called(*arguments, **named):
            global left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
            return function(*arguments, **named)
        return called

    if step == "writing":
        terms.signed = deadly(terms.signed)
    elif step == "merging":
        term_index.signed = deadly(term_index.signed)
    elif step == "written":
        terms.sync = deadly(terms.sync)
    Repository.open(path).compact("T")
    print("not killed")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "number"),
    [("writing", 0), ("writing", 2), ("written", 0), ("written", 1), ("written", 4), ("merging", 0), ("written", 8),
     ("written", 9)],
)  # fmt: skip
def test_a_kill_while_the_index_is_made_leaves_right_answers(
    step: str, number: int, repository: Repository, at: At
) -> None:
    texts = ["one", "two", "three", "two three"]
    fill(repository, at, texts)
    code = [sys.executable, "-c", textwrap.dedent(KILLED), repository.path, step, str(number)]
    killed: Any = subprocess.run(code, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stdout
    for word in ("one", "three", "none"):
        assert set(read(repository, word)) >= {t for t in texts if word in t.split()}
    repository.compact("T")
    assert read(repository, "one") == ["one"]
    assert read(repository, "none") == []
    repository.vacuum("T", 0)
    assert [p.name for p in folder(repository).iterdir() if p.name.startswith(".")] == []
