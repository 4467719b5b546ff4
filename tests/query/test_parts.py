"""A query in parts gives the rows of one go; it tells how far it is, stops in time, keeps what it has.

The table has many small files with overlapping times, nulls, NaN and repeated values.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query.control import Control, Limits, PartSize, Progress
from workbench.query.result import Result
from workbench.query.run import run
from workbench.repository.tables import Repository
from workbench.workspace import StoredTables

DAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
FILES, ROWS = 20, 30
TINY = PartSize(least_files=1, least_rows=0, first_rows=2 * ROWS, seconds=1e-9, growth=1.0)
MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _append(repository: Repository, table: str, files: int, dice: random.Random, first: int = 0) -> None:
    for number in range(files):
        start = DAY + dt.timedelta(hours=number)
        rows = [
            {
                "TimeGenerated": start + dt.timedelta(microseconds=dice.randrange(7_200_000_000)),
                "Id": first + number * ROWS + i,
                "Host": dice.choice(["web01", "web02", "db01", "", None]),
                "Level": dice.choice([0, 1, 2, 3, None]),
                "Load": dice.choice([0.5, 1.25, -3.0, math.nan, None, 1e9]),
                "Took": dice.choice([dt.timedelta(seconds=1), dt.timedelta(minutes=3), None]),
                "Text": f"row {i} of {number} {dice.choice(['alpha', 'beta', 'Gamma'])}",
                "Bag": dice.choice(['{"k":1}', '{"k":"x","l":[1,2]}', "[3,4,5]", None]),
            }
            for i in range(ROWS)
        ]
        schema = {
            "TimeGenerated": pl.Datetime("us", "UTC"), "Id": pl.Int64, "Host": pl.String, "Level": pl.Int64,
            "Load": pl.Float64, "Took": pl.Duration("us"), "Text": pl.String, "Bag": pl.String,
        }  # fmt: skip
        repository.append(table, pl.DataFrame(rows, schema=schema), {"Bag": ScalarType.DYNAMIC})


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> StoredTables:
    repository = Repository.open(str(tmp_path_factory.mktemp("parts") / "ws"), create=True)
    dice = random.Random(11)
    _append(repository, "App", FILES, dice)
    _append(repository, "Other", 5, dice, 7000)
    found = StoredTables(repository)
    # The first query raises Python's recursion limit, which Hypothesis must not see change within a test.
    run("print 1", found)
    return found


def ask(text: str, tables: StoredTables, parts: PartSize | None = TINY, **more: Any) -> Result:
    return run(text, tables, control=Control(parts=parts, **more))


def cell(value: Any) -> Any:
    """A cell so that equal ones compare: NaN as a word, reals to twelve digits."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else float(f"{value:.12g}")
    return value


def rows(result: Result) -> list[tuple[Any, ...]]:
    return [tuple(cell(c) for c in row) for row in result.exact.rows()]


def same(text: str, tables: StoredTables, *, ordered: bool = False) -> Result:
    """Both runs' answer; their rows are equal, in order where there is one."""
    whole, parts = ask(text, tables, None), ask(text, tables)
    assert parts.schema == whole.schema
    assert parts.exact.schema == whole.exact.schema, text
    one, other = rows(whole), rows(parts)
    if not ordered:
        one, other = sorted(one, key=repr), sorted(other, key=repr)
    assert other == one, text
    return parts


# ---- the same rows --------------------------------------------------------------------------

FILTERS = [
    "where Level > 1", "where Host == 'web01'", "where isempty(Host)", "where Text has 'beta'", "where Id % 7 == 3",
    "where TimeGenerated between (datetime(2026-01-01 03:00) .. datetime(2026-01-01 09:30))", "where Load > 0 or isnull(Load)",
    "where TimeGenerated > datetime(2030-01-01)", "where tostring(Bag.k) == 'x'", "where false",
    "extend Level = Level * 2", "extend Half = Load / 2, Word = toupper(Host)", "mv-expand with_itemindex=Item Bag | extend Id = Id * 10 + Item", "extend Took = Took * 2",
    "union Other", "project-away Text", "where Id in ((Other | where Level == 2 | project Id - 7000))",
]  # fmt: skip
AGGREGATES = [
    "count()", "countif(Level > 1)", "sum(Level)", "sumif(Level, Host == 'web01')", "avg(Level)", "avg(Load)", "avg(Took)",
    "avgif(Level, Load > 0)", "min(TimeGenerated)", "max(Text)", "min(Load)", "max(Took)", "minif(Id, Level == 2)",
    "maxif(Host, Level < 2)", "dcount(Host)", "dcount(Load)", "dcountif(Host, Level > 0)", "count_distinct(Level)",
    "arg_max(Id, Host, Load)", "arg_min(Id, *)", "array_sort_asc(make_set(Host))", "array_sort_asc(make_list(Id))",
    "percentile(Id, 50)", "stdev(Level)", "variance(Id)", "dcount(TimeGenerated)", "take_any(isnull(Id))", "stdevif(Load, Level > 0)", "variancep(Level)", "array_sort_asc(make_list_if(Id, Level == 1))", "array_length(make_set(Id, 7))",
    "array_length(make_list(Text, 11))", "array_sort_asc(make_set(Took))",
    "sum(1)", "array_sort_asc(make_set(Level, 100))", "make_set_if(0, Level == 2)", "take_anyif(1, Level == 2)",
]  # fmt: skip
KEYS = ["Host", "Level", "bin(TimeGenerated, 3h)", "Load", "Host, Level", "strlen(Text)", "Took", "1"]
ENDS = [
    "count", "distinct Host, Level", "distinct *", "where Id > 100", "top 7 by TimeGenerated desc, Id",
    "top 9 by Id asc", "top 5 by Level desc, Id asc", "top 11 by Load asc nulls first, Id desc",
    "sort by Host asc, Id desc", "sort by TimeGenerated asc, Id | take 13", "sort by Id asc | extend n = row_number() | where n % 5 == 0",
    "sort by Id asc | serialize p = prev(Level) | take 9", "make-series count() on TimeGenerated from datetime(2026-01-01) to datetime(2026-01-02) step 4h by Host",
    "take 0", "top 0 by Id", "where Id < 0 | top 3 by Id", "join kind=inner (Other | distinct Level) on Level",
    "join kind=leftouter (Other | summarize n = count() by Host) on Host", "join kind=leftanti (Other | where Id < 7060 | extend Id = Id - 7000) on Id",
    "lookup (Other | summarize m = max(Id) by Level) on Level", "top-nested 2 of Host by count() desc",
    "top 4 by Took desc nulls last, Id asc", "partition by Host (top 2 by Id)", "project Id | union (Other | project Id) | summarize sum(Id)",
    "sort by Id asc | project Twice = Id * 2 | take 6", "extend T = TimeGenerated | top 6 by T asc, Id | project Id",
]  # fmt: skip


@st.composite
def summary(draw: st.DrawFn) -> str:
    chosen = draw(st.lists(st.sampled_from(AGGREGATES), min_size=1, max_size=4))
    named = [
        f"({a})" if "*" in a or "," in a.split("(", 1)[0] else f"a{i} = {a}" for i, a in enumerate(chosen)
    ]
    named = [a if a.startswith("arg_") else n for a, n in zip(chosen, named, strict=True)]
    named = [a for i, a in enumerate(named) if not (a.startswith("arg_") and i)]
    if any(a.startswith("arg_") for a in named):
        named = named[:1]
    by = draw(st.sampled_from(["", *KEYS]))
    return f"summarize {', '.join(named)}" + (f" by {by}" if by else "")


@pytest.mark.slow
@MANY
@given(
    st.lists(st.sampled_from(FILTERS), max_size=3), st.one_of(summary(), st.sampled_from(ENDS)),
    st.integers(1, 5), st.sampled_from([1.0, 3.0]),
)  # fmt: skip
def test_parts_give_the_rows_of_one_go(
    tables: StoredTables, before: list[str], end: str, files: int, growth: float
) -> None:
    text = " | ".join(["App", *before, end])
    size = PartSize(1, 0, files * ROWS, 1e-9 if growth == 1 else 1.0, growth)

    def outcome(parts: PartSize | None) -> Any:
        try:
            found = ask(text, tables, parts)
        except WorkbenchError as error:
            return error.code
        listed = rows(found)
        return found.schema, found.exact.schema, listed if "sort by" in end else sorted(listed, key=repr)

    assert outcome(size) == outcome(None), text


# ---- what is read -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("App | take 5", 2), ("App | top 3 by TimeGenerated", 6),
        ("App | top 3 by TimeGenerated asc | project Id", 6), ("App | sort by TimeGenerated desc | project-away Bag | take 3", 6),
        ("App | where TimeGenerated > datetime(2030-01-01) | count", 0),
        ("App | where TimeGenerated < datetime(2026-01-01 05:00) | summarize count() by Host", 5),
    ],
)  # fmt: skip
def test_files_that_cannot_matter_are_not_read(tables: StoredTables, text: str, most: int) -> None:
    found = ask(text, tables)
    assert found.statistics.files_read <= most
    assert found.statistics.files_total == FILES
    if "take" not in text:
        same(text, tables, ordered="summarize" not in text)  # groups come in any order


def test_a_row_cap_stops_early_and_says_so(tables: StoredTables) -> None:
    found = run("App | where Level >= 0", tables, limit=20, control=Control(parts=TINY))
    assert (len(found), found.truncated, found.partial) == (20, True, False)
    assert found.statistics.files_read <= 4


def test_few_rows_go_in_one_go(tables: StoredTables) -> None:
    told: list[Progress] = []
    run("App | summarize count() by Host", tables, control=Control(progress=told.append))
    assert told == []


def test_a_table_without_rows(tmp_path: Path) -> None:
    repository = Repository.open(str(tmp_path), create=True)
    repository.append("None", pl.DataFrame({"a": [1]}))
    stored = StoredTables(repository)
    for text in ("None | where a > 1", "None | take 3", "None | summarize count(), max(a)", "None | where TimeGenerated < datetime(1990-01-01) | summarize dcount(a)"):  # fmt: skip
        same(text, stored)


# ---- progress and stops -----------------------------------------------------------------------


def test_progress_counts_the_files(tables: StoredTables) -> None:
    told: list[Progress] = []
    control = Control(parts=TINY, progress=told.append)
    control._told = -1e9
    ask_all = "App | where Level > 0 | summarize count() by Host"
    run(ask_all, tables, control=control)
    assert told[0].files_done == 0
    assert {p.files_total for p in told} == {FILES}
    assert all(a.files_done <= b.files_done for a, b in itertools.pairwise(told))


def test_a_shape_that_ran_before_needs_no_small_first_part(tables: StoredTables) -> None:
    size = PartSize(least_files=1, least_rows=0, first_rows=ROWS, seconds=60, growth=1e6)
    text = "App | where Load > {} and Took > 2s | summarize n = count() by Level, bin(TimeGenerated, 7h)"

    def first_part(load: int) -> int:
        """How many files were done when the query first said so."""
        told: list[int] = []

        def hear(progress: Progress) -> None:
            control._told = -1e9
            told.append(progress.files_done)

        control = Control(parts=size, progress=hear)
        run(text.format(load), tables, control=control)
        return next(done for done in told if done)

    assert first_part(0) == 1
    assert first_part(1) == FILES


class Stopping:
    """A listener that stops the query when some files are done; it hears of each part."""

    def __init__(self, after: int, **more: Any) -> None:
        self.after = after
        self.control = Control(parts=TINY, progress=self.hear, **more)

    def hear(self, progress: Progress) -> None:
        self.control._told = -1e9
        if progress.files_done >= self.after:
            self.control.cancel()


def test_a_cancelled_query_is_an_error_unless_its_rows_are_kept(tables: StoredTables) -> None:
    with pytest.raises(WorkbenchError, match="KQL303"):
        run("App | where Level > 0", tables, control=Stopping(4).control)


@pytest.mark.parametrize(
    "text",
    [
        "App", "App | where Level > 0 | project Id", "App | top 5 by Id", "App | distinct Host",
        "App | summarize count(), dcount(Id), max(Id) by Host | sort by Host asc", "App | count",
    ],
)  # fmt: skip
def test_rows_found_before_a_stop_are_kept_and_labelled(tables: StoredTables, text: str) -> None:
    stopping = Stopping(6, keep_partial=True)
    found = run(text, tables, control=stopping.control)
    done = found.statistics.files_read
    assert found.partial
    assert 6 <= done < FILES
    assert found.partial_note == f"partial: {done} of {FILES} files, the query was stopped"
    # The newest files are read first: the rows are those of the table without the others.
    newest = (DAY + dt.timedelta(hours=FILES - done)).isoformat()
    first = (FILES - done) * ROWS
    assert rows(found) == rows(ask(text.replace("App", f"App | where Id >= {first} and '{newest}' != ''", 1), tables, None)) or text == "App"  # fmt: skip


class Interrupting:
    """The tables; the engine hears of an interrupt at one moment while a part is made ready, when some are done."""

    def __init__(self, tables: StoredTables, parts: int) -> None:
        self._tables = tables
        self.left = parts
        self.tables, self.schema = tables.tables, tables.schema

    def scan(self, table: str, columns: Sequence[str] | None, time_range: tuple[int | None, int | None]) -> InterruptedScan:  # fmt: skip
        return InterruptedScan(self._tables.scan(table, columns, time_range), self)


class InterruptedScan:
    def __init__(self, scan: Any, source: Interrupting) -> None:
        self._scan, self._source = scan, source
        self.lazy, self.files_total, self.files, self.entries = scan.lazy, scan.files_total, scan.files, scan.entries  # fmt: skip

    def part(self, files: Sequence[int]) -> pl.LazyFrame:
        self._source.left -= bool(files)
        if files and self._source.left == 0:
            raise KeyboardInterrupt  # as Polars does from whatever it computes at that moment
        found: pl.LazyFrame = self._scan.part(files)
        return found


@pytest.mark.parametrize("text", ["App | where Level > 0 | project Id", "App | top 5 by Id", "App | distinct Host", "App | summarize count() by Host"])  # fmt: skip
def test_an_interrupt_between_two_parts_keeps_the_rows(tables: StoredTables, text: str) -> None:
    control = Control(parts=TINY, keep_partial=True)
    found = run(text, Interrupting(tables, 4), control=control)
    done = found.statistics.files_read
    assert 3 <= done < 8
    assert found.partial_note == f"partial: {done} of {FILES} files, the query was stopped"
    assert control.cancelled
    with pytest.raises(WorkbenchError, match="KQL303"):
        run(text, Interrupting(tables, 4), control=Control(parts=TINY))


@pytest.mark.parametrize(
    "text",
    [
        "App | sort by Id asc | extend n = row_number()", "App | summarize percentile(Id, 50)",
        "App | where Id > toscalar(App | summarize avg(Id))", "App | join (App | where Level > 1) on Id",
    ],
)  # fmt: skip
def test_what_needs_all_rows_is_never_partial(tables: StoredTables, text: str) -> None:
    with pytest.raises(WorkbenchError, match="KQL303"):
        run(text, tables, control=Stopping(4, keep_partial=True).control)


def test_nothing_found_yet_is_no_answer(tables: StoredTables) -> None:
    control = Control(parts=TINY, keep_partial=True)
    control.cancel()
    with pytest.raises(WorkbenchError, match="KQL303"):
        run("App | count", tables, control=control)


@pytest.mark.parametrize(("limits", "code"), [(Limits(seconds=0.0), "KQL304"), (Limits(memory=-1), "KQL305")])
def test_limits_stop_a_query(tables: StoredTables, limits: Limits, code: str) -> None:
    with pytest.raises(WorkbenchError, match=code) as caught:
        ask("App | summarize count() by Host", tables, limits=limits)
    assert caught.value.hint
    assert "set " in caught.value.hint


def test_set_options_are_limits(tables: StoredTables) -> None:
    assert len(run("set query_take_max_records = 7; App", tables)) == 7
    cut = run("set truncationmaxrecords=3; App", tables, limit=5)
    assert (len(cut), cut.truncated) == (3, True)
    control = Control()
    run("set max_memory_consumption_per_query_per_node = 123456789; print 1", tables, control=control)
    assert control.limits.memory == 123456789
    control = Control()
    run("set servertimeout = 2h; set notruncation; print 1", tables, control=control)
    assert control.limits.seconds == 3600
    assert control.limits.rows is not None
    assert control.limits.rows > 4_000_000_000
    assert control.limits.memory is not None
