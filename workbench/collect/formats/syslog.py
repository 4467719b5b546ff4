"""Text lines of syslog, as RFC 5424 and RFC 3164 have them and as daemons write them to files.

Out come records of the table `Syslog` with the column names of Azure Monitor. A file's lines mostly
have no priority; facility and severity are then empty. RFC 3164 states neither year nor zone: the
zone is taken for UTC, and the year is the last in which the time is not more than a day after the
file was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from workbench.base import clock
from workbench.base.diagnostics import collect as diagnostics
from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError
from workbench.collect.formats._card import Block, Options, Reader
from workbench.collect.formats._lines import not_utf8, parsed_blocks
from workbench.collect.streams import Member

FACILITIES = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip
SEVERITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
TYPES = {
    "TimeGenerated": T.DATETIME,
    "Computer": T.STRING,
    "EventTime": T.DATETIME,
    "Facility": T.STRING,
    "HostName": T.STRING,
    "SeverityLevel": T.STRING,
    "SyslogMessage": T.STRING,
    "HostIP": T.STRING,
    "ProcessName": T.STRING,
    "ProcessID": T.INT,
    "SourceSystem": T.STRING,
    "MessageId": T.STRING,
    "StructuredData": T.DYNAMIC,
}
_MONTHS = {
    m: i
    for i, m in enumerate(
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1
    )
}
_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)"
_5424 = re.compile(
    rf"<(?P<priority>\d{{1,3}})>[1-9]\d{{0,2}} (?P<time>-|{_ISO}) (?P<host>\S+) (?P<name>\S+) (?P<pid>\S+) (?P<id>\S+)"
    r" (?P<rest>(?:-|\[).*)",
    re.DOTALL,
)
_3164 = re.compile(
    rf"(?:<(?P<priority>\d{{1,3}})>)?(?:(?P<month>[A-Z][a-z]{{2}}) (?P<day>[ \d]\d) (?P<clock>\d\d:\d\d:\d\d)|(?P<time>{_ISO}))"
    r" (?P<host>\S+) (?P<rest>.*)",
    re.DOTALL,
)
_TAG = re.compile(r"(?P<name>[^\s:\[\]]+)(?:\[(?P<pid>[^\]]*)\])?: ?(?P<message>.*)", re.DOTALL)
_ELEMENT = re.compile(r'\[(?P<id>[^\s=\]"]+)(?P<values>(?: [^\s=\]"]+="(?:\\.|[^"\\])*")*)\]')
_VALUE = re.compile(r' ([^\s=\]"]+)="((?:\\.|[^"\\])*)"')
_ESCAPED = re.compile(r'\\(["\\\]])')
_TAG_FOR_HOST = re.compile(r"[^\s:\[\]]+(?:\[[^\]]*\])?:")
Dated = Callable[[int, int, str, datetime], str]
"""Month, day, clock and reference → ISO 8601 in UTC."""


def not_after(month: int, day: int, clock_time: str, reference: datetime) -> str:
    """The last such time that is at most a day after the reference; for lines that were written before it.

    Raises
    ------
    ValueError
        If there is no such day.

    Examples
    --------
    >>> not_after(2, 29, "12:00:00", datetime(2026, 1, 1))
    '2024-02-29T12:00:00Z'
    """
    latest = reference.replace(tzinfo=None) + timedelta(days=1)
    # The 29th of February needs up to eight years.
    for year in range(latest.year, latest.year - 9, -1):
        text = f"{year:04d}-{month:02d}-{day:02d}T{clock_time}"
        try:
            if datetime.fromisoformat(text) <= latest:
                return text + "Z"
        except ValueError:
            continue
    raise ValueError("no such day")


def parse(line: str, reference: datetime, dated: Dated = not_after) -> dict[str, Any]:
    """A line as a record.

    Parameters
    ----------
    line : str
        Without its line end.
    reference : datetime
        In UTC: when the line was certainly written already; gives RFC 3164 its year.
    dated : callable, optional
        How it does so.

    Raises
    ------
    ValueError
        If it is no syslog message.

    Examples
    --------
    >>> record = parse("<34>Oct 11 22:14:15 mymachine su[42]: 'su root' failed", datetime(2026, 1, 1))
    >>> record["TimeGenerated"], record["Facility"], record["SeverityLevel"], record["ProcessID"]
    ('2025-10-11T22:14:15Z', 'auth', 'crit', '42')
    """
    found = _5424.fullmatch(line)
    if found is not None:
        return _modern(found)
    found = _3164.fullmatch(line)
    if found is None:
        raise ValueError("no syslog message")
    return _traditional(found, reference, dated)


def _modern(found: re.Match[str]) -> dict[str, Any]:
    data, message = _structured(found["rest"])
    record = _record(found["priority"], _time(found["time"]), _named(found["host"]), message)
    record["ProcessName"] = _named(found["name"])
    record["ProcessID"] = _named(found["pid"])
    record["MessageId"] = _named(found["id"])
    record["StructuredData"] = data
    return record


def _traditional(found: re.Match[str], reference: datetime, dated: Dated) -> dict[str, Any]:
    moment = _time(found["time"]) if found["time"] else _with_year(found, reference, dated)
    host, rest = found["host"], found["rest"]
    if _TAG_FOR_HOST.fullmatch(host):
        # As programs write to their own machine's daemon: without a host.
        host, rest = "", f"{host} {rest}"
    tag = _TAG.fullmatch(rest)
    message = rest if tag is None else tag["message"]
    record = _record(found["priority"], moment, host, message)
    if tag is not None:
        record["ProcessName"], record["ProcessID"] = tag["name"], tag["pid"]
    return record


def _record(priority: str | None, moment: str | None, host: str, message: str) -> dict[str, Any]:
    facility = severity = ""
    if priority is not None:
        number = int(priority)
        if number >= len(FACILITIES) * 8:
            raise ValueError("the priority is too large")
        facility, severity = FACILITIES[number // 8], SEVERITIES[number % 8]
    return {
        "TimeGenerated": moment,
        "Computer": host,
        "EventTime": moment,
        "Facility": facility,
        "HostName": host,
        "SeverityLevel": severity,
        "SyslogMessage": message,
        "SourceSystem": "Linux",
    }


def _named(value: str) -> str:
    return "" if value == "-" else value


def _time(text: str) -> str | None:
    return None if text == "-" else text


def _with_year(found: re.Match[str], reference: datetime, dated: Dated) -> str:
    month = _MONTHS.get(found["month"])
    if month is None:
        raise ValueError("no month")
    return dated(month, int(found["day"]), found["clock"], reference)


def _structured(rest: str) -> tuple[dict[str, dict[str, str]] | None, str]:
    """Structured data as `{id: {name: value}}`, and the message behind it."""
    if rest.startswith("-"):
        if rest[1:2] not in ("", " "):
            raise ValueError("no structured data")
        return None, _message(rest[2:])
    data: dict[str, dict[str, str]] = {}
    place = 0
    while rest[place : place + 1] == "[":
        element = _ELEMENT.match(rest, place)
        if element is None:
            raise ValueError("the structured data is not closed")
        values = {name: _ESCAPED.sub(r"\1", value) for name, value in _VALUE.findall(element["values"])}
        data.setdefault(element["id"], {}).update(values)
        place = element.end()
    if rest[place : place + 1] not in ("", " "):
        raise ValueError("something stands behind the structured data")
    return data, _message(rest[place + 1 :])


def _message(text: str) -> str:
    """The text without the mark of UTF-8; rsyslog also puts a space of its own before it."""
    return text.removeprefix(" ").removeprefix("\ufeff")


def looks_like(head: bytes) -> bool:
    first = head.lstrip(b"\xef\xbb\xbf\r\n").split(b"\n", 1)[0].rstrip(b"\r")
    try:
        parse(first.decode("utf-8", "replace"), datetime.fromtimestamp(clock.now_us() / 1e6, UTC))
    except ValueError:
        return False
    return True


def blocks(member: Member, options: Options) -> Iterator[Block]:
    """The messages of a stream, one a line."""
    written = datetime.fromtimestamp(min(member.modified, options.now / 1e6), UTC)
    yield from parsed_blocks(member, _line_parser(written), _reason)


def _line_parser(reference: datetime) -> Callable[[bytes], dict[str, Any]]:
    return lambda line: parse(line.rstrip(b"\r").decode("utf-8"), reference)


def _reason(line: bytes, error: Exception) -> WorkbenchError:
    return not_utf8(line) or diagnostics.no_syslog()


CARD = Reader("syslog", ("syslog",), looks_like, blocks, "Syslog", dict(TYPES))
