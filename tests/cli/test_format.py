"""`workbench format`: what it prints, writes and says, and its exit status."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbench.cli.app import app

RAW, LAID = "T|take 5", "T\n| take 5\n"


def call(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["format", *arguments], input=stdin)
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    raw, laid = tmp_path / "raw.kql", tmp_path / "laid.kql"
    raw.write_text(RAW)
    laid.write_text(LAID)
    return str(raw), str(laid)


def test_standard_input_is_printed() -> None:
    assert call(stdin=RAW) == (0, LAID, "")
    assert call("-", stdin=LAID) == (0, LAID, "")
    assert call(stdin="") == (0, "", "")


def test_a_file_is_printed_and_left_alone(files: tuple[str, str]) -> None:
    assert call(files[0]) == (0, LAID, "")
    assert Path(files[0]).read_text() == RAW


def test_check_names_what_differs(files: tuple[str, str]) -> None:
    assert call("--check", *files) == (1, f"not laid out: {files[0]}\n", "")
    assert call("--check", files[1]) == (0, "", "")
    assert Path(files[0]).read_text() == RAW


def test_write_changes_what_differs(files: tuple[str, str]) -> None:
    before = Path(files[1]).stat().st_mtime_ns
    assert call("--write", *files) == (0, f"laid out: {files[0]}\n", "")
    assert Path(files[0]).read_text() == LAID
    assert Path(files[1]).stat().st_mtime_ns == before
    assert call("--write", *files) == (0, "", "")


def test_line_ends_of_windows_are_made_plain(tmp_path: Path) -> None:
    file = tmp_path / "a.kql"
    file.write_bytes(b"T\r\n| take 5\r\n")
    assert call("--check", str(file))[0] == 1
    assert call("--write", str(file))[0] == 0
    assert file.read_bytes() == LAID.encode()


def test_a_text_without_tokens_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "broken.kql"
    file.write_text('T | where a == "x')
    status, printed, said = call("--write", str(file))
    assert (status, printed) == (1, "")
    assert said.startswith(f"{file}: KQL001 at 1:16: this string is not closed")
    assert file.read_text() == 'T | where a == "x'


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    other = tmp_path / "latin"
    other.write_bytes(b"T | where a == '\xe9'")
    status, _, said = call("--check", str(tmp_path / "none"), str(other))
    assert status == 1
    assert "No such file" in said
    assert "no text in UTF-8" in said


@pytest.mark.parametrize(
    "arguments", [("--check", "--write"), ("--write",), ("a", "b"), ("--check", "-", "-")]
)
def test_usage(arguments: tuple[str, ...]) -> None:
    assert call(*arguments)[0] == 2
