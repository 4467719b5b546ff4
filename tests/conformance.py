"""Runs the conformance sets over `workbench query --stdio` and holds the floor.

    python tests/conformance.py SHARED [--update]

Prints one line a set, and fails when fewer cases pass than `conformance_floor.json` says. `--update`
raises the floor to what passes now; it never lowers it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

FLOOR = Path(__file__).with_name("conformance_floor.json")
WORKBENCH = Path(sys.executable).with_name("workbench")


@dataclass(frozen=True)
class Score:
    """Cases passed, cases judged, and how often the engine was started (more than once: it died)."""

    passed: int
    judged: int
    died: int = 0

    @property
    def share(self) -> float:
        return 100 * self.passed / max(self.judged, 1)


def harness(folder: Path, script: str, cases: str, *engine: str) -> object:
    """Run one of the harnesses in a workspace of its own; its answer as JSON."""
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch, "result.json")
        command = [str(WORKBENCH), "query", "--stdio", *engine, "--workspace", str(Path(scratch, "none"))]
        ran = subprocess.run(
            [sys.executable, str(folder / script), str(folder / cases), "--json", str(out), "--", *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if ran.returncode != 0 or not out.exists():
            sys.exit(f"conformance: {script} {cases} broke (status {ran.returncode}): {ran.stderr[-2000:]}")
        return json.loads(out.read_text())


def docs(folder: Path) -> Score:
    """The group `core` of the documented examples."""
    found = harness(folder, "run.py", "kusto_docs.jsonl")
    assert isinstance(found, dict)
    passed, judged = found["groups"]["core"]
    return Score(passed, judged, sum(not r["answered"] for r in found["results"]))


def emulator(folder: Path) -> Score:
    found = harness(folder, "run.py", "emulator.jsonl")
    assert isinstance(found, dict)
    died = sum(not r["answered"] for r in found["results"])
    return Score(found["passed"], found["passed"] + found["failed"], died)


def real(folder: Path) -> Score:
    """Published queries over empty tables; those that the analyser does not bind are not judged."""
    schemas = folder.parent / "schemas" / "log_analytics_tables.json"
    found = harness(folder, "run_real.py", "real_queries.jsonl", "--schemas", str(schemas))
    assert isinstance(found, list)
    verdicts = [r["verdict"] for r in found]
    judged = sum(r["binds"] for r in found)
    return Score(verdicts.count("same"), judged, verdicts.count("died"))


SETS = {"kusto_docs core": docs, "emulator": emulator, "real_queries": real}


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) / "conformance"
    floor: dict[str, int] = json.loads(FLOOR.read_text())
    short = []
    for name, measure in SETS.items():
        began = time.monotonic()
        score = measure(folder)
        print(
            f"conformance: {name}: {score.passed} of {score.judged} passed ({score.share:.1f} %), "
            f"floor {floor.get(name, 0)}, {score.died} died, {time.monotonic() - began:.0f} s",
            flush=True,
        )
        if score.passed < floor.get(name, 0):
            short.append(name)
        floor[name] = max(floor.get(name, 0), score.passed)
    if "--update" in arguments:
        FLOOR.write_text(json.dumps(floor, indent=2) + "\n")
    if short:
        print(f"conformance: below the floor: {', '.join(short)}")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
