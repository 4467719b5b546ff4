"""The control database of a workspace: small tables that change in place (keys, tokens, rules, jobs).

In go a state folder and SQLAlchemy tables, out come connections. SQLite in WAL mode in the state folder, or PostgreSQL
where `WORKBENCH_DATABASE` names one by its URL. Each module declares its own tables and has them made by `ensure`. One
write transaction runs at a time on both, so what a transaction reads stays true until it ends. SQLAlchemy is loaded by
`open`, not by import. Must not hold records, nor know what the tables mean.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.base.diagnostics import access as diagnostics

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine, MetaData, Table

FILE = "control.db"
VARIABLE = "WORKBENCH_DATABASE"
WAIT_SECONDS = 30
"""How long a transaction waits for another one to end."""
_WRITING = "workbench_writing"
_AFTER = "workbench_after_commit"
_ONE_WRITER = 0x776F726B62656E63  # the advisory lock of write transactions
_opened: dict[str, Database] = {}
_opening = threading.Lock()


class Database:
    """An open control database; made by `Database.open`. Safe for threads, and for several processes.

    Examples
    --------
    >>> import tempfile, sqlalchemy as sa
    >>> notes = sa.MetaData()
    >>> note = sa.Table("note", notes, sa.Column("text", sa.Text, primary_key=True))
    >>> database = Database.open(Path(tempfile.mkdtemp()))
    >>> database.ensure(notes)
    >>> with database.begin() as connection:
    ...     _ = connection.execute(note.insert().values(text="kept"))
    >>> with database.read() as connection:
    ...     connection.scalars(sa.select(note.c.text)).all()
    ['kept']
    >>> database.close()
    """

    def __init__(self, engine: Engine, name: str) -> None:
        self.engine = engine
        self.name = name
        """Where it is, without a password."""

    @staticmethod
    def open(state: Path, url: str | None = None) -> Database:
        """The database of the workspace with that state folder, made when missing; asked again, the same object.

        Parameters
        ----------
        state : Path
        url : str, optional
            Of a PostgreSQL database; by default what `WORKBENCH_DATABASE` says, else SQLite.

        Raises
        ------
        WorkbenchError
            CTL001 when it can't be reached or is no database, CTL002 for a URL that is none of PostgreSQL, CTL003
            without the driver.
        """
        url = url or os.environ.get(VARIABLE) or ""
        place = url or str((state / FILE).absolute())
        with _opening:
            if place not in _opened:
                _opened[place] = _postgresql(url) if url else _sqlite(Path(place))
            return _opened[place]

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A write transaction: committed at the end of the block, undone by an exception; one at a time.

        Raises
        ------
        WorkbenchError
            CTL001 when the database is out of reach, or another transaction does not end.
        """
        with self._connection() as connection:
            after: list[Callable[[], None]] = []
            connection.execution_options(**{_WRITING: True, _AFTER: after})
            with connection.begin():
                yield connection
        for call in after:
            call()

    @staticmethod
    def after_commit(connection: Connection, call: Callable[[], None]) -> None:
        """Have something called once this write transaction is committed, and others see what it wrote."""
        connection.get_execution_options()[_AFTER].append(call)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection to read with; it does not wait for write transactions."""
        with self._connection() as connection, connection.begin():
            yield connection

    def ensure(self, *tables: MetaData | Table) -> None:
        """Make the tables that are missing, whoever else does so at the same time."""
        import sqlalchemy as sa

        wanted = [
            t for some in tables for t in (some.sorted_tables if isinstance(some, sa.MetaData) else [some])
        ]
        with self.read() as connection:
            there = set(sa.inspect(connection).get_table_names())
        if all(table.name in there for table in wanted):
            return
        with self.begin() as connection:
            for table in wanted:
                table.create(connection, checkfirst=True)

    def close(self) -> None:
        """Close all connections; the next `open` makes new ones."""
        with _opening:
            for place in [p for p, database in _opened.items() if database is self]:
                del _opened[place]
        self.engine.dispose()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError, TimeoutError

        try:
            with self.engine.connect() as connection:
                yield connection
        except (IntegrityError, ProgrammingError, DataError):
            raise  # a fault of the caller's statement, not of the database
        except DatabaseError as broken:
            raise diagnostics.database_away(self.name, _first_line(broken.orig)) from broken
        except TimeoutError as broken:
            raise diagnostics.database_away(self.name, "all its connections are in use") from broken


def _first_line(error: BaseException | None) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _forget_in_child() -> None:
    # Connections belong to the process that opened them; another thread may have held the lock.
    global _opening
    _opening = threading.Lock()
    _opened.clear()


os.register_at_fork(after_in_child=_forget_in_child)


# ---- SQLite ----------------------------------------------------------------------------------


def _sqlite(path: Path) -> Database:
    import sqlite3

    import sqlalchemy as sa

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _prepare(path)
    except (OSError, sqlite3.Error) as broken:
        raise diagnostics.database_away(str(path), str(broken)) from None
    url = sa.URL.create("sqlite", database=str(path))
    engine = sa.create_engine(url, connect_args={"timeout": WAIT_SECONDS}, pool_size=4, max_overflow=32)

    @sa.event.listens_for(engine, "connect")
    def _connected(raw: Any, _record: Any) -> None:
        # The driver would begin transactions by itself, and too late for BEGIN IMMEDIATE.
        raw.isolation_level = None
        raw.execute("PRAGMA foreign_keys = ON")
        raw.execute("PRAGMA synchronous = FULL")

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        # Whoever reads first and writes then would fail when two do so at once.
        writing = connection.get_execution_options().get(_WRITING)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return Database(engine, str(path))


def _prepare(path: Path) -> None:
    """Make the file, readable by its owner only, and in WAL mode; files beside it get its mode from SQLite."""
    import sqlite3

    # Two processes that turn a new file to WAL at once would disturb each other: SQLite does not wait then. The
    # lock is on a file of its own, because closing any handle of the database would drop SQLite's locks on it.
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
        connection = sqlite3.connect(path, timeout=WAIT_SECONDS)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
    finally:
        os.close(lock)


# ---- PostgreSQL ------------------------------------------------------------------------------


def _postgresql(text: str) -> Database:
    import sqlalchemy as sa

    url = _checked(text)
    options = f"-c lock_timeout={WAIT_SECONDS}s -c idle_in_transaction_session_timeout={2 * WAIT_SECONDS}s"
    try:
        engine = sa.create_engine(
            url,
            pool_pre_ping=True,
            pool_size=4,
            max_overflow=12,
            connect_args={"options": options, "connect_timeout": 10},
        )
    except ImportError:
        raise diagnostics.no_driver() from None

    @sa.event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        if connection.get_execution_options().get(_WRITING):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ONE_WRITER})")

    database = Database(engine, url.set(drivername="postgresql").render_as_string(hide_password=True))
    with database.read():
        pass  # an address that nobody answers at is told now, not by the first request
    return database


def _checked(text: str) -> URL:
    import sqlalchemy as sa

    try:
        url = sa.make_url(text)
    except sa.exc.ArgumentError:
        raise diagnostics.bad_database("it is no URL") from None
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise diagnostics.bad_database(f"{url.drivername!r} is no PostgreSQL")
    return url.set(drivername="postgresql+psycopg")
