"""The HTTP face of one workspace: routes, who may enter, and how faults are answered.

In go requests from this machine, out come JSON answers. Handlers are thin; the workspace does the
work. Tokens may stand in query strings, so the access log has paths only.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from workbench.collect.intake import Intake
from workbench.server.handlers import health, query, records
from workbench.server.query_pool import QueryPool
from workbench.server.upkeep import Upkeep
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
    upkeep : Upkeep
        Told after each post of records.
    queries : QueryPool
        Where queries run.
    intake : Intake
        Where the doors hand over what they were sent.
    writes : anyio.CapacityLimiter
        How many deliveries are handled at once; they wait together for the disk.
    """

    workspace: Workspace
    token: str
    upkeep: Upkeep
    queries: QueryPool
    intake: Intake
    writes: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(16))


def create(service: Service) -> Starlette:
    """The application of a service; it answers requests for this machine's own names only."""
    app = Starlette(
        routes=[
            Route("/api/health", health.get, methods=["GET"]),
            Route("/api/agent/records", owner_only(records.post), methods=["POST"]),
            Route("/v1/workspaces/{workspace_id}/query", owner_only(query.ask), methods=["GET", "POST"]),
        ],
        exception_handlers={HTTPException: _refused, Exception: _fault},
        lifespan=_living,
    )
    app.state.service = service
    app.add_middleware(LocalHostOnly)
    app.add_middleware(AccessLog)
    return app


@asynccontextmanager
async def _living(app: Starlette) -> AsyncIterator[None]:
    """Query processes live as long as the service."""
    pool: QueryPool = app.state.service.queries
    pool.warm()
    try:
        yield
    finally:
        await pool.close()


def owner_only(handler: query.Handler) -> query.Handler:
    """Let a request through only with the owner's token as its bearer."""

    async def guarded(request: Request) -> Response:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not given:
            return refusal(401, "AuthenticationFailed", "a bearer token is needed (Authorization: Bearer …)")
        expected: str = request.app.state.service.token
        if not secrets.compare_digest(given.strip().encode(), expected.encode()):
            return refusal(403, "InvalidAuthenticationToken", "this token is not known here")
        return await handler(request)

    return guarded


def refusal(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return refusal(404, "PathNotFoundError", "The requested path does not exist")
    return refusal(error.status_code, "BadRequest", error.detail)


async def _fault(request: Request, error: Exception) -> Response:
    log.error("fault in %s %s", request.method, request.url.path, exc_info=error)
    return refusal(500, "InternalServerError", "this is a fault of the service; its log has the details")


class LocalHostOnly:
    """Refuse requests whose `Host` is not this machine's loopback: a foreign page may not reach in."""

    NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = next((v.decode("latin-1") for k, v in scope["headers"] if k == b"host"), "")
            name = host[: host.rfind(":")] if host.rfind(":") > host.rfind("]") else host
            if name.lower() not in self.NAMES:
                await refusal(403, "ForeignHost", "this service answers on its own machine only")(
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
            access_log.info("%s %s %d %.1f ms", scope["method"], path, status, took)
