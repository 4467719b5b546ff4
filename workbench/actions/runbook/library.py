"""The runbooks of a workspace: notebooks in versions, one of them published, perhaps a draft beside it.

In go notebooks, out come `Runbook` values. Each published version stays, so that a job that runs again runs the same
notebook. Must not run one.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from workbench.actions.runbook.declaration import Parameter, declared
from workbench.base import clock
from workbench.base.diagnostics import jobs as diagnostics

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData, Table

    from workbench.base.database import Database

MOST_BYTES = 4 << 20
"""Of a notebook."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True, slots=True)
class Runbook:
    """One version of a runbook.

    Attributes
    ----------
    name, version : str, int
        Versions count from 1.
    published : bool
        Whether this is the version that starts run.
    notebook : dict
        nbformat 4, without outputs.
    changed : int
        µs since 1970.
    description : str
        The first line of its first text cell.
    """

    name: str
    version: int
    published: bool
    notebook: dict[str, Any]
    changed: int
    description: str

    @property
    def parameters(self) -> list[Parameter]:
        """What it declares."""
        return declared(self.notebook)


class Library:
    """The runbooks in a control database.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from workbench.base.database import Database
    >>> library = Library(Database.open(Path(tempfile.mkdtemp())))
    >>> notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
    >>> library.bring("clean", notebook).version, library.published("clean").version
    (1, 1)
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        database.ensure(_schema()[0])

    def bring(self, name: str, notebook: Any, *, draft: bool = False) -> Runbook:
        """Bring a notebook in as the next version; the same again stays the version that it is.

        Parameters
        ----------
        name : str
            Letters, digits, `_`, `.`, `-`; at most 100.
        notebook : dict
            Of nbformat 4. Its outputs are left out.
        draft : bool
            Do not publish it.

        Raises
        ------
        WorkbenchError
            JOB107 when its parameters can't be read, JOB203 when it is no notebook.
        """
        if not _NAME.fullmatch(name):
            raise diagnostics.not_a_notebook(
                repr(name), "a name has letters, digits, '_', '.' and '-', at most 100"
            )
        text = json.dumps(_cleaned(name, notebook), sort_keys=True)
        if len(text) > MOST_BYTES:
            raise diagnostics.not_a_notebook(name, f"it has {len(text):,} bytes, the most is {MOST_BYTES:,}")
        declared(notebook)
        digest = hashlib.sha256(text.encode()).hexdigest()
        versions = _schema()[1]
        with self._database.begin() as connection:
            newest = self._newest(connection, name)
            if newest is None or newest.digest != digest:
                number = 1 if newest is None else newest.version + 1
                values = {"name": name, "version": number, "digest": digest, "notebook": text}
                connection.execute(
                    versions.insert().values(published=False, changed=clock.now_us(), **values)
                )
            if not draft:
                self._publish(connection, name)
            found = self._newest(connection, name)
        return _runbook(found)

    def publish(self, name: str) -> Runbook:
        """Publish the newest version; raises JOB201, JOB204 when it is published already."""
        with self._database.begin() as connection:
            newest = self._newest(connection, name)
            if newest is None:
                raise diagnostics.no_such_runbook(name, self._names(connection))
            if newest.published:
                raise diagnostics.nothing_to_publish(name)
            self._publish(connection, name)
            found = self._newest(connection, name)
        return _runbook(found)

    def published(self, name: str) -> Runbook:
        """The version that starts run; raises JOB201, JOB202."""
        versions = _schema()[1]
        with self._database.read() as connection:
            found = connection.execute(
                versions.select().where(versions.c.name == name, versions.c.published)
            ).one_or_none()
            if found is None and self._newest(connection, name) is not None:
                raise diagnostics.not_published(name)
            if found is None:
                raise diagnostics.no_such_runbook(name, self._names(connection))
        return _runbook(found)

    def version(self, name: str, number: int) -> Runbook:
        """A version, published or not; raises JOB201."""
        versions = _schema()[1]
        with self._database.read() as connection:
            found = connection.execute(
                versions.select().where(versions.c.name == name, versions.c.version == number)
            ).one_or_none()
            if found is None:
                raise diagnostics.no_such_runbook(f"{name} version {number}", self._names(connection))
        return _runbook(found)

    def all(self) -> list[Runbook]:
        """Of each runbook the published version, else its newest; by name."""
        versions = _schema()[1]
        with self._database.read() as connection:
            rows = connection.execute(versions.select().order_by(versions.c.name, versions.c.version)).all()
        chosen: dict[str, Any] = {}
        for row in rows:
            if row.name not in chosen or not chosen[row.name].published:
                chosen[row.name] = row
        return [_runbook(row) for row in chosen.values()]

    def _newest(self, connection: Connection, name: str) -> Any:
        versions = _schema()[1]
        wanted = versions.select().where(versions.c.name == name).order_by(versions.c.version.desc())
        return connection.execute(wanted.limit(1)).one_or_none()

    def _publish(self, connection: Connection, name: str) -> None:
        versions = _schema()[1]
        newest = self._newest(connection, name)
        of_it = versions.update().where(versions.c.name == name)
        connection.execute(of_it.values(published=False))
        connection.execute(of_it.where(versions.c.version == newest.version).values(published=True))

    def _names(self, connection: Connection) -> list[str]:
        versions = _schema()[1]
        return list(connection.scalars(versions.select().with_only_columns(versions.c.name).distinct()))


def _cleaned(name: str, notebook: Any) -> dict[str, Any]:
    """A notebook as it is kept: valid, without outputs and without what an earlier run left."""
    import nbformat

    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
        raise diagnostics.not_a_notebook(name, "it is no notebook of nbformat 4")
    try:
        copy = json.loads(json.dumps(notebook))
        for number, cell in enumerate(copy["cells"]):
            # A made-up id would make the same notebook another version each time.
            cell.setdefault("id", f"cell-{number}")
        copy["nbformat_minor"] = max(5, copy["nbformat_minor"])
        found = nbformat.v4.upgrade(nbformat.from_dict(copy))
        found.cells = [c for c in found.cells if "injected-parameters" not in (c.metadata.get("tags") or ())]
        for cell in found.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        found.metadata.pop("papermill", None)
        nbformat.validate(found)
    except (nbformat.ValidationError, AttributeError, KeyError, TypeError, ValueError, RecursionError) as why:
        raise diagnostics.not_a_notebook(name, " ".join(str(why).split())[:200]) from None
    cleaned: dict[str, Any] = json.loads(json.dumps(found))
    return cleaned


def _runbook(row: Any) -> Runbook:
    notebook = json.loads(row.notebook)
    return Runbook(row.name, row.version, bool(row.published), notebook, row.changed, _described(notebook))


def _described(notebook: dict[str, Any]) -> str:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            source = cell["source"]
            text = "".join(source) if isinstance(source, list) else source
            return next((line.lstrip("# ").strip() for line in text.split("\n") if line.strip("# ")), "")
    return ""


@cache
def _schema() -> tuple[MetaData, Table]:
    import sqlalchemy as sa

    metadata = sa.MetaData()
    table = sa.Table(
        "runbook_versions",
        metadata,
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("published", sa.Boolean, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("notebook", sa.Text, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
    )
    return metadata, table
