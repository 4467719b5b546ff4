"""Microsoft's analyser as the oracle of names and types, over our own cases and over a matrix of calls.

Where the two differ, `analyser/differences.txt` says why; a difference that is gone must leave the list.
The analyser judges what a text means, not what it gives: what we answer and it refuses is not judged.
"""

from __future__ import annotations

import itertools
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import casefile
import pytest

from workbench.base.errors import WorkbenchError
from workbench.query.frames import FrameTables
from workbench.query.functions import AGGREGATES, FUNCTIONS
from workbench.query.functions._card import Card
from workbench.query.run import run
from workbench.query.runner import Runner

HERE = Path(__file__).parent
MODULES = Path(sys.prefix, "analyser", "node_modules")  # `.ci/environment test` puts it there
CASES = [c for f in sorted((HERE / "cases").rglob("*.test")) for c in casefile.read(f)]
LETTERS = {
    "i": "int", "l": "long", "r": "real", "d": "decimal", "s": "string", "b": "bool", "t": "datetime",
    "p": "timespan", "y": "dynamic", "g": "guid",
}  # fmt: skip
TABLE = f"datatable({', '.join(f'{n}:{t}' for n, t in LETTERS.items())})[]"

needs_analyser = pytest.mark.skipif(
    shutil.which("node") is None or not MODULES.exists(), reason="node and the analyser's package"
)
Columns = list[list[str]]


def ask(queries: Sequence[str]) -> list[tuple[Columns | None, list[str]]]:
    """The analyser's columns and errors, a query each."""
    lines = "\n".join(json.dumps({"id": i, "query": q}) for i, q in enumerate(queries)) + "\n"
    ran = subprocess.run(
        ["node", str(HERE / "analyser" / "analyse.js")],
        input=lines, capture_output=True, text=True, check=True, env={"NODE_PATH": str(MODULES), "PATH": "/usr/bin:/usr/local/bin"},
    )  # fmt: skip
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [a["id"] for a in answers] == list(range(len(queries)))
    return [(a["columns"], a["errors"]) for a in answers]


def known(section: str) -> dict[str, str]:
    """What may differ, and why: `name | reason` below `[section]`."""
    found: dict[str, str] = {}
    inside = False
    for line in (HERE / "analyser" / "differences.txt").read_text().splitlines():
        if line.startswith("["):
            inside = line == f"[{section}]"
        elif inside and line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(" | ")
            assert reason.strip(), f"no reason for {name}"
            found[name.strip()] = reason
    return found


def judge(section: str, differing: Iterable[tuple[str, str]]) -> None:
    listed, found = known(section), dict(differing)
    new = [f"{name}: {why}" for name, why in found.items() if name not in listed]
    assert not new, "the analyser says otherwise:\n" + "\n".join(new)
    gone = sorted(set(listed) - set(found))
    assert not gone, f"no difference any more, take it from the list: {gone}"


@needs_analyser
@pytest.mark.slow
def test_our_cases_have_the_columns_that_the_analyser_derives() -> None:
    asked = [c for c in CASES if c.section != "error" and not c.query.lstrip().startswith(".")]
    differing = []
    for case, (columns, errors) in zip(asked, ask([c.query for c in asked]), strict=True):
        if errors:
            continue
        own = [[c.name, c.type.value] for c in run(case.query, FrameTables({})).schema]
        if own != columns:
            differing.append((f"{case.file.stem}: {case.name}", f"{columns}, we {own}"))
    judge("cases", differing)


def calls(card: Card, name: str) -> list[str]:
    """Calls of a function over columns of every type, as its signatures have it and by chance."""
    choice = random.Random(name)
    found: set[tuple[str, ...]] = set()
    for signature in card.signatures:
        most = signature.least + 1 if signature.most is None else signature.most
        for count in range(max(signature.least, 1), min(most, 3) + 1):
            every = list(itertools.product(LETTERS, repeat=count))
            found.update(choice.sample(every, min(len(every), 12)))  # by the name: the same in each run
            fitting = []
            for i in range(count):
                param = signature.at(i)
                fits = [n for n, t in LETTERS.items() if param and t in {x.value for x in param.types}]
                fitting.append(fits or list(LETTERS))
            found.update(tuple(choice.choice(f) for f in fitting) for _ in range(6))
    return [f"{name}({', '.join(c)})" for c in sorted(found)]


@needs_analyser
@pytest.mark.slow
@pytest.mark.parametrize(("verb", "registry"), [("project", FUNCTIONS), ("summarize", AGGREGATES)])
def test_every_function_gives_the_type_and_name_that_the_analyser_derives(
    verb: str, registry: object
) -> None:
    asked: list[tuple[str, str]] = []
    for name in sorted(registry):  # type: ignore[call-overload]
        card = registry.get(name)  # type: ignore[attr-defined]
        if name.isidentifier():
            asked += [(name, f"{TABLE} | {verb} {call}") for call in calls(card, name)]
    differing: dict[str, str] = {}
    for (name, query), (columns, errors) in zip(asked, ask([q for _, q in asked]), strict=True):
        if errors:
            continue
        try:
            rel = Runner(FrameTables({}), None, None).bind(query, None).rel
        except WorkbenchError as error:
            # A column where a constant is due is our own, stricter rule.
            if error.code != "KQL204":
                differing.setdefault(name, f"{query.rpartition('| ')[2]}: {error}")
            continue
        own = [[c.name, c.type.value] for c in rel.schema]
        if own != columns:
            differing.setdefault(name, f"{query.rpartition('| ')[2]}: {columns}, we {own}")
    judge(verb, differing.items())
