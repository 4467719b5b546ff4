"""What webhooks tell of themselves: a row of `Webhook` for each change, and for each call that was let in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from workbench.base.clock import moment
from workbench.base.dtypes import ScalarType as T

WEBHOOK = "Webhook"
TYPES: dict[str, dict[str, T]] = {
    WEBHOOK: {
        "TimeGenerated": T.DATETIME, "WebhookName": T.STRING, "RunbookName": T.STRING, "Change": T.STRING,
        "ChangedBy": T.STRING, "JobId": T.STRING, "ExpiresOn": T.DATETIME, "Detail": T.STRING,
    },
}  # fmt: skip


class Change(StrEnum):
    """What happened to a webhook.

    `Called` made a job, `Refused` is a call that was let in and whose job could not be made.
    """

    CREATED = "Created"
    CHANGED = "Changed"
    ROTATED = "Rotated"
    ENABLED = "Enabled"
    DISABLED = "Disabled"
    REMOVED = "Removed"
    CALLED = "Called"
    REFUSED = "Refused"


def row(
    webhook: Mapping[str, Any], change: Change, time: int, *, by: str = "", job: str = "", detail: str = ""
) -> dict[str, Any]:
    """The `Webhook` row of something that happened; `time` in µs since 1970."""
    return {
        "TimeGenerated": moment(time), "WebhookName": webhook["name"], "RunbookName": webhook["runbook"],
        "Change": change.value, "ChangedBy": by, "JobId": job, "ExpiresOn": moment(webhook["expires"]),
        "Detail": detail,
    }  # fmt: skip
