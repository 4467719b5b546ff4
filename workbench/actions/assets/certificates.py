"""Certificates with their chain and key, from PEM text or the bytes of a PFX file.

In goes what was sent, out comes PEM. `cryptography` is loaded when one is read.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.base.diagnostics import assets as diagnostics

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

_BEGIN = "-----BEGIN "


@dataclass(frozen=True, slots=True)
class Found:
    """A certificate as it is kept.

    Attributes
    ----------
    certificate, private_key : str
        PEM; the key "" where there is none.
    chain : str
        PEM of the others that were sent with it.
    subject, issuer, thumbprint : str
        The thumbprint is the SHA-1 in hexadecimal, as Windows shows it.
    starts, expires : datetime
    """

    certificate: str
    private_key: str
    chain: str
    subject: str
    issuer: str
    thumbprint: str
    starts: dt.datetime
    expires: dt.datetime

    def shown(self) -> dict[str, Any]:
        """What people see of it."""
        return {
            "subject": self.subject, "issuer": self.issuer, "thumbprint": self.thumbprint,
            "starts": self.starts.isoformat(), "expires": self.expires.isoformat(),
            "private_key": bool(self.private_key),
        }  # fmt: skip

    def secret(self) -> dict[str, Any]:
        """What only jobs get."""
        return {"certificate": self.certificate, "chain": self.chain, "private_key": self.private_key}


def read(data: str, password: object = None) -> Found:
    """Read PEM text, or base64 of a PFX file.

    Parameters
    ----------
    data : str
    password : str, optional
        Of the PFX file or of the key.

    Raises
    ------
    WorkbenchError
        AST008.
    """
    secret = password.encode() if isinstance(password, str) and password else None
    try:
        own, chain, key = _pem(data, secret) if _BEGIN in data else _pfx(data, secret)
        if own is None:
            raise diagnostics.bad_certificate("it holds none")
        return _found(own, chain, key)
    except (ValueError, TypeError, binascii.Error) as why:
        raise diagnostics.bad_certificate(_reason(why, secret is not None)) from None


def _reason(why: Exception, with_password: bool) -> str:
    text = str(why).lower()
    if "password" in text or "decrypt" in text or "mac" in text:
        return "the password is wrong" if with_password else "it needs its password"
    return "its bytes are of no known form"


def _pem(data: str, password: bytes | None) -> tuple[Certificate | None, list[Certificate], Any]:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = None
    certificates, blocks = [], [_BEGIN + part for part in data.split(_BEGIN)[1:]]
    for block in blocks:
        if block.startswith(_BEGIN + "CERTIFICATE-----"):
            certificates.append(x509.load_pem_x509_certificate(block.encode()))
        elif "PRIVATE KEY-----" in block.split("\n", 1)[0]:
            key = load_pem_private_key(block.encode(), password)
    if key is not None:
        # The certificate of the key is the own one, wherever it stands.
        certificates.sort(key=lambda c: c.public_key() != key.public_key())
    return (certificates[0] if certificates else None), certificates[1:], key


def _pfx(data: str, password: bytes | None) -> tuple[Certificate | None, list[Certificate], Any]:
    from cryptography.hazmat.primitives.serialization import pkcs12

    key, own, chain = pkcs12.load_key_and_certificates(base64.b64decode(data, validate=True), password)
    return own, list(chain), key


def _found(own: Certificate, chain: list[Certificate], key: Any) -> Found:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    if key is not None and key.public_key() != own.public_key():
        raise diagnostics.bad_certificate("its key is that of another certificate")
    text = (
        "" if key is None else key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    )
    return Found(
        own.public_bytes(Encoding.PEM).decode(),
        text,
        "".join(c.public_bytes(Encoding.PEM).decode() for c in chain),
        own.subject.rfc4514_string(),
        own.issuer.rfc4514_string(),
        # What the field's tools call a thumbprint; it proves nothing, and is no use of SHA-1 for safety.
        own.fingerprint(hashes.SHA1()).hex().upper(),
        own.not_valid_before_utc,
        own.not_valid_after_utc,
    )
