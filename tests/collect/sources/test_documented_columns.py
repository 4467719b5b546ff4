"""Every table that the agent fills has the columns and types that Azure Monitor documents for it, all of them."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workbench.collect.doors.agent import Numbered, batch_of
from workbench.collect.intake import Intake
from workbench.collect.services import Service
from workbench.collect.sources import SOURCES, Batch, Machine, _apt
from workbench.collect.sources.integrity import Integrity
from workbench.collect.sources.processes import Processes
from workbench.collect.sources.services import Services
from workbench.collect.sources.updates import Updates
from workbench.repository.standard import standard_tables
from workbench.repository.tables import Repository

SHARED = Path(os.environ.get("WORKBENCH_SHARED") or Path(__file__).parents[3].parent / "shared")
PLATFORM = {"Type", "TenantId", "_ItemId", "_BilledSize", "_IsBillable"}
"""Columns of which only the cloud could tell the value."""
OURS = {"Heartbeat": {"SourceComputerId": "string"}}
"""Documented for the agent's own table elsewhere (references/ops.md §4.3), not in the list of tables."""
UNDOCUMENTED = {"Operation", "FileLog_CL", "CommandOutput_CL"}
"""Tables of which that list has none."""


@pytest.fixture(scope="module")
def documented() -> dict[str, dict[str, str]]:
    path = SHARED / "schemas" / "log_analytics_tables.json"
    if not path.exists():
        pytest.skip("the documented tables lie beside the repository, where there are some")
    listed: dict[str, list[list[str]]] = json.loads(path.read_text())
    return {table: dict(columns) for table, columns in listed.items()}  # type: ignore[arg-type]


def wanted(documented: dict[str, dict[str, str]], table: str) -> dict[str, str]:
    columns = {name: kind for name, kind in documented[table].items() if name not in PLATFORM}
    return columns | OURS.get(table, {})


def columns_of(repository: Repository, table: str) -> dict[str, str]:
    own = {"_BatchId", "_Writer", "_Sequence"}
    return {c.name: c.type.value for c in repository.schema(table) if c.name not in own}


@pytest.mark.parametrize("table", standard_tables())
def test_a_standard_table_is_made_as_documented(
    table: str, documented: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    repository = Repository.open(str(tmp_path / "ws"), create=True)
    repository.ensure([table])
    assert columns_of(repository, table) == wanted(documented, table)


class Switching:
    """A manager of services of which one changes its state at each look."""

    name = "test"
    looks = 0

    def list(self) -> list[Service]:
        self.looks += 1
        state = "Running" if self.looks % 2 else "Stopped"
        return [Service("web", "test", state, "up", "Auto", "Web", "a web server", "www", "/bin/web", "2 3")]


def _collected(machine: Machine, run: Any, eventually: Any) -> Iterator[Batch]:
    """What all sources tell of a machine on which everything happens once."""
    log = machine.log_root
    (log / "syslog").write_text("<13>Jan  2 15:00:00 web01 cron[7]: done\n")
    (log / "dpkg.log").write_text(
        "2026-01-02 15:00:00 upgrade bash:amd64 5.1 5.2\n2026-01-02 15:00:00 startup x\n"
    )
    watched = log / "watched"
    watched.write_text("a")
    for _, card in SOURCES.items():
        yield from card.start(machine).collect()
    pending = (_apt.Pending("bash", "amd64", "5.1", "5.2", "Debian-Security:12"),)
    updates = Updates(machine, {}, lambda: _apt.Scan(pending, 4e9))
    found: list[Batch] = []
    eventually(lambda: found.extend(updates.collect()) or found)
    yield from found
    services = Services(machine, {}, [Switching()])  # type: ignore[list-item]
    for _ in range(2):
        yield from services.collect()
    integrity = run(Integrity, {"name": "i", "paths": [str(watched)]}).source
    yield from integrity.collect()
    watched.write_text("b")
    yield from integrity.collect()
    yield from Processes(machine, {"intervalInSeconds": 1}).collect()


def test_what_the_agent_sends_fits_the_documented_columns(
    documented: dict[str, dict[str, str]],
    machine: Machine,
    run: Any,
    eventually: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workbench.collect.sources._turns._EARLY", float("inf"))  # every look is due
    machine = dataclasses.replace(machine, identity="a-1")
    intake = Intake(Repository.open(str(tmp_path / "ws"), create=True))
    filled, kinds = set(), set()
    for number, batch in enumerate(_collected(machine, run, eventually), 1):
        if batch.records:
            records = json.loads(json.dumps(batch.records))
            receipt = intake.accept(
                batch_of([Numbered(number, batch.table, records)], agent="a-1", sender="agent/a-1")
            )
            assert receipt.quarantined == 0
            filled.add(batch.table)
            kinds |= {r["ConfigChangeType"] for r in records if batch.table == "ConfigurationChange"}
    assert kinds == {"Daemons", "Files", "Software"}
    assert filled >= set(standard_tables()) - {"Usage", "UpdateRunProgress", "VMConnection"}
    for table in filled - UNDOCUMENTED:
        assert columns_of(intake.repository, table) == wanted(documented, table)


def test_a_table_that_never_had_a_row_is_cared_for_like_any_other(tmp_path: Path) -> None:
    repository = Repository.open(str(tmp_path / "ws"), create=True)
    repository.ensure(["Syslog"])
    assert repository.facts("Syslog").rows == 0
    repository.compact("Syslog")
    repository.retain("Syslog", 30, 60)
    repository.apply_retention("Syslog")
    repository.vacuum("Syslog", 0)
    assert repository.loose_files("Syslog") == 0
    assert repository.archived("Syslog") == []
    assert repository.scan("Syslog", ["Computer", "_ResourceId"]).lazy.collect().height == 0
