"""What searches, exports and summary rules share: their names, their queries, how a query is run for them.

In go texts that users gave, out come texts that may be kept, and whole results. Must not store.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.base.diagnostics import kept as diagnostics
from workbench.base.dtypes import parse_datetime
from workbench.base.errors import WorkbenchError
from workbench.query import commands
from workbench.query.frames import Tables
from workbench.query.parser import parse
from workbench.query.result import Result
from workbench.query.run import run

EVERY_ROW = 2**32 - 2  # the most that the engine counts
_LONGEST = 200


def checked_name(kind: str, name: str) -> str:
    """A name as it is kept; it may become part of a file's name.

    Raises
    ------
    WorkbenchError
        SAV002.

    Examples
    --------
    >>> checked_name("search", " Failed log-ons ")
    'Failed log-ons'
    """
    name = name.strip()
    if (
        not name
        or len(name) > _LONGEST
        or name[0] == "."
        or "/" in name
        or "\\" in name
        or not name.isprintable()
    ):
        raise diagnostics.bad_name(kind, name)
    return name


def checked_query(text: str) -> str:
    """A query as it is kept: it can be read; what its names mean is seen when it runs.

    Raises
    ------
    WorkbenchError
        SAV006 for none, SAV007 for a command, KQL… for what is no KQL.
    """
    if not text.strip():
        raise diagnostics.no_query()
    if commands.is_command(text):
        raise diagnostics.is_command()
    try:
        parse(text)
    except WorkbenchError as error:
        raise error.within(text) from None
    return text.strip("\n")


def moment(text: str) -> int:
    """A time as µs since 1970.

    Raises
    ------
    WorkbenchError
        SAV005.

    Examples
    --------
    >>> moment("1970-01-02")
    86400000000
    """
    ticks = parse_datetime(text)
    if ticks is None:
        raise diagnostics.bad_time(text)
    return ticks // 10


def whole(text: str, source: Tables, *, timespan: str | None = None, parameters: Mapping[str, Any] | None = None) -> Result:  # fmt: skip
    """All rows of a query that gives one table.

    Raises
    ------
    WorkbenchError
        Of the query; SAV008 where rows are missing, SAV009 for several tables.
    """
    result = run(text, source, parameters=parameters, timespan=timespan, limit=EVERY_ROW)
    if result.others:
        raise diagnostics.several_tables(len(result.tables))
    if result.truncated or result.partial:
        raise diagnostics.not_whole(result.partial_note or f"it was cut after {len(result):,} rows")
    return result
