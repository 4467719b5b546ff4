"""Schedulers that die at a boundary: this process forks one for each line that it reads, as `BOUNDARY COUNT`.

It says the pid of each. A scheduler sets its clock to the next due moment, fires and writes that moment to the file
`fired`, over and over; when it comes to its boundary so many times it kills itself with -9. `wait PID` says how one
ended. Stopped at `stopped` it waits for SIGCONT, with what is due in its hands.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cronsim  # noqa: F401 - what a scheduler would import when it needs it, once for all that are forked
import psycopg  # noqa: F401
import sqlalchemy.dialects.postgresql.psycopg
import sqlalchemy.dialects.sqlite  # noqa: F401

from workbench.actions.jobs import Jobs, told
from workbench.actions.runbook.automation import Automation
from workbench.actions.runbook.named import Named
from workbench.actions.schedules import Schedules
from workbench.base import clock
from workbench.base.access import Access
from workbench.base.database import Database
from workbench.collect.intake import Intake
from workbench.collect.record_outbox import RecordOutbox
from workbench.repository.tables import Repository

BOUNDARIES = ("due", "prepared", "started", "told", "updated", "committed")


def intake_of(folder: Path) -> Intake:
    return Intake(Repository.open(str(folder / "w"), create=True))


def schedules_of(folder: Path, intake: Intake) -> Schedules:
    """The schedules of a control database, in this process."""
    outbox = RecordOutbox(Database.open(folder), told.TYPES)
    return Schedules(Automation(outbox, folder / "jobs", intake, Access(outbox.database, "w")))


def run(folder: Path, intake: Intake, boundary: str, count: int) -> None:
    left = count

    def reached(name: str) -> None:
        nonlocal left
        if name == ("prepared" if boundary == "stopped" else boundary):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGSTOP if boundary == "stopped" else signal.SIGKILL)

    def after(owner: type, method: str, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, method)

        def wrapped(*args: Any, **more: Any) -> Any:
            found = real(*args, **more)
            reached(name)
            return found

        setattr(owner, method, wrapped)

    after(Schedules, "_start", "prepared")
    after(Jobs, "start_in", "started")
    after(RecordOutbox, "add", "told")
    after(Named, "update", "updated")
    real_begin = Database.begin

    @contextmanager
    def begin(database: Database) -> Iterator[Any]:
        with real_begin(database) as connection:
            yield connection
        reached("committed")

    schedules = schedules_of(folder, intake)
    Database.begin = begin  # type: ignore[method-assign]
    with (folder / "fired").open("a", buffering=1) as file:
        while True:
            due = schedules.next_due()
            assert due is not None
            clock._frozen = due * 10
            reached("due")
            schedules.fire()
            file.write(f"{os.getpid()} {due}\n")
            time.sleep(0.05)  # so that the others come to something between


def main() -> None:
    folder = Path(sys.argv[1])
    intake = intake_of(folder)
    for line in sys.stdin:
        word, number = line.split()
        if word == "wait":
            print(os.waitstatus_to_exitcode(os.waitpid(int(number), 0)[1]), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            run(folder, intake, word, int(number))
        print(pid, flush=True)


if __name__ == "__main__":
    main()
