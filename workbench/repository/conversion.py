"""Values of one KQL type as values of another, only where nothing of them is lost.

In goes a series in its frame dtype, out comes one of the target's dtype with null for each value
that the target can't hold exactly. What to do with those is the matter of `placement`.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.base.dtypes import ScalarType as T
from workbench.repository.physical import FRAME, UTC_MICROSECONDS

#: Whole numbers up to this size are exact in a real.
EXACT_IN_REAL = 2**53

_ISO = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$"
_WHOLE = r"^(0|-?[1-9]\d{0,18})$"
_DECIMAL = r"^-?\d{1,30}(\.\d{1,30})?$"
_GUID = r"^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$"


def convert(column: pl.Series, source: ScalarType, target: ScalarType) -> pl.Series:
    """`column` as `target`; null where a value has no exact counterpart.

    Examples
    --------
    >>> convert(pl.Series([1.0, 1.5]), ScalarType.REAL, ScalarType.LONG).to_list()
    [1, None]
    >>> convert(pl.Series(["7", "07"]), ScalarType.STRING, ScalarType.LONG).to_list()
    [7, None]
    """
    if source is target:
        return column
    rule = _RULES.get((source, target))
    if rule is None:
        return pl.Series(column.name, [None], FRAME[target]).new_from_index(0, len(column))
    name = column.name
    return column.to_frame("v").select_seq(rule(pl.col("v")).cast(FRAME[target])).to_series().alias(name)


def _whole(target: pl.DataType) -> Callable[[pl.Expr], pl.Expr]:
    limit = 2.0**31 if target == pl.Int32 else 2.0**63
    return lambda v: pl.when((v == v.floor()) & (v >= -limit) & (v < limit)).then(
        v.cast(target, strict=False)
    )


def _only(pattern: str, then: Callable[[pl.Expr], pl.Expr]) -> Callable[[pl.Expr], pl.Expr]:
    # The values are masked before and not after: the cast must not see what it can't take.
    return lambda v: then(pl.when(v.str.contains(pattern)).then(v))


def _real_of_text(v: pl.Expr) -> pl.Expr:
    number = v.cast(pl.Float64, strict=False)
    back = number.cast(pl.String)
    return pl.when(((back == v) | (back == v + ".0")) & number.is_finite()).then(number)


def _guid_of_text(v: pl.Expr) -> pl.Expr:
    plain = v.str.replace_all("-", "", literal=True).str.to_lowercase()
    return plain.str.replace(r"^(.{8})(.{4})(.{4})(.{4})(.{12})$", "${1}-${2}-${3}-${4}-${5}")


def _json_text(v: pl.Expr) -> pl.Expr:
    return (
        pl.struct(v.alias("v")).struct.json_encode().str.slice(5).str.strip_suffix("}").replace("null", None)
    )


def _exact_real(v: pl.Expr) -> pl.Expr:
    return pl.when(v.is_between(-EXACT_IN_REAL, EXACT_IN_REAL)).then(v.cast(pl.Float64))


_RULES: dict[tuple[ScalarType, ScalarType], Callable[[pl.Expr], pl.Expr]] = {
    (T.INT, T.LONG): lambda v: v.cast(pl.Int64),
    (T.INT, T.REAL): lambda v: v.cast(pl.Float64),
    (T.INT, T.DECIMAL): lambda v: v.cast(pl.String),
    (T.LONG, T.INT): lambda v: v.cast(pl.Int32, strict=False),
    (T.LONG, T.REAL): _exact_real,
    (T.LONG, T.DECIMAL): lambda v: v.cast(pl.String),
    (T.REAL, T.INT): _whole(pl.Int32()),
    (T.REAL, T.LONG): _whole(pl.Int64()),
    (T.STRING, T.BOOL): _only(r"^(?i)(true|false)$", lambda v: v.str.to_lowercase() == "true"),
    (T.STRING, T.INT): _only(_WHOLE, lambda v: v.cast(pl.Int32, strict=False)),
    (T.STRING, T.LONG): _only(_WHOLE, lambda v: v.cast(pl.Int64, strict=False)),
    (T.STRING, T.REAL): _real_of_text,
    (T.STRING, T.DECIMAL): _only(_DECIMAL, lambda v: v),
    (T.STRING, T.DATETIME): _only(_ISO, lambda v: v.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False).cast(UTC_MICROSECONDS)),
    (T.STRING, T.GUID): _only(_GUID, _guid_of_text),
    (T.GUID, T.STRING): lambda v: v,
    (T.BOOL, T.DYNAMIC): _json_text,
    (T.INT, T.DYNAMIC): _json_text,
    (T.LONG, T.DYNAMIC): _json_text,
    (T.REAL, T.DYNAMIC): lambda v: pl.when(v.is_finite()).then(_json_text(v)),
    (T.STRING, T.DYNAMIC): _json_text,
    (T.GUID, T.DYNAMIC): _json_text,
}  # fmt: skip
