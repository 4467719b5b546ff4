"""Handing a message to a mail server: over TLS, logged in, with an end, at a checked address.

In go a server's settings and a message, out comes which recipients were taken, may be tried again, or are refused.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from enum import StrEnum

from workbench.actions.notify.guard import Guard, Target
from workbench.actions.notify.outcome import Outcome, Verdict
from workbench.base.diagnostics import notify as diagnostics


class Tls(StrEnum):
    """`starttls`: asked for before anything is told, and insisted on; `tls`: from the first byte; `none`."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server, and as whom it is talked to. Nobody logs in without TLS."""

    host: str
    port: int
    sender: str
    tls: Tls = Tls.STARTTLS
    user: str = ""
    password: str = ""


def send(guard: Guard, server: Server, message: EmailMessage, to: Sequence[str], seconds: float) -> Outcome:
    """Hand a message over for these recipients, once.

    Raises
    ------
    WorkbenchError
        NOT101 to NOT106, NOT109.
    """
    target = guard.target(server.host, server.port, plain=server.tls is Tls.NONE)
    try:
        with _talking(guard, server, target, seconds) as talk:
            refused = talk.send_message(message, server.sender, list(to))
    except smtplib.SMTPRecipientsRefused as why:
        return _taken(server.host, to, why.recipients)
    except smtplib.SMTPResponseException as why:
        verdict = Verdict.AGAIN if 400 <= why.smtp_code < 500 else Verdict.REFUSED
        said = diagnostics.mail_refused(server.host, _words(why.smtp_error))
        return Outcome(verdict, str(said), why.smtp_code)
    except smtplib.SMTPNotSupportedError as why:
        raise diagnostics.mail_refused(server.host, str(why)) from None
    except ssl.SSLCertVerificationError as why:
        raise diagnostics.bad_certificate(server.host, why.verify_message) from None
    except (smtplib.SMTPException, OSError) as why:
        return Outcome(
            Verdict.AGAIN, str(diagnostics.no_connection(server.host, str(why) or type(why).__name__))
        )
    return _taken(server.host, to, refused)


def _taken(host: str, to: Sequence[str], refused: dict[str, tuple[int, bytes]]) -> Outcome:
    """Which of the recipients are told: who was refused for now is tried again, and only they."""
    left = tuple(one for one, (code, _) in refused.items() if 400 <= code < 500)
    never = [one for one in refused if one not in left]
    words = "; ".join(f"{one}: {code} {_words(said)}" for one, (code, said) in list(refused.items())[:5])
    code = next((code for code, _ in refused.values()), 250)
    if left:
        return Outcome(Verdict.AGAIN, words, code, left=left)
    if never and len(never) == len(to):
        return Outcome(Verdict.REFUSED, str(diagnostics.mail_refused(host, words)), code)
    return Outcome(Verdict.DELIVERED, f"not taken for {words}" if never else "", code)


@contextmanager
def _talking(guard: Guard, server: Server, target: Target, seconds: float) -> Iterator[smtplib.SMTP]:
    """A conversation that is over after some time, however slowly the other side speaks."""
    talk = _Pinned(guard, server, target, seconds)
    late = threading.Timer(seconds, talk.hang_up)
    late.daemon = True
    late.start()
    try:
        talk.connect(server.host, server.port)
        talk.ehlo()
        if server.tls is Tls.STARTTLS:
            talk.starttls(context=guard.context())
            talk.ehlo()
        if server.user:
            talk.login(server.user, server.password)
        yield talk
        with contextlib.suppress(smtplib.SMTPException, OSError):
            talk.quit()  # it has the message already
    finally:
        late.cancel()
        talk.close()


class _Pinned(smtplib.SMTP):
    """Connects to the checked addresses of a target; its name is the one in the certificate."""

    def __init__(self, guard: Guard, server: Server, target: Target, seconds: float) -> None:
        self._guard, self._server, self._target = guard, server, target
        super().__init__(timeout=seconds)
        self._host = server.host  # what `starttls` compares the certificate with

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = self._guard.connect(self._target, timeout)
        if self._server.tls is not Tls.TLS:
            return plain
        return self._guard.context().wrap_socket(plain, server_hostname=self._server.host)

    def hang_up(self) -> None:
        found = self.sock
        if found is not None:
            with contextlib.suppress(OSError):
                found.shutdown(socket.SHUT_RDWR)


def _words(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:200]
