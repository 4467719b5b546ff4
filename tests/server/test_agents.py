"""Agents at a real service: how they get in, what they may say, and the way over a gateway."""

from __future__ import annotations

import gzip
import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from workbench.base.access import Access
from workbench.base.database import Database
from workbench.base.errors import WorkbenchError
from workbench.collect.agent import Endpoint, Link, enrolment
from workbench.collect.agent.enrolment import Identity, sign, text_to_sign

pytestmark = pytest.mark.slow


def until(condition: Callable[[], Any], seconds: float = 30.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.05)
    return found


@pytest.fixture
def key(service: Any) -> str:
    return Access(Database.open(service.workspace / "state"), service.workspace_id).keys().primary


@pytest.fixture
def agent(service: Any, key: str) -> Identity:
    return enrolment.enrol(service.url, key, "web01")


def post(service: Any, who: Identity, *batches: dict[str, Any], **more: Any) -> tuple[int, Any]:
    answer: tuple[int, Any] = service.ask(
        "POST", "/api/agent/records", {"batches": list(batches), **more}, token=who.token
    )
    return answer


def batch(number: int, table: str, *records: dict[str, Any]) -> dict[str, Any]:
    return {"number": number, "table": table, "records": list(records)}


def rows(service: Any, query: str) -> list[list[Any]]:
    status, body = service.query(query)
    return body["tables"][0]["rows"] if status == 200 else []


# ---- enrolment --------------------------------------------------------------------------------


def ask_enrolment(service: Any, key: str, *, date: str = "", body: bytes = b'{"computer":"web01"}') -> Any:
    date = date or formatdate(usegmt=True)
    headers = {"Authorization": f"SharedKey agent:{sign(key, text_to_sign(body, date))}", "x-ms-date": date}
    return Link(lambda: Endpoint(service.url, "")).ask("POST", enrolment.PATH, body, headers, token="")


def test_a_key_gives_an_identity_and_each_request_only_one(service: Any, key: str) -> None:
    date = formatdate(usegmt=True)
    first = ask_enrolment(service, key, date=date, body=b'{"computer":"web01","nonce":"1"}')
    again = ask_enrolment(service, key, date=date, body=b'{"computer":"web01","nonce":"1"}')
    other = ask_enrolment(service, key, date=date, body=b'{"computer":"web01","nonce":"2"}')
    assert (first.status, again.status, other.status) == (200, 403, 200)
    assert first.json()["id"] != other.json()["id"]
    assert "came before" in again.why


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"key": "bm90IGEga2V5"}, "signature"),
        ({"date": "Mon, 04 Apr 2016 08:00:00 GMT"}, "15 minutes"),
        ({"date": "yesterday"}, "RFC 1123"),
        ({"body": b"[]"}, "name of a computer"),
        ({"body": b'{"computer":""}'}, "name of a computer"),
        ({"body": b"\xff"}, "name of a computer"),
    ],
)
def test_a_wrong_enrolment_is_refused(service: Any, key: str, changed: dict[str, Any], says: str) -> None:
    answer = ask_enrolment(service, **{"key": key, **changed})
    assert answer.status == 403
    assert says in answer.why
    assert "token" not in answer.json()


def test_a_signature_holds_for_its_body_only(service: Any, key: str) -> None:
    date, body = formatdate(usegmt=True), b'{"computer":"web01"}'
    headers = {"Authorization": f"SharedKey agent:{sign(key, text_to_sign(body, date))}", "x-ms-date": date}
    other = body.replace(b"web01", b"web02")
    answer = Link(lambda: Endpoint(service.url, "")).ask("POST", enrolment.PATH, other, headers, token="")
    assert answer.status == 403


def test_the_command_line_enrols_once_and_keeps_the_token_private(
    service: Any, key: str, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "workbench.cli", "agent", "enrol", service.url, "--state", str(tmp_path)]
    wrong = subprocess.run([*command, "--key", "bm8="], capture_output=True, text=True, check=False)
    assert wrong.returncode == 1
    assert "AGT004" in wrong.stderr
    assert not (tmp_path / "identity.json").exists()
    done = subprocess.run(
        [*command, "--key", "-"], input=key + "\n", capture_output=True, text=True, check=True
    )
    there = enrolment.load(tmp_path)
    assert there is not None
    assert there.id in done.stdout
    assert there.token not in done.stdout
    assert stat.S_IMODE((tmp_path / "identity.json").stat().st_mode) == 0o600
    subprocess.run([*command, "--key", key], capture_output=True, check=True)
    assert enrolment.load(tmp_path) == there


def test_plain_http_to_another_machine_is_not_used() -> None:
    with pytest.raises(WorkbenchError, match="AGT002"):
        enrolment.enrol("http://logs.example:8080", "a2V5", "web01")


# ---- records ----------------------------------------------------------------------------------


def test_a_number_is_stored_once_and_the_answer_says_the_last(service: Any, agent: Identity) -> None:
    first = [batch(1, "Once_CL", {"n": 1}), batch(5, "Once_CL", {"n": 5})]
    assert post(service, agent, *first) == (200, {"last": 5, "stored": {"Once_CL": 2}, "quarantined": 0})
    status, again = post(service, agent, *first, batch(6, "Once_CL", {"n": 6}))
    assert (status, again["last"], again["stored"]) == (200, 6, {"Once_CL": 1})
    assert post(service, agent, first[0])[1]["last"] == 6
    assert rows(service, "Once_CL | summarize count() by n | sort by n asc") == [[1, 1], [5, 1], [6, 1]]


def test_posts_of_one_agent_at_once_store_nothing_twice(service: Any, agent: Identity) -> None:
    def send(last: int) -> None:
        post(service, agent, *(batch(n, "Race_CL", {"n": n}) for n in range(1, last)))

    threads = [threading.Thread(target=send, args=(20 + n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = rows(service, "Race_CL | summarize rows = count() by n | summarize count(), max(rows)")
    assert found == [[26, 1]]


def test_the_service_says_who_the_agent_is(service: Any, agent: Identity) -> None:
    lie = {"SourceComputerId": "somebody else", "Computer": "lie01"}
    post(service, agent, batch(1, "Heartbeat", lie, {"Computer": "lie01"}), batch(2, "Other_CL", lie))
    for table in ("Heartbeat", "Other_CL"):
        found = rows(service, f"{table} | where Computer == 'lie01' | distinct SourceComputerId")
        assert found == [[agent.id]]


def test_what_no_table_takes_is_set_aside_and_holds_nothing_up(service: Any, agent: Identity) -> None:
    status, answer = post(
        service,
        agent,
        batch(1, "_Quarantine", {"Reason": "forged"}),
        batch(2, "x" * 5000, {"n": 2}),
        batch(3, "Good_CL", {"n": 3}, 7, {"TimeGenerated": "never", "n": 4}),  # type: ignore[arg-type]
    )
    assert (status, answer["last"], answer["stored"]) == (200, 3, {"Good_CL": 1})
    codes = rows(service, f"_Quarantine | where Source == '{agent.id}' | project Code | sort by Code asc")
    assert [code for (code,) in codes] == ["AGT105", "IMP103", "IMP110", "REP103"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        {"batches": []},
        {"batches": {}},
        {"batches": [7]},
        {"batches": [batch(0, "A")]},
        {"batches": [batch(2**63, "A")]},
        {"batches": [batch(2, "A"), batch(2, "A")]},
        {"batches": [{"number": 1, "table": 7, "records": []}]},
        {"batches": [{"number": 1, "table": "A"}]},
        b'{"batches":' + b"[" * 100_000,
    ],
)
def test_a_body_of_another_form_is_refused_and_stores_nothing(
    service: Any, agent: Identity, body: Any
) -> None:
    status, answer = service.ask("POST", "/api/agent/records", body, token=agent.token)
    assert status == 400, answer
    assert answer["error"]


def test_a_bomb_is_refused(service: Any, agent: Identity) -> None:
    link = Link(lambda: Endpoint(service.url, agent.token))
    bomb = gzip.compress(b" " * 40_000_000)
    answer = link.ask("POST", "/api/agent/records", bomb, {"Content-Encoding": "gzip"})
    assert answer.status == 413


def test_only_an_agent_numbers_and_only_a_token_writes_without(service: Any, agent: Identity) -> None:
    body = {"batches": [batch(1, "Once_CL", {"n": 9})]}
    assert service.ask("POST", "/api/agent/records", body)[0] == 403
    assert service.ask("POST", "/api/agent/records", {"Token_CL": [{"n": 1}]})[1]["stored"] == {"Token_CL": 1}
    assert service.query("Once_CL | count", timespan="P1D")[0] in (200, 400)
    assert (
        service.ask(
            "POST", f"/v1/workspaces/{service.workspace_id}/query", {"query": "Heartbeat"}, token=agent.token
        )[0]
        == 403
    )


def test_rules_are_told_once(service: Any, agent: Identity) -> None:
    link = Link(lambda: Endpoint(service.url, agent.token))
    first = link.ask("GET", "/api/agent/config")
    assert first.status == 200
    version = first.json()["version"]
    assert link.ask("GET", f"/api/agent/config?version={version}").status == 304
    assert service.ask("GET", "/api/agent/config")[0] == 403


# ---- the gateway ------------------------------------------------------------------------------


@pytest.fixture
def gateway(service: Any, key: str, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A gateway of the service: its URL and its state folder."""
    state = tmp_path / "gateway"
    process = subprocess.Popen(
        [
            sys.executable, "-m", "workbench.cli", "agent", "--service", service.url, "--state", str(state),
            "--gateway", "127.0.0.1:0", "--group", "Plant 7",
        ],
        stdout=subprocess.PIPE, stderr=(tmp_path / "gateway.log").open("w"), text=True,
        env={**os.environ, "WORKBENCH_KEY": key},
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, (tmp_path / "gateway.log").read_text()
        yield json.loads(line)["gateway"], state
    finally:
        process.terminate()
        process.stdout.close()
        assert process.wait(30) == 0
    assert "Traceback" not in (tmp_path / "gateway.log").read_text()


def test_an_agent_reports_over_a_gateway(
    service: Any, key: str, gateway: tuple[str, Path], tmp_path: Path
) -> None:
    url, _ = gateway
    state = tmp_path / "behind"
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench.cli", "agent", "run", "--service", url, "--key", key, "--state", str(state)],
        stderr=(tmp_path / "behind.log").open("w"),
    )  # fmt: skip
    try:
        behind = until(lambda: enrolment.load(state))
        kept = enrolment.load(gateway[1])
        assert kept is not None
        beat = "Heartbeat | where SourceComputerId == '{}' | project Category, ManagementGroupName, IsGatewayInstalled, SCAgentChannel | take 1"
        assert until(lambda: rows(service, beat.format(behind.id))) == [
            ["SCOM Agent", "Plant 7", False, "SCManagementServer"]
        ]
        assert until(lambda: rows(service, beat.format(kept.id))) == [
            ["SCOM Management Server", "Plant 7", True, "SCManagementServer"]
        ]
    finally:
        process.terminate()
        assert process.wait(30) == 0
    assert "Traceback" not in (tmp_path / "behind.log").read_text()


def test_a_gateway_keeps_numbers_and_cannot_speak_for_strangers(
    service: Any, agent: Identity, gateway: tuple[str, Path]
) -> None:
    url, state = gateway
    gate = enrolment.load(state)
    assert gate is not None
    forged = {"agent": agent.id, "batches": [batch(1, "Forged_CL", {"n": 1})]}
    assert service.ask("POST", "/api/agent/records", forged, token=gate.token)[0] == 403
    assert rows(service, "Forged_CL") == []

    over = Link(lambda: Endpoint(url, agent.token))
    body = {"batches": [batch(7, "Over_CL", {"n": 7}), batch(9, "Over_CL", {"n": 9})]}
    for _ in range(2):
        answer = over.ask("POST", "/api/agent/records", json.dumps(body).encode())
        assert (answer.status, answer.json()) == (200, {"last": 9})
    assert until(lambda: rows(service, "Over_CL | summarize count() by n | sort by n asc")) == [
        [7, 1],
        [9, 1],
    ]

    stranger = Link(lambda: Endpoint(url, "no such token"))
    assert stranger.ask("POST", "/api/agent/records", json.dumps(body).encode()).status == 403
    other = json.dumps({"agent": gate.id, **body}).encode()
    assert over.ask("POST", "/api/agent/records", other).status == 400


def test_an_agent_that_is_forgotten_is_not_let_through_any_more(
    service: Any, agent: Identity, gateway: tuple[str, Path]
) -> None:
    url, _ = gateway
    over = Link(lambda: Endpoint(url, agent.token))

    def send(number: int) -> int:
        body = json.dumps({"batches": [batch(number, "Gone_CL", {"n": number})]}).encode()
        return over.ask("POST", "/api/agent/records", body).status

    assert send(1) == 200
    Access(Database.open(service.workspace / "state"), service.workspace_id).forget_agent(agent.id)
    assert post(service, agent, batch(1, "Gone_CL", {"n": 1}))[0] == 403
    numbers = iter(range(2, 1000))
    # What the service said of the link holds for some seconds; then the gateway hears of it.
    until(lambda: send(next(numbers)) == 403, 40)


# ---- rules ------------------------------------------------------------------------------------


def test_a_rule_is_applied_by_a_running_agent_and_its_transform_by_the_service(
    service: Any, key: str, tmp_path: Path
) -> None:
    """A rule that comes, one that changes, and one that goes; the paths are those the machine allows."""
    state, logs = tmp_path / "agent", tmp_path / "logs"
    logs.mkdir()
    state.mkdir()
    (state / "agent.yaml").write_text(f"allow_paths: [{logs}]\n")
    (logs / "app.log").write_text("before\n")
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench.cli", "agent", "--service", service.url, "--key", key, "--state", str(state)],
        stderr=(tmp_path / "agent.log").open("w"),
    )  # fmt: skip
    rule = {
        "name": "app",
        "dataSources": {
            "performanceCounters": [
                {
                    "name": "cpu",
                    "streams": ["Microsoft-Perf"],
                    "samplingFrequencyInSeconds": 1,
                    "counterSpecifiers": ["\\Processor(*)\\% Processor Time"],
                }
            ],
            "logFiles": [
                {
                    "name": "app",
                    "streams": ["Custom-AppLines"],
                    "filePatterns": [f"{logs}/*.log"],
                    "format": "text",
                    "samplingFrequencyInSeconds": 1,
                    "flushSeconds": 0,
                }
            ],
        },
        "streamDeclarations": {
            "Custom-AppLines": {
                "columns": [
                    {"name": "TimeGenerated", "type": "datetime"},
                    {"name": "RawData", "type": "string"},
                    {"name": "Computer", "type": "string"},
                ]
            }
        },
        "destinations": {"logAnalytics": [{"name": "here"}]},
        "dataFlows": [
            {"streams": ["Microsoft-Perf"], "destinations": ["here"]},
            {
                "streams": ["Custom-AppLines"],
                "destinations": ["here"],
                "outputStream": "Custom-AppLines_CL",
                "transformKql": "source | where RawData !has 'noise' | extend Size = strlen(RawData)",
            },
        ],
    }
    try:
        known = until(lambda: enrolment.load(state))
        until(lambda: rows(service, f"Heartbeat | where SourceComputerId == '{known.id}'"))
        status, made = service.ask("POST", "/api/rules", rule)
        assert status in (200, 201), made
        until(lambda: "dcr-" in (state / "rules.json").read_text(), 45)
        time_of_rule = time.monotonic()

        def lines() -> list[list[Any]]:
            return rows(service, "AppLines_CL | project RawData, Size | sort by RawData asc")

        until(lambda: lines() or time.monotonic() - time_of_rule > 10)
        with (logs / "app.log").open("a") as file:
            file.write("noise\nlonger line\n")
        until(lambda: ["longer line", 11] in lines())
        assert not [line for line in lines() if line[0] == "noise"]
        only = "Perf | where TimeGenerated > ago(3s) | distinct CounterName"
        until(lambda: rows(service, only) == [["% Processor Time"]])

        rule["dataSources"]["performanceCounters"][0]["counterSpecifiers"] = ["\\Memory(*)\\% Used Memory"]  # type: ignore[index]
        assert service.ask("POST", "/api/rules", rule)[0] in (200, 201)
        until(lambda: rows(service, only) == [["% Used Memory"]], 50)
        assert lines().count(["longer line", 11]) == 1, (
            "the change of one entry reads nothing of another again"
        )
    finally:
        process.terminate()
        assert process.wait(30) == 0
        service.ask("DELETE", "/api/rules/app")
    assert "Traceback" not in (tmp_path / "agent.log").read_text()
