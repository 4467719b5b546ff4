"""A list of Python requirements as an asset of kind modules holds it, and what names the environment made of it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

from workbench.base.diagnostics import assets as diagnostics

MOST_LINES = 200
_LINE = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(\[[A-Za-z0-9._,\s-]*\])?\s*(@\s*\S+|[=<>!~][^;#\s]*[^;#]*)?\s*(;.*)?"
)
_LOGIN = re.compile(r"://[^/\s]*@")


def checked(lines: Sequence[str]) -> list[str]:
    """The requirements of a list: sorted, once, without comments.

    Raises
    ------
    WorkbenchError
        AST009 for options of an installer, and for what is no requirement.

    Examples
    --------
    >>> checked(["requests>=2 # http", "", "attrs"])
    ['attrs', 'requests>=2']
    """
    found = set()
    for line in lines:
        text = re.sub(r"(^|\s)#.*$", "", line).strip()
        if not text:
            continue
        if text.startswith("-"):
            raise diagnostics.bad_requirement(text, "options of an installer are not taken")
        if _LOGIN.search(text):
            raise diagnostics.bad_requirement(
                text.partition("@")[0], "an address with a login would be shown"
            )
        if not _LINE.fullmatch(text):
            raise diagnostics.bad_requirement(text, "it reads NAME, NAME==VERSION or NAME @ URL")
        found.add(text)
    if len(found) > MOST_LINES:
        raise diagnostics.bad_requirement("…", f"there are more than {MOST_LINES}")
    return sorted(found)


def digest(requirements: Iterable[str]) -> str:
    """The name of the environment of these requirements.

    Examples
    --------
    >>> digest(["attrs", "requests"]) == digest(["requests", "attrs"])
    True
    """
    return hashlib.sha256("\n".join(sorted(set(requirements))).encode()).hexdigest()[:32]
