"""`%%logsearch` and `%logsearch`: a cell's text in, an answer shown; the `Result` kept on wish.

Reads the options, opens the workspace, lets the query run where an interrupt can stop it, shows what
came back. It holds no logic of its own: a query means the same here, on the command line and over HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary

from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class, needs_local_scope, no_var_expand

from workbench.base import clock
from workbench.base.config import default_workspace
from workbench.base.diagnostics import kernel as diagnostics
from workbench.base.diagnostics import query as query_diagnostics
from workbench.collect.searches import Search
from workbench.kernel_ext import display as shown
from workbench.kernel_ext import result_cache
from workbench.kernel_ext.bind import Scope, timespan_of
from workbench.kernel_ext.history import History
from workbench.kernel_ext.live import Live, kept_of
from workbench.kernel_ext.options import Options, parse_line
from workbench.kernel_ext.progress import Place, send
from workbench.kernel_ext.widgets.kept import Asked, cached_since, kept_since
from workbench.query import stopping
from workbench.query.control import Control, Limits
from workbench.query.result import Result

_LONGEST_AGAIN = 120.0  # seconds of a query that the browser asks for: no interrupt reaches it
# Names that IPython puts beside the user's own.
NOTEBOOK_NAMES = frozenset({"In", "Out", "exit", "quit", "open", "get_ipython"})


@magics_class
class LogSearch(Magics):  # type: ignore[misc]
    """The log search magic of one kernel."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._workspaces: dict[str, Any] = {}
        self._shown: WeakKeyDictionary[Result, tuple[Options, Asked]] = WeakKeyDictionary()
        self.live = Live(self._again, self._ask)
        self.history = History(self.workspace)

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
          --timespan SPAN    only records of that time: P1D, PT1H, start/end, or a variable with one of these
          --limit N          rows shown (50); all rows are kept
          --sql              the cell is SQL: one SELECT over the same tables; :name is a notebook variable
          --dialect NAME     it is SQL of that dialect: postgres, tsql, spark, bigquery, …
          --explain          show how the query would run, and run nothing
          --expect N         fail the cell when there are fewer rows than that
          --load NAME        run that saved search; your text goes behind it: | where …
          --save NAME        keep the query as a saved search, then run it
          --cache            rows found earlier will do while no record is new; the footer says since when
          --show ID          show a result again that is kept, also after a restart; its id stands in the footer
          --alert NAME       make the query an alert rule of the running service, or give it to the rule of that name
          --when CONDITION   of that rule: when it fires, such as 'count > 10' or 'average(CounterValue) > 90'
          --every SPAN       of that rule: how often it is evaluated (5m)
          --over SPAN        of that rule: how far back each evaluation looks
          --split COLUMNS    of that rule: what is watched apart, such as 'Computer, Account'
          --severity NAME    of that rule: Critical, Error, Warning, Informational or Verbose
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
        if options.show is not None:
            self._show_again(options, options.show)
            return None
        text = begun if cell is None else f"{begun}\n{cell}" if begun else cell
        if not text.strip() and options.load is None:
            raise diagnostics.no_query()
        workspace = self.workspace(options.workspace)
        namespaces = [local_ns, self.shell.user_ns]
        timespan, parameters = timespan_of(options.timespan, namespaces), None
        if options.load is not None:
            search = workspace.searches.get(options.load)
            text = f"{search.query}\n{text}" if text.strip() else search.query
            timespan, parameters = timespan or search.timespan or None, search.parameters
        if options.save is not None:
            workspace.searches.save(
                Search(options.save, text, timespan=timespan or "", parameters=parameters or {})
            )
        if options.alert is not None:
            from workbench.kernel_ext import alert_cell

            alert_cell.make(options, text, parameters or {}, workspace)
            return None
        scope = Scope(namespaces, NOTEBOOK_NAMES)
        if options.explain:
            plan = workspace.explain(
                text, parameters, timespan, scope, sql=options.sql, dialect=options.dialect
            )
            send(shown.of_text(plan))
            return None
        asked = Asked(
            line,
            cell or "",
            text,
            timespan or "",
            options.sql or options.dialect is not None,
            parameters=dict(parameters or {}),
        )
        place = Place()
        where = options.workspace or default_workspace()
        self.history.before(where, text)
        try:
            with self.history.noting(where, text, asked.timespan, sql=asked.sql) as note:
                if options.cache:
                    asked = replace(asked, cache_key=result_cache.key_of(workspace, asked, options, scope))
                earlier = result_cache.cached(where, asked.cache_key)
                result: Result = (
                    earlier[0]
                    if earlier
                    else stopping.run(
                        lambda: self._query(asked, options, scope, place.control), place.tick, place.control
                    )
                )
                note.answered(result)
        except BaseException:
            place.finish("stopped")
            raise
        since = cached_since(earlier[1]) if earlier else ""
        if not earlier:
            result_cache.keep(where, result, asked)
        if options.name:
            self.shell.user_ns[options.name] = result
        if cell is None:
            place.finish("done")
            self._shown[result] = (options, asked)
            if len(result) < options.expect:
                raise diagnostics.too_few(len(result), "rows", options.expect)
            return result
        outputs = self._outputs(result, asked, options, place.name, since)
        place.fill(outputs)
        if outputs[0].values < options.expect:
            what = "values to draw" if shown.is_drawn(result) else "rows"
            raise diagnostics.too_few(outputs[0].values, what, options.expect)
        return None

    def _query(self, asked: Asked, options: Options, scope: Scope, control: Control) -> Result:
        """Run what was asked; on any thread."""
        result: Result = self.workspace(options.workspace).query(
            asked.query, asked.parameters or None, asked.timespan or None, scope=scope, control=control,
            sql=options.sql, dialect=options.dialect,
        )  # fmt: skip
        return result

    def _outputs(
        self, result: Result, asked: Asked, options: Options, display: str = "", note: str = ""
    ) -> list[shown.Output]:
        """What is shown of a result, and grids told of its tables."""
        where = options.workspace or default_workspace()
        # The grid below a chart has no place of its own that another answer could take.
        ids = self.live.place(result, asked, where, "" if shown.is_drawn(result) else display, note)
        notes = [note] if note else []
        if ids:
            notes.append(f"result {ids[0]}")
        return shown.outputs(result, options.limit, options.name, notes, ids)

    def _show_again(self, options: Options, name: str) -> None:
        """Show a kept result."""
        where = options.workspace or default_workspace()
        result, asked = kept_of(where).load(name)
        if options.name:
            self.shell.user_ns[options.name] = result
        place = Place()
        place.fill(self._outputs(result, asked, options, place.name, kept_since(asked)))

    def _again(self, asked: Asked, place: str, timespan: str) -> None:
        """Run a cell for another time and put what comes in its place; on the thread that hears the browser."""
        options, _ = parse_line(asked.line)
        now = replace(asked, timespan=timespan, made=clock.now_us())
        target = Place(place)
        target.control.limits = Limits(seconds=_LONGEST_AGAIN)
        scope = Scope([self.shell.user_ns], NOTEBOOK_NAMES)
        where = options.workspace or default_workspace()
        with self.history.noting(where, now.query, timespan, sql=now.sql) as note:
            result = self._query(now, options, scope, target.control)
            note.answered(result)
        target.fill(self._outputs(result, now, options, place))

    def _ask(self, workspace: str, text: str, parameters: Mapping[str, Any]) -> Result:
        """Answer a query that a grid makes."""
        result: Result = self.workspace(workspace).query(text, parameters)
        return result

    def bundle(self, result: Result) -> tuple[dict[str, Any], dict[str, Any]]:
        """A `Result` at the end of a cell: the chart, or all tables, that `%%logsearch` would show of it."""
        options, asked = self._shown.get(result, (Options(), Asked(query=result.query)))
        outputs = self._outputs(result, asked, options)
        first = outputs[0] if shown.is_drawn(result) else shown.joined(outputs)
        return first.data, first.metadata

    def workspace(self, path: str | None) -> Any:
        """The workspace at `path`, opened once in this kernel."""
        where = path or default_workspace()
        if where not in self._workspaces:
            from workbench import workspace

            self._workspaces[where] = workspace.open(where)
        return self._workspaces[where]
