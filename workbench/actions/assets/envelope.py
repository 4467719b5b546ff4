"""A value under its own data key, the data key under the key of the workspace: AES-256-GCM both times.

In go bytes and what they belong to (the context), out come bytes that open for the same context only: what was stored
for one asset can't be put in the place of another one or of another version. Must not know where keys come from.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

KEY_BYTES = 32
_NONCE_BYTES = 12


class Refused(Exception):
    """The key is another one, or the bytes are not those that were sealed for this context."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is stored of a value.

    Attributes
    ----------
    wrapped : bytes
        Its data key, under the key of the workspace.
    data : bytes
        The value, under the data key.
    """

    wrapped: bytes
    data: bytes


def context(*parts: object) -> bytes:
    """What a sealed value belongs to, as bytes that no other parts give.

    Examples
    --------
    >>> context("w", "variable", "a", 1)
    b'["w","variable","a",1]'
    """
    return json.dumps(parts, separators=(",", ":")).encode()


def seal(key: bytes, value: bytes, belongs: bytes) -> Sealed:
    """Encrypt a value under a new data key.

    Examples
    --------
    >>> key = bytes(32)
    >>> open_sealed(key, seal(key, b"secret", b"a"), b"a")
    b'secret'
    """
    data_key = os.urandom(KEY_BYTES)
    return Sealed(_encrypt(key, data_key, b"key" + belongs), _encrypt(data_key, value, b"value" + belongs))


def open_sealed(key: bytes, sealed: Sealed, belongs: bytes) -> bytes:
    """The value; raises Refused."""
    data_key = _decrypt(key, sealed.wrapped, b"key" + belongs)
    return _decrypt(data_key, sealed.data, b"value" + belongs)


def rewrap(old: bytes, new: bytes, wrapped: bytes, belongs: bytes) -> bytes:
    """The same data key under another key; raises Refused."""
    return _encrypt(new, _decrypt(old, wrapped, b"key" + belongs), b"key" + belongs)


def _encrypt(key: bytes, value: bytes, belongs: bytes) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    # A random nonce is safe here: a data key seals one value, the key of the workspace far fewer than 2**32.
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, value, belongs)


def _decrypt(key: bytes, data: bytes, belongs: bytes) -> bytes:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], belongs)
    except (InvalidTag, ValueError):
        raise Refused from None
