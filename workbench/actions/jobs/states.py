"""The states of a job, in the words of Azure Automation, and who may go where."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """A job's state.

    `New` waits for other jobs, `Queued` and `Resuming` for a worker; `Starting` is claimed, its notebook does not run
    yet. `Suspended` waits for a person. `Completed`, `Failed` and `Stopped` are the ends.
    """

    NEW = "New"
    QUEUED = "Queued"
    STARTING = "Starting"
    RUNNING = "Running"
    STOPPING = "Stopping"
    SUSPENDED = "Suspended"
    RESUMING = "Resuming"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"


CLAIMABLE = (State.QUEUED, State.RESUMING)
CLAIMED = (State.STARTING, State.RUNNING, State.STOPPING)
WAITING = (State.NEW, State.QUEUED, State.RESUMING, State.SUSPENDED)
ENDED = (State.COMPLETED, State.FAILED, State.STOPPED)


class Overlap(StrEnum):
    """What becomes of a job when another of its concurrency key is there."""

    QUEUE = "queue"
    REPLACE = "replace"
    SKIP = "skip"


class Outcome(StrEnum):
    """How a claim ended, as its worker saw it.

    `Lost` is a child or kernel that died by itself: the job starts again. `Waits` is one that asked for a person.
    """

    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"
    LOST = "Lost"
    WAITS = "Waits"
