"""Functions of SQL as cards of KQL: one table; what it lacks is called as the KQL function of that name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from workbench.base.diagnostics import sql as diagnostics
from workbench.base.dtypes import ScalarType
from workbench.base.errors import Span
from workbench.query.binder import special
from workbench.query.binder.scope import FunctionEntry
from workbench.query.functions import AGGREGATES, FUNCTIONS, refusal
from workbench.query.plan import Const, Expr
from workbench.query.sql import aggregating, expressions, times
from workbench.query.sql.asking import Asking

T = ScalarType
Form = Callable[[Asking, list[Expr], Span], Expr]
_ONE = Const(T.LONG, 1)


def bind(a: Asking, node: exp.Expr) -> Expr:
    """The value of a function, or of an aggregate."""
    span = a.span(node)
    if aggregating.is_aggregate(node):
        return aggregating.bind(a, node)
    timed = _TIMES.get(type(node))
    if timed is not None:
        return timed(a, node)
    name, arguments = called(a, node)
    card = _CARDS.get(name)
    form = _FORMS.get(name)
    if card is None and form is None and not isinstance(node, exp.Func):
        raise diagnostics.not_taken(f"{node.sql()[:40]!r}", span)
    args = [expressions.bind(a, n) for n in arguments]
    if form is not None:
        least, most, make = form
        if not least <= len(args) <= most:
            wanted = (
                f"{least} argument{'s' * (least != 1)}" if least == most else f"{least} to {most} arguments"
            )
            raise diagnostics.wrong_count(name, wanted, len(args), span)
        made = make(a, args, span)
    elif card is not None:
        made = a.kql(card, args, span)
    else:
        return _kql(a, name, args, span)
    return a.null_where(a.any_of([a.null_of(x) for x in args]), made) if name in _STRICT else made


def names() -> dict[str, str]:
    """What SQL calls a function or an aggregate → the card of KQL that says what it does, "" where none does.

    Examples
    --------
    >>> names()["upper"], names()["substr"], names()["stddev"]
    ('toupper', '', 'stdev')
    """
    alone = ("coalesce", "count", "date_trunc", "date_add", "date_diff", "extract", "nullif", "trim")
    return {
        **dict.fromkeys((*_FORMS, *alone), ""),
        **{name: card for name, card in _CARDS.items() if card.isidentifier()},
        **aggregating.NAMES,
    }


def _kql(a: Asking, name: str, args: list[Expr], span: Span) -> Expr:
    """A function of KQL, or one that the workspace keeps, by its name."""
    stored = isinstance(a.b.scope.find(name), FunctionEntry)
    if not stored and name not in FUNCTIONS and name not in special.FORMS:
        refused = refusal(name)
        if refused is not None:
            raise diagnostics.not_taken(f"{name}()", span, refused)
        known = [n for n in (*FUNCTIONS, *AGGREGATES, *special.FORMS, *_CARDS, *_FORMS) if n[0].isalpha()]
        raise diagnostics.unknown_function(name, span, known)
    card = FUNCTIONS.get(name)
    if card is not None and card.window:
        raise diagnostics.not_taken(
            f"{name}() of KQL", span, "write a window: row_number() OVER (ORDER BY …)"
        )
    return a.kql(name, args, span)


def called(a: Asking, node: exp.Expr) -> tuple[str, list[exp.Expr]]:
    """The name that a function is found under, and its arguments in order."""
    if isinstance(node, exp.Anonymous):
        name = str(node.this if isinstance(node.this, str) else node.name)
        lower = name.lower()
        exact = name if name in FUNCTIONS or isinstance(a.b.scope.find(name), FunctionEntry) else lower
        return exact, list(node.expressions)
    name = node.sql_name().lower() if isinstance(node, exp.Func) else type(node).__name__.lower()
    if name not in _CARDS and name not in _FORMS:
        # As it was written: a dialect may know a function of KQL by another name.
        start, end = node.meta.get("start"), node.meta.get("end")
        if isinstance(start, int) and isinstance(end, int):
            name = a.whole.text[start : end + 1].lower()
    arguments: list[exp.Expr] = []
    for value in node.args.values():
        arguments += [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, exp.Expr)]
    return name, arguments


# ---- one card each ----------------------------------------------------------------------------

_CARDS: dict[str, str] = {
    "upper": "toupper", "ucase": "toupper", "lower": "tolower", "lcase": "tolower",
    "length": "strlen", "char_length": "strlen", "len": "strlen", "character_length": "strlen", "octet_length": "string_size",
    "concat": "strcat", "replace": "replace_string", "reverse": "reverse", "repeat": "repeat",
    "abs": "abs", "sqrt": "sqrt", "exp": "exp", "pow": "pow", "power": "pow", "ln": "log", "log2": "log2", "log10": "log10",
    "sign": "sign", "ceil": "ceiling", "ceiling": "ceiling", "greatest": "max_of", "least": "min_of",
    "regexp_matches": "matches regex", "starts_with": "startswith_cs", "startswith": "startswith_cs", "ends_with": "endswith_cs",
    "endswith": "endswith_cs", "contains": "contains_cs", "str_contains": "contains_cs",
    "md5": "hash_md5", "sha1": "hash_sha1", "sha": "hash_sha1", "sha256": "hash_sha256",
    "now": "now", "current_timestamp": "now", "getdate": "now", "localtimestamp": "now", "current_datetime": "now", "sysdate": "now",
    "to_base64": "base64_encode_tostring", "from_base64": "base64_decode_tostring", "uuid": "new_guid", "gen_random_uuid": "new_guid",
    "random": "rand", "json_parse": "parse_json", "parse_json": "parse_json", "to_json": "todynamic", "isnan": "isnan",
    "is_nan": "isnan", "isinf": "isinf", "is_inf": "isinf", "json_array_length": "array_length", "array_length": "array_length", "array_size": "array_length",
    "cardinality": "array_length", "json_keys": "bag_keys", "array_contains": "set_has_element", "list_contains": "set_has_element",
    "last_day": "endofmonth", "concat_ws": "strcat_delim", "chr": "make_string", "degrees": "degrees", "radians": "radians",
    "day_of_year": "dayofyear", "string_split": "split", "array_to_string": "strcat_array",
}  # fmt: skip
# Text of nothing is nothing: where an argument is null the result is, though KQL has "".
_STRICT = frozenset({"upper", "lower", "length", "replace", "reverse", "repeat", "substring", "trim", "md5", "sha256", "left", "right"})  # fmt: skip


def _substring(a: Asking, args: list[Expr], span: Span) -> Expr:
    start = a.call("-", args[1], _ONE)
    return a.kql("substring", [args[0], start, *args[2:]], span)


def _left(a: Asking, args: list[Expr], span: Span) -> Expr:
    return a.kql("substring", [args[0], Const(T.LONG, 0), args[1]], span)


def _right(a: Asking, args: list[Expr], span: Span) -> Expr:
    start = a.call("max_of", a.call("-", a.call("strlen", args[0]), args[1]), Const(T.LONG, 0))
    return a.kql("substring", [args[0], start], span)


def _position(a: Asking, args: list[Expr], span: Span) -> Expr:
    return a.call("+", a.kql("indexof", args, span), _ONE, span=span)


def _round(a: Asking, args: list[Expr], span: Span) -> Expr:
    if args[0].type in (T.LONG, T.INT) and len(args) == 1:
        return args[0]
    return a.kql("round", args, span)


def _floor(a: Asking, args: list[Expr], span: Span) -> Expr:
    return a.kql("floor", [args[0], Const(T.LONG if args[0].type in (T.LONG, T.INT) else T.REAL, 1)], span)


def _log(a: Asking, args: list[Expr], span: Span) -> Expr:
    """LOG(x) has the base 10; LOG(b, x) any."""
    if len(args) == 1:
        return a.kql("log10", args, span)
    return a.call("/", a.kql("log", args[1:], span), a.kql("log", args[:1], span))


def _split_part(a: Asking, args: list[Expr], span: Span) -> Expr:
    place = a.call("-", args[2], _ONE)
    return a.call("tostring", a.call("element", a.kql("split", args[:2], span), place), span=span)


def _extracted(a: Asking, args: list[Expr], span: Span) -> Expr:
    group = args[2] if len(args) > 2 else Const(T.LONG, 0)
    return a.kql("extract", [args[1], group, args[0]], span)


def _replaced(a: Asking, args: list[Expr], span: Span) -> Expr:
    return a.kql("replace_regex", args[:3], span)


def _from_seconds(a: Asking, args: list[Expr], span: Span) -> Expr:
    if args[0].type is T.STRING:
        return a.b.convert(args[0], T.DATETIME)
    return a.kql("unixtime_seconds_todatetime", args, span)


def _lag_of_days(a: Asking, args: list[Expr], span: Span) -> Expr:
    return a.call("startofday", a.kql("now", [], span), span=span)


def _is_null(a: Asking, args: list[Expr], span: Span) -> Expr:
    return a.null_of(args[0]) or Const(T.BOOL, False)


def _if_null(a: Asking, args: list[Expr], span: Span) -> Expr:
    null = a.null_of(args[0])
    return args[0] if null is None else a.call("iff", null, args[1], args[0], span=span)


_FORMS: dict[str, tuple[int, int, Form]] = {
    "substring": (2, 3, _substring), "substr": (2, 3, _substring), "left": (2, 2, _left), "right": (2, 2, _right),
    "str_position": (2, 2, _position), "strpos": (2, 2, _position), "instr": (2, 2, _position),
    "round": (1, 2, _round), "floor": (1, 1, _floor), "log": (1, 2, _log), "split_part": (3, 3, _split_part),
    "regexp_extract": (2, 3, _extracted), "regexp_replace": (3, 5, _replaced),
    "to_timestamp": (1, 1, _from_seconds), "unix_to_time": (1, 1, _from_seconds), "from_unixtime": (1, 1, _from_seconds),
    "current_date": (0, 0, _lag_of_days), "today": (0, 0, _lag_of_days),
    "is_null": (1, 1, _is_null), "ifnull": (2, 2, _if_null), "nvl": (2, 2, _if_null),
}  # fmt: skip


# ---- trees of their own -----------------------------------------------------------------------


def _trim(a: Asking, node: exp.Trim) -> Expr:
    text, span = expressions.bind(a, node.this), a.span(node)
    given = node.args.get("expression")
    regex = r"\s+"
    if given is not None:
        known = a.constant(expressions.bind(a, given))
        if known is None:
            raise diagnostics.not_constant("what TRIM takes away", span)
        import re

        regex = f"[{re.escape(str(known.value))}]+"
    side = {"LEADING": "trim_start", "TRAILING": "trim_end"}.get(str(node.args.get("position") or "").upper(), "trim")  # fmt: skip
    return a.kql(side, [Const(T.STRING, regex), text], span)


def _truncated(a: Asking, node: Any) -> Expr:
    span = a.span(node)
    return times.truncated(a, times.moment(a, node.this), times.unit_of(a, node.args.get("unit"), span), span)


def _part(a: Asking, node: exp.Extract) -> Expr:
    time = expressions.bind(a, node.expression)
    if time.type is not T.TIMESPAN:
        time = times.moment(a, node.expression)
    return times.part(a, time, node.this.name, a.span(node))


def _named_part(name: str) -> Callable[[Asking, Any], Expr]:
    return lambda a, node: times.part(a, times.moment(a, node.this), name, a.span(node))


def _shift(sign: str) -> Callable[[Asking, Any], Expr]:
    def form(a: Asking, node: Any) -> Expr:
        by = node.expression
        if not isinstance(by, exp.Interval):
            by = exp.Interval(this=by.copy(), unit=node.args.get("unit") or exp.Var(this="DAY"))
            by.parent = node
        return times.added(a, expressions.bind(a, node.this), by, sign, node)

    return form


def _difference(a: Asking, node: Any) -> Expr:
    """How many borders of the unit lie between; `this` is the later moment."""
    span = a.span(node)
    unit = times.unit_of(a, node.args.get("unit"), span)
    late, early = times.moment(a, node.this), times.moment(a, node.expression)
    return a.kql("datetime_diff", [Const(T.STRING, unit), late, early], span)


def _to_time(a: Asking, node: Any) -> Expr:
    if node.args.get("format") is not None:
        raise diagnostics.not_taken("a format of time", a.span(node), "todatetime(text), or make_datetime(…)")
    return times.moment(a, node.this)


def _to_date(a: Asking, node: Any) -> Expr:
    return a.call("startofday", times.moment(a, node.this), span=a.span(node))


_TIMES: dict[type, Callable[[Asking, Any], Expr]] = {
    exp.Trim: _trim, exp.TimestampTrunc: _truncated, exp.DateTrunc: _truncated, exp.DatetimeTrunc: _truncated,
    exp.Extract: _part, exp.DateAdd: _shift("+"), exp.TsOrDsAdd: _shift("+"), exp.TimestampAdd: _shift("+"), exp.DatetimeAdd: _shift("+"),
    exp.DateSub: _shift("-"), exp.TimestampSub: _shift("-"), exp.DatetimeSub: _shift("-"),
    exp.DateDiff: _difference, exp.TimestampDiff: _difference, exp.DatetimeDiff: _difference, exp.TsOrDsDiff: _difference,
    exp.StrToTime: _to_time, exp.TsOrDsToTimestamp: _to_time, exp.Timestamp: _to_time, exp.TsOrDsToDate: _to_date, exp.Date: _to_date,
    exp.UnixToTime: lambda a, n: _from_seconds(a, [expressions.bind(a, n.this)], a.span(n)),
    exp.CurrentDate: lambda a, n: _lag_of_days(a, [], a.span(n)),
    exp.CurrentTimestamp: lambda a, n: a.kql("now", [], a.span(n)),
    **{c: _named_part(n) for c, n in (
        (exp.Year, "year"), (exp.Month, "month"), (exp.Day, "day"), (exp.Hour, "hour"), (exp.Minute, "minute"),
        (exp.Second, "second"), (exp.Week, "week"), (exp.Quarter, "quarter"), (exp.DayOfMonth, "day"),
        (exp.DayOfWeek, "dow"), (exp.DayOfYear, "doy"), (exp.WeekOfYear, "week"))},
}  # fmt: skip
