"""The records of a JSON body one by one, with their bytes, where the body can't be read as a whole.

In goes a body that is valid JSON but has a value that the quick reader refuses (nested too deep, a lone surrogate, a
number beyond a double); out come its elements. Works without recursion, in time that grows as the body does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from workbench.base.dtypes import ScalarType as T
from workbench.collect.record import Columns
from workbench.collect.wide_numbers import has_long_digits

#: Strings, runs of brackets, commas. A quote alone opens a string that never ends: such a body is no JSON.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|"|[\[{]++|[\]}]++|,', re.DOTALL)
_WHITE = b" \t\r\n"
_BETWEEN = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*\{")
_FEW_BYTES = 1 << 17


class NoJson(ValueError):
    """The body, or one of its elements, is no JSON."""


class TooDeep(ValueError):
    """An element is nested deeper than can be read."""


def elements(body: bytes) -> Iterator[bytes]:
    """The bytes of each element of an array, or of objects one after another with commas.

    Raises
    ------
    NoJson
        Where brackets or strings do not end.

    Examples
    --------
    >>> list(elements(b'[{"a": "],["}, 7]')), list(elements(b'{"a": [1, 2]}, {}'))
    ([b'{"a": "],["}', b'7'], [b'{"a": [1, 2]}', b'{}'])
    """
    text = body.strip(_WHITE)
    if text.startswith(b"["):
        if not text.endswith(b"]"):
            raise NoJson("the array does not end")
        text = text[1:-1].strip(_WHITE)
        if not text:
            return
    depth = begin = 0
    for token in _TOKEN.finditer(text):
        first = token[0][:1]
        if first == b'"':
            if len(token[0]) == 1:
                raise NoJson("a string does not end")
        elif first in b"[{":
            depth += len(token[0])
        elif first in b"]}":
            depth -= len(token[0])
            if depth < 0:
                raise NoJson("a bracket closes nothing")
        elif depth == 0:
            yield text[begin : token.start()].strip(_WHITE)
            begin = token.end()
    if depth:
        raise NoJson("a bracket is not closed")
    yield text[begin:].strip(_WHITE)


def value_of(element: bytes) -> Any:
    """The value of one element. Numbers that a double can't hold are infinite; lone surrogates stay.

    Raises
    ------
    NoJson, TooDeep
    """
    try:
        return orjson.loads(element)
    except orjson.JSONDecodeError as broken:
        try:
            return json.loads(element.decode(), parse_constant=_no_constant, parse_int=_whole)
        except RecursionError:
            raise TooDeep from None
        except ValueError:  # of the decoder as of the reader
            raise NoJson(str(broken)) from None


def values(body: bytes) -> list[Any]:
    """The values of all elements; in the place of one that is nested too deep a `TooDeep`.

    Raises
    ------
    NoJson
        For a body that is no JSON as a whole: nothing of it may be stored.

    Examples
    --------
    >>> values(b'[{"a": 1}, ' + b"[" * 9_000 + b"]" * 9_000 + b"]")
    [{'a': 1}, TooDeep()]
    """
    try:
        body.decode()
    except UnicodeDecodeError as broken:
        raise NoJson(f"it is not UTF-8 at byte {broken.start}") from None
    found: list[Any] = []
    for element in elements(body):
        try:
            found.append(value_of(element))
        except TooDeep as deep:
            found.append(deep)
    return found


def a_few(body: bytes) -> Iterator[list[Any]]:
    """The values of an array a few at a time: what was just read is worked on while it is in the processor's cache.

    The array is cut where it may end a value. A piece that reads as an array by itself was cut right, because a reader
    that starts at the same place sees the same; one that does not is read again with what follows.

    Raises
    ------
    NoJson
        The quick reader does not take it, from there on; what was given before does not count then.

    Examples
    --------
    >>> list(a_few(b'[{"a": "},{"}, {"a": 2}]'))
    [[{'a': '},{'}, {'a': 2}]]
    """
    if body[:1] != b"[" or body[-1:] != b"]":
        raise NoJson("it is no array")
    at, end, size = 1, len(body) - 1, _FEW_BYTES
    while at < end:
        place = _BETWEEN.search(body, at + size, end)
        stop = place.start() + 1 if place else end
        try:
            found = orjson.loads(b"[" + body[at:stop] + b"]")
        except orjson.JSONDecodeError as broken:
            if place is None:
                raise NoJson(str(broken)) from None
            size = 2 * (stop - at)
            continue
        yield found
        at, size = (place.end() - 1, _FEW_BYTES) if place else (end, size)


class Originals:
    """The bytes of the records of a body, cut out of it when one is asked for: few ever are.

    Examples
    --------
    >>> Originals(b'[{"a": 1}, {"b":  2}]')(1)
    b'{"b":  2}'
    """

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._records: list[bytes] | None = None

    def __call__(self, row: int) -> bytes:
        if self._records is None:
            self._records = list(elements(self._body.removeprefix(b"\xef\xbb\xbf")))
        return self._records[row]


class _Beyond(float):
    """A whole number that 64 bits do not hold."""


def may_be_beyond(body: bytes, columns: Columns) -> bool:
    """Whether a value of these columns can have been a whole number beyond 64 bits: the quick reader makes reals of
    them, also inside of objects and lists, where only the body still shows it."""
    for (_, type_), series in columns.series.items():
        if type_ is T.DYNAMIC:
            return has_long_digits(body)
        if type_ is T.REAL:
            largest = series.abs().max()
            if isinstance(largest, float) and largest >= 2**63:
                return has_long_digits(body)
    return False


def beyond_64_bits(body: bytes) -> dict[str, int]:
    """How many whole numbers of each field do not fit into 64 bits, with those inside of it.

    Examples
    --------
    >>> beyond_64_bits(b'[{"a": 9223372036854775807}, {"a": 18446744073709551616, "b": {"c": [1, 2e3, -18446744073709551616]}}]')
    {'a': 1, 'b': 1}
    """

    def whole(digits: str) -> int | float:
        number = int(digits) if len(digits) <= 20 else 2**64
        return number if -(2**63) <= number < 2**64 else _Beyond()

    counts: dict[str, int] = {}
    for element in elements(body):
        if not has_long_digits(element):
            continue
        try:
            record = json.loads(element.decode(), parse_int=whole)
        except (ValueError, RecursionError):
            continue  # that record is refused by itself
        for name, value in record.items() if isinstance(record, dict) else ():
            count = sum(type(one) is _Beyond for one in _inside(value))
            if count:
                counts[name] = counts.get(name, 0) + count
    return counts


def _inside(value: Any) -> Iterator[Any]:
    """A value and all that is inside of it, without recursion."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def is_beyond_a_double(value: Any) -> bool:
    """Whether a value, or one inside it, is a number that no double can hold: such a one was read as infinite."""
    return any(isinstance(one, float) and one in (float("inf"), float("-inf")) for one in _inside(value))


def _no_constant(word: str) -> Any:
    raise NoJson(f"{word} is no JSON")


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= 20 else float(digits)
