"""The oracle: what SQL can say, DuckDB answers with the rows that Polars gives. Whatever differs is a fault of one."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from random import Random

import casefile
import engines
import pytest
import randomplans
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.base.errors import WorkbenchError
from workbench.query.frames import FrameTables
from workbench.query.functions import AGGREGATES, FUNCTIONS, Card
from workbench.query.functions import _unsayable as unsayable
from workbench.query.run import run

CASES = Path(__file__).with_name("cases")
FILES = sorted(f.relative_to(CASES).as_posix() for f in CASES.rglob("*.test"))
# The arithmetic of the calendar is long in SQL: megabytes for one datetime_add.
FLOOR = 545
"""How many of the text cases SQL can say, at least. It only rises."""
NOTHING = FrameTables({})
# The first query raises Python's recursion limit, which Hypothesis must not see change within a test.
run("print 1", NOTHING)


# ---- the text cases ---------------------------------------------------------------------------


@cache
def answers(file: str) -> dict[str, engines.Both]:
    """The cases of a file that give rows, each on both engines where SQL can say it."""
    found = {}
    for case in casefile.read(CASES / file):
        if case.section == "error":
            continue
        try:
            found[case.name] = engines.both(case.query, NOTHING)
        except WorkbenchError as error:
            pytest.fail(f"{file}: {case.name}\n{case.query}\n{error.within(case.query).render()}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
def test_cases_give_the_same_rows(file: str) -> None:
    pairs = {n: p for n, p in answers(file).items() if p.refusal is None}
    wrong = [f"{n}: {why}\n{p.sql}" for n, p in pairs.items() if (why := engines.difference(p)) is not None]
    assert not wrong, "\n\n".join(wrong)


@pytest.mark.parametrize("file", FILES)
def test_what_is_not_sayable_has_a_listed_reason(file: str) -> None:
    hints = {n: p.refusal.hint or "" for n, p in answers(file).items() if p.refusal is not None}
    assert {n: h for n, h in hints.items() if not unsayable.listed(h)} == {}


@pytest.mark.slow
def test_no_fewer_cases_are_sayable_than_before() -> None:
    assert sum(p.refusal is None for f in FILES for p in answers(f).values()) >= FLOOR


# ---- random plans -----------------------------------------------------------------------------


def agree(number: int) -> None:
    """The random query of that number gives the same rows on both; if not, its shortest part that does not is shown."""
    random = Random(number)
    parts, tables = randomplans.query(random), randomplans.tables(random)
    if difference(randomplans.text(parts), tables) is None:
        return
    for length in range(1, len(parts) + 1):
        text = randomplans.text(parts[:length])
        wrong = difference(text, tables)
        if wrong is not None:
            pytest.fail(f"random query {number}:\n{text}\n\n{wrong}", pytrace=False)


def difference(text: str, tables: FrameTables) -> str | None:
    pair = engines.both(text, tables)
    if pair.refusal is not None:
        return pair.refusal.within(text).render()
    wrong = engines.difference(pair)
    return wrong and f"{wrong}\n{pair.polars}\n{pair.duckdb}\n{pair.sql}"


def many(count: int) -> settings:
    """So many plans, the same ones each time."""
    slow = [HealthCheck.too_slow]
    return settings(
        max_examples=count, deadline=None, derandomize=True, database=None, suppress_health_check=slow
    )


NUMBERS = st.integers(0, 2**32)


@pytest.mark.slow
@many(100)
@given(number=NUMBERS)
def test_random_plans_give_the_same_rows(number: int) -> None:
    agree(number)


@pytest.mark.slow
@many(2_000)
@given(number=NUMBERS)
def test_many_random_plans_give_the_same_rows(number: int) -> None:
    agree(number)


def test_a_wrong_row_is_seen() -> None:
    pair = engines.both("datatable(a:long, r:real)[1, 0.5, 2, real(null)]", NOTHING)
    assert engines.difference(pair) is None
    assert pair.duckdb is not None
    other = pair.duckdb.with_columns(r=pair.duckdb["r"].fill_null(0.0))
    changed = engines.Both(pair.schema, pair.ordered, pair.polars, other)
    assert engines.difference(changed) == "row 1, column r: None by polars, 0.0 by duckdb"
    fewer = engines.Both(pair.schema, pair.ordered, pair.polars, pair.duckdb.head(1))
    assert engines.difference(fewer) == "2 rows by polars, 1 by duckdb"


# ---- the list of reasons ----------------------------------------------------------------------

SAID = ("sql", "sql_lower", "sql_many")


def test_no_card_says_how_and_why_not() -> None:
    cards = [c for registry in (FUNCTIONS, AGGREGATES) for _, c in registry.items()]
    both = [c.name for c in cards if hasattr(c.implementation, "no_sql") and _said(c)]
    assert both == []


def _said(card: Card) -> bool:
    return any(hasattr(card.implementation, way) for way in SAID)


def test_a_card_without_sql_says_why_or_is_computed_by_python() -> None:
    for registry in (FUNCTIONS, AGGREGATES):
        silent = [
            n for n, c in registry.items()
            if not _said(c) and unsayable.function_reason(c) is unsayable.BY_ROW and not hasattr(c.implementation, "row")
        ]  # fmt: skip
        assert silent == []
