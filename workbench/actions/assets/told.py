"""What assets tell of themselves: a row of `AssetAccess` for each change and each read, never a value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from workbench.base import clock
from workbench.base.dtypes import ScalarType as T

ASSET_ACCESS = "AssetAccess"
TYPES: dict[str, dict[str, T]] = {
    ASSET_ACCESS: {
        "TimeGenerated": T.DATETIME, "AssetKind": T.STRING, "AssetName": T.STRING, "Action": T.STRING,
        "Version": T.INT, "Actor": T.STRING, "JobId": T.STRING, "RunbookName": T.STRING, "Worker": T.STRING,
    },
}  # fmt: skip


def row(
    kind: str, name: str, action: str, version: int, *, by: str = "", job: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """An `AssetAccess` row: `Action` is Created, Changed, Removed, Read, Refused, Allowed or KeyRotated."""
    moment = dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=clock.now_us())
    job = job or {"id": "", "runbook": "", "worker": ""}
    return {
        "TimeGenerated": moment.isoformat(timespec="microseconds"), "AssetKind": kind, "AssetName": name,
        "Action": action, "Version": version, "Actor": by or f"job {job['id']}", "JobId": job["id"],
        "RunbookName": job["runbook"], "Worker": job["worker"],
    }  # fmt: skip
