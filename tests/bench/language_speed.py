"""How long an editor waits: the language service on a real query of 200 lines, as if it were typed.

    python tests/bench/language_speed.py [--lines 200] [--rounds 40]

Asks at many places, each time after one more character, so that what was kept of the text before is
used as an editor would use it. Prints median and 95th percentile in milliseconds: wall time, and time of
the processor, which does not count what else the machine does; the limit is held against the latter.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from workbench.query import language
from workbench.server.schemas import SchemaTables, read_schemas

LIMIT = 20.0


def shared() -> Path:
    """The folder with the real queries."""
    return Path(os.environ.get("WORKBENCH_SHARED", Path(__file__).parents[3] / "shared"))


def measured(ask: Callable[[int], object], places: list[int]) -> tuple[list[float], list[float]]:
    """Milliseconds of each call, sorted: on the wall and of the processor."""
    wall, own = [], []
    for place in places:
        began, used = time.perf_counter(), time.process_time()
        ask(place)
        wall.append((time.perf_counter() - began) * 1000)
        own.append((time.process_time() - used) * 1000)
    return sorted(wall), sorted(own)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--lines", type=int, default=200)
    options.add_argument("--rounds", type=int, default=40)
    given = options.parse_args()
    source = SchemaTables(read_schemas(str(shared() / "schemas" / "log_analytics_tables.json")))
    lines = (shared() / "conformance" / "real_queries.jsonl").read_text().splitlines()
    queries = [str(json.loads(line)["query"]) for line in lines]
    text = min(queries, key=lambda q: abs(q.count("\n") + 1 - given.lines))
    print(f"{text.count(chr(10)) + 1} lines, {len(text):,} characters")
    words = [
        i for i in range(len(text) // 10, len(text) - 1) if text[i].isalpha() and not text[i + 1].isalpha()
    ]
    spread = words[:: max(1, len(words) // given.rounds)]

    def typed(at: int) -> str:
        return text[:at] + "x" + text[at:]

    def end(at: int) -> str:
        return text + "\n| where " + "Abcdefgh"[: at % 8]

    asks: dict[str, Callable[[int], object]] = {
        "complete, at the end": lambda at: language.complete(end(at), len(end(at)), source),
        "complete, anywhere": lambda at: language.complete(text[: at + 1], at + 1, source),
        "complete, in the middle of the whole text": lambda at: language.complete(text, at + 1, source),
        "hover": lambda at: language.hover(text, at, source),
        "signature": lambda at: language.signature(text, at, source),
        "diagnose, a key typed at the end": lambda at: language.diagnose(end(at), source),
        "diagnose, a key typed anywhere": lambda at: language.diagnose(typed(at), source),
        "tokens": lambda at: language.tokens(end(at)),
        "format": lambda at: language.format(end(at) + "a"),
    }
    slow = []
    print("    processor          wall")
    for name, ask in asks.items():
        ask(spread[0])
        wall, own = ((statistics.median(t), t[int(len(t) * 0.95)]) for t in measured(ask, spread))
        print(f"{own[0]:7.1f} {own[1]:7.1f}   {wall[0]:7.1f} {wall[1]:7.1f}   {name}")
        if own[1] > LIMIT:
            slow.append(name)
    print(f"over {LIMIT:g} ms at the 95th percentile: {', '.join(slow) or 'none'}")
    return bool(slow)


if __name__ == "__main__":
    sys.exit(main())
