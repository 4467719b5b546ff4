"""YAML whose mappings know where in the text each key and value stands, so that an error can show the place.

In goes a text, out come plain values in which mappings are `Marked`. Aliases and keys that are there twice are refused.
What a mapping means, its reader says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import yaml

from workbench.base.errors import Span, WorkbenchError

Refuse = Callable[[int | None, Span | None, str], WorkbenchError]
"""The error of a text that is no YAML: of a line (from 1), a place and a reason."""
_DEEPEST = 50


class Marked(dict[str, Any]):
    """A mapping that knows its line (from 1), its place, and those of its keys and values."""

    line: int = 0
    place: Span = Span(0, 1)
    keys_at: Mapping[str, Span] = MappingProxyType({})
    values_at: Mapping[str, Span] = MappingProxyType({})


def parsed(text: str, refuse: Refuse) -> Any:
    """The value of a YAML text.

    Raises
    ------
    WorkbenchError
        What `refuse` makes of a text that is no YAML.

    Examples
    --------
    >>> found = parsed("a: 1\\nb: [x]", lambda line, place, why: WorkbenchError("X", why))
    >>> found, found.line, found.values_at["b"]
    ({'a': 1, 'b': ['x']}, 1, Span(start=8, end=11))
    """
    try:
        return yaml.load(text, _Loader)  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        if mark is None:
            raise refuse(None, None, error.problem or "it can't be read") from None
        place = Span(mark.index, mark.index + 1)
        raise refuse(mark.line + 1, place, error.problem or "it can't be read") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise refuse(None, None, str(error).split("\n")[0][:200]) from None


def plain(value: Any) -> Any:
    """The same value without marks; dates as ISO 8601 texts, so that all of it has a form in JSON."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(v) for v in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def inside(text: str, place: Span, value: str, part: Span) -> Span:
    """Where a part of a text value stands in the YAML text, whose `place` is that of the value.

    The whole value where that can't be told: folded lines and escapes stand elsewhere than they are read.

    Examples
    --------
    >>> text = "query: |\\n  T\\n  | wher x\\n"
    >>> inside(text, Span(7, 23), "T\\n| wher x\\n", Span(4, 8))
    Span(start=17, end=21)
    """
    line_begins = value.rfind("\n", 0, part.start) + 1
    line_ends = value.find("\n", line_begins)
    line = value[line_begins : len(value) if line_ends < 0 else line_ends]
    begins, ends = place.start, place.end
    if text[begins : begins + 1] == "|":
        for _ in range(value.count("\n", 0, part.start) + 1):
            begins = text.find("\n", begins, place.end) + 1
            if not begins:
                return place
        ends = text.find("\n", begins)
        ends = len(text) if ends < 0 else ends
    found = text.find(line, begins, ends) if line.strip() else -1
    if found < 0:
        return place
    start = found + part.start - line_begins
    return Span(start, max(start + 1, min(start + part.end - part.start, found + len(line))))


class _Loader(yaml.SafeLoader):
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not read here", problem_mark=mark)
        if self.depth == _DEEPEST:
            raise yaml.MarkedYAMLError(
                problem=f"it is nested deeper than {_DEEPEST} levels", problem_mark=mark
            )
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Marked:
    made = Marked()
    keys, values = {}, {}
    for key, value in node.value:
        word = loader.construct_object(key, deep=True)
        if isinstance(word, list | dict | set):
            raise yaml.MarkedYAMLError(problem="a key is a word", problem_mark=key.start_mark)
        if word in made:
            raise yaml.MarkedYAMLError(problem=f"{word!r} is there twice", problem_mark=key.start_mark)
        made[word] = loader.construct_object(value, deep=True)
        keys[word], values[word] = _place(key), _place(value)
    made.line, made.place, made.keys_at, made.values_at = node.start_mark.line + 1, _place(node), keys, values
    return made


def _place(node: yaml.Node) -> Span:
    return Span(node.start_mark.index, max(node.end_mark.index, node.start_mark.index + 1))


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
