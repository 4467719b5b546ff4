"""The language service by text cases under `cases_language/`, and laws that hold for any text.

[case a name]          the query, `▮` is the cursor
T | where ▮
[first] a, b           the first labels; [has], [not], [only] likewise; [none]: no items
[insert] my col => ['my col']
[replace] Comp         what the chosen item replaces
[hover] column long    kind and detail; [hover] nothing
[signature] 1 f(a: long) → long
[found] 1:5 KQL101     a finding, one a line in their order; [found] nothing
[laid out]             the lines below are the formatted text
[filter] Computer "a"  a value chosen in the answer (JSON), or [exclude]; [becomes]: the query with that condition
"""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import casefile
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query import language
from workbench.query.frames import FrameTables
from workbench.query.language import literals, refining, scanning
from workbench.query.language.model import Completion, Diagnostic
from workbench.query.language.place import typed_at
from workbench.query.lexer import tokenize
from workbench.query.parser import parse
from workbench.query.run import run
from workbench.query.runner import Runner

T = ScalarType
HERE = Path(__file__).parent
SHARED = Path(os.environ.get("WORKBENCH_SHARED", HERE.parents[2] / "shared"))
MOMENT = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
SCHEMAS = {
    "Heartbeat": (
        Column("TimeGenerated", T.DATETIME), Column("Computer", T.STRING), Column("Load", T.REAL),
        Column("Props", T.DYNAMIC), Column("my col", T.STRING), Column("IsOn", T.BOOL),
        Column("_BatchId", T.STRING, hidden=True),
    ),
    "Owners": (Column("Computer", T.STRING), Column("Owner", T.STRING), Column("Since", T.DATETIME)),
    "SecurityEvent": (
        Column("TimeGenerated", T.DATETIME), Column("Computer", T.STRING), Column("EventID", T.INT),
        Column("Account", T.STRING), Column("IPAddress", T.STRING), Column("EventData", T.DYNAMIC),
    ),
}  # fmt: skip
ROWS = {
    "Heartbeat": pl.DataFrame(
        {
            "TimeGenerated": [MOMENT] * 3, "Computer": ["web01", "web02", "web01"], "Load": [1.0, 2.0, 3.0],
            "Props": ['{"os":{"name":"Ubuntu","major":24},"tags":["a"]}', '{"os":{"name":"Windows"},"up":true}', "7"],
            "my col": ["a", "b", "c"], "IsOn": [True, False, True], "_BatchId": ["x", "x", "x"],
        },
        schema_overrides={"TimeGenerated": pl.Datetime("us", "UTC")},
    ),
    "Owners": pl.DataFrame({"Computer": ["web01"], "Owner": ['say "hi"'], "Since": [MOMENT]}, schema_overrides={"Since": pl.Datetime("us", "UTC")}),
}  # fmt: skip


def source() -> FrameTables:
    """The tables of the cases."""
    frames = {}
    for name, schema in SCHEMAS.items():
        empty = pl.DataFrame(schema={c.name: pl.String for c in schema})
        frames[name] = (ROWS.get(name, empty), schema)
    return FrameTables(frames)


TABLES = source()
SAMPLES = language.TableSamples(TABLES, wait=30)
NOTEBOOK = {"since": MOMENT, "limit": 5, "owners_frame": pl.DataFrame({"Computer": ["web01"], "Team": ["a"]})}


class Variables:
    """Notebook variables, as a kernel gives them."""

    def __call__(self, name: str) -> object:
        return NOTEBOOK[name]

    def names(self) -> list[str]:
        return list(NOTEBOOK)


@dataclass(frozen=True)
class Case:
    """A text with a cursor, and what is expected of it: (directive, rest of its line, lines below)."""

    name: str
    text: str
    expected: tuple[tuple[str, str, str], ...]


def read(file: Path) -> Iterator[Case]:
    """The cases of a file."""
    for block in re.split(r"(?m)^\[case ", file.read_text())[1:]:
        name, _, rest = block.partition("]\n")
        parts = re.split(
            r"(?m)^\[(first|has|not|only|none|insert|replace|hover|signature|found|laid out|filter|exclude|becomes)\] ?",
            rest,
        )
        expected = []
        for directive, content in zip(parts[1::2], parts[2::2], strict=True):
            line, _, below = content.partition("\n")
            expected.append((directive, line.strip(), below.strip("\n")))
        assert expected, f"{file.name}: {name} expects nothing"
        yield Case(name, parts[0].rstrip("\n"), tuple(expected))


CASES = [
    pytest.param(case, id=f"{file.name}::{case.name}")
    for file in sorted((HERE / "cases_language").glob("*.test"))
    for case in read(file)
]


def listed(line: str) -> list[str]:
    """Labels of a directive."""
    return [w.strip() for w in line.split(", ") if w.strip()]


def place(text: str, offset: int) -> str:
    """Line and column from 1."""
    before = text[:offset]
    return f"{before.count(chr(10)) + 1}:{offset - (before.rfind(chr(10)) + 1) + 1}"


def shown(text: str, found: Diagnostic) -> str:
    """A finding as the cases write it."""
    more = "" if found.severity.value == "error" else f" {found.severity.value}"
    return f"{place(text, found.span.start)} {found.code}{more}"


@pytest.mark.parametrize("case", CASES)
def test_case(case: Case) -> None:
    text, position = case.text.replace("▮", ""), case.text.find("▮")
    made: Completion | None = None
    findings: list[str] | None = None
    refined = ""
    for directive, line, below in case.expected:
        if directive == "found":
            if findings is None:
                findings = [shown(text, f) for f in language.diagnose(text, TABLES, Variables())]
            wanted = [x for d, x, _ in case.expected if d == "found" and x != "nothing"]
            assert findings == wanted
            continue
        if directive == "laid out":
            assert language.format(text) == below
            continue
        if directive in ("filter", "exclude"):
            refined = chosen(text, line, negated=directive == "exclude")
            continue
        if directive == "becomes":
            assert refined == below
            continue
        assert position >= 0, "no cursor"
        if directive == "hover":
            about = language.hover(text, position, TABLES, Variables())
            assert (f"{about.kind.value} {about.detail}" if about else "nothing") == line
            continue
        if directive == "signature":
            call = language.signature(text, position, TABLES)
            assert (f"{call.active} {call.label}" if call else "nothing") == line
            continue
        if made is None:
            made = language.complete(text, position, TABLES, Variables(), samples=SAMPLES)
        check(directive, line, made, text)


def chosen(text: str, line: str, *, negated: bool) -> str:
    """The query with a condition on a value of its answer, which runs and keeps its columns."""
    column, _, value = line.partition(" | ") if " | " in line.split('"')[0] else line.partition(" ")
    seen = json.loads(value)
    kql = next((c.type for c in run(text, TABLES).schema if c.name == column), T.STRING)
    refined = refining.filtered(text, column, literals.condition(column, seen, kql, negated=negated))
    assert run(refined, TABLES).columns == run(text, TABLES).columns
    return refined


def check(directive: str, line: str, made: Completion, text: str) -> None:
    """One expectation about a list of items."""
    labels = [i.label for i in made.items]
    if directive == "first":
        assert labels[: len(listed(line))] == listed(line)
    elif directive == "has":
        assert [x for x in listed(line) if x not in labels] == []
    elif directive == "not":
        assert [x for x in listed(line) if x in labels] == []
    elif directive == "only":
        assert sorted(labels) == sorted(listed(line))
    elif directive == "none":
        assert labels == []
    elif directive == "insert":
        label, _, insert = line.partition(" => ")
        assert (
            insert.rstrip("·").replace("·", " ")
            == next(i.insert for i in made.items if i.label == label).rstrip()
        )
    elif directive == "replace":
        assert text[made.replace.start : made.replace.end] == line


# ---- laws ---------------------------------------------------------------------------------------


def own_queries() -> list[str]:
    """The queries of our own cases."""
    files = sorted((HERE / "cases").rglob("*.test"))
    found = []
    for file in files:
        try:
            found += [c.query for c in casefile.read(file)]
        except ValueError:
            continue  # the runner of those cases tells of a broken file
    return found


def shared_queries() -> list[str]:
    """The queries of the shared conformance sets."""
    folder = SHARED / "conformance"
    if not folder.is_dir():
        pytest.skip("shared captures are not on this machine")
    found = []
    for file in sorted(folder.glob("*.jsonl")):
        found += [str(json.loads(line)["query"]) for line in file.read_text().splitlines()]
    return found


def written(text: str) -> list[str]:
    """The tokens of a text as they are written."""
    return [text[t.span.start : t.span.end] for t in tokenize(text)[:-1]]


def comments(text: str) -> list[str]:
    """The comments of a text."""
    return [text[c.start : c.end].rstrip() for c in scanning.scan(text).comments()]


def keeps_its_tokens(text: str) -> None:
    """Laying out changes white space only, and once laid out a text stays so."""
    try:
        tokens = written(text)
    except WorkbenchError:
        with pytest.raises(WorkbenchError, match=r"KQL00[12]"):
            language.format(text)
        return
    made = language.format(text)
    assert written(made) == tokens
    assert comments(made) == comments(text)
    assert language.format(made) == made
    if tokens[:1] != ["."]:  # a command is left as it is
        assert not re.search(r"[ \t]+$", re.sub(r"(?s)```.*?```|~~~.*?~~~", "x", made), re.MULTILINE)


def plain(node: object) -> object:
    """Syntax without places, for comparing."""
    found = re.sub(r"Span\(start=\d+, end=\d+\)", "", repr(node))
    return re.sub(r"text='.*?', view|text=\".*?\", view|<[^<>]* object at 0x[0-9a-f]+>", "", found)


def means_the_same(text: str) -> None:
    """The laid-out text is read as the same syntax."""
    try:
        before = parse(text)
    except WorkbenchError:
        return
    assert plain(parse(language.format(text))) == plain(before)


@pytest.mark.slow
def test_our_own_queries_keep_their_tokens_and_meaning() -> None:
    for query in own_queries():
        keeps_its_tokens(query)
        means_the_same(query)


@pytest.mark.slow
def test_shared_queries_keep_their_tokens_and_meaning() -> None:
    for query in shared_queries():
        keeps_its_tokens(query)
        means_the_same(query)


def test_a_sample_of_queries_has_the_same_plan_when_laid_out() -> None:
    chooser = random.Random(4)
    compared = 0
    for query in chooser.sample(own_queries(), 150):
        try:
            before = Runner(FrameTables({}), None, None).bind(query, None).rel
        except WorkbenchError:
            continue
        after = Runner(FrameTables({}), None, None).bind(language.format(query), None).rel
        assert after.schema == before.schema
        assert type(after) is type(before)
        compared += 1
    assert compared > 50


PIECES = st.sampled_from(
    ["T", "Heartbeat", "|", "where", "summarize", "count()", "by", "(", ")", "[", "]", "{", "}", ";", ",", "let x =",
     "'a", '"b"', "// c\n", "\n", "\n\n", "==", "and", "or", "-", "*", "..", "1", "1d", "datetime(2020-01-01)", "join",
     "on $left.", "kind=", "in (", "mv-expand", "render timechart", "toscalar(", "project-away A*", ".", ":", "!in",
     "scan with (step s: true => a = 1;)", "```x\n y```", "h'z'", "@\"\\\"", "dynamic({'a':[1]})", "%"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=14).map(" ".join), st.data())
def test_any_text_gets_an_answer(text: str, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(text)))
    made = language.complete(text, position, TABLES)
    assert 0 <= made.replace.start <= position <= made.replace.end <= len(text)
    language.hover(text, position, TABLES)
    language.signature(text, position)
    for finding in language.diagnose(text, TABLES):
        assert 0 <= finding.span.start <= finding.span.end <= len(text)
    ends = [0]
    for token in language.tokens(text):
        assert ends[-1] <= token.span.start <= token.span.end
        ends.append(token.span.end)
    keeps_its_tokens(text)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=12).map(" ".join), st.data())
def test_a_scan_that_reuses_another_is_that_of_a_new_text(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    edited = text[:at] + data.draw(PIECES) + text[data.draw(st.integers(at, len(text))) :]
    scanning.scan(text)
    after = scanning.scan(edited)
    with scanning._guard:
        scanning._recent.clear()
    fresh = scanning.scan(edited)
    assert after.tokens == fresh.tokens
    assert [(e.code, e.span) for e in after.errors] == [(e.code, e.span) for e in fresh.errors]
    assert after.open_string == fresh.open_string


def test_queries_that_bind_have_no_errors_and_others_have_some() -> None:
    for query in random.Random(1).sample(own_queries(), 250):
        if query.lstrip().startswith("."):
            continue
        try:
            Runner(FrameTables({}), None, None).bind(query, None)
            binds = True
        except WorkbenchError:
            binds = False
        errors = [f for f in language.diagnose(query, FrameTables({})) if f.severity.value == "error"]
        if binds:
            assert errors == [], query


# ---- parts --------------------------------------------------------------------------------------


def test_a_table_that_gets_a_column_is_seen_at_once() -> None:
    class Growing(FrameTables):
        columns = (Column("a", T.LONG),)

        def schema(self, table: str) -> tuple[Column, ...] | None:
            return self.columns if table == "G" else None

        def tables(self) -> list[str]:
            return ["G"]

    tables = Growing({})
    text = "G | where "
    assert [i.label for i in language.complete(text, len(text), tables).items[:2]] != ["a", "b"]
    tables.columns = (Column("a", T.LONG), Column("b", T.LONG))
    assert [i.label for i in language.complete(text, len(text), tables).items[:2]] == ["a", "b"]


def test_a_notebook_variable_that_changes_its_type_is_seen() -> None:
    values: dict[str, object] = {"v": 1}
    text = "print x = v | where x"
    for value, kind in ((1, "long"), ("a", "string")):
        values["v"] = value
        about = language.hover(text, len(text), TABLES, values.__getitem__)
        assert about is not None
        assert about.detail == kind


def test_values_come_from_the_newest_files_only_when_they_are_few() -> None:
    many = pl.DataFrame({"a": [str(i) for i in range(51)], "b": ["x"] * 50 + ["y"]})
    tables = FrameTables({"M": (many, (Column("a", T.STRING), Column("b", T.STRING)))})
    samples = language.TableSamples(tables, wait=30)
    assert list(samples.values("M", "a")) == []
    assert list(samples.values("M", "b")) == ["x", "y"]
    assert list(samples.values("M", "nothing")) == []


def test_everything_can_be_sent_as_json() -> None:
    text = "Heartbeat | where Computr == strlen("
    answers = [
        language.complete(text, 20, TABLES).to_json(),
        [d.to_json() for d in language.diagnose(text, TABLES)],
        [t.to_json() for t in language.tokens(text)],
    ]
    about, call = language.hover(text, 2, TABLES), language.signature(text, len(text))
    assert about is not None
    assert call is not None
    assert json.loads(json.dumps([*answers, about.to_json(), call.to_json()]))


@pytest.mark.parametrize(("text", "position"), [("// a ", 5), ("T | take 10", 11), ("T // x", 6)])
def test_nothing_is_typed_in_comments_and_numbers(text: str, position: int) -> None:
    assert typed_at(text, position) is None


def test_stored_functions_are_known() -> None:
    class Stored:
        name = "Recent"
        parameters = "(n: long, d: timespan = 1d)"
        body = "{ Heartbeat | extend Late = TimeGenerated > ago(d) | take n }"
        view = False

    class Around:
        names = ("w",)
        folders = ()

        def functions(self) -> list[str]:
            return ["Recent"]

        def function(self, name: str) -> Stored | None:
            return Stored() if name == "Recent" else None

    tables = FrameTables({"Heartbeat": (ROWS["Heartbeat"], SCHEMAS["Heartbeat"])})
    tables.surroundings = Around()
    found = language.complete("Rec", 3, tables).items
    assert [(i.label, i.insert, i.detail) for i in found] == [
        ("Recent", "Recent(", "Recent(n: long, [d: timespan]) → table")
    ]
    text = "Recent(5) | where La"
    assert [i.label for i in language.complete(text, len(text), tables).items][:1] == ["Late"]
    call = language.signature("Recent(5, ", 10, tables)
    assert call is not None
    assert (call.label, call.active) == ("Recent(n: long, [d: timespan]) → table", 1)
    text = "Recent(5) | where TimeGenerated > ago(1h) and Late"
    assert language.diagnose(text, tables) == []
    Stored.body = "{ Heartbeat | take n }"
    assert [f.code for f in language.diagnose(text, tables)] == ["KQL101"]
