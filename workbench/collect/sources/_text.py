"""Text of this machine as it may stand in a record: names and arguments are bytes, records are Unicode."""

from __future__ import annotations


def shown(text: str) -> str:
    """A name as the system gives it, with bytes that are no UTF-8 as backslash and number.

    Examples
    --------
    >>> shown("caf\\udce9"), shown("café")
    ('caf\\\\xe9', 'café')
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
