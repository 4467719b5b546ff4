"""One line of a text log → the table it belongs to, and its record.

The forms themselves are those of `collect.formats`; what is added here is what only this machine
knows: its name, and its time zone where a log states none.
"""

from __future__ import annotations

import datetime as dt
import re

from workbench.base import clock
from workbench.base.dtypes import format_datetime, parse_datetime
from workbench.collect.formats import dpkg, syslog
from workbench.collect.sources._card import Machine, Record

_SYSLOG = re.compile(r"(?P<zoned>\d{4}-\d\d-\d\dT\S+|<\d)?.*?[\w.-]+ [^\s:\[\]]+(\[\d+\])?: ")
"""How daemons' lines in a file begin: a time, a host, and a name before a colon."""
_CHANGE = (
    "ConfigChangeType", "ChangeCategory", "SoftwareType", "SoftwareName", "Previous", "Current", "SourceSystem",
)  # fmt: skip
"""What a line of `dpkg.log` has in the documented columns."""
_BEGINNING = 512
"""Characters in which that must be found; the search takes time by the square of them."""


def record_of(path: str, line: str, machine: Machine) -> tuple[str, Record]:
    """The table and record of a line: `ConfigurationChange`, `Syslog`, or `FileLog_CL` as it is.

    Parameters
    ----------
    path : str
        The file it was read from.
    line : str
        Without its line end.
    machine : Machine
        Whose file it is.
    """
    try:
        if path.rpartition("/")[2].startswith("dpkg.log"):
            return "ConfigurationChange", _package_change(line, machine)
        return "Syslog", _message(line, machine)
    except ValueError:  # no line of that form
        return "FileLog_CL", {
            "TimeGenerated": format_datetime(clock.now_ticks()),
            "Computer": machine.computer,
            "FilePath": path,
            "RawData": line,
        }


def _package_change(line: str, machine: Machine) -> Record:
    record = dpkg.parse(line)
    if not record["ChangeCategory"]:
        raise ValueError("a step of a change, none by itself")
    return {
        **{name: record[name] for name in _CHANGE if record.get(name)},
        "TimeGenerated": _utc(record["TimeGenerated"]),
        "Computer": machine.computer,
        "SourceComputerId": machine.source_computer_id,
    }


def _message(line: str, machine: Machine) -> Record:
    found = _SYSLOG.match(line[:_BEGINNING])
    if found is None or "\n" in line:
        raise ValueError("no message of a daemon")
    # A time without a year or zone is of this machine, so the reference is its local time.
    parsed = syslog.parse(line, _local_now())
    if parsed["TimeGenerated"] is None:
        raise ValueError("no time")
    moment = parsed["TimeGenerated"] if found["zoned"] else _utc(parsed["TimeGenerated"])
    ticks = parse_datetime(moment)
    if ticks is None:
        raise ValueError("no time")
    record = {name: value for name, value in parsed.items() if value is not None}
    record |= {"TimeGenerated": format_datetime(ticks), "EventTime": format_datetime(ticks)}
    record["CollectorHostName"] = machine.computer
    pid = str(record.pop("ProcessID", ""))
    if pid.isdigit():
        record["ProcessID"] = int(pid)
    return record


def _local_now() -> dt.datetime:
    return dt.datetime.fromtimestamp(clock.now_us() / 1e6)


def _utc(text: str) -> str:
    """A time of this machine's clock that was written down as if it were UTC → in UTC."""
    local = dt.datetime.fromisoformat(text.removesuffix("Z")).astimezone()
    return local.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
