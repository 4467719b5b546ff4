"""Whole numbers beyond 64 bits, of which the quick reader of JSON makes reals without a word.

In goes JSON text, out comes whether it may hold such numbers, or its value with them as they stand.
"""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

_AS_ZERO = bytes.maketrans(b"123456789", b"0" * 9)
_LONG, _ZEROS = b"0" * 19, re.compile(rb"0+")
_BEFORE, _BEHIND = b":[, \t\r\n", b",]} \t\r\n"  # of a number inside of a record


def has_long_digits(body: bytes) -> bool:
    """Whether digits of a body look like such a number; a text can look so too. It costs next to nothing."""
    runs = body.translate(_AS_ZERO)
    at = runs.find(_LONG)
    while at >= 0:
        found = _ZEROS.match(runs, at)
        assert found is not None
        end, negative = found.end(), body[at - 1 : at] == b"-"
        before, behind = body[at - 1 - negative : at - negative], body[end : end + 1]
        if before in _BEFORE and behind in _BEHIND and body[at : at + 1] != b"0":
            number = int(body[at:end]) if end - at <= 20 else 2**64
            if number >= 2**64 or (negative and number > 2**63):
                return True
        at = runs.find(_LONG, end)
    return False


def value_of(line: bytes) -> Any:
    """The value of a JSON text, each whole number as it stands.

    Raises
    ------
    JSONDecodeError
        Of `orjson`, which is the stricter of the two readers.

    Examples
    --------
    >>> value_of(b'{"a": [18446744073709551616, 1.5]}')
    {'a': [18446744073709551616, 1.5]}
    """
    found = orjson.loads(line)
    if has_long_digits(line):
        try:
            return json.loads(line)
        except (
            ValueError,
            RecursionError,
        ):  # thousands of digits, hundreds of levels: as the quick reader has it
            pass
    return found
