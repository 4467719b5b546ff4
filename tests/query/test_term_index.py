"""The term index and queries: what it drops never holds a row that a query would find."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from workbench.base.dtypes import Column, ScalarType, Schema
from workbench.base.terms import AllOf, Terms, leaves
from workbench.query.frames import FrameTables
from workbench.query.plan import Scan, walk
from workbench.query.rewrite import rewrite
from workbench.query.rewrite.regex_terms import regex_terms
from workbench.query.run import run
from workbench.query.runner import Runner
from workbench.repository.terms import hash_of, hashes_of_file
from workbench.workspace import StoredTables, Workspace
from workbench.workspace import open as open_workspace

T = ScalarType
SCHEMA: Schema = (Column("s", T.STRING), Column("d", T.DYNAMIC))
run("print 1", FrameTables({}))  # deep queries raise the recursion limit, which hypothesis watches

PIECES = st.sampled_from(
    ["foo", "FOO", "Task", "task", "n", "b", "u0041", "7", "12", "1.50", "1e3", "ſ", "\u212a", "İ", "ı", "é", "ß",
     "\u0301", "٣", "_", "-", " ", "\n", "\t", "\\", "\\n", "/", '"', ".", ":", "{", "\x01", "\u2028", "C:\\new",
     "\nfoo", "\ttab ", "ta\u017fk", "\u212aey"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=6).map("".join)
REALS = st.floats(allow_nan=False).map(repr).map(lambda t: t if "inf" not in t else "1e400")
NUMBERS = st.one_of(
    st.integers(-(2**66), 2**66).map(str),
    REALS,
    st.tuples(st.integers(0, 10**18), st.integers(0, 10**18), st.integers(0, 4)).map(
        lambda t: f"{t[0]}.{t[1]}{'0' * t[2]}"
    ),
    st.tuples(st.integers(0, 999), st.integers(-25, 25)).map(lambda t: f"{t[0]}e{t[1]}"),
)


def _escaped(text: str, way: int) -> str:
    """A JSON string as somebody may write it."""
    if way == 0:
        return json.dumps(text, ensure_ascii=False)
    if way == 1:
        return json.dumps(text).replace("/", "\\/")
    units = text.encode("utf-16-be")
    long = "".join(f"\\u{units[i]:02x}{units[i + 1]:02X}" for i in range(0, len(units), 2))
    return f'"{long}"' if way == 2 else f'"{long[:6]}{json.dumps(text[1:])[1:-1]}"'


@st.composite
def written(draw: st.DrawFn) -> str:
    """JSON of a bag, or of something else, or no JSON."""
    value = draw(st.one_of(NUMBERS, st.builds(_escaped, TEXTS, st.integers(0, 3)), st.just("true")))
    way = draw(st.integers(0, 5))
    if way == 0:
        return value
    if way == 1:
        return draw(TEXTS)
    if way == 2:
        return f'\n {{ "b" : [1, {{"c": 1}}], "a" :{value}}}'
    if way == 3:
        return f'{{"a":{{"a":{value},"b":"x"}}}}'
    return f'{{"a":{value}}}'


OF_TEXT = ("s", "tolower(s)", "parse_json(s).a", "v.a", "v")
OF_JSON = ("d", "tostring(d)", "d.a", "tostring(d.a)", "d.a.a", "d['b'][0]", "w")
TESTS = ("has", "has", "has_cs", "==", "=~", "contains", "startswith", "endswith_cs", "hasprefix", "hassuffix_cs", "!has", "!=",
         "!~")  # fmt: skip
LISTS = ("in", "in~", "has_any", "has_all")


def literal(text: str) -> str:
    return json.dumps(text)


@st.composite
def conditions(draw: st.DrawFn, rows: list[tuple[str, str]], depth: int = 2) -> str:
    if depth and draw(st.integers(0, 2)) == 0:
        how = draw(st.sampled_from(["and", "or", "not"]))
        left = draw(conditions(rows, depth - 1))
        return f"not({left})" if how == "not" else f"({left}) {how} ({draw(conditions(rows, depth - 1))})"
    text, written = draw(st.sampled_from(rows))
    whole, subjects = draw(st.sampled_from([(text, OF_TEXT), (written, OF_JSON)]))
    subject = draw(st.sampled_from(subjects))
    if draw(st.integers(0, 3)) == 0:
        sought = [_part(draw, whole) for _ in range(draw(st.integers(1, 3)))]
        return f"{subject} {draw(st.sampled_from(LISTS))} ({', '.join(map(literal, sought))})"
    if draw(st.integers(0, 6)) == 0:
        return f"{subject} matches regex {literal('(?i)' + re.escape(_part(draw, whole)))}"
    return f"{subject} {draw(st.sampled_from(TESTS))} {literal(_part(draw, whole))}"


def _part(draw: st.DrawFn, whole: str) -> str:
    """A text to look for: often what is there, as it stands or as it is read."""
    try:
        value = json.loads(whole)
        inner = value.get("a") if isinstance(value, dict) else value
        read = inner if isinstance(inner, str) else json.dumps(inner)
    except ValueError:
        read = whole
    plain = read.replace("\u017f", "s").replace("\u212a", "k").replace("\u0130", "i")
    chosen = draw(st.sampled_from([whole, read, plain, plain.swapcase(), draw(TEXTS)]))
    words = re.findall(r"[^\W_]+", chosen) or [chosen]
    found = draw(st.sampled_from([chosen, *words[:4]]))
    return found.encode("utf-8", "replace").decode()[:200]


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[tuple[str, str]], str]:
    rows = draw(st.lists(st.tuples(st.one_of(TEXTS, written()), written()), min_size=1, max_size=2))
    query = f"T | extend v = parse_json(s), w = tostring(d.a) | where {draw(conditions(rows))} | project s, d"
    return rows, query


def terms_of(query: str, tables: Any) -> Terms | None:
    """What the query asks of the files of its one scan."""
    runner = Runner(tables, None, None)
    scans = [r for r in walk(rewrite(runner.bind(query, None).rel, runner.fold)) if isinstance(r, Scan)]
    assert len(scans) <= 1
    return scans[0].terms if scans else None


def holds(terms: Terms, hashes: set[int]) -> bool:
    if isinstance(terms, str):
        return hash_of(terms) in hashes
    return (all if isinstance(terms, AllOf) else any)(holds(p, hashes) for p in terms.parts)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    made = tempfile.mkdtemp()
    yield Path(made)
    shutil.rmtree(made)


MANY = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


def _check(rows: list[tuple[str, str]], query: str, folder: Path) -> None:
    rows = [(s, d.encode("utf-8", "replace").decode()) for s, d in rows]
    frame = pl.DataFrame(rows, {"s": pl.String, "d": pl.String}, orient="row")
    tables = FrameTables({"T": (frame, SCHEMA)})
    terms = terms_of(query, tables)
    if terms is not None and run(query, tables).frame.height:
        path = folder / "rows.parquet"
        frame.write_parquet(path)
        hashes = set(hashes_of_file(str(path), {"s": False, "d": True}).to_list())
        assert holds(terms, hashes), (query, terms)


@pytest.mark.slow
@settings(MANY, max_examples=150)
@given(cases())
@example(([("", '{"a":"x\\nfoo"}')], 'T | where d.a has "foo"'))
@example(([("", '{"a":"x\\u000afoo"}')], 'T | where tostring(d) has "nfoo"'))
@example(([("", '{"a":"\\u0066oo"}')], 'T | where d.a == "foo"'))
@example(([("", '{"a":"ta\\u017fk"}')], 'T | where d.a has "task"'))
@example(([("taſk \u212ait", "")], 'T | where s has_all ("task", "kit")'))
@example(([("İfoo", "")], 'T | where s has "foo" or tolower(s) has "foo"'))
@example(([("", '{"a":1.50}')], 'T | where tostring(d.a) endswith ".5" and d has "5"'))
@example(([("", '{"a":1e3}')], 'T | where tostring(d.a) == "1000.0"'))
@example(([("", '{"a":12345678901234567890123}')], 'T | where tostring(d.a) has "22"'))
@example(([("", '{"a":1e400}')], 'T | where tostring(d.a) has "Infinity"'))
@example(([("foo_bar", "")], 'T | where s has "bar"'))
@example(([('{"a":"\\tfoo"}', "")], 'T | extend v = parse_json(s) | where v.a has "foo"'))
@example(([("", '{"a":"{\\"a\\":\\"\\\\nfoo\\"}"}')], 'T | where parse_json(tostring(d.a)).a has "foo"'))
def test_a_row_that_is_found_lies_in_a_file_that_is_kept(
    folder: Path, case: tuple[list[tuple[str, str]], str]
) -> None:
    _check(*case, folder)


@pytest.mark.slow
@settings(MANY, max_examples=4000)
@given(cases())
def test_many_rows_that_are_found_lie_in_files_that_are_kept(
    folder: Path, case: tuple[list[tuple[str, str]], str]
) -> None:
    _check(*case, folder)


# ---- what a query asks ----------------------------------------------------------------------------

WIDE: Schema = (
    *SCHEMA, Column("TimeGenerated", T.DATETIME), Column("n", T.LONG), Column("r", T.REAL), Column("g", T.GUID),
    Column("c", T.DECIMAL), Column("f", T.BOOL), Column("p", T.TIMESPAN),
)  # fmt: skip


@pytest.fixture(scope="module")
def tables() -> FrameTables:
    frame = pl.DataFrame(schema={c.name: pl.String for c in WIDE})
    return FrameTables({"T": (frame, WIDE)})


@pytest.mark.parametrize(
    ("condition", "asked"),
    [
        ("s has 'Foo-bar'", "(foo and bar)"),
        ("s has 'foo' and s == 'a b'", "(foo and a and b)"),
        ("s has 'foo' or d has 'b'", "(foo or b)"),
        ("s has 'foo' or strlen(s) > 3", "None"),
        ("s has 'foo' and strlen(s) > 3", "'foo'"),
        ("s !has 'foo' or s !in ('b') or not(s has 'c')", "None"),
        ("s != 'foo' and s !~ 'foo'", "None"),
        ("s in~ ('a b', 'C')", "((a and b) or c)"),
        ("s in ('a', '')", "None"),
        ("s has_any ('a', 'b')", "(a or b)"),
        ("s has_any ('a', s)", "None"),
        ("s has_all ('a', 'b c')", "(a and b and c)"),
        ("s contains 'a b c'", "'b'"),
        ("s startswith 'a b c'", "(a and b)"),
        ("s endswith 'a b c'", "(b and c)"),
        ("s hasprefix 'a b'", "'a'"),
        ("s hassuffix 'a b'", "'b'"),
        ("s contains 'abc'", "None"),
        ("s matches regex 'the foo,? bar is'", "'bar'"),
        ("s has 'é' or s has 'b'", "None"),
        ("s has 'xé foo éy b'", "(foo and b)"),
        ("s has ''", "None"),
        ("s has 12", "'12'"),
        ("d.x.y == 'foo' or 'bar' == tostring(d['z'])", "(foo or bar)"),
        ("d.x == 5", "None"),
        ("tolower(s) == 'foo'", "'foo'"),
        ("toupper(s) == 'FOO'", "None"),
        ("strcat(s, 'foo') has 'foo'", "None"),
        ("substring(s, 2) has 'foo'", "None"),
        ("g == guid(d3b07384-d113-edec-49ea-a6238ad5ff00)", "(d3b07384 and d113 and edec and 49ea and a6238ad5ff00)"),
        ("g == 'd3b07384d113edec49eaa6238ad5ff00'", "None"),
        ("n == 5 and r == 1.5", "None"),
        ("tostring(n) has 'foo'", "nothing"),
        ("tostring(n) has 'foo' or s has 'b'", "'b'"),
        ("* has 'q7'", "'q7'"),
        ("* has '7'", "None"),
        ("s has 'foo' and rand() < 2", "'foo'"),
        ("s has strcat('fo', 'o')", "'foo'"),
        ("parse_json(s).a has 'foo'", "'foo'"),
        ("parse_json(tostring(d.a)).b has 'foo'", "None"),
    ],
)  # fmt: skip
def test_what_a_condition_asks_of_a_file(condition: str, asked: str, tables: FrameTables) -> None:
    assert repr(terms_of(f"T | where {condition}", tables)) == asked


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("T | project x = s | where x has 'foo'", "'foo'"),
        ("T | extend x = strcat(s, 'a') | where x has 'foo' and s has 'b'", "'b'"),
        ("T | extend x = parse_json(s) | extend y = tostring(x.a) | where y == 'foo'", "'foo'"),
        ("T | extend x = tostring(d.a) | where parse_json(x).b == 'foo'", "None"),
        ("T | where s has 'foo' | summarize count() by s | where s has 'bar'", "(foo and bar)"),
        ("T | take 5 | where s has 'foo'", "None"),
        ("T | top 5 by n | where s has 'foo'", "None"),
        ("T | serialize x = prev(s) | where s has 'foo'", "None"),
        ("T | where s has 'foo' | serialize x = prev(s)", "'foo'"),
        ("search 'foo-bar'", "(foo and bar)"),
        ("search s:'foo' or d:'bar'", "(foo or bar)"),
        ("search in (T) 'foo*'", "None"),
        (f"T | where s in ({', '.join(repr(f'w{i}') for i in range(300))})", "None"),
    ],
)
def test_what_a_query_asks_of_a_file(query: str, asked: str, tables: FrameTables) -> None:
    assert repr(terms_of(query, tables)) == asked


@settings(MANY, max_examples=150)
@given(
    st.lists(
        st.sampled_from(["foo", "bar", "a", " ", ",", "_", r"\b", r"\s+", r"\.", ".", "[a-c]", "(x|y)?", "(?:foo )", "+",
                         "*", "?", "{2}", "^", "$", r"\d", r"\w*", "é", "[^]a]", r"\/", "(?i)", r"\n", "-"]),
        max_size=7,
    ).map("".join),
    st.lists(st.sampled_from(["foo", "bar", "a", "b", " ", ",", "_", ".", "x", "é", "7", "/", "\n", "aa", "-"]), max_size=9)
    .map("".join),
)  # fmt: skip
@example("foo+ bar", "fooo bar")
@example(r"\bfoo\b", "foo-a")
@example("foo *bar a", "foobar a")
def test_the_terms_of_a_regular_expression_are_in_what_it_matches(pattern: str, text: str) -> None:
    terms = regex_terms(pattern)
    series = pl.Series([text])
    try:
        matched = bool(series.str.contains(pattern)[0])
    except pl.exceptions.PolarsError:
        return
    if matched and terms is not None:
        assert set(leaves(terms)) <= set(re.findall("[0-9a-z]+", text.lower()))


# ---- a workspace ----------------------------------------------------------------------------------


class Unindexed(StoredTables):
    """The same tables, of a source that knows nothing of terms."""

    holding = None  # type: ignore[assignment]


def _fill(workspace: Workspace, texts: list[str]) -> None:
    for number, text in enumerate(texts):
        day = f"2024-01-{number + 1:02}T00:00:00Z"
        frame = pl.DataFrame(
            {"TimeGenerated": [day] * 2, "s": [text, "common"], "d": [json.dumps({"a": text}), None]}
        )
        workspace.repository.append("T", frame, {"d": T.DYNAMIC, "TimeGenerated": T.DATETIME})


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = open_workspace(str(tmp_path / "ws"), create=True)
    _fill(made, ["alpha", "beta one", "gamma", "delta", "beta two"])
    made.repository.compact("T")
    return made


@pytest.mark.parametrize(
    ("query", "rows", "files"),
    [
        ("T | where s has 'gamma' | count", 1, 1),
        ("T | where s has 'common'", 5, 5),
        ("T | where s has 'nothing'", 0, 0),
        ("T | where d.a == 'beta one'", 1, 1),
        ("search 'delta' | project s", 1, 1),
        ("T | where s has_any ('alpha', 'gamma')", 2, 2),
        ("T | where s has 'beta' and s has 'two' | project s", 1, 1),
        ("T | where TimeGenerated < datetime(2024-01-03) and s has 'beta'", 1, 1),
        ("T | where s has 'gamma' | top 3 by TimeGenerated", 1, 1),
    ],
)
def test_only_files_with_the_terms_are_read(query: str, rows: int, files: int, workspace: Workspace) -> None:
    found = workspace.query(query)
    assert (found.frame.height, found.statistics.files_read, found.statistics.files_total) == (rows, files, 5)


def test_explain_tells_what_was_dropped(workspace: Workspace) -> None:
    told = workspace.explain("T | where TimeGenerated < datetime(2024-01-03) and s has 'alpha'")
    assert "terms='alpha'" in told
    assert "files: 1 of 5 read, dropped 2 by time and 2 by terms" in told


def test_a_source_that_knows_no_terms_gives_the_same(workspace: Workspace) -> None:
    query = "T | where s has 'beta' | project s | sort by s asc"
    plain = run(query, Unindexed(workspace.repository))
    assert plain.statistics.files_read == 5
    assert plain.frame.equals(workspace.query(query).frame)


@pytest.mark.slow
@settings(MANY, max_examples=25)
@given(st.data())
def test_the_same_rows_with_and_without_an_index(data: st.DataObject) -> None:
    """Whatever part of the index is gone or damaged, and with files that came after it."""
    folder = tempfile.mkdtemp()
    try:
        workspace = open_workspace(f"{folder}/ws", create=True)
        texts = data.draw(st.lists(TEXTS, min_size=1, max_size=4))
        _fill(workspace, texts)
        workspace.repository.compact("T")
        index = Path(folder, "ws/tables/T/_terms")
        for file in sorted(index.iterdir()):
            fate = data.draw(st.sampled_from(["keep", "keep", "delete", "cut", "flip"]))
            if fate == "delete":
                file.unlink()
            elif fate != "keep":
                raw = bytearray(file.read_bytes())
                at = data.draw(st.integers(0, 2**16)) % len(raw)  # the length differs from run to run
                raw[at] ^= 0x55
                file.write_bytes(raw[:at] if fate == "cut" else raw)
        late = data.draw(st.lists(TEXTS, max_size=2))
        _fill(workspace, late)
        if data.draw(st.booleans()):
            workspace.repository.compact("T")
        rows = [(text, json.dumps({"a": text})) for text in (*texts, *late)]
        for _ in range(6):
            condition = data.draw(conditions(rows))
            query = f"T | extend v = parse_json(s), w = tostring(d.a) | where {condition} | project s, d | sort by s, tostring(d)"
            with_index = workspace.query(query).frame
            without = run(query, Unindexed(workspace.repository)).frame
            assert with_index.equals(without), query
    finally:
        shutil.rmtree(folder)
