"""Keeps the tables of a running service in few files: many small commits become one file again.

An agent commits every few seconds, and each commit is a file of its own. In go the names of tables
that were just stored to; after `COMMITS` of them a table is compacted, and files that were replaced
a day ago are deleted. Retention is not its matter.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterable

from workbench.repository.tables import Repository

log = logging.getLogger("workbench.upkeep")
COMMITS = 100
FIRST_AFTER = 10
"""Commits to the first compaction after a start: the runs before may have left many files."""


class Upkeep:
    """Counts commits by table and compacts the tables that are due.

    Parameters
    ----------
    repository : Repository
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._left: dict[str, int] = defaultdict(lambda: FIRST_AFTER)
        self._guard = threading.Lock()

    def stored(self, tables: Iterable[str]) -> None:
        """Note one commit to each table, and compact those that are due; takes as long as that does."""
        for table in tables:
            if self._is_due(table):
                self._compact(table)

    def _is_due(self, table: str) -> bool:
        with self._guard:
            self._left[table] -= 1
            if self._left[table] > 0:
                return False
            self._left[table] = COMMITS
            return True

    def _compact(self, table: str) -> None:
        try:
            done = self._repository.compact(table)
            self._repository.vacuum(table)
        except Exception:  # the records are stored; that they lie in many files can wait for the next time
            log.exception("compaction of %s failed; it is tried again after %d commits", table, COMMITS)
            return
        if done.files_before:
            log.info("%s: %d files became %d", table, done.files_before, done.files_after)
