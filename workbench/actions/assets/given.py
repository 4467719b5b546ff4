"""What a runbook gets of an asset: values that show no secret when they are printed as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credential:
    """A user name and its password.

    Examples
    --------
    >>> Credential("ada", "tr0ub4dor")
    Credential(user='ada')
    """

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as PEM texts, with its private key where it has one.

    Attributes
    ----------
    subject, issuer, thumbprint, expires : str
        `expires` as ISO text in UTC.
    certificate, chain, private_key : str
        PEM.
    """

    subject: str
    issuer: str
    thumbprint: str
    expires: str
    certificate: str = field(repr=False)
    chain: str = field(repr=False)
    private_key: str = field(repr=False)
