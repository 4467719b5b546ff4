"""The agent of this machine: asks its sources in turn and sends what they read to the service.

One thread reads, one sends. Records wait in memory until the service has acknowledged them; while it
is away they are kept and tried again with growing pauses. When the buffer is full, sources that can
read again later are not asked, and of the others the oldest `Perf` records go first; how many went
is a record of its own (`Operation`). The agent writes no table itself and speaks HTTP only.
"""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
import urllib.parse
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from workbench.base import clock
from workbench.base.dtypes import format_datetime
from workbench.collect.sources import SOURCES, Batch, Machine, Source, SourceCard

log = logging.getLogger("workbench.agent")
BUFFER_RECORDS = 50_000
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0
POST_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where records go: a URL without a slash at the end, and the bearer token."""

    url: str
    token: str


class SendFailed(Exception):
    """The service did not take a batch; `permanent` when it would never take it."""

    def __init__(self, why: str, *, permanent: bool = False) -> None:
        super().__init__(why)
        self.permanent = permanent


def post(endpoint: Endpoint, batch: Batch) -> None:
    """Hand a batch over; returns when the service has stored it.

    Raises
    ------
    SendFailed
        With `permanent` for an answer 400 or 413: sending the same again can't help.
    """
    parts = urllib.parse.urlsplit(endpoint.url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=POST_SECONDS)
    body = json.dumps({batch.table: batch.records}).encode()
    headers = {"Authorization": f"Bearer {endpoint.token}", "Content-Type": "application/json"}
    try:
        connection.request("POST", "/api/agent/records", body, headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as broken:
        raise SendFailed(f"{type(broken).__name__}: {broken}") from broken
    finally:
        connection.close()
    if answer.status != 200:
        raise SendFailed(f"status {answer.status}: {text[:500]}", permanent=answer.status in (400, 413))


class Buffer:
    """Batches that wait to be sent, oldest first; bounded by their records."""

    def __init__(self, limit: int = BUFFER_RECORDS) -> None:
        self._limit = limit
        self._batches: deque[Batch] = deque()
        self._count = 0
        self._dropped = 0
        self._changed = threading.Condition()

    @property
    def full(self) -> bool:
        return self._count >= self._limit

    def put(self, batches: Iterable[Batch]) -> None:
        """Add batches; over the limit the oldest go, those of `Perf` before all others."""
        with self._changed:
            for batch in batches:
                self._batches.append(batch)
                self._count += len(batch.records)
            while self._count > self._limit and len(self._batches) > 1:
                self._drop_one()
            self._changed.notify_all()

    def _drop_one(self) -> None:
        # The first is left alone: it may be on its way.
        waiting = list(self._batches)[1:]
        oldest = next((b for b in waiting if b.table == "Perf"), waiting[0])
        self._batches.remove(oldest)
        self._count -= len(oldest.records)
        self._dropped += len(oldest.records)

    def first(self, seconds: float) -> Batch | None:
        """The oldest batch, waiting for one at most `seconds`; it stays until `done`."""
        with self._changed:
            if not self._batches:
                self._changed.wait(seconds)
            return self._batches[0] if self._batches else None

    def wake(self) -> None:
        """Let a waiting `first` return."""
        with self._changed:
            self._changed.notify_all()

    def done(self, batch: Batch) -> None:
        """Take a batch out that was sent (or will never be)."""
        with self._changed:
            if batch in self._batches:
                self._batches.remove(batch)
                self._count -= len(batch.records)

    def dropped(self) -> int:
        """How many records were dropped since the last call."""
        with self._changed:
            count, self._dropped = self._dropped, 0
            return count

    def __len__(self) -> int:
        return self._count


@dataclass
class _Turn:
    """A source at work, and when it is due next (monotonic seconds)."""

    card: SourceCard
    source: Source
    due: float


@dataclass
class Agent:
    """Reads the sources of a machine until it is stopped.

    Attributes
    ----------
    machine : Machine
    find : callable
        Where the service is now, or None; asked anew after each failure.
    cards : iterable of SourceCard
        The sources; all registered ones by default.
    last_try : float
        Seconds after `stop` for which sending is still tried.
    """

    machine: Machine
    find: Callable[[], Endpoint | None]
    cards: Iterable[SourceCard] = field(default_factory=lambda: [card for _, card in SOURCES.items()])
    buffer: Buffer = field(default_factory=Buffer)
    last_try: float = 3.0
    _stopping: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        """Ask the agent to end; `run` returns soon after. May be called from a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Read and send until `stop`; then one last try to send what waits."""
        sender = threading.Thread(target=self._send_all, name="sender")
        sender.start()
        try:
            self._read_all()
        finally:
            self._stopping.set()
            self.buffer.wake()
            sender.join()

    def _read_all(self) -> None:
        began = time.monotonic()
        turns = [turn for card in self.cards if (turn := self._first_turn(card, began)) is not None]
        while not self._stopping.is_set():
            for turn in turns:
                if turn.due <= time.monotonic() and not self._stopping.is_set():
                    self._read(turn)
            pause = min((turn.due for turn in turns), default=began + LONGEST_PAUSE) - time.monotonic()
            self._stopping.wait(max(pause, 0.05))

    def _first_turn(self, card: SourceCard, began: float) -> _Turn | None:
        try:
            return _Turn(card, card.make(self.machine), began + card.first_after)
        except Exception:  # what this machine can't give must not end the others; the log tells it
            log.exception("source %s can't start and is left out", card.name)
            return None

    def _read(self, turn: _Turn) -> None:
        # The next turn is counted from the due time, so that a slow reading does not shift the rest.
        turn.due = max(turn.due + turn.card.every, time.monotonic())
        if turn.card.rereads and self.buffer.full:
            return
        try:
            self.buffer.put(turn.source.collect())
        except Exception:  # one broken source must not end the others; the log tells it
            log.exception("source %s failed; it is asked again in %g s", turn.card.name, turn.card.every)
        dropped = self.buffer.dropped()
        if dropped:
            log.warning("the buffer is full: %d records were dropped", dropped)
            self.buffer.put([self._operation(dropped)])

    def _operation(self, dropped: int) -> Batch:
        record = {
            "TimeGenerated": format_datetime(clock.now_ticks()),
            "Computer": self.machine.computer,
            "OperationCategory": "Data Collection",
            "OperationStatus": "Warning",
            "Detail": f"the agent's buffer was full: {dropped} records were dropped, oldest Perf first",
            "Count": dropped,
        }
        return Batch("Operation", [record])

    def _send_all(self) -> None:
        pause = FIRST_PAUSE
        deadline: float | None = None
        while True:
            if self._stopping.is_set():
                deadline = deadline or time.monotonic() + self.last_try
                if not len(self.buffer) or time.monotonic() > deadline:
                    break
            batch = self.buffer.first(seconds=0.5)
            if batch is None:
                continue
            try:
                self._send(batch)
                pause = FIRST_PAUSE
            except SendFailed as failed:
                log.warning("%d records wait; next try in %.1f s (%s)", len(self.buffer), pause, failed)
                self._stopping.wait(pause) if deadline is None else time.sleep(FIRST_PAUSE)
                pause = min(pause * 2, LONGEST_PAUSE)
        if len(self.buffer):
            log.warning("%d records were not sent before the end", len(self.buffer))

    def _send(self, batch: Batch) -> None:
        endpoint = self.find()
        if endpoint is None:
            raise SendFailed("no service is running")
        try:
            post(endpoint, batch)
        except SendFailed as failed:
            if not failed.permanent:
                raise
            log.error("%d records for %s are refused for good: %s", len(batch.records), batch.table, failed)
            self.buffer.done(batch)
            return
        self.buffer.done(batch)
        batch.acknowledged()
