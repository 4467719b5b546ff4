"""The line below an answer: how much of it is shown, what it took, what it used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from workbench.kernel_ext.cells import duration, printable
from workbench.query.control import Progress
from workbench.query.result import Result

_ESTIMATE_AFTER = 10.0


def seconds(value: float) -> str:
    """Time taken, in two digits.

    Examples
    --------
    >>> seconds(0.1234), seconds(0.0004), seconds(75)
    ('0.12 s', '<0.01 s', '1 min 15 s')
    """
    if value < 0.01:
        return "<0.01 s"
    if value < 60:
        return f"{value:.2g} s" if value < 10 else f"{value:.0f} s"
    return duration(dt.timedelta(seconds=round(value)))


def reach(progress: Progress | None, passed: float) -> str:
    """How far a running query is; over ten seconds also how long it may still take.

    Examples
    --------
    >>> reach(None, 2.04), reach(Progress(12, 64, 0, 1.2), 1.24), reach(Progress(16, 64, 0, 20), 20)
    ('2 s', '12 of 64 files · 1.2 s', '16 of 64 files · 20 s, about 1 min more')
    """
    if progress is None or not progress.files_total:
        return seconds(passed)
    if progress.files_done == progress.files_total:
        return f"all {progress.files_total:,} files read · {seconds(passed)}"
    said = f"{progress} · {seconds(passed)}"
    if passed < _ESTIMATE_AFTER or not progress.files_done:
        return said
    left = progress.seconds * (progress.files_total / progress.files_done - 1)
    return f"{said}, about {seconds(left)} more"


def parts(result: Result, shown: int | None, name: str | None = None, notes: Sequence[str] = ()) -> list[str]:
    """The parts of the footer in order; `shown` is None under a chart.

    Examples
    --------
    >>> import polars as pl
    >>> from workbench.base.dtypes import Column, ScalarType
    >>> r = Result(pl.DataFrame({"n": [1, 2]}), (Column("n", ScalarType.LONG),))
    >>> parts(r, 2)
    ['rows 2 of 2', '<0.01 s']
    """
    total = len(result)
    if not total:
        found = ["no rows"]
    else:
        of = in_all(result)
        found = [f"drawn from {of} rows" if shown is None else f"rows {shown:,} of {of}"]
    found += rest(result, name)
    if result.name:
        found.insert(0, printable(result.name))
    return [*found, *notes, *(printable(w) for w in result.statistics.warnings)]


def in_all(result: Result) -> str:
    """How many rows there are, as far as that is known."""
    total = len(result)
    return (f"more than {total:,}" if result.truncated else f"{total:,}") + (
        " found" if result.partial else ""
    )


def rest(result: Result, name: str | None = None) -> list[str]:
    """What the footer says behind the rows: whether all are there, time, files, what was bound."""
    found = []
    if result.truncated:
        found.append(f"truncated: cut after {len(result):,} rows")
    if result.partial:
        found.append(result.partial_note)
    took = result.statistics
    found.append(seconds(took.seconds))
    if took.files_total:
        found.append(f"files {took.files_read:,} of {took.files_total:,} read")
    if took.bound:
        found.append("bound: " + ", ".join(f"{printable(n)} ({kind})" for n, kind in took.bound))
    if name:
        found.append(f"kept as {name}")
    return found


def line(of: Sequence[str]) -> str:
    return " · ".join(of)
