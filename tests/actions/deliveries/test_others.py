"""Receivers that others wrote: a real Alertmanager as a sink and as an oracle, a chat channel by apprise."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import receivers
from notices import AT, notice, resolved
from runbook_service import wait_for

from workbench.actions.notify import chat
from workbench.actions.notify.guard import Guard
from workbench.actions.notify.payloads import FORMS
from workbench.actions.notify.telling import Told
from workbench.base import clock
from workbench.base.errors import WorkbenchError


def get(url: str) -> Any:
    """The JSON of an answer; None while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.loads(answer.read())
    except (urllib.error.URLError, ConnectionError):
        return None


@contextmanager
def alertmanager(folder: Path, sends_to: str) -> Iterator[str]:
    """A real one that tells each alert at once."""
    program = shutil.which("prometheus-alertmanager")
    if program is None:
        pytest.skip("prometheus-alertmanager is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "alertmanager.yml"
    config.write_text(
        "route: {receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 1s}\n"
        f"receivers: [{{name: r, webhook_configs: [{{url: '{sends_to}', send_resolved: true}}]}}]\n"
    )
    url = f"http://127.0.0.1:{port}"
    with (folder / "alertmanager.log").open("w") as log:
        process = subprocess.Popen(
            [program, f"--config.file={config}", f"--storage.path={folder}", f"--web.listen-address=127.0.0.1:{port}",
             "--cluster.listen-address="],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        wait_for(lambda: get(f"{url}/api/v2/status"))
        yield url
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
@pytest.mark.parametrize("control_place", ["sqlite"], indirect=True)
def test_an_alertmanager_takes_our_alerts_and_tells_them_as_we_do(desk: Any, tmp_path: Path) -> None:
    now = clock.now_us()
    fired, over = notice("k1", "am", fired_at=now), resolved("k2", "am", fired_at=now)
    over = type(over)(**{**{n: getattr(over, n) for n in over.__slots__}, "resolved_at": now + 1_000_000})
    desk.groups.allow("127.0.0.0/8", plain=True, by="ada")
    with receivers.web() as web, alertmanager(tmp_path, f"{web.url}/from") as url:
        hook = {"name": "sink", "url": f"{url}/api/v2/alerts", "form": "alertmanager-api"}
        desk.groups.put("am", {"webhooks": [hook]}, by="ada")
        desk.add(fired)
        assert desk.turn() == ["Delivered"]
        (alert,) = wait_for(lambda: get(f"{url}/api/v2/alerts"))
        assert (alert["labels"]["alertname"], alert["labels"]["Computer"]) == ("AcmeRule", "web01")
        wait_for(lambda: web.got)
        ours, theirs = FORMS["alertmanager"](Told.of(fired, url), None), web.got[0].json
        assert set(ours) == set(theirs)
        assert set(ours["alerts"][0]) == set(theirs["alerts"][0])
        same = (
            "version",
            "groupKey",
            "status",
            "groupLabels",
            "commonLabels",
            "commonAnnotations",
            "truncatedAlerts",
        )
        assert [ours[key] for key in same] == [theirs[key] for key in same]
        assert ours["alerts"][0]["endsAt"] == theirs["alerts"][0]["endsAt"]
        desk.add(over)
        assert desk.turn() == ["Delivered"]
        wait_for(lambda: [r for r in web.got if r.json["status"] == "resolved"])


# apprise loads all its channels, which use what Python gives up.
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("control_place", ["sqlite"], indirect=True)
def test_a_chat_channel_is_told(
    desk: Any, web: receivers.Web, certificate: receivers.Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.file))
    url = f"mmosts://localhost:{web.port}/3ccdd113474722377935511fc85d3dd4"
    desk.automation.assets.put("credential", "room", {"user": "-", "password": url}, by="ada")
    desk.groups.put("talk", {"chat": [{"name": "room", "url_from": "room"}]}, by="ada")
    web.answers = [200, 308]
    web.location = f"{web.url}/elsewhere"
    desk.add(notice("k1", "talk"))
    assert desk.turn() == ["Delivered"]
    assert "AcmeRule" in web.got[0].body.decode()
    desk.add(notice("k2", "talk"))
    assert desk.turn() == ["Waiting"]
    assert [r.path for r in web.got] == ["/hooks/3ccdd113474722377935511fc85d3dd4"] * 2


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("mmosts://hook.example/abc", "NOT102"), ("workflows://hook.example:443/a/b/c", "NOT102"),
        ("slack://T/A/B", "NOT102"), ("pagerduty://key@key", "NOT102"), ("msteams://a/b/c/d", "NOT102"),
        ("mmosts://9.9.9.9/abc?verify=no", "NOT111"), ("mmosts://9.9.9.9/abc?redirect=yes", "NOT111"),
        ("mmosts://9.9.9.9/abc?%76erify=no", "NOT111"), ("mmosts://9.9.9.9\\@10.0.0.1/abc", "NOT111"),
        ("json://9.9.9.9/", "NOT111"), ("https://9.9.9.9/", "NOT111"), ("mmost://9.9.9.9/abc", "NOT103"), ("", "NOT111"),
    ],
)  # fmt: skip
def test_a_chat_channel_leads_to_no_closed_address(url: str, code: str) -> None:
    guard = Guard(list, lambda _host, _port: ["10.0.0.1"])
    with pytest.raises(WorkbenchError) as refused:
        chat.send(guard, url, Told.of(notice(fired_at=AT), ""), 5)
    assert refused.value.code == code
    assert "abc" not in str(refused.value)
