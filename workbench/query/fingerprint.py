"""What makes two questions the same: their plans, with the values that were bound in, but not the moment of asking.

In goes what `run` takes, out comes a hash and the stored tables that the plan reads; the plan is bound, not run.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

import polars as pl

from workbench.base import clock
from workbench.query.frames import Tables
from workbench.query.plan import Scan, walk
from workbench.query.runner import Runner

_NOT_MEANING = frozenset({"span", "number"})


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """`key` is equal for texts that ask the same, `tables` are the stored ones that they read."""

    key: str
    tables: tuple[str, ...]


def fingerprint(
    text: str,
    source: Tables,
    *,
    parameters: Mapping[str, Any] | None = None,
    timespan: str | None = None,
    scope: Callable[[str], Any] | None = None,
    sql: bool = False,
    dialect: str | None = None,
) -> Fingerprint:
    """The fingerprint of a query: layout, comments and the time of the clock make no difference, values do.

    Examples
    --------
    >>> from workbench.query.frames import FrameTables
    >>> tables = FrameTables({})
    >>> one = fingerprint("print n = ago(1h) // now", tables)
    >>> one == fingerprint("print  n=ago(1h)", tables), one == fingerprint("print n = ago(2h)", tables)
    (True, False)
    """
    runner = Runner(source, scope, parameters)
    with clock.frozen(0):
        bound = runner.bind(text, None, sql, dialect)
    digest = hashlib.sha256()
    for part in (bound.rel, bound.render, timespan):
        for said in _said(part):
            digest.update(said)
            digest.update(b"\0")
    tables = sorted({node.table for node in walk(bound.rel) if isinstance(node, Scan)})
    return Fingerprint(digest.hexdigest(), tuple(tables))


def _said(value: Any) -> Iterator[bytes]:
    """A plan in bytes: every node with its fields, tables by their rows."""
    if isinstance(value, pl.DataFrame):
        rows = io.BytesIO()
        value.write_ipc(rows)
        yield rows.getvalue()
    elif isinstance(value, Enum):
        yield repr(value).encode()
    elif is_dataclass(value):
        yield type(value).__name__.encode()
        for field in fields(value):
            if field.name not in _NOT_MEANING:
                yield from _said(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        yield f"({len(value)}".encode()
        for part in value:
            yield from _said(part)
    elif isinstance(value, Mapping):
        yield from _said(sorted(value.items(), key=repr))
    else:
        yield repr(value).encode()
