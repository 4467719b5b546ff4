"""Messages about schedules: `SCH0xx` when they are due, `SCH1xx` the schedules of a workspace."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.base.errors import Span, WorkbenchError
from workbench.base.registry import nearest

_FORMS = (
    "such as 'daily 06:30', 'weekly mon,fri 06:30', 'monthly 1,last 06:30', 'monthly second tue 06:30', "
    "'every 20m', 'once 2026-12-01 06:30', or five fields of cron"
)


def bad_when(text: str, span: Span, why: str) -> WorkbenchError:
    return WorkbenchError("SCH001", f"this is no time to run at: {why}", span, text, _FORMS)


def never_due(text: str) -> WorkbenchError:
    return WorkbenchError("SCH002", f"{text!r} is never due between its start and its end")


def unknown_zone(name: str, known: Iterable[str]) -> WorkbenchError:
    near = nearest(name, known)
    hint = f"did you mean {near[0]!r}?" if near else "a name of the IANA list, such as Europe/Brussels or UTC"
    return WorkbenchError("SCH003", f"there is no time zone named {name!r}", hint=hint)


def bad_moment(name: str, text: str) -> WorkbenchError:
    return WorkbenchError(
        "SCH004",
        f"{name!r} can't be {text!r}",
        hint="a time of the schedule's zone, such as 2026-12-01T06:30",
    )


def no_such_schedule(name: str, known: Iterable[str]) -> WorkbenchError:
    near = nearest(name, known)
    hint = f"did you mean {near[0]!r}?" if near else "'workbench schedule list' lists them"
    return WorkbenchError("SCH101", f"there is no schedule named {name!r}", hint=hint)


def bad_name(name: str) -> WorkbenchError:
    return WorkbenchError(
        "SCH102",
        f"{name[:120]!r} can't be the name of a schedule",
        hint="letters, digits, '_', '.', '-', at most 100",
    )


def bad_misfire(text: str, most: int) -> WorkbenchError:
    return WorkbenchError(
        "SCH103",
        f"{text!r} is no policy for runs that were missed",
        hint=f"one of: skip, once, all:N with N from 1 to {most}",
    )
