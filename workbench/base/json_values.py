"""Dynamic values as JSON text and back: the one reading of JSON that tables and queries share.

In goes text, out come Python values of JSON shape, and the other way round. Whoever makes another
form of a dynamic value (shredded columns) reads it with these, so that both give the same.
"""

from __future__ import annotations

from typing import Any

import orjson


def dumps(value: Any) -> str | None:
    """A Python value of JSON shape as compact text; None is null.

    Examples
    --------
    >>> dumps({"a": [1, "é"]}), dumps(None), dumps(float("nan"))
    ('{"a":[1,"é"]}', None, None)
    """
    if value is None:
        return None
    try:
        text = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
        return None if text == "null" else text  # NaN, which JSON does not have
    except (orjson.JSONEncodeError, TypeError):
        import json

        return json.dumps(value, default=str, separators=(",", ":"), ensure_ascii=False)


def loads(text: str | None) -> Any:
    """JSON text as a Python value; text that is no JSON stays a string, as in `parse_json`.

    Examples
    --------
    >>> loads('{"a": 1}'), loads("plain"), loads(None)
    ({'a': 1}, 'plain', None)
    """
    if text is None:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        import json

        try:
            # Lone surrogates, NaN and infinities are for the slower, laxer reader.
            return json.loads(text, parse_int=_whole)
        except ValueError:
            return text


def _whole(digits: str) -> int | float:
    """A whole number as the strict reader gives it: beyond 64 bits a float, so that a value written and
    read again stays the same."""
    if len(digits) <= 20 and -(2**63) <= (number := int(digits)) < 2**64:
        return number
    return float(digits)
