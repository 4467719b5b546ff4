"""Every rule of the rewrite keeps the rows, and does what it is for.

Random pipelines over small random tables (nulls, NaN, both zeros, empty texts) are answered with the rules
and without; then cases in which a condition, a limit, a column or a subplan has to have moved.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.base.dtypes import Column, ScalarType
from workbench.query import runner as running
from workbench.query.run import FrameTables, run

T = ScalarType
DAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
run("print 1", FrameTables({}))  # deep queries raise the recursion limit, which hypothesis watches

# ---- tables ---------------------------------------------------------------------------------

LONGS = st.sampled_from([None, 0, 1, 2, 3, -1])
REALS = st.sampled_from([None, float("nan"), 0.0, -0.0, 1.5, -2.0])
TEXTS = st.sampled_from([None, "", "a", "b", "A b"])
TIMES = st.sampled_from([None, *(DAY + dt.timedelta(hours=h) for h in (0, 5, 24, 47, 72))])
BAGS = st.sampled_from([None, '{"u":"a","n":1}', '{"u":"b"}', "[1,2]", "[]", '"a"', '{"u":"a"}'])
KINDS: dict[str, tuple[pl.DataType | type[pl.DataType], ScalarType, st.SearchStrategy[Any]]] = {
    "long": (pl.Int64, T.LONG, LONGS), "real": (pl.Float64, T.REAL, REALS), "string": (pl.String, T.STRING, TEXTS),
    "datetime": (pl.Datetime("us", "UTC"), T.DATETIME, TIMES), "dynamic": (pl.String, T.DYNAMIC, BAGS),
}  # fmt: skip
COLUMNS = {
    "A": {"i": "long", "k": "long", "s": "string", "r": "real", "TimeGenerated": "datetime", "d": "dynamic"},
    "B": {"i": "long", "k": "long", "s": "string", "TimeGenerated": "datetime", "w": "string"},
    "C": {"i": "long", "k": "long", "r": "string", "w": "string"},
}


@st.composite
def tables(draw: st.DrawFn) -> FrameTables:
    """Three tables; `i` tells the rows of a table apart."""
    frames = {}
    for name, columns in COLUMNS.items():
        height = draw(st.integers(0, 6))
        made = []
        for column, kind in columns.items():
            dtype, _, values = KINDS[kind]
            cells = (
                range(height) if column == "i" else draw(st.lists(values, min_size=height, max_size=height))
            )
            made.append(pl.Series(column, cells, dtype=dtype))
        schema = tuple(Column(c, KINDS[k][1]) for c, k in columns.items())
        frames[name] = (pl.DataFrame(made), schema)
    return FrameTables(frames)


# ---- pipelines ------------------------------------------------------------------------------


@dataclass
class Text:
    """A pipeline on its way: its text, the types of its columns, whether its rows are in a full order."""

    text: str
    columns: dict[str, str]
    ordered: bool = False
    unique: str | None = None
    lets: list[str] = field(default_factory=list)

    def of(self, *kinds: str) -> list[str]:
        return [n for n, k in self.columns.items() if k in kinds]


def condition(draw: st.DrawFn, columns: dict[str, str], depth: int = 2) -> str:
    """A condition over columns of these types."""
    if depth and draw(st.integers(0, 3)) == 0:
        a, b = condition(draw, columns, depth - 1), condition(draw, columns, depth - 1)
        return draw(
            st.sampled_from(
                [f"({a} and {b})", f"({a} or {b})", f"not({a})", f"iff({a}, {b}, false)", f"not(not({a}))"]
            )
        )
    name = draw(st.sampled_from(sorted(columns)))
    forms = {
        "long": ["{} > 1", "{} == 2", "{} in (1, 2)", "isnull({})", "{} between (0 .. 2)", "{} + 1 < 3", "bin({}, 2) == 2"],
        "real": ["{} > 0", "{} == 0", "isnan({})", "{} != 1.5", "isnull({})", "1.0 / {} > 0"],
        "string": ["{} == 'a'", "{} != ''", "{} has 'b'", "isempty({})", "{} in~ ('A')", "strlen({}) > 0", "{} contains 'A'"],
        "datetime": [
            "{} > datetime(2026-01-01T06:00)", "{} between (datetime(2026-01-01) .. 1d)", "bin({}, 1d) == datetime(2026-01-02)",
            "{} + 1h < datetime(2026-01-02)", "isnull({})", "datetime(2026-01-03) - {} < 1d", "{} < '2026-01-02'",
        ],
        "dynamic": ["tostring({}.u) == 'a'", "isnull({}.n)", "isnotempty({})", "toint({}.n) > 0"],
    }  # fmt: skip
    constants = ["true", "1 == 2", "'a' == 'a'", "bool(null)"]
    if draw(st.integers(0, 11)) == 0:
        return draw(st.sampled_from(constants))
    return draw(st.sampled_from(forms[columns[name]])).format(name)


def source(draw: st.DrawFn) -> Text:
    name = draw(st.sampled_from(sorted(COLUMNS)))
    return Text(name, dict(COLUMNS[name]), unique="i")


def step(draw: st.DrawFn, q: Text) -> Text:
    """`q` with one more operator."""
    kinds = ["extend", "extend", "project", "away", "summarize", "distinct", "sort", "window", "join", "join", "join",
             "lookup", "union", "expand", "apply", "series", "argmax", "nothing", "shared", "parse"]  # fmt: skip
    return globals()[f"_{draw(st.sampled_from(kinds))}"](draw, q)


def _then(q: Text, operator: str, columns: dict[str, str] | None = None, **more: Any) -> Text:
    found = dict(q.columns if columns is None else columns)
    state = {"ordered": q.ordered, "unique": q.unique if q.unique in found else None, **more}
    return Text(f"{q.text} | {operator}", found, state["ordered"], state["unique"], q.lets)


def _where(draw: st.DrawFn, q: Text) -> Text:
    return _then(q, f"where {condition(draw, q.columns)}")


def _extend(draw: st.DrawFn, q: Text) -> Text:
    name = draw(st.sampled_from(["x", "y", *(c for c in q.columns if c != q.unique)]))
    column = draw(st.sampled_from(sorted(q.columns)))
    forms = {
        "long": [("{} + 1", "long"), ("iff({} > 1, 'p', 'q')", "string"), ("{}", "long"), ("tostring({})", "string")],
        "real": [("{} * 2", "real"), ("isnan({})", "bool"), ("{}", "real")],
        "string": [("strcat({}, 'z')", "string"), ("toupper({})", "string"), ("split({}, ' ')", "dynamic"), ("{}", "string"), ("strlen({})", "long")],
        "datetime": [("bin({}, 1d)", "datetime"), ("{} - 1h", "datetime"), ("{}", "datetime"), ("hourofday({})", "long")],
        "dynamic": [("tostring({}.u)", "string"), ("{}.u", "dynamic"), ("tolong({}.n)", "long"), ("{}", "dynamic")],
    }  # fmt: skip
    form, kind = draw(st.sampled_from([*forms[q.columns[column]], ("'c'", "string"), ("7", "long")]))
    if kind == "bool":
        form, kind = f"tolong({form})", "long"
    return _then(q, f"extend {name} = {form.format(column)}", {**q.columns, name: kind})


def _project(draw: st.DrawFn, q: Text) -> Text:
    kept = draw(st.lists(st.sampled_from(sorted(q.columns)), min_size=1, max_size=4, unique=True))
    new = {f"p_{c}" if draw(st.booleans()) else c: c for c in kept}
    renamed = ", ".join(n if n == c else f"{n} = {c}" for n, c in new.items())
    unique = next((n for n, c in new.items() if c == q.unique), None)
    return _then(q, f"project {renamed}", {n: q.columns[c] for n, c in new.items()}, unique=unique)


def _away(draw: st.DrawFn, q: Text) -> Text:
    if len(q.columns) < 2:
        return q
    gone = draw(st.sampled_from(sorted(q.columns)))
    return _then(q, f"project-away {gone}", {n: k for n, k in q.columns.items() if n != gone})


def _keys(draw: st.DrawFn, q: Text, most: int = 2) -> dict[str, str]:
    plain = q.of("long", "string", "datetime", "real")
    names = draw(st.lists(st.sampled_from(plain), max_size=most, unique=True)) if plain else []
    return {n: q.columns[n] for n in names}


def _summarize(draw: st.DrawFn, q: Text) -> Text:
    keys, numbers = _keys(draw, q), q.of("long")
    made = {"n": "long"}
    aggregates = ["n = count()"]
    if numbers:
        aggregates += [f"m = max({numbers[0]})", f"u = dcount({numbers[-1]})"]
        made |= {"m": "long", "u": "long"}
    binned = next((n for n, k in keys.items() if k == "datetime"), None)
    by = [f"bin({n}, 1d)" if n == binned else n for n in keys]
    made = {n: k for n, k in made.items() if n not in keys}
    listed = [a for a in aggregates if a.split(" ")[0] in made]
    text = f"summarize {', '.join(listed)}" + (f" by {', '.join(by)}" if by else "")
    return _then(q, text, {**keys, **made}, ordered=False, unique=None)


def _distinct(draw: st.DrawFn, q: Text) -> Text:
    keys = _keys(draw, q, 3)
    if not keys:
        return q
    return _then(q, f"distinct {', '.join(keys)}", keys, ordered=False, unique=None)


def _sort(draw: st.DrawFn, q: Text) -> Text:
    """In a full order, sometimes cut."""
    if q.unique is None or not q.of("long", "string", "datetime", "real"):
        return q
    first = draw(st.sampled_from(q.of("long", "string", "datetime", "real")))
    keys = f"{first} {draw(st.sampled_from(['asc', 'desc']))}, {q.unique} asc"
    sorted_ = _then(q, f"sort by {keys}", ordered=True)
    return _then(sorted_, f"take {draw(st.integers(0, 4))}") if draw(st.booleans()) else sorted_


def _window(draw: st.DrawFn, q: Text) -> Text:
    if q.unique is None:
        return q
    if not q.ordered:
        q = _then(q, f"sort by {q.unique} asc", ordered=True)
    number = draw(
        st.sampled_from(["row_number()", "row_cumsum(1)", f"prev({q.unique})", f"next({q.unique})"])
    )
    found = _then(q, f"extend z = {number}", {**q.columns, "z": "long"})
    after = draw(st.sampled_from(["where z > 1", "where k > 0", "take 2", "where isnull(z)"]))
    return found if "k >" in after and q.columns.get("k") != "long" else _then(found, after)


def _join(draw: st.DrawFn, q: Text) -> Text:
    key = next((n for n in ("k", "i", "s") if n in q.columns), None)
    right = draw(st.sampled_from(["B", "C"]))
    if key is None or q.columns[key] != COLUMNS[right].get(key):
        return q
    kind = draw(
        st.sampled_from(
            [
                "inner",
                "leftouter",
                "rightouter",
                "fullouter",
                "leftsemi",
                "leftanti",
                "rightanti",
                "rightsemi",
            ]
        )
    )
    if draw(st.integers(0, 5)) == 0:
        q = _nothing(draw, q)
    side = right if draw(st.booleans()) else f"({right} | where {condition(draw, COLUMNS[right])})"
    if kind in ("leftsemi", "leftanti"):
        return _then(q, f"join kind={kind} {side} on {key}", ordered=False)
    if kind in ("rightsemi", "rightanti"):
        return _then(q, f"join kind={kind} {side} on {key}", COLUMNS[right], ordered=False)
    columns = dict(q.columns)
    for name, type_ in COLUMNS[right].items():
        free, number = name, 1
        while free in columns or (free != name and free in COLUMNS[right]):
            free, number = f"{name}{number}", number + 1
        columns[free] = type_
    return _then(q, f"join kind={kind} {side} on {key}", columns, ordered=False, unique=None)


def _lookup(draw: st.DrawFn, q: Text) -> Text:
    if q.columns.get("k") != "long" or {"w", "n1"} & set(q.columns):
        return q
    kind = draw(st.sampled_from(["leftouter", "inner"]))
    small = "(C | summarize w = max(w), n1 = count() by k)"
    columns = {**q.columns, "w": "string", "n1": "long"}
    return _then(q, f"lookup kind={kind} {small} on k", columns, ordered=False)


def _union(draw: st.DrawFn, q: Text) -> Text:
    other = draw(st.sampled_from(sorted(COLUMNS)))
    both = {
        n: k
        for n, k in {**COLUMNS[other], **q.columns}.items()
        if q.columns.get(n, k) == COLUMNS[other].get(n, k)
    }
    if not both:
        return q
    tagged = draw(st.booleans()) and "Tag" not in both
    whole = (
        f"union withsource=Tag ({other})"
        if tagged
        else f"union ({other} | where {condition(draw, COLUMNS[other])})"
    )
    if tagged:
        both["Tag"] = "string"
    joined = _then(q, f"{whole} | project {', '.join(both)}", both, ordered=False, unique=None)
    return _then(joined, f"where Tag == '{other}' or k > 1") if tagged and both.get("k") == "long" else joined


def _expand(draw: st.DrawFn, q: Text) -> Text:
    bags = q.of("dynamic")
    return _then(q, f"mv-expand {bags[0]}", ordered=False, unique=None) if bags else q


def _apply(draw: st.DrawFn, q: Text) -> Text:
    bags = q.of("dynamic")
    if not bags or q.of("bool"):
        return q
    inner = draw(
        st.sampled_from(["summarize e = count()", "where isnotnull(v) | summarize e = dcount(tostring(v))"])
    )
    return _then(q, f"mv-apply v = {bags[0]} on ({inner})", {**q.columns, "e": "long"}, ordered=False)


def _series(draw: st.DrawFn, q: Text) -> Text:
    times = q.of("datetime")
    if not times:
        return q
    keys = {n: k for n, k in _keys(draw, q, 1).items() if n != times[0]}
    by = f" by {', '.join(keys)}" if keys else ""
    columns = {**keys, "c": "dynamic", times[0]: "dynamic"}
    text = (
        f"make-series c = count() on {times[0]} from datetime(2026-01-01) to datetime(2026-01-04) step 1d{by}"
    )
    return _then(q, text, columns, ordered=False, unique=None)


def _argmax(draw: st.DrawFn, q: Text) -> Text:
    keys = [k for k in q.of("long", "string") if k != q.unique]
    if q.unique is None or not keys:
        return q
    return _then(q, f"summarize arg_max({q.unique}, *) by {keys[0]}", ordered=False)


def _nothing(draw: st.DrawFn, q: Text) -> Text:
    return _then(q, draw(st.sampled_from(["where false", "take 0", "where 'a' == 'b'", "where true"])))


def _parse(draw: st.DrawFn, q: Text) -> Text:
    texts = q.of("string")
    return (
        _then(q, f"parse {texts[0]} with a1 ' ' b1", {**q.columns, "a1": "string", "b1": "string"})
        if texts
        else q
    )


def _shared(draw: st.DrawFn, q: Text) -> Text:
    """What there is so far, read twice."""
    name = f"L{len(q.lets)}"
    body = f"materialize({q.text})" if draw(st.booleans()) else q.text
    keys = [k for k in q.of("long", "string") if k in ("k", "i", "s", "n", "m")]
    lets = [*q.lets, f"let {name} = {body};"]
    rows = Text(name, q.columns, False, q.unique, lets)
    if not keys:
        return rows
    left, right = condition(draw, q.columns, 1), condition(draw, q.columns, 1)
    side = f"({name} | where {right} | summarize c2 = count() by {keys[0]})"
    return _then(rows, f"where {left} | lookup {side} on {keys[0]}", {**q.columns, "c2": "long"}, ordered=False) \
        if "c2" not in q.columns else rows  # fmt: skip


@st.composite
def queries(draw: st.DrawFn) -> Text:
    q = source(draw)
    for _ in range(draw(st.integers(1, 5))):
        q = step(draw, q)
        if draw(st.booleans()):
            q = _where(draw, q)
    return q


# ---- the property ---------------------------------------------------------------------------


@contextmanager
def as_written() -> Iterator[None]:
    """Plans are run as they were bound."""
    rules = running.rewrite
    running.rewrite = lambda rel, fold: rel
    try:
        yield
    finally:
        running.rewrite = rules


def cell(value: Any) -> Any:
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value + 0.0  # both zeros are one value of a group
    return value


def answer(q: Text, source: FrameTables) -> list[str]:
    result = run(" ".join([*q.lets, q.text]), source)
    rows = [str([cell(v) for v in row]) for row in result.exact.rows()]
    return [str(result.columns), *(rows if q.ordered else sorted(rows))]


def same_rows(q: Text, source: FrameTables) -> None:
    with as_written():
        expected = answer(q, source)
    assert answer(q, source) == expected, " ".join([*q.lets, q.text])


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(queries(), tables())
def test_rules_keep_the_rows(q: Text, source: FrameTables) -> None:
    same_rows(q, source)


@pytest.mark.slow
@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(queries(), tables())
def test_rules_keep_the_rows_of_many_queries(q: Text, source: FrameTables) -> None:
    same_rows(q, source)
