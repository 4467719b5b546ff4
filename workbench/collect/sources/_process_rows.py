"""The processes of the machine as rows of `VMProcess`: those alike in program, arguments and user are one."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence

import psutil

from workbench.base.dtypes import format_datetime
from workbench.collect.sources._card import Record
from workbench.collect.sources._text import shown

LONGEST_COMMAND = 4096
_SECRET = re.compile(
    r"(?i)(--?[\w-]*|\b\w*)(pass(word|wd)?|secret|token|api-?_?key|credential)s?(?P<sign>=|$)"
)
_IN_URL = re.compile(r"(?<=://)([^/@\s:]*):[^/@\s]+@")
_FIELDS = ["pid", "name", "exe", "cmdline", "username", "create_time", "cwd", "ppid"]


def process_rows() -> list[Record]:
    """One row a group of like processes: the oldest of it, and how it was started.

    Threads of the kernel have neither a program nor arguments and are left out.
    """
    groups: dict[tuple[str, str, str], Record] = {}
    for process in psutil.process_iter(_FIELDS):
        info = process.info
        command = masked(info["cmdline"] or [])
        path = shown(info["exe"] or "")
        if not command and not path:
            continue
        key = (path or shown(info["name"] or ""), command, info["username"] or "")
        known = groups.get(key)
        started = info["create_time"] or 0.0
        if known is None or started < known["started"]:
            groups[key] = {"started": started, "info": info}
    return [_row(key, found["info"], found["started"]) for key, found in sorted(groups.items())]


def _row(key: tuple[str, str, str], info: Record, started: float) -> Record:
    path, command, user = key
    digest = hashlib.sha256("\0".join(key).encode("utf-8", "backslashreplace")).hexdigest()
    name = shown(info["name"] or os.path.basename(path))
    return {
        "Process": f"p-{digest[:32]}",
        "ExecutableName": name,
        "DisplayName": name,
        "ExecutablePath": path,
        "CommandLine": command[:LONGEST_COMMAND],
        "FirstPid": info["pid"],
        "StartTime": format_datetime(round(started * 1e6) * 10),
        "UserName": shown(user),
        "WorkingDirectory": shown(info["cwd"] or ""),
    }


def masked(arguments: Sequence[str]) -> str:
    """A command line without the values of arguments that are named like secrets.

    Examples
    --------
    >>> masked(["db", "--password=x", "--api-key", "y", "--port", "1", "pg://u:p@h/d"])
    'db --password=*** --api-key *** --port 1 pg://u:***@h/d'
    """
    parts: list[str] = []
    hide = False
    for argument in arguments:
        secret = _SECRET.match(argument)
        if hide:
            parts.append("***")
        elif secret and secret["sign"]:
            parts.append(argument[: secret.end()] + "***")
        else:
            parts.append(_IN_URL.sub(r"\1:***@", argument))
        hide = secret is not None and not hide and not secret["sign"] and argument.startswith("-")
    return shown(" ".join(parts)).strip()
