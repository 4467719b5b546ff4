"""Text columns as JSON text, by text operations alone (no Python per row).

Used where a function makes an array of texts out of text: `split`, `extract_all`. Two noncharacters
of Unicode, which no valid text holds, stand between the parts until the parts are escaped.
"""

from __future__ import annotations

import polars as pl

BETWEEN = "\ufdd0"  # divides the parts of an array
WITHIN = "\ufdd1"  # divides the parts of an array inside an array

_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_ESCAPES = {chr(c): f"\\u{c:04x}" for c in range(32)} | _SHORT


def escaped(text: pl.Expr) -> pl.Expr:
    """The inside of a JSON string, as `orjson` writes it."""
    return text.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))


def array(parts: pl.Expr) -> pl.Expr:
    """Text whose parts `BETWEEN` divides, as a JSON array of strings.

    Examples
    --------
    >>> pl.select(array(pl.lit('a"b' + BETWEEN + "c"))).item()
    '["a\\\\"b","c"]'
    """
    return '["' + escaped(parts).str.replace_all(BETWEEN, '","', literal=True) + '"]'
