"""Notebook variables as values of a query: a name in, a typed value or a table out.

`Scope` is what the query engine asks for a name that is no column, table or `let`. A value goes in
as a value, never as text, so nothing in it can change the query. Functions, modules, classes and the
notebook's own names (`_`, `In`, `Out`, …) are not seen. It reads variables and changes none.
"""

from __future__ import annotations

import datetime as dt
import decimal
import math
import types
import uuid
from collections.abc import Container, Mapping, Sequence
from typing import Any

import polars as pl

from workbench.base.diagnostics import kernel as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.query.result import Result
from workbench.query.timerange import parse_timerange

_LONG = 2**63
_NOT_VALUES = (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType, type)


class Scope:
    """Looks names up in notebook namespaces, the innermost first.

    Parameters
    ----------
    namespaces : sequence of mapping
        Where to look, in this order.
    hidden : container of str
        Names that belong to the notebook itself.

    Examples
    --------
    >>> scope = Scope([{"host": "web01", "print": print}])
    >>> scope("host")
    'web01'
    """

    def __init__(self, namespaces: Sequence[Mapping[str, Any]], hidden: Container[str] = ()) -> None:
        self._namespaces = namespaces
        self._hidden = hidden

    def __call__(self, name: str) -> Any:
        """The value of that name.

        Returns
        -------
        str, int, float, bool, datetime (UTC), timedelta, list, dict, Decimal, UUID or polars.DataFrame

        Raises
        ------
        KeyError
            No variable of that name.
        WorkbenchError
            LAB101 to LAB104 when there is one whose value has no KQL type.
        """
        if name.startswith("_") or name in self._hidden:
            raise KeyError(name)
        for namespace in self._namespaces:
            if name in namespace:
                found = namespace[name]
                if isinstance(found, _NOT_VALUES) or (callable(found) and not _is_frame(found)):
                    raise KeyError(name)
                return typed(name, found)
        raise KeyError(name)


def timespan_of(said: str | None, namespaces: Sequence[Mapping[str, Any]]) -> str | None:
    """What `--timespan` says: a time range as it is, or the name of a variable that holds one.

    Raises
    ------
    WorkbenchError
        LAB312.

    Examples
    --------
    >>> timespan_of("P1D", []), timespan_of("when", [{"when": "PT1H"}])
    ('P1D', 'PT1H')
    """
    if said is None or not said.isidentifier():
        return said
    try:
        parse_timerange(said)
        return said
    except WorkbenchError:
        for namespace in namespaces:
            if isinstance(namespace.get(said), str):
                return str(namespace[said]) or None
        raise diagnostics.no_timespan(said) from None


def typed(name: str, value: Any) -> Any:
    """The value as the query engine takes it; `name` is for messages.

    Examples
    --------
    >>> typed("since", dt.date(2026, 11, 23))
    datetime.datetime(2026, 11, 23, 0, 0, tzinfo=datetime.timezone.utc)
    """
    if value is None:
        raise diagnostics.nothing_in_variable(name)
    if isinstance(value, Result):
        return value.frame
    if _is_frame(value):
        return frame_of(name, value)
    if isinstance(value, pl.Series):
        value = value.to_list()
    elif hasattr(value, "dtype") and hasattr(value, "tolist") and not isinstance(value, dt.datetime):
        value = value.tolist()
    return _plain(name, value)


def _is_frame(value: Any) -> bool:
    if isinstance(value, pl.DataFrame | pl.LazyFrame):
        return True
    if isinstance(value, pl.Series):
        return False
    return hasattr(value, "columns") and (
        hasattr(value, "__arrow_c_stream__") or hasattr(value, "__dataframe__")
    )


def _plain(name: str, value: Any) -> Any:
    """A single value, or a list or dict of such values with times as ISO text inside."""
    if isinstance(value, bool | str | decimal.Decimal | uuid.UUID):
        return value
    if isinstance(value, int):
        if not -_LONG <= value < _LONG:
            raise diagnostics.number_too_large(name)
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, dt.datetime):
        return _utc(name, value)
    if isinstance(value, dt.date):
        return dt.datetime(value.year, value.month, value.day, tzinfo=dt.UTC)
    if isinstance(value, dt.timedelta):
        return dt.timedelta(days=value.days, seconds=value.seconds, microseconds=value.microseconds)
    if isinstance(value, dict | list | tuple | set | frozenset | range):
        return _json(name, value)
    raise diagnostics.no_kql_type(name, type(value).__name__)


def _utc(name: str, value: dt.datetime) -> dt.datetime:
    """A moment in UTC; without a zone it is taken as UTC. Subclasses (pandas) become plain."""
    if value != value:  # a pandas NaT is a datetime that does not equal itself
        raise diagnostics.nothing_in_variable(name)
    plain = dt.datetime(
        value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond,
        tzinfo=value.tzinfo or dt.UTC, fold=value.fold,
    )  # fmt: skip
    return plain.astimezone(dt.UTC)


def _json(name: str, value: Any) -> Any:
    """The parts of a list or dict as JSON knows them."""
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dt.datetime):
        return _utc(name, value).isoformat().replace("+00:00", "Z")
    if isinstance(value, dt.date | decimal.Decimal | uuid.UUID):
        return str(value)
    if isinstance(value, dt.timedelta):
        return str(value)
    if isinstance(value, Mapping):
        return {str(k): _json(name, v) for k, v in value.items()}
    if isinstance(value, set | frozenset):
        return [_json(name, v) for v in sorted(value, key=repr)]
    if isinstance(value, list | tuple | range):
        return [_json(name, v) for v in value]
    if hasattr(value, "item"):
        return _json(name, value.item())
    raise diagnostics.no_kql_type(name, f"{type(value).__name__} inside a list or dict")


# ---- tables ---------------------------------------------------------------------------------


def frame_of(name: str, value: Any) -> pl.DataFrame:
    """A Polars, pandas or Arrow table as a Polars frame; a named pandas index becomes a column.

    The engine gives each column its KQL type; here only goes what it could not read in full.
    """
    try:
        if isinstance(value, pl.LazyFrame):
            frame = value.collect()
        elif isinstance(value, pl.DataFrame):
            frame = value
        elif type(value).__module__.split(".")[0] == "pandas":
            frame = _from_pandas(value)
        else:
            frame = pl.DataFrame(value)
    except (pl.exceptions.PolarsError, TypeError, ValueError, ImportError) as error:
        raise diagnostics.frame_not_readable(name, str(error).split("\n")[0]) from None
    return frame.select(_readable(frame[c]) for c in frame.columns)


def _from_pandas(value: Any) -> pl.DataFrame:
    index = value.index
    named = [n for n in index.names if n is not None]
    kept = value.reset_index() if named else value.reset_index(drop=True)
    return pl.from_pandas(kept.rename(columns=str))


def _readable(column: pl.Series) -> pl.Series:
    """A column of a type that the engine would lose something of, in one that it takes whole."""
    kind = column.dtype
    if kind in (pl.UInt64, pl.UInt128, pl.Int128) and bool((column > _LONG - 1).any()):
        return column.cast(pl.Float64)
    if kind == pl.Binary:
        return column.map_elements(lambda b: b.decode("utf-8", "replace"), return_dtype=pl.String)
    if kind == pl.Object:
        return pl.Series(column.name, [None if v is None else str(v) for v in column], dtype=pl.String)
    return column
