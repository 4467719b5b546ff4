"""What `query --stdio` asks: the workspace where there is one, and tables known by schema behind it."""

from __future__ import annotations

from workbench.base.diagnostics.repository import no_workspace
from workbench.base.errors import WorkbenchError
from workbench.query.run import Tables, run
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
    source = SchemaTables(read_schemas(schemas) if schemas else {}, _stored(workspace))
    return lambda text: run(text, source)


def _stored(workspace: str) -> Tables | None:
    """The tables of a workspace, or None where there is none."""
    try:
        repository = Repository.open(workspace)
    except WorkbenchError as error:
        if error.code == no_workspace(workspace).code:
            return None
        raise
    return StoredTables(repository)
