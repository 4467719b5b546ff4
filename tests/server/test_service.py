"""`workbench serve` as its users meet it: who may enter, what is stored, what is answered."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.slow

RECORDS = {
    "App": [
        {"TimeGenerated": "2026-01-02T03:04:05.123456Z", "Computer": "web01", "Size": 3, "Tags": {"a": 1}},
        {"TimeGenerated": "2026-01-02T03:04:06Z", "Computer": "web02", "Size": 4, "Tags": None},
    ]
}


@pytest.fixture(scope="module")
def filled(service: Any) -> Any:
    status, body = service.ask("POST", "/api/agent/records", RECORDS)
    assert (status, body) == (200, {"stored": {"App": 2}})
    return service


def test_health_needs_no_token(service: Any) -> None:
    status, body = service.ask("GET", "/api/health", token="")
    assert (status, body["status"], body["workspace_id"]) == (200, "ok", service.workspace_id)
    assert body["pid"] == service.process.pid


def test_its_files_say_where_it_is_and_keep_the_token_private(service: Any) -> None:
    state = service.workspace / "state"
    assert json.loads((state / "service.json").read_text())["url"] == service.url
    assert stat.S_IMODE((state / "owner.token").stat().st_mode) == 0o600


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::2]", ""])
def test_a_foreign_host_is_refused_whoever_asks(service: Any, host: str) -> None:
    status, body = service.ask("GET", "/api/health", host=host)
    assert (status, body["error"]["code"]) == (403, "ForeignHost")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1234", "[::1]:80", "LOCALHOST:1"])
def test_the_names_of_this_machine_are_taken(service: Any, host: str) -> None:
    assert service.ask("GET", "/api/health", host=host)[0] == 200


@pytest.mark.parametrize(("token", "status", "code"), [("", 401, "AuthenticationFailed"), ("wrong", 403, "InvalidAuthenticationToken"), ("é", 403, "InvalidAuthenticationToken")])  # fmt: skip
@pytest.mark.parametrize("door", ["query", "records"])
def test_without_the_owners_token_there_is_no_entry(
    service: Any, door: str, token: str, status: int, code: str
) -> None:
    path = f"/v1/workspaces/{service.workspace_id}/query" if door == "query" else "/api/agent/records"
    got, body = service.ask("POST", path, {"query": "print 1"}, token=token)
    assert (got, body["error"]["code"]) == (status, code)


def test_records_can_be_searched_as_soon_as_they_are_acknowledged(filled: Any) -> None:
    status, body = filled.query("App | project TimeGenerated, Computer, Size, Tags | sort by Size asc")
    assert status == 200
    (table,) = body["tables"]
    assert table["name"] == "PrimaryResult"
    assert [(c["name"], c["type"]) for c in table["columns"]] == [
        ("TimeGenerated", "datetime"), ("Computer", "string"), ("Size", "long"), ("Tags", "dynamic"),
    ]  # fmt: skip
    assert table["rows"] == [
        ["2026-01-02T03:04:05.1234560Z", "web01", 3, '{"a":1}'],
        ["2026-01-02T03:04:06.0000000Z", "web02", 4, None],
    ]


def test_a_timespan_keeps_only_its_records(filled: Any) -> None:
    status, body = filled.query("App | count", timespan="2026-01-02T03:04:06Z/2026-01-03")
    assert (status, body["tables"][0]["rows"]) == (200, [[1]])


def test_a_query_may_also_be_got(filled: Any) -> None:
    path = f"/v1/workspaces/{filled.workspace_id.upper()}/query?query=App%20%7C%20count"
    status, body = filled.ask("GET", path)
    assert (status, body["tables"][0]["rows"]) == (200, [[2]])


def test_a_mistake_of_the_query_is_400_with_code_place_and_caret(filled: Any) -> None:
    status, body = filled.query("App\n| where Computr == 'x'")
    assert status == 400
    error = body["error"]
    assert error["code"] == "BadArgumentError"
    assert error["innererror"]["code"] == "SemanticError"
    ours = error["innererror"]["innererror"]
    assert (ours["code"], ours["line"], ours["column"]) == ("KQL101", 2, 9)
    assert "^^^^^^^" in error["innererror"]["message"]
    assert filled.query("App | where (")[1]["error"]["innererror"]["code"] == "SyntaxError"


def test_what_clients_ask_is_logged_with_who_asked_and_how_it_ended(filled: Any) -> None:
    filled.query("App | where Size == 3", timespan="2026-01-02/2026-01-03")
    filled.query("App | nothing")
    status, body = filled.query(
        "LAQueryLogs | where QueryText in ('App | where Size == 3', 'App | nothing') | summarize arg_max(TimeGenerated, *) by QueryText"
        " | sort by QueryText asc | project QueryText, ResponseCode, ResponseRowCount, AADEmail, RequestClientApp, isnotnull(QueryTimeRangeStart), StatsCPUTimeMs > 0"
    )
    assert status == 200
    rows = body["tables"][0]["rows"]
    assert [r[:6] for r in rows] == [
        ["App | nothing", 400, 0, "owner", "workbench-api", False],
        ["App | where Size == 3", 200, 1, "owner", "workbench-api", True],
    ]
    assert rows[1][6] is True


def test_another_workspace_is_not_here(service: Any) -> None:
    status, body = service.ask(
        "POST", "/v1/workspaces/00000000-0000-0000-0000-000000000000/query", {"query": "print 1"}
    )
    assert (status, body["error"]["code"]) == (404, "PathNotFoundError")
    assert service.ask("GET", "/nowhere")[0] == 404


@pytest.mark.parametrize("body", [b"", b"[", [], {}, {"query": 1}, {"query": "print 1", "timespan": 5}])
def test_a_body_that_is_no_question_is_400(service: Any, body: Any) -> None:
    status, answer = service.ask("POST", f"/v1/workspaces/{service.workspace_id}/query", body)
    assert (status, answer["error"]["code"]) == (400, "BadArgumentError")


@pytest.mark.parametrize("body", [b"", b"{", [], {"T": 1}, {"T": [1]}, {"T": {"a": 1}}])
def test_a_body_that_holds_no_records_is_400_and_stores_nothing(service: Any, body: Any) -> None:
    status, answer = service.ask("POST", "/api/agent/records", body)
    assert (status, answer["error"]["code"]) == (400, "SRV013")
    assert service.query("T")[0] == 400


def test_the_access_log_has_paths_but_no_query_strings(service: Any) -> None:
    service.ask("GET", "/api/health?token=topsecret")
    assert "GET /api/health 200" in service.log()
    assert "topsecret" not in service.log()


def test_a_second_service_of_the_workspace_says_which_one_runs(service: Any) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "workbench.cli", "serve", "--workspace", str(service.workspace)],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (second.returncode, second.stdout) == (1, "")
    assert "SRV001" in second.stderr
    assert service.url in second.stderr
    assert service.ask("GET", "/api/health")[0] == 200
