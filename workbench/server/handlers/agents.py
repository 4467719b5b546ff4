"""What agents ask beside sending records: an identity, their rules, and, as gateways, whose token one is.

`POST /api/agent/enrol`, signed with a workspace key: 200 `{"id", "token"}` of an agent, or of a worker where the body
names a `worker_group`; or 403. Over loopback or TLS only.
`GET /api/agent/config?version=V`: 200 `{"version", "rules"}`, or 304 while the version is the same.
`POST /api/agent/vouch` from a gateway, `{"token"}`: 200 `{"id", "name"}` of the agent it belongs to, or 403.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

import anyio.to_thread
import orjson
from starlette.requests import Request
from starlette.responses import Response

from workbench.actions.runbook.automation import group_name
from workbench.base.diagnostics import agent as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.collect.agent.link import is_loopback
from workbench.collect.doors import agent as door
from workbench.collect.doors import enrolment
from workbench.repository.standard import standard_tables
from workbench.server import body as bodies
from workbench.server import wire
from workbench.server.handlers.records import refused


async def enrol(request: Request) -> Response:
    service = request.app.state.service
    try:
        if request.url.scheme != "https" and (request.client is None or not is_loopback(request.client.host)):
            raise diagnostics.bad_enrolment("a machine is enrolled over TLS or on the service's own machine")
        data = await bodies.read(request, enrolment.BODY_BYTES)
        asked = service.enrolment.checked(request.headers, data)
        number, token = await anyio.to_thread.run_sync(partial(_identity, service, asked))
        # From now on a question about the machine has an answer, if an empty one.
        await anyio.to_thread.run_sync(service.intake.repository.ensure, standard_tables())
    except WorkbenchError as mistake:
        service.intake.refused(door.DOOR, mistake)
        return refused(mistake, 403 if mistake.code == "AGT104" else None)
    kind = "worker" if asked.worker_group else "agent"
    service.intake.operations.tell(
        kind.capitalize(), f"{kind} {number} was enrolled", status="Information", key="enrolled"
    )
    return Response(wire.dump({"id": number, "token": token}), media_type="application/json")


def _identity(service: Any, asked: enrolment.Enrolling) -> tuple[str, str]:
    made: tuple[str, str]
    if asked.worker_group:
        made = service.automation.workers.enrol(asked.computer, group_name(asked.worker_group))
    else:
        made = service.access.enrol_agent(asked.computer)
    return made


async def config(request: Request) -> Response:
    service, identity = request.app.state.service, request.state.identity
    rules = await anyio.to_thread.run_sync(partial(rules_of, service, identity.id, identity.name))
    # Sorted: the same rules have the same version, however they were put together.
    text = orjson.dumps(rules, option=orjson.OPT_SORT_KEYS)
    version = hashlib.blake2b(text, digest_size=8).hexdigest()
    if request.query_params.get("version") == version:
        return Response(status_code=304)
    return Response(wire.dump({"version": version, "rules": rules}), media_type="application/json")


def rules_of(service: Any, agent: str, computer: str) -> list[dict[str, Any]]:
    """The collection rules that concern an agent."""
    found: list[dict[str, Any]] = service.rules.for_agent(agent, computer)
    return found


async def vouch(request: Request) -> Response:
    service, identity = request.app.state.service, request.state.identity
    try:
        data = await bodies.read(request, enrolment.BODY_BYTES)
        found = await anyio.to_thread.run_sync(partial(service.gateways.vouch, identity.id, _token(data)))
    except WorkbenchError as mistake:
        service.intake.refused(door.DOOR, mistake)
        return refused(mistake, 403 if mistake.code == "AGT103" else None)
    return Response(wire.dump({"id": found.id, "name": found.name}), media_type="application/json")


def _token(data: bytes) -> str:
    try:
        told = orjson.loads(data)
    except orjson.JSONDecodeError:
        told = None
    token = told.get("token") if isinstance(told, dict) else None
    if not isinstance(token, str) or not token:
        raise diagnostics.bad_batches('the body reads {"token": "…"}')
    return token
