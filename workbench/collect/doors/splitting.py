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

#: Strings, runs of brackets, commas. A quote alone opens a string that never ends: such a body is no JSON.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|"|[\[{]++|[\]}]++|,', re.DOTALL)
_WHITE = b" \t\r\n"


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


def _no_constant(word: str) -> Any:
    raise NoJson(f"{word} is no JSON")


def _whole(digits: str) -> int | float:
    return int(digits) if len(digits) <= 20 else float(digits)
