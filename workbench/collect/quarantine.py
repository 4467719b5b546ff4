"""What could not be stored: rows of `_Quarantine` with their reason and their original bytes.

In go refusals, out comes a frame for the table. Must not decide what is refused, nor store it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from workbench.base.dtypes import ScalarType
from workbench.base.errors import WorkbenchError

TABLE = "_Quarantine"
TYPES = {
    "Table": ScalarType.STRING,
    "Reason": ScalarType.STRING,
    "Code": ScalarType.STRING,
    "Source": ScalarType.STRING,
    "Line": ScalarType.LONG,
    "Original": ScalarType.STRING,
    "Encoding": ScalarType.STRING,
}


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that is kept aside.

    Attributes
    ----------
    table : str
        The table it was meant for.
    why : WorkbenchError
        Its code and sentence are stored.
    source : str
        The file, archive member or sender it came from.
    line : int or None
        From 1; None where the source has no lines.
    original : bytes
        What was received.
    """

    table: str
    why: WorkbenchError
    source: str
    line: int | None
    original: bytes


def encoded(original: bytes) -> tuple[str, str]:
    """The bytes as text, and how: `utf-8` where they are UTF-8, else `base64`.

    Examples
    --------
    >>> encoded(b"a"), encoded(b"\\xff")
    (('a', 'utf-8'), ('/w==', 'base64'))
    """
    try:
        return original.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return base64.b64encode(original).decode("ascii"), "base64"


def frame_of(rows: Sequence[Refused]) -> pl.DataFrame:
    """The rows of `_Quarantine` for these refusals; `TimeGenerated` is left to the intake's clock."""
    texts = [encoded(row.original) for row in rows]
    return pl.DataFrame(
        {
            "Table": [row.table for row in rows],
            "Reason": [row.why.message for row in rows],
            "Code": [row.why.code for row in rows],
            "Source": [row.source for row in rows],
            "Line": pl.Series([row.line for row in rows], dtype=pl.Int64),
            "Original": [text for text, _ in texts],
            "Encoding": [encoding for _, encoding in texts],
        }
    )
