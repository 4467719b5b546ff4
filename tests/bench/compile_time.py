"""Seconds from a text to a Polars plan, for every real query of the shared set.

    python tests/bench/compile_time.py [--rounds 3] [--profile ID]

Parses, binds, rewrites and lowers each query over empty tables with the real schemas, and collects
nothing: time in which a border (`toscalar`, a subquery of `in`) runs rows is left out. Prints the
slowest ten and the median, best of the rounds, in seconds of this thread
alone, so that what else the machine does counts little; `--profile` shows where one query's time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from workbench.base.errors import WorkbenchError
from workbench.query import runner as running
from workbench.query.backends.polars import Context, canonical_columns
from workbench.query.rewrite import rewrite
from workbench.query.run import Tables
from workbench.server.schemas import SchemaTables, read_schemas


def shared() -> Path:
    """The folder with the real queries."""
    return Path(os.environ.get("WORKBENCH_SHARED", Path(__file__).parents[3] / "shared"))


class Clock:
    """Time of its own parts is taken out of a measurement."""

    def __init__(self) -> None:
        self.outside = 0.0
        self._collect = running.collect

    def collect(self, lazy: pl.LazyFrame, stored: bool = False) -> pl.DataFrame:
        began = time.thread_time()
        try:
            return self._collect(lazy, stored)
        finally:
            self.outside += time.thread_time() - began

    def seconds(self, ask: Callable[[], object]) -> float:
        began, before = time.thread_time(), self.outside
        ask()
        return time.thread_time() - began - (self.outside - before)


def compiled(text: str, source: Tables, collect: Any) -> None:
    """All that comes before the rows."""
    asked = running.Runner(source, None, None)
    try:
        bound = asked.bind(text, None)
        plan = rewrite(bound.rel, asked.fold)
        context = Context(source, collect)
        canonical_columns(context.frame(plan), plan)
    except WorkbenchError:
        return  # refused by name; that is fast enough


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--profile", metavar="ID")
    given = options.parse_args()
    folder = shared()
    source = SchemaTables(read_schemas(str(folder / "schemas" / "log_analytics_tables.json")))
    lines = (folder / "conformance" / "real_queries.jsonl").read_text().splitlines()
    queries = {str(q["id"]): str(q["query"]) for q in map(json.loads, lines)}
    sys.setrecursionlimit(6_000)
    clock = Clock()
    running.collect = clock.collect
    if given.profile:
        compiled(queries[given.profile], source, clock.collect)
        with cProfile.Profile(time.thread_time) as profile:
            for _ in range(given.rounds):
                compiled(queries[given.profile], source, clock.collect)
        pstats.Stats(profile).sort_stats("tottime").print_stats(30)
        return 0
    best: dict[str, float] = {}
    for _ in range(given.rounds):
        for name, text in queries.items():
            taken = clock.seconds(lambda text=text: compiled(text, source, clock.collect))  # type: ignore[misc]
            best[name] = min(best.get(name, taken), taken)
    longest = max(queries, key=lambda n: len(queries[n]))
    for name, taken in sorted(best.items(), key=lambda x: -x[1])[:10]:
        print(f"{taken * 1000:8.1f} ms  {len(queries[name]):6,} characters  {name}")
    print(f"{statistics.median(best.values()) * 1000:8.1f} ms  median of {len(best)}")
    print(
        f"{best[longest] * 1000:8.1f} ms  the longest text, {len(queries[longest]):,} characters, {longest}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
