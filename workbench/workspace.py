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
    from workbench.query.backends.polars import TableScan
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
    ) -> Result:
        """Answer a KQL text; see `workbench.query.run.run`."""
        from workbench.query.run import run

        return run(text, self._source, parameters=parameters, timespan=timespan, limit=limit, scope=scope)

    def explain(
        self,
        text: str,
        parameters: Mapping[str, Any] | None = None,
        timespan: str | None = None,
        scope: Callable[[str], Any] | None = None,
    ) -> str:
        """What a query becomes: plan, rewritten plan, files, Polars plan."""
        from workbench.query.run import explain

        return explain(text, self._source, parameters=parameters, timespan=timespan, scope=scope)

    def ingest(self, table: str, records: Iterable[Mapping[str, Any]]) -> int:
        """Store records in a table, made where it is missing; gives how many were stored."""
        from workbench.collect.intake import Intake

        return Intake(self.repository).ingest(table, records)


class StoredTables:
    """The repository as `query.run.Tables`."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def tables(self) -> list[str]:
        return self._repository.tables()

    def schema(self, table: str) -> Schema | None:
        return self._repository.schema(table) if self._repository.has(table) else None

    def scan(self, table: str, columns: Sequence[str] | None, time_range: tuple[int | None, int | None]) -> TableScan:  # fmt: skip
        return self._repository.scan(table, columns, time_range)
