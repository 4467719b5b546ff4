"""Who sent a request, and what a door answers when the intake can't take records in now.

In go requests and errors, out come names and HTTP statuses. Knows no protocol.
"""

from __future__ import annotations

from starlette.requests import Request

from workbench.base.errors import WorkbenchError

RETRY_AFTER = {"REP301": 5, "REP302": 30, "REP303": 1, "REP304": 5, "CTL001": 5, "REP005": 30}
"""Seconds after which it is worth to try again, by what the intake or the control database says."""


_LATER = 30
_OF_THE_SENDER = frozenset({"REP103", "REP201", "REP202"})
"""What the repository says of records; all else that it says is about itself, and no sender may drop records for it."""


def source_of(request: Request) -> str:
    """The sender as `_Quarantine` names him: of a token its name or id, never the token."""
    identity = getattr(request.state, "identity", None)
    if identity is None:
        return "owner"
    return str(getattr(identity, "name", "") or getattr(identity, "id", "owner"))


def status_of(mistake: WorkbenchError) -> int:
    """429 when too much waits, 503 when nothing can be stored now, 400 for what a retry does not mend.

    Examples
    --------
    >>> from workbench.base.diagnostics import repository
    >>> status_of(repository.too_much_waits(1)), status_of(repository.spool_closed())
    (429, 503)
    """
    if mistake.code == "REP301":
        return 429
    return 503 if retry_after(mistake) is not None else 400


def retry_after(mistake: WorkbenchError) -> int | None:
    """Seconds after which the same may be sent again; None where that does not help."""
    found = RETRY_AFTER.get(mistake.code)
    ours = mistake.code.startswith("REP") and mistake.code not in _OF_THE_SENDER
    return _LATER if found is None and ours else found


def retry_headers(mistake: WorkbenchError) -> dict[str, str]:
    """`Retry-After` where a retry helps.

    Examples
    --------
    >>> from workbench.base.diagnostics import repository
    >>> retry_headers(repository.spool_closed())
    {'Retry-After': '5'}
    """
    seconds = retry_after(mistake)
    return {} if seconds is None else {"Retry-After": str(seconds)}
