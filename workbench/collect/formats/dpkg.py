"""`dpkg.log`, the journal of the Debian package manager.

Out come records of the table `ConfigurationChange` with the column names of Azure Monitor; every
line is one, also those that only tell a state (`Action` says what a line is). The log states no
zone: its times are taken for UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from workbench.base.diagnostics import collect as diagnostics
from workbench.base.dtypes import ScalarType as T
from workbench.base.errors import WorkbenchError
from workbench.collect.formats._card import Block, Options, Reader
from workbench.collect.formats._lines import not_utf8, parsed_blocks
from workbench.collect.streams import Member

TYPES = {
    "TimeGenerated": T.DATETIME,
    "Computer": T.STRING,
    "ConfigChangeType": T.STRING,
    "ChangeCategory": T.STRING,
    "SoftwareType": T.STRING,
    "SoftwareName": T.STRING,
    "Architecture": T.STRING,
    "Previous": T.STRING,
    "Current": T.STRING,
    "Action": T.STRING,
    "State": T.STRING,
    "Detail": T.STRING,
    "SourceSystem": T.STRING,
}
_CATEGORIES = {"install": "Added", "upgrade": "Modified", "remove": "Removed", "purge": "Removed"}
_START = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) ([a-z-]+) (.+)")
_BEGINS = re.compile(
    rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (startup|status|install|upgrade|remove|purge|configure|trigproc|conffile) "
)


def parse(line: str) -> dict[str, Any]:
    """A line as a record.

    Raises
    ------
    ValueError
        If it is no entry of dpkg.log.

    Examples
    --------
    >>> record = parse("2026-11-23 21:05:31 upgrade bash:amd64 5.1 5.2")
    >>> record["ChangeCategory"], record["SoftwareName"], record["Previous"], record["Current"]
    ('Modified', 'bash', '5.1', '5.2')
    """
    found = _START.fullmatch(line)
    if found is None:
        raise ValueError("no entry of dpkg.log")
    day, clock, action, rest = found.groups()
    words = rest.split(" ")
    record: dict[str, Any] = {
        "TimeGenerated": f"{day}T{clock}Z",
        "ConfigChangeType": "Software",
        "ChangeCategory": _CATEGORIES.get(action, ""),
        "SoftwareType": "Package",
        "Action": action,
        "SourceSystem": "Linux",
    }
    if action == "status" and len(words) == 3:
        return record | {"State": words[0]} | _package(words[1]) | {"Current": _version(words[2])}
    if action in ("startup", "conffile"):
        return record | {"Detail": rest}
    if len(words) == 3:
        return record | _package(words[0]) | {"Previous": _version(words[1]), "Current": _version(words[2])}
    raise ValueError("no entry of dpkg.log")


def _package(text: str) -> dict[str, str]:
    name, _, architecture = text.partition(":")
    return {"SoftwareName": name, "Architecture": architecture}


def _version(text: str) -> str:
    return "" if text == "<none>" else text


def looks_like(head: bytes) -> bool:
    return _BEGINS.match(head) is not None


def blocks(member: Member, options: Options) -> Iterator[Block]:
    """The entries of a stream, one a line."""
    yield from parsed_blocks(member, lambda line: parse(line.rstrip(b"\r").decode("utf-8")), _reason)


def _reason(line: bytes, error: Exception) -> WorkbenchError:
    return not_utf8(line) or diagnostics.no_dpkg()


CARD = Reader("dpkg", ("dpkg",), looks_like, blocks, "ConfigurationChange", dict(TYPES))
