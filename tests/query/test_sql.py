"""SQL over the tables of `sqlframes`: text cases under `cases_sql/`, and DuckDB as the oracle of most of them.

A case with `-- ours alone` in its text is one that DuckDB answers otherwise, or not at all.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import casefile
import duckdb
import polars as pl
import pytest
import sqlframes
from _pytest.mark.structures import ParameterSet

from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError
from workbench.query.result import Result
from workbench.query.run import FrameTables, explain, run

CASES = Path(__file__).with_name("cases_sql")
SOURCE = FrameTables(sqlframes.FRAMES)
PARAMETERS = {
    "least": 2,
    "who": "web1' OR '1'='1",
    "since": dt.datetime(2024, 3, 1, 1, tzinfo=dt.UTC),
    "codes": [4625, 4688],
    "Extra": pl.DataFrame({"k": [1, 2], "v": ["a", "b"]}),
}


def _items(*, oracle: bool) -> Iterator[ParameterSet]:
    for file in sorted(CASES.glob("*.test")):
        for case in casefile.read(file):
            if not oracle or (case.section != "error" and "-- ours alone" not in case.query):
                yield pytest.param(case, id=f"{file.name}::{case.name}")


def _result(query: str) -> Result:
    return run(query, SOURCE, sql=True, parameters=PARAMETERS)


def asked(query: str) -> casefile.Answer:
    try:
        result = _result(query)
    except WorkbenchError as error:
        return casefile.Answer(error=error.render())
    return casefile.answer_of(result.exact, result.schema)


@pytest.mark.parametrize("case", list(_items(oracle=False)))
def test_case(case: casefile.Case, updating: bool) -> None:
    answer = asked(case.query)
    wrong = casefile.difference(case, answer)
    if wrong is not None and updating:
        casefile.update(case, answer)
    elif wrong is not None:
        pytest.fail(wrong, pytrace=False)


# ---- the oracle -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def oracle() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET integer_division = true")
    for name, (frame, schema) in sqlframes.FRAMES.items():
        held = frame.with_columns(
            pl.col(c.name).dt.replace_time_zone(None) for c in schema if c.type is ScalarType.DATETIME
        )
        connection.register("held", held.to_arrow())
        columns = ", ".join(
            f'"{c.name}"::JSON AS "{c.name}"' if c.type is ScalarType.DYNAMIC else f'"{c.name}"'
            for c in schema
        )
        connection.execute(f'CREATE TABLE "{name}" AS SELECT {columns} FROM held')
        connection.unregister("held")
    yield connection
    connection.close()


def _plain(value: Any) -> Any:
    """A value in the one form in which both sides are compared: a null text is "" here."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return value
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        return "nan" if math.isnan(value) else float(f"{value:.9g}")
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day)
    return value


@pytest.mark.parametrize("case", list(_items(oracle=True)))
def test_the_oracle_gives_the_same_rows(case: casefile.Case, oracle: duckdb.DuckDBPyConnection) -> None:
    ours = [tuple(map(_plain, row)) for row in _result(case.query).frame.rows()]
    theirs = [tuple(map(_plain, row)) for row in oracle.execute(case.query).fetchall()]
    if case.section == "rows unordered":
        ours, theirs = sorted(ours, key=repr), sorted(theirs, key=repr)
    assert ours == theirs


def test_enough_cases_have_an_oracle() -> None:
    assert len(list(_items(oracle=False))) >= 60
    assert len(list(_items(oracle=True))) >= 40


# ---- beside the cases -------------------------------------------------------------------------


def test_a_parameter_is_a_value_and_never_text() -> None:
    assert len(_result("SELECT * FROM Events WHERE Computer = :who")) == 0
    assert len(_result("SELECT * FROM Events WHERE TimeGenerated > $since")) == 5


def test_variables_of_the_caller_are_looked_up_by_name() -> None:
    found = run(
        "SELECT v FROM Mine WHERE k >= :low",
        SOURCE,
        sql=True,
        scope={"Mine": PARAMETERS["Extra"], "low": 2}.__getitem__,
    )
    assert found.frame["v"].to_list() == ["b"]
    assert found.statistics.bound == (("Mine", "table"), ("low", "long"))


def test_a_time_of_the_query_cuts_the_tables() -> None:
    found = run(
        "SELECT count(*) AS n FROM Events", SOURCE, sql=True, timespan="2024-03-01T01:00:00Z/2024-03-02"
    )
    assert found.frame["n"].to_list() == [3]


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("postgres", "SELECT \"EventID\"::text AS e FROM Events WHERE Details->>'user' = 'bob'"),
        (
            "tsql",
            "SELECT TOP 1 CAST([EventID] AS varchar(9)) AS e FROM Events WHERE Level = 2 ORDER BY EventID DESC",
        ),
        (
            "spark",
            "SELECT CAST(`EventID` AS STRING) AS e FROM Events WHERE get_json_object(Details, '$.user') = 'bob'",
        ),
        (
            "bigquery",
            "SELECT CAST(EventID AS STRING) AS e FROM `Events` WHERE JSON_VALUE(Details, '$.user') = 'bob'",
        ),
        ("mysql", "SELECT CAST(EventID AS CHAR) AS e FROM Events WHERE Details->>'$.user' = 'bob'"),
    ],
)
def test_a_dialect_is_read_as_such(dialect: str, text: str) -> None:
    assert run(text, SOURCE, dialect=dialect).frame.to_dicts() == [{"e": "4625"}]


def test_another_dialect_divides_and_orders_as_it_does() -> None:
    assert run("SELECT 7 / 2 AS n", SOURCE, dialect="mysql").frame["n"].to_list() == [3.5]
    first = run("SELECT Level FROM Events ORDER BY Level LIMIT 1", SOURCE, dialect="tsql")
    assert first.frame["Level"].to_list() == [None]


def test_an_unknown_dialect_is_refused() -> None:
    with pytest.raises(WorkbenchError, match="did you mean 'postgres'"):
        run("SELECT 1", SOURCE, dialect="postgre")


def test_explain_shows_tree_and_plan() -> None:
    shown = explain("SELECT Computer FROM Events WHERE EventID = 4624", SOURCE, sql=True)
    assert "Select(" in shown
    assert "scan Events" in shown.lower() or "Events" in shown


@pytest.mark.parametrize(
    "text",
    [
        "SELECT " + "(" * 3000 + "1" + ")" * 3000,
        "SELECT " + "NOT " * 3000 + "true",
        "SELECT " + "-" * 3000 + "1",
        "SELECT " + "CASE WHEN true THEN " * 500 + "1" + " END" * 500,
        "SELECT " + "f(" * 500 + "1" + ")" * 500,
        "SELECT 1 FROM " + "(SELECT * FROM " * 400 + "Events" + ")" * 400,
        "SELECT 'a",
        "SELECT /* a",
        "SELECT \x00",
        "SELECT * FROM Events WHERE",
        "SELECT * FROM Events GROUP BY ()",
        "WITH a AS (SELECT * FROM a) SELECT * FROM a",
        pytest.param(
            "SELECT * FROM Events WHERE Level IN (" + ",".join(["1"] * 150_000) + ")", marks=pytest.mark.slow
        ),
    ],
    ids=lambda t: t[:30],
)
def test_hostile_text_is_a_coded_error(text: str) -> None:
    with pytest.raises(WorkbenchError) as caught:
        run(text, SOURCE, sql=True)
    assert caught.value.code.startswith(("SQL", "KQL"))


@pytest.mark.slow
def test_long_lists_and_chains_are_answered() -> None:
    many = ",".join(str(n) for n in range(20_000))
    assert len(_result(f"SELECT * FROM Events WHERE EventID IN ({many})")) == 7
    either = " OR ".join(f"EventID = {n}" for n in range(4600, 5000))
    assert len(_result(f"SELECT * FROM Events WHERE {either}")) == 7
    union = " UNION ALL ".join(["SELECT 1 AS n"] * 300)
    assert len(_result(union)) == 300
