"""Local times: to and from UTC by the names of the IANA time zone database."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import TICKS_PER_DAY, ScalarType
from workbench.query.functions import _sql, _sql_cast, _sql_time, _unsayable
from workbench.query.functions._card import DATETIME, DYNAMIC, STRING, scalar
from workbench.query.functions.forms import canonical
from workbench.query.lowering import SqlValue, Value
from workbench.query.plan import Const, Expr


def known_zones() -> list[str]:
    """The names of all zones, sorted."""
    import zoneinfo

    return sorted(zoneinfo.available_timezones() - {"localtime", "posixrules", "Factory"})


def _to_local(ticks: pl.Expr, zone: str) -> pl.Expr:
    """Ticks in UTC as ticks of the zone's clocks."""
    utc = (ticks // 10).cast(pl.Datetime("us", "UTC"))
    local = utc.dt.convert_time_zone(zone).dt.replace_time_zone(None)
    return local.to_physical() * 10 + ticks % 10


def _to_utc(ticks: pl.Expr, zone: str) -> pl.Expr:
    """Ticks of the zone's clocks as ticks in UTC.

    A time that comes twice is the later one (standard time); one that is skipped is counted back from
    the day after, so by the offset that holds after the gap.
    """

    def exact(local: pl.Expr) -> pl.Expr:
        stamped = (local // 10).cast(pl.Datetime("us"))
        placed = stamped.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
        return placed.dt.convert_time_zone("UTC").dt.replace_time_zone(None).to_physical() * 10 + local % 10

    return pl.coalesce(exact(ticks), exact(ticks + TICKS_PER_DAY) - TICKS_PER_DAY)


def _sql_to_local(ticks: _sql.Sql, zone: str) -> _sql.Sql:
    utc = _sql.plain_func("timezone", "UTC", _sql_time.moment(ticks))
    local = _sql.plain_func("timezone", zone, utc)
    return _sql.op("+", _sql_time.ticks_of(local), _sql_time.rest(ticks, 10))


def _sql_to_utc(ticks: _sql.Sql, zone: str) -> _sql.Sql:
    def exact(local: _sql.Sql) -> _sql.Sql:
        # For a skipped time the engine takes one that exists: then the way back does not lead there.
        placed = _sql.plain_func("timezone", zone, _sql_time.moment(local))
        there = _sql.op("=", _sql.plain_func("timezone", zone, placed), _sql_time.moment(local))
        utc = _sql_time.ticks_of(_sql.plain_func("timezone", "UTC", placed))
        return _sql.case((there, _sql.op("+", utc, _sql_time.rest(local, 10))))

    day_after = exact(_sql.op("+", ticks, TICKS_PER_DAY))
    return _sql.coalesce(exact(ticks), _sql.op("-", day_after, TICKS_PER_DAY))


def _known_zone(name: str, zone: Const) -> None:
    if str(zone.value) not in set(known_zones()):
        why = f"{zone.value!r} is no time zone, datetime_list_timezones() lists them"
        raise diagnostics.bad_argument(f"{name}()", why, zone.span)


def _conversion(name: str, doc: str) -> None:
    change = _to_local if name == "datetime_utc_to_local" else _to_utc
    sql_change = _sql_to_local if name == "datetime_utc_to_local" else _sql_to_utc

    def by_row(struct: pl.Series) -> pl.Series:
        """Rows of one zone at a time; a name that is no zone gives null."""
        known = set(known_zones())
        frame = struct.struct.unnest()
        made = pl.lit(None, pl.Int64)
        for zone in frame["zone"].unique():
            if zone in known:
                made = pl.when(pl.col("zone") == zone).then(change(pl.col("ticks"), zone)).otherwise(made)
        return frame.select(made.alias(struct.name)).to_series()

    @scalar(name, [DATETIME, STRING], DATETIME)
    class _Conversion:
        @staticmethod
        def lower(values: list[Value], args: Sequence[Expr], returns: ScalarType) -> Value:
            ticks, zone = canonical(values[0]), args[1]
            if isinstance(zone, Const):
                _known_zone(name, zone)
                return Value(change(ticks, zone.value), DATETIME)
            packed = pl.struct(ticks.alias("ticks"), canonical(values[1]).alias("zone"))
            return Value(packed.map_batches(by_row, return_dtype=pl.Int64, is_elementwise=True), DATETIME)

        @staticmethod
        def sql_lower(values: list[SqlValue], args: Sequence[Expr], returns: ScalarType) -> SqlValue:
            zone = args[1]
            if not isinstance(zone, Const):
                raise _sql.Unsayable(_unsayable.ZONE_DIFFERS)
            _known_zone(name, zone)
            return SqlValue(sql_change(_sql_cast.canonical(values[0]), zone.value), DATETIME)

    _Conversion.__doc__ = doc


_conversion("datetime_utc_to_local", "A time in UTC as the clocks of a time zone show it.")
_conversion("datetime_local_to_utc", "A time on the clocks of a time zone in UTC.")


@scalar("datetime_list_timezones", [], DYNAMIC)
class DatetimeListTimezones:
    """All names of time zones."""

    @staticmethod
    def row() -> list[str]:
        return known_zones()
