"""Messages about telling of alerts: `NOT0xx` action groups, `NOT1xx` what was not delivered, `NOT2xx` who may be told."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.base.errors import WorkbenchError
from workbench.base.registry import nearest

ALLOW = "an owner allows it: workbench alert group allow {}"


def no_such_group(name: str, known: Iterable[str]) -> WorkbenchError:
    near = nearest(name, known)
    hint = f"did you mean {near[0]!r}?" if near else "'workbench alert group list' lists them"
    return WorkbenchError("NOT001", f"there is no action group named {name!r}", hint=hint)


def bad_name(name: str) -> WorkbenchError:
    return WorkbenchError(
        "NOT002",
        f"{name[:120]!r} can't be the name of an action group",
        hint="letters, digits, '_', '.', '-' and spaces inside, at most 100",
    )


def bad_field(where: str, what: str, known: Iterable[str] = ()) -> WorkbenchError:
    words = ", ".join(known)
    return WorkbenchError("NOT003", f"{where}: {what}", hint=f"known are: {words}" if words else None)


def too_many(what: str, found: int, most: int) -> WorkbenchError:
    return WorkbenchError("NOT004", f"an action group has at most {most:,} {what}, not {found:,}")


def no_yaml(why: str) -> WorkbenchError:
    return WorkbenchError("NOT005", f"the text of the action group can't be read: {why}")


def same_name(name: str) -> WorkbenchError:
    return WorkbenchError("NOT006", f"two actions of the group are named {name!r}", hint="give each a name")


def bad_address(text: str) -> WorkbenchError:
    return WorkbenchError("NOT007", f"{text[:120]!r} is no mail address")


# ---- what was not delivered ------------------------------------------------------------------------


def bad_url(why: str) -> WorkbenchError:
    return WorkbenchError("NOT101", f"the URL can't be used: {why}")


def refused_address(host: str, address: str, why: str) -> WorkbenchError:
    where = f"{host} is" if host == address else f"{host} is at {address},"
    return WorkbenchError("NOT102", f"{where} {why}: nothing is sent there", hint=ALLOW.format(address))


def plain_http(host: str) -> WorkbenchError:
    return WorkbenchError(
        "NOT103", f"nothing is sent to {host} without TLS", hint=ALLOW.format(f"{host} --plain")
    )


def not_found(host: str, why: str) -> WorkbenchError:
    return WorkbenchError("NOT104", f"there is no address of {host}: {why}")


def no_connection(host: str, why: str) -> WorkbenchError:
    return WorkbenchError("NOT105", f"{host} can't be reached: {why}")


def bad_certificate(host: str, why: str) -> WorkbenchError:
    return WorkbenchError("NOT106", f"the certificate of {host} is refused: {why}")


def no_secret(name: str) -> WorkbenchError:
    return WorkbenchError(
        "NOT107",
        f"the credential {name!r} that the action names is not there",
        hint=f"workbench asset credential {name} --user NAME",
    )


def no_mail_server(name: str, why: str) -> WorkbenchError:
    return WorkbenchError(
        "NOT108",
        f"the connection {name!r} is no mail server: {why}",
        hint="a connection of type smtp with host, port, tls (starttls, tls or none), from, credential",
    )


def mail_refused(host: str, why: str) -> WorkbenchError:
    return WorkbenchError("NOT109", f"{host} did not take the mail: {why}")


def no_apprise() -> WorkbenchError:
    return WorkbenchError(
        "NOT110", "chat channels need the package apprise", hint="pip install 'workbench[chat]'"
    )


def bad_chat(why: str) -> WorkbenchError:
    return WorkbenchError("NOT111", f"the chat action can't be used: {why}")


def too_often_lost(tries: int) -> WorkbenchError:
    return WorkbenchError("NOT112", f"its sender was lost {tries} times while it sent")


def cannot_deliver(what: str) -> WorkbenchError:
    return WorkbenchError(
        "NOT113", f"a fault of ours while it was sent ({what}); the service's log tells more"
    )


# ---- who may be told -------------------------------------------------------------------------------


def bad_destination(text: str) -> WorkbenchError:
    return WorkbenchError(
        "NOT201",
        f"{text[:120]!r} is neither a host name nor an address or network",
        hint="10.1.0.0/16, or mail.corp",
    )


def no_such_destination(text: str) -> WorkbenchError:
    return WorkbenchError("NOT202", f"{text[:120]!r} is not on the list of what may be told")
