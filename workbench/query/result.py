"""What a query gives back: the rows, what they are, what it took, what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.base.dtypes import Schema

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a query took.

    `seconds` is wall time from text to frame; `files_total` counts the data files of the scanned
    tables, `files_read` those that were not skipped; `bound` lists the notebook names that were
    bound as parameters or tables (name, KQL type or `table`); `warnings` are whole sentences about
    what the rows do not show (outside data that was not read).
    """

    seconds: float = 0.0
    files_total: int = 0
    files_read: int = 0
    bound: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Render:
    """The `render` operator of a query: a kind and its `with (…)` properties, names as written."""

    kind: str
    properties: Mapping[str, Any] = field(default_factory=dict)


class Result:
    """Rows of a query.

    Attributes
    ----------
    frame : polars.DataFrame
        All rows that were kept; datetime is `Datetime("us", "UTC")`, timespan `Duration("us")`,
        dynamic is JSON text, guid is text.
    schema : tuple of Column
        KQL names and types, in order.
    truncated : bool
        Whether the row cap cut the result (`total` then is None: not counted).
    partial : bool
        Whether the query was stopped and these are the rows that it had until then; `partial_note`
        then says how far it was, and why it stopped.
    render : Render or None
    statistics : Statistics
    query : str
        The text that was asked.
    name : str or None
        What the query calls this table, where it gives several.
    others : tuple of Result
        The other tables of a query that gives several (`fork`, `facet`), in order; they share
        `query` and `statistics`.
    """

    def __init__(
        self,
        frame: pl.DataFrame,
        schema: Schema,
        *,
        query: str = "",
        truncated: bool = False,
        render: Render | None = None,
        statistics: Statistics | None = None,
        exact: pl.DataFrame | None = None,
        name: str | None = None,
        others: Sequence[Result] = (),
        partial_note: str = "",
    ) -> None:
        self.frame = frame
        self.schema = schema
        self.query = query
        self.truncated = truncated
        self.partial_note = partial_note
        self.render = render
        self.statistics = statistics or Statistics()
        self.name = name
        self.others = tuple(others)
        self._exact = exact

    @property
    def partial(self) -> bool:
        return bool(self.partial_note)

    @property
    def exact(self) -> pl.DataFrame:
        """The same rows with datetime and timespan as Int64 ticks of 100 ns (for the wire)."""
        return self.frame if self._exact is None else self._exact

    @property
    def tables(self) -> tuple[Result, ...]:
        """All tables of the answer, this one first."""
        return (self, *self.others)

    @property
    def lazy(self) -> pl.LazyFrame:
        return self.frame.lazy()

    @property
    def columns(self) -> list[str]:
        return [c.name for c in self.schema]

    @property
    def types(self) -> list[str]:
        return [c.type.value for c in self.schema]

    def __len__(self) -> int:
        return self.frame.height

    def chart(self) -> Any:
        """The result as an `altair.Chart`, by its `render` operator or by its shape."""
        from workbench.query.chart import chart

        return chart(self)
