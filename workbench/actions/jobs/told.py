"""What jobs tell of themselves: rows of `Job` (one a change of state) and of `JobStream` (one a message)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from workbench.base.clock import moment
from workbench.base.dtypes import ScalarType as T

JOB, JOB_STREAM = "Job", "JobStream"
TYPES: dict[str, dict[str, T]] = {
    JOB: {
        "TimeGenerated": T.DATETIME, "JobId": T.STRING, "RunbookName": T.STRING, "State": T.STRING,
        "Trigger": T.STRING, "Worker": T.STRING, "Attempt": T.INT, "StartTime": T.DATETIME, "EndTime": T.DATETIME,
        "Error": T.STRING, "Parameters": T.DYNAMIC, "Isolation": T.STRING,
    },
    JOB_STREAM: {
        "TimeGenerated": T.DATETIME, "JobId": T.STRING, "StreamType": T.STRING, "Sequence": T.LONG,
        "Message": T.STRING,
    },
}  # fmt: skip


class Stream(StrEnum):
    """The streams of a job."""

    OUTPUT = "Output"
    ERROR = "Error"
    WARNING = "Warning"
    VERBOSE = "Verbose"
    PROGRESS = "Progress"


@dataclass(frozen=True, slots=True)
class Line:
    """One message of a stream; `number` rises by one from line to line of a job."""

    number: int
    stream: Stream
    message: str
    time: int


def job_row(job: Mapping[str, Any], time: int) -> dict[str, Any]:
    """The `Job` row of a job's present state; times in µs since 1970."""
    trigger = job["trigger"] + (f": {job['trigger_name']}" if job["trigger_name"] else "")
    error = f"{job['error_code']}: {job['error']}" if job["error_code"] else job["error"]
    return {
        "TimeGenerated": moment(time), "JobId": job["id"], "RunbookName": job["runbook"], "State": job["state"],
        "Trigger": trigger, "Worker": job["worker"], "Attempt": job["attempt"], "StartTime": moment(job["started"]),
        "EndTime": moment(job["ended"]), "Error": error, "Parameters": json.loads(job["parameters"]),
        "Isolation": job["isolation"],
    }  # fmt: skip


def stream_rows(job: str, lines: Iterable[Line]) -> list[dict[str, Any]]:
    """The `JobStream` rows of messages."""
    return [
        {
            "TimeGenerated": moment(line.time), "JobId": job, "StreamType": line.stream.value,
            "Sequence": line.number, "Message": line.message,
        }
        for line in lines
    ]  # fmt: skip
