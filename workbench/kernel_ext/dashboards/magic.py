"""`%dashboard FILE`: the dashboard that a text file describes, in this notebook."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from html import escape
from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.display import display

from workbench.base.diagnostics import dashboards as diagnostics


@magics_class
class Dashboards(Magics):  # type: ignore[misc]
    """The dashboard magic of one kernel."""

    def __init__(self, shell: Any, workspace: Callable[[str | None], Any]) -> None:
        super().__init__(shell)
        self._workspace = workspace

    @no_var_expand  # type: ignore[untyped-decorator]
    @line_magic  # type: ignore[untyped-decorator]
    def dashboard(self, line: str) -> None:
        """Show the dashboard of a YAML file: %dashboard this_machine.yaml [--workspace PATH]

        Its parameters are notebook variables: one that is there gives the first value, a choice in the form
        changes it. A click on a tile puts the search behind it into a new cell and runs it.
        """
        from workbench.kernel_ext.dashboards import spec
        from workbench.kernel_ext.dashboards.board import Board
        from workbench.kernel_ext.dashboards.exporting import fragment

        try:
            words = shlex.split(line)
        except ValueError:
            words = []
        workspace = None
        if len(words) == 3 and words[1] == "--workspace":
            words, workspace = words[:1], words[2]
        if len(words) != 1:
            raise diagnostics.no_file(line.strip() or "", "write %dashboard FILE.yaml [--workspace PATH]")
        board = Board(self._workspace(workspace), spec.load(words[0]), self.shell.user_ns)
        view = board.widget._repr_mimebundle_()
        place = display(view, raw=True, display_id=True)
        board.refresh()
        # Where there is no kernel behind it any more, the same tiles are still read.
        title = escape(board.dashboard.title)
        place.update({**view, "text/html": fragment(board), "text/plain": f"dashboard: {title}"}, raw=True)
