"""A value of a result as KQL writes it: what a query compares a column with, never pasted as it is.

In go values as `Result.exact` holds them (times in ticks), out come literals and conditions. Every string is
quoted here, so nothing in a record can change the query that it is put into.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from workbench.base.dtypes import ScalarType, format_datetime, format_timespan
from workbench.query.language.candidates import text_of, written

T = ScalarType


def literal(value: Any, kql: ScalarType) -> str:
    """A value that is no null as a literal of its type.

    Examples
    --------
    >>> literal('say "hi"', T.STRING), literal(0, T.DATETIME), literal(36_000_000_000, T.TIMESPAN)
    ('"say \\\\"hi\\\\""', 'datetime(1970-01-01T00:00:00.0000000Z)', 'timespan(01:00:00)')
    """
    if kql is T.DATETIME:
        return f"datetime({format_datetime(value)})"
    if kql is T.TIMESPAN:
        return f"timespan({format_timespan(value)})"
    if kql is T.BOOL:
        return "true" if value else "false"
    if kql is T.GUID:
        return f"guid({value})"
    if kql is T.DECIMAL:
        return f"decimal({value})"
    if kql is T.REAL:
        if math.isfinite(value):
            return repr(value) if value >= 0 else f"real({value!r})"
        return f"real({_NOT_FINITE[str(float(value))]})"
    if kql in (T.INT, T.LONG):
        return str(value) if value >= 0 else f"{kql.value}({value})"
    return text_of(str(value))


_NOT_FINITE = {"nan": "nan", "inf": "+inf", "-inf": "-inf"}


def condition(column: str, value: Any, kql: ScalarType, *, negated: bool = False) -> str:
    """A condition that holds for the rows with this value, or for all others.

    Examples
    --------
    >>> condition("Computer", "web01", T.STRING), condition("Load", None, T.REAL, negated=True)
    ('Computer == "web01"', 'isnotnull(Load)')
    """
    name = written(column)
    if value is None or (kql is T.STRING and value == ""):
        empty = "empty" if kql is T.STRING else "null"
        return f"isnot{empty}({name})" if negated else f"is{empty}({name})"
    if kql is T.REAL and math.isnan(value):
        return f"not(isnan({name}))" if negated else f"isnan({name})"
    side = f"tostring({name})" if kql is T.DYNAMIC else name
    return f"{side} {'!=' if negated else '=='} {literal(value, kql)}"


def path_of(column: str, keys: Sequence[str | int]) -> str:
    """A path into a dynamic column.

    Examples
    --------
    >>> path_of("EventData", ["Target", "user name", 0])
    'EventData.Target["user name"][0]'
    """
    parts = [written(column)]
    for key in keys:
        if isinstance(key, int):
            parts.append(f"[{key}]")
        else:
            plain = written(key) == key
            parts.append(f".{key}" if plain else f"[{text_of(key)}]")
    return "".join(parts)


def path_condition(column: str, keys: Sequence[str | int], value: Any, *, negated: bool = False) -> str:
    """A condition on what stands at a path, by the JSON type of the value that was seen there.

    Examples
    --------
    >>> path_condition("Props", ["os", "major"], 24)
    'tolong(Props.os.major) == 24'
    """
    path = path_of(column, keys)
    if value is None:
        return f"isnotnull({path})" if negated else f"isnull({path})"
    cast, kql = _cast(value)
    return f"{cast}({path}) {'!=' if negated else '=='} {literal(value, kql)}"


def path_cast(column: str, keys: Sequence[str | int], value: Any) -> str:
    """What stands at a path as a value of a plain type; objects and lists stay dynamic."""
    path = path_of(column, keys)
    return path if value is None or isinstance(value, dict | list) else f"{_cast(value)[0]}({path})"


def _cast(value: Any) -> tuple[str, ScalarType]:
    if isinstance(value, bool):
        return "tobool", T.BOOL
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return "tolong", T.LONG
    if isinstance(value, float):
        return "todouble", T.REAL
    return "tostring", T.STRING
