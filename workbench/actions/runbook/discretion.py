"""What a job may know and must not say: it reads assets by the token of its claim, and what it says is scrubbed of them.

In go tokens of claims and what notebooks hand over, out comes the same without the values of secrets that the job has
read, before anything of it is stored. It runs in the service: the kernel, and the process that runs it, are not trusted.
Where a changed value would go on to work with (a parameter, a step's result), it is refused instead.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from workbench.actions.assets import Assets, Kind
from workbench.actions.assets.scrub import Scrubber
from workbench.actions.jobs import Jobs
from workbench.actions.jobs.states import ENDED
from workbench.actions.jobs.told import Line, Stream
from workbench.base.diagnostics import assets as diagnostics
from workbench.base.errors import WorkbenchError

if TYPE_CHECKING:
    from sqlalchemy import Connection


_MOST_KNOWN = 256
_FLOWING = (Stream.OUTPUT, Stream.ERROR)
"""The streams in which a message may go on with the text of the one before."""


class Discretion:
    """Assets for jobs, and what jobs say without them. Safe for threads.

    Parameters
    ----------
    jobs : Jobs
    assets : Assets
    """

    def __init__(self, jobs: Jobs, assets: Assets) -> None:
        self._jobs, self._assets = jobs, assets
        self._known: dict[str, tuple[int, Scrubber]] = {}
        self._guard = threading.Lock()

    # ---- what a job reads ------------------------------------------------------------------------

    def read(self, token: str, kind: str, name: str) -> dict[str, Any]:
        """The value of an asset, for who holds a job.

        Raises
        ------
        WorkbenchError
            JOB002 when the claim is over, AST001, AST003, AST101 to AST108, AST201.
        """
        found: dict[str, Any] = self._allowed(
            token, kind, name, lambda c, job: self._assets.read(c, job, kind, name)
        )
        return found

    def set_variable(self, token: str, name: str, value: Any) -> None:
        """Give a variable another value.

        Raises
        ------
        WorkbenchError
            JOB002, AST001, AST005 to AST007, AST101 to AST107, AST201; AST202 for a secret in a plain variable.
        """
        if not self._assets.get(Kind.VARIABLE, name)["encrypted"]:
            self.refuse(token, f"the value for variable {name!r}", value)
        self._allowed(
            token, Kind.VARIABLE, name, lambda c, job: self._assets.set_variable(c, job, name, value)
        )

    def _allowed(
        self, token: str, kind: str, name: str, work: Callable[[Connection, Mapping[str, Any]], Any]
    ) -> Any:
        with self._jobs.holding(token) as (connection, job):
            why = self._assets.may_read(connection, job, kind, name)
            found = work(connection, job) if why is None else None
        if why is not None:  # raised only here: the record of the refusal is committed
            raise why
        return found

    # ---- what a job says -------------------------------------------------------------------------

    def lines(
        self, token: str, lines: Sequence[Line], *, release: bool = False, last: bool = False
    ) -> tuple[list[Line], int]:
        """Messages as they may be stored, and the number of the last one that may be forgotten.

        Those behind it may begin a secret. They are not stored yet, and have to be sent again with what follows.

        Parameters
        ----------
        token : str
        lines : sequence of Line
            In the order of their numbers; those in front may be stored already.
        release : bool
            They have waited long enough: they are stored too, what looks like the beginning of a secret masked. They
            still have to be sent again, or what follows would not be known as the secret's other part.
        last : bool
            Nothing follows: all are stored so, and may be forgotten.

        Raises
        ------
        WorkbenchError
            JOB002; AST101 to AST108 when the secrets can't be known any more: then nothing is stored.
        """
        scrubber = self._scrubber(token)
        known = self._jobs.held(token)["lines"]
        stored = sum(line.number <= known for line in lines)
        groups = [list(range(len(lines)))]
        groups += [[n for n, line in enumerate(lines) if line.stream is s] for s in _FLOWING]
        texts = [line.message for line in lines]
        _mask(scrubber, texts, groups, stored)
        settled = len(lines)
        if not last:
            settled = min(_begins(scrubber, [texts[n] for n in g], g, settled) for g in groups)
        if release or last:
            _mask(scrubber, texts, groups, stored, cut=True)
        told = range(len(lines) if release or last else settled)
        number = lines[settled - 1].number if settled else lines[0].number - 1 if lines else known
        return [dataclasses.replace(lines[n], message=texts[n]) for n in told], number

    def why(self, token: str, why: WorkbenchError | None) -> WorkbenchError | None:
        """The reason of a job's end, as it may be stored."""
        if why is None:
            return None
        scrubber = self._scrubber(token)
        packed = scrubber.value(why.packed())
        return WorkbenchError.unpacked({**packed, "message": scrubber.text(why.message, cut=True)})

    def notebook(self, token: str, data: bytes) -> bytes:
        """An executed notebook as it may be stored."""
        scrubber = self._scrubber(token)
        try:
            found = orjson.loads(data)
        except orjson.JSONDecodeError:  # cut short, as a process was killed
            return scrubber.text(data.decode("utf-8", "replace"), cut=True).encode()
        return orjson.dumps(scrubber.value(found), option=orjson.OPT_INDENT_2)

    def records(self, token: str, records: Any) -> Any:
        """Records, or a question to a person, as they may be stored."""
        return self._scrubber(token).value(records)

    def refuse(self, token: str, what: str, value: Any) -> None:
        """Refuse what holds a secret and can't be changed without harm; raises AST202."""
        if self._scrubber(token).finds(value):
            raise diagnostics.carries_secret(what)

    def forget_ended(self) -> None:
        """Keep no value any more for the sake of jobs that have ended."""
        self._assets.forget(j for j in self._assets.readers() if self._jobs.get(j)["state"] in ENDED)

    def _scrubber(self, token: str) -> Scrubber:
        """Of the secrets that the job of a claim has read, and of the token itself."""
        job = self._jobs.held(token)
        with self._assets.database.read() as connection:
            count = self._assets.count_reads(connection, job["id"])
        stamp = job["fence"] * 1_000_000 + count
        with self._guard:
            known = self._known.get(job["id"])
        if known is not None and known[0] == stamp:
            return known[1]
        secrets: list[str] = []
        if count:
            # Keys are asked for inside of write transactions only.
            with self._assets.database.begin() as connection:
                secrets = self._assets.spoken(connection, job["id"])
        scrubber = Scrubber([*secrets, token])
        with self._guard:
            self._known.pop(job["id"], None)
            self._known[job["id"]] = (stamp, scrubber)
            while (
                len(self._known) > _MOST_KNOWN
            ):  # of jobs that have ended, or are slow; it can be made again
                del self._known[next(iter(self._known))]
        return scrubber


def _mask(
    scrubber: Scrubber, texts: list[str], groups: Sequence[Sequence[int]], stored: int, *, cut: bool = False
) -> None:
    """Mask texts where they stand, the texts of each group as one text."""
    for group in groups:
        before = sum(number < stored for number in group)
        masked = scrubber.pieces([texts[n] for n in group], cut=cut, stored=before)
        for number, text in zip(group, masked, strict=True):
            texts[number] = text


def _begins(scrubber: Scrubber, texts: Sequence[str], group: Sequence[int], beyond: int) -> int:
    """The number of the first message that may belong to a secret which goes on after the last one; else `beyond`."""
    left = scrubber.tail("".join(texts))
    for number, text in zip(reversed(group), reversed(texts), strict=True):
        if left <= 0:
            break
        left -= len(text)
        beyond = number
    return beyond
