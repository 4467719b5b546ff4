"""Who may use a route: by the role of a bearer token, or by what kind of sender it is.

In goes a handler, out comes one that lets a request through only with a token that may; the handler finds who it is
in `request.state.identity`. Signed requests (the Data Collector API, enrolment) are checked by their own handlers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from workbench.actions.runbook.automation import Automation
from workbench.base.access import Access, Identity, Role
from workbench.base.diagnostics import access as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.server.sender import retry_headers

Handler = Callable[[Request], Awaitable[Response]]
_ANSWERS = {
    "ACC201": (401, "AuthenticationFailed"),
    "ACC202": (403, "InvalidAuthenticationToken"),
    "ACC203": (403, "InsufficientAccessError"),
}


def needs(
    *, role: Role | None = None, kinds: Collection[str] = (), door: str | None = None
) -> Callable[[Handler], Handler]:
    """Let a request through with a token of that role or above, or of one of those kinds.

    Parameters
    ----------
    role : Role, optional
        The least that a token's role must be; without it no role is enough.
    kinds : collection of str
        Kinds of identity that may without a role: `agent`, `worker`.
    door : str, optional
        The name under which refused requests are counted in `Operation`, for routes that take records.
    """

    def guard(handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            try:
                identity = await identified(request)
                if not ((role is not None and identity.may(role)) or identity.kind in kinds):
                    raise diagnostics.not_allowed(_wanted(role, kinds))
            except WorkbenchError as mistake:
                if door is not None:
                    request.app.state.service.intake.refused(door, mistake)
                return answer(mistake)
            request.state.identity = identity
            return await handler(request)

        return guarded

    return guard


async def identified(request: Request) -> Identity:
    """Who shows the bearer token of a request.

    Raises
    ------
    WorkbenchError
        ACC201 without one, ACC202 for one that is not known, CTL001 when the database can't be asked.
    """
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    bearer = given.strip()
    if scheme.lower() != "bearer" or not bearer:
        raise diagnostics.no_bearer()
    access: Access = request.app.state.service.access
    if access.is_owner(bearer):
        return Identity("owner", "owner", Role.OWNER, "owner")
    identity = await anyio.to_thread.run_sync(access.identify, bearer)
    if identity is None:
        identity = await anyio.to_thread.run_sync(_job, request.app.state.service.automation, bearer)
    if identity is None:
        raise diagnostics.unknown_bearer()
    return identity


def _job(automation: Automation, bearer: str) -> Identity | None:
    """A running job as an identity: it may read as long as its claim holds; records come in by `/api/job/records`,
    where secrets are taken out of them."""
    try:
        job = automation.jobs.held(bearer)
    except WorkbenchError:
        return None
    return Identity(job["id"], "job", Role.READER, f"job {job['id']}")


def answer(mistake: WorkbenchError) -> JSONResponse:
    """What a request gets that did not come through."""
    status, code = _ANSWERS.get(mistake.code, (503, "ServiceUnavailable"))
    found = refusal(status, code, mistake.message)
    found.headers.update(retry_headers(mistake))
    return found


def refusal(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status_code=status)


def _wanted(role: Role | None, kinds: Collection[str]) -> str:
    """What would do, in words.

    Examples
    --------
    >>> _wanted(Role.CONTRIBUTOR, ("agent",))
    'the role contributor or the identity of an agent'
    """
    words = [] if role is None else [f"the role {role.word}"]
    words += [f"the identity of {'an' if kind[0] in 'aeiou' else 'a'} {kind}" for kind in kinds]
    return " or ".join(words)
