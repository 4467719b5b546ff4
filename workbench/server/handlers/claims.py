"""What is asked with the token of a claim: by the worker that holds it, and by the notebook that it runs.

All under `/api/job/`, and refused with 409 as soon as another has the job: `running`, `renew`, `lines`, `finish`, `PUT
notebook`; from inside the notebook `steps/{name}`, `start`, `child/{id}`, `approval`, `records`, `assets/{kind}/{name}`.
Nothing that a notebook says is stored before `Discretion` has seen it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from workbench.actions.jobs.states import ENDED, Outcome
from workbench.actions.jobs.told import Line, Stream
from workbench.actions.runbook.automation import Automation
from workbench.base.diagnostics import service as service_messages
from workbench.base.errors import WorkbenchError
from workbench.server.handlers.jobs import Body, told, until_ended

MOST_NOTEBOOK = 64 << 20
MOST_LINES = 4 << 20
MOST_RECORDS = 32 << 20
_Work = Callable[[Automation, str, Body], Any]


def _held(work: _Work, *, read: int = 1 << 16) -> Callable[[Request], Awaitable[Response]]:
    """A handler for who shows the token of a claim; `work` runs on a thread and gets that token."""

    async def handler(request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")

        async def of(auto: Automation, body: Body) -> Any:
            known = token.strip() if scheme.lower() == "bearer" else ""
            return await anyio.to_thread.run_sync(partial(work, auto, known, {**body, **request.path_params}))

        return await told(request, of, read=read)

    return handler


def _running(auto: Automation, token: str, _body: Body) -> Any:
    auto.jobs.running(token)
    return {}


def _renew(auto: Automation, token: str, _body: Body) -> Any:
    return {"go_on": auto.jobs.renew(token)}


def _lines(auto: Automation, token: str, body: Body) -> Any:
    try:
        lines = [
            Line(int(n["number"]), Stream(n["stream"]), str(n["message"]), int(n["time"]))
            for n in body["lines"]
        ]
    except (KeyError, TypeError, ValueError) as why:
        raise service_messages.bad_request(f"these are no lines of a job: {why}") from None
    release, last = body.get("release") is True, body.get("last") is True
    return {"settled": auto.write(token, lines, release=release, last=last)}


def _finish(auto: Automation, token: str, body: Body) -> Any:
    try:
        outcome = Outcome(body.get("outcome", ""))
        why = WorkbenchError.unpacked(body["why"]) if body.get("why") else None
    except (KeyError, TypeError, ValueError) as bad:
        raise service_messages.bad_request(f"this is no end of a job: {bad}") from None
    return {"state": auto.finish(token, outcome, why)}


def _step(auto: Automation, token: str, body: Body) -> Any:
    known, result = auto.steps.committed(token, body["name"])
    return {"committed": known, "result": result}


def _commit(auto: Automation, token: str, body: Body) -> Any:
    auto.commit(token, body["name"], body.get("result"))
    return {}


def _asset(auto: Automation, token: str, body: Body) -> Any:
    return auto.discretion.read(token, body["kind"], body["name"])


def _set_variable(auto: Automation, token: str, body: Body) -> Any:
    auto.discretion.set_variable(token, body["name"], body.get("value"))
    return {}


running, renew, finish = _held(_running), _held(_renew), _held(_finish)
lines = _held(_lines, read=MOST_LINES)
step, commit = _held(_step, read=0), _held(_commit, read=2 << 20)
asset, set_variable = _held(_asset, read=0), _held(_set_variable, read=2 << 20)


async def notebook(request: Request) -> Response:
    from workbench.server import body as bodies

    async def of(auto: Automation, _body: Body) -> Any:
        token = request.headers.get("authorization", "").partition(" ")[2].strip()
        data = await bodies.read(request, MOST_NOTEBOOK)
        await anyio.to_thread.run_sync(auto.keep_evidence, token, data)
        return {}

    return await told(request, of)


start = _held(lambda auto, token, body: {"job_id": auto.start_child(token, body)["id"]}, read=1 << 20)
approval = _held(lambda auto, token, body: {"given": auto.asked(token, str(body.get("question", "")))})
records = _held(lambda auto, token, body: {"stored": auto.ingest(token, body)}, read=MOST_RECORDS)


async def child(request: Request) -> Response:
    async def of(auto: Automation, _body: Body) -> Any:
        token = request.headers.get("authorization", "").partition(" ")[2].strip()
        await anyio.to_thread.run_sync(auto.jobs.held, token)
        wait = request.query_params.get("wait", "0")
        row = await until_ended(request, request.path_params["id"], wait)
        return {"state": row["state"], "ended": row["state"] in ENDED}

    return await told(request, of)
