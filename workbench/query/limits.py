"""What `set` options, the environment and the machine say about how much a query may take.

In go the limits that the asker gave and the statements of the text, out come those that hold. Names are those
of Kusto's request properties. Nothing is enforced here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from workbench.base import memory
from workbench.base.dtypes import ScalarType, parse_datetime, parse_timespan
from workbench.base.errors import Span
from workbench.query import syntax
from workbench.query.control import Limits
from workbench.query.options import OPTIONS

_NOWHERE = Span(0, 0)
SHARE = 0.65  # of the memory that is free when a query begins
LONGEST = 3600.0  # seconds; a longer `servertimeout` counts as this
EVERY_ROW = 2**32 - 2  # the most that the engine counts
VARIABLE = "WORKBENCH_QUERY_MEMORY"
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


def statements_of(options: Mapping[str, Any]) -> tuple[syntax.SetOption, ...]:
    """Options that come beside the text (Kusto's request properties) as the `set` statements that say the same.

    A text stands for the timespan or datetime that it spells; names that are no option are passed over, as Kusto
    does with those of requests.

    Examples
    --------
    >>> [(s.name, s.value.value) for s in statements_of({"servertimeout": "00:00:02", "notruncation": True, "x": 1})]
    [('servertimeout', 20000000), ('notruncation', True)]
    """
    found = []
    for name, value in options.items():
        literal = _literal(value)
        if name.lower() in OPTIONS and literal is not None:
            found.append(syntax.SetOption(_NOWHERE, name.lower(), literal))
    return tuple(found)


def _literal(value: Any) -> syntax.Literal | None:
    if isinstance(value, bool):
        return syntax.Literal(_NOWHERE, value, ScalarType.BOOL)
    if isinstance(value, int):
        return syntax.Literal(_NOWHERE, value, ScalarType.LONG)
    if not isinstance(value, str):
        return None
    if value.strip().isdigit():
        return syntax.Literal(_NOWHERE, int(value), ScalarType.LONG)
    for read, type_ in ((parse_timespan, ScalarType.TIMESPAN), (parse_datetime, ScalarType.DATETIME)):
        if (ticks := read(value)) is not None:
            return syntax.Literal(_NOWHERE, ticks, type_)
    return syntax.Literal(_NOWHERE, value, ScalarType.STRING)


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
    if name == "query_take_max_records":
        return replace(limits, take=constant)
    if name == "truncationmaxrecords":
        return replace(limits, rows=constant if limits.rows is None else min(limits.rows, constant))
    if name in _MEMORY and constant:
        return replace(limits, memory=constant)
    return limits
