"""One value of a result as text for the eye: a KQL type and a Python value in, a `Cell` out.

Every reading of LOOK's measures for numbers, times and text stands here once, for the HTML table
and for the plain one. It knows neither HTML nor the width of a screen.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import unicodedata
from dataclasses import dataclass
from typing import Any

from workbench.base.dtypes import ScalarType, format_timespan

NULL = "–"
_RIGHT = frozenset(
    {ScalarType.INT, ScalarType.LONG, ScalarType.REAL, ScalarType.DECIMAL, ScalarType.TIMESPAN}
)
_MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Cell:
    """What is shown of a value.

    Attributes
    ----------
    text : str
        One line, safe to print: no control characters, no marks that turn the reading direction.
    exact : str
        The value in full where `text` is a shorter reading of it, else empty.
    folded : str
        Several lines to unfold (text with line ends, JSON with indents), else empty.
    null : bool
    """

    text: str
    exact: str = ""
    folded: str = ""
    null: bool = False


def is_right_aligned(kql: ScalarType) -> bool:
    return kql in _RIGHT


def is_code(kql: ScalarType) -> bool:
    """Whether values of the type are set in the code font."""
    return kql in (ScalarType.DYNAMIC, ScalarType.GUID)


def cell(value: Any, kql: ScalarType) -> Cell:
    """The value as it is shown.

    Examples
    --------
    >>> cell(12345, ScalarType.LONG).text, cell(None, ScalarType.LONG).text
    ('12,345', '–')
    >>> cell(dt.timedelta(seconds=200), ScalarType.TIMESPAN)
    Cell(text='3 min 20 s', exact='00:03:20', folded='', null=False)
    """
    if value is None:
        return Cell("", null=False) if kql is ScalarType.STRING else Cell(NULL, null=True)
    if isinstance(value, bool):
        return Cell("true" if value else "false")
    if isinstance(value, dt.datetime):
        return Cell(moment(value))
    if isinstance(value, dt.timedelta):
        return Cell(duration(value), format_timespan(value // _MICROSECOND * 10))
    if isinstance(value, int):
        return Cell(f"{value:,}")
    if isinstance(value, float):
        text = number(value)
        whole = math.isfinite(value) and text.replace(",", "") != _bare(value)
        return Cell(text, repr(value) if whole else "")
    if kql is ScalarType.DECIMAL:
        return Cell(_grouped(str(value)))
    if kql is ScalarType.DYNAMIC:
        return dynamic(value)
    return string(str(value))


def moment(value: dt.datetime) -> str:
    """`2026-11-23 14:02:07`, with three or six digits of a second where there are any.

    Examples
    --------
    >>> moment(dt.datetime(2026, 11, 23, 14, 2, 7, 120000))
    '2026-11-23 14:02:07.120'
    """
    text = value.replace(tzinfo=None).isoformat(" ", "microseconds")
    whole, fraction = text.split(".")
    if fraction == "000000":
        return whole
    return f"{whole}.{fraction[:3] if fraction.endswith('000') else fraction}"


def duration(value: dt.timedelta) -> str:
    """A length of time in the two largest units that matter.

    Examples
    --------
    >>> [duration(dt.timedelta(seconds=s)) for s in (0, 0.0005, 0.35, 1.2, 200, 7500, 273600)]
    ['0 s', '0.5 ms', '350 ms', '1.2 s', '3 min 20 s', '2 h 5 min', '3 d 4 h']
    """
    total = value // _MICROSECOND
    sign, total = ("-", -total) if total < 0 else ("", total)
    seconds = total / 1e6
    if total == 0:
        return "0 s"
    if seconds < 1:
        return f"{sign}{total / 1000:.4g} ms"
    if seconds < 60:
        return f"{sign}{seconds:.4g} s"
    for size, name, below, low in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            first, rest = divmod(int(seconds), size)
            second = rest // below
            return f"{sign}{first:,} {name}" + (f" {second} {low}" if second else "")
    raise AssertionError("a minute or more has a unit")


def number(value: float) -> str:
    """A real with thousands separated and at most ten digits.

    Examples
    --------
    >>> number(1234567.25), number(0.1 + 0.2), number(1e300), number(5.0)
    ('1,234,567.25', '0.3', '1e+300', '5')
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return _grouped(_bare(value, 10))


def _bare(value: float, digits: int = 17) -> str:
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.{digits}g}" if digits < 17 else repr(value)


def _grouped(text: str) -> str:
    """Digits of a number with commas; anything else unchanged."""
    whole, dot, fraction = text.partition(".")
    if not whole.lstrip("-").isdecimal() or "e" in fraction:
        return text
    return f"{int(whole):,}{dot}{fraction}" if not whole.startswith("-0") else text


def dynamic(value: Any) -> Cell:
    """JSON on one line, and indented to unfold when it has parts."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    if text[:1] not in "{[" or len(text) > 200_000:
        return string(text)
    try:
        parsed = json.loads(text)
    except ValueError:
        return string(text)
    folded = json.dumps(parsed, ensure_ascii=False, indent=2)
    line = json.dumps(parsed, ensure_ascii=False, separators=(", ", ": "))
    return Cell(printable(line), folded=printable(folded, lines=True) if parsed else "")


def string(value: str) -> Cell:
    """Text on one line; several lines are kept to unfold."""
    if value.isprintable():
        return Cell(value)
    line = printable(value)
    return Cell(line, folded=printable(value, lines=True) if "\n" in value.strip() else "")


def printable(text: str, lines: bool = False) -> str:
    r"""The text with what can't be seen made visible: control characters, ANSI escapes, marks that
    turn the reading direction, characters of no width. `lines` keeps line ends and tabs.

    Examples
    --------
    >>> printable("a\x1b[31mred\u202e")
    'a\\x1b[31mred\\u202e'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _visible(c, lines) for c in text)


def _visible(char: str, lines: bool) -> str:
    code = ord(char)
    if char in "\n\t":
        return char if lines else {"\n": "↵", "\t": " "}[char]
    if char == "\r":
        return "" if lines else "\\r"
    if code < 256 and unicodedata.category(char) == "Cc":
        return f"\\x{code:02x}"
    if unicodedata.category(char) == "Zs":
        return " "
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def width(text: str) -> int:
    """Columns that the text takes in a terminal.

    Examples
    --------
    >>> width("log"), width("日本")
    (3, 4)
    """
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) > 0 for c in text)
