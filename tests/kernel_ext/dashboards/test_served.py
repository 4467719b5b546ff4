"""Dashboards served to viewers: closed without a token, read-only with one, usable on a phone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab_server import browser

from workbench.base.access import Role
from workbench.cli.access import opened

pytestmark = [pytest.mark.slow, pytest.mark.browser]

ROOT = Path(__file__).parents[3]
NAMES = ("12_fleet", "13_security_events")
FIGURE = ".wb-tile[aria-label='Machines'] .wb-figure"


@pytest.fixture(scope="module")
def server(fleet_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of two served dashboards, and the file of what the server says."""
    pytest.importorskip("voila", reason="voila is not installed")
    log = tmp_path_factory.mktemp("served") / "log"
    command = [sys.executable, "-m", "workbench.cli", "dashboard", "serve", "--workspace", str(fleet_path)]
    command += [str(ROOT / f"notebooks/{name}.ipynb") for name in NAMES]
    with log.open("w") as said:
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True, env=os.environ)
    try:
        assert child.stdout is not None
        line = child.stdout.readline()
        assert line, log.read_text()
        yield json.loads(line)["url"], log
    finally:
        child.terminate()
        child.wait(30)


@pytest.fixture(scope="module")
def token(fleet_path: Path) -> str:
    return opened(str(fleet_path)).create_token(Role.READER, "a viewer")[1]


def status(url: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """What an address answers, and where it then is."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=30) as answer:
            return answer.status, answer.url
    except urllib.error.HTTPError as error:
        return error.code, url


def test_nothing_opens_without_a_token(server: tuple[str, Path]) -> None:
    url, _ = server
    for path in ("", "voila/render/12_fleet.ipynb", "voila/tree"):
        assert status(url + path)[1].startswith(f"{url}login")
    for path in (
        "voila/api/contents/",
        "voila/files/12_fleet.yaml",
        f"api/kernels/{'0' * 8}-0000-0000-0000-{'0' * 12}",
    ):
        assert status(url + path)[0] == 403
    # A token in an address would stand in logs, so it opens nothing.
    assert "login" in status(f"{url}voila/tree?token=x")[1]
    assert status(f"{url}voila/api/contents/", {"Authorization": "Bearer nonsense"})[0] == 403


def test_texts_and_other_files_are_not_served(server: tuple[str, Path], token: str) -> None:
    url, _ = server
    bearer = {"Authorization": f"Bearer {token}"}
    assert status(f"{url}voila/tree", bearer)[0] == 200
    for path in ("voila/files/12_fleet.yaml", "voila/files/12_fleet.ipynb", "voila/files/../pyproject.toml"):
        assert status(url + path, bearer)[0] in (403, 404)
    assert status(f"{url}voila/render/00_tour.ipynb", bearer)[0] in (404, 500)


def test_a_viewer_logs_in_sees_and_runs_no_code(server: tuple[str, Path], token: str, tmp_path: Path) -> None:
    url, log = server
    with browser() as chromium:
        context = chromium.new_context(viewport={"width": 1440, "height": 1000}, color_scheme="dark")
        page = context.new_page()
        asked: list[str] = []
        page.on("requestfinished", lambda request: asked.append(request.url))
        page.goto(f"{url}voila/render/12_fleet.ipynb")
        page.fill("input[type=password]", "not a token")
        page.click("button[type=submit]")
        assert "opens nothing here" in page.locator("[role=alert]").inner_text()
        page.fill("input[type=password]", token)
        page.click("button[type=submit]")
        page.wait_for_function(f"document.querySelector(\"{FIGURE}\")?.textContent === '10'", timeout=180_000)
        # Nor does it ask for what the policy would refuse.
        assert re.findall(r'<link[^>]*href="(?:https?:)?//[^>]*>', page.content()) == []
        cookie = next(c for c in context.cookies() if c["name"] != "_xsrf")
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
        assert token not in cookie["value"]
        page.screenshot(path=str(tmp_path / "viewer.png"), full_page=True)

        # The search behind a figure is shown, since there is no notebook to put it into.
        page.click(FIGURE)
        assert "%%logsearch --timespan" in page.locator("dialog pre").inner_text()
        page.click("dialog button:has-text('Close')")

        # The kernel of this page takes no code from it.
        marker = tmp_path / "ran"
        kernel = kernel_of(page)
        ran = page.evaluate(RUN, [kernel, f"open({str(marker)!r}, 'w')"])
        assert ran == "answered"
        assert not marker.exists()

        # A link with parameters, at the width of a phone.
        phone = chromium.new_context(
            viewport={"width": 390, "height": 800}, storage_state=context.storage_state()
        )
        small = phone.new_page()
        small.goto(f"{url}voila/render/12_fleet.ipynb?p_machines=db02&p_machines=web01")
        small.wait_for_function(f"document.querySelector(\"{FIGURE}\")?.textContent === '2'", timeout=180_000)
        assert small.evaluate("document.documentElement.scrollWidth") <= 390
        widths = small.evaluate(
            "[...document.querySelectorAll('.wb-tile')].map(e => e.getBoundingClientRect().width)"
        )
        assert min(widths) > 300
        small.screenshot(path=str(tmp_path / "phone.png"), full_page=True)
        small.goto(f"{url}voila/render/12_fleet.ipynb?p_late_after=never")
        small.wait_for_selector("text=DSH101", timeout=180_000)
        assert [a for a in asked if not re.match(rf"{re.escape(url)}|data:|blob:", a)] == []
    assert token not in log.read_text()


def test_a_revoked_token_closes_the_page(server: tuple[str, Path], fleet_path: Path) -> None:
    url, _ = server
    access = opened(str(fleet_path))
    token_id, token = access.create_token(Role.READER, "for a moment")
    assert status(f"{url}voila/tree", {"Authorization": f"Bearer {token}"})[0] == 200
    access.revoke(token_id)
    assert status(f"{url}voila/api/contents/", {"Authorization": f"Bearer {token}"})[0] == 403


def kernel_of(page: Any) -> str:
    """The id of the kernel that a page talks to, from its own page configuration."""
    found = page.evaluate("JSON.parse(document.getElementById('jupyter-config-data').textContent).kernelId")
    assert re.fullmatch(r"[0-9a-f-]{36}", found)
    return str(found)


# Sends code and then a question that is allowed; the answer to that comes after whatever the code would have done.
RUN = """([kernel, code]) => new Promise((resolve, reject) => {
  const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/api/kernels/${kernel}/channels?session_id=probe`);
  const send = (type, content) => socket.send(JSON.stringify({
    header: {msg_id: type, msg_type: type, session: 'probe', username: '', version: '5.3', date: new Date().toISOString()},
    parent_header: {}, metadata: {}, content, channel: 'shell', buffers: [],
  }));
  socket.onopen = () => {
    send('execute_request', {code, silent: false, store_history: false, user_expressions: {}, allow_stdin: false});
    send('kernel_info_request', {});
  };
  socket.onmessage = event => {
    if (typeof event.data === 'string' && JSON.parse(event.data).parent_header?.msg_id === 'kernel_info_request') resolve('answered');
  };
  socket.onerror = () => reject(new Error('no socket'));
})"""
