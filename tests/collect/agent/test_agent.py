"""The agent between its sources and a service: order, retries, rules, its end."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from workbench.collect.agent import Agent, Endpoint, Spool
from workbench.collect.sources import Batch, Machine, SourceCard


def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def batch(table: str, *numbers: int, acknowledged: Callable[[], None] = lambda: None) -> Batch:
    return Batch(table, [{"n": n} for n in numbers], acknowledged)


# ---- the agent --------------------------------------------------------------------------------


@dataclass
class Door:
    """A service that only remembers; `status` is what it answers next, unless a batch has a poisoned record."""

    status: int = 200
    batches: list[dict[str, Any]] = field(default_factory=list)
    rules: dict[str, Any] = field(default_factory=lambda: {"version": 1, "rules": []})
    poison: int = -1
    strange: bytes | None = None
    """What it answers to a post that it keeps nothing of, in place of an answer."""
    headers: dict[str, str] = field(default_factory=dict)
    raw_rules: bytes | None = None
    refused: int = 0
    connections: set[Any] = field(default_factory=set)
    url: str = ""


@pytest.fixture
def door() -> Iterator[Door]:
    state = Door()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            state.connections.add(self.client_address)
            body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
            authorized = self.headers["Authorization"] == "Bearer secret"
            status = state.status if authorized else 403
            batches = json.loads(body)["batches"]
            if any(r.get("n") == state.poison for b in batches for r in b["records"]):
                status = 400
            if state.strange is not None:
                state.refused += 1
                self.send(status, state.strange)
                return
            if status == 200:
                state.batches += batches
            self.answer(status, {"last": batches[-1]["number"]} if status == 200 else {})

        def do_GET(self) -> None:
            if state.raw_rules is not None:
                state.refused += 1
                self.send(200, state.raw_rules)
                return
            known = self.path.endswith(f"version={state.rules['version']}")
            self.answer(304 if known else 200, {} if known else state.rules)

        def answer(self, status: int, body: dict[str, Any]) -> None:
            self.send(status, b"" if status == 304 else json.dumps(body).encode())

        def send(self, status: int, data: bytes) -> None:
            self.send_response(status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Counting:
    """A source of one numbered record a reading."""

    every: float = 0.02
    table: str = "Count_CL"
    acknowledged: list[int] = field(default_factory=list)
    readings: int = 0
    fails_at: int = -1
    more: bool = False

    def collect(self) -> Iterable[Batch]:
        self.readings += 1
        number = self.readings
        if number == self.fails_at:
            raise OSError("unplugged")
        return [batch(self.table, number, acknowledged=lambda: self.acknowledged.append(number))]

    def card(self, *, rereads: bool = False) -> SourceCard:
        return SourceCard("counting", (self.table,), self.every, lambda _: self, rereads=rereads)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Agent]]:
    running: list[tuple[Agent, threading.Thread]] = []

    def start(
        find: Callable[[], Endpoint | None], *cards: SourceCard, limit: int = 1 << 30, rules_every: float = 0
    ) -> Agent:
        spool = Spool(tmp_path / "agent" / "spool", limit=limit)
        agent = Agent(Machine(tmp_path / "agent", tmp_path), find, spool, cards, rules_every, last_try=0.3)
        thread = threading.Thread(target=agent.run)
        thread.start()
        running.append((agent, thread))
        return agent

    yield start
    for agent, thread in running:
        agent.stop()
        thread.join(10)
        assert not thread.is_alive()


def numbers(door: Door, table: str = "Count_CL") -> list[int]:
    return [r["n"] for b in list(door.batches) if b["table"] == table for r in b["records"]]


def told(door: Door) -> list[dict[str, Any]]:
    return [r for b in list(door.batches) if b["table"] == "Operation" for r in b["records"]]


def test_records_arrive_in_order_over_one_connection(door: Door, started: Callable[..., Agent]) -> None:
    source = Counting()
    started(lambda: Endpoint(door.url, "secret"), source.card())
    until(lambda: len(numbers(door)) >= 5)
    assert numbers(door)[:5] == [1, 2, 3, 4, 5]
    assert source.acknowledged[:5] == [1, 2, 3, 4, 5]
    assert len(door.connections) == 1


def test_records_wait_while_the_service_is_away_or_ill(door: Door, started: Callable[..., Agent]) -> None:
    source, there = Counting(), threading.Event()
    door.status = 503
    started(lambda: Endpoint(door.url, "secret") if there.is_set() else None, source.card())
    until(lambda: source.readings > 3)
    there.set()
    until(lambda: source.readings > 6)
    assert numbers(door) == []
    door.status = 200
    until(lambda: len(numbers(door)) > 6)
    assert numbers(door)[:7] == [1, 2, 3, 4, 5, 6, 7]


def test_what_waits_at_the_end_is_sent_by_the_next_start(door: Door, started: Callable[..., Agent]) -> None:
    source = Counting()
    first = started(lambda: None, source.card())
    until(lambda: len(source.acknowledged) > 3)
    first.stop()
    until(lambda: not any(t.name == "sender" for t in threading.enumerate()))
    kept = list(source.acknowledged)
    started(lambda: Endpoint(door.url, "secret"))
    until(lambda: len(numbers(door)) >= len(kept))
    assert numbers(door) == kept


def test_a_batch_that_is_refused_for_good_does_not_block_the_rest_and_is_told(
    door: Door, started: Callable[..., Agent]
) -> None:
    source = Counting()
    door.status, door.poison = 503, 2
    started(lambda: Endpoint(door.url, "secret"), source.card())
    until(lambda: source.readings > 4)
    door.status = 200
    until(lambda: told(door))
    until(lambda: 4 in numbers(door))
    assert numbers(door)[:3] == [1, 3, 4]
    assert (told(door)[0]["OperationKey"], told(door)[0]["Count"]) == ("refused", 1)


def test_a_source_that_fails_is_asked_again_and_told_once(door: Door, started: Callable[..., Agent]) -> None:
    source = Counting(fails_at=2)
    started(lambda: Endpoint(door.url, "secret"), source.card())
    until(lambda: 4 in numbers(door))
    assert 2 not in numbers(door)
    assert [record["Detail"] for record in told(door)] == ["source counting failed: unplugged"]


def test_a_source_that_cannot_start_leaves_the_others_be(door: Door, started: Callable[..., Agent]) -> None:
    def broken(_: Machine) -> Counting:
        raise PermissionError("not for you")

    source = Counting()
    started(lambda: Endpoint(door.url, "secret"), SourceCard("broken", (), 1, broken), source.card())
    until(lambda: numbers(door) and told(door))
    assert told(door)[0]["Detail"] == "source broken can't start: not for you"


def test_a_source_that_can_read_again_is_not_asked_while_the_spool_is_full(
    started: Callable[..., Agent],
) -> None:
    source, clock = Counting(), Counting(table="Perf")
    started(lambda: None, source.card(rereads=True), clock.card(), limit=1)
    until(lambda: clock.readings > 8)
    assert source.readings == 0


def test_the_end_sends_what_waits(door: Door, started: Callable[..., Agent]) -> None:
    source = Counting(every=60)
    agent = started(lambda: Endpoint(door.url, "secret"), source.card())
    until(lambda: source.readings == 1)
    agent.stop()
    until(lambda: numbers(door) == [1])


# ---- rules ------------------------------------------------------------------------------------


@dataclass
class Ruled:
    """A source that tells which settings it was made with; `made` and `closed` hold all of its kind."""

    made: list[dict[str, Any]] = field(default_factory=list)
    closed: list[dict[str, Any]] = field(default_factory=list)

    def card(self) -> SourceCard:
        outer = self

        class Source:
            def __init__(self, machine: Machine, settings: dict[str, Any]) -> None:
                outer.made.append(dict(settings))
                self.settings = settings
                self.count = machine.marks.get("count", 0)

            def collect(self) -> Iterable[Batch]:
                self.count += 1
                name = self.settings.get("name", "")
                return [Batch("Ruled_CL", [{"n": self.count, "name": name}], marks={"count": self.count})]

            def close(self) -> None:
                outer.closed.append(dict(self.settings))

        return SourceCard("ruled", ("Ruled_CL",), 0.02, Source, rule_key="ruled")


def rule(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"immutableId": "dcr-1", "dataSources": {"ruled": list(entries)}}


def test_rules_say_which_sources_run_and_a_change_is_applied(
    door: Door, started: Callable[..., Agent]
) -> None:
    ruled, always = Ruled(), Counting()
    started(lambda: Endpoint(door.url, "secret"), ruled.card(), always.card(), rules_every=0.05)
    until(lambda: ruled.made == [{}])
    door.rules = {"version": 2, "rules": [rule({"name": "a", "x": 1}, {"name": "b"})]}
    until(lambda: len(ruled.made) == 3)
    until(lambda: ruled.closed == [{}])
    door.rules = {"version": 3, "rules": [rule({"name": "a", "x": 2}, {"name": "b"})]}
    until(lambda: len(ruled.made) == 4)
    until(lambda: ruled.closed[1:] == [{"name": "a", "x": 1}])
    before = always.readings
    until(lambda: always.readings > before)
    until(lambda: ruled.made and max(numbers(door, "Ruled_CL")) > 0)


def test_a_source_keeps_its_marks_when_its_rule_changes(door: Door, started: Callable[..., Agent]) -> None:
    ruled = Ruled()
    door.rules = {"version": 1, "rules": [rule({"name": "a"})]}
    started(lambda: Endpoint(door.url, "secret"), ruled.card(), rules_every=0.05)
    until(lambda: len(numbers(door, "Ruled_CL")) > 3)
    door.rules = {"version": 2, "rules": [rule({"name": "a", "x": 1})]}
    until(lambda: len(ruled.made) == 2)
    seen = len(numbers(door, "Ruled_CL"))
    until(lambda: len(numbers(door, "Ruled_CL")) > seen + 3)
    arrived = numbers(door, "Ruled_CL")
    assert arrived == list(range(1, len(arrived) + 1))


def test_an_agent_goes_on_by_the_last_rules_while_its_service_is_away(
    door: Door, started: Callable[..., Agent]
) -> None:
    ruled = Ruled()
    door.rules = {"version": 1, "rules": [rule({"name": "a"})]}
    agent = started(lambda: Endpoint(door.url, "secret"), ruled.card(), rules_every=0.05)
    until(lambda: ruled.made == [{"name": "a"}])
    agent.stop()
    until(lambda: ruled.closed)
    started(lambda: None, ruled.card(), rules_every=0.05)
    until(lambda: ruled.made == [{"name": "a"}, {"name": "a"}])


# ---- a service, gateway or proxy that answers as it likes -------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (200, b"<html>sign in first</html>", {}),
        (200, b"{}", {}),
        (200, b'{"last": 0}', {}),
        (200, b'{"last": true}', {}),
        (200, b'{"last": "9"}', {}),
        (503, b"", {"Retry-After": "\u00b2"}),
        (503, b"", {"Retry-After": "9" * 5000}),
        (429, b"[" * 5000, {"Retry-After": "-1"}),
    ],
)
def test_an_answer_without_sense_loses_no_record_and_ends_nothing(
    door: Door, started: Callable[..., Agent], status: int, body: bytes, headers: dict[str, str]
) -> None:
    source = Counting()
    door.status, door.strange, door.headers = status, body, headers
    agent = started(lambda: Endpoint(door.url, "secret"), source.card())
    until(lambda: door.refused >= 2)
    door.status, door.strange, door.headers = 200, None, {}
    agent._own.not_before = 0.0  # a pause that was asked for is none of this test
    until(lambda: len(numbers(door)) >= 3)
    assert numbers(door) == list(range(1, len(numbers(door)) + 1))


def test_a_number_that_is_too_high_is_no_answer_to_what_comes(
    door: Door, started: Callable[..., Agent]
) -> None:
    source = Counting()
    door.strange = b'{"last": 4611686018427387904}'
    started(lambda: Endpoint(door.url, "secret"), source.card())
    until(lambda: door.refused >= 1)
    door.strange = None
    before = source.readings
    until(lambda: len(numbers(door)) >= 3)
    assert numbers(door)[0] <= before + 1


def test_two_machines_with_one_identity_are_told(door: Door, started: Callable[..., Agent]) -> None:
    ahead = time.time_ns() // 1000 + 60_000_000
    door.strange = b'{"last": %d}' % ahead
    started(lambda: Endpoint(door.url, "secret"), Counting().card())
    until(lambda: door.refused >= 1)
    door.strange = None
    until(lambda: any("another machine reports as this agent" in r["Detail"] for r in told(door)))
    assert all(b["number"] > ahead for b in door.batches if b["table"] == "Operation")


@pytest.mark.parametrize(
    "rules",
    [
        b"[]",
        b'{"version": 2, "rules": "all"}',
        b'{"version": 2, "rules": ["x", 7, null, {"dataSources": 5}, {"properties": "x", "dataSources": []}]}',
        b'{"version": 2, "rules": [{"dataSources": {"ruled": "x", "gone": [{}], "counting": [1]}}]}',
        b'{"version": 2, "rules": [{"name": ["\\ud800"], "dataSources": {"ruled": [{"name": {"a": []}}]}}]}',
        b'{"version": 2, "rules": [' + b"[" * 2000 + b"]" * 2000 + b"]}",
    ],
)
def test_rules_without_sense_change_nothing_for_good(
    door: Door, started: Callable[..., Agent], rules: bytes
) -> None:
    ruled, always = Ruled(), Counting()
    door.raw_rules = rules
    started(lambda: Endpoint(door.url, "secret"), ruled.card(), always.card(), rules_every=0.05)
    until(lambda: door.refused >= 3)
    door.raw_rules, door.rules = None, {"version": 3, "rules": [rule({"name": "good"})]}
    until(lambda: {"name": "good"} in ruled.made)
    before = len(numbers(door))
    until(lambda: len(numbers(door)) > before)


def test_more_sources_than_a_machine_bears_are_told_and_not_started(
    door: Door, started: Callable[..., Agent]
) -> None:
    ruled = Ruled()
    door.rules = {"version": 1, "rules": [rule(*({"name": str(n)} for n in range(5000)))]}
    started(lambda: Endpoint(door.url, "secret"), ruled.card(), rules_every=0.05)
    until(lambda: any("more than 500 sources" in r["Detail"] for r in told(door)), 30)
    assert len(ruled.made) <= 500


def test_what_a_reading_left_behind_is_read_at_once(door: Door, started: Callable[..., Agent]) -> None:
    source = Counting(every=30.0)
    source.more = True
    started(lambda: Endpoint(door.url, "secret"), source.card())
    until(lambda: len(numbers(door)) >= 5)
