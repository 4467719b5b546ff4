"""Hashes of values.

`hash()` is xxHash64 over the value as Kusto stores it, so its numbers are Kusto's. How Kusto mixes
several hashes into one is not published: `hash_many` and `hash_combine` here agree with each other,
within a query and from run to run, but their numbers are not Kusto's.
"""

from __future__ import annotations

import hashlib
import struct
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import xxhash

from workbench.base.dtypes import ScalarType
from workbench.query.functions import _sql, _sql_cast
from workbench.query.functions._card import (
    BOOL,
    DATETIME,
    DECIMAL,
    GUID,
    INT,
    LONG,
    REAL,
    STRING,
    TIMESPAN,
    Param,
    opt,
    rep,
    scalar,
)
from workbench.query.functions._cast import python_cast

_PLAIN = Param(frozenset({BOOL, INT, LONG, REAL, DECIMAL, STRING, DATETIME, TIMESPAN, GUID}))
_TICKS_BEFORE_1970 = 621_355_968_000_000_000
_FORMATS = {BOOL: "<?", INT: "<i", LONG: "<q", REAL: "<d", TIMESPAN: "<q"}


def _signed(value: int) -> int:
    return value - 2**64 if value >= 2**63 else value


def _bytes(value: Any, type_: ScalarType) -> bytes:
    """The value as Kusto stores it: little-endian numbers, ticks since year 1, UTF-8."""
    if type_ is DATETIME:
        return struct.pack("<q", value + _TICKS_BEFORE_1970)
    if type_ is GUID:
        return uuid.UUID(value).bytes_le
    if type_ in _FORMATS:
        return struct.pack(_FORMATS[type_], value)
    return str(python_cast(value, type_, STRING)).encode()


def _hash(value: Any, type_: ScalarType) -> int:
    return _signed(xxhash.xxh64_intdigest(_bytes(value, type_)))


def _combined(hashes: Sequence[int]) -> int:
    return _signed(xxhash.xxh64_intdigest(struct.pack(f"<{len(hashes)}q", *hashes)))


@scalar("hash", [_PLAIN, opt(LONG)], LONG, aliases=("hash_xxhash64",))
class Hash:
    """xxHash64 of the value as a signed number, or what is left of it modulo a second argument."""

    @staticmethod
    def row(value: Any, mod: int | None = None, *, types: Sequence[ScalarType]) -> int | None:
        found = _hash(value, types[0])
        if mod is None:
            return found
        return found % mod if mod > 0 else None


@scalar("hash_many", [_PLAIN, rep(_PLAIN, least=0)], LONG)
class HashMany:
    """One hash of several values; the same as `hash_combine()` of their hashes."""

    @staticmethod
    def row(*values: Any, types: Sequence[ScalarType]) -> int:
        return _combined([_hash(v, t) for v, t in zip(values, types, strict=True)])


@scalar("hash_combine", [LONG, LONG, rep(LONG, least=0)], LONG)
class HashCombine:
    """One hash out of several; the mixing is this engine's own, not Kusto's."""

    @staticmethod
    def row(*hashes: int) -> int:
        return _combined(hashes)


def _digest(name: str, algorithm: Callable[..., Any], doc: str) -> None:
    @scalar(name, [_PLAIN], STRING)
    class _Digest:
        @staticmethod
        def row(value: Any, types: Sequence[ScalarType]) -> str:
            text = str(python_cast(value, types[0], STRING))
            return str(algorithm(text.encode(), usedforsecurity=False).hexdigest())

        @staticmethod
        def sql(value: _sql.Sql, types: Sequence[ScalarType]) -> _sql.Sql:
            digest = _sql.func(name.removeprefix("hash_"), _sql_cast.convert(value, types[0], STRING))
            return _sql.coalesce(_sql.known(digest, value), "")

    _Digest.__doc__ = doc


_digest("hash_md5", hashlib.md5, "MD5 of the value's text, in hexadecimal.")
_digest("hash_sha1", hashlib.sha1, "SHA-1 of the value's text, in hexadecimal.")
_digest("hash_sha256", hashlib.sha256, "SHA-256 of the value's text, in hexadecimal.")
