"""Time in SQL: INTERVAL, DATE_TRUNC, EXTRACT, differences. All moments are UTC."""

from __future__ import annotations

import re

from sqlglot import exp

from workbench.base.diagnostics import sql as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import Span
from workbench.query.plan import Const, Expr
from workbench.query.sql import expressions
from workbench.query.sql.asking import Asking

T = ScalarType
SECOND = 10_000_000
_TICKS = {
    "microsecond": 10, "millisecond": 10_000, "second": SECOND, "minute": 60 * SECOND, "hour": 3600 * SECOND,
    "day": 86400 * SECOND, "week": 7 * 86400 * SECOND,
}  # fmt: skip
_MONTHS = {"month": 1, "quarter": 3, "year": 12, "decade": 120}
_SHORT = {
    "us": "microsecond", "ms": "millisecond", "s": "second", "sec": "second", "m": "minute", "min": "minute", "mi": "minute",
    "n": "minute", "h": "hour", "hh": "hour", "hr": "hour", "d": "day", "dd": "day", "w": "week", "wk": "week", "ww": "week",
    "mon": "month", "mm": "month", "q": "quarter", "qq": "quarter", "y": "year", "yy": "year", "yyyy": "year", "ss": "second",
}  # fmt: skip
_PART = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*")
_CLOCK = re.compile(r"\s*([+-]?)(?:(\d+)\s+)?(\d+):(\d\d)(?::(\d\d(?:\.\d+)?))?\s*")
UNITS = (*_TICKS, *_MONTHS)


def unit_of(a: Asking, node: exp.Expr | None, span: Span) -> str:
    """The name of a unit, in the singular."""
    text = (node.name if node is not None else "day").lower()
    # A week may be said to begin on a day; ours begins on Monday.
    text = "week" if text.startswith("week(monday") or text == "isoweek" else text
    found = text if text in UNITS else _SHORT.get(text) or (text[:-1] if text[:-1] in UNITS else None)
    if found is None:
        raise diagnostics.not_taken(f"the unit {text!r}", span, f"units: {', '.join(UNITS)}")
    return found


def _amount(a: Asking, node: exp.Interval) -> tuple[Expr | float, str]:
    """(how many, unit) of an interval; the unit `ticks` where several units are added up."""
    span = a.span(node)
    if isinstance(node.args.get("unit"), exp.IntervalSpan):
        raise diagnostics.not_taken("an interval of two units", span, "INTERVAL '1' DAY + INTERVAL '2' HOUR")
    if node.args.get("unit") is not None:
        unit = unit_of(a, node.args["unit"], span)
        inner = expressions.bind(a, node.this)
        known = a.constant(inner)
        if known is None:
            return inner, unit
        try:
            return float(known.value), unit
        except (TypeError, ValueError):
            raise diagnostics.unfit_text(str(known.value), "number of units", span) from None
    text = str(node.this.this if isinstance(node.this, exp.Literal) else node.this.sql())
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        sign, days, hours, minutes, seconds = clock.groups()
        total = (
            int(days or 0) * 86400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds or 0)
        ) * SECOND
        return (-total if sign == "-" else total), "ticks"
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text):
        raise diagnostics.unfit_text(text, "interval", span)
    units = [(float(n), unit_of(a, exp.Var(this=u), span)) for n, u in parts]
    if len(units) == 1:
        return units[0]
    if any(u in _MONTHS for _, u in units):
        if all(u in _MONTHS for _, u in units):
            return sum(n * _MONTHS[u] for n, u in units), "month"
        raise diagnostics.not_taken("an interval of months and days", span, "add two intervals")
    return sum(n * _TICKS[u] for n, u in units), "ticks"


def interval(a: Asking, node: exp.Interval) -> Expr:
    """An interval as a timespan; months have no length of their own."""
    amount, unit = _amount(a, node)
    if unit in _MONTHS:
        raise diagnostics.not_taken(f"an interval of {unit}s alone", a.span(node), "add it to a time: t + INTERVAL '1' MONTH")  # fmt: skip
    ticks = 1 if unit == "ticks" else _TICKS[unit]
    if isinstance(amount, float | int):
        return Const(T.TIMESPAN, round(amount * ticks), a.span(node))
    return a.call("*", amount, Const(T.TIMESPAN, ticks), span=a.span(node))


def shifted(a: Asking, node: exp.Binary, sign: str) -> Expr | None:
    """`time ± INTERVAL` of months, and a text that is a time beside an interval; None elsewhere."""
    left, right = node.this.unnest(), node.expression.unnest()
    if isinstance(left, exp.Interval) and sign == "+":
        left, right = right, left
    if sign == "*" or not isinstance(right, exp.Interval) or isinstance(left, exp.Interval):
        return None
    return added(a, expressions.bind(a, left), right, sign, node)


def added(a: Asking, moment: Expr, by: exp.Interval, sign: str, node: exp.Expr) -> Expr:
    if moment.type is T.STRING:
        from workbench.query.sql import casts

        moment = casts.converted(a, moment, T.DATETIME, node)
    amount, unit = _amount(a, by)
    if unit not in _MONTHS:
        return a.call(sign, moment, interval(a, by), span=a.span(node))
    if isinstance(amount, float | int):
        number: Expr = Const(T.LONG, round(amount * _MONTHS[unit]) * (-1 if sign == "-" else 1))
    else:
        factor = Const(T.LONG, _MONTHS[unit] * (-1 if sign == "-" else 1))
        number = a.call("*", amount, factor)
    return a.kql("datetime_add", [Const(T.STRING, "month"), number, moment], a.span(node))


def moment(a: Asking, node: exp.Expr) -> Expr:
    """An expression as a datetime."""
    from workbench.query.sql import casts

    found = expressions.bind(a, node)
    return found if found.type is T.DATETIME else casts.converted(a, found, T.DATETIME, node)


def truncated(a: Asking, time: Expr, unit: str, span: Span) -> Expr:
    """The begin of the unit that a moment lies in; weeks begin on Monday."""
    if unit in ("microsecond", "millisecond", "second", "minute", "hour"):
        return a.kql("bin", [time, Const(T.TIMESPAN, _TICKS[unit])], span)
    day = Const(T.TIMESPAN, _TICKS["day"])
    if unit == "week":
        return a.call("+", a.call("startofweek", a.call("-", time, day)), day, span=span)
    if unit == "quarter":
        month = a.call("monthofyear", time)
        back = a.call("unary -", a.call("%", a.call("-", month, Const(T.LONG, 1)), Const(T.LONG, 3)))
        return a.kql("datetime_add", [Const(T.STRING, "month"), back, a.call("startofmonth", time)], span)
    if unit == "decade":
        raise diagnostics.not_taken("DATE_TRUNC to decades", span)
    return a.call(f"startof{unit}", time, span=span)


def part(a: Asking, time: Expr, name: str, span: Span) -> Expr:
    """One number of a moment, or of a timespan, as EXTRACT names them."""
    name = name.lower()
    seconds = Const(T.TIMESPAN, SECOND)
    if name == "epoch":
        span_ = time if time.type is T.TIMESPAN else a.call("-", time, Const(T.DATETIME, 0))
        return a.call("/", span_, seconds, span=span)
    if time.type is T.TIMESPAN:
        raise diagnostics.not_taken(
            f"EXTRACT({name.upper()} …) of an interval", span, "EXTRACT(EPOCH FROM …) / 60"
        )
    if name in ("dow", "dayofweek", "weekday", "isodow"):
        day = a.b.convert(a.call("/", a.call("dayofweek", time), Const(T.TIMESPAN, _TICKS["day"])), T.LONG)
        if name != "isodow":
            return day
        return a.call("iff", a.call("==", day, Const(T.LONG, 0)), Const(T.LONG, 7), day)
    if name in ("doy", "dayofyear"):
        return a.b.convert(a.call("dayofyear", time), T.LONG)
    if name == "quarter":
        month = a.b.convert(a.call("monthofyear", time), T.LONG)
        return a.call("/", a.call("+", month, Const(T.LONG, 2)), Const(T.LONG, 3), span=span)
    known = {"week": "week_of_year", "isoweek": "week_of_year"}.get(name) or unit_of(
        a, exp.Var(this=name), span
    )
    known = "week_of_year" if known == "week" else known
    return a.b.convert(a.kql("datetime_part", [Const(T.STRING, known), time], span), T.LONG)


def in_zone(a: Asking, node: exp.AtTimeZone) -> Expr:
    """`t AT TIME ZONE 'zone'`: the wall clock there of a moment in UTC."""
    zone = expressions.bind(a, node.args["zone"])
    return a.kql("datetime_utc_to_local", [moment(a, node.this), zone], a.span(node))
