"""What a query can name beside tables: stored functions, its own workspace, files that may be read.

A port, as `frames.Tables` is one: the repository fills it (`workspace.StoredSurroundings`), the binder
asks it. `NOWHERE` knows nothing: for frames in memory and tests. Reads only, and knows no engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class FunctionText(Protocol):
    """A stored function as text; see `repository.functions.StoredFunction`."""

    @property
    def name(self) -> str: ...
    @property
    def parameters(self) -> str:
        """`(name: type = default, …)`."""

    @property
    def body(self) -> str:
        """`{ statements; result }`."""

    @property
    def view(self) -> bool:
        """Whether wildcards such as `union *` find it."""


class Facts(Protocol):
    """How much a table holds; see `repository.tables.TableFacts`."""

    @property
    def rows(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def files(self) -> int: ...
    @property
    def retention_days(self) -> int | None: ...


class Surroundings(Protocol):
    """What there is around the tables."""

    @property
    def names(self) -> Sequence[str]:
        """What the workspace answers to in `workspace(…)` and `database(…)`, its plain name first;
        none: there is no workspace, and every name means the tables at hand."""

    @property
    def folders(self) -> Sequence[str]:
        """Folders whose files `externaldata` may read."""

    def facts(self, table: str) -> Facts | None:
        """How much a stored table holds, or None where nobody knows."""

    def functions(self) -> Sequence[str]:
        """The names of all stored functions."""

    def function(self, name: str) -> FunctionText | None:
        """A stored function, or None."""


@dataclass(frozen=True, slots=True)
class Nowhere:
    """No stored functions, no workspace, no files."""

    names: Sequence[str] = ()
    folders: Sequence[str] = ()

    def facts(self, table: str) -> Facts | None:
        return None

    def functions(self) -> Sequence[str]:
        return ()

    def function(self, name: str) -> FunctionText | None:
        return None


NOWHERE = Nowhere()
