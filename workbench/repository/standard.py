"""The columns that tables of Azure Monitor are documented to have, whichever records come first.

A table of one of these names is made with all of them, so a query binds before the first record has a value, and a
number has the documented width. What only the cloud's own platform fills (`Type`, `TenantId`, `_ItemId`, `_IsBillable`,
`_BilledSize`) is left out: an empty answer would be a wrong one. Names that begin with `_` can be asked for, and are
no part of `*`. The lists lie in `standard_tables.json`; `Heartbeat` has `SourceComputerId` beside them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import orjson

from workbench.base.dtypes import Column, ScalarType, Schema

_FILE = Path(__file__).with_name("standard_tables.json")


def standard_columns(table: str) -> Schema:
    """The documented columns of a table behind `TimeGenerated`; none where the table is no standard one.

    Examples
    --------
    >>> [f"{c.name}: {c.type.value}" for c in standard_columns("Syslog")][:2], standard_columns("App_CL")
    (['Computer: string', 'CollectorHostName: string'], ())
    """
    return _read().get(table, ())


def standard_tables() -> list[str]:
    """The names of the tables that are made with their documented columns."""
    return list(_read())


def is_hidden(table: str, column: str) -> bool:
    """Whether `*` leaves a column out."""
    return column.startswith("_") and any(column == c.name for c in standard_columns(table))


@cache
def _read() -> dict[str, Schema]:
    listed: dict[str, dict[str, str]] = orjson.loads(_FILE.read_bytes())
    return {
        table: tuple(Column(name, ScalarType(kind), name.startswith("_")) for name, kind in columns.items())
        for table, columns in listed.items()
    }
