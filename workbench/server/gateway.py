"""The gateway: an agent that other agents report to, and that forwards what they send to its service.

It answers what the service would: enrolment and rules are passed on as they are, records are kept on disk before
they are acknowledged, and sent on under their agent's id and numbers. While the service is away agents that were
known go on. It listens on loopback, or with TLS.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import partial

import anyio.to_thread
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from workbench.base.diagnostics import agent as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.agent.behind import Behind
from workbench.collect.agent.link import Unreachable
from workbench.collect.doors import agent as door
from workbench.collect.doors.unpacking import gunzip
from workbench.server import body as bodies
from workbench.server.binding import Binding, Listeners, listening
from workbench.server.guard import refusal

_PASSED_ON = ("authorization", "content-type", "x-ms-date")
_SMALL = 4096
_STATUS = {"AGT103": 403, "OTL101": 413}
Handler = Callable[[Request], Awaitable[Response]]


def create(behind: Behind) -> Starlette:
    """The application of a gateway."""
    limiter = anyio.CapacityLimiter(16)

    async def pass_on(request: Request) -> Response:
        headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
        query = f"?{request.url.query}" if request.url.query else ""
        data = await bodies.read(request, _SMALL)
        ask = partial(behind.ask, request.method, request.url.path + query, data, headers, "")
        answer = await anyio.to_thread.run_sync(ask, limiter=limiter)
        kind = answer.headers.get("content-type", "application/json")
        return Response(answer.body, answer.status, media_type=kind)

    async def records(request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return refusal(401, "AuthenticationFailed", "a bearer token is needed (Authorization: Bearer …)")
        agent = await anyio.to_thread.run_sync(behind.agent_of, token.strip(), limiter=limiter)
        data = await bodies.read(request, door.BODY_BYTES)
        packed = request.headers.get("content-encoding", "").strip().lower() == "gzip"
        last = await anyio.to_thread.run_sync(partial(_take, behind, agent, data, packed), limiter=limiter)
        if last is None:
            return _later(429, "the spool for this agent is full")
        return JSONResponse({"last": last})

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route("/api/health", health, methods=["GET"]),
            Route("/api/agent/enrol", _answering(pass_on), methods=["POST"]),
            Route("/api/agent/config", _answering(pass_on), methods=["GET"]),
            Route("/api/agent/records", _answering(records), methods=["POST"]),
        ]
    )


def _answering(handler: Handler) -> Handler:
    """A handler whose faults are answers."""

    async def answering(request: Request) -> Response:
        try:
            return await handler(request)
        except Unreachable as away:
            return _later(503, f"the service is away ({away})")
        except OSError as full:
            return _later(503, f"the records can't be kept on disk ({full})")
        except WorkbenchError as mistake:
            return refusal(_STATUS.get(mistake.code, 400), mistake.code, mistake.message)

    return answering


def _take(behind: Behind, agent: str, data: bytes, packed: bool) -> int | None:
    raw = gunzip(data, door.BODY_BYTES) if packed else data
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as broken:
        raise diagnostics.bad_batches(f"it is no JSON ({broken})") from None
    if not door.is_numbered(body):
        raise diagnostics.bad_batches("it has no numbered batches")
    delivery = door.delivery_of(body, len(raw))
    if delivery.agent not in ("", agent):
        raise diagnostics.bad_batches("a gateway reports to a service, not to another gateway")
    return behind.take(agent, delivery.batches)


def _later(status: int, message: str) -> Response:
    answer = refusal(status, "ServiceUnavailable", message)
    answer.headers["Retry-After"] = "5"
    return answer


class _Server(uvicorn.Server):
    """Tells when it answers, and leaves the signals to the agent."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = threading.Event()

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            self.answers.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@contextmanager
def answering(behind: Behind, binding: Binding) -> Generator[str]:
    """A gateway that answers inside the block; gives its URL.

    Raises
    ------
    WorkbenchError
        SRV012 when the port is taken, SRV019 to SRV021 for a binding that is not allowed.
    """
    with listening(binding) as listeners:
        server = _Server(_config(create(behind), listeners))
        socket = listeners.tls or listeners.own
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[socket])), name="gateway", daemon=True
        )
        thread.start()
        server.answers.wait(30)
        try:
            yield listeners.url
        finally:
            server.should_exit = True
            thread.join(10)


def _config(app: Starlette, listeners: Listeners) -> uvicorn.Config:
    binding = listeners.binding
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
        ssl_certfile=binding.certificate or None,
        ssl_keyfile=binding.key or None,
    )
