"""Queries over shredded columns give what the same rows give as plain JSON text."""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import workbench
from workbench.base.dtypes import Column, ScalarType
from workbench.base.json_values import dumps, loads
from workbench.query.backends.polars import shredded_in
from workbench.query.frames import FrameTables, Tables
from workbench.query.functions._shredded import from_place
from workbench.query.functions.forms import canonical, converted
from workbench.query.lowering import Value
from workbench.query.plan import Scan, walk
from workbench.query.rewrite import rewrite
from workbench.query.rewrite.shredded import use_shredded
from workbench.query.run import run
from workbench.query.runner import Runner
from workbench.repository import shredding
from workbench.workspace import StoredTables, Workspace

T = ScalarType
SCHEMA = (Column("TimeGenerated", T.DATETIME), Column("K", T.LONG), Column("D", T.DYNAMIC))
START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)

run("print 1", FrameTables({}))  # deep queries raise the recursion limit, which hypothesis watches

TEXTS = st.one_of(
    st.sampled_from(["bob", "Bob", "", "true", "12", "1.5", "0x1f", "2020-01-01T00:00:00Z", "1d", "[1]", "é\n", 'q"\\']),
    st.text(max_size=4),
)  # fmt: skip
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.sampled_from([2**31, -(2**63), 2**63, 1e20, -0.0, 2.5]), TEXTS
)  # fmt: skip
# One kind a key in most rows, so that there are columns of each kind, and other kinds now and then.
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "s": TEXTS, "i": st.integers(-5, 2**40), "b": st.booleans(), "f": st.floats(allow_nan=False, allow_infinity=False),
    "o": st.fixed_dictionaries({"p": TEXTS}, optional={"q": LEAVES}), "l": st.lists(LEAVES, max_size=3), "x": LEAVES,
}  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> str | None:
    way = draw(st.integers(0, 15))
    if way == 0:
        return draw(
            st.sampled_from(
                [None, "", '"text"', "[1,2]", "7", '{"s":"a","s":"b"}', "{}", '{"i":1e2,"S":"x"}']
            )
        )
    value = draw(st.fixed_dictionaries({}, optional=KINDS))
    if way == 1:
        value[draw(st.sampled_from(list(KINDS)))] = draw(LEAVES)
    return json.dumps(value, ensure_ascii=way % 2 == 0)


# ---- one column -----------------------------------------------------------------------------

CELLS: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXTS, "long": st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-2, 2)), "bool": st.booleans(),
    "real": st.floats(allow_nan=False, allow_infinity=False), "json": LEAVES.map(dumps),
}  # fmt: skip
DTYPES = {
    "string": pl.String(),
    "long": pl.Int64(),
    "bool": pl.Boolean(),
    "real": pl.Float64(),
    "json": pl.String(),
}


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(st.sampled_from(list(CELLS)), st.data())
def test_each_kind_as_each_type(kind: str, data: st.DataObject) -> None:
    cells = data.draw(st.lists(st.one_of(st.none(), CELLS[kind]), min_size=1, max_size=6))
    texts = cells if kind == "json" else [dumps(c) for c in cells]
    frame = pl.DataFrame(
        {"c": pl.Series(cells, dtype=DTYPES[kind], strict=True), "t": pl.Series(texts, dtype=pl.String)}
    )
    for to in T:
        found = frame.select(from_place(pl.col("c"), kind, ("a",), to).alias("v"))["v"]
        expected = frame.select(canonical(converted(Value(pl.col("t"), T.DYNAMIC), to)).alias("v"))["v"]
        assert found.dtype == expected.dtype
        if to is T.STRING:
            found = found.fill_null("")
        assert list(map(repr, found.to_list())) == list(map(repr, expected.to_list())), (kind, to, cells)


def test_where_there_is_no_value() -> None:
    frame = pl.DataFrame({"c": [None, '{"a":{"b":"x"}}', '{"a":1}']}, schema={"c": pl.String})
    for to in T:
        nothing = frame.select(pl.col("c"), from_place(pl.col("c"), "null", ("a",), to).alias("v"))["v"]
        assert nothing.null_count() == 3
    inner = frame.select(from_place(pl.col("c"), "rest", ("a", "b"), T.STRING))
    assert inner.to_series().to_list() == ["", "x", ""]


# ---- whole queries --------------------------------------------------------------------------

QUERIES = [
    "T | summarize n = count() by v = tostring(D.s)",
    "T | summarize n = count(), m = max(toint(D.i)), d = dcount(tostring(D.o.p)) by tostring(D.b)",
    "T | where D.s == 'bob' or D.o.p =~ 'BOB' | project K, D.x",
    "T | where D.i > 1 and D.b == true | project K, f = todouble(D.f), D.l[0], D.l[-1], D.o, D.nothing",
    "T | where D.s != 'bob' | project K, D.s, n = isnull(D.x), e = isempty(D.s), g = gettype(D.i)",
    "T | extend o = D.o, s = tostring(D.s) | where s has 'bob' or o.p in ('12', 'Bob') | project K, s, o.q, o.q.z",
    "T | extend P = parse_json(D) | project-rename R = P | where tolong(R.i) in (1, 2) | project K, R.s, R",
    "T | where D.x contains 'o' | top 3 by K desc | project K, D.x, tostring(D.f)",
    "T | top 4 by tostring(D.s) asc, K asc | project K, D",
    "union T, (T | where D.b == false) | summarize c = countif(D.i == 1), l = make_set(tostring(D.x)) by tostring(D.o.q)",
    "T | project K, a = todatetime(D.s), b = totimespan(D.s), c = tobool(D.x), d = todecimal(D.x), e = toguid(D.s)",
    "T | where D.s in ('bob', '12') or D.S == 'x' | distinct tostring(D.s), tostring(D.S)",
    "let A = T | where D.i >= 0; A | join kind=inner (A | project K, w = tostring(D.s)) on K | project K, w, D.i",
    "T | mv-expand e = D.l | project K, e, D.s",
    "T | extend D = D.o | project K, D.p, D.q",
    "T | summarize arg_max(K, *) by tostring(D.s) | project K, tostring(D.i)",
    "T | sort by K asc | extend before = prev(D.s) | where D.i < 3 | project K, before",
    "T | where D.s startswith D.o.p | project K, strcat(D.s, '|', D.i), D.b == D.x, D.i + 1",
    "T | where tostring(D.o) has 'p' | count",
    "T | where tostring(D.x) in ('1E+20', '2.5', 'true', '-9223372036854775808', '2147483648') | project K, D.x",
    "T | where D.x == '1E+20' or D.l has '2' or D.f has '0' or D.x startswith '9223' | project K",
]  # fmt: skip


def _rows(frame: pl.DataFrame, ordered: bool = False) -> list[str]:
    rows = [repr([sorted(map(repr, c)) if isinstance(c, list) else c for c in r]) for r in frame.rows()]
    return rows if ordered else sorted(rows)


def _sets(query: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Sets in one order."""
    if "make_set" not in query:
        return frame
    ordered = pl.Series("l", [dumps(sorted(loads(v), key=repr)) for v in frame["l"].to_list()], pl.String)
    return frame.with_columns(ordered)


def _frame(texts: list[str | None], first: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "TimeGenerated": [START + dt.timedelta(hours=7 * (first + i)) for i in range(len(texts))],
            "K": list(range(first, first + len(texts))),
            "D": texts,
        },
        schema={"TimeGenerated": pl.Datetime("us", "UTC"), "K": pl.Int64, "D": pl.String},
    )


def _fill(workspace: Workspace, batches: list[tuple[list[str | None], str]]) -> pl.DataFrame:
    """Batches appended, each with what is done to the table afterwards; all rows."""
    frames, count = [], 0
    manifest = Path(workspace.path, "tables", "T", "_shredded.json")
    for texts, then in batches:
        frames.append(_frame(texts, count))
        count += len(texts)
        workspace.repository.append("T", frames[-1], {"D": T.DYNAMIC, "K": T.LONG})
        if then == "compact":
            workspace.repository.compact("T")
        elif then == "forget":
            manifest.unlink(missing_ok=True)
        elif then == "stale" and manifest.exists():
            old = manifest.read_bytes()
            workspace.repository.compact("T")
            manifest.write_bytes(old)
    return pl.concat(frames)


def _check(batches: list[tuple[list[str | None], str]], most: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(shredding, "_MOST", most)
        patch.setattr(shredding, "_REST_SHARE", 1.0)
        patch.setattr(shredding, "_REST_LIMIT", 9.0)
        workspace = workbench.open(folder, create=True)
        frame = _fill(workspace, batches)
        plain = FrameTables({"T": (frame, SCHEMA)})
        for query in QUERIES:
            found, expected = workspace.query(query), run(query, plain)
            assert found.types == expected.types
            ordered = "top" in query or "sort" in query
            assert _rows(_sets(query, found.exact), ordered) == _rows(
                _sets(query, expected.exact), ordered
            ), query


BATCHES = st.lists(
    st.tuples(st.lists(documents(), min_size=1, max_size=6), st.sampled_from(["", "compact", "compact", "forget", "stale"])),
    min_size=1,
    max_size=4,
)  # fmt: skip
KINDS_DIFFER: list[tuple[list[str | None], str]] = [
    (['{"s":"bob","i":1,"o":{"p":"x"},"l":[1]}', '{"s":"12","b":true}'], "compact"),
    (['{"s":12,"i":"1","o":"bob","f":1.0}', None], "compact"),
    (['{"s":{"t":1},"x":"bob","o":{"p":"12"}}', '{"s":"bob"}'], ""),
]


@pytest.mark.slow
def test_kinds_that_differ_from_file_to_file() -> None:
    _check(KINDS_DIFFER, 64)


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BATCHES, st.sampled_from([1, 3, 64]))
@example(KINDS_DIFFER, 2)
def test_rows_are_the_same_with_and_without(batches: list[tuple[list[str | None], str]], most: int) -> None:
    _check(batches, most)


# ---- what is read ---------------------------------------------------------------------------


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = workbench.open(str(tmp_path / "ws"), create=True)
    rows = [json.dumps({"s": "bob", "i": i, "n": {"deep": "d"}, "long": "z" * 5000}) for i in range(40)]
    _fill(made, [(list(rows), "compact")])
    return made


def _scans(source: Tables, query: str) -> list[Scan]:
    runner = Runner(source, None, None)
    plan = rewrite(use_shredded(runner.bind(query, None).rel, shredded_in(source)), runner.fold)
    return [r for r in walk(plan) if isinstance(r, Scan)]


@pytest.mark.parametrize(
    "query",
    [
        "T | summarize count() by tostring(D.s)",
        "T | where D.s == 'bob' | project K",
        "T | extend s = D.n | where s.deep has 'd' | summarize sum(toint(D.i))",
        "T | where D.never == 'x' | count",
        "T | where D.s =~ 'BOB' | top 3 by toint(D.i) | project K, D.s",
        "union T, T | summarize count() by tostring(D.s)",
        "T | as X | project-rename E = D | where E.i between (1 .. 3) | project E.s",
    ],
)
def test_the_wide_text_is_not_read(query: str, workspace: Workspace) -> None:
    whole = workspace.query(query).exact.height
    # All but a few bytes of the column are its text.
    files = workspace.repository.scan("T").files
    for file in files:
        pl.read_parquet(file, hive_partitioning=False).drop("D").write_parquet(file)
    assert workspace.query(query).exact.height == whole
    assert all(s.column("D") is None for s in _scans(StoredTables(workspace.repository), query))


@pytest.mark.parametrize("query", ["T | project D.n", "T | where D.long has 'zz' | count", "T | project D"])
def test_what_only_the_text_has_is_read_from_it(query: str, workspace: Workspace) -> None:
    scans = _scans(StoredTables(workspace.repository), query)
    assert [(s.paths, s.column("D") is not None) for s in scans] == [((), True)]


def test_a_source_without_such_files_is_left_alone() -> None:
    plain = FrameTables({"T": (_frame(['{"s":"bob"}'], 0), SCHEMA)})
    assert [s.paths for s in _scans(plain, "T | where D.s == 'bob'")] == [()]


def test_a_name_that_is_taken(tmp_path: Path) -> None:
    made = workbench.open(str(tmp_path / "ws"), create=True)
    odd = "D.s as string"
    made.repository.append(
        "T", pl.DataFrame({"D": ['{"s":"x"}'], odd: ["own"], "D.s": ["b"]}), {"D": T.DYNAMIC}
    )
    made.repository.compact("T")
    assert made.query(f"T | project ['{odd}'], tostring(D['s']), ['D.s']").exact.rows() == [("own", "x", "b")]


def test_a_filter_reaches_the_files(workspace: Workspace) -> None:
    assert 'SELECTION: col("D.s") == "bob"' in workspace.explain("T | where D.s == 'bob' | project K")
