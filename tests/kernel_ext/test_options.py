"""The first line of a cell: what it asks for, and what is wrong with it."""

from __future__ import annotations

import re

import pytest

from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.magics import LogSearch
from workbench.kernel_ext.options import FORMS, Options, help_lines, parse_line


@pytest.mark.parametrize(
    ("line", "options", "query"),
    [
        ("", Options(), ""),
        ("Heartbeat | count", Options(), "Heartbeat | count"),
        ("--as r --limit 5", Options(name="r", limit=5), ""),
        (
            "--limit=0 --explain  T | where a == '--as'",
            Options(limit=0, explain=True),
            "T | where a == '--as'",
        ),
        ('--workspace "/a folder/w" T', Options(workspace="/a folder/w"), "T"),
        ("--timespan 2026-11-01/P1D print 1", Options(timespan="2026-11-01/P1D"), "print 1"),
        ("--expect 3 print  a = 1", Options(expect=3), "print  a = 1"),
    ],
)
def test_options_come_first_and_the_query_stays_as_written(line: str, options: Options, query: str) -> None:
    assert parse_line(line) == (options, query)


@pytest.mark.parametrize(
    ("line", "code", "marked"),
    [
        ("--limt 5", "LAB001", "--limt"),
        ("-x T", "LAB001", "-x"),
        ("--as", "LAB002", "--as"),
        ("--as --limit 5", "LAB002", "--as"),
        ("--as 1x T", "LAB003", "1x"),
        ("--as class T", "LAB003", "class"),
        ("--as _i T", "LAB003", "_i"),
        ("--limit many T", "LAB003", "many"),
        ("--limit 99999999 T", "LAB003", "99999999"),
        ("--limit 1 --limit 2", "LAB004", "--limit"),
        ("--explain=yes T", "LAB006", "--explain"),
        ("--workspace 'open T", "LAB007", "'open"),
    ],
)
def test_a_wrong_option_is_named_with_its_place(line: str, code: str, marked: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        parse_line(line)
    error = caught.value
    assert error.code == code
    assert error.span is not None
    assert line[error.span.start : error.span.end] == marked


def test_the_nearest_option_is_offered() -> None:
    with pytest.raises(WorkbenchError, match="did you mean '--limit'"):
        parse_line("--limt 5")


def test_every_option_stands_in_the_help_of_the_magic() -> None:
    told = LogSearch.logsearch.__doc__ or ""
    assert set(re.findall(r"^ +(--\w+)", told, re.MULTILINE)) == set(FORMS)
    assert set(re.findall(r"^ +(--\w+)", help_lines(), re.MULTILINE)) == set(FORMS)
