"""Local times: to and from UTC by the names of the IANA time zone database."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.base.dtypes import TICKS_PER_DAY, ScalarType
from workbench.query.functions._card import DATETIME, DYNAMIC, STRING, scalar
from workbench.query.functions.forms import canonical
from workbench.query.lowering import Value
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


def _conversion(name: str, doc: str) -> None:
    change = _to_local if name == "datetime_utc_to_local" else _to_utc

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
                if str(zone.value) not in set(known_zones()):
                    why = f"{zone.value!r} is no time zone, datetime_list_timezones() lists them"
                    raise diagnostics.bad_argument(f"{name}()", why, zone.span)
                return Value(change(ticks, zone.value), DATETIME)
            packed = pl.struct(ticks.alias("ticks"), canonical(values[1]).alias("zone"))
            return Value(packed.map_batches(by_row, return_dtype=pl.Int64, is_elementwise=True), DATETIME)

    _Conversion.__doc__ = doc


_conversion("datetime_utc_to_local", "A time in UTC as the clocks of a time zone show it.")
_conversion("datetime_local_to_utc", "A time on the clocks of a time zone in UTC.")


@scalar("datetime_list_timezones", [], DYNAMIC)
class DatetimeListTimezones:
    """All names of time zones."""

    @staticmethod
    def row() -> list[str]:
        return known_zones()
