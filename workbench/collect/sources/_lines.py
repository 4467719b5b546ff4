"""One line of a text log → the table it belongs to, and its record."""

from __future__ import annotations

import datetime as dt
import re

from workbench.base import clock
from workbench.base.dtypes import TICKS_PER_DAY, TICKS_PER_MICROSECOND, format_datetime, parse_datetime
from workbench.collect.sources._card import Machine, Record

_SYSLOG = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\S+|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) "
    r"(?P<host>[\w.-]+) (?P<name>[^\s:\[\]]+)(?:\[(?P<pid>\d{1,9})\])?: ?(?P<message>.*)"
)


def record_of(path: str, line: str, machine: Machine) -> tuple[str, Record]:
    """The table and record of a line: `Syslog` where it has that form, else `FileLog_CL`.

    Parameters
    ----------
    path : str
        The file it was read from.
    line : str
        Without its line end.
    machine : Machine
        Whose file it is.
    """
    found = _SYSLOG.fullmatch(line)
    when = _time(found["time"]) if found else None
    if found is None or when is None:
        record = {
            "TimeGenerated": format_datetime(clock.now_ticks()),
            "Computer": machine.computer,
            "FilePath": path,
            "RawData": line,
        }
        return "FileLog_CL", record
    syslog: Record = {
        "TimeGenerated": format_datetime(when),
        "EventTime": format_datetime(when),
        "Computer": machine.computer,
        "HostName": found["host"],
        "CollectorHostName": machine.computer,
        "ProcessName": found["name"],
        "SyslogMessage": found["message"],
    }
    if found["pid"]:
        syslog["ProcessID"] = int(found["pid"])
    return "Syslog", syslog


def _time(text: str) -> int | None:
    """The time of a syslog line in ticks; one without a year is the latest such time that is not ahead.

    A time without a zone is in the zone of this machine.
    """
    if text[0].isdigit():
        return parse_datetime(text)
    now = dt.datetime.fromtimestamp(clock.now_us() / 1e6).astimezone()
    for year in (now.year, now.year - 1):
        try:
            moment = dt.datetime.strptime(f"{year} {text}", "%Y %b %d %H:%M:%S").astimezone()
        except ValueError:  # 29 February of another year, or no month of that name
            continue
        ticks = round(moment.timestamp()) * 1_000_000 * TICKS_PER_MICROSECOND
        if ticks <= clock.now_ticks() + TICKS_PER_DAY:
            return ticks
    return None
