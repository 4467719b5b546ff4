"""A throw-away PostgreSQL cluster on a unix socket, without network; for suites that run on both databases."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_PLACES = (Path("/usr/lib/postgresql"), Path("/usr/local/pgsql"))


def programs() -> Path | None:
    """The folder of `initdb` and `pg_ctl`, the newest there is."""
    found = [p.parent for place in _PLACES for p in place.glob("**/bin/initdb")]
    if found:
        return max(found, key=lambda p: [int(n) for n in p.parent.name.split(".") if n.isdecimal()])
    named = shutil.which("initdb")
    return Path(named).resolve().parent if named else None


@dataclass
class Cluster:
    """A running cluster; `fresh` makes an empty database and gives its URL."""

    bin: Path
    socket: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def fresh(self) -> str:
        name = f"t{next(self._numbers)}"
        self.ask("postgres", f"CREATE DATABASE {name} STRATEGY FILE_COPY")
        return f"postgresql://workbench@/{name}?host={self.socket}"

    def ask(self, database: str, sql: str) -> str:
        """What psql prints for a statement."""
        command = [self.bin / "psql", "-h", self.socket, "-U", "workbench", "-d", database, "-AtXqc", sql]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def running() -> Iterator[Cluster]:
    """A new cluster, gone at the end. The server refuses to run as root, so there it runs as another user."""
    bin = programs()
    assert bin is not None
    folder = Path(tempfile.mkdtemp(prefix="wb-pg-", dir="/tmp"))  # the path of a socket must be short
    user = _server_user() if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, user, -1)

    def run(program: str, *arguments: str) -> None:
        done = subprocess.run(
            [bin / program, *arguments], user=user, cwd=folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr

    data = str(folder / "data")
    try:
        run("initdb", "-D", data, "-U", "workbench", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = (
            f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c max_connections=50"
        )
        run("pg_ctl", "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            yield Cluster(bin, folder)
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def _server_user() -> int:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise AssertionError("no user to run PostgreSQL as")
