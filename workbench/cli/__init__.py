"""`workbench …`: the command line. Parses, calls, prints; the work is done below.

Data goes to standard output, progress and messages to standard error. Exit status: 0 done, 1 the
user's mistake, 2 a command line that makes no sense, 3 a fault of ours. This package loads no
engine before a command needs it.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (by default that of this process); returns the exit status.

    Examples
    --------
    >>> main(["--version"])  # doctest: +ELLIPSIS
    workbench ...
    0
    """
    from workbench.cli.app import run

    return run(arguments)
