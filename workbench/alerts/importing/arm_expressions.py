"""Expressions of ARM templates (`[concat('a', parameters('b'))]`), resolved as far as a template alone can tell.

In go a value and its scope, out comes the value; what only a deployment knows (a resource group, a reference) is
`Unresolved`. Runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z_][\w.]*)|(?P<mark>[()\[\],.]))"
)
_FIELD = re.compile(r"\{(\d+)(?::[^{}]*)?\}")
_DEEPEST = 40


class Unresolved(Exception):
    """A value that only a deployment would have; says which."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Parameters and variables of a template; a template inside of another sees what it was not given itself there."""

    parameters: Mapping[str, Any]
    variables: Mapping[str, Any]
    outer: Scope | None = None

    @classmethod
    def of(cls, template: Mapping[str, Any], outer: Scope | None = None) -> Scope:
        """The scope of a template: the default values of its parameters."""
        declared = template.get("parameters") or {}
        defaults = {
            k.lower(): v["defaultValue"]
            for k, v in declared.items()
            if isinstance(v, Mapping) and "defaultValue" in v
        }
        variables = template.get("variables") or {}
        return cls(defaults, {k.lower(): v for k, v in variables.items()}, outer)

    def find(self, kind: str, name: str) -> tuple[Any, Scope]:
        """A parameter's or variable's value as it is written, and the scope in which it is to be read."""
        found: Mapping[str, Any] = getattr(self, kind)
        if name.lower() in found:
            return found[name.lower()], self
        if self.outer is not None:
            return self.outer.find(kind, name)
        raise Unresolved(f"the {kind[:-1]} {name!r} has no value in the template")


def resolved(value: Any, scope: Scope, depth: int = 0) -> Any:
    """A value with every expression in it worked out.

    Raises
    ------
    Unresolved

    Examples
    --------
    >>> scope = Scope({"n": 5, "name": "[format('{0}-{1}', 'a', parameters('n'))]"}, {})
    >>> resolved({"a": "[concat('PT', parameters('n'), 'M')]", "b": "[parameters('name')]", "c": "[[x]"}, scope)
    {'a': 'PT5M', 'b': 'a-5', 'c': '[x]'}
    """
    if depth > _DEEPEST:
        raise Unresolved("its parameters and variables stand for one another without end")
    if isinstance(value, Mapping):
        return {k: resolved(v, scope, depth + 1) for k, v in value.items()}
    if isinstance(value, list):
        return [resolved(v, scope, depth + 1) for v in value]
    if not isinstance(value, str) or not value.startswith("[") or not value.rstrip().endswith("]"):
        return value
    if value.startswith("[["):
        if scope.outer is None:
            return value[1:]
        value = value[1:]  # a template inside of another: worked out there
    return _Reading(value.rstrip()[1:-1], scope, depth).whole()


class _Reading:
    """Reads one expression and works it out as it goes."""

    def __init__(self, text: str, scope: Scope, depth: int) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.scope, self.depth, self.at = scope, depth, 0
        end = 0
        while text[end:].strip():
            found = _TOKEN.match(text, end)
            if found is None or found.lastgroup is None:
                raise Unresolved(f"[{text[:80]}] can't be read")
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            end = found.end()

    def whole(self) -> Any:
        value = self.expression()
        if self.at < len(self.tokens):
            raise Unresolved(f"{self.tokens[self.at][1]!r} is not expected in its expression")
        return value

    def expression(self) -> Any:
        kind, text = self.next()
        if kind == "text":
            value: Any = text[1:-1].replace("''", "'")
        elif kind == "number":
            value = int(text)
        elif kind == "name":
            value = self.call(text)
        else:
            raise Unresolved(f"{text!r} is not expected in its expression")
        while self.peek() in (".", "["):
            value = self.member(value)
        return value

    def call(self, name: str) -> Any:
        self.expect("(")
        arguments = []
        while self.peek() != ")":
            arguments.append(self.expression())
            if self.peek() == ",":
                self.next()
        self.next()
        word = name.lower()
        if word in ("parameters", "variables"):
            value, scope = self.scope.find(word, str(arguments[0]) if arguments else "")
            return resolved(value, scope, self.depth + 1)
        function = _FUNCTIONS.get(word)
        if function is None:
            raise Unresolved(f"{name}() is known only to a deployment")
        try:
            return function(arguments)
        except (TypeError, ValueError, IndexError, KeyError):
            raise Unresolved(f"{name}() can't take {arguments!r}"[:120]) from None

    def member(self, value: Any) -> Any:
        mark = self.next()[1]
        key: Any = self.next()[1] if mark == "." else self.expression()
        if mark == "[":
            self.expect("]")
        if isinstance(value, Mapping):
            lowered = {str(k).lower(): v for k, v in value.items()}
            if str(key).lower() in lowered:
                return lowered[str(key).lower()]
        if isinstance(value, list | str) and isinstance(key, int) and -len(value) <= key < len(value):
            return value[key]
        raise Unresolved(f"there is no {key!r} in a value of its expression")

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise Unresolved("its expression ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, mark: str) -> None:
        if self.peek() != mark:
            raise Unresolved(f"{mark!r} is missing in its expression")
        self.next()


def _concat(arguments: list[Any]) -> Any:
    if arguments and all(isinstance(a, list) for a in arguments):
        return [item for a in arguments for item in a]
    return "".join(_text(a) for a in arguments)


def _text(value: Any) -> str:
    return str(value) if not isinstance(value, bool) else str(value).lower()


def _format(arguments: list[Any]) -> str:
    said = _FIELD.sub(
        lambda m: _text(arguments[int(m[1]) + 1]), arguments[0].replace("{{", "\0").replace("}}", "\1")
    )
    return said.replace("\0", "{").replace("\1", "}")


def _empty(arguments: list[Any]) -> bool:
    return arguments[0] in (None, "", [], {})


_FUNCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "concat": _concat,
    "format": _format,
    "string": lambda a: _text(a[0]),
    "int": lambda a: int(a[0]),
    "float": lambda a: float(a[0]),
    "bool": lambda a: str(a[0]).lower() in ("true", "1"),
    "tolower": lambda a: a[0].lower(),
    "toupper": lambda a: a[0].upper(),
    "trim": lambda a: a[0].strip(),
    "replace": lambda a: a[0].replace(a[1], a[2]),
    "split": lambda a: a[0].split(a[1]),
    "join": lambda a: a[1].join(map(_text, a[0])),
    "if": lambda a: a[1] if a[0] else a[2],
    "equals": lambda a: a[0] == a[1],
    "not": lambda a: not a[0],
    "and": all,
    "or": any,
    "empty": _empty,
    "null": lambda _: None,
    "true": lambda _: True,
    "false": lambda _: False,
    "coalesce": lambda a: next((x for x in a if x is not None), None),
    "createarray": list,
    "array": lambda a: a[0] if isinstance(a[0], list) else [a[0]],
    "length": lambda a: len(a[0]),
    "first": lambda a: a[0][0],
    "last": lambda a: a[0][-1],
    "add": lambda a: a[0] + a[1],
    "sub": lambda a: a[0] - a[1],
    "mul": lambda a: a[0] * a[1],
}
