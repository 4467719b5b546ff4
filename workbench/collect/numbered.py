"""Takes the numbered batches of agents in, each once: what has a number up to the last one is known.

In go deliveries and who sent them, out comes the last number that is stored. Two posts of one agent never run at
once, so that nothing is looked up before and stored after another. What no table can take is set aside, and never
holds up what comes behind it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from workbench.base.errors import WorkbenchError
from workbench.collect.batch import Batch, Receipt
from workbench.collect.doors import agent as door
from workbench.collect.doors.agent import Delivery, Transform
from workbench.collect.fitting import rows_of
from workbench.collect.intake import Intake

TRY_AGAIN = frozenset({"REP005", "REP301", "REP302", "REP303", "REP304"})
"""Refusals of the intake that are over some time."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a post: the last number stored, and what was new in it."""

    last: int
    receipt: Receipt


class NumberedIntake:
    """The way in for senders that number their batches. Safe for threads."""

    def __init__(self, intake: Intake, transform: Transform | None = None) -> None:
        self._intake = intake
        self._transform = transform
        self._guard = threading.Lock()
        self._turns: dict[str, tuple[threading.Lock, int]] = {}

    def accept(self, delivery: Delivery, agent: str, *, gateway: str = "") -> Taken:
        """Store what is new of a delivery, all of it or nothing; durable when it returns.

        Parameters
        ----------
        delivery : Delivery
        agent : str
            The id of the agent that the records are of.
        gateway : str
            The id of the agent that forwarded them, "" for the agent itself. Each way has numbers of its own:
            what still lies at a gateway is not taken for known when its agent reports directly.

        Raises
        ------
        WorkbenchError
            Of `Intake.accept`: nothing was stored, the same may be sent again.
        """
        sender = f"agent/{agent}@{gateway}" if gateway else f"agent/{agent}"
        with self._turn(sender):
            last = self.last(sender)
            fresh = [batch for batch in delivery.batches if batch.number > last]
            if not fresh:
                return Taken(last, Receipt({}, duplicate=True))
            batch = door.batch_of(
                fresh,
                agent=agent,
                sender=sender,
                group=delivery.group if gateway else "",
                size=delivery.size * len(fresh) // len(delivery.batches),
                transform=self._transform,
            )
            return Taken(fresh[-1].number, self._accept(batch))

    def last(self, sender: str) -> int:
        """The last number of a sender that is stored."""
        return self._intake.spool.last_number(sender) if self._intake.spool is not None else 0

    def _accept(self, batch: Batch) -> Receipt:
        try:
            return self._intake.accept(batch)
        except WorkbenchError as why:
            if why.code in TRY_AGAIN:
                raise
        # What no table can take goes aside, and the rest is stored.
        able = []
        for part in batch.parts:
            try:
                rows_of(self._intake.repository, part)
                able.append(part)
            except WorkbenchError as why:
                if why.code in TRY_AGAIN:
                    raise
                batch.refused += door.quarantined(part, why, batch.source)
        batch.parts = able
        return self._intake.accept(batch)

    @contextmanager
    def _turn(self, sender: str) -> Iterator[None]:
        """One post of a sender at a time; the lock goes with the last that waits for it."""
        with self._guard:
            lock, waiting = self._turns.get(sender, (threading.Lock(), 0))
            self._turns[sender] = (lock, waiting + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, waiting = self._turns[sender]
                if waiting == 1:
                    del self._turns[sender]
                else:
                    self._turns[sender] = (lock, waiting - 1)
