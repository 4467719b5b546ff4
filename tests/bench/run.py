"""`make bench`: seven questions over the real events multiplied, this project and its peers in one run.

    python tests/bench/run.py [--rows 10000000] [--rounds 3] [--keep FOLDER]

Prints seconds (best of the rounds; the peers take turns inside a round) and ratios: against Polars by
hand, and against the best of DuckDB and chdb. All read the same Parquet files. A peer that cannot
answer shows why in one word.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

sys.path.insert(0, str(Path(__file__).parent))
import data
from questions import QUESTIONS, Question

import workbench

Peer = Callable[[Question], int]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=10_000_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--keep", metavar="FOLDER", help="keep the data there for the next run")
    given = options.parse_args()
    place = Path(given.keep) if given.keep else Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        repository = data.make(place, given.rows)
        files = repository.scan(data.TABLE).files
        words = _words(files)
        peers = _peers(place, files, words)
        _table(peers, given.rounds, given.rows, len(files))
    finally:
        if not given.keep:
            shutil.rmtree(place, ignore_errors=True)
    return 0


def _words(files: list[str]) -> dict[str, Any]:
    day = data.FIRST_DAY + dt.timedelta(days=3)
    host = pl.scan_parquet(files[:1]).select(pl.col("Computer").mode().first()).collect().item()
    return {
        "day": day.isoformat(), "next": (day + dt.timedelta(days=1)).isoformat(), "word": data.WORD,
        "part": data.WORD[1:7], "host": host,
    }  # fmt: skip


def _peers(place: Path, files: list[str], words: dict[str, Any]) -> dict[str, Peer]:
    workspace = workbench.open(str(place))
    day, following = (dt.datetime.fromisoformat(words[k]).replace(tzinfo=dt.UTC) for k in ("day", "next"))
    names = {"pl": pl, "day": day, "next_day": following, "host": words["host"]}

    def own(q: Question) -> int:
        return workspace.query(q.kql.format(**words)).frame.height

    def by_hand(q: Question) -> int:
        lf = pl.scan_parquet(files, hive_partitioning=False, missing_columns="insert", extra_columns="ignore")
        plan = eval(q.polars.format(**words), {**names, "lf": lf})  # noqa: S307 - our own text
        return int(plan.collect(engine="streaming").height)

    peers: dict[str, Peer] = {"workbench": own, "Polars": by_hand}
    listed = ", ".join(f"'{f}'" for f in files)
    _add_duckdb(peers, listed, words)
    _add_chdb(peers, files, words)
    return peers


def _add_duckdb(peers: dict[str, Peer], listed: str, words: dict[str, Any]) -> None:
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        f"CREATE VIEW Event AS SELECT * FROM read_parquet([{listed}], hive_partitioning = false)"
    )

    def ask(q: Question) -> int:
        return len(connection.execute(q.sql.format(table="Event", **words)).to_arrow_table())

    peers["DuckDB"] = ask
    try:
        import duckdb_kql
    except ImportError:
        return

    def ask_kql(q: Question) -> int:
        translate = getattr(duckdb_kql, "to_sql", None) or duckdb_kql.translate
        return len(connection.execute(str(translate(q.kql.format(**words)))).to_arrow_table())

    peers["duckdb-kql"] = ask_kql


def _add_chdb(peers: dict[str, Peer], files: list[str], words: dict[str, Any]) -> None:
    import os

    import chdb

    root = os.path.commonpath(files)
    table = f"file('{root}/*/*.parquet', Parquet)"

    def ask(q: Question) -> int:
        answer = chdb.query(q.chdb.format(table=table, **words), "ArrowTable")
        return int(answer.num_rows)

    peers["chdb"] = ask


def _table(peers: dict[str, Peer], rounds: int, rows: int, files: int) -> None:
    print(f"{rows:,} rows in {files} files; seconds, best of {rounds}")
    print(f"{'question':32}" + "".join(f"{p:>12}" for p in peers) + f"{'/Polars':>9}{'/best':>8}{'goal':>7}")
    for question in QUESTIONS:
        best: dict[str, float | str] = {}
        counts: dict[str, int] = {}
        for _ in range(rounds):
            for name, ask in peers.items():
                if isinstance(best.get(name), str):
                    continue
                gc.collect()
                began = time.perf_counter()
                try:
                    counts[name] = ask(question)
                except Exception as error:  # noqa: BLE001 - a peer's own failure is a result
                    best[name] = type(error).__name__[:10]
                    print(f"  {name}: {str(error).splitlines()[0][:160]}", file=sys.stderr)
                    continue
                took = time.perf_counter() - began
                known = best.get(name)
                best[name] = min(took, known) if isinstance(known, float) else took
        print(_line(question, peers, best), flush=True)
        if len(set(counts.values())) > 1:
            print(f"  rows differ: {counts}")


def _line(question: Question, peers: dict[str, Peer], best: dict[str, float | str]) -> str:
    cells = "".join(f"{v:12.3f}" if isinstance(v := best[p], float) else f"{v:>12}" for p in peers)
    own = best["workbench"]
    others = [v for p in ("DuckDB", "chdb") if isinstance(v := best.get(p), float)]
    hand = best["Polars"]
    by_hand = f"{own / hand:9.2f}" if isinstance(own, float) and isinstance(hand, float) else f"{'-':>9}"
    against = f"{own / min(others):8.2f}" if isinstance(own, float) and others else f"{'-':>8}"
    return f"{question.name:32}{cells}{by_hand}{against}{question.goal:7.2f}"


if __name__ == "__main__":
    sys.exit(main())
