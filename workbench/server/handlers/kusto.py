"""Kusto's REST API: `/v1/rest/query`, `/v2/rest/query` and, for commands, `/v1/rest/mgmt`.

`{"db", "csl", "properties"}` in, tables or frames out (`kusto_wire`). `properties` has `Options` (what `set` could say) and
`Parameters` (values of `declare query_parameters`), as an object or as its JSON text. The database is this workspace, by
any of its names. Commands go to `mgmt`, queries to the other two, as in Kusto.
"""

from __future__ import annotations

import uuid
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from workbench.base.diagnostics import service as diagnostics
from workbench.base.errors import WorkbenchError
from workbench.query.commands import is_command
from workbench.query.limits import LONGEST
from workbench.server import kusto_wire, wire
from workbench.server.guard import Handler
from workbench.server.handlers.query import MAX_ROWS, json_body, may_store, while_connected
from workbench.server.query_pool import Question

_SECONDS = 240.0  # what Kusto gives a query where nobody says
_DEFAULTS = frozenset({"", "netdefaultdb", "workspace"})
_STATUS = {"KQL304": 504, "SRV017": 520, "SRV018": 520}
_FORMS = {"v1": "kusto tables", "v2": "kusto frames"}


def query(version: str) -> Handler:
    """The handler of queries that are answered in the form of a version, `v1` or `v2`."""

    async def post(request: Request) -> Response:
        return await _answered(request, _FORMS[version], command=False)

    return post


async def command(request: Request) -> Response:
    """A command."""
    return await _answered(request, _FORMS["v1"], command=True)


async def _answered(request: Request, form: str, *, command: bool) -> Response:
    given = request.headers.get("x-ms-client-request-id") or str(uuid.uuid4())
    headers = {"x-ms-client-request-id": _printable(given), "x-ms-activity-id": str(uuid.uuid4())}
    status = 200
    try:
        question = _question(await json_body(request), request, form, given, command=command)
        body = await while_connected(request, question)
    except WorkbenchError as mistake:
        status, body = _STATUS.get(mistake.code, 400), wire.dump(kusto_wire.error(mistake))
    return Response(body, status, headers, media_type="application/json")


def _question(body: Any, request: Request, form: str, given: str, *, command: bool) -> Question:
    if not isinstance(body, dict) or not isinstance(body.get("csl"), str):
        raise diagnostics.bad_request('the body reads {"db": "…", "csl": "…"}')
    text = body["csl"]
    if is_command(text) is not command:
        where = ("commands, which begin with a dot, go to /v1/rest/mgmt", "queries go to /v2/rest/query")[
            command
        ]
        raise diagnostics.bad_request(where)
    _check_database(body.get("db"), request)
    options, parameters = _properties(body.get("properties"))
    # The options tell the real limit; this is what holds without.
    seconds = LONGEST if options.get("norequesttimeout") is True else _SECONDS
    return Question(
        text, None, MAX_ROWS, seconds, parameters=parameters, options=options, may_store=may_store(request), form=form,
        extras=("command",) if command else (), request=given,
    )  # fmt: skip


def _check_database(name: Any, request: Request) -> None:
    known = {n.lower() for n in request.app.state.service.workspace.source.surroundings.names}
    if str(name or "").lower() not in known | _DEFAULTS:
        raise diagnostics.bad_request(f"there is no database {name!r} here: a service has one workspace")


def _properties(given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options and the parameters of a request."""
    if isinstance(given, str) and given:
        try:
            given = orjson.loads(given)
        except orjson.JSONDecodeError:
            raise diagnostics.bad_request("properties are no JSON") from None
    given = given or {}
    if not isinstance(given, dict):
        raise diagnostics.bad_request('properties read {"Options": {…}, "Parameters": {…}}')
    found = [given.get("Options") or {}, given.get("Parameters") or {}]
    if not all(isinstance(part, dict) for part in found):
        raise diagnostics.bad_request("Options and Parameters are names with values")
    return found[0], {name: _bare(value) for name, value in found[1].items()}


def _bare(value: Any) -> Any:
    """A parameter is a literal of KQL: a quoted text stands for the text inside.

    Examples
    --------
    >>> _bare("'a'"), _bare("datetime(2026-01-01)"), _bare(5)
    ('a', 'datetime(2026-01-01)', 5)
    """
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1].replace("\\" + value[0], value[0])
    return value


def _printable(text: str) -> str:
    return "".join(c for c in text if 32 <= ord(c) < 127)[:256]
