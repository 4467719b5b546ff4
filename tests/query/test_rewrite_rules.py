"""Cases in which a condition, a bound, a limit, a column or a subplan has to have moved, or must not."""

from __future__ import annotations

import polars as pl
import pytest

from workbench.base.dtypes import Column, ScalarType, parse_datetime
from workbench.query.explain import show, text_of
from workbench.query.plan import (
    Filter,
    Join,
    Limit,
    Rel,
    Scan,
    Shared,
    Sort,
    Summarize,
    TopRows,
    Union,
    Values,
    walk,
)
from workbench.query.rewrite import rewritten
from workbench.query.rewrite.conditions import conjuncts
from workbench.query.rewrite.shared import nodes
from workbench.query.run import FrameTables, run
from workbench.query.runner import Runner

T = ScalarType
_TYPES = {
    "k": T.LONG, "n": T.LONG, "r": T.REAL, "s": T.STRING, "d": T.DYNAMIC, "TimeGenerated": T.DATETIME,
    "_Writer": T.INT, "_Sequence": T.LONG,
}  # fmt: skip
_DTYPES = {
    T.LONG: pl.Int64, T.REAL: pl.Float64, T.INT: pl.Int32, T.DATETIME: pl.Datetime("us", "UTC"),
}  # fmt: skip


def _table(names: str) -> tuple[pl.DataFrame, tuple[Column, ...]]:
    schema = tuple(Column(n, _TYPES[n], n.startswith("_")) for n in names.split())
    return pl.DataFrame(schema={c.name: _DTYPES.get(c.type, pl.String) for c in schema}), schema


SOURCE = FrameTables({"A": _table("k n r s d TimeGenerated"), "B": _table("k s TimeGenerated"), "W": _table("k s d TimeGenerated _Writer _Sequence")})  # fmt: skip


def bound(text: str) -> tuple[Rel, tuple[str, ...]]:
    runner = Runner(SOURCE, None, None)
    return rewritten(runner.bind(text, None).rel, runner.fold)


def plan(text: str) -> Rel:
    return bound(text)[0]


def at(rel: Rel, table: str) -> list[str]:
    """The conditions right above the scans of a table."""
    found = []
    for node in nodes(rel):
        if isinstance(node, Filter) and isinstance(node.source, Scan) and node.source.table == table:
            found += [text_of(c) for c in conjuncts(node.condition)]
    return sorted(found)


def scans(rel: Rel, table: str) -> list[Scan]:
    return [n for n in nodes(rel) if isinstance(n, Scan) and n.table == table]


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        ("A | extend x = n + 1 | where x > 3", ["(n + 1) > 3"]),
        ("A | project-rename m = n | where m > 3 and s == 'a'", ["n > 3", "s == 'a'"]),
        ("A | project n, c = 'x' | where c == 'x' and n > 1", ["n > 1"]),
        ("A | sort by n | where k > 1", ["k > 1"]),
        ("A | distinct k, n | where k > 1", ["k > 1"]),
        ("A | summarize c = count() by k, t = bin(TimeGenerated, 1d) | where k > 1 and c > 2", ["k > 1"]),
        ("A | summarize c = count() by r | where r > 1", ["r > 1"]),
        ("A | mv-expand d | where k > 1", ["k > 1"]),
        ("A | mv-apply v = d on (summarize c = count()) | where k > 1 and c > 1", ["k > 1"]),
        ("A | make-series c = count() on TimeGenerated step 1d by k | where k > 1", ["k > 1"]),
        ("A | extend u = tostring(d.u) | where u == 'bob'", ["<path text>(d, ('u'), '(?i)(?:bob|\\\\\\\\u[0-9a-f]{4}|\\\\\\\\/)') == 'bob'"]),
        ("union A, B | where k > 1 and n > 2", ["k > 1", "n > 2"]),
        ("A | join kind=inner B on k | where n > 2", ["n > 2"]),
        ("A | join kind=leftouter B on k | where n > 2", ["n > 2"]),
        ("A | join kind=leftsemi B on k | where n > 2", ["n > 2"]),
        ("A | join kind=leftanti B on k | where n > 2", ["n > 2"]),
        ("A | join B on k | where k > 1", ["k > 1"]),
        ("A | lookup B on k | where n > 2", ["n > 2"]),
        ("A | where n > 1 | where k > 2", ["k > 2", "n > 1"]),
        ("A | where n > 1 and rand() < 2", ["n > 1"]),
        ("A | sample 5 | where n > 1", []),
        ("A | take 5 | where n > 1", []),
        ("A | extend x = rand() | where x > 1", []),
        ("A | extend x = extract('(a+)', 1, s) | where x == 'a'", []),
        ("A | sort by n | extend x = row_number() | where k > 1", []),
        ("A | sort by n | where prev(n) > 1 | where k > 1", []),
        ("A | summarize c = count() by k | where c > 1", []),
        ("A | summarize c = count() by r | where 1 / r > 0", []),
        ("A | mv-expand d | where d == 'a'", []),
        ("A | join B on k | where n > 2", ["n > 2"]),
        ("A | join kind=rightouter B on k | where n > 2", []),
        ("A | join kind=fullouter B on k | where k > 2", []),
        ("A | where assert(n > 0, 'none') | extend x = n | where x > 1", ["n > 1"]),
    ],
)  # fmt: skip
def test_filters_reach_the_table(text: str, conditions: list[str]) -> None:
    assert at(plan(text), "A") == conditions


@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        ("inner", ["k > 1"], ["k > 1"]),
        ("innerunique", ["k > 1"], ["k > 1"]),
        ("leftouter", ["k > 1"], ["k > 1"]),
        ("rightouter", [], []),
        ("fullouter", [], []),
        ("leftsemi", ["k > 1"], ["k > 1"]),
        ("leftanti", ["k > 1"], ["k > 1"]),
        ("rightsemi", ["k > 1"], ["k > 1"]),
        ("rightanti", ["k > 1"], ["k > 1"]),
    ],
)
def test_a_condition_on_the_key_goes_to_both_sides_where_it_may(
    kind: str, left: list[str], right: list[str]
) -> None:
    found = plan(f"A | join kind={kind} B on k | where k > 1")
    assert (at(found, "A"), at(found, "B")) == (left, right)


def test_a_condition_on_the_right_side() -> None:
    for kind in ("inner", "innerunique", "rightouter"):
        assert at(plan(f"A | join kind={kind} B on k | where s1 == 'a'"), "B") == ["s == 'a'"]
    assert at(plan("A | join kind=leftouter B on k | where s1 == 'a'"), "B") == []


def test_a_union_reads_only_the_tables_that_a_condition_leaves() -> None:
    found = plan("union withsource=Tag A, B | where Tag == 'A' | summarize count() by k")
    assert [n.table for n in nodes(found) if isinstance(n, Scan)] == ["A"]
    assert not any(isinstance(n, Union) for n in nodes(found))


def us(text: str) -> int:
    ticks = parse_datetime(text)
    assert ticks is not None
    return ticks // 10


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("A | where TimeGenerated > datetime(2026-01-02)", "2026-01-02", None),
        ("A | where TimeGenerated >= '2026-01-02'", "2026-01-02", None),
        ("A | where TimeGenerated between (datetime(2026-01-02) .. 1d)", "2026-01-02", "2026-01-03"),
        ("A | where TimeGenerated in (datetime(2026-01-05), datetime(2026-01-02))", "2026-01-02", "2026-01-05"),
        ("A | extend t = TimeGenerated | where t < datetime(2026-01-02) + 1d", None, "2026-01-03"),
        ("A | where bin(TimeGenerated, 1h) <= datetime(2026-01-02)", None, "2026-01-02 01:00"),
        ("A | where startofday(TimeGenerated) == datetime(2026-01-02)", "2026-01-02", "2026-01-03"),
        ("A | where TimeGenerated + 1h > datetime(2026-01-02)", "2026-01-01 23:00", None),
        ("A | where datetime(2026-01-03) - TimeGenerated < 1d", "2026-01-02", None),
        ("A | summarize count() by bin(TimeGenerated, 1d) | where TimeGenerated > datetime(2026-01-02)", "2026-01-02", None),
        ("A | join kind=inner B on k | where TimeGenerated > datetime(2026-01-02)", "2026-01-02", None),
        ("union A, B | where TimeGenerated > datetime(2026-01-02)", "2026-01-02", None),
        ("let f = (T:(*)) { T | extend x = 1 }; f(A) | where TimeGenerated > datetime(2026-01-02)", "2026-01-02", None),
        ("A | where TimeGenerated > datetime(2026-01-02) or k == 1", None, None),
        ("A | where TimeGenerated > datetime(2026-01-02) or TimeGenerated > datetime(2026-01-04)", "2026-01-02", None),
        ("A | where startofday(TimeGenerated, -1) == datetime(2026-01-02)", None, None),
        ("A | where dayofweek(TimeGenerated) == 1d", None, None),
        ("A | sort by TimeGenerated asc | extend p = prev(n) | where TimeGenerated > datetime(2026-01-02)", None, None),
        ("A | take 9 | where TimeGenerated > datetime(2026-01-02)", None, None),
    ],
)  # fmt: skip
def test_time_ranges_reach_the_table(text: str, low: str | None, high: str | None) -> None:
    (scan,) = scans(plan(text), "A")
    assert scan.time_range == (low and us(low), high and us(high))


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("A | join kind=inner B on k | project n", "k n"),
        ("A | join kind=leftsemi B on k | project n", "k n"),
        ("union A, B | summarize count() by s", "s"),
        ("union A, B | count", "k"),
        ("A | summarize arg_max(TimeGenerated, *) by k | project k, n", "k n TimeGenerated"),
        ("A | summarize a = max(n), b = make_list(s) by k | project a", "k n"),
        ("A | distinct k, n | project k", "k n"),
        ("A | mv-apply v = d on (summarize c = count()) | project k, c", "k d"),
        ("A | make-series c = count(), m = max(n) on TimeGenerated step 1d by k | project k, c", "k TimeGenerated"),
        ("A | sort by n asc | scan with (step one: k > 1) | project s", "k n s"),
        ("A | partition by k (top 1 by n) | project s", "k n s"),
        ("A | sample 4 | project s", "s"),
        ("A | evaluate bag_unpack(d) : (*, u: string) | project u, k", "k d"),
        ("A | top-nested 2 of k by max(n)", "k n"),
        ("A | evaluate ipv4_lookup(B, s, s) | project n", "n s"),
        ("A | sort by k asc | evaluate rows_near(n == 1, 1) | project s", "k n s"),
        ("A | reduce by s", "s"),
        ("let X = A | where n > 1 | summarize c = count(), m = max(r) by k, s; X | join kind=inner (X | project k, c) on k | project s, c1", "k n s"),
    ],
)  # fmt: skip
def test_only_needed_columns_are_read(text: str, columns: str) -> None:
    assert {n for scan in scans(plan(text), "A") for n in scan.names()} == set(columns.split())


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("A | where true and n > 1", "n > 1"),
        ("A | where n > 1 or 1 == 2", "n > 1"),
        ("A | where not(not(n > 1))", "n > 1"),
        ("A | where not(isempty(s))", "isnotempty(s)"),
        ("A | where iff('a' == 'a', n > 1, k > 1)", "n > 1"),
        ("A | where case(false, k > 1, 1 < 2, n > 1, k > 2)", "n > 1"),
        ("A | where case(k == 1, k > 1, 1 > 2, n > 1, k > 2)", "iff(k == 1, k > 1, k > 2)"),
        ("A | where n > 1 + 1", "n > 2"),
        ("A | where not(n > 1)", "not(n > 1)"),
    ],
)
def test_constants_are_decided(text: str, condition: str) -> None:
    assert at(plan(text), "A") == [condition]


@pytest.mark.parametrize(
    "text",
    [
        "A | where false",
        "A | where n > 1 and 'a' == 'b'",
        "A | take 0",
        "A | where bool(null) | extend x = 1 | sort by n | distinct x",
        "A | where false | join kind=leftouter B on k",
        "A | join kind=inner (B | take 0) on k",
        "A | where false | summarize count() by k",
        "union (A | where false), (B | take 0)",
        "A | extend c = 'x' | where c == 'y'",
    ],
)
def test_what_has_no_rows_reads_no_table(text: str) -> None:
    rel = plan(text)
    assert isinstance(rel, Values)
    assert rel.rows == ()
    assert run(text, SOURCE).columns == [c.name for c in rel.schema if not c.hidden]


def test_a_count_of_nothing_is_a_row() -> None:
    assert run("A | where false | count", SOURCE).exact.rows() == [(0,)]
    assert run("A | where false | summarize n = count(), m = max(n) | extend x = 1", SOURCE).exact.rows() == [
        (0, None, 1)
    ]


def test_limits_go_down() -> None:
    rel = plan("union A, B | extend x = 1 | take 5 | take 3")
    limits = [n for n in nodes(rel) if isinstance(n, Limit)]
    assert sorted(n.count for n in limits) == [3, 3, 3]
    assert sum(isinstance(n.source, Scan) for n in limits) == 2
    assert isinstance(plan("A | sort by n asc | extend x = next(n) | take 2"), Limit)
    source = FrameTables({"N": (pl.DataFrame({"n": [1, 2, 3]}), (Column("n", T.LONG),))})
    rows = run("N | sort by n asc | extend x = next(n) | take 2", source).exact.rows()
    assert rows == [(1, 2), (2, 3)]


@pytest.mark.parametrize(
    ("text", "sorts"),
    [
        ("A | sort by n | summarize count() by k", 0),
        ("A | sort by n | where k > 1 | extend x = 1 | distinct x, k", 0),
        ("A | sort by n | join kind=inner (B | sort by k) on k", 0),
        ("A | sort by n | summarize make_list(s) by k", 1),
        ("A | sort by n | summarize take_any(s) by k", 1),
        ("A | sort by n | extend x = row_number() | summarize max(x) by k", 1),
        ("A | sort by n | take 3 | summarize count() by k", 1),
    ],
)
def test_orders_that_nobody_sees_go(text: str, sorts: int) -> None:
    assert sum(isinstance(n, Sort) for n in nodes(plan(text))) == sorts


def test_projections_become_one() -> None:
    rel = plan(
        "A | extend a = n + 1 | extend b = a * 2 | project-away d | extend c = strcat(s, 'x') | project b, c"
    )
    assert show(rel) == "Project b = (n + 1) * 2, c = strcat(s, 'x')\n  Scan A [n, s]"
    twice = plan("A | extend a = extract('(x)', 1, s) | project b = strcat(a, a)")
    assert show(twice).count("extract(") == 1


def test_wide_rows_of_a_top_are_fetched_late() -> None:
    assert any(isinstance(n, TopRows) for n in nodes(plan("W | extend x = k + 1 | where x > 1 | top 5 by TimeGenerated")))  # fmt: skip


# ---- what is computed once --------------------------------------------------------------------

TWICE = "let X = A | where n > 1 | summarize c = count() by k; X | join kind=inner (X | where c > 1) on k"


@pytest.mark.parametrize(
    "text",
    [
        TWICE,
        "let f = () { A | where n > 1 | summarize c = count() by k }; f() | join kind=inner (f() | where c > 1) on k",
        "let X = materialize(A | where n > 1); X | join kind=inner (X | where k > 1) on k",
        "A | summarize c = count() by k | as X | union (X | where c > 1)",
    ],
)
def test_a_relation_with_two_readers_is_computed_once(text: str) -> None:
    rel, fired = bound(text)
    assert len({id(n) for n in walk(rel) if isinstance(n, Shared)}) == 1
    assert len(scans(rel, "A")) == 1
    assert "compute once" in fired


@pytest.mark.parametrize(
    "text",
    [
        "let X = A | where n > 1; X | where k == 1 | join kind=inner (X | where k == 2) on n",
        "let X = materialize(A | summarize c = count() by k); X",
        "A | summarize c = count() by k | join kind=inner (A | summarize c = sum(n) by k) on k",
        "let X = A | sample 3 | summarize c = count() by k; X | join kind=inner X on k",
    ],
)
def test_rows_that_are_only_passed_on_are_not_held(text: str) -> None:
    assert not any(isinstance(n, Shared) for n in walk(plan(text)))


def test_a_condition_of_all_readers_goes_into_what_they_share() -> None:
    text = "let X = A | summarize c = count() by k, s; X | where k > 1 and c > 1 | join kind=inner (X | where k > 1 and c > 2) on k"  # fmt: skip
    rel = plan(text)
    assert at(rel, "A") == ["k > 1"]
    (shared,) = {id(n): n for n in walk(rel) if isinstance(n, Shared)}.values()
    assert isinstance(shared.source, Summarize)
    join = next(n for n in nodes(rel) if isinstance(n, Join))
    assert [text_of(n.condition) for n in join.inputs if isinstance(n, Filter)] == ["c > 1", "c > 2"]


ROWS = FrameTables({"A": (pl.DataFrame({"k": [1, 1, 2], "n": [5, 6, 7]}), (Column("k", T.LONG), Column("n", T.LONG)))})  # fmt: skip


def test_shared_rows_are_right() -> None:
    found = run(f"{TWICE} | sort by k asc", ROWS).exact.rows()
    assert found == [(1, 2, 1, 2)]


@pytest.mark.parametrize(
    "text",
    [
        "let X = materialize(range x from 1 to 9 step 1 | extend r = rand()); X | join kind=inner X on x | where r != r1",
        "let X = materialize(range x from 1 to 999 step 1 | sample 5); X | join kind=leftanti X on x",
        "let X = materialize(print r = rand()); let a = toscalar(X); X | where r != a",
        "let X = materialize(print g = new_guid()); X | union X | summarize n = dcount(g) | where n != 1",
    ],
)
def test_materialize_is_evaluated_once(text: str) -> None:
    assert run(text, ROWS).exact.height == 0


def test_materialize_is_read_by_the_borders_too() -> None:
    text = "let X = materialize(A | summarize s = sum(n) by k); let t = toscalar(X | summarize sum(s)); X | extend p = s * 100 / t | sort by k asc"  # fmt: skip
    runner = Runner(ROWS, None, None)
    rel = runner.bind(text, None).rel
    assert list(runner.kept) == [1]
    assert runner.run(rel)[0].rows() == [(1, 11, 61), (2, 7, 38)]


def test_borders_keep_to_the_time_of_the_query() -> None:
    frame = pl.DataFrame({"TimeGenerated": pl.Series([0, 10**6 * 86_400 * 9]).cast(pl.Datetime("us", "UTC"))})
    source = FrameTables({"A": (frame, (Column("TimeGenerated", T.DATETIME),))})
    found = run("print n = toscalar(A | count)", source, timespan="1970-01-05T00:00:00Z/1970-02-01T00:00:00Z")
    assert found.exact.rows() == [(1,)]
