"""`%%logsearch` and `%logsearch`: a cell's text in, an answer shown; the `Result` kept on wish.

Reads the options, opens the workspace, lets the query run where an interrupt can stop it, shows what
came back. It holds no logic of its own: a query means the same here, on the command line and over HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, needs_local_scope, no_var_expand
from IPython.display import display

from workbench.base.config import default_workspace
from workbench.base.diagnostics import kernel as diagnostics
from workbench.base.diagnostics import query as query_diagnostics
from workbench.collect.searches import Search
from workbench.kernel_ext import display as shown
from workbench.kernel_ext.bind import Scope
from workbench.kernel_ext.footer import reach, seconds
from workbench.kernel_ext.options import PREVIEW_ROWS, parse_line
from workbench.query import stopping
from workbench.query.control import Control, Progress
from workbench.query.result import Result

_PROGRESS_AFTER = 1.0
_PROGRESS_EVERY = 0.5
# Names that IPython puts beside the user's own.
NOTEBOOK_NAMES = frozenset({"In", "Out", "exit", "quit", "open", "get_ipython"})


@magics_class
class LogSearch(Magics):  # type: ignore[misc]
    """The log search magic of one kernel."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._workspaces: dict[str, Any] = {}
        self._limits: WeakKeyDictionary[Result, int] = WeakKeyDictionary()

    @no_var_expand  # type: ignore[untyped-decorator]
    @needs_local_scope  # type: ignore[untyped-decorator]
    @line_cell_magic  # type: ignore[untyped-decorator]
    def logsearch(
        self, line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None
    ) -> Result | None:
        """Ask the records of your machines in KQL.

        %%logsearch [options]           shows the answer of the cell's query
        Heartbeat | summarize count() by Computer

        %logsearch [options] KQL        gives the Result: r = %logsearch Heartbeat | count

        Options
          --as NAME          keep the Result in this notebook variable
          --timespan SPAN    only records of that time: P1D, PT1H or start/end
          --limit N          rows shown (50); all rows are kept
          --sql              the cell is SQL: one SELECT over the same tables; :name is a notebook variable
          --dialect NAME     it is SQL of that dialect: postgres, tsql, spark, bigquery, …
          --explain          show how the query would run, and run nothing
          --expect N         fail the cell when there are fewer rows than that
          --load NAME        run that saved search; your text goes behind it: | where …
          --save NAME        keep the query as a saved search, then run it
          --workspace PATH   ask this workspace (folder or URL), not the default one

        Notebook variables are part of the language: a name that is no column, table or let is looked
        up in the notebook and goes in as a typed value (str, int, float, bool, datetime, timedelta,
        list, dict) or as a table (Polars, pandas, Arrow). The line below the answer says what was bound.

        Of the Result r: r.frame is a Polars DataFrame, r.chart() an Altair chart; r.columns, r.types,
        r.truncated and r.statistics tell about it; r.others are the further tables of fork and facet. 'render timechart' and the like draw.
        Interrupting the kernel stops the query; the rows that it had by then are shown and say so.
        """
        try:
            return self._search(line, cell, local_ns or {})
        except KeyboardInterrupt:
            raise query_diagnostics.interrupted() from None

    def _search(self, line: str, cell: str | None, local_ns: Mapping[str, Any]) -> Result | None:
        """What `logsearch` does; an interrupt may end it at any step."""
        options, begun = parse_line(line)
        text = begun if cell is None else f"{begun}\n{cell}" if begun else cell
        if not text.strip() and options.load is None:
            raise diagnostics.no_query()
        workspace = self.workspace(options.workspace)
        timespan, parameters = options.timespan, None
        if options.load is not None:
            search = workspace.searches.get(options.load)
            text = f"{search.query}\n{text}" if text.strip() else search.query
            timespan, parameters = timespan or search.timespan or None, search.parameters
        if options.save is not None:
            workspace.searches.save(
                Search(options.save, text, timespan=timespan or "", parameters=parameters or {})
            )
        scope = Scope([local_ns, self.shell.user_ns], NOTEBOOK_NAMES)
        if options.explain:
            plan = workspace.explain(
                text, parameters, timespan, scope, sql=options.sql, dialect=options.dialect
            )
            _send(shown.of_text(plan))
            return None
        progress = _Progress()
        try:
            result: Result = stopping.run(
                lambda: workspace.query(
                    text,
                    parameters,
                    timespan,
                    scope=scope,
                    control=progress.control,
                    sql=options.sql,
                    dialect=options.dialect,
                ),
                progress.tick,
                progress.control,
            )
        except BaseException:
            progress.finish("stopped")
            raise
        if options.name:
            self.shell.user_ns[options.name] = result
        if cell is None:
            progress.finish("done")
            self._limits[result] = options.limit
            if len(result) < options.expect:
                raise diagnostics.too_few(len(result), "rows", options.expect)
            return result
        outputs = shown.outputs(result, options.limit, options.name)
        for output in outputs:
            progress.replace(output)
        if outputs[0].values < options.expect:
            what = "values to draw" if shown.is_drawn(result) else "rows"
            raise diagnostics.too_few(outputs[0].values, what, options.expect)
        return None

    def bundle(self, result: Result) -> tuple[dict[str, Any], dict[str, Any]]:
        """A `Result` at the end of a cell: the chart, or all tables, that `%%logsearch` would show of it."""
        outputs = shown.outputs(result, self._limits.get(result, PREVIEW_ROWS))
        first = outputs[0] if shown.is_drawn(result) else shown.joined(outputs)
        return first.data, first.metadata

    def workspace(self, path: str | None) -> Any:
        """The workspace at `path`, opened once in this kernel."""
        where = path or default_workspace()
        if where not in self._workspaces:
            from workbench import workspace

            self._workspaces[where] = workspace.open(where)
        return self._workspaces[where]


class _Progress:
    """The place of the first output: how far the query is, then the answer itself."""

    def __init__(self) -> None:
        self.control = Control(progress=self._hear, keep_partial=True)
        self._heard: Progress | None = None
        self._place: str | None = None
        self._said = 0.0
        self._passed = 0.0

    def _hear(self, progress: Progress) -> None:
        self._heard = progress  # on the query's thread; the kernel's own shows it

    def tick(self, passed: float) -> None:
        """Say twice a second how far the query is; nothing is said of a short one."""
        self._passed = passed
        if passed < _PROGRESS_AFTER or passed - self._said < _PROGRESS_EVERY:
            return
        self._said = passed
        line = f"searching · {reach(self._heard, passed)} · interrupt the kernel to stop"
        if self._place is None:
            self._place = uuid4().hex
            _send(shown.of_progress(line), display_id=self._place)
        else:
            _send(shown.of_progress(line), display_id=self._place, update=True)

    def replace(self, output: shown.Output) -> None:
        """Put the output where the progress stood; the next one goes below."""
        if self._place is None:
            _send(output)
            return
        _send(output, display_id=self._place, update=True)
        self._place = None

    def finish(self, word: str) -> None:
        """Leave one last line where the progress stood, if it did."""
        if self._place is not None:
            self.replace(shown.of_progress(f"{word} after {seconds(self._passed)}"))


def _send(output: shown.Output, **how: Any) -> None:
    display(output.data, metadata=output.metadata, raw=True, **how)
