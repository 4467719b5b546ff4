"""Values of a dashboard's parameters: text of a link or a form in, typed values out, and back as KQL.

Queries get the values as values (`answering`), never as text. `let_statements` writes them for a person who
opens the search behind a tile: what it writes is read again as the same value (a law in the tests).
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from workbench.base.diagnostics import dashboards as diagnostics
from workbench.base.dtypes import format_datetime, format_timespan, parse_datetime, parse_timespan
from workbench.kernel_ext.dashboards.spec import Dashboard, Parameter
from workbench.query.timerange import duration

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_US = dt.timedelta(microseconds=1)
_LONGEST, _MOST = 2_000, 1_000
_PREFIX = "p_"
_SPAN = "timespan"
_EMPTY: Mapping[str, Any] = {
    "string": "",
    "long": 0,
    "real": 0.0,
    "bool": False,
    "datetime": _EPOCH,
    "timespan": dt.timedelta(),
}


def typed(parameter: Parameter, value: Any) -> Any:
    """One value, or for `many` a list of values, of the parameter's declared type.

    Raises
    ------
    WorkbenchError
        DSH101 where it is of another type, DSH103 where it is none of the choices that the text lists.

    Examples
    --------
    >>> typed(Parameter("n", "long"), "42"), typed(Parameter("m", many=True), ["a", "b"])
    (42, ['a', 'b'])
    """
    if parameter.many:
        values = [] if value is None else list(value) if isinstance(value, list | tuple) else [value]
        if len(values) > _MOST:
            raise diagnostics.bad_parameter(parameter.name, parameter.type, f"no more than {_MOST:,} values")
        return [_one(parameter, v) for v in values]
    if isinstance(value, list | tuple):
        if len(value) != 1:
            raise diagnostics.bad_parameter(parameter.name, parameter.type, "it takes one value")
        value = value[0]
    return _EMPTY[parameter.type] if value is None else _one(parameter, value)


def _one(parameter: Parameter, value: Any) -> Any:
    text = str(value)
    if len(text) > _LONGEST:
        raise diagnostics.bad_parameter(
            parameter.name, parameter.type, f"no more than {_LONGEST:,} characters"
        )
    if isinstance(parameter.choices, tuple) and parameter.choices and text not in parameter.choices:
        raise diagnostics.not_a_choice(parameter.name, text)
    found = _READ[parameter.type](value, text)
    if found is None:
        raise diagnostics.bad_parameter(parameter.name, parameter.type, f"{text[:60]!r} is none")
    return found


def _string(value: Any, text: str) -> str | None:
    return text if isinstance(value, str | int | float) and text.isprintable() else None


def _long(value: Any, text: str) -> int | None:
    try:
        number = int(text)
    except ValueError:
        return None
    return number if -(2**63) <= number < 2**63 and not isinstance(value, bool) else None


def _real(value: Any, text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _bool(value: Any, text: str) -> bool | None:
    return {"true": True, "false": False, "1": True, "0": False}.get(text.lower())


def _datetime(value: Any, text: str) -> dt.datetime | None:
    if isinstance(value, dt.datetime):
        return value if value.tzinfo else value.replace(tzinfo=dt.UTC)
    ticks = parse_datetime(text)
    return None if ticks is None else _EPOCH + ticks // 10 * _US


def _timespan(value: Any, text: str) -> dt.timedelta | None:
    if isinstance(value, dt.timedelta):
        return value
    ticks = duration(text)
    if ticks is None:
        ticks = parse_timespan(text)
    return None if ticks is None else ticks // 10 * _US


_READ = {
    "string": _string,
    "long": _long,
    "real": _real,
    "bool": _bool,
    "datetime": _datetime,
    "timespan": _timespan,
}


def defaults(dashboard: Dashboard) -> dict[str, Any]:
    """The value of each parameter before anybody chose."""
    return {p.name: typed(p, p.default) for p in dashboard.parameters}


def from_link(dashboard: Dashboard, query: str) -> tuple[dict[str, Any], str]:
    """The values and the timespan that a link asks for: `?p_machines=web01&p_machines=web02&timespan=PT1H`.

    What has no prefix belongs to the page and is left alone.

    Raises
    ------
    WorkbenchError
        DSH101 to DSH103.

    Examples
    --------
    >>> from workbench.kernel_ext.dashboards.spec import read
    >>> board = read("title: t\\nparameters: [{name: n, type: long}]\\ntiles: [{tile: text, text: a}]")
    >>> from_link(board, "?p_n=7&theme=dark")
    ({'n': 7}, '')
    """
    pairs = parse_qsl(query.lstrip("?"), keep_blank_values=True, max_num_fields=_MOST)
    given: dict[str, list[str]] = {}
    span = ""
    for key, value in pairs:
        if key == _SPAN:
            if duration(value) is None:
                raise diagnostics.bad_parameter(_SPAN, "timespan", f"{value[:60]!r} is none")
            span = value
        elif key.startswith(_PREFIX):
            given.setdefault(key.removeprefix(_PREFIX), []).append(value)
    known = {p.name: p for p in dashboard.parameters}
    values = {}
    for name, texts in given.items():
        if name not in known:
            raise diagnostics.unknown_parameter(name, list(known))
        values[name] = typed(known[name], texts)
    return values, span


def to_link(dashboard: Dashboard, values: Mapping[str, Any], timespan: str) -> str:
    """The query string that `from_link` reads as these values; what is as it was by default is left out."""
    usual = defaults(dashboard)
    pairs = []
    for parameter in dashboard.parameters:
        value = values[parameter.name]
        if value != usual[parameter.name]:
            for one in value if parameter.many else [value]:
                pairs.append((_PREFIX + parameter.name, _text(one)))
    if timespan != dashboard.timespan:
        pairs.append((_SPAN, timespan))
    return urlencode(pairs)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.datetime):
        return format_datetime((value - _EPOCH) // _US * 10)
    if isinstance(value, dt.timedelta):
        return format_timespan(value // _US * 10)
    return str(value)


# ---- as KQL -----------------------------------------------------------------------------------


def let_statements(values: Mapping[str, Any]) -> str:
    """The values as `let` statements, a line each.

    Examples
    --------
    >>> let_statements({"machines": ["web01"], "n": 7})
    'let machines = dynamic(["web01"]);\\nlet n = long(7);\\n'
    """
    return "".join(f"let {name} = {literal(value)};\n" for name, value in values.items())


def literal(value: Any) -> str:
    """A value as a KQL literal.

    Examples
    --------
    >>> literal('say "hi"'), literal(dt.timedelta(minutes=5))
    ('"say \\\\"hi\\\\""', 'timespan(00:05:00)')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int):
        return f"long({value})"
    if isinstance(value, float):
        return f"real({value!r})"
    if isinstance(value, dt.datetime):
        return f"datetime({_text(value)})"
    if isinstance(value, dt.timedelta):
        return f"timespan({_text(value)})"
    return f"dynamic([{', '.join(_inside(v) for v in value)}])"


def _inside(value: Any) -> str:
    """A value inside of an array of JSON."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    return _quoted(value if isinstance(value, str) else _text(value))


def _quoted(text: str) -> str:
    return '"' + "".join(_escaped(c) for c in text) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else "".join(f"\\u{unit:04x}" for unit in _surrogates(code))


def _surrogates(code: int) -> Sequence[int]:
    code -= 0x10000
    return 0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF)
