"""How a SQL text is read when no dialect is named: as permissively as sqlglot can.

The base is the dialect that takes the most forms (`x::int`, `->>`, `ILIKE`, `QUALIFY`, `FILTER`); nulls
come last ascending and whole numbers are divided as in PostgreSQL. A function that sqlglot does not have to
understand keeps its name and its arguments in order, so that a function of KQL is called as it is.
"""

from __future__ import annotations

from typing import ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.parsers.duckdb import DuckDBParser

from workbench.query.functions import AGGREGATES, FUNCTIONS

# SQL means these, whatever KQL calls by the name: other arguments, or nulls handled otherwise.
SQL_NAMES = frozenset(
    [
        "ABS",
        "AVG",
        "CEIL",
        "CEILING",
        "COALESCE",
        "CONCAT",
        "COUNT",
        "EXP",
        "FLOOR",
        "LOG",
        "MAX",
        "MIN",
        "REPLACE",
        "ROUND",
        "SIGN",
        "SQRT",
        "STDDEV",
        "SUBSTRING",
        "SUM",
        "TRIM",
        "VARIANCE",
        "LENGTH",
        "LOWER",
        "UPPER",
        "CASE",
        "CAST",
        "REVERSE",
        "POW",
        "COUNT_IF",
        "COUNTIF",
        "REPEAT",
        "TRANSLATE",
    ]
)


class Permissive(DuckDB):
    """What `--sql` reads."""

    NULL_ORDERING = "nulls_are_large"
    TYPED_DIVISION = True

    class Tokenizer(DuckDB.Tokenizer):
        IDENTIFIERS: ClassVar = ['"', "`"]

    class Parser(DuckDBParser):
        FUNCTIONS: ClassVar = {
            name: build
            for name, build in DuckDBParser.FUNCTIONS.items()
            if name in SQL_NAMES or (name.lower() not in FUNCTIONS and name.lower() not in AGGREGATES)
        }

        def _parse_expression(self) -> exp.Expr | None:
            # The base takes `name: value` as an alias; here a colon begins a parameter.
            return super(DuckDBParser, self)._parse_expression()
