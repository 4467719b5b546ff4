"""Which token opens which route of a running service."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.base.access import Access, Role
from workbench.base.database import Database

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def access(service: Any) -> Access:
    return Access(Database.open(service.workspace / "state"), service.workspace_id)


@pytest.fixture(scope="module")
def tokens(access: Access) -> dict[str, str]:
    found = {role.word: access.create_token(role)[1] for role in Role}
    found["agent"] = access.enrol_agent("web1")[1]
    found["worker"] = access.enrol_agent("web1", "worker")[1]
    return found


def ask(service: Any, route: str, token: str) -> tuple[int, str]:
    if route == "query":
        path, body = f"/v1/workspaces/{service.workspace_id}/query", {"query": "print 1"}
    else:
        path, body = "/api/agent/records", {"App": [{"n": 1}]}
    status, said = service.ask("POST", path, body, token=token)
    return status, said.get("error", {}).get("code", "")


@pytest.mark.parametrize(
    ("route", "opens"),
    [
        ("query", {"reader", "contributor", "operator", "owner"}),
        ("records", {"contributor", "operator", "owner", "agent"}),
    ],
)
def test_a_route_opens_for_those_who_may(
    service: Any, tokens: dict[str, str], route: str, opens: set[str]
) -> None:
    found = {name: ask(service, route, token) for name, token in tokens.items()}
    refused = (403, "InsufficientAccessError")
    assert found == {name: (200, "") if name in opens else refused for name in tokens}


def test_a_token_made_while_the_service_runs_opens_until_it_is_revoked(service: Any, access: Access) -> None:
    number, token = access.create_token(Role.READER, "new", days=1)
    assert ask(service, "query", token)[0] == 200
    access.revoke(number)
    assert ask(service, "query", token) == (403, "InvalidAuthenticationToken")


@pytest.mark.parametrize(
    ("header", "status"), [(None, 401), ("Bearer", 401), ("Basic eDp5", 401), ("Bearer wrong", 403)]
)
def test_other_headers_open_nothing(service: Any, header: str | None, status: int) -> None:
    import http.client
    import urllib.parse

    parts = urllib.parse.urlsplit(service.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    headers = {} if header is None else {"Authorization": header}
    connection.request("POST", "/api/agent/records", b"{}", headers)
    answer = connection.getresponse()
    assert (answer.status, b"error" in answer.read()) == (status, True)
    connection.close()
