"""How time and memory of a query grow with its table: three questions, each in a process of its own.

    python tests/bench/scaling.py [--rows 1,3,10,30] [--keep FOLDER]

Rows are in millions. Prints wall seconds and the peak memory of the process beside what it holds before the query;
the peak is to stay flat. With --keep the data of each size stays in FOLDER for the next run.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import data

QUERIES = (
    ("filter and take", "Event | where EventID == 4624 | take 100"),
    ("by hour", "Event | summarize count(), dcount(Computer) by bin(TimeGenerated, 1h)"),
    ("rare word", f"Event | where RenderedDescription has '{data.WORD}' | project TimeGenerated, Computer"),
)
# The most memory is read from the kernel, which counts what came and went between two looks too.
_CHILD = """
import json, re, sys, time
import workbench
from workbench.query.control import Control, PartSize

def memory(kind):
    return int(re.search(kind + r":\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024

path, text, way = sys.argv[1:]
workspace = workbench.open(path)
workspace.query("Event | take 1")
open("/proc/self/clear_refs", "w").write("5")
before, began = memory("VmRSS"), time.perf_counter()
rows = len(workspace.query(text, control=Control(parts=PartSize() if way == "parts" else None)))
print(json.dumps([time.perf_counter() - began, memory("VmHWM"), before, rows]))
"""


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", default="1,3,10,30", help="millions, comma-separated")
    options.add_argument("--keep", metavar="FOLDER")
    given = options.parse_args()
    print(f"{'rows':>6}  {'query':18}{'way':>10}{'seconds':>10}{'peak MiB':>10}{'before':>10}{'found':>12}")
    for millions in given.rows.split(","):
        place = Path(given.keep or tempfile.mkdtemp(prefix="scaling-")) / f"{millions}m"
        try:
            data.make(place, round(float(millions) * 1_000_000))
            for name, text in QUERIES:
                for way in ("parts", "one go"):
                    _line(millions, name, way, *_measured(place, text, way))
        finally:
            if not given.keep:
                shutil.rmtree(place.parent, ignore_errors=True)
    return 0


def _measured(place: Path, text: str, way: str) -> tuple[float, int, int, int]:
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(place), text, way], capture_output=True, text=True, check=True
    )
    seconds, peak, before, rows = json.loads(done.stdout)
    return seconds, peak, before, rows


def _line(millions: str, name: str, way: str, seconds: float, peak: int, before: int, rows: int) -> None:
    memory = f"{peak / 2**20:10.0f}{before / 2**20:10.0f}"
    print(f"{millions:>5}M  {name:18}{way:>10}{seconds:10.3f}{memory}{rows:12,}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
