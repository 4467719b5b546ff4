"""`workbench serve`: the one service process of a workspace, from lock to clean end.

Takes the lock, makes the workspace when it is missing, listens (on loopback unless told), says once on standard
output where it is, and runs until SIGTERM or SIGINT. Logs go to standard error.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from workbench.actions.assets import told as asset_records
from workbench.actions.deliveries import ActionGroups, Deliveries
from workbench.actions.deliveries import told as deliveries_told
from workbench.actions.deliveries.sender import Sender
from workbench.actions.deliveries.sending import Sending
from workbench.actions.deliveries.testing import GroupTest
from workbench.actions.jobs import told
from workbench.actions.jobs.keeper import Keeper
from workbench.actions.jobs.store import DEFAULT_GROUP
from workbench.actions.notify.guard import Guard
from workbench.actions.runbook.automation import Automation
from workbench.actions.runbook.isolation import settled
from workbench.actions.schedules import told as schedules_told
from workbench.actions.schedules.scheduler import Scheduler
from workbench.actions.webhooks import told as webhooks_told
from workbench.actions.workers import registry
from workbench.alerts import told as alerts_told
from workbench.alerts.evaluating import Evaluating
from workbench.alerts.evaluator import Evaluator
from workbench.alerts.scheduler import AlertScheduler
from workbench.base.access import Access
from workbench.base.config import is_url
from workbench.base.database import Database
from workbench.collect.care import Care
from workbench.collect.drainer import Drainer
from workbench.collect.intake import Intake
from workbench.collect.parallel import collect_less
from workbench.collect.record_outbox import RecordOutbox
from workbench.server import syslog as syslog_door
from workbench.server.app import Service, create
from workbench.server.binding import Binding, Listeners, listening
from workbench.server.place import Address, ServicePlace
from workbench.server.query_pool import QueryPool
from workbench.server.worker import IncludedWorker
from workbench.workspace import Workspace
from workbench.workspace import open as open_workspace


def serve(
    path: str,
    binding: Binding,
    ready: Callable[[Address], None],
    syslog: syslog_door.Settings | None = None,
    job_user: str = "",
) -> None:
    """Run the service of `path` until it is told to stop.

    Parameters
    ----------
    path : str
        Folder or URL of the workspace; made when missing.
    binding : Binding
        Where to listen.
    ready : callable
        Called once, when requests are answered.
    syslog : syslog.Settings, optional
        Where syslog messages may come in.
    job_user : str
        As whom jobs run; see `worker.work`.

    Raises
    ------
    WorkbenchError
        SRV001 when a service of the workspace runs already, SRV012 when the port is taken, LOG108 when syslog's is,
        SRV019 to SRV022 when it can't listen so, CTL… for the control database, JOB341 to JOB343 for the jobs' user.
    """
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s"
    )
    place = ServicePlace(path)
    hidden = [str(place.folder), *([] if is_url(path) else [path])]
    if job_user:
        settled(job_user, hidden)  # told now, not by the first job
    with place.held(), listening(binding) as listeners, syslog_door.bound(syslog) as syslog_sockets:
        workspace = open_workspace(path, create=True)
        token = place.token(create=True)
        assert token is not None
        workspace_id = workspace.repository.workspace_id
        database = Database.open(place.folder)
        access = Access(database, workspace_id, token)

        def announce() -> None:
            place.publish(Address(listeners.own_url, os.getpid(), workspace_id))
            ready(Address(listeners.url, os.getpid(), workspace_id))

        with _taking_in(workspace, database, place.folder) as intake, ExitStack() as stack:
            automation = stack.enter_context(
                _automated(intake, access, database, place, listeners.own_url, job_user, hidden)
            )
            groups = ActionGroups(database)
            sending = Sending(automation, Guard(groups.allowed), listeners.url)
            service = Service(
                workspace,
                token,
                QueryPool(workspace.path),
                intake,
                access,
                database,
                automation,
                groups,
                GroupTest(groups, sending, automation.jobs.outbox),
                syslog=syslog_sockets,
                names=binding.known_names,
            )
            stack.enter_context(Scheduler(service.schedules))
            deliveries = Deliveries(service.alerts.outbox, groups, automation.jobs.outbox)
            stack.enter_context(Sender(deliveries, sending))
            asking = Evaluating(workspace.source)
            evaluator = Evaluator(service.alerts, asking, lambda: intake.unbroken_since)
            stack.enter_context(AlertScheduler(evaluator))
            app = create(service)
            collect_less()
            try:
                asyncio.run(_run(app, listeners, announce))
            finally:
                place.withdraw()


@contextmanager
def _taking_in(workspace: Workspace, database: Database, state: Path) -> Generator[Intake]:
    """The service's intake: what it accepts is drained inside the block, and at its end; tables are cared for."""
    spool = workspace.repository.open_spool()
    intake = Intake(workspace.repository, spool)
    care = Care(intake, workspace.source, database, state)
    drainer = Drainer(intake, care.after)
    drainer.start()
    care.start()
    try:
        yield intake
    finally:
        care.stop()
        drainer.stop()
        spool.close()


@contextmanager
def _automated(
    intake: Intake,
    access: Access,
    database: Database,
    place: ServicePlace,
    url: str,
    job_user: str,
    hidden: list[str],
) -> Generator[Automation]:
    """Runbooks and jobs: their records are stored, lost workers noticed, and what starts finds a worker."""
    tells = (told, registry, schedules_told, webhooks_told, asset_records, alerts_told, deliveries_told)
    outbox = RecordOutbox(database, {name: types for one in tells for name, types in one.TYPES.items()})
    automation = Automation(outbox, place.folder / "jobs", intake, access)
    keeper = Keeper([automation.jobs.give_up_lost, automation.workers.look], outbox, intake)
    worker = IncludedWorker(automation.workers, url, place.logs, job_user, hidden)

    def wanted() -> None:
        if automation.jobs.claimable(DEFAULT_GROUP):
            worker.ensure()

    automation.jobs.on_news.append(wanted)
    keeper.start()
    try:
        yield automation
    finally:
        worker.close()
        keeper.stop()


class _Server(uvicorn.Server):
    """Tells when it answers, and leaves the signals to this module (uvicorn raises them anew)."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


async def _run(app: Starlette, listeners: Listeners, announce: Callable[[], None]) -> None:
    """Answer on all listeners until a signal. The plain one starts the application first and ends it last."""
    binding = listeners.binding
    own_is_up = asyncio.Event()
    own = outer = _Server(_config(app), own_is_up.set if binding.tls else announce)
    if binding.tls:
        config = _config(app, lifespan="off", ssl_certfile=binding.certificate, ssl_keyfile=binding.key)
        outer = _Server(config, announce)

    def stop() -> None:
        app.state.service.news.close()
        outer.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    answering = asyncio.create_task(own.serve(sockets=[listeners.own]))
    if listeners.tls is not None:
        waiting = asyncio.create_task(own_is_up.wait())
        await asyncio.wait({answering, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not answering.done():
            await outer.serve(sockets=[listeners.tls])
        own.should_exit = True
    await answering


def _config(app: Starlette, **more: Any) -> uvicorn.Config:
    return uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5, **more)
