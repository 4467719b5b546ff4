"""The agent as one: sources → spool → service, and the rules that the service has for it.

Three threads beside the reading ones: this one plans the turns, one sends, one asks for rules every 30 s and
hands a change over, so that it holds within a minute. The last rules are kept in the state folder, so an agent
that starts while its service is away goes on as before.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from workbench.collect.agent.enrolment import write_private
from workbench.collect.agent.link import Endpoint, Link, Unreachable
from workbench.collect.agent.planning import plan
from workbench.collect.agent.sending import Lane, Sender
from workbench.collect.agent.spool import Spool
from workbench.collect.agent.turns import Turns
from workbench.collect.sources import SOURCES, Machine, SourceCard

log = logging.getLogger("workbench.agent")
RULES_SECONDS = 30.0
FIRST_RULES_SECONDS = 10.0
"""So long a new agent waits to hear of rules before it reads what needs none."""


@dataclass
class Agent:
    """Reads the sources of a machine until it is stopped.

    Attributes
    ----------
    machine : Machine
    find : callable
        Where the service is now, or None; asked anew at each try. Called from several threads.
    spool : Spool
    cards : iterable of SourceCard
        The sources; all registered ones by default.
    rules_every : float
        Seconds between two questions for rules; 0: no rules, the set that needs none.
    last_try : float
        Seconds after `stop` for which sending is still tried.
    behind : callable
        Lanes of the agents that this one is the gateway of.
    """

    machine: Machine
    find: Callable[[], Endpoint | None]
    spool: Spool
    cards: Iterable[SourceCard] = field(default_factory=lambda: [card for _, card in SOURCES.items()])
    rules_every: float = RULES_SECONDS
    last_try: float = 3.0
    behind: Callable[[], Sequence[Lane]] = lambda: ()
    _stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._own = Lane(self.spool)
        self._sender = Sender(Link(self.find), self._lanes, self.machine.computer)
        self._turns = Turns(self.machine, self.spool)
        self._rules: dict[str, Any] = {}
        self._strange: list[str] = []

    def _lanes(self) -> list[Lane]:
        return [self._own, *self.behind()]

    def stop(self) -> None:
        """Ask the agent to end; `run` returns soon after. May be called from a signal handler."""
        self._stopping.set()
        self._turns.wake()
        self._sender.wake()

    def wake(self) -> None:
        """Send what waits at once."""
        self._sender.wake()

    def run(self) -> None:
        """Read and send until `stop`; then one last try to send what waits. What is left stays in the spool."""
        threads = [threading.Thread(target=self._send, name="sender")]
        if self.rules_every:
            threads.append(threading.Thread(target=self._follow_rules, name="rules"))
        else:
            self._apply([])
        for thread in threads:
            thread.start()
        try:
            self._turns.run(self._stopping)
        finally:
            self.stop()
            for thread in threads:
                thread.join()
            self.spool.close()

    def _send(self) -> None:
        self.spool.on_news = self._sender.wake
        self._sender.run(self._stopping, self.last_try)

    # ---- rules --------------------------------------------------------------------------------

    def _follow_rules(self) -> None:
        link = Link(self.find)
        known = self._load()
        self._apply(self._rules.get("rules", []), only_heartbeat=not known)
        began = time.monotonic()
        heard = known
        while not self._stopping.is_set():
            asked = self._asked(link)
            if not heard and (asked or time.monotonic() - began > FIRST_RULES_SECONDS):
                heard = True
                self._apply(self._rules.get("rules", []))
            pause = self.rules_every * random.uniform(0.9, 1.0)
            self._stopping.wait(pause if heard and asked else min(1.0, pause))
        link.close()

    def _asked(self, link: Link) -> bool:
        """As `_ask`; an answer that nobody thought of leaves the rules as they are."""
        try:
            return self._ask(link)
        except Exception:
            log.exception("the rules could not be asked for, and stay as they are")
            link.close()
            return False

    def _ask(self, link: Link) -> bool:
        """Ask whether rules changed; whether there was an answer."""
        version = self._rules.get("version", "")
        try:
            answer = link.ask("GET", f"/api/agent/config?version={version}")
        except Unreachable:
            return False
        if answer.status in (304, 404):  # unchanged, or a service without rules
            return True
        told = answer.json()
        if answer.status != 200 or not isinstance(told.get("rules"), list):
            return False
        if told != self._rules:
            self._apply(told["rules"])
            self._rules = told
            write_private(self.machine.state / "rules.json", orjson.dumps(told))
        return True

    def _load(self) -> bool:
        try:
            found = orjson.loads((self.machine.state / "rules.json").read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return False
        if not isinstance(found, dict) or not isinstance(found.get("rules"), list):
            return False
        self._rules = found
        return True

    def _apply(self, rules: Sequence[dict[str, Any]], *, only_heartbeat: bool = False) -> None:
        wanted, strange = plan(rules, self.cards)
        if only_heartbeat:
            wanted = {scope: one for scope, one in wanted.items() if not one.card.rule_key}
        for text in strange:
            if text not in self._strange:
                log.warning("%s", text)
                self._turns.tell("rules", text)
        self._strange = strange
        self._turns.want(wanted)
