"""Results that stay alive under the cell that showed them: ids for their tables, a desk that answers the grids.

Without a front end that knows widgets, results are shown as HTML and nothing is held or kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.base.config import state_folder
from workbench.query.result import Result

if TYPE_CHECKING:
    from workbench.kernel_ext.widgets.desk import Desk
    from workbench.kernel_ext.widgets.kept import Asked, Kept


class Live:
    """The open results of one kernel.

    Parameters
    ----------
    again : callable
        See `widgets.desk.Desk`.
    ask : callable
        Likewise.
    """

    def __init__(
        self,
        again: Callable[[Asked, str, str], None],
        ask: Callable[[str, str, Mapping[str, Any]], Result],
    ) -> None:
        self._again, self._ask = again, ask
        self._desk: Desk | None = None
        self._grids: Any = None

    @property
    def wanted(self) -> bool:
        """Whether somebody looks on with a front end that knows widgets."""
        from workbench.kernel_ext.widgets import host

        return host.is_wanted()

    @property
    def desk(self) -> Desk:
        """The desk, and with it the channel to the browser."""
        if self._desk is None:
            from workbench.kernel_ext.widgets.desk import Desk, notebook_of
            from workbench.kernel_ext.widgets.host import Grids

            self._desk = Desk(self._again, self._ask, kept_of, notebook_of())
            self._grids = Grids(self._desk)
        return self._desk

    def place(
        self, result: Result, asked: Asked, workspace: str, display: str = "", note: str = ""
    ) -> Sequence[str | None]:
        """Ids for the tables of an answer, none where nobody looks on."""
        if not self.wanted:
            return ()
        from workbench.kernel_ext.widgets.kept import new_id

        desk = self.desk
        asked = replace(asked, notebook=desk.notebook)
        ids = [new_id() for _ in result.tables]
        desk.put(ids[0], result, asked, workspace, display, note)
        for name, other in zip(ids[1:], result.others, strict=True):
            # Which clause would make these rows can't be said, so no query can be written from them.
            desk.put(name, other, replace(asked, query="", cache_key=""), workspace)
        return ids

    def begin(self, workspace: str) -> None:
        """Bring back the grids of tables that an earlier kernel has shown in this notebook."""
        if self.wanted:
            self.desk.know(workspace)

    def close(self) -> None:
        """Take the grids from the page."""
        if self._grids is not None:
            self._grids.close()
        self._desk = self._grids = None


def kept_of(workspace: str) -> Kept:
    """The kept results of a workspace."""
    from workbench.kernel_ext.widgets.kept import Kept

    return Kept(Path(state_folder(workspace)))
