"""DuckDB runs a plan: registers what the query reads, runs its SQL, gives the rows in canonical forms.

duckdb is an extra of the package; it is loaded by the first query that asks for it.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

import polars as pl

from workbench.base.diagnostics import query as diagnostics
from workbench.query.backends.polars import Source
from workbench.query.backends.sql import operators as _operators  # noqa: F401
from workbench.query.backends.sql import per_group as _per_group  # noqa: F401
from workbench.query.backends.sql import relations as _relations  # noqa: F401
from workbench.query.backends.sql import stored as _stored  # noqa: F401
from workbench.query.backends.sql import unnest as _unnest  # noqa: F401
from workbench.query.backends.sql.context import DUCKDB, ENGINES, Engine, Evaluate, SqlContext
from workbench.query.backends.sql.texts import printed
from workbench.query.control import Control
from workbench.query.functions.values import POLARS_TYPES
from workbench.query.plan import Rel

_EVERY = 0.1  # seconds between two looks at whether the query has to stop
# What the trees rely on: the same on every machine, and no call of the network.
_CONFIG = {
    "ieee_floating_point_ops": True, "error_on_division_by_zero": False,
    "default_null_order": "nulls_last", "preserve_insertion_order": False, "python_enable_replacements": False,
    "autoinstall_known_extensions": False, "autoload_known_extensions": False,
}  # fmt: skip


def lowered(rel: Rel, source: Source, engine: Engine = DUCKDB, evaluate: Evaluate | None = None) -> tuple[str, SqlContext]:  # fmt: skip
    """The SQL text of a rewritten plan, and what it reads.

    Raises
    ------
    WorkbenchError
        KQL306: something in the plan can't be said in SQL.
    """
    context = SqlContext(source, engine, evaluate)
    return printed(context.query(rel), engine), context


def engine(name: str) -> Engine:
    """The engine of that name; KQL308 where there is none that reads SQL."""
    found = ENGINES.get(name)
    if found is None:
        raise diagnostics.unknown_engine(name, ("polars", *ENGINES))
    return found


def check(name: str) -> None:
    """KQL307, KQL308 unless queries can be run on the engine of that name."""
    if engine(name) is not DUCKDB:
        raise diagnostics.not_run_here(name)


def run(
    rel: Rel, source: Source, control: Control, evaluate: Evaluate | None = None
) -> tuple[pl.DataFrame, SqlContext]:
    """The rows of a rewritten plan, columns in canonical form and in the order of its schema.

    Raises
    ------
    WorkbenchError
        KQL306 (not sayable), KQL307 (no duckdb), KQL301 (it stopped), KQL303 to KQL305 (had to stop).
    """
    text, context = lowered(rel, source, evaluate=evaluate)
    with _database().cursor() as connection:
        for name, lazy in context.frames.items():
            connection.register(name, lazy.collect())
        found = _watched(connection, text, control)
    if not rel.schema:
        return pl.DataFrame({"__row": [0] * found.height}), context
    columns = [pl.col(context.name(c.name)).cast(POLARS_TYPES[c.type]).alias(c.name) for c in rel.schema]
    return found.select(columns), context


@cache
def _database() -> Any:
    """The one database of this process, which holds nothing: each query has a connection of its own to it."""
    try:
        import duckdb
    except ImportError:
        raise diagnostics.no_engine("--on duckdb", "duckdb", "pip install 'workbench[sql]'") from None
    database = duckdb.connect(config=_CONFIG)
    database.execute("SET GLOBAL TimeZone = 'UTC'")
    return database


def _watched(connection: Any, text: str, control: Control) -> pl.DataFrame:
    """Run the text while another thread watches the limits, and stops the query where one is reached."""
    import duckdb

    done = threading.Event()

    def watch() -> None:
        while not done.wait(_EVERY):
            if control.reason() is not None:
                connection.interrupt()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        table = connection.sql(text).to_arrow_table()
    except duckdb.Error as error:
        control.check()
        raise diagnostics.run_failed(str(error).split("\n")[0]) from error
    finally:
        done.set()
        watcher.join()
    found = pl.from_arrow(table)
    assert isinstance(found, pl.DataFrame)
    return found
