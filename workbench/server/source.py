"""What `query --stdio` asks: the workspace where there is one, and tables known by schema behind it."""

from __future__ import annotations

from workbench.base.diagnostics.repository import no_workspace
from workbench.base.errors import WorkbenchError
from workbench.query import commands
from workbench.query.result import Result
from workbench.query.run import run
from workbench.repository.tables import Repository
from workbench.server.schemas import SchemaTables, read_schemas
from workbench.server.stdio import Ask
from workbench.workspace import StoredTables


def ask_for(workspace: str, schemas: str | None) -> Ask:
    """A function that runs one query text.

    Parameters
    ----------
    workspace : str
        Folder or URL; where no workspace lies there, only the schemas are asked.
    schemas : str, optional
        A file of `{"Table": [["Column", "type"], …]}`.

    Raises
    ------
    WorkbenchError
        SRV011 when the file is no such thing.
    """
    repository = _repository(workspace)
    stored = StoredTables(repository) if repository is not None else None
    source = SchemaTables(read_schemas(schemas) if schemas else {}, stored)
    keeper = repository.functions if repository is not None else None

    def ask(text: str) -> Result:
        return commands.ask(text, source, keeper) if commands.is_command(text) else run(text, source)

    return ask


def _repository(workspace: str) -> Repository | None:
    """The repository of a workspace, or None where there is none."""
    try:
        return Repository.open(workspace)
    except WorkbenchError as error:
        if error.code == no_workspace(workspace).code:
            return None
        raise
