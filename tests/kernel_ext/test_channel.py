"""What the kernel answers to a front end's questions, in places of the cell's code; and the comm itself."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from jupyter_client.manager import KernelManager

from workbench import workspace
from workbench.collect.searches import Search
from workbench.kernel_ext.channel import TARGET, Channel
from workbench.kernel_ext.language import Language
from workbench.repository.tables import Repository

DEADLINE = 60.0
NEWEST = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a table, a saved search and a function."""
    path = tmp_path_factory.mktemp("channel") / "workspace"
    times = [NEWEST - dt.timedelta(minutes=i) for i in range(30)]
    frame = pl.DataFrame({"TimeGenerated": times, "Computer": ["web01"] * 30, "Load": [1.0] * 30})
    repository = Repository.open(str(path), create=True)
    repository.append("Heartbeat", frame.with_columns(pl.col("TimeGenerated").dt.cast_time_unit("us")))
    made = workspace.open(str(path))
    made.searches.save(Search("loads", "Heartbeat | project Computer, Load", category="machines"))
    made.query(".create function Busy(least: real) { Heartbeat | where Load > least }")
    return path


@pytest.fixture(scope="module")
def channel(folder: Path) -> Channel:
    opened = workspace.open(str(folder))

    def at(path: str | None) -> Any:
        return workspace.open(path) if path is not None else opened

    return Channel(Language({"limit": 1.5}, at, frozenset()), at, lambda: [{"query": "Heartbeat | count"}])


def asked(channel: Channel, ask: str, code: str = "", **rest: Any) -> Any:
    """The answer to a question; `▮` in the code is the cursor."""
    at = code.find("▮")
    place = {} if at < 0 else {"position": at}
    found = channel.answer({"ask": ask, "code": code.replace("▮", ""), **place, **rest})
    assert set(found) == {"answer"}, found
    return found["answer"]


def completed(channel: Channel, code: str) -> list[str]:
    """The cell with each of the first items in it."""
    found = asked(channel, "complete", code)
    start, end = found["replace"]
    text = code.replace("▮", "")
    return [text[:start] + i["insert"] + text[end:] for i in found["items"][:40]]


def test_completion_counts_from_the_start_of_the_cell(channel: Channel) -> None:
    cell = "%%logsearch --limit 5\nHeartbeat | extend Half = Load / 2 | where Ha▮ > 1"
    assert completed(channel, cell)[0] == cell.replace("Ha▮", "Half")
    assert "%%logsearch\nHeartbeat | where Load > limit" in completed(
        channel, "%%logsearch\nHeartbeat | where Load > li▮"
    )


def test_completion_of_options(channel: Channel) -> None:
    assert completed(channel, "%%logsearch --ti▮\nHeartbeat") == ["%%logsearch --timespan \nHeartbeat"]


def test_sql_cells_are_completed_and_judged(channel: Channel) -> None:
    cell = "%%logsearch --sql\nSELECT Lo▮ FROM Heartbeat"
    assert completed(channel, cell)[0] == cell.replace("Lo▮", "Load")
    assert completed(channel, "%%logsearch --sql\nSELECT 1 FROM Heartbeat WHERE Load > :▮")[0].endswith(
        ":limit"
    )
    (found,) = asked(channel, "findings", "%%logsearch --sql\nSELECT Lod FROM Heartbeat")
    assert found["span"] == [25, 28]
    assert asked(channel, "hover", "%%logsearch --sql\nSELECT Lo▮ad FROM Heartbeat") is None


def test_completion_behind_a_saved_search(channel: Channel) -> None:
    """`--load` puts a query before the cell's text: its columns are the ones on offer."""
    assert completed(channel, "%%logsearch --load loads\n| where ▮")[:2] == [
        "%%logsearch --load loads\n| where Computer",
        "%%logsearch --load loads\n| where Load",
    ]


@pytest.mark.parametrize("code", ["print(1▮)", "%%lo▮gsearch\nHeartbeat"])
def test_where_no_query_is_nothing_is_answered(channel: Channel, code: str) -> None:
    assert [asked(channel, ask, code) for ask in ("complete", "hover", "signature")] == [None, None, None]


def test_hover_and_signature(channel: Channel) -> None:
    found = asked(channel, "hover", "%%logsearch\nHeartbeat | where Lo▮ad > 1")
    assert (found["label"], found["detail"], found["span"]) == ("Load", "real", [30, 34])
    found = asked(channel, "signature", "%%logsearch\nHeartbeat | extend a = strlen(▮")
    assert (found["label"], found["active"]) == ("strlen(text: string) → long", 0)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("%%logsearch --limit 5\nHeartbeat | where Computr == '😀' and Lod > 1", [("KQL101", "Computr")]),
        ("%%logsearch --limit 5\nHeartbeat | where Computer == '😀' and Lod > 1", [("KQL101", "Lod")]),
        ("%%logsearch --limt 5\nHeartbeat", [("LAB001", "--limt")]),
        ("%%logsearch --load nothing\n| count", [("SAV003", "--load nothing")]),
        ("%%logsearch --load loads\n| where Lod > 1", [("KQL101", "Lod")]),
        ("%%logsearch --workspace /nowhere/at/all\nHeartbeat", [("REP001", "--workspace /nowhere/at/all")]),
        ("%%logsearch Heartbeat\n| where Lod > limit", [("KQL101", "Lod")]),
        ("%%logsearch --sql\nSELECT nothing", [("SQL102", "nothing")]),
        ("%%logsearch\n", []),
        ("%%logsearch", []),
        ("x = 1", []),
    ],
)
def test_findings_stand_at_their_places(channel: Channel, code: str, expected: list[tuple[str, str]]) -> None:
    found = asked(channel, "findings", code)
    assert [(d["code"], code[slice(*d["span"])]) for d in found] == expected


def test_a_cell_is_formatted_below_its_options(channel: Channel) -> None:
    cell = "%%logsearch --limit 5\nHeartbeat|where Load>1|count"
    assert (
        asked(channel, "format", cell, width=80)
        == "%%logsearch --limit 5\nHeartbeat\n| where Load > 1\n| count"
    )
    wide = "%%logsearch\nHeartbeat\n| project Computer, Load, TimeGenerated"
    assert asked(channel, "format", wide, width=80) == wide
    assert all(len(line) <= 30 for line in asked(channel, "format", wide, width=30).split("\n"))
    for untouched in ("%%logsearch --sql\nselect  1", "x  =  1"):
        assert asked(channel, "format", untouched, width=80) == untouched
    broken = channel.answer({"ask": "format", "code": "%%logsearch\nHeartbeat | where a == 'b", "width": 80})
    assert broken["error"]["code"] == "KQL001"


def test_the_panel_is_told_what_is_there(channel: Channel, folder: Path) -> None:
    found = asked(channel, "overview")
    assert found["workspace"] == str(folder)
    (table,) = found["tables"]
    assert table["name"] == "Heartbeat"
    assert {"name": "Load", "type": "real"} in table["columns"]
    assert not any(c["name"].startswith("_B") for c in table["columns"])
    assert [(s["name"], s["category"]) for s in found["searches"]] == [("loads", "machines")]
    assert [(f["name"], f["parameters"]) for f in found["functions"]] == [("Busy", "(least: real)")]
    facts = asked(channel, "facts", tables=["Heartbeat", "Gone"])
    assert facts == {"Heartbeat": {"rows": 30, "newest": "2026-11-23T12:00:00Z"}}
    assert asked(channel, "history") == [{"query": "Heartbeat | count"}]


@pytest.mark.parametrize("ask", ["automation", "jobs", "job", "start", "cancel", "resume", "notebook"])
def test_what_a_service_answers_says_so_where_none_runs(
    channel: Channel, ask: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKBENCH_WORKSPACE", str(tmp_path / "none"))
    found = channel.answer({"ask": ask, "runbook": "r", "job": "j"})
    assert found["error"]["code"] == "SRV023"
    assert found["error"]["hint"].endswith("'workbench up' starts one")


def test_a_question_of_a_newer_plugin_has_no_answer(channel: Channel) -> None:
    assert asked(channel, "something new") is None


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Any]:
    """A client of a real kernel with the extension loaded."""
    manager = KernelManager(kernel_name="python3", transport="ipc")
    manager.start_kernel()
    made = manager.client()
    made.start_channels()
    try:
        made.wait_for_ready(timeout=DEADLINE)
        load = f"import os; os.environ['WORKBENCH_WORKSPACE'] = {str(folder)!r}\n%load_ext workbench"
        assert made.execute_interactive(load, timeout=DEADLINE)["content"]["status"] == "ok"
        yield made
    finally:
        made.stop_channels()
        manager.shutdown_kernel(now=True)


def told(client: Any, comm: str) -> dict[str, Any]:
    """The next message of a comm."""
    while True:
        message = client.get_iopub_msg(timeout=DEADLINE)
        if message["msg_type"] in ("comm_msg", "comm_close") and message["content"]["comm_id"] == comm:
            found: dict[str, Any] = message["content"]["data"]
            return found


@pytest.mark.slow
def test_a_comm_on_a_subshell_is_answered_while_a_cell_runs(client: Any) -> None:
    created = client.session.msg("create_subshell_request", {})
    client.control_channel.send(created)
    subshell = client.get_control_msg(timeout=DEADLINE)["content"]["subshell_id"]

    def send(kind: str, content: dict[str, Any]) -> None:
        message = client.session.msg(kind, {"comm_id": "c", **content})
        message["header"]["subshell_id"] = subshell
        client.shell_channel.send(message)

    send("comm_open", {"target_name": TARGET, "data": {}})
    assert told(client, "c") == {"ready": True}
    cell = "%%logsearch\nHeartbeat | count"
    assert client.execute_interactive(cell, store_history=True, timeout=DEADLINE)["content"]["status"] == "ok"
    send("comm_msg", {"data": {"id": 6, "ask": "history"}})
    (asked,) = told(client, "c")["answer"]
    assert (asked["query"], asked["code"], asked["rows"]) == ("Heartbeat | count", cell, 1)
    running = client.execute("import threading; threading.Event().wait(30)")
    cell = "%%logsearch\nHeartbeat | where "
    began = time.monotonic()
    send("comm_msg", {"data": {"id": 7, "ask": "complete", "code": cell, "position": len(cell)}})
    found = told(client, "c")
    assert time.monotonic() - began < 25
    assert found["id"] == 7
    assert found["answer"]["items"][0]["label"] == "TimeGenerated"
    send(
        "comm_msg",
        {"data": {"id": 8, "ask": "format", "code": "%%logsearch\nT | where a == 'b", "width": 80}},
    )
    assert told(client, "c")["error"]["code"] == "KQL001"
    interrupt = client.session.msg("interrupt_request", {})
    client.control_channel.send(interrupt)
    while True:
        reply = client.get_shell_msg(timeout=DEADLINE)
        if reply["parent_header"].get("msg_id") == running:
            break
    assert reply["content"]["ename"] == "KeyboardInterrupt"
