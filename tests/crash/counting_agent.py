"""An agent whose sources count: one by itself, one by the lines of a file. To be killed at any moment.

    python counting_agent.py WORKSPACE|- FOLDER

With `-` it reports to where the state in FOLDER/agent is enrolled.
Both go on behind the last number that they kept with their records. When FOLDER/stop is there they rest and write
the last number that is on disk for certain to FOLDER/NAME.last.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from pathlib import Path

from workbench.collect.sources import Batch, Machine, SourceCard
from workbench.server.local_agent import run_agent

# pytest imports this file, too, when it looks for doctests.
WORKSPACE, FOLDER = (sys.argv[1], Path(sys.argv[2])) if __name__ == "__main__" else ("-", Path())


class Counter:
    """Numbers from 1, some at a time, in one or two tables."""

    def __init__(self, machine: Machine) -> None:
        self.last: int = machine.marks.get("last", 0)

    def collect(self) -> Iterable[Batch]:
        if (FOLDER / "stop").exists():
            (FOLDER / "counter.last").write_text(str(self.last))
            return []
        numbers = range(self.last + 1, self.last + 1 + random.randint(1, 20))
        self.last = numbers[-1]
        odd = [{"n": n, "pad": "x" * 200} for n in numbers if n % 2]
        even = [{"n": n} for n in numbers if not n % 2]
        return [Batch("Count_CL", odd, marks={"last": self.last}), Batch("Count_CL", even)]


class Lines:
    """The lines of a file that grows: what stands in it can be read again, and must not be."""

    def __init__(self, machine: Machine) -> None:
        self.at: int = machine.marks.get("at", 0)
        self.last: int = machine.marks.get("last", 0)

    def collect(self) -> Iterable[Batch]:
        path = FOLDER / "lines.log"
        if (FOLDER / "stop").exists():
            (FOLDER / "lines.last").write_text(str(self.last))
            return []
        with path.open("a") as file:
            # Lines are written twice when a kill comes between writing and keeping: a reader may not mind that.
            file.write("line\n" * 5)
        data = path.read_bytes()[self.at :]
        count = data.count(b"\n")
        self.at += len(data)
        records = [{"n": self.last + 1 + i} for i in range(count)]
        self.last += count
        return [Batch("Lines_CL", records, marks={"at": self.at, "last": self.last})]


def main() -> None:
    workspace = sys.argv[1]
    run_agent(
        None if workspace == "-" else workspace,
        state=FOLDER / "agent" if workspace == "-" else None,
        cards=[
            SourceCard("counter", ("Count_CL",), 0.01, Counter),
            SourceCard("lines", ("Lines_CL",), 0.02, Lines),
        ],
    )


if __name__ == "__main__":
    main()
