"""Messages about OTLP (`OTL`), Prometheus remote write (`PRW`) and syslog (`LOG`): bodies, records, senders."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.base.errors import WorkbenchError

# ---- a whole request -------------------------------------------------------------------------


def body_too_long(limit: int) -> WorkbenchError:
    return WorkbenchError(
        "OTL101",
        f"the body has more than {limit:,} bytes after it is unpacked",
        hint="send fewer records in a request",
    )


def bad_compression(name: str, why: str) -> WorkbenchError:
    return WorkbenchError("OTL102", f"the body can't be unpacked as {name}: {why}")


def unknown_encoding(name: str, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "OTL103", f"no Content-Encoding named {name!r} here", hint=f"one of: {', '.join(known)}"
    )


def unknown_content(name: str, known: Iterable[str]) -> WorkbenchError:
    said = f"the Content-Type {name!r} is not taken here" if name else "the request has no Content-Type"
    return WorkbenchError("OTL104", said, hint=f"one of: {', '.join(known)}")


def no_request(kind: str, why: str) -> WorkbenchError:
    return WorkbenchError("OTL105", f"the body is no {kind}: {why}")


# ---- one record ------------------------------------------------------------------------------


def bad_ids() -> WorkbenchError:
    return WorkbenchError("OTL201", "the span has no valid trace id (16 bytes) and span id (8 bytes)")


def no_data(name: str) -> WorkbenchError:
    return WorkbenchError("OTL202", f"the metric {name!r} has no points of a known kind")


def no_name() -> WorkbenchError:
    return WorkbenchError("OTL203", "the metric has no name")


def unread_record(why: str) -> WorkbenchError:
    return WorkbenchError(
        "OTL204", f"the record, or what it says of its resource or scope, can't be read: {why}"
    )


def bad_series(why: str) -> WorkbenchError:
    return WorkbenchError("PRW201", f"the labels of a time series are not valid: {why}")


def bad_timestamp(name: str, stamp: int) -> WorkbenchError:
    return WorkbenchError(
        "PRW202",
        f"a sample of {name!r} has the timestamp {stamp}, which is no time between the years 1 and 9999",
    )


# ---- syslog ----------------------------------------------------------------------------------


def foreign_peer(peer: str) -> WorkbenchError:
    return WorkbenchError(
        "LOG101",
        f"{peer} may not send syslog here",
        hint="name its network with --syslog-allow, or give it a certificate (--syslog-client-ca)",
    )


def no_certificate(peer: str, why: str) -> WorkbenchError:
    return WorkbenchError("LOG102", f"{peer} has shown no certificate that is known here: {why}")


def too_many_connections(limit: int) -> WorkbenchError:
    return WorkbenchError("LOG103", f"there are {limit} syslog connections already")


def too_fast(limit: int) -> WorkbenchError:
    return WorkbenchError("LOG104", f"{limit:,} syslog messages wait already, so datagrams were dropped")


def frame_cut_off(wanted: int, found: int) -> WorkbenchError:
    return WorkbenchError("LOG105", f"the connection ended after {found} of {wanted} bytes of a message")


def bad_address(text: str) -> WorkbenchError:
    return WorkbenchError(
        "LOG106", f"{text!r} is no HOST:PORT", hint="for example 127.0.0.1:5514 or [::1]:5514"
    )


def bad_network(text: str) -> WorkbenchError:
    return WorkbenchError("LOG107", f"{text!r} is no network", hint="for example 10.0.0.0/8 or fd00::/8")


def address_taken(address: str, why: str) -> WorkbenchError:
    return WorkbenchError("LOG108", f"syslog can't listen on {address}: {why}")


def half_a_certificate() -> WorkbenchError:
    return WorkbenchError(
        "LOG109", "syslog over TLS needs --syslog-tls-cert, --syslog-tls-key and --syslog-client-ca together"
    )


def bad_certificate(why: str) -> WorkbenchError:
    return WorkbenchError("LOG110", f"the certificate files can't be used: {why}")
