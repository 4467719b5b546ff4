"""A named set of things that register themselves: functions, operators, readers, sources.

A name given twice is an error that names both modules; an unknown name is answered with the
nearest ones.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Registry(Generic[T]):
    """Name → thing, in order of registration.

    Examples
    --------
    >>> colours = Registry[int]("colour")
    >>> colours.add("red", 1)
    >>> colours.get("red"), colours.nearest("rad")
    (1, ['red'])
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}
        self._origins: dict[str, str] = {}

    def add(self, name: str, thing: T, origin: str = "") -> None:
        """Register `thing`; `origin` (a module name) is told when the name is taken."""
        if name in self._things:
            raise ValueError(f"{self.kind} {name!r} is registered twice: {self._origins[name]} and {origin}")
        self._things[name] = thing
        self._origins[name] = origin

    def get(self, name: str) -> T | None:
        return self._things.get(name)

    def nearest(self, name: str, count: int = 3) -> list[str]:
        return nearest(name, self._things, count)

    def __contains__(self, name: object) -> bool:
        return name in self._things

    def __iter__(self) -> Iterator[str]:
        return iter(self._things)

    def __len__(self) -> int:
        return len(self._things)

    def items(self) -> Iterable[tuple[str, T]]:
        return self._things.items()


def nearest(name: str, names: Iterable[str], count: int = 3) -> list[str]:
    """The names most like `name`, best first, ignoring case.

    Examples
    --------
    >>> nearest("computr", ["Computer", "Category", "TimeGenerated"])
    ['Computer']
    """
    lowered: dict[str, str] = {}
    for known in names:
        lowered.setdefault(known.lower(), known)
    found = difflib.get_close_matches(name.lower(), list(lowered), n=count, cutoff=0.6)
    return [lowered[f] for f in found]
