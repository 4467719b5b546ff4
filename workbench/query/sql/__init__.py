"""SQL texts over the same tables: read by sqlglot, bound into the same plan nodes as KQL.

`binding.bind` is the door; nothing here runs a plan, and sqlglot is loaded only when a SQL text is asked.
"""

from __future__ import annotations


def tree(text: str, dialect: str | None = None) -> str:
    """The syntax tree of a SQL text, as `--explain` prints it."""
    from workbench.query.sql.reader import read

    return repr(read(text, dialect))
