"""What schedules tell of themselves: a row of `Schedule` for each change, and for each due moment that was dealt with."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from workbench.base.clock import moment
from workbench.base.dtypes import ScalarType as T

SCHEDULE = "Schedule"
TYPES: dict[str, dict[str, T]] = {
    SCHEDULE: {
        "TimeGenerated": T.DATETIME, "ScheduleName": T.STRING, "RunbookName": T.STRING, "Change": T.STRING,
        "ChangedBy": T.STRING, "DueTime": T.DATETIME, "JobId": T.STRING, "NextTime": T.DATETIME, "Detail": T.STRING,
    },
}  # fmt: skip


class Change(StrEnum):
    """What happened to a schedule.

    `Fired` made a job, `Missed` says which due moments were passed over, `Refused` that a job could not be made.
    """

    CREATED = "Created"
    CHANGED = "Changed"
    PAUSED = "Paused"
    RESUMED = "Resumed"
    REMOVED = "Removed"
    FIRED = "Fired"
    MISSED = "Missed"
    REFUSED = "Refused"
    ENDED = "Ended"


def row(
    schedule: Mapping[str, Any],
    change: Change,
    time: int,
    *,
    by: str = "",
    due: int | None = None,
    job: str = "",
    detail: str = "",
) -> dict[str, Any]:
    """The `Schedule` row of something that happened; times in µs since 1970."""
    return {
        "TimeGenerated": moment(time), "ScheduleName": schedule["name"], "RunbookName": schedule["runbook"],
        "Change": change.value, "ChangedBy": by, "DueTime": moment(due), "JobId": job,
        "NextTime": moment(schedule["next_due"]), "Detail": detail,
    }  # fmt: skip
