"""Text files followed through all that happens to them: growth, rotation, truncation, restarts, links."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from workbench.base.errors import WorkbenchError
from workbench.collect.sources import Machine
from workbench.collect.sources._followed import FIRST_LINES
from workbench.collect.sources.text_files import TextFiles


@pytest.fixture
def source(run, monkeypatch: pytest.MonkeyPatch):
    """A runner that lists its folders at every reading."""
    monkeypatch.setattr("workbench.collect.sources.text_files.LIST_SECONDS", 0.0)
    return run


def read(runner, *, keep: bool = True) -> list[str]:
    return [r["RawData"] for r in runner.collect(keep=keep).get("FileLog_CL", [])]


def texts(runner) -> list[str]:
    return [r["RawData"] for r in runner.collect().get("App_CL", [])]


def rule(*patterns: object, **more: object) -> dict[str, object]:
    return {"name": "app", "streams": ["Custom-App_CL"], "filePatterns": [str(p) for p in patterns], **more}


# ---- growth and first start -------------------------------------------------------------------


def test_the_first_start_takes_the_last_lines_of_each_file(machine: Machine, source) -> None:
    path = machine.log_root / "app.log"
    path.write_text("".join(f"line {n}\n" for n in range(FIRST_LINES + 50)))
    found = read(source(TextFiles))
    assert (len(found), found[0], found[-1]) == (FIRST_LINES, "line 50", f"line {FIRST_LINES + 49}")


def test_a_short_file_is_taken_whole_and_only_once(machine: Machine, source) -> None:
    (machine.log_root / "app.log").write_text("one\ntwo\n")
    files = source(TextFiles)
    assert read(files) == ["one", "two"]
    assert read(files) == []


def test_half_a_line_waits_for_its_end(machine: Machine, source) -> None:
    path = machine.log_root / "app.log"
    path.write_text("one\ntw")
    files = source(TextFiles)
    assert read(files) == ["one"]
    with path.open("a") as file:
        file.write("o\n")
    assert read(files) == ["two"]


def test_a_file_that_appears_later_is_read_from_its_start(machine: Machine, source) -> None:
    files = source(TextFiles)
    assert read(files) == []
    files.restart()  # also when nothing was there to be read before
    (machine.log_root / "new.log").write_text("".join(f"{n}\n" for n in range(FIRST_LINES + 1)))
    assert len(read(files)) == FIRST_LINES + 1


def test_a_restart_goes_on_where_records_were_kept(machine: Machine, source) -> None:
    path = machine.log_root / "app.log"
    path.write_text("one\n")
    files = source(TextFiles)
    read(files)
    with path.open("a") as file:
        file.write("two\n")
    assert read(files, keep=False) == ["two"]
    files.restart()
    assert read(files) == ["two"]
    files.restart()
    assert read(files) == []


def test_binary_and_compressed_files_are_left_alone(machine: Machine, source) -> None:
    (machine.log_root / "wtmp").write_bytes(b"a\0b\n")
    (machine.log_root / "app.log.gz").write_bytes(b"text\n")
    assert read(source(TextFiles)) == []


def test_bytes_that_are_no_utf8_stay_visible(machine: Machine, source) -> None:
    (machine.log_root / "app.log").write_bytes(b"caf\xe9\n")
    assert read(source(TextFiles)) == ["caf\\xe9"]


# ---- rotation and truncation ------------------------------------------------------------------


def test_a_rotated_file_is_read_to_its_end_under_its_new_name(machine: Machine, source) -> None:
    path = machine.log_root / "app.log"
    path.write_text("one\n")
    files = source(TextFiles)
    assert read(files) == ["one"]
    with path.open("a") as file:
        file.write("two\n")
    path.rename(machine.log_root / "app.log.1")
    path.write_text("three\n")
    assert sorted(read(files)) == ["three", "two"]


def test_a_rule_reads_a_renamed_file_to_its_end_also_over_a_restart(machine: Machine, source) -> None:
    path = machine.log_root / "app.log"
    path.write_text("one\n")
    files = source(TextFiles, rule(path))
    assert texts(files) == ["one"]
    with path.open("a") as file:
        file.write("two\n")
    path.rename(machine.log_root / "app.log.1")
    path.write_text("three\n")
    files.restart()
    assert sorted(texts(files)) == ["three", "two"]


def test_what_was_written_before_a_removal_is_read(
    machine: Machine, source, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = machine.log_root / "app.log"
    path.write_text("one\n")
    files = source(TextFiles)
    assert read(files) == ["one"]
    with path.open("a") as file:
        file.write("two\nhalf a line")
    path.unlink()
    assert read(files) == ["two"]
    monkeypatch.setattr("workbench.collect.sources.text_files.LEAVE_AFTER", 0.0)
    assert read(files) == ["half a line"]
    read(files)
    assert [name for name in files.marks if ":" in name] == []


def test_files_rotated_before_the_first_start_are_left_alone(machine: Machine, source) -> None:
    (machine.log_root / "app.log.1").write_text("old\n")
    (machine.log_root / "app.log-20260101").write_text("old\n")
    assert read(source(TextFiles)) == []


def test_a_file_cut_back_in_place_is_read_from_its_start(machine: Machine, source) -> None:
    path = machine.log_root / "app.log"
    path.write_text("one\ntwo\n")
    files = source(TextFiles)
    read(files)
    os.truncate(path, 0)
    path.write_text("new\n")
    assert read(files) == ["new"]


def test_a_file_cut_back_and_grown_longer_is_told_by_its_bytes(machine: Machine, source) -> None:
    path = machine.log_root / "app.log"
    header = "# the same long header in every file " * 10 + "\n"
    path.write_text(header + "one\n")
    files = source(TextFiles)
    read(files)
    path.write_text(header + "entirely new and longer\n")
    assert read(files)[-1] == "entirely new and longer"


@pytest.mark.parametrize("copy", ["app.log.1", "app-20260101.log"])
def test_copied_and_truncated_loses_and_repeats_nothing(machine: Machine, source, copy: str) -> None:
    path = machine.log_root / "app.log"
    path.write_text("one\n")
    files = source(TextFiles, rule(machine.log_root / "*.log"))
    assert texts(files) == ["one"]
    with path.open("a") as file:
        file.write("two\n")  # after the last reading, before the copy
    shutil.copyfile(path, machine.log_root / copy)
    os.truncate(path, 0)
    with path.open("a") as file:
        file.write("three\n")
    assert texts(files) == ["two", "three"]
    assert texts(files) == []


def test_a_writer_that_goes_on_behind_a_hole_is_read(machine: Machine, source) -> None:
    path = machine.log_root / "app.log"
    with path.open("wb", buffering=0) as writer:
        writer.write(b"x" * 100_000 + b"\n")
        files = source(TextFiles)
        assert len(read(files)) == 1
        os.truncate(path, 0)
        writer.write(b"after\n")  # not opened for appending: at its old place
        assert read(files) == ["after"]


# ---- rules ------------------------------------------------------------------------------------


def test_a_rule_reads_its_patterns_into_its_table(machine: Machine, source) -> None:
    for name in ("a/x.log", "a/b/y.log", "a/z.txt"):
        path = machine.log_root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n")
    files = source(TextFiles, rule(machine.log_root / "a" / "**" / "*.log"))
    assert sorted(texts(files)) == ["a/b/y.log", "a/x.log"]
    assert read(source(TextFiles, rule(machine.log_root / "?" / "*.t?t") | {"streams": []})) == ["a/z.txt"]


def test_json_lines_become_fields_and_other_lines_are_kept(machine: Machine, source) -> None:
    path = machine.log_root / "app.log"
    path.write_text('{"Level": 3, "TimeGenerated": "2026-01-02T03:04:05Z"}\nno json\n[1]\n')
    first, *others = source(TextFiles, rule(path, format="json")).collect()["App_CL"]
    assert (first["Level"], first["TimeGenerated"], first["FilePath"]) == (
        3,
        "2026-01-02T03:04:05Z",
        str(path),
    )
    assert [r["RawData"] for r in others] == ["no json", "[1]"]


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-16", "auto"),
        ("utf-16-be", "utf-16-be"),
        ("utf-16-le", "utf-16"),
        ("latin-1", "iso-8859-1"),
        ("utf-8-sig", "auto"),
        ("utf-8", "utf-8"),
    ],
)
def test_files_are_read_in_their_encoding(machine: Machine, source, encoding: str, declared: str) -> None:
    path = machine.log_root / "app.log"
    # U+010A and U+0A0D have the byte of a line end in them.
    line = "café Ċ ਍" if encoding.startswith("utf") else "café"
    path.write_bytes(f"{line} 1\r\n{line} 2\r\n".encode(encoding))
    files = source(TextFiles, rule(path, settings={"text": {"encoding": declared}}))
    assert texts(files) == [f"{line} 1", f"{line} 2"]
    with path.open("ab") as file:
        file.write(
            f"{line} 3\n".encode(
                encoding.removesuffix("-sig").replace("utf-16", "utf-16-le", 1)
                if encoding in ("utf-16", "utf-8-sig")
                else encoding
            )
        )
    assert texts(files) == [f"{line} 3"]


@pytest.mark.parametrize(
    "start",
    [{"recordStartTimestampFormat": "ISO 8601"}, {"recordStartPattern": r"^\d{4}-\d\d-\d\d"}],
)
def test_lines_up_to_the_next_start_are_one_record(machine: Machine, source, start: dict[str, str]) -> None:
    path = machine.log_root / "app.log"
    path.write_text("2026-01-02T03:04:05Z one\n  at a\n  at b\n2026-01-02T03:04:06Z two\n")
    settings = rule(path, settings={"text": start}, flushSeconds=3600)
    files = source(TextFiles, settings)
    assert texts(files) == ["2026-01-02T03:04:05Z one\n  at a\n  at b"]
    with path.open("a") as file:
        file.write("  at c\n")
    files.restart()
    assert texts(files) == []
    with path.open("a") as file:
        file.write("2026-01-02T03:04:07Z three\n")
    assert texts(files) == ["2026-01-02T03:04:06Z two\n  at c"]
    quiet = source(TextFiles, settings | {"flushSeconds": 0}, on=machine)
    assert texts(quiet)[-1] == "2026-01-02T03:04:07Z three"


def test_a_record_without_end_is_cut(machine: Machine, source) -> None:
    path = machine.log_root / "app.log"
    path.write_text("".join(f"{n}\n" for n in range(25)))
    text = {"recordStartTimestampFormat": "ISO 8601", "maxLines": 10}
    found = texts(source(TextFiles, rule(path, settings={"text": text}, flushSeconds=3600)))
    assert [len(record.splitlines()) for record in found] == [10, 10]


def test_a_pattern_that_would_keep_other_engines_busy_does_not(machine: Machine, source) -> None:
    path = machine.log_root / "app.log"
    path.write_text("a" * 20_000 + "!\nb\n")
    text = {"recordStartPattern": r"^(a+)+$"}
    found = texts(source(TextFiles, rule(path, settings={"text": text}, flushSeconds=0)))
    assert [len(record) for record in found] == [20_003]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"settings": {"text": {"recordStartPattern": "(?=x)"}}}, "MAC202"),
        ({"settings": {"text": {"recordStartTimestampFormat": "soon"}}}, "MAC202"),
        ({"settings": {"text": {"encoding": "utf-7"}}}, "MAC202"),
        ({"format": "xml"}, "MAC202"),
        ({"filePatterns": ["/etc/*.conf"]}, "MAC201"),
        ({"filePatterns": ["/**/passwd"]}, "MAC201"),
        ({"filePatterns": ["relative.log"]}, "MAC201"),
    ],
)
def test_what_a_rule_may_not_say_is_told(machine: Machine, more: dict[str, object], code: str) -> None:
    with pytest.raises(WorkbenchError) as told:
        TextFiles(machine, rule(machine.log_root / "x.log") | more)
    assert told.value.code == code


def test_a_pattern_may_not_climb_out(machine: Machine) -> None:
    with pytest.raises(WorkbenchError) as told:
        TextFiles(machine, rule(f"{machine.log_root}/*/../../secret.log"))
    assert told.value.code == "MAC201"


def test_links_count_as_what_they_lead_to(machine: Machine, source, tmp_path: Path) -> None:
    secret = tmp_path / "secret.log"
    secret.write_text("secret\n")
    (machine.log_root / "out.log").symlink_to(secret)
    (machine.log_root / "folder").symlink_to(tmp_path)
    (machine.log_root / "real").write_text("inside\n")
    (machine.log_root / "in.log").symlink_to(machine.log_root / "real")
    os.mkfifo(machine.log_root / "pipe.log")
    patterns = [
        machine.log_root / "*.log",
        machine.log_root / "*" / "*.log",
        machine.log_root / "**" / "*.log",
    ]
    assert texts(source(TextFiles, rule(*patterns))) == ["inside"]


def test_a_file_exchanged_for_a_link_is_not_followed(machine: Machine, source, tmp_path: Path) -> None:
    path = machine.log_root / "app.log"
    path.write_text("one\n")
    files = source(TextFiles, rule(path))
    assert texts(files) == ["one"]
    (tmp_path / "secret").write_text("secret\n")
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    assert texts(files) == []
