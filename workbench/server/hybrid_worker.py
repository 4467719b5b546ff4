"""A worker of a group, on this machine or any other: it finds its service as an agent does, and asks it for jobs.

In go a group and where the service is, out comes nothing until the worker ends. Each group has a state folder of its own
on a machine, with the worker's identity and the logs of its processes.
"""

from __future__ import annotations

import os
from pathlib import Path

from workbench.actions.runbook.automation import group_name
from workbench.actions.runbook.worker import SLOTS
from workbench.base.config import data_home
from workbench.base.diagnostics import runbook as diagnostics
from workbench.collect.agent import enrolment
from workbench.collect.sources import Machine
from workbench.server.local_agent import LocalService, alone, enrol_at, named_service
from workbench.server.place import ServicePlace
from workbench.server.worker import work

LOCK = "worker.lock"


def default_state(group: str) -> Path:
    """Where a worker of a service elsewhere keeps its state: `/var/lib/workbench/worker/GROUP` for root, else the user's."""
    home = Path("/var/lib") if os.geteuid() == 0 else data_home()
    return home / "workbench" / "worker" / group


def run_worker(
    group: str,
    *,
    workspace: str | None = None,
    service: str = "",
    key: str = "",
    state: Path | None = None,
    slots: int = SLOTS,
    job_user: str = "",
) -> None:
    """Run the jobs of a group until SIGTERM (those that run come to their end) or SIGINT.

    Parameters
    ----------
    group : str
        The group, when the worker is enrolled; after that it stays in that group.
    workspace : str, optional
        A local workspace, whose service may start later. Without one the service is `service`, or where the state
        folder's identity was made.
    service, key : str
        The service's URL, and a key of its workspace to be enrolled with; the key is not kept.
    state : Path, optional
        The worker's folder.
    slots : int
        How many jobs run at once.
    job_user : str
        As whom they run; see `worker.work`.

    Raises
    ------
    WorkbenchError
        JOB320 when a worker runs on the state already, JOB321 for the name of a group, JOB323 when it was removed, JOB341 to JOB343;
        AGT0xx when it can't be enrolled.
    """
    group = group_name(group)
    place = ServicePlace(workspace) if workspace is not None else None
    folder = state or (place.folder / "workers" / group if place is not None else default_state(group))
    with alone(folder, LOCK, diagnostics.worker_runs):
        if place is not None:
            find = LocalService(place, folder, Machine(folder).computer, group).find
        else:
            if service:
                enrol_at(service, key, folder, group)
            find = named_service(folder)
        hidden = [str(folder), *([str(place.folder), place.workspace] if place is not None else [])]
        if not work(find, folder / "logs", slots, job_user=job_user, hidden=hidden):
            # Its token opens nothing any more: the next start enrols anew.
            (folder / enrolment.FILE).unlink(missing_ok=True)
            raise diagnostics.worker_removed()
