"""Chat channels by apprise: Slack, Microsoft Teams, PagerDuty, Mattermost.

In go apprise's URL (which holds tokens) and a `Told`, out comes whether it was taken. Every host that the channel could
talk to is checked before; what is not covered by that stands in RECEIVERS.md. apprise is an extra, loaded when it is used.
"""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

from workbench.actions.notify.guard import Guard
from workbench.actions.notify.mail import one_line
from workbench.actions.notify.outcome import Outcome, Verdict
from workbench.actions.notify.telling import Told, shortened
from workbench.base.diagnostics import notify as diagnostics

HOSTS: dict[str, tuple[str, ...]] = {
    "slack": ("hooks.slack.com", "slack.com"),
    "msteams": (),
    "workflows": (),
    "workflow": (),
    "pagerduty": ("events.pagerduty.com", "events.eu.pagerduty.com"),
    "mmosts": (),
    "mmost": (),
}
"""The schemes that are taken, and the hosts of those that have fixed ones; of the others the URL names it."""
_TURNED_OFF = re.compile(r"[?&](verify|redirect)=", re.IGNORECASE)
_SCHEME = re.compile(r"([a-z]+)://([^/?#]*)")
_NOT_SET = "neither 'verify' nor 'redirect' is set in its URL"
_TEAMS = "webhook.office.com"
_RECORDS, _MOST_VALUE = 3, 300


def send(guard: Guard, url: str, told: Told, seconds: float) -> Outcome:
    """Tell a channel, once.

    Raises
    ------
    WorkbenchError
        NOT101 to NOT105, NOT110, NOT111.
    """
    checked(guard, url)
    try:
        import apprise
    except ImportError:
        raise diagnostics.no_apprise() from None
    asset = apprise.AppriseAsset(app_id="Workbench", app_desc="Workbench", app_url=told.service)
    separator = "&" if "?" in url else "?"
    limits = f"{separator}cto={seconds:g}&rto={seconds:g}&redirect=no"
    channel: Any = apprise.Apprise.instantiate(url + limits, asset=asset, suppress_exceptions=True)
    if channel is None:
        raise diagnostics.bad_chat("apprise does not understand its URL")
    # What apprise read is what counts, however the URL was written.
    if not channel.verify_certificate or channel.redirects:
        raise diagnostics.bad_chat(_NOT_SET)
    if not HOSTS[_scheme(url)] and isinstance(getattr(channel, "host", None), str) and "." in channel.host:
        guard.target(channel.host, channel.port or 443, plain=not channel.secure)
    kind = apprise.NotifyType.FAILURE if told.fired else apprise.NotifyType.SUCCESS
    if channel.notify(title=title(told), body=body(told), notify_type=kind):
        return Outcome(Verdict.DELIVERED)
    return Outcome(Verdict.AGAIN, "the channel did not take it")


def checked(guard: Guard, url: str) -> None:
    """Check the form of a channel's URL, and every host that it leads to; no message repeats it, since it holds tokens."""
    found = _SCHEME.match(url)
    if found is None or found[1] not in HOSTS or "\\" in url:
        raise diagnostics.bad_chat(f"its URL begins with one of: {', '.join(HOSTS)}")
    if _TURNED_OFF.search(urllib.parse.unquote(url)):
        raise diagnostics.bad_chat(_NOT_SET)
    scheme, place = found[1], found[2].rpartition("@")[2]
    hosts = HOSTS[scheme]
    if not hosts:
        # Tokens of older Teams channels stand where a host does; their host is fixed.
        hosts = (place.rpartition(":")[0] or place,) if "." in place or scheme != "msteams" else (_TEAMS,)
    port = place.rpartition(":")[2]
    for host in hosts:
        guard.target(
            host, int(port) if port.isdecimal() and int(port) < 65_536 else 443, plain=scheme == "mmost"
        )


def _scheme(url: str) -> str:
    return url.partition(":")[0]


def title(told: Told) -> str:
    return one_line(f"[{told.rule.severity.value}] {told.notice.condition}: {told.rule.name}")


def body(told: Told) -> str:
    """What is said: the figures, the first records, the link. Plain text: a channel's own mark-up is not used."""
    lines = [f"{told.notice.count:,} records from {told.start} to {told.end}"]
    if told.notice.dimensions:
        lines.append(one_line(shortened(told.notice.dimensions, _MOST_VALUE)))
    if told.rule.description:
        lines.append(told.rule.description)
    lines += [one_line(shortened(record, _MOST_VALUE)) for record in told.objects[:_RECORDS]]
    return "\n".join([*lines, told.link])
