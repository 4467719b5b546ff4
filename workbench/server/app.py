"""The HTTP face of one workspace: routes, who may enter, and how faults are answered.

In go requests from this machine, out come JSON answers. Handlers are thin; the workspace does the
work. Tokens may stand in query strings, so the access log has paths only.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.actions.deliveries import ActionGroups
from workbench.actions.deliveries.testing import GroupTest
from workbench.actions.runbook.automation import Automation
from workbench.actions.schedules import Schedules
from workbench.actions.webhooks import Webhooks
from workbench.alerts.outbox import AlertOutbox
from workbench.alerts.store import Alerts
from workbench.base.access import Access, Role
from workbench.base.database import Database
from workbench.collect.doors.enrolment import Enrolment
from workbench.collect.doors.logs_ingestion import Rates
from workbench.collect.gateways import Gateways
from workbench.collect.intake import Intake
from workbench.collect.numbered import NumberedIntake
from workbench.collect.query_history import History
from workbench.collect.ruled import for_agents
from workbench.collect.rules import Rules
from workbench.server import syslog
from workbench.server.binding import LOOPBACK
from workbench.server.guard import Handler, needs, refusal
from workbench.server.handlers import (
    action_groups,
    agents,
    alerts,
    assets,
    claims,
    data_collector,
    health,
    jobs,
    kusto,
    logs_ingestion,
    otlp,
    query,
    records,
    remote_write,
    rules,
    schedules,
    searches,
    webhooks,
    workers,
)
from workbench.server.news import News
from workbench.server.query_pool import QueryPool
from workbench.workspace import Workspace

access_log = logging.getLogger("workbench.access")
log = logging.getLogger("workbench.service")


@dataclass
class Service:
    """What the handlers share.

    Attributes
    ----------
    workspace : Workspace
    token : str
        The owner's token.
    queries : QueryPool
        Where queries run.
    intake : Intake
        Where the doors hand over what they were sent.
    history : History
        What clients asked.
    writes : anyio.CapacityLimiter
        How many deliveries are handled at once; they wait together for the disk.
    numbered, enrolment, gateways
        The way into the intake for agents, how a machine becomes one, and who forwards for whom.
    syslog : syslog.Bound or None
        Where syslog messages come in.
    access : Access
        Keys, tokens and identities.
    database : Database
        Control data.
    automation : Automation
        Runbooks and jobs.
    schedules, webhooks : Schedules, Webhooks
        What starts jobs by the clock, and by a URL.
    alerts : Alerts
        Alert rules and their alerts; its `outbox` has what is to be told.
    groups, group_test : ActionGroups, GroupTest
        Who is told of alerts, and their test button.
    news : News
        Wakes requests that wait for jobs.
    rules, rates : Rules, Rates
        The collection rules, and how much each took in this minute.
    names : frozenset of str
        Host names, in small letters, that requests may ask for.
    """

    workspace: Workspace
    token: str
    queries: QueryPool
    intake: Intake
    access: Access
    database: Database
    automation: Automation
    groups: ActionGroups
    group_test: GroupTest
    news: News = field(default_factory=News)
    writes: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(16))
    syslog: syslog.Bound | None = None
    names: frozenset[str] = LOOPBACK
    history: History = field(init=False)
    numbered: NumberedIntake = field(init=False)
    enrolment: Enrolment = field(init=False)
    gateways: Gateways = field(init=False)
    rules: Rules = field(init=False)
    rates: Rates = field(default_factory=Rates)
    schedules: Schedules = field(init=False)
    webhooks: Webhooks = field(init=False)
    alerts: Alerts = field(init=False)

    def __post_init__(self) -> None:
        self.history = History(self.workspace.repository, "workbench-api", intake=self.intake, after=30.0)
        self.rules = Rules(self.database)
        self.numbered = NumberedIntake(self.intake, for_agents(self.rules))
        self.enrolment = Enrolment(self.access)
        self.gateways = Gateways(self.database, self.access)
        self.automation.jobs.on_news.append(self.news.tell)
        self.schedules = Schedules(self.automation)
        self.webhooks = Webhooks(self.automation)
        self.alerts = Alerts(
            self.automation.jobs.outbox, AlertOutbox(self.database), self.workspace.repository.workspace_id
        )


def sends(door: str, handler: Handler, kinds: Collection[str] = ()) -> Handler:
    """A handler that takes records: from a contributor, or from such a kind of sender."""
    return needs(role=Role.CONTRIBUTOR, kinds=kinds, door=door)(handler)


reads = needs(role=Role.READER)
operates = needs(role=Role.OPERATOR)
owns = needs(role=Role.OWNER)
works = needs(kinds=("worker",))


def create(service: Service) -> Starlette:
    """The application of a service; it answers requests for its own names only."""
    app = Starlette(
        routes=[
            Route("/api/health", health.get, methods=["GET"]),
            Route("/api/openapi.json", health.openapi, methods=["GET"]),
            Route("/api/agent/records", sends("agent", records.post, kinds=("agent",)), methods=["POST"]),
            Route("/api/agent/enrol", agents.enrol, methods=["POST"]),
            Route("/api/agent/config", needs(kinds=("agent",))(agents.config), methods=["GET"]),
            Route("/api/agent/vouch", needs(kinds=("agent",), door="agent")(agents.vouch), methods=["POST"]),
            Route(
                "/dataCollectionRules/{rule}/streams/{stream}",
                sends("Logs Ingestion", logs_ingestion.post),
                methods=["POST"],
            ),
            Route("/api/searches", reads(searches.all_searches), methods=["GET"]),
            Route("/api/searches/{name}", reads(searches.search), methods=["GET"]),
            Route("/api/rules", reads(rules.all_rules), methods=["GET"]),
            Route("/api/rules", operates(rules.create), methods=["POST"]),
            Route("/api/rules/{rule}", reads(rules.one), methods=["GET"]),
            Route("/api/rules/{rule}", operates(rules.remove), methods=["DELETE"]),
            Route("/api/logs", data_collector.post, methods=["POST"]),
            Route("/v1/logs", sends("OTLP", otlp.logs), methods=["POST"]),
            Route("/v1/metrics", sends("OTLP", otlp.metrics), methods=["POST"]),
            Route("/v1/traces", sends("OTLP", otlp.traces), methods=["POST"]),
            Route("/api/v1/write", sends("remote write", remote_write.post), methods=["POST"]),
            *_runbooks_and_jobs(),
            *_schedules_and_webhooks(),
            *_assets(),
            *_alerts(),
            *_action_groups(),
            Route("/v1/workspaces/{workspace_id}/query", reads(query.ask), methods=["GET", "POST"]),
            Route("/v1/$batch", reads(query.batch), methods=["POST"]),
            *(Route(f"/{v}/rest/query", reads(kusto.query(v)), methods=["POST"]) for v in ("v1", "v2")),
            Route("/v1/rest/mgmt", reads(kusto.command), methods=["POST"]),
        ],
        exception_handlers={HTTPException: _refused, Exception: _fault},
        lifespan=_living,
    )
    app.state.service = service
    app.add_middleware(KnownHostOnly, names=service.names)
    app.add_middleware(AccessLog)
    return app


def _runbooks_and_jobs() -> list[Route]:
    return [
        Route("/api/runbooks", reads(jobs.runbooks), methods=["GET"]),
        Route("/api/runbooks/{name}", reads(jobs.runbook), methods=["GET"]),
        Route("/api/runbooks/{name}", operates(jobs.bring), methods=["PUT"]),
        Route("/api/runbooks/{name}/publish", operates(jobs.publish), methods=["POST"]),
        Route("/api/runbooks/{name}/start", operates(jobs.start), methods=["POST"]),
        Route("/api/jobs", reads(jobs.jobs), methods=["GET"]),
        Route("/api/jobs/{id}", reads(jobs.job), methods=["GET"]),
        Route("/api/jobs/{id}/notebook", reads(jobs.notebook), methods=["GET"]),
        Route("/api/jobs/{id}/cancel", operates(jobs.cancel), methods=["POST"]),
        Route("/api/jobs/{id}/resume", operates(jobs.resume), methods=["POST"]),
        Route("/api/workers", reads(workers.all_workers), methods=["GET"]),
        Route("/api/workers/{id}", operates(workers.remove), methods=["DELETE"]),
        Route("/api/worker/claim", works(workers.claim), methods=["POST"]),
        Route("/api/worker/heartbeat", works(workers.heartbeat), methods=["POST"]),
        Route("/api/job/running", claims.running, methods=["POST"]),
        Route("/api/job/renew", claims.renew, methods=["POST"]),
        Route("/api/job/lines", claims.lines, methods=["POST"]),
        Route("/api/job/finish", claims.finish, methods=["POST"]),
        Route("/api/job/notebook", claims.notebook, methods=["PUT"]),
        Route("/api/job/steps/{name}", claims.step, methods=["GET"]),
        Route("/api/job/steps/{name}", claims.commit, methods=["PUT"]),
        Route("/api/job/start", claims.start, methods=["POST"]),
        Route("/api/job/child/{id}", claims.child, methods=["GET"]),
        Route("/api/job/approval", claims.approval, methods=["POST"]),
        Route("/api/job/records", claims.records, methods=["POST"]),
        Route("/api/job/assets/{kind}/{name}", claims.asset, methods=["GET"]),
        Route("/api/job/assets/variable/{name}", claims.set_variable, methods=["PUT"]),
    ]


def _assets() -> list[Route]:
    return [
        Route("/api/assets", operates(assets.all_assets), methods=["GET"]),
        Route("/api/assets/{kind}/{name}", operates(assets.one), methods=["GET"]),
        Route("/api/assets/{kind}/{name}", operates(assets.put), methods=["PUT"]),
        Route("/api/assets/{kind}/{name}", operates(assets.remove), methods=["DELETE"]),
        Route("/api/assets/{kind}/{name}/allow", operates(assets.allow), methods=["POST"]),
        Route("/api/asset-key/rotate", owns(assets.rotate), methods=["POST"]),
    ]


def _alerts() -> list[Route]:
    rule, alert = "/api/alertRules/{name}", "/api/alerts/{id}"
    return [
        Route("/api/alertRules", reads(alerts.all_rules), methods=["GET"]),
        Route(rule, reads(alerts.one_rule), methods=["GET"]),
        Route(rule, operates(alerts.put_rule), methods=["PUT"]),
        Route(rule, operates(alerts.remove_rule), methods=["DELETE"]),
        Route(f"{rule}/enable", operates(alerts.enable), methods=["POST"]),
        Route(f"{rule}/disable", operates(alerts.disable), methods=["POST"]),
        Route(f"{rule}/run", operates(alerts.run), methods=["POST"]),
        Route(f"{rule}/test", operates(alerts.test_rule), methods=["POST"]),
        Route("/api/alerts", reads(alerts.all_alerts), methods=["GET"]),
        Route(alert, reads(alerts.one_alert), methods=["GET"]),
        Route(f"{alert}/acknowledge", operates(alerts.acknowledge), methods=["POST"]),
        Route(f"{alert}/close", operates(alerts.close), methods=["POST"]),
        Route(f"{alert}/comment", operates(alerts.comment), methods=["POST"]),
    ]


def _action_groups() -> list[Route]:
    return [
        Route("/api/actionGroups", reads(action_groups.all_groups), methods=["GET"]),
        Route("/api/actionGroups/{name}", reads(action_groups.one), methods=["GET"]),
        Route("/api/actionGroups/{name}", operates(action_groups.put), methods=["PUT"]),
        Route("/api/actionGroups/{name}", operates(action_groups.remove), methods=["DELETE"]),
        Route("/api/actionGroups/{name}/test", operates(action_groups.test), methods=["POST"]),
        Route("/api/alert-destinations", reads(action_groups.destinations), methods=["GET"]),
        Route("/api/alert-destinations", owns(action_groups.allow), methods=["POST"]),
        Route("/api/alert-destinations/remove", owns(action_groups.disallow), methods=["POST"]),
    ]


def _schedules_and_webhooks() -> list[Route]:
    return [
        Route("/api/schedules", reads(schedules.all_schedules), methods=["GET"]),
        Route("/api/schedules/{name}", reads(schedules.one), methods=["GET"]),
        Route("/api/schedules/{name}", operates(schedules.put), methods=["PUT"]),
        Route("/api/schedules/{name}", operates(schedules.remove), methods=["DELETE"]),
        Route("/api/schedules/{name}/pause", operates(schedules.pause), methods=["POST"]),
        Route("/api/schedules/{name}/resume", operates(schedules.resume), methods=["POST"]),
        Route("/api/next-runs", reads(schedules.next_runs), methods=["GET"]),
        Route("/webhooks", webhooks.call, methods=["POST"]),
        Route("/api/webhooks", reads(webhooks.all_webhooks), methods=["GET"]),
        Route("/api/webhooks/{name}", reads(webhooks.one), methods=["GET"]),
        Route("/api/webhooks/{name}", operates(webhooks.put), methods=["PUT"]),
        Route("/api/webhooks/{name}", operates(webhooks.remove), methods=["DELETE"]),
        Route("/api/webhooks/{name}/rotate", operates(webhooks.rotate), methods=["POST"]),
        Route("/api/webhooks/{name}/enable", operates(webhooks.enable), methods=["POST"]),
        Route("/api/webhooks/{name}/disable", operates(webhooks.disable), methods=["POST"]),
    ]


@asynccontextmanager
async def _living(app: Starlette) -> AsyncIterator[None]:
    """Query processes and listeners live as long as the service."""
    service: Service = app.state.service
    pool = service.queries
    pool.warm()
    try:
        async with syslog.listening(service.syslog, service.intake):
            yield
    finally:
        await pool.close()


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return refusal(404, "PathNotFoundError", "The requested path does not exist")
    return refusal(error.status_code, "BadRequest", error.detail)


async def _fault(request: Request, error: Exception) -> Response:
    log.error("fault in %s %s", request.method, request.url.path, exc_info=error)
    return refusal(500, "InternalServerError", "this is a fault of the service; its log has the details")


class KnownHostOnly:
    """Refuse requests whose `Host` is no name of this service: a foreign page may not reach in."""

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        self.app = app
        self.names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = next((v.decode("latin-1") for k, v in scope["headers"] if k == b"host"), "")
            name = host[: host.rfind(":")] if host.rfind(":") > host.rfind("]") else host
            here = str((scope.get("server") or ("",))[0])
            # An address is no name that somebody else could give to this machine.
            if name.lower() not in self.names and name.strip("[]") != here:
                await refusal(403, "ForeignHost", "this service does not answer to that name")(
                    scope, receive, send
                )
                return
        await self.app(scope, receive, send)


class AccessLog:
    """One line a request: method, path, status, milliseconds."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            took = (time.perf_counter() - began) * 1000
            path = scope["path"].encode("unicode_escape").decode()
            if path.startswith("/api/job/"):  # what follows is what a notebook says, and it may know secrets
                path = "/".join(path.split("/")[:4])
            access_log.info("%s %s %d %.1f ms", scope["method"], path, status, took)
