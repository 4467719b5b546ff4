"""The signature of a webhook message, by the Standard Webhooks convention: of those that come in, and of those that go out.

`webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature`, which has one or more `v1,` and the base64
HMAC-SHA256 of `id.timestamp.body`. A secret is shown as `whsec_` and its base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
PREFIX = "whsec_"


def signature(secret: bytes, number: str, stamp: str, body: bytes) -> str:
    """What `webhook-signature` has to hold.

    Examples
    --------
    >>> signature(b"k", "m1", "1700000000", b"{}")[:7]
    'v1,2XLb'
    """
    told = f"{number}.{stamp}.".encode("utf-8", "surrogatepass") + body
    return "v1," + base64.b64encode(hmac.digest(secret, told, hashlib.sha256)).decode()


def secret_bytes(text: str) -> bytes:
    """The bytes of a secret: what stands in base64 behind `whsec_`, and of any other text the text itself.

    Examples
    --------
    >>> secret_bytes("whsec_a2V5"), secret_bytes("key")
    (b'key', b'key')
    """
    if text.startswith(PREFIX):
        try:
            return base64.b64decode(text.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass  # it only looks like one
    return text.encode()
