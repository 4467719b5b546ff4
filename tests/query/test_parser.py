"""Text → syntax: literals, precedence, statements, and where each node was written."""

from __future__ import annotations

import itertools

import pytest

from workbench.base.dtypes import TICKS_PER_DAY, TICKS_PER_HOUR, ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query import syntax
from workbench.query.lexer import Kind, tokenize
from workbench.query.parser import parse

T = ScalarType


def source(text: str) -> syntax.Expression:
    """The expression that a text is."""
    found = parse(text).pipelines[-1].source
    assert isinstance(found, syntax.Expression)
    return found


def shown(node: syntax.Expression) -> str:
    """An expression with all its parentheses."""
    if isinstance(node, syntax.Binary):
        return f"({shown(node.left)} {node.operator} {shown(node.right)})"
    if isinstance(node, syntax.Unary):
        return f"({node.operator}{shown(node.operand)})"
    if isinstance(node, syntax.InList):
        return f"({shown(node.value)} {node.operator} [{', '.join(map(shown, node.items))}])"
    if isinstance(node, syntax.Between):
        return f"({shown(node.value)} {'!' * node.negated}between {shown(node.low)} {shown(node.high)})"
    if isinstance(node, syntax.Member):
        return f"{shown(node.base)}.{node.name}"
    if isinstance(node, syntax.Index):
        return f"{shown(node.base)}[{shown(node.selector)}]"
    if isinstance(node, syntax.Call):
        return f"{node.name}({', '.join(map(shown, node.arguments))})"
    if isinstance(node, syntax.Literal):
        return repr(node.value)
    assert isinstance(node, syntax.Name)
    return node.name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c", "(a + (b * c))"),
        ("a - b - c", "((a - b) - c)"),
        ("a or b and c", "(a or (b and c))"),
        ("(a or b) and c", "((a or b) and c)"),
        ("a == b + 1 and c > 2", "((a == (b + 1)) and (c > 2))"),
        ("a has 'x' and b !contains 'y'", "((a has 'x') and (b !contains 'y'))"),
        ("a in (1, 2) or b !in~ ('x')", "((a in [1, 2]) or (b !in~ ['x']))"),
        ("a between (1 .. 5) and b", "((a between 1 5) and b)"),
        ("a !between (1 .. 5)", "(a !between 1 5)"),
        ("-a + b", "((-a) + b)"),
        ("-1", "-1"),
        ("a.b['c'][0].d", "a.b['c'][0].d"),
        ("f(a, g(b))", "f(a, g(b))"),
        ("a matches regex 'x' == true", "((a matches regex 'x') == True)"),
        ("a <> b", "(a != b)"),
        ("a : 'x'", "(a has 'x')"),
        ("x % 2 == 0", "((x % 2) == 0)"),
        ("'a' 'b' \"c\"", "'abc'"),
    ],
)
def test_precedence(text: str, expected: str) -> None:
    assert shown(source(text)) == expected


@pytest.mark.parametrize(
    ("text", "value", "type_"),
    [
        ("12", 12, T.LONG),
        ("0x1F", 31, T.LONG),
        ("1.5e3", 1500.0, T.REAL),
        ("int(7)", 7, T.INT),
        ("long(null)", None, T.LONG),
        ("real(nan)", None, T.REAL),
        ("decimal(1.50)", "1.50", T.DECIMAL),
        ("true", True, T.BOOL),
        ("bool(0)", False, T.BOOL),
        ("1d", TICKS_PER_DAY, T.TIMESPAN),
        ("1.5h", 3 * TICKS_PER_HOUR // 2, T.TIMESPAN),
        ("time(1.02:00:00)", 26 * TICKS_PER_HOUR, T.TIMESPAN),
        ("datetime(1970-01-02)", TICKS_PER_DAY, T.DATETIME),
        ("guid(74be27de1e4e49d9b579fe0b331d3642)", "74be27de-1e4e-49d9-b579-fe0b331d3642", T.GUID),
        ("dynamic({'a': [1, -2.5, null, true]})", {"a": [1, -2.5, None, True]}, T.DYNAMIC),
        ("@'a\\b'", "a\\b", T.STRING),
        ("'a\\tb\\u0041'", "a\tbA", T.STRING),
        ("@'it''s'", "it's", T.STRING),
        ("h'secret'", "secret", T.STRING),
        ("```two\nlines```", "two\nlines", T.STRING),
    ],
)
def test_literals(text: str, value: object, type_: ScalarType) -> None:
    node = source(text)
    assert isinstance(node, syntax.Literal)
    assert node.type is type_
    if text == "real(nan)":
        assert node.value != node.value
    else:
        assert node.value == value


def test_every_node_knows_where_it_was_written() -> None:
    text = "T | where a.b == strlen(s) and c in (1, 2)"
    pipeline = parse(text).pipelines[0]
    condition = pipeline.operators[0].condition  # type: ignore[attr-defined]

    def at(node: syntax.Node) -> str:
        return text[node.span.start : node.span.end]

    assert at(pipeline.operators[0]) == "where a.b == strlen(s) and c in (1, 2)"
    assert at(condition.left) == "a.b == strlen(s)"
    assert at(condition.left.left) == "a.b"
    assert at(condition.left.right) == "strlen(s)"
    assert at(condition.right) == "c in (1, 2)"


def test_tokens_cover_the_text_in_order() -> None:
    text = "T // note\n| where ['a b'] has @'x' and n >= 0x1f // end"
    tokens = tokenize(text)
    assert tokens[-1].kind is Kind.END
    assert all(a.span.end <= b.span.start for a, b in itertools.pairwise(tokens))
    assert [text[t.span.start : t.span.end] for t in tokens[:-1]] == [
        "T", "|", "where", "[", "'a b'", "]", "has", "@'x'", "and", "n", ">=", "0x1f",
    ]  # fmt: skip


def test_long_chains_nest_shallowly() -> None:
    text = " or ".join(f"a == {i}" for i in range(2000))
    depth, node = 0, source(text)
    while isinstance(node, syntax.Binary) and node.operator == "or":
        depth, node = depth + 1, node.left
    assert depth <= 12


def test_statements_and_pipelines() -> None:
    query = parse("let n = 5; let T = range x from 1 to n step 1;; T | take n; T | count")
    assert [type(s).__name__ for s in query.statements] == ["Let", "Let"]
    assert [len(p.operators) for p in query.pipelines] == [1, 1]
    assert isinstance(query.statements[1], syntax.Let)
    assert isinstance(query.statements[1].value, syntax.Pipeline)


def test_a_let_function_keeps_its_text_and_parameters() -> None:
    text = "let f = (T:(a:long, b:string), n:long = 3, U:(*)) { let m = n; T | take m };"
    (let,) = parse(text).statements
    assert isinstance(let, syntax.Let)
    body = let.value
    assert isinstance(body, syntax.FunctionBody)
    first, second, third = body.parameters
    assert first.tabular
    assert first.columns == (("a", T.LONG), ("b", T.STRING))
    assert second.type is T.LONG
    assert isinstance(second.default, syntax.Literal)
    assert third.tabular
    assert third.columns is None
    assert body.text == text[len("let f = ") : -1]


@pytest.mark.parametrize(
    "text",
    [
        "T | where print == 1",
        "T | project count, sort, search",
        "let search = 5; print search",
        "T | extend where = 1",
        "T | where range > 1",
        "union (T | take 1), (U | count)",
        "T | join kind = inner hint.strategy = shuffle (U) on a",
        "T | order by a asc nulls first, b",
        "T | summarize make_set(a, 5), n = count() by bin(t, 1h), k = tolower(b)",
        "print ['a b'] = 1, [\"c\"] = 2",
        "set notruncation; T | take 1",
        "T | take 5;",
        "workspace('w').T | count",
    ],
)
def test_what_users_write_is_read(text: str) -> None:
    assert parse(text).pipelines


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("print 'a", "KQL001", (1, 7)),
        ('print a\n| where b == "x', "KQL001", (2, 14)),
        ("print 1 ? 2", "KQL002", (1, 9)),
        ("print (1", "KQL003", (1, 9)),
        ("T | where", "KQL003", (1, 10)),
        ("print datetime(soon)", "KQL004", (1, 7)),
        ("T | wear x", "KQL005", (1, 5)),
        ("T | make-graph a --> b", "KQL006", (1, 5)),
        ("T | join how=1 U on a", "KQL008", (1, 10)),
        ("print " + "(" * 500 + "1" + ")" * 500, "KQL009", None),
        ("print " + "-" * 5000 + "1", "KQL009", None),
        ("print " + "dynamic(" + "[" * 5000 + "]" * 5000 + ")", "KQL009", None),
        ("print x = " + "f(" * 5000, "KQL009", None),
    ],
)
def test_mistakes_have_a_code_and_a_place(text: str, code: str, place: tuple[int, int] | None) -> None:
    with pytest.raises(WorkbenchError) as caught:
        parse(text)
    assert caught.value.code == code
    if place is not None:
        assert caught.value.position == place
