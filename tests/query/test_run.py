"""What `run` promises beside the rows: parameters, time ranges, caps, statistics, rewrites."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import polars as pl
import pytest

import workbench
from workbench.base import clock
from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query.parser import parse
from workbench.query.plan import TopRows, walk
from workbench.query.rewrite import rewrite
from workbench.query.run import FrameTables, parse_timerange, run, shape

DAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NOTHING = FrameTables({})


@pytest.fixture(scope="module")
def ws(tmp_path_factory: pytest.TempPathFactory) -> workbench.Workspace:
    """Five days of records, one file a day."""
    opened = workbench.open(str(tmp_path_factory.mktemp("ws")), create=True)
    dice = random.Random(7)
    for day in range(5):
        start = DAY + dt.timedelta(days=day)
        opened.ingest(
            "App",
            [
                {
                    "TimeGenerated": (start + dt.timedelta(seconds=dice.randrange(86400))).isoformat(),
                    "Host": dice.choice(["web01", "web02", None]),
                    "Level": dice.randrange(5),
                    "Text": f"line {i} of day {day}",
                }
                for i in range(200)
            ],
        )
    return opened


def ask(text: str, **more: object) -> list[dict[str, object]]:
    return run(text, NOTHING, **more).frame.to_dicts()  # type: ignore[arg-type]


def test_parameters_are_typed_values_and_never_text() -> None:
    hostile = "x' | take 1 //"
    rows = ask(
        "print a = s, b = n + 1, c = t + 1d, d = l[1], e = m.k, f = flag",
        parameters={
            "s": hostile, "n": 2, "t": DAY, "l": [1, 2], "m": {"k": "v"}, "flag": True,
        },
    )  # fmt: skip
    assert rows == [{"a": hostile, "b": 3, "c": DAY + dt.timedelta(days=1), "d": "2", "e": '"v"', "f": True}]


@pytest.mark.parametrize("kind", ["polars", "pandas", "arrow"])
def test_a_dataframe_is_a_table(kind: str) -> None:
    frame = pl.DataFrame({"k": [1, 2, 2], "s": ["a", None, "c"]})
    given = {"polars": frame, "pandas": frame.to_pandas(), "arrow": frame.to_arrow()}[kind]
    result = run(
        "people | summarize n = count(), m = countif(isempty(s)) by k | sort by k asc",
        NOTHING,
        scope={"people": given}.__getitem__,
    )
    assert result.frame.rows() == [(1, 1, 0), (2, 2, 1)]
    assert result.statistics.bound == (("people", "table"),)


def test_a_column_hides_a_variable_of_its_name() -> None:
    assert ask("print x = 1 | extend y = x", scope={"x": 99}.__getitem__) == [{"x": 1, "y": 1}]


def test_an_object_that_is_no_value_is_refused_by_its_kind() -> None:
    with pytest.raises(WorkbenchError, match="KQL210"):
        ask("print a = thing", scope={"thing": object()}.__getitem__)


def test_time_range_skips_files_and_cuts_rows(ws: workbench.Workspace) -> None:
    result = ws.query("App | count", timespan="2026-01-02T00:00:00Z/2026-01-02T23:59:59.999999Z")
    assert result.frame.item() == 200
    assert (result.statistics.files_read, result.statistics.files_total) == (1, 5)


def test_a_condition_on_time_skips_files(ws: workbench.Workspace) -> None:
    result = ws.query("App | where TimeGenerated >= datetime(2026-01-04) | count")
    assert result.frame.item() == 400
    assert (result.statistics.files_read, result.statistics.files_total) == (2, 5)


def test_a_cap_says_that_it_cut(ws: workbench.Workspace) -> None:
    assert ws.query("App", limit=10).truncated
    whole = ws.query("App | take 10", limit=10)
    assert (len(whole), whole.truncated) == (10, False)


def test_now_is_one_moment_in_a_query() -> None:
    with clock.frozen(17_672_256_000_000_001):
        assert ask("print a = now() == now(), b = now() - ago(1h)") == [
            {"a": True, "b": dt.timedelta(hours=1)}
        ]


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("PT1H", -3_600_000_000, None), ("P1DT1H", -90_000_000_000, None), ("2d", -172_800_000_000, None)],
)
def test_time_ranges(text: str, low: int, high: int | None) -> None:
    with clock.frozen(0):
        assert parse_timerange(text) == (low, high)


@pytest.mark.parametrize("text", ["", "soon", "P", "2026-01-01/", "5"])
def test_what_is_no_time_range_is_refused(text: str) -> None:
    with pytest.raises(WorkbenchError, match="KQL208"):
        parse_timerange(text)


TOPS = [
    "App | where Host == 'web01' | top 7 by TimeGenerated",
    "App | where Level > 2 | sort by Level asc, TimeGenerated desc | take 5",
    "App | extend N = Level * 2 | project When = TimeGenerated, N, Text | top 6 by When asc",
    "App | where Host == 'nobody' | top 3 by TimeGenerated",
    "App | top 3 by tolower(Host) asc, TimeGenerated",
    "App | top 0 by TimeGenerated",
]


@pytest.mark.parametrize("text", TOPS)
def test_rows_fetched_late_are_the_same_rows(ws: workbench.Workspace, text: str) -> None:
    plain = text.replace("App |", "App | as everything |", 1)
    whole = run(plain, _Unnumbered(ws))
    assert ws.query(text).frame.rows() == whole.frame.rows()


def test_top_over_wide_rows_is_rewritten(ws: workbench.Workspace) -> None:
    from workbench.query.binder import Hooks, bind

    text = TOPS[0]
    hooks = Hooks(lambda rel: pytest.fail("nothing to run here"), lambda expr: expr)
    bound = bind(parse(text), text, _Unnumbered(ws, hide=False), hooks)
    assert any(isinstance(r, TopRows) for r in walk(rewrite(bound.rel, lambda expr: expr)))


class _Unnumbered:
    """The workspace's tables without the columns that tell rows apart: no late fetch."""

    def __init__(self, ws: workbench.Workspace, hide: bool = True) -> None:
        self._source = ws._source
        self._hide = hide

    def tables(self) -> list[str]:
        return self._source.tables()

    def schema(self, table: str) -> tuple[Column, ...] | None:
        found = self._source.schema(table)
        return tuple(c for c in found or () if not (self._hide and c.hidden))

    def scan(self, table, columns, time_range):  # type: ignore[no-untyped-def]
        return self._source.scan(table, columns, time_range)


def test_a_frame_is_shaped_by_kql() -> None:
    frame = pl.DataFrame({"a": [1, 2], "s": ["x", None], "t": [DAY, DAY]})
    schema = (Column("a", ScalarType.LONG), Column("s", ScalarType.STRING), Column("t", ScalarType.DATETIME))
    shaped, types = shape(
        frame, schema, "source | extend b = a + 1, e = isempty(s), t = t + 1h | project-away a"
    )
    assert shaped.rows() == [
        ("x", DAY + dt.timedelta(hours=1), 2, False),
        ("", DAY + dt.timedelta(hours=1), 3, True),
    ]
    assert [c.type.value for c in types] == ["string", "datetime", "long", "bool"]


def test_hidden_columns_are_there_by_name_only(ws: workbench.Workspace) -> None:
    assert "_Sequence" not in ws.query("App | take 1").columns
    assert ws.query("App | where _Sequence > 0 | summarize max(_Sequence)").frame.item() == 1000


def test_workspace_can_be_opened_by_its_folder_only(tmp_path: Path) -> None:
    with pytest.raises(WorkbenchError, match="REP001"):
        workbench.open(str(tmp_path / "none"))


def test_explain_takes_the_time_range(ws: workbench.Workspace) -> None:
    shown = ws.explain("App | count", timespan="2026-01-02T00:00:00Z/2026-01-02T23:59:59.999999Z")
    assert "files: 1 of 5 read" in shown


def test_many_rows_of_the_query_itself_are_streamed() -> None:
    rows = ask("range x from 1 to 300000 step 1 | summarize n = count() by k = x % 3 | sort by k asc")
    assert rows == [{"n": 100_000, "k": k} for k in (0, 1, 2)]
