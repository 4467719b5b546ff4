"""`buildschema`: the smallest schema that admits every dynamic value of a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.query.functions._card import DYNAMIC, aggregate

NO_SQL = "the shape of values inside of values is found by walking down, which no expression of SQL does"

_INDEXER = "`indexer`"
_KINDS: tuple[tuple[type, str], ...] = ((bool, "bool"), (int, "long"), (float, "double"), (str, "string"))


@dataclass(slots=True)
class _Seen:
    """What one place of the values was found to hold."""

    kinds: dict[str, None] = field(default_factory=dict)
    members: dict[str, _Seen] | None = None
    elements: _Seen | None = None

    def add(self, value: Any) -> None:
        if isinstance(value, dict):
            self.members = self.members if self.members is not None else {}
            for key, inner in value.items():
                self.members.setdefault(key, _Seen()).add(inner)
        elif isinstance(value, list):
            self.elements = self.elements or _Seen()
            for inner in value:
                self.elements.add(inner)
        elif value is not None:
            self.kinds.setdefault(next((name for kind, name in _KINDS if isinstance(value, kind)), "string"))

    def schema(self) -> Any:
        found: list[Any] = list(self.kinds)
        container: dict[str, Any] = {k: s.schema() for k, s in (self.members or {}).items()}
        if self.elements is not None:
            container[_INDEXER] = self.elements.schema()
        if self.members is not None or self.elements is not None:
            found.append(container)
        return found[0] if len(found) == 1 else found


@aggregate("buildschema", [DYNAMIC], DYNAMIC, prefix="schema")
class BuildSchema:
    """The kinds of value at each path: a name, a list of names, a bag of properties."""

    @staticmethod
    def group(values: Sequence[Any]) -> Any:
        seen = _Seen()
        for value in values:
            seen.add(value)
        return seen.schema()
