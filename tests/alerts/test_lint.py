"""What is said about rules that can be evaluated and are unwise all the same, and that a good one gets no word."""

from __future__ import annotations

import polars as pl
import pytest

from workbench.alerts.lint import Level, lint
from workbench.alerts.reading import read
from workbench.base.dtypes import Column, ScalarType
from workbench.query.frames import FrameTables

HEAD = "name: r\nevery: 5m\nover: 15m\n"
SCHEMA = tuple(
    Column(n, t)
    for n, t in (
        ("TimeGenerated", ScalarType.DATETIME),
        ("Computer", ScalarType.STRING),
        ("N", ScalarType.LONG),
    )
)
TABLES = FrameTables({t: (pl.DataFrame(), SCHEMA) for t in ("Event", "Perf")})

FOUND = [
    ("query: Event", []),
    ("query: Event | summarize Count = count() by Computer\nwhen: maximum(Count) > 3\nsplit by: Computer", []),
    ("query: Event\nevery: 1h\nover: 30m", ["window-shorter-than-frequency"]),
    ("query: Event\nevery: 1h\nover: 30m\neach row: true", []),
    ("query: Event\nauto resolve: false", ["fires-again"]),
    ("query: Event\nauto resolve: false\nmute: 15m", []),
    ("query: Event\nmute: 1m", ["mute-too-short"]),
    ("query: Event | where TimeGenerated > ago(15m)", []),
    ("query: Event | where TimeGenerated > ago(1d)", ["ago-beyond-window"]),
    ("query: Event | where TimeGenerated < ago(15m)", ["older-than-window"]),
    ("query: Event | where TimeGenerated < ago(5m)", []),
    ("query: print N = 1\nwhen: maximum(N) > 0", ["no-records-of-the-window"]),
    ("query: Event | count", ["always-fires"]),
    ("query: Event | summarize N = count() | extend M = N | project M", ["always-fires"]),
    ("query: Event | summarize N = count() | where N > 3", []),
    ("query: Event | summarize N = count()\nwhen: count > 1", ["never-fires"]),
    ("query: Event | summarize N = count()\nwhen: count == 1", ["always-fires"]),
    ("query: Event | take 10\nwhen: count > 10", ["never-fires"]),
    ("query: Event | top 10 by N\nwhen: count >= 10", []),
    ("query: Event\nwhen: count < 0", ["never-fires"]),
    ("query: Event\nwhen: count >= 0", ["always-fires"]),
    ("query: Event\nwhen: count < 1", []),
    ("query: Event\nwhen: count == 2.5", ["never-fires"]),
    ("query: Event | join kind=inner Perf on Computer", ["unbounded-join"]),
    ("query: Event | join kind=inner (Perf | where N > 3) on Computer", []),
    ("query: Missing | where Anything == 1", ["no-table"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "names"), FOUND, ids=range(len(FOUND)))
def test_what_is_found(text: str, names: list[str]) -> None:
    given = dict(line.split(": ", 1) for line in (HEAD + text).splitlines())
    rule = read("\n".join(f"{k}: {v}" for k, v in given.items()))
    assert [f.name for f in lint(rule, TABLES)] == names


def test_each_column_that_is_not_there_is_told() -> None:
    rule = read(HEAD + "query: Event\nwhen: average(M) > 1\nsplit by: [Computr, Machine]")
    found = lint(rule, TABLES)
    assert [f.message for f in found] == [
        "when: the query gives no column 'M'",
        "split by: the query gives no column 'Computr'",
        "split by: the query gives no column 'Machine'",
    ]
    assert {f.level for f in found} == {Level.ERROR}
    assert lint(rule) == []
