"""`--cache`: the rows of an earlier cell that asked the same of the same records, and since when they are known.

A kept result answers again while its plan, the values in it and the versions of all tables that it reads are
the same. Relative times count as the same, so the footer always says since when the rows are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from workbench.base.errors import WorkbenchError
from workbench.kernel_ext.live import kept_of
from workbench.kernel_ext.options import Options
from workbench.kernel_ext.widgets.kept import Asked, new_id
from workbench.query.commands import is_command
from workbench.query.fingerprint import fingerprint
from workbench.query.result import Result


def key_of(workspace: Any, asked: Asked, options: Options, scope: Callable[[str], Any]) -> str:
    """What a kept result has to have to answer this cell; "" where nothing may.

    Raises
    ------
    WorkbenchError
        KQL… where the text is wrong.
    """
    if not asked.sql and is_command(asked.query):
        return ""
    same = fingerprint(
        asked.query, workspace.source, parameters=asked.parameters, timespan=asked.timespan or None, scope=scope,
        sql=options.sql, dialect=options.dialect,
    )  # fmt: skip
    repository = workspace.repository
    digest = hashlib.sha256(same.key.encode())
    for table in same.tables:
        # Rows that are acknowledged and in no version yet are counted.
        digest.update(f"{table}\0{repository.version(table)}\0{repository.facts(table).rows}\0".encode())
    return digest.hexdigest()


def cached(where: str, key: str) -> tuple[Result, Asked] | None:
    """The newest kept result of a key."""
    kept = kept_of(where)
    name = kept.of_key(key) if key else None
    try:
        return None if name is None else kept.load(name)
    except WorkbenchError:
        return None  # another kernel made room just now


def keep(where: str, result: Result, asked: Asked) -> None:
    """Keep a whole result for the next cell that asks the same."""
    if asked.cache_key and not result.partial and not result.truncated and not result.others:
        kept_of(where).save(new_id(), result, asked)
