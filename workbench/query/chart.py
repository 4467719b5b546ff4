"""A result as a chart, for the cell, for mail and for export: `Result` in, Altair chart out.

Few points whatever the size of the result, no network, and a `description` for those who can't see it.
The steps lie in `charts/`; this module is what others call.
"""

from __future__ import annotations

from typing import Any

from workbench.query.charts.draw import draw
from workbench.query.charts.look import compiled, for_host, picture, pixels
from workbench.query.charts.shape import shape_of
from workbench.query.result import Result

__all__ = ["chart", "compiled", "for_host", "marks_of", "notes_of", "picture", "pixels", "summary"]


def chart(result: Result) -> Any:
    """The result as an `altair.Chart`, `LayerChart` or, of panels, `VConcatChart`.

    By the `render` of the query; without one by the columns: time and numbers make a timechart, text
    and numbers a columnchart, two numbers a scatterchart, one row of numbers a card.

    Parameters
    ----------
    result : Result

    Returns
    -------
    altair.Chart, altair.LayerChart or altair.VConcatChart

    Raises
    ------
    WorkbenchError
        LAB201 to LAB207: no such kind, property or column, or nothing to draw.

    Examples
    --------
    >>> import polars as pl
    >>> from workbench.base.dtypes import Column, ScalarType
    >>> r = Result(pl.DataFrame({"host": ["a", "b"], "count_": [3, 5]}),
    ...            (Column("host", ScalarType.STRING), Column("count_", ScalarType.LONG)))
    >>> marks_of(chart(r))
    2
    """
    return draw(shape_of(result))


def marks_of(chart: Any) -> int:
    """How many values a chart of `chart()` draws (after thinning)."""
    return int(_meta(chart).get("marks", 0))


def notes_of(chart: Any) -> list[str]:
    """What a reader of the chart has to know: rows left out, points put together."""
    return [str(note) for note in _meta(chart).get("notes", [])]


def summary(chart: Any) -> str:
    """The chart in one line of text, for hosts that draw nothing."""
    meta = _meta(chart)
    if not meta:
        return type(chart).__name__
    return f"{meta['about']}, {meta['marks']:,} values"


def _meta(chart: Any) -> dict[str, Any]:
    found = getattr(chart, "usermeta", None)
    meta = found.get("workbench", {}) if isinstance(found, dict) else {}
    return dict(meta)
