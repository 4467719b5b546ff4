"""How many rows a second chains of one shape went through the last times, so that a first part need not feel its way.

In go chains and what their parts took, out comes a pace. A shape is the tables, the columns read of them, and the
functions called; two texts to look for may still differ, so a pace says how large a first part may be and no more.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator

from workbench.query.backends.parts.chains import scans_of
from workbench.query.plan import Call, Expr, Rel, expressions_of

_MOST = 256
Shape = tuple[object, ...]


class Paces:
    """Paces by shape, the newest ones. Safe for threads.

    Examples
    --------
    >>> paces = Paces()
    >>> paces.note(("Perf",), 1000, 0.5)
    >>> paces.rows_a_second(("Perf",)), paces.rows_a_second(("Event",))
    (2000.0, 0.0)
    """

    def __init__(self) -> None:
        self._known: OrderedDict[Shape, float] = OrderedDict()
        self._guard = threading.Lock()

    def note(self, shape: Shape, rows: int, seconds: float) -> None:
        """Remember what a part took."""
        with self._guard:
            self._known[shape] = rows / max(seconds, 1e-6)
            self._known.move_to_end(shape)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)

    def rows_a_second(self, shape: Shape) -> float:
        """The last pace of a shape; 0 where there is none."""
        with self._guard:
            return self._known.get(shape, 0.0)


PACES = Paces()


def shape_of(chain: Rel) -> Shape:
    """What chains of about one pace have in common."""
    tables = sorted((s.table, tuple(s.names())) for s in scans_of(chain))
    return (tuple(tables), frozenset(_functions(chain)))


def _functions(rel: Rel) -> Iterator[str]:
    for expr in expressions_of(rel):
        yield from _called(expr)
    for below in rel.inputs:
        yield from _functions(below)


def _called(expr: Expr) -> Iterator[str]:
    if isinstance(expr, Call):
        yield expr.function
        for argument in expr.args:
            yield from _called(argument)
