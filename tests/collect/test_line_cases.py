"""Lines of syslog and dpkg.log as text cases: `cases/syslog.test`, `cases/dpkg.test`."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workbench.base import clock
from workbench.collect.importing import import_source
from workbench.repository.tables import Repository

CASES = Path(__file__).parent / "cases"
TABLES = {"syslog": "Syslog", "dpkg": "ConfigurationChange"}
SAME = {"ConfigChangeType": "Software", "SoftwareType": "Package", "SourceSystem": "Linux"}
"""Columns that have the same in every record; the cases leave them out."""
WRITTEN = dt.datetime(2026, 3, 2, tzinfo=dt.UTC).timestamp()
_CASE = re.compile(r"\[case (.+)\]\n(.*)\n\[(record|refused)\]\n(.*)\n")


def _cases() -> list[Any]:
    found = []
    for form in TABLES:
        text = (CASES / f"{form}.test").read_text()
        cases = _CASE.findall(text)
        assert len(cases) == text.count("[case ")
        found += [pytest.param(form, *case[1:], id=f"{form}: {case[0]}") for case in cases]
    return found


@pytest.mark.parametrize(("form", "line", "kind", "expected"), _cases())
def test_line(
    repository: Repository,
    tmp_path: Path,
    table: Callable[..., list[dict[str, Any]]],
    form: str,
    line: str,
    kind: str,
    expected: str,
) -> None:
    path = tmp_path / "a.log"
    path.write_text(line + "\n")
    os.utime(path, (WRITTEN, WRITTEN))
    # A frozen clock: RFC 3164 has no year, and "more than a day ahead" counts from now.
    with clock.frozen(int(dt.datetime(2026, 12, 1, tzinfo=dt.UTC).timestamp()) * 10_000_000):
        summary = import_source(repository, path, format=form)
    if kind == "refused":
        assert [(r["Code"], r["Original"]) for r in table("_Quarantine")] == [(expected, line)]
        return
    assert (summary.stored, summary.quarantined) == ({TABLES[form]: 1}, 0)
    (row,) = table(TABLES[form])
    if form == "syslog":
        assert row.pop("EventTime") == row["TimeGenerated"]
        assert row.pop("HostName") == row["Computer"]
    shown = {
        name: value for name, value in row.items() if value not in (None, "") and SAME.get(name) != value
    }
    shown["TimeGenerated"] = row["TimeGenerated"].replace(tzinfo=None).isoformat()
    if "StructuredData" in shown:
        shown["StructuredData"] = json.loads(shown["StructuredData"])
    assert shown == json.loads(expected)
