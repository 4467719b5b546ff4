"""What the doctor says of one thing, and how it asks a service whether it answers and how late it is there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from workbench.base import clock
from workbench.collect.agent.link import Endpoint, Link, Unreachable

_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Attributes
    ----------
    what : str
    state : str
        `ok`, `note` (works, with less) or `problem`.
    detail : str
        What was found, as a sentence.
    fix : str
        What helps; "" where nothing has to.
    """

    what: str
    state: str
    detail: str
    fix: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def clock_of(url: str) -> tuple[float | None, str]:
    """By how many seconds the clock of a service is ahead of this machine's; None and why when it does not answer."""
    link = Link(lambda: Endpoint(url, ""), _SECONDS)
    try:
        answer = link.ask("GET", "/api/health", token="")
    except Unreachable as away:
        return None, str(away)
    finally:
        link.close()
    if answer.status != 200:
        return None, f"it answers with status {answer.status}"
    try:
        there = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except ValueError:
        return 0.0, ""
    return there - clock.now_us() / 1e6, ""
