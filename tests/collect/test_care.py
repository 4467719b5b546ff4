"""Care of tables: due by small files or when idle, told in records; a failure disturbs nobody."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import Any

import pytest

import workbench
from workbench.base import clock
from workbench.base.database import Database
from workbench.base.dtypes import parse_datetime
from workbench.collect.care import Care, Pace
from workbench.collect.drainer import Drainer
from workbench.collect.exports import Export, Exports
from workbench.collect.intake import Intake

EAGER = Pace(small=4, first=3, idle=3600, every=3600)


@pytest.fixture
def opened(tmp_path: Path) -> Any:
    return workbench.open(str(tmp_path / "workspace"), create=True)


def store(opened: Any, number: int) -> None:
    opened.ingest("App", [{"TimeGenerated": "2026-01-02T00:00:00Z", "Size": number}])


def told(intake: Intake) -> list[tuple[str, str, str]]:
    """Key, status and detail of what would be stored in `Operation`."""
    taken = intake.operations.take(whole=True)
    if taken is None:
        return []
    columns = {name: series for (name, _), series in taken.batches[0].parts[0].columns.series.items()}
    return list(zip(columns["OperationKey"], columns["OperationStatus"], columns["Detail"], strict=True))


@pytest.mark.slow
def test_small_files_become_one_and_it_is_told(opened: Any) -> None:
    intake = Intake(opened.repository)
    care, files = Care(intake, opened.source, pace=EAGER), []
    for number in range(12):
        store(opened, number)
        care.after(["App"])
        care.turn()
        files.append(opened.repository.scan("App").files_total)
    # The first turn sees one file; from then on it is due when four could be spared.
    assert files == [1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]
    assert opened.query("App | summarize sum(Size), count()").frame.row(0) == (66, 12)
    records = told(intake)
    assert [(key, status) for key, status, _ in records] == [("Compaction", "Success")] * 2
    assert records[0][2].startswith("App: 5 files (")


@pytest.mark.slow
def test_after_a_start_fewer_files_are_enough_and_an_idle_table_is_put_in_order_once(opened: Any) -> None:
    for number in range(4):
        store(opened, number)
    Care(Intake(opened.repository), opened.source, pace=EAGER).turn()
    assert opened.repository.scan("App").files_total == 1
    store(opened, 4)
    intake = Intake(opened.repository)
    idle = Care(intake, opened.source, pace=Pace(idle=0, every=3600))
    idle.turn()
    assert opened.repository.scan("App").files_total == 1
    version = opened.repository.version("App")
    idle.turn()
    assert opened.repository.version("App") == version
    assert len(told(intake)) == 1


@pytest.mark.parametrize(("share", "said"), [(0.75, ("REP307", "Warning")), (1.5, ("REP302", "Error"))])
def test_a_disk_that_fills_is_told_though_nobody_sends(
    opened: Any, share: float, said: tuple[str, str]
) -> None:
    reserve = int(shutil.disk_usage(opened.path).free * share)
    intake = Intake(opened.repository, opened.repository.open_spool(reserve))
    Care(intake, opened.source, pace=EAGER).turn()
    assert said in {(key, status) for key, status, _ in told(intake)}


def test_retention_archive_and_vacuum_go_round(opened: Any) -> None:
    for number in range(3):
        store(opened, number)
    opened.repository.retain("App", 100_000, 5)
    opened.repository._store.keep("App", 3, 5)
    moment = parse_datetime("2026-01-08")
    assert moment is not None
    with clock.frozen(moment):
        intake = Intake(opened.repository)
        Care(intake, opened.source, pace=EAGER).turn()
        assert opened.repository.scan("App").rows == 0
        assert [a.rows for a in opened.repository.archived("App")] == [3]
        records = told(intake)
    assert ("Retention", "Success") in {(key, status) for key, status, _ in records}
    assert any("3 rows archived, 0 deleted" in detail for _, _, detail in records)


@pytest.mark.slow
def test_a_table_that_fails_is_told_and_the_others_are_cared_for(opened: Any) -> None:
    for number in range(4):
        store(opened, number)
        opened.ingest("Zebra", [{"TimeGenerated": "2026-01-02T00:00:00Z", "Size": number}])
    damaged = sorted(Path(opened.path, "tables", "App").glob("_Day=*/*.parquet"))[0]
    damaged.write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    intake = Intake(opened.repository)
    Care(intake, opened.source, pace=EAGER).turn()
    assert opened.repository.scan("App").files_total == 4
    assert opened.repository.scan("Zebra").files_total == 1
    assert ("Error", True) in {(status, detail.startswith("App")) for _, status, detail in told(intake)}


@pytest.mark.slow
def test_the_threads_of_a_service_compact_and_export(opened: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("workbench.collect.care._TICK", 0.05)
    state = Path(opened.path, "state")
    database = Database.open(state)
    spool = opened.repository.open_spool()
    intake = Intake(opened.repository, spool)
    care = Care(intake, opened.source, database, state, EAGER)
    drainer = Drainer(intake, care.after, seconds=0.01)
    for number in range(4):
        store(opened, number)
    Exports(database, state).create(
        Export("App", query="App | count", every="1s", folder=str(tmp_path / "out"), form="csv")
    )
    drainer.start()
    care.start()
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until and not (
            opened.repository.scan("App").files_total == 1 and list((tmp_path / "out").glob("App_*.csv"))
        ):
            time.sleep(0.02)
    finally:
        care.stop()
        drainer.stop()
        spool.close()
    assert opened.repository.scan("App").files_total == 1
    assert next((tmp_path / "out").glob("App_*.csv")).read_text() == "Count\n4\n"
    keys = set(opened.query("Operation | distinct OperationKey").frame["OperationKey"])
    assert keys >= {"Compaction", "Export"}
