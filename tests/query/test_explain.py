"""What `--explain` tells: readable, aligned, the same each time."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench
from workbench.query.explain import times, written
from workbench.query.parser import parse


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> workbench.Workspace:
    """Four days of records, one file a day."""
    opened = workbench.open(str(tmp_path_factory.mktemp("ws")), create=True)
    for day in range(1, 5):
        rows = [
            {"TimeGenerated": f"2026-01-0{day}T0{h}:00:00Z", "Host": f"web{h}", "Size": h} for h in range(5)
        ]
        opened.ingest("App", rows)
    return opened


def explained(ws: workbench.Workspace, text: str) -> str:
    """Without the engine's plan, which is the engine's affair."""
    return ws.explain(text).partition("\n\npolars\n")[0]


def test_all_sections(ws: workbench.Workspace) -> None:
    text = "App | extend big = Size * 2 | where TimeGenerated between (datetime(2026-01-02) .. 1h) and big > 1 | summarize n = count() by Host"
    assert (
        explained(ws, text)
        == """\
syntax
  App
  | extend big = Size * 2
  | where TimeGenerated between (datetime(2026-01-02) .. 1h) and big > 1
  | summarize n = count() by Host

plan
  Summarize n = count() by Host
    Filter TimeGenerated >= 2026-01-02T00:00:00Z and TimeGenerated <= (2026-01-02T00:00:00Z + 01:00:00) and big > 1
      Project big = Size * 2; and TimeGenerated, Host, Size, _TimeReceived, _BatchId, _Writer, _Sequence
        Scan App [TimeGenerated, Host, Size, _TimeReceived, _BatchId, _Writer, _Sequence]

rewritten (needed columns only, fold constants, push filters down, time ranges to the tables)
  Summarize n = count() by Host
    Project Host
      Filter TimeGenerated >= 2026-01-02T00:00:00Z and TimeGenerated <= 2026-01-02T01:00:00Z and (Size * 2) > 1
        Scan App, time 2026-01-02T00:00:00Z .. 2026-01-02T01:00:00Z [TimeGenerated, Host, Size]

files: 1 of 4 read, dropped 3 by time and 0 by terms
  App  1 of 4  3 dropped by time, kept 2026-01-02T00:00:00Z .. 2026-01-02T01:00:00Z"""
    )


def test_shared_relations_are_told_once(ws: workbench.Workspace) -> None:
    text = "let X = App | summarize n = count() by Host; X | join kind=inner (X | where n > 1) on Host"
    shown = explained(ws, text)
    rewritten = shown[shown.index("rewritten (compute once") :]
    assert rewritten.count("Shared #1 [Host, n]") == 2
    assert rewritten.count("Summarize") == 1
    assert "\n\nshared #1\n  Summarize n = count() by Host\n    Scan App [Host]" in rewritten


def test_the_same_each_time(ws: workbench.Workspace) -> None:
    text = "union App, (App | where Host == 'web1') | top 2 by TimeGenerated"
    assert ws.explain(text) == ws.explain(text)


def test_every_table_of_several_is_told(ws: workbench.Workspace) -> None:
    shown = ws.explain("App | where TimeGenerated > datetime(2026-01-04) | join kind=inner (App | where Size > 1) on Host")  # fmt: skip
    files = shown[shown.index("files:") : shown.index("\n\npolars")].split("\n")
    assert files[0] == "files: 4 of 4 read, dropped 3 by time and 0 by terms"
    assert sorted(files[1:]) == [
        "  App  1 of 4  3 dropped by time, kept 2026-01-04T00:00:00Z ..",
        "  App  4 of 4",
    ]


def test_no_table_no_files(tmp_path: Path) -> None:
    shown = explained(workbench.open(str(tmp_path / "ws"), create=True), "print a = 1")
    assert shown.endswith("files: 0 of 0 read\n  no stored table")
    assert "rewritten (nothing to do)" in shown


def test_the_syntax_is_a_tree() -> None:
    text = """let f = (a:long, b:string = "x") {
        let c = a;
        App | where Size == c
    };
    // a note
    union f(1), (App | where Host has "a b"   and
      Size > 2 | count);"""
    assert written(parse(text), text) == [
        'let f = (a:long, b:string = "x") {…}',
        "  let c = a",
        "  App",
        "  | where Size == c",
        "union f(1), (…)",
        "  App",
        '  | where Host has "a b" and Size > 2',
        "  | count",
    ]


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        ((0, 86_400_000_000), "1970-01-01T00:00:00Z .. 1970-01-02T00:00:00Z"),
        ((None, 1), ".. 1970-01-01T00:00:00.0000010Z"),
        ((0, None), "1970-01-01T00:00:00Z .."),
    ],
)
def test_times_are_iso(bounds: tuple[int | None, int | None], text: str) -> None:
    assert times(bounds) == text
