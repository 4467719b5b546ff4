"""What became of one try to tell somebody. A value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workbench.base.errors import WorkbenchError


class Verdict(StrEnum):
    """`Again`: it may work later. `Refused`: it will not."""

    DELIVERED = "Delivered"
    AGAIN = "Again"
    REFUSED = "Refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One try.

    Attributes
    ----------
    verdict : Verdict
    detail : str
        What the other side said, or why it was not asked.
    status : int
        Of HTTP or SMTP; 0 without one.
    left : tuple of str
        Mail addresses that have to be tried again.
    job : str
        The job that was started.
    """

    verdict: Verdict
    detail: str = ""
    status: int = 0
    left: tuple[str, ...] = ()
    job: str = ""


_AGAIN = ("NOT104", "NOT105", "CTL001")
"""A name that can't be looked up now, nobody who answers, a control database out of reach."""


def failed(why: WorkbenchError) -> Outcome:
    """What a coded mistake means for the next try.

    Examples
    --------
    >>> failed(WorkbenchError("NOT105", "mail.corp can't be reached: refused")).verdict
    <Verdict.AGAIN: 'Again'>
    """
    verdict = Verdict.AGAIN if why.code in _AGAIN else Verdict.REFUSED
    return Outcome(verdict, f"{why.code}: {why.message}")
