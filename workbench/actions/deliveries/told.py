"""What deliveries tell of themselves: a row of `AlertDelivery` for each try, and for each notice that is held or dropped."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from workbench.actions.notify.outcome import Outcome
from workbench.alerts.notice import Notice
from workbench.base.clock import moment
from workbench.base.dtypes import ScalarType as T

ALERT_DELIVERY = "AlertDelivery"
TYPES: dict[str, dict[str, T]] = {
    ALERT_DELIVERY: {
        "TimeGenerated": T.DATETIME, "AlertId": T.STRING, "AlertName": T.STRING, "MonitorCondition": T.STRING,
        "ActionGroup": T.STRING, "ActionType": T.STRING, "ActionName": T.STRING, "Target": T.STRING, "State": T.STRING,
        "Attempt": T.LONG, "ResultCode": T.LONG, "Detail": T.STRING, "NextTime": T.DATETIME, "JobId": T.STRING,
        "Key": T.STRING, "Test": T.BOOL,
    },
}  # fmt: skip


class State(StrEnum):
    """How it stands with one notice and one action.

    `Held` waits for the end of quiet hours, `Waiting` for its turn or its next try; `Dropped` fell in quiet hours.
    """

    WAITING = "Waiting"
    HELD = "Held"
    SENDING = "Sending"
    DELIVERED = "Delivered"
    FAILED = "Failed"
    DROPPED = "Dropped"


def row(
    notice: Notice,
    group: str,
    kind: str,
    action: str,
    state: State,
    time: int,
    *,
    target: str = "",
    attempt: int = 0,
    outcome: Outcome | None = None,
    next_time: int | None = None,
    test: bool = False,
) -> dict[str, Any]:
    """The `AlertDelivery` row of something that happened; times in µs since 1970."""
    return {
        "TimeGenerated": moment(time), "AlertId": notice.alert_id, "AlertName": str(notice.rule.get("name", "")),
        "MonitorCondition": notice.condition, "ActionGroup": group, "ActionType": kind, "ActionName": action,
        "Target": target, "State": state.value, "Attempt": attempt,
        "ResultCode": outcome.status if outcome is not None else 0, "Detail": outcome.detail if outcome is not None else "",
        "NextTime": moment(next_time), "JobId": outcome.job if outcome is not None else "", "Key": notice.key, "Test": test,
    }  # fmt: skip
