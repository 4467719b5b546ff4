"""The guard of addresses: nothing reaches a closed address, however it is written, however its name changes its mind."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import receivers
from hypothesis import given
from hypothesis import strategies as st

from workbench.actions.notify import http
from workbench.actions.notify.addresses import as_address, carried, why_refused
from workbench.actions.notify.guard import Destination, Guard
from workbench.actions.notify.outcome import Outcome, Verdict
from workbench.base.errors import WorkbenchError

CLOSED = (
    # The service of clouds that tells secrets, and its forms.
    "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "[::ffff:169.254.169.254]", "[fe80::1]",
    "[64:ff9b::169.254.169.254]", "[2002:a9fe:a9fe::1]", "[fd00:ec2::254]",
    # This machine.
    "127.0.0.1", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "0", "0.0.0.0", "[::1]", "[::]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b:1::7f00:1]", "127.0.0.1.", "１２７.0.0.1",
    # Teredo: a server in a private network, and a client there.
    "[2001:0:a00:1::f5ff:fffe]", "[2001:0:4136:e378:8000:63bf:f5ff:fffe]",
    # Private, carrier, multicast, reserved.
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "[fc00::1]", "[fec0::1]", "[2002:0a00:0001::]",
    "224.0.0.1", "239.255.255.250", "[ff02::1]", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "[2001:db8::1]",
    "[::ffff:0:0]", "[100::1]",
)  # fmt: skip
OPEN = (
    "9.9.9.9",
    "172.32.0.1",
    "192.169.0.1",
    "100.128.0.1",
    "151101177",
    "[2620:fe::fe]",
    "[::ffff:9.9.9.9]",
)


def guard(*allowed: str, plain: bool = False, means: Sequence[str] = ()) -> Guard:
    entries = [Destination.read(text, plain) for text in allowed]
    return Guard(lambda: entries, resolve=lambda _host, _port: list(means))


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(WorkbenchError) as why:
        call()
    return why.value.code


def target(made: Guard, url: str) -> object:
    parts = made.url(url)
    return made.target(parts.host, parts.port, plain=parts.scheme == "http")


@pytest.mark.parametrize("host", CLOSED)
def test_a_closed_address_is_refused_in_every_spelling(host: str) -> None:
    assert refused(lambda: target(guard(), f"https://{host}/latest/meta-data")) == "NOT102"
    # A name that means it is as closed; so is one that means an open address as well.
    written = as_address(host.replace("１２７", "127"))
    assert written is not None
    for means in ([str(written)], ["9.9.9.9", str(written)]):
        assert refused(lambda m=means: target(guard(means=m), "https://harmless.example/")) == "NOT102"  # type: ignore[misc]


@pytest.mark.parametrize("host", OPEN)
def test_an_open_address_is_told_with_tls_alone(host: str) -> None:
    assert target(guard(), f"https://{host}:8443/hook")
    assert refused(lambda: target(guard(), f"http://{host}/hook")) == "NOT103"
    assert target(guard(str(as_address(host)), plain=True), f"http://{host}/hook")


@given(st.ip_addresses())
def test_what_is_told_is_global_by_the_standard_library_too(address: ipaddress.IPv4Address) -> None:
    if not why_refused(address):
        assert all(one.is_global and not one.is_multicast for one in (address, *carried(address)))


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret@example.org/", "https://example.org@127.0.0.1/", "https://example.org\\@127.0.0.1/",
        "https://exa mple.org/", "https://example.org/\r\nHost: x", "ftp://example.org/", "file:///etc/passwd",
        "gopher://127.0.0.1:25/", "https:///path", "https://", "//example.org/", "https://example.org:99999/",
        "https://[::1", "https://a..b/", "https://\u2025/", "javascript:alert(1)", "",
    ],
)  # fmt: skip
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    assert refused(lambda: guard().url(url)) == "NOT101"


def test_an_owner_opens_networks_and_hosts_and_nothing_more() -> None:
    private = guard("10.1.0.0/16")
    assert target(private, "https://10.1.2.3/")
    assert target(private, "https://[::ffff:10.1.2.3]/")
    assert target(guard("10.1.0.0/16", means=["10.1.2.3"]), "https://hook.corp/")
    assert refused(lambda: target(private, "https://10.2.0.1/")) == "NOT102"
    assert refused(lambda: target(private, "http://10.1.2.3/")) == "NOT103"
    named = guard("hook.corp", means=["10.9.9.9"])
    assert target(named, "https://HOOK.corp./")
    assert refused(lambda: target(named, "https://other.corp/")) == "NOT102"
    assert refused(lambda: target(named, "https://10.9.9.9/")) == "NOT102"
    # A name never opens what clouds tell secrets at: only that network does.
    assert (
        refused(lambda: target(guard("hook.corp", means=["169.254.169.254"]), "https://hook.corp/"))
        == "NOT102"
    )
    assert target(guard("169.254.169.254", means=["169.254.169.254"]), "https://hook.corp/")
    for text in ("", "*", "10.0.0.0/33", "a b", "http://x", "2130706433", "-x.corp"):
        assert refused(lambda t=text: Destination.read(t)) == "NOT201"  # type: ignore[misc]


@pytest.fixture
def trusted(tmp_path: Path) -> receivers.Certificate:
    return receivers.certificate(tmp_path, "hook.example")


@pytest.fixture
def place(trusted: receivers.Certificate) -> Iterator[receivers.Web]:
    with receivers.web(trusted) as made:
        yield made


def post(made: Guard, url: str, seconds: float = 30) -> http.Reply | Outcome:
    return http.post(made, url, {"Content-Type": "application/json"}, b"{}", seconds)


def test_it_connects_to_what_was_checked_whatever_the_name_means_then(
    place: receivers.Web, trusted: receivers.Certificate
) -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        """The checked address at first, another one from then on."""
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.9.9.9"]

    entries = [Destination.read("127.0.0.1")]
    made = Guard(lambda: entries, rebinding, trusted.client)
    answer = post(made, f"https://hook.example:{place.port}/x?y=1")
    assert isinstance(answer, http.Reply)
    assert (answer.status, asked) == (200, ["hook.example"])
    assert (place.got[0].path, place.got[0].headers["host"]) == ("/x?y=1", f"hook.example:{place.port}")
    # The second look-up gives what no owner opened.
    assert refused(lambda: post(made, f"https://hook.example:{place.port}/")) == "NOT102"
    assert len(place.got) == 1


def test_the_certificate_is_of_the_name_that_was_asked(
    place: receivers.Web, trusted: receivers.Certificate
) -> None:
    entries = [Destination.read("127.0.0.1")]
    for host, context in (("other.example", trusted.client), ("hook.example", Guard(list).context)):
        made = Guard(lambda: entries, lambda _h, _p: ["127.0.0.1"], context)
        assert refused(lambda m=made, h=host: post(m, f"https://{h}:{place.port}/")) == "NOT106"  # type: ignore[misc]
    assert place.got == []


def test_redirects_are_not_followed_and_proxies_not_asked(
    place: receivers.Web, trusted: receivers.Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receivers.web() as inside:
        place.answers, place.location = [301, 302, 303, 307, 308], f"{inside.url}/secret"
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
            monkeypatch.setenv(name, inside.url)
        entries = [Destination.read("127.0.0.1", plain=True)]
        made = Guard(lambda: entries, lambda _h, _p: ["127.0.0.1"], trusted.client)
        for _ in range(5):
            answer = post(made, f"https://hook.example:{place.port}/")
            assert isinstance(answer, http.Reply)
            assert answer.outcome().verdict is Verdict.REFUSED
        assert (len(place.got), inside.got) == (5, [])


def test_who_never_answers_and_who_is_not_there_are_tried_again(
    place: receivers.Web, trusted: receivers.Certificate
) -> None:
    entries = [Destination.read("127.0.0.1")]
    made = Guard(lambda: entries, lambda _h, _p: ["127.0.0.1"], trusted.client)
    place.answers = [None]
    late = post(made, f"https://hook.example:{place.port}/", seconds=0.5)
    assert isinstance(late, Outcome)
    assert (late.verdict, late.detail) == (Verdict.AGAIN, "no answer within 0.5 seconds")
    gone = post(made, "https://hook.example:1/")
    assert isinstance(gone, Outcome)
    assert gone.verdict is Verdict.AGAIN
    codes = {
        408: "Again",
        429: "Again",
        503: "Again",
        504: "Again",
        500: "Refused",
        404: "Refused",
        204: "Delivered",
    }
    for status, verdict in codes.items():
        assert http.Reply(status, b"").outcome().verdict == verdict
