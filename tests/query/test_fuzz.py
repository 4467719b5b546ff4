"""Mutated queries give an answer or a coded error, soon: never another exception, never a hang.

`WORKBENCH_FUZZ` says how many inputs (`make soak`: 100,000), `WORKBENCH_FUZZ_SEED` where they start. Inputs
are made from our own cases and, where they are there, from published queries; both run over small tables.
Several processes share the work; one that dies or hangs is found by the input that it noted last.
"""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import os
import random
import re
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import casefile
import polars as pl
import pytest

from workbench.base.dtypes import Column, Schema, parse_type
from workbench.base.errors import WorkbenchError
from workbench.query.control import Control, Limits
from workbench.query.frames import FrameTables
from workbench.query.functions import AGGREGATES, FUNCTIONS
from workbench.query.operators import OPERATORS
from workbench.query.run import run

HERE = Path(__file__).parent
COUNT = int(os.environ.get("WORKBENCH_FUZZ", "1500"))
SEED = int(os.environ.get("WORKBENCH_FUZZ_SEED", "1"))
SHARED = Path(os.environ.get("WORKBENCH_SHARED", HERE.parents[2] / "shared"))
LONGEST = 20.0  # seconds for one input, on a machine that does other work too
MEMORY = 6 * 2**30
WORKERS = 2

TOKEN = re.compile(r"\s+|//[^\n]*|@?\"[^\"\n]*\"|@?'[^'\n]*'|[A-Za-z_$][\w$-]*|\d[\w.]*|[=!<>.|]{2}|.", re.S)
LITERAL = re.compile(r"[\d'\"]|@['\"]")
WORD = re.compile(r"[A-Za-z_]")
SIGN = re.compile(r"[=!<>]{1,2}|[-+*/%]$")
ODD_VALUES = [
    "0", "-1", "1e308", "9223372036854775807", "99999999999999999999", "''", "'\\u0000'", "'('", "dynamic(null)", "1tick",
    "dynamic([1,'a',null])", "dynamic({\"a\":{\"b\":[1]}})", "datetime(null)", "datetime(0001-01-01)", "-1d", "real(nan)",
    "datetime(9999-12-31 23:59:59.9999999)", "real(+inf)", "int(null)", "guid(null)", "decimal(1e-20)", "true", "1.5", "1h",
]  # fmt: skip
ODD_MARKS = [
    "*",
    "(",
    ")",
    "[",
    "]",
    "|",
    ",",
    ";",
    "..",
    "=",
    "'",
    '"',
    "é",
    "\U0001f600",
    "\x00",
    "let",
    "by",
    "on",
]
SIGNS = ["==", "!=", "<", ">=", "=~", "!~", "+", "-", "*", "/", "%"]
NAMES = [
    *FUNCTIONS,
    *AGGREGATES,
    *OPERATORS,
    "TimeGenerated",
    "Computer",
    "Load",
    "has",
    "contains",
    "in",
    "and",
    "or",
]
ROWS = [
    dt.datetime(2024, 1, 31, 12, tzinfo=dt.UTC) + dt.timedelta(minutes=7 * i) for i in range(24)
]  # fmt: skip


def corpus() -> list[str]:
    """Texts to mutate."""
    texts = [c.query for f in sorted((HERE / "cases").rglob("*.test")) for c in casefile.read(f)]
    published = SHARED / "conformance" / "real_queries.jsonl"
    if published.exists():
        texts += [json.loads(line)["query"] for line in published.read_text().splitlines()]
    return texts


def tables() -> FrameTables:
    """A few tables with rows under the names that published queries use, the others empty."""
    cells = {
        "string": ["", "Failure", "a b", "10.0.0.1", '{"a":1}', "é"], "long": [0, -1, 7, None], "int": [1, 2, None],
        "real": [0.5, -2.0, None], "bool": [True, False, None], "dynamic": ['{"a":[1,{"b":"x"}]}', None, "[]"],
        "guid": ["74be27de-1e4e-49d9-b579-fe0b331d3642", None], "decimal": ["1.5", None],
    }  # fmt: skip
    known = SHARED / "schemas" / "log_analytics_tables.json"
    found = json.loads(known.read_text()) if known.exists() else {}
    found.setdefault("Heartbeat", [["TimeGenerated", "datetime"], ["Computer", "string"], ["Load", "real"]])
    made: dict[str, tuple[pl.DataFrame, Schema]] = {}
    filled = {
        "Heartbeat",
        "SecurityEvent",
        "SigninLogs",
        "AuditLogs",
        "Syslog",
        "CommonSecurityLog",
        "OfficeActivity",
    }
    for name, columns in found.items():
        schema = tuple(Column(c, parse_type(t)) for c, t in columns)  # type: ignore[arg-type]
        count = len(ROWS) if name in filled else 0
        frame = {}
        for column in schema:
            kind = column.type.value
            if kind in ("datetime", "timespan"):
                dtype = pl.Datetime("us", "UTC") if kind == "datetime" else pl.Duration("us")
                values = ROWS if kind == "datetime" else [dt.timedelta(seconds=i) for i in range(len(ROWS))]
                frame[column.name] = pl.Series(column.name, values[:count], dtype)
            else:
                listed = cells[kind]
                dtypes = {"long": pl.Int64, "int": pl.Int32, "real": pl.Float64, "bool": pl.Boolean}
                cycle = [listed[i % len(listed)] for i in range(count)]
                frame[column.name] = pl.Series(column.name, cycle, dtypes.get(kind, pl.String))
        made[name] = (pl.DataFrame(frame), schema)
    return FrameTables(made)


def mutated(texts: list[str], choice: random.Random) -> str:
    """One text with a few things wrong with it."""
    tokens = TOKEN.findall(choice.choice(texts))
    for _ in range(choice.choice((1, 1, 1, 2, 4))):
        if tokens:
            # What keeps the form reaches further than what breaks it.
            change = choice.choice((exchange, exchange, exchange, exchange, repeat_operator, disturb))
            tokens = change(tokens, texts, choice)
    return "".join(tokens)


def exchange(tokens: list[str], texts: list[str], choice: random.Random) -> list[str]:
    """A token becomes another of its kind: a literal, a name, a comparison."""
    at = choice.randrange(len(tokens))
    for kind, others in ((LITERAL, ODD_VALUES), (WORD, NAMES), (SIGN, SIGNS)):
        if kind.match(tokens[at]):
            alike = [t for t in tokens if kind.match(t)]
            tokens[at] = choice.choice(alike if choice.random() < 0.4 else others)
    return tokens


def repeat_operator(tokens: list[str], texts: list[str], choice: random.Random) -> list[str]:
    """An operator of this query, or one of another, once more somewhere in the pipe."""
    source = tokens if choice.random() < 0.5 else TOKEN.findall(choice.choice(texts))
    pipes = [i for i, t in enumerate(source) if t == "|"]
    places = [i for i, t in enumerate(tokens) if t == "|"] or [len(tokens)]
    if pipes:
        first = choice.choice(pipes)
        end = next((i for i in pipes if i > first), len(source))
        at = choice.choice(places)
        tokens = [*tokens[:at], *source[first:end], *tokens[at:]]
    return tokens


def disturb(tokens: list[str], texts: list[str], choice: random.Random) -> list[str]:
    """Something lost, doubled, moved, cut off or put in."""
    at, other = choice.randrange(len(tokens)), choice.randrange(len(tokens))
    match choice.randrange(6):
        case 0:
            return tokens[:at] + tokens[at + 1 :]
        case 1:
            tokens.insert(at, tokens[other])
        case 2:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        case 3:
            tokens.insert(at, choice.choice(ODD_MARKS + ODD_VALUES))
        case 4:
            return tokens[:at]
        case _:
            behind = TOKEN.findall(choice.choice(texts))
            tokens[at:] = behind[choice.randrange(len(behind)) :]
    return tokens


def attempt(text: str, source: FrameTables) -> str | None:
    """What was wrong with the answer to a text; None where nothing was."""
    began = time.monotonic()
    try:
        run(text, source, control=Control(Limits(seconds=LONGEST, memory=MEMORY)))
    except WorkbenchError as error:
        if not error.code or not error.render():
            return "an error without a code"
    except Exception as error:  # noqa: BLE001 - any other exception is the finding
        return f"{type(error).__name__}: {str(error)[:300]}"
    took = time.monotonic() - began
    return f"took {took:.1f} s" if took > LONGEST else None


def work(seed: int, count: int, note: Path) -> None:
    """Try `count` inputs; findings and the one at work stand in `note`, one JSON line each."""
    resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    texts, source, choice = corpus(), tables(), random.Random(seed)
    with note.open("w", buffering=1) as out:
        for number in range(count):
            text = mutated(texts, choice)
            out.write(json.dumps({"at": number, "text": text}) + "\n")
            wrong = attempt(text, source)
            if wrong is not None:
                out.write(json.dumps({"wrong": wrong, "text": text}) + "\n")
        out.write(json.dumps({"done": count}) + "\n")


def findings(note: Path) -> Iterator[str]:
    lines = [json.loads(line) for line in note.read_text().splitlines() if line.endswith("}")]
    for line in lines:
        if "wrong" in line:
            yield f"{line['wrong']}\n    {line['text']!r}"
    if not lines or "done" not in lines[-1]:
        yield f"died or hung at\n    {lines[-1]['text']!r}" if lines else "died at once"


@pytest.mark.slow
def test_mutated_queries_give_answers_and_coded_errors(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    share = -(-COUNT // WORKERS)
    notes = [tmp_path / f"{i}.jsonl" for i in range(WORKERS)]
    workers = [
        context.Process(target=work, args=(SEED * 1000 + i, share, note), daemon=True)
        for i, note in enumerate(notes)
    ]
    for worker in workers:
        worker.start()
    _watch(workers, notes)
    found = [f for note in notes for f in findings(note)]
    assert not found, f"{len(found)} findings of {COUNT} inputs:\n" + "\n".join(found[:40])


def _watch(workers: list[multiprocessing.process.BaseProcess] | list, notes: list[Path]) -> None:  # type: ignore[type-arg]
    """Wait for all; kill one that has not got on for three times the longest an input may take."""
    seen = {note: (0, time.monotonic()) for note in notes}
    while any(w.is_alive() for w in workers):
        for worker, note in zip(workers, notes, strict=True):
            worker.join(0.2)
            size = note.stat().st_size if note.exists() else 0
            if size != seen[note][0]:
                seen[note] = (size, time.monotonic())
            elif worker.is_alive() and time.monotonic() - seen[note][1] > 3 * LONGEST:
                worker.kill()


if __name__ == "__main__":
    work(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
