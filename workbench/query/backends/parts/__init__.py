"""Queries over stored tables in parts: groups of files, up to the first node that needs all rows.

`in_parts(plan)` runs what can run over some files at a time and gives the plan of what is left, over the rows
that were found. So a query tells how far it is, stops within a part, keeps what it has when it is stopped,
and reads no further where the rest cannot matter. The rows are those of a run in one go.
"""

from __future__ import annotations

from workbench.query.backends.parts.breakers import in_parts
from workbench.query.backends.parts.files import Tally

__all__ = ["Tally", "in_parts"]
