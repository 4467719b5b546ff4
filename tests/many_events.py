"""Rows that look like events, as many as wanted, every value by its number: of the grid's tests and its bench."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from lab_server import write_notebook

from workbench.base.dtypes import ScalarType
from workbench.repository.tables import Repository

# Enough to be interrupted in the middle on a busy machine.
SLOW_FILES, SLOW_ROWS = 40, 100_000


def events(count: int) -> pl.DataFrame:
    """A frame of so many events."""
    number = pl.int_range(count, eager=True)
    return pl.DataFrame({"n": number}).select(
        TimeGenerated=(pl.lit(1_763_900_000_000_000) + pl.col("n") * 1000).cast(pl.Datetime("us", "UTC")),
        Computer=pl.format("web{}", pl.col("n") % 7),
        Level=(pl.col("n") % 4).replace_strict({0: "Information", 1: "Warning", 2: "Error", 3: "Verbose"}),
        Number=pl.col("n"),
        Share=(pl.col("n") * 7919 % 1_000_003) / 1000,
        Message=pl.format(
            "connection {} from 10.0.{}.1 closed", pl.col("n") * 7919 % 1_000_003, pl.col("n") % 250
        ),
        Props=pl.concat_str(
            pl.lit('{"user": {"name": "user'),
            pl.col("n") % 50,
            pl.lit('", "roles": ["reader", "owner"]}, "port": '),
            pl.col("n") % 65536,
            pl.lit("}"),
        ),
    )


def fill(folder: Path, rows: int, cells: list[str]) -> None:
    """`folder/workspace` with tables `Events` and `Slow`, and `folder/files/asked.ipynb` with these cells."""
    repository = Repository.open(str(folder / "workspace"), create=True)
    repository.append("Events", events(rows), {"Props": ScalarType.DYNAMIC})
    number = pl.int_range(SLOW_ROWS, eager=True)
    for part in range(SLOW_FILES):
        texts = ((number * 7919 + part * 104_729) % 1_000_003 * 48_271).cast(pl.String)
        repository.append("Slow", pl.DataFrame({"Text": texts}))
    write_notebook(folder / "files" / "asked.ipynb", cells)
