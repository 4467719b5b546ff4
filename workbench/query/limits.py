"""What `set` options, the environment and the machine say about how much a query may take.

In go the limits that the asker gave and the statements of the text, out come those that hold. Names are those
of Kusto's request properties. Nothing is enforced here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from workbench.base import memory
from workbench.base.dtypes import ScalarType
from workbench.query import syntax
from workbench.query.control import Limits

SHARE = 0.65  # of the memory that is free when a query begins
LONGEST = 3600.0  # seconds; a longer `servertimeout` counts as this
EVERY_ROW = 2**32 - 2  # the most that the engine counts
VARIABLE = "WORKBENCH_QUERY_MEMORY"
_ROWS = ("truncationmaxrecords", "query_take_max_records")
_MEMORY = ("max_memory_consumption_per_query_per_node", "maxmemoryconsumptionperiterator")


def for_query(given: Limits, statements: Iterable[syntax.Statement]) -> Limits:
    """The limits of one query.

    `servertimeout` and the memory options of the text hold in place of the asker's; of the row limits the
    smaller one does, and `notruncation` lifts only the one that nobody asked for.

    Examples
    --------
    >>> from workbench.query.parser import parse
    >>> asked = parse("set servertimeout = 10s; set truncationmaxrecords = 5; print 1").statements
    >>> found = for_query(Limits(memory=1000), asked)
    >>> found.seconds, found.rows, found.memory
    (10.0, 5, 1000)
    """
    for statement in statements:
        if isinstance(statement, syntax.SetOption):
            given = _with(given, statement.name.lower(), statement.value)
    return given if given.memory is not None else replace(given, memory=default_memory())


def default_memory() -> int:
    """Bytes that a query may take where nobody says: `WORKBENCH_QUERY_MEMORY`, else a share of what is free."""
    said = memory.from_text(os.environ.get(VARIABLE, ""))
    return said if said else int(memory.available() * SHARE)


def _with(limits: Limits, name: str, value: syntax.Expression | None) -> Limits:
    constant: Any = value.value if isinstance(value, syntax.Literal) else None
    if name == "notruncation" and (value is None or constant is True):
        return replace(limits, rows=EVERY_ROW) if limits.rows is None else limits
    if name == "norequesttimeout" and (value is None or constant is True):
        return replace(limits, seconds=LONGEST)
    if name == "servertimeout" and isinstance(value, syntax.Literal) and value.type is ScalarType.TIMESPAN and constant:  # fmt: skip
        return replace(limits, seconds=min(constant / 10_000_000, LONGEST))
    if isinstance(constant, bool) or not isinstance(constant, int) or constant < 0:
        return limits
    if name in _ROWS:
        return replace(limits, rows=constant if limits.rows is None else min(limits.rows, constant))
    if name in _MEMORY and constant:
        return replace(limits, memory=constant)
    return limits
