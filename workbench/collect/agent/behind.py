"""The agents behind a gateway: whose token a request shows, and a spool each for what they handed over.

In go tokens and numbered batches, out come lanes for the sender. A batch keeps its agent's id and number on the whole
way. Whose token one is the service says once; what it said is kept as a digest, so an agent can report while the
service is away. Must not know how requests come in.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson

from workbench.base.diagnostics import agent as diagnostics
from workbench.collect.agent import frames
from workbench.collect.agent.enrolment import write_private
from workbench.collect.agent.frames import Frame
from workbench.collect.agent.link import Answer, Endpoint, Link
from workbench.collect.agent.sending import Lane
from workbench.collect.agent.spool import SPOOL_BYTES, Spool
from workbench.collect.doors.agent import Numbered

log = logging.getLogger("workbench.agent")


class Behind:
    """What a gateway keeps of the agents that report to it. Safe for threads.

    Parameters
    ----------
    folder : Path
    find : callable
        Where the service is, with the gateway's own token.
    group : str
        The management group.
    limit : int
        Bytes that wait for each agent; more is not taken, it stays with the agent.
    """

    def __init__(
        self, folder: Path, find: Callable[[], Endpoint | None], group: str, limit: int = SPOOL_BYTES
    ) -> None:
        self._folder = folder
        self._find = find
        self._group = group
        self._limit = limit
        self._guard = threading.Lock()
        self._lanes: dict[str, Lane] = {}
        self._known: dict[str, str] = {}
        self.on_news: Callable[[], None] = lambda: None
        folder.mkdir(parents=True, exist_ok=True)
        self._load()

    def lanes(self) -> Sequence[Lane]:
        """One lane an agent."""
        with self._guard:
            return list(self._lanes.values())

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str], token: str | None) -> Answer:
        """Ask the service, as the gateway (None) or for somebody; raises Unreachable."""
        link = Link(self._find)
        try:
            return link.ask(method, path, body, headers, token=token)
        finally:
            link.close()

    def agent_of(self, token: str) -> str:
        """The id of the agent whose token this is.

        Raises
        ------
        WorkbenchError
            AGT103 when it is no agent's.
        Unreachable
            The service has to say, and can't be asked.
        """
        digest = hashlib.sha256(token.encode()).hexdigest()
        with self._guard:
            found = self._known.get(digest)
        if found is not None:
            return found
        body = orjson.dumps({"token": token})
        answer = self.ask("POST", "/api/agent/vouch", body, {"Content-Type": "application/json"}, None)
        number = answer.json().get("id")
        if answer.status != 200 or not isinstance(number, str) or not _is_id(number):
            log.warning("an agent is not let through: %s", answer.why)
            raise diagnostics.unknown_token()
        with self._guard:
            self._known[digest] = number
            self._keep()
        return number

    def take(self, agent: str, batches: Sequence[Numbered]) -> int | None:
        """Keep batches for the service; durable when it returns. The last number kept, None: there is no room."""
        with self._guard:
            lane = self._lanes.get(agent) or self._lane(agent)
        if lane.spool.full:
            return None
        made = []
        for batch in batches:
            more = {"rule": batch.rule, "stream": batch.stream} if batch.rule else {}
            text = frames.text_of(batch.table, batch.records, more)
            made.append(
                Frame(batch.number, batch.table, len(batch.records), len(text), frames.squeezed(text))
            )
        lane.spool.take(made)
        return lane.spool.last

    def close(self) -> None:
        for lane in self.lanes():
            lane.spool.close()

    # ---- within -------------------------------------------------------------------------------

    def _lane(self, agent: str) -> Lane:
        spool = Spool(self._folder / agent, limit=self._limit, own_numbers=False)
        spool.on_news = lambda: self.on_news()
        self._lanes[agent] = Lane(spool, agent, self._group, lambda: self._forget(agent))
        return self._lanes[agent]

    def _forget(self, agent: str) -> None:
        """The service does not take this agent's batches (any more): it has to show its token again."""
        with self._guard:
            self._known = {digest: known for digest, known in self._known.items() if known != agent}
            self._keep()

    def _load(self) -> None:
        try:
            found = orjson.loads((self._folder / "known.json").read_bytes())
            self._known = {str(digest): str(agent) for digest, agent in found.items()}
        except (FileNotFoundError, orjson.JSONDecodeError, AttributeError):
            self._known = {}  # they show their tokens again
        for path in sorted(self._folder.iterdir()):
            if path.is_dir() and _is_id(path.name):
                self._lane(path.name)

    def _keep(self) -> None:
        write_private(self._folder / "known.json", orjson.dumps(self._known))


def _is_id(text: str) -> bool:
    """Whether a text can be an agent's id: it becomes the name of a folder."""
    return 0 < len(text) <= 64 and all(c.isascii() and (c.isalnum() or c == "-") for c in text)
