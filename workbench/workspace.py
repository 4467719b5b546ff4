"""A workspace: the one place behind cell, command line and API. Opens, asks, takes records in.

Holds no logic of its own: the repository keeps tables, `query.run` answers, `collect.intake` writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workbench.base import config
from workbench.base.dtypes import Schema
from workbench.query.result import Result

if TYPE_CHECKING:
    import polars as pl

    from workbench.base.terms import Terms
    from workbench.collect.searches import Searches
    from workbench.query.backends.polars import BuildPath, TableScan
    from workbench.query.control import Control
    from workbench.query.plan import PathColumn
    from workbench.query.surroundings import Facts, FunctionText
    from workbench.repository.tables import Repository


def open(path: str | None = None, *, create: bool = False) -> Workspace:
    """Open a workspace.

    Parameters
    ----------
    path : str, optional
        A folder or an object-store URL; by default `WORKBENCH_WORKSPACE`, else the default one in
        the user's data folder.
    create : bool
        Make it where it is missing.

    Raises
    ------
    WorkbenchError
        REP… where there is none.
    """
    from workbench.repository.tables import Repository

    return Workspace(Repository.open(path or config.default_workspace(), create=create))


class Workspace:
    """An open workspace; see `open`."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._source = StoredTables(repository)

    @property
    def path(self) -> str:
        return self.repository.path

    @property
    def source(self) -> StoredTables:
        """The tables as `query.run` and `query.language` take them."""
        return self._source

    @property
    def tables(self) -> list[str]:
        """Names of all tables, sorted."""
        return self.repository.tables()

    def query(
        self,
        text: str,
        parameters: Mapping[str, Any] | None = None,
        timespan: str | None = None,
        limit: int | None = None,
        scope: Callable[[str], Any] | None = None,
        control: Control | None = None,
        on: str = "polars",
        sql: bool = False,
        dialect: str | None = None,
        options: Mapping[str, Any] | None = None,
        may_store: bool = True,
    ) -> Result:
        """Answer a KQL text (see `workbench.query.run.run`), a SELECT of SQL, or a command such as `.show tables`.

        `may_store` False: a command that would store something is refused (KQL418).
        """
        from workbench.query import commands
        from workbench.query.run import run

        if not (sql or dialect) and commands.is_command(text):
            return commands.ask(
                text, self._source, self.repository.functions, limit=limit, may_store=may_store
            )
        return run(text, self._source, parameters=parameters, timespan=timespan, limit=limit, scope=scope, control=control, on=on, sql=sql, dialect=dialect, options=options)  # fmt: skip

    def explain(
        self,
        text: str,
        parameters: Mapping[str, Any] | None = None,
        timespan: str | None = None,
        scope: Callable[[str], Any] | None = None,
        on: str = "polars",
        sql: bool = False,
        dialect: str | None = None,
    ) -> str:
        """What a query becomes: syntax, plan, rewritten plan, what is computed once, which files are read and why
        not the others, Polars plan; its SQL for another engine."""
        from workbench.query import commands
        from workbench.query.run import explain

        if not (sql or dialect) and commands.is_command(text):
            raise commands.no_plan(text)
        return explain(text, self._source, parameters=parameters, timespan=timespan, scope=scope, on=on, sql=sql, dialect=dialect)  # fmt: skip

    @property
    def searches(self) -> Searches:
        """The saved searches."""
        from workbench.base.database import Database
        from workbench.collect.searches import Searches

        return Searches(Database.open(config.state_folder(self.path)))

    def ingest(self, table: str, records: Iterable[Mapping[str, Any]]) -> int:
        """Store records in a table, made where it is missing; gives how many were stored."""
        from workbench.collect.intake import Intake

        return Intake(self.repository).ingest(table, records)


class StoredTables:
    """The repository as `query.run.Tables`."""

    def __init__(self, repository: Repository, terms: Terms | None = None, behind: Mapping[str, Mapping[int, int]] | None = None) -> None:  # fmt: skip
        self._repository = repository
        self._terms = terms
        self._behind = {} if behind is None else behind
        self.surroundings = StoredSurroundings(repository)

    def tables(self) -> list[str]:
        return self._repository.tables()

    def schema(self, table: str) -> Schema | None:
        return self._repository.schema(table) if self._repository.has(table) else None

    def scan(self, table: str, columns: Sequence[str] | None, time_range: tuple[int | None, int | None]) -> TableScan:  # fmt: skip
        return self._repository.scan(
            table, columns, time_range, terms=self._terms, behind=self._behind.get(table)
        )

    def holding(self, terms: Terms) -> StoredTables:
        """The same tables without the data files that can't hold `terms`."""
        return StoredTables(self._repository, terms, self._behind)

    def behind(self, positions: Mapping[str, Mapping[int, int]]) -> StoredTables:
        """The same tables without the data files whose rows positions cover (table → writer → last sequence)."""
        return StoredTables(self._repository, self._terms, positions)

    def position(self, table: str) -> dict[int, int]:
        """How far each writer of a table has come; nothing where there is no such table."""
        return self._repository.position(table) if self._repository.has(table) else {}

    def is_shredded(self, table: str, column: str, keys: tuple[str, ...]) -> bool:
        return self._repository.has(table) and self._repository.is_shredded(table, column, keys)

    def scan_paths(self, table: str, columns: Sequence[str], time_range: tuple[int | None, int | None], paths: Sequence[PathColumn], build: BuildPath) -> TableScan:  # fmt: skip
        from workbench.repository.tables import Kind, PathRead

        def read(path: PathColumn) -> PathRead:
            def made(column: pl.Expr, kind: Kind) -> pl.Expr:
                return build(path, column, kind.value)

            return PathRead(path.name, path.column, path.keys, made)

        return self._repository.scan(
            table, columns, time_range, [read(p) for p in paths], terms=self._terms,
            behind=self._behind.get(table),
        )  # fmt: skip


class StoredSurroundings:
    """What the repository keeps beside tables, as `query.surroundings.Surroundings`."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    @property
    def names(self) -> Sequence[str]:
        """The folder's name, the id and the path."""
        path = self._repository.path
        return (path.rstrip("/").rsplit("/", 1)[-1], self._repository.workspace_id, path)

    @property
    def folders(self) -> Sequence[str]:
        return self._repository.open_folders()

    def facts(self, table: str) -> Facts | None:
        return self._repository.facts(table) if self._repository.has(table) else None

    def functions(self) -> Sequence[str]:
        return self._repository.functions.names()

    def function(self, name: str) -> FunctionText | None:
        return self._repository.functions.find(name)
