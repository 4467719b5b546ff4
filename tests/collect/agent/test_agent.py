"""The agent between its sources and a service: order, retries, a full buffer, its end."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from workbench.collect.agent import Agent, Buffer, Endpoint
from workbench.collect.sources import Batch, Machine, SourceCard


def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def batch(table: str, *numbers: int, acknowledged: Callable[[], None] = lambda: None) -> Batch:
    return Batch(table, [{"n": n} for n in numbers], acknowledged)


# ---- the buffer -------------------------------------------------------------------------------


def test_a_full_buffer_drops_the_oldest_perf_first_and_counts_it() -> None:
    buffer = Buffer(limit=4)
    buffer.put(
        [batch("Heartbeat", 1), batch("Perf", 2), batch("Perf", 3), batch("Heartbeat", 4), batch("Perf", 5)]
    )
    left = []
    while (first := buffer.first(0)) is not None:
        left.append((first.table, first.records[0]["n"]))
        buffer.done(first)
    assert left == [("Heartbeat", 1), ("Perf", 3), ("Heartbeat", 4), ("Perf", 5)]
    assert (buffer.dropped(), buffer.dropped(), len(buffer)) == (1, 0, 0)


def test_the_batch_that_is_on_its_way_is_never_dropped() -> None:
    buffer = Buffer(limit=1)
    buffer.put([batch("Perf", 1)])
    sending = buffer.first(0)
    buffer.put([batch("Perf", 2), batch("Perf", 3)])
    assert buffer.first(0) is sending
    assert buffer.dropped() == 2


# ---- the agent --------------------------------------------------------------------------------


@dataclass
class Door:
    """A service that only remembers; `status` is what it answers next."""

    status: int = 200
    posts: list[dict[str, list[dict[str, Any]]]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def door() -> Iterator[Door]:
    state = Door()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            authorized = self.headers["Authorization"] == "Bearer secret"
            status = state.status if authorized else 403
            if status == 200:
                state.posts.append(json.loads(body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
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

    def start(find: Callable[[], Endpoint | None], *cards: SourceCard, limit: int = 1000) -> Agent:
        agent = Agent(Machine(tmp_path / "agent", tmp_path), find, cards, Buffer(limit), last_try=0.3)
        thread = threading.Thread(target=agent.run)
        thread.start()
        running.append((agent, thread))
        return agent

    yield start
    for agent, thread in running:
        agent.stop()
        thread.join(10)
        assert not thread.is_alive()


def numbers(door: Door) -> list[int]:
    return [r["n"] for post in door.posts for r in post.get("Count_CL", [])]


def test_records_arrive_in_order_and_are_acknowledged_after(
    door: Door, started: Callable[..., Agent]
) -> None:
    source = Counting()
    started(lambda: Endpoint(door.url, "secret"), source.card())
    until(lambda: len(source.acknowledged) >= 5)
    assert source.acknowledged == numbers(door)[: len(source.acknowledged)]
    assert numbers(door)[:5] == [1, 2, 3, 4, 5]


def test_records_wait_while_the_service_is_away_or_ill(door: Door, started: Callable[..., Agent]) -> None:
    source, there = Counting(), threading.Event()
    door.status = 503
    started(lambda: Endpoint(door.url, "secret") if there.is_set() else None, source.card())
    until(lambda: source.readings > 3)
    there.set()
    until(lambda: source.readings > 6)
    assert source.acknowledged == []
    door.status = 200
    until(lambda: len(source.acknowledged) > 6)
    assert numbers(door)[:7] == [1, 2, 3, 4, 5, 6, 7]


def test_a_batch_that_is_refused_for_good_does_not_block_the_rest(
    door: Door, started: Callable[..., Agent]
) -> None:
    source = Counting()
    door.status = 400
    started(lambda: Endpoint(door.url, "secret"), source.card())
    until(lambda: source.readings > 3)
    door.status = 200
    until(lambda: len(source.acknowledged) > 2)
    assert 1 not in source.acknowledged


def test_a_source_that_fails_is_asked_again(door: Door, started: Callable[..., Agent]) -> None:
    source = Counting(fails_at=2)
    started(lambda: Endpoint(door.url, "secret"), source.card())
    until(lambda: 3 in source.acknowledged)
    assert 2 not in numbers(door)


def test_a_source_that_cannot_start_leaves_the_others_be(door: Door, started: Callable[..., Agent]) -> None:
    def broken(_: Machine) -> Counting:
        raise PermissionError("not for you")

    source = Counting()
    started(lambda: Endpoint(door.url, "secret"), SourceCard("broken", (), 1, broken), source.card())
    until(lambda: source.acknowledged)


def test_what_a_full_buffer_lost_is_a_record(door: Door, started: Callable[..., Agent]) -> None:
    source, there = Counting(table="Perf"), threading.Event()
    started(lambda: Endpoint(door.url, "secret") if there.is_set() else None, source.card(), limit=3)
    until(lambda: source.readings > 8)
    there.set()
    until(lambda: any("Operation" in post for post in door.posts))
    lost = sum(r["Count"] for post in door.posts for r in post.get("Operation", []))
    arrived = [r["n"] for post in door.posts for r in post.get("Perf", [])]
    assert lost >= 1
    assert len(arrived) + lost <= source.readings


def test_a_source_that_can_read_again_is_not_asked_while_the_buffer_is_full(
    started: Callable[..., Agent],
) -> None:
    source, clock = Counting(), Counting(table="Perf")
    started(lambda: None, source.card(rereads=True), clock.card(), limit=3)
    until(lambda: clock.readings > 8)
    assert 1 <= source.readings <= 2


def test_the_end_sends_what_waits(door: Door, started: Callable[..., Agent]) -> None:
    source = Counting(every=60)
    agent = started(lambda: Endpoint(door.url, "secret"), source.card())
    until(lambda: source.readings == 1)
    agent.stop()
    until(lambda: source.acknowledged == [1])
