"""The control database: one write transaction at a time, made once, on SQLite and on PostgreSQL."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from workbench.base import database as module
from workbench.base.database import Database
from workbench.base.errors import WorkbenchError

METADATA = sa.MetaData()
COUNTER = sa.Table(
    "counter", METADATA, sa.Column("name", sa.Text, primary_key=True), sa.Column("value", sa.BigInteger)
)


@pytest.fixture
def database(control_place: Path) -> Database:
    found = Database.open(control_place)
    found.ensure(METADATA)
    return found


def value(database: Database) -> int | None:
    with database.read() as connection:
        found: int | None = connection.scalar(sa.select(COUNTER.c.value))
        return found


def test_is_one_object_a_place(database: Database, control_place: Path) -> None:
    assert Database.open(control_place) is database


def test_what_a_block_wrote_is_there_after_it(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(COUNTER.insert().values(name="a", value=2**40))
    assert value(database) == 2**40


def test_an_exception_undoes_the_block(database: Database) -> None:
    def stop_halfway() -> None:
        with database.begin() as connection:
            connection.execute(COUNTER.insert().values(name="a", value=1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        stop_halfway()
    assert value(database) is None


def test_no_count_is_lost_when_many_read_and_write_at_once(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(COUNTER.insert().values(name="a", value=0))

    def add(_: int) -> None:
        with database.begin() as connection:
            now = connection.scalar(sa.select(COUNTER.c.value))
            connection.execute(COUNTER.update().values(value=now + 1))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(80)))
    assert value(database) == 80


def test_readers_go_on_while_a_transaction_is_open(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(COUNTER.insert().values(name="a", value=1))
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(value, database).result(10) is None


def test_tables_are_made_once_by_whoever_comes_first(control_place: Path) -> None:
    database, start = Database.open(control_place), threading.Barrier(6)

    def make(_: int) -> None:
        start.wait()
        database.ensure(METADATA)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(make, range(6)))
    assert value(database) is None


def test_a_constraint_is_the_callers_own_matter(database: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError), database.begin() as connection:
        connection.execute(COUNTER.insert().values([{"name": "a"}, {"name": "a"}]))


# ---- places ----------------------------------------------------------------------------------


def test_sqlite_files_are_their_owners_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(module.VARIABLE, raising=False)
    before = os.umask(0)
    try:
        database = Database.open(tmp_path / "state")
        database.ensure(METADATA)
        with database.begin() as connection:
            connection.execute(COUNTER.insert().values(name="a", value=1))
        with database.read() as connection:
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
            modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in (tmp_path / "state").iterdir()}
    finally:
        os.umask(before)
        database.close()
    assert set(modes) == {"control.db", "control.db-wal", "control.db-shm", "control.lock"}
    assert set(modes.values()) == {0o600}


@pytest.mark.slow
def test_several_processes_can_open_a_new_one_at_once(tmp_path: Path) -> None:
    text = (
        "import sys, pathlib, sqlalchemy as sa\n"
        "from workbench.base.database import Database\n"
        "m = sa.MetaData(); t = sa.Table('t', m, sa.Column('pid', sa.Integer))\n"
        "sys.stdin.read(1)\n"
        "d = Database.open(pathlib.Path(sys.argv[1])); d.ensure(m)\n"
        "with d.begin() as c: c.execute(t.insert().values(pid=1))\n"
    )
    environment = {k: v for k, v in os.environ.items() if k != module.VARIABLE}
    started = [
        subprocess.Popen([sys.executable, "-c", text, str(tmp_path)], stdin=subprocess.PIPE, env=environment)
        for _ in range(3)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write(b".")
        process.stdin.flush()
    for process in started:
        process.communicate()
        assert process.returncode == 0
    database = Database.open(tmp_path)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM t").scalar() == 3
    database.close()


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("nonsense", "CTL002"),
        ("mysql://x/y", "CTL002"),
        ("postgresql://someone:secret@/none?host=/nowhere/at/all", "CTL001"),
    ],
)
def test_an_address_that_is_wrong_is_told_at_once(
    url: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(module.VARIABLE, url)
    with pytest.raises(WorkbenchError) as caught:
        Database.open(tmp_path)
    assert caught.value.code == code
    assert "secret" not in caught.value.render()


def test_a_file_that_is_no_database_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(module.VARIABLE, raising=False)
    (tmp_path / "control.db").write_bytes(b"no database" * 100)
    with pytest.raises(WorkbenchError) as caught:
        Database.open(tmp_path)
    assert caught.value.code == "CTL001"


def test_importing_it_loads_no_sqlalchemy() -> None:
    text = "import sys, workbench.base.database; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", text]).returncode == 0
