"""Sends what waits in spools to the service, oldest first, until it has said that it stored it.

One thread, one connection. A post carries several numbered batches, as they lie compressed in the spool. While
the service is away or can't take more, the pauses between tries grow, each a bit by chance, and `Retry-After` is
heeded. A batch that the service will never take is given up, and a record tells so. Must not read sources.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import orjson

from workbench.base import clock
from workbench.base.dtypes import format_datetime
from workbench.collect.agent.frames import Frame, squeezed
from workbench.collect.agent.link import Answer, Link, Unreachable
from workbench.collect.agent.spool import Spool
from workbench.collect.sources._card import Batch

log = logging.getLogger("workbench.agent")
PATH = "/api/agent/records"
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0
NEVER = frozenset({400, 413, 415, 422})
"""Answers to a post that would be the same for ever."""
NOT_KNOWN = frozenset({401, 403})
_DAY_US = 86_400_000_000
_HEADERS = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


@dataclass
class Lane:
    """A spool on its way: the agent's own, or that of an agent behind it.

    Attributes
    ----------
    spool : Spool
    agent, group : str
        Of a gateway's lane: whose batches these are, and the management group; else "".
    refused : callable
        Called when the service does not know the agent (any more).
    """

    spool: Spool
    agent: str = ""
    group: str = ""
    refused: Callable[[], None] = lambda: None
    pause: float = field(default=0.0, init=False)
    not_before: float = field(default=0.0, init=False)
    one_by_one: bool = field(default=False, init=False)

    def is_due(self) -> bool:
        return time.monotonic() >= self.not_before and self.spool.waiting

    def wait_longer(self, asked: float | None) -> float:
        """Put the next try off; gives the seconds."""
        self.pause = min(max(self.pause * 2, FIRST_PAUSE), LONGEST_PAUSE)
        # Half by chance, so that many agents do not come back at once.
        seconds = max(self.pause * random.uniform(0.5, 1.0), min(asked or 0.0, 2 * LONGEST_PAUSE))
        self.not_before = time.monotonic() + seconds
        return seconds


class Sender:
    """Empties lanes in turn.

    Parameters
    ----------
    link : Link
    lanes : callable
        The lanes there are now; the first is the agent's own and takes the records about refusals.
    computer : str
    """

    def __init__(self, link: Link, lanes: Callable[[], Sequence[Lane]], computer: str = "") -> None:
        self._link = link
        self._lanes = lanes
        self._computer = computer
        self._news = threading.Event()

    def wake(self) -> None:
        """Something is there to send, or it is time to end."""
        self._news.set()

    def run(self, stopping: threading.Event, last_try: float) -> None:
        """Send until `stopping`, then for at most `last_try` seconds what still waits."""
        while not stopping.is_set():
            self._news.clear()
            if not sum(self._tried(lane) for lane in self._lanes() if lane.is_due()):
                self._news.wait(self._idle())
        deadline = time.monotonic() + last_try
        own = self._lanes()[0]
        own.not_before = 0.0
        while own.spool.waiting and time.monotonic() < deadline:
            if not self._tried(own):
                time.sleep(min(FIRST_PAUSE, max(deadline - time.monotonic(), 0.0)))
        self._link.close()

    def _idle(self) -> float:
        """Seconds until a lane that waits is due; half a second at most."""
        now = time.monotonic()
        due = [lane.not_before - now for lane in self._lanes() if lane.spool.waiting]
        return max(min([0.5, *due]), 0.01)

    def _tried(self, lane: Lane) -> bool:
        """As `send_some`; what goes wrong in a way nobody thought of rests this lane and never ends the sending."""
        try:
            return self.send_some(lane)
        except Exception as broken:
            log.exception("not sent (%s); next try in %.1f s", broken, lane.wait_longer(None))
            return False

    def send_some(self, lane: Lane) -> bool:
        """Post the oldest batches of a lane; whether that went well."""
        batches = lane.spool.first(1 if lane.one_by_one else 1 << 20)
        if not batches:
            return False
        try:
            answer = self._link.ask("POST", PATH, body_of(batches, lane.agent, lane.group), _HEADERS)
        except Unreachable as away:
            log.warning("next try in %.1f s (%s)", lane.wait_longer(None), away)
            return False
        return self._heed(lane, batches, answer)

    def _heed(self, lane: Lane, batches: Sequence[Frame], answer: Answer) -> bool:
        last = answer.json().get("last")
        if type(last) is int and not lane.agent and lane.spool.last < last < clock.now_us() + _DAY_US:
            self._tell_strange(lane, batches, last)
        # Never more than what was sent: a number too high would pass for an answer to all that comes.
        stored = min(last, batches[-1].number) if type(last) is int else 0
        if stored >= batches[0].number:
            lane.spool.done(stored)
            if answer.status == 200:
                lane.pause, lane.not_before, lane.one_by_one = 0.0, 0.0, False
                return True
        if answer.status in NEVER:
            if len(batches) == 1:
                self._give_up(lane, batches[0], answer.why)
            else:
                lane.one_by_one = True  # to find the one that is refused
            return True
        if answer.status in NOT_KNOWN:
            lane.refused()
        # Also 200 without a number: whoever answers so (a proxy, a portal) has stored nothing.
        log.warning("next try in %.1f s (%s)", lane.wait_longer(answer.retry_after), answer.why)
        return False

    def _tell_strange(self, lane: Lane, batches: Sequence[Frame], last: int) -> None:
        """The service has numbers that this agent never gave: somebody else sends under its name."""
        rows = sum(batch.rows for batch in batches)
        detail = (
            f"another machine reports as this agent (was its disk copied?): {rows} records were taken for known ones. "
            "On one of the two remove identity.json from the agent's state folder, and enrol it again"
        )
        log.error("%s", detail)
        lane.spool.number_from(last)
        self._record(lane, "identity", detail, rows)

    def _give_up(self, lane: Lane, batch: Frame, why: str) -> None:
        log.error("%d records for %s are refused for good: %s", batch.rows, batch.table, why)
        if batch.table != "Operation":  # one about one that was refused would be refused, too
            detail = f"{batch.rows} records for {batch.table} are refused for good: {why}"
            self._record(self._lanes()[0], "refused", detail, batch.rows)
        lane.spool.done(batch.number)

    def _record(self, lane: Lane, key: str, detail: str, count: int) -> None:
        """A row of `Operation`, sent like any record."""
        record = {
            "TimeGenerated": format_datetime(clock.now_ticks()),
            "Computer": self._computer,
            "OperationCategory": "Data Collection",
            "OperationStatus": "Error",
            "OperationKey": key,
            "Detail": detail[:2000],
            "Count": count,
        }
        lane.spool.put([Batch("Operation", [record])])


def body_of(batches: Sequence[Frame], agent: str = "", group: str = "") -> bytes:
    """The body of a post: gzip members that make one JSON text.

    Examples
    --------
    >>> import gzip
    >>> from workbench.collect.agent.frames import text_of
    >>> batch = Frame(7, "App", 1, 0, squeezed(text_of("App", [{"Level": "info"}])))
    >>> gzip.decompress(body_of([batch]))
    b'{"batches":[{"number":7,"table":"App","records":[{"Level":"info"}]}]}'
    """
    whose = {"agent": agent, "group": group} if agent else {}
    begin = orjson.dumps(whose)[:-1] + (b"," if whose else b"") + b'"batches":['
    pieces: list[bytes] = []
    for batch in batches:
        pieces += [squeezed(begin + b'{"number":%d,' % batch.number), batch.body]
        begin = b","
    return b"".join([*pieces, squeezed(b"]}")])
