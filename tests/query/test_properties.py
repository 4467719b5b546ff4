"""What holds for any text and any pipeline: no fault but a coded one, and the laws of the operators."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.base.dtypes import Column, ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query.lexer import tokenize
from workbench.query.parser import parse
from workbench.query.run import FrameTables, run

T = ScalarType
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
MANY = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])

FRAME = pl.DataFrame(
    {
        "n": pl.Series([3, None, -1, 7, 3, 0, 2**62], dtype=pl.Int64),
        "r": pl.Series([0.5, float("nan"), None, -2.0, 1e300, 0.0, 1.0], dtype=pl.Float64),
        "s": ["a", "", None, "A b", "x=1 y=2", "é", "a"],
        "b": [True, False, None, True, True, False, None],
        "d": ['{"k":1}', "[1,null]", None, '"t"', "5", "{}", "[]"],
        "t": pl.Series([0, 1, None, 10**15, -1, 3_600_000_000, 0]).cast(pl.Datetime("us", "UTC")),
        "g": ["74be27de-1e4e-49d9-b579-fe0b331d3642"] * 3 + [None] * 4,
    }
)
SCHEMA = (
    Column("n", T.LONG), Column("r", T.REAL), Column("s", T.STRING), Column("b", T.BOOL),
    Column("d", T.DYNAMIC), Column("t", T.DATETIME), Column("g", T.GUID),
)  # fmt: skip
TABLES = FrameTables({"X": (FRAME, SCHEMA)})

# The first query raises Python's recursion limit, which Hypothesis must not see change within a test.
run("print 1", TABLES)


def rows(text: str) -> list[tuple[Any, ...]]:
    return run(text, TABLES).exact.rows()


def refusal(ask: Callable[[], object]) -> WorkbenchError | None:
    """The coded error of a call, None where there is none; any other error goes through."""
    try:
        ask()
    except WorkbenchError as error:
        return error
    return None


def answered(text: str) -> None:
    """A query gives the columns that it says, or a coded error that can be shown."""

    def ask() -> None:
        result = run(text, TABLES)
        assert result.exact.columns == result.columns

    error = refusal(ask)
    if error is not None:
        assert error.code.startswith("KQL")
        assert error.code != "KQL301", f"{text}\n{error.render()}"
        assert error.render().startswith(error.code)


# ---- texts ------------------------------------------------------------------------------------

WORDS = [
    "X", "where", "extend", "project", "summarize", "by", "count", "take", "sort", "asc", "join", "kind", "=",
    "==", "(", ")", "[", "]", "{", "}", ",", ";", "|", ".", "..", ":", "-", "+", "*", "/", "%", "!", "~", "=>", "@",
    "'a'", '"b"', "@'c\\'", "'open", "```", "1", "1.5", "0x", "1d", "5m", "n", "s", "d", "t", "let", "in", "!in", "has",
    "has_any", "between", "and", "or", "not(", "datetime(", "dynamic(", "long(", "null", "true", "typeof(", "parse",
    "with", "parse-kv", "as", "search", "find", "scan", "step", "declare", "mv-expand", "to", "union", "range", "from",
    "print", "datatable", "externaldata", "render", "timechart", "reduce", "top", "of", "sample", "serialize", "$left",
    "['x y']", "nulls", "first", "set", "//", "\n", "invoke", "lookup", "on", "toscalar(", "materialize(", "view", "h'x'",
]  # fmt: skip


@MANY
@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    error = refusal(lambda: tokenize(text)) or refusal(lambda: parse(text))
    assert error is None or error.render()


@MANY
@given(st.lists(st.sampled_from(WORDS), max_size=25), st.sampled_from(["", " "]))
def test_any_row_of_tokens_is_read_or_refused(words: list[str], glue: str) -> None:
    text = glue.join(words)
    error = refusal(lambda: parse(text))
    if error is not None:
        assert error.code.startswith("KQL0")
        assert error.span is None or 0 <= error.span.start <= error.span.end <= len(text)


# ---- pipelines --------------------------------------------------------------------------------

COLUMN = st.sampled_from([c.name for c in SCHEMA])
LEAVES = {
    "number": ["n", "r", "1", "-3", "0", "2.5", "long(null)", "real(nan)", "int(5)", "decimal(1.5)", "9223372036854775807"],
    "text": ["s", "'a'", "''", "'x=1'", "tostring(d)", "tostring(g)", "tostring(t)"],
    "bool": ["b", "true", "bool(null)", "isnull(n)"],
    "time": ["t", "datetime(2020-01-01)", "datetime(null)", "now()"],
    "span": ["1h", "-3d", "timespan(null)", "(t - datetime(1970-01-01))"],
    "dynamic": ["d", "d.k", "d[0]", "dynamic([1,2])", "dynamic({'k':{'j':'x'}})", "dynamic(null)", "pack_array(n, s)"],
    "guid": ["g", "guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", "guid(null)"],
}  # fmt: skip
FORMS = {
    "number": ["({number} + {number})", "({number} - {number})", "({number} * {number})", "({number} / {number})",
               "({number} % {number})", "-{number}", "abs({number})", "strlen({text})", "tolong({text})", "toreal({bool})",
               "iff({bool}, {number}, {number})", "({span} / {span})", "bin({number}, 10)", "max_of({number}, {number})",
               "toint({dynamic})", "coalesce({number}, {number})", "array_length({dynamic})"],
    "text": ["strcat({text}, {text})", "tolower({text})", "substring({text}, 1, 2)", "tostring({number})", "tostring({dynamic})",
             "iff({bool}, {text}, {text})", "replace_string({text}, 'a', {text})", "tostring({span})", "trim(' ', {text})"],
    "bool": ["({number} == {number})", "({number} < {number})", "({text} has {text})", "({text} !contains {text})", "not({bool})",
             "({text} =~ {text})", "({text} in~ ({text}, 'a'))", "({number} in (1, {number}))", "({bool} and {bool})",
             "({bool} or {bool})", "({time} > {time})", "({number} between ({number} .. {number}))", "isempty({text})",
             "({time} between ({time} .. {span}))", "({guid} == {guid})", "({dynamic} == {text})", "({text} startswith {text})",
             "({text} has_any ({text}, 'b'))", "({bool} != {bool})", "isnotnull({dynamic})", "({text} matches regex 'a.?')"],
    "time": ["({time} + {span})", "({time} - {span})", "bin({time}, 1h)", "startofday({time})", "todatetime({text})",
             "iff({bool}, {time}, {time})"],
    "span": ["({time} - {time})", "({span} * 2)", "({span} + {span})", "totimespan({text})"],
    "dynamic": ["{dynamic}['k']", "{dynamic}[0]", "parse_json({text})", "split({text}, 'a')", "todynamic({text})",
                "bag_pack('k', {number}, 'j', {text})"],
    "guid": ["toguid({text})", "iff({bool}, {guid}, {guid})"],
}  # fmt: skip


@st.composite
def expression(draw: st.DrawFn, kind: str | None = None, depth: int = 3) -> str:
    """An expression of a kind (any by default) whose parts have the kinds that fit."""
    kind = kind or draw(st.sampled_from(sorted(LEAVES)))
    if depth == 0 or draw(st.integers(0, 2)) == 0:
        return draw(st.sampled_from(LEAVES[kind]))
    form = draw(st.sampled_from(FORMS[kind]))
    return re.sub(
        r"\{(number|text|bool|time|span|dynamic|guid)\}", lambda m: draw(expression(m[1], depth - 1)), form
    )


EXPRESSION = expression()
BOOL = expression("bool")
KEY = st.one_of(expression("number"), expression("text"), expression("time"), expression("bool"))
OPERATOR = st.one_of(
    BOOL.map(lambda e: f"where {e}"),
    EXPRESSION.map(lambda e: f"extend e = {e}"),
    st.tuples(COLUMN, EXPRESSION).map(lambda x: f"extend {x[0]} = {x[1]}"),
    st.tuples(COLUMN, EXPRESSION).map(lambda x: f"project {x[0]}, p = {x[1]}"),
    st.tuples(KEY, KEY).map(lambda x: f"summarize c = count(), m = max({x[0]}) by k = {x[1]}"),
    st.tuples(COLUMN, COLUMN).map(lambda x: f"summarize arg_max({x[0]}, *) by {x[1]}"),
    KEY.map(lambda e: f"sort by {e} asc"),
    st.integers(-1, 9).map(lambda n: f"take {n}"),
    st.tuples(st.integers(0, 3), COLUMN).map(lambda x: f"top {x[0]} by {x[1]}"),
    st.tuples(st.integers(0, 3), COLUMN).map(lambda x: f"top-hitters {x[0]} of {x[1]}"),
    COLUMN.map(lambda c: f"distinct {c}"),
    COLUMN.map(lambda c: f"project-away {c}"),
    COLUMN.map(lambda c: f"parse {c} with 'x=' x:long ' ' rest"),
    COLUMN.map(lambda c: f"parse-kv {c} as (x:long, y:string) with (pair_delimiter=' ', kv_delimiter='=')"),
    COLUMN.map(lambda c: f"reduce by {c}"),
    COLUMN.map(lambda c: f"join kind=leftouter X on {c}"),
    st.tuples(BOOL, EXPRESSION).map(
        lambda x: f"scan declare (z:string) with (step one: {x[0]} => z = strcat(one.z, tostring({x[1]})))"
    ),
    st.sampled_from(
        ["count", "getschema", "serialize", "sample 2", "sample-distinct 2 of n", "union X", "search 'a'", "as Y", "consume"]
    ),
)  # fmt: skip


@pytest.mark.slow
@MANY
@given(st.lists(OPERATOR, max_size=4))
def test_any_pipeline_is_answered_or_refused(operators: list[str]) -> None:
    answered(" | ".join(["X", *operators]))


@pytest.mark.slow
@QUICK
@given(EXPRESSION)
def test_any_expression_is_answered_or_refused(expression: str) -> None:
    answered(f"X | extend e = {expression} | where isnotnull(e)")


# ---- laws -------------------------------------------------------------------------------------

SMALL = st.one_of(st.none(), st.integers(-3, 3))
PREDICATE = st.tuples(st.sampled_from(["==", "!=", "<", ">=", ">"]), st.integers(-3, 3)).map(
    lambda x: f"n {x[0]} {x[1]}"
)


def table(numbers: list[int | None]) -> str:
    return f"datatable(n:long)[{', '.join('long(null)' if n is None else str(n) for n in numbers)}]"


@QUICK
@given(st.lists(SMALL, max_size=8), st.integers(-2, 10))
def test_take_gives_the_first_and_no_more(numbers: list[int | None], count: int) -> None:
    assert rows(f"{table(numbers)} | take {count}") == [(n,) for n in numbers[: max(0, count)]]


@QUICK
@given(st.lists(SMALL, max_size=8), st.integers(0, 10))
def test_sample_gives_rows_of_the_table(numbers: list[int | None], count: int) -> None:
    found = [n for (n,) in rows(f"{table(numbers)} | sample {count}")]
    assert len(found) == min(count, len(numbers))
    for n in set(found):
        assert found.count(n) <= numbers.count(n)


@QUICK
@given(st.lists(SMALL, max_size=8), PREDICATE, PREDICATE)
def test_two_wheres_are_one_and(numbers: list[int | None], first: str, second: str) -> None:
    twice = rows(f"{table(numbers)} | where {first} | where {second}")
    assert twice == rows(f"{table(numbers)} | where {first} and {second}")
    assert twice == rows(f"{table(numbers)} | where {second} | where {first}")


@QUICK
@given(st.lists(SMALL, max_size=8), PREDICATE)
def test_a_where_and_its_opposite_part_the_rows(numbers: list[int | None], predicate: str) -> None:
    kept = rows(f"{table(numbers)} | where {predicate}")
    dropped = rows(f"{table(numbers)} | where not({predicate})")
    unknown = rows(f"{table(numbers)} | where isnull({predicate})")
    assert sorted(map(str, kept + dropped + unknown)) == sorted(str((n,)) for n in numbers)


@QUICK
@given(st.lists(SMALL, max_size=8), PREDICATE)
def test_extend_keeps_rows_and_columns(numbers: list[int | None], predicate: str) -> None:
    found = run(f"{table(numbers)} | extend e = {predicate}", TABLES)
    assert found.columns == ["n", "e"]
    assert found.frame["n"].to_list() == numbers
    filtered = rows(f"{table(numbers)} | extend e = {predicate} | where e | project n")
    assert filtered == rows(f"{table(numbers)} | where {predicate}")


@QUICK
@given(st.lists(SMALL, max_size=8))
def test_groups_part_the_rows(numbers: list[int | None]) -> None:
    found = dict(rows(f"{table(numbers)} | summarize count() by n"))
    assert found == {n: numbers.count(n) for n in set(numbers)}
    assert {n for (n,) in rows(f"{table(numbers)} | distinct n")} == set(numbers)


@QUICK
@given(st.lists(SMALL, max_size=8), st.sampled_from(["asc", "desc"]), st.sampled_from(["first", "last"]))
def test_sort_is_the_same_rows_in_order(numbers: list[int | None], order: str, nulls: str) -> None:
    found = [n for (n,) in rows(f"{table(numbers)} | sort by n {order} nulls {nulls}")]
    known = sorted((n for n in numbers if n is not None), reverse=order == "desc")
    empty: list[int | None] = [None] * numbers.count(None)
    assert found == (empty + known if nulls == "first" else known + empty)


@pytest.mark.slow
@QUICK
@given(st.lists(SMALL, max_size=6), st.lists(SMALL, max_size=6))
def test_joins_agree_with_each_other(left: list[int | None], right: list[int | None]) -> None:
    lets = f"let L = {table(left)}; let R = {table(right)}; "

    def count(kind: str) -> int:
        return int(rows(f"{lets} L | join kind={kind} R on n | count")[0][0])

    pairs = sum(left.count(n) * right.count(n) for n in set(left))
    assert count("inner") == pairs
    assert count("leftsemi") + count("leftanti") == len(left)
    assert count("rightsemi") + count("rightanti") == len(right)
    assert count("leftouter") == pairs + count("leftanti")
    assert count("fullouter") == pairs + count("leftanti") + count("rightanti")
    assert count("innerunique") == sum(right.count(n) for n in set(left))


@QUICK
@given(st.lists(st.integers(-5, 5), max_size=8))
def test_scan_adds_up_as_row_cumsum_does(numbers: list[int]) -> None:
    found = rows(
        f"{table(list(numbers))} | serialize | scan declare (c:long = 0) with (step s: true => c = n + s.c) | project c"
    )
    assert [c for (c,) in found] == [sum(numbers[: i + 1]) for i in range(len(numbers))]


NAME = st.text("abcXYZ09_", min_size=1, max_size=6)


@QUICK
@given(st.dictionaries(st.sampled_from(["k1", "k2", "k3"]), NAME, max_size=3))
def test_parse_kv_reads_what_was_written(pairs: dict[str, str]) -> None:
    text = ";".join(f"{k}={v}" for k, v in pairs.items())
    kinds = [
        "with (pair_delimiter=';', kv_delimiter='=')",
        "with (pair_delimiter=';', kv_delimiter='=', quote='\"')",
    ]
    for how in kinds:
        found = rows(
            f"print s = '{text}' | parse-kv s as (k1:string, k2:string, k3:string) {how} | project-away s"
        )
        assert found == [tuple(pairs.get(k, "") for k in ("k1", "k2", "k3"))]


@QUICK
@given(NAME, st.integers(-(2**63), 2**63 - 1), st.text("ab c", max_size=5))
def test_parse_reads_what_was_written(name: str, number: int, rest: str) -> None:
    parsed = "parse s with name ':' number:long ' ' rest | project name, number, rest"
    assert rows(f"print s = '{name}:{number} {rest}' | {parsed}") == [(name, number, rest)]


@pytest.mark.parametrize("kind", ["simple", "relaxed"])
@QUICK
@given(text=st.text("[](){}.*+?^$|\\&~#-", min_size=1, max_size=6))
def test_parse_takes_delimiters_as_they_are(kind: str, text: str) -> None:
    quoted = "@'" + text + "'"
    assert rows(
        f"print s = strcat('l', {quoted}, 'r') | parse kind={kind} s with a {quoted} b | project a, b"
    ) == [("l", "r")]
