"""A process that takes in, drains, compacts and vacuums as fast as it can, until somebody kills it.

    python taker.py WORKSPACE SEED STAGES [FAULTS]

It resumes from `start` of each lane on standard input, writes a line `lane number` to standard output for each
batch that was acknowledged, and retries what it did not hear of under the same id. The file STAGES says what it is
doing. With FAULTS, a share of the syncs of segments fails, some of them after the bytes were written.
"""

from __future__ import annotations

import errno
import os
import random
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from stages import Stages

from workbench.base.errors import WorkbenchError
from workbench.collect.batch import Batch, batch_id, take
from workbench.collect.drainer import Drainer
from workbench.collect.intake import Intake
from workbench.repository.deltalog import DeltaLog
from workbench.repository.tables import Repository

LANES = 3


def break_syncs(share: float, chance: random.Random) -> None:
    """Have this share of the syncs of segments fail, as a disk does that is about to die."""
    really = os.fdatasync

    def sync(descriptor: int) -> None:
        if chance.random() < share:
            if chance.random() < 0.5:
                really(descriptor)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        really(descriptor)

    os.fdatasync = sync


def main() -> None:
    path, seed = sys.argv[1], int(sys.argv[2])
    starts = [int(text) for text in sys.stdin.readline().split()]
    stages = Stages(Path(sys.argv[3]))
    stages.mark(Repository, "drain", "drain")
    stages.mark(Repository, "compact", "compaction")
    stages.mark(Repository, "vacuum", "vacuum")
    stages.mark(DeltaLog, "commit", "commit")
    stages.mark(Intake, "accept", "intake")
    repository = Repository.open(path)
    spool = repository.open_spool()
    intake = Intake(repository, spool)
    Drainer(intake, seconds=0.05).start()
    say = threading.Lock()
    if len(sys.argv) > 4:
        break_syncs(float(sys.argv[4]), random.Random(seed))
    stages.mark(os, "fdatasync", "sync")

    def lane(number: int) -> None:
        chance = random.Random(seed * 100 + number)
        n = starts[number]
        while True:
            size = chance.choice((1, 3, 400))
            records = [
                {"Lane": number, "N": n, "Text": "x" * chance.choice((1, 50, 2000))} for _ in range(size)
            ]
            part, refused = take("App", records[:1] if number else records, source="test")
            assert part is not None
            assert not refused
            batch = Batch("ingest", "test", [part], id=batch_id(str(number), "App", str(n), b""))
            while True:
                try:
                    intake.accept(batch)
                    break
                except WorkbenchError as why:
                    if why.code not in ("REP301", "REP302", "REP303"):
                        raise
            with say:
                sys.stdout.write(f"{number} {n}\n")
                sys.stdout.flush()
            n += 1

    def care() -> None:
        while True:
            try:
                repository.compact("App")
                repository.vacuum("App", 0)
            except WorkbenchError as why:
                if why.code not in ("REP101", "REP005"):  # no table yet, no room
                    raise

    threading.excepthook = lambda told: (sys.__excepthook__(*told[:3]), os._exit(3))
    for number in range(LANES):
        threading.Thread(target=lane, args=(number,), daemon=True).start()
    threading.Thread(target=care, daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
