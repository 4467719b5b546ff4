"""Messages of a job that has read a secret: what waits, what is released, what is known again after a pause."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

import pytest
from toldrows import rows

from workbench.actions.jobs.told import JOB_STREAM, Line, Stream
from workbench.actions.runbook.automation import Automation
from workbench.collect.record_outbox import RecordOutbox

SECRET = "kX9-vQ2/wL7mZ4&pR8+tY3=hB6"


class Teller:
    """A job that has read a secret, and what its worker holds: lines that the service wants again."""

    def __init__(self, automation: Automation) -> None:
        self.automation = automation
        automation.assets.put("variable", "word", {"value": SECRET, "encrypted": True}, by="ada")
        automation.start("clean", {}, trigger="person")
        claim = automation.claim(["default"], "w1")
        assert claim is not None
        self.token = claim["token"]
        assert automation.discretion.read(self.token, "variable", "word")["value"] == SECRET
        self.held: list[Line] = []
        self.told = 0

    def tell(self, *texts: str, release: bool = False, last: bool = False, stream: Stream = Stream.OUTPUT) -> None:  # fmt: skip
        for text in texts:
            self.told += 1
            self.held.append(Line(self.told, stream, text, self.told))
        settled = self.automation.write(self.token, self.held, release=release, last=last)
        self.held = [line for line in self.held if line.number > settled]


@pytest.fixture
def teller(automation: Automation) -> Teller:
    return Teller(automation)


def messages(outbox: RecordOutbox) -> list[str]:
    return [row["Message"] for row in rows(outbox, JOB_STREAM)]


def test_a_line_that_may_begin_a_secret_is_shown_after_the_pause(
    teller: Teller, outbox: RecordOutbox
) -> None:
    teller.tell("ready\n", "name: kX")
    assert messages(outbox) == ["ready\n"]
    teller.tell(release=True)
    assert messages(outbox) == ["ready\n", "name: kX"]
    assert len(teller.held) == 1, "it is sent again with what follows"
    teller.tell("ylophone\n")
    assert messages(outbox) == ["ready\n", "name: kX", "ylophone\n"]
    assert teller.held == []


def test_the_other_part_is_known_however_long_the_pause_was(teller: Teller, outbox: RecordOutbox) -> None:
    teller.tell(f"a {SECRET[:9]}")
    teller.tell(release=True)
    teller.tell(release=True)  # as when its answer was lost
    teller.tell("other\n", stream=Stream.ERROR)
    teller.tell(f"{SECRET[9:]} b\n")
    assert messages(outbox) == ["a ***", "other\n", "*** b\n"]


def parts(chance: random.Random) -> list[str]:
    cuts = sorted(chance.sample(range(1, len(SECRET)), chance.randint(1, 6)))
    return [SECRET[a:b] for a, b in zip([0, *cuts], [*cuts, len(SECRET)], strict=True)]


def test_no_more_than_three_characters_are_ever_shown(teller: Teller, outbox: RecordOutbox) -> None:
    chance = random.Random(7)
    for _ in range(20):
        before = len(messages(outbox))
        pieces: Sequence[str] = parts(chance)
        for piece in pieces:
            teller.tell(piece, release=chance.random() < 0.7)
        teller.tell(".")
        shown = "".join(messages(outbox)[before:]).replace("***", "")
        assert shown in [f"{SECRET[:n]}." for n in range(4)], json.dumps(pieces)


def test_the_last_words_are_shown(teller: Teller, outbox: RecordOutbox) -> None:
    teller.tell("see k", SECRET[:5], last=True)
    assert messages(outbox) == ["see k", "***"]
    assert teller.held == []
