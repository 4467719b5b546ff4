"""JupyterLab, or Notebook 7, as a child process, and Chromium over it without a network."""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
import pytest

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]  # fmt: skip
# In the page: the notebook in front and its kernel.
PANEL = "jupyterapp.shell.currentWidget"
KERNEL = f"{PANEL}.sessionContext.session?.kernel"


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """A notebook of code cells, in a folder that is made."""
    made = nbformat.v4.new_notebook(
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
        }
    )
    made.cells = [nbformat.v4.new_code_cell(source) for source in cells]
    path.parent.mkdir(exist_ok=True)
    nbformat.write(made, path)


def loads(minutes: Iterable[int]) -> pl.DataFrame:
    """The load of three machines in each of these minutes."""
    start = dt.datetime(2026, 11, 23, tzinfo=dt.UTC)
    rows = [
        {
            "TimeGenerated": start + dt.timedelta(minutes=i),
            "Computer": f"web{h}",
            "Load": h + math.sin(i / 20),
        }
        for i in minutes
        for h in range(3)
    ]
    return pl.DataFrame(rows).with_columns(pl.col("TimeGenerated").dt.cast_time_unit("us"))


@contextmanager
def served(folder: Path, theme: str, application: str = "jupyterlab") -> Iterator[str]:
    """A server over `folder/files` and the workspace `folder/workspace`, with nothing of the user's own settings.

    Gives the address of notebooks, to which `NAME.ipynb?token=t` belongs.
    """
    settings = folder / f"settings-{application}-{theme}" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "themes.jupyterlab-settings").write_text(json.dumps({"theme": f"JupyterLab {theme.title()}"}))
    (settings / "notification.jupyterlab-settings").write_text(json.dumps({"fetchNews": "false"}))
    tracker = settings.parent / "notebook-extension"
    tracker.mkdir()
    (tracker / "tracker.jupyterlab-settings").write_text(json.dumps({"windowingMode": "none"}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {
        **os.environ,
        "WORKBENCH_WORKSPACE": str(folder / "workspace"),
        "JUPYTERLAB_SETTINGS_DIR": str(settings.parent.parent),
        # Its own, or the tab that an earlier test had open may come to the front.
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / f"workspaces-{application}-{theme}"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    command = [
        sys.executable, "-m", application, "--no-browser", "--allow-root", f"--port={port}", "--expose-app-in-browser",
        "--ServerApp.token=t", f"--ServerApp.root_dir={folder / 'files'}",
    ]  # fmt: skip
    with (folder / f"{application}-{theme}.log").open("w") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(f"http://127.0.0.1:{port}/api/status?token=t", server)
        yield f"http://127.0.0.1:{port}/{'lab/tree' if application == 'jupyterlab' else 'notebooks'}"
    finally:
        server.terminate()
        try:
            server.wait(60)
        finally:
            server.kill()  # a server that will not end holds up no other test


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, TimeoutError):
            assert server.poll() is None, "the server has ended"
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.2)


@contextmanager
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()


def playwright_error() -> type[Exception]:
    """The error of a wait that was in vain; imported here, since playwright can be missing."""
    from playwright.sync_api import TimeoutError as InVain

    return InVain


def open_notebook(page: Any, url: str) -> None:
    """Open a notebook and wait until its kernel can run cells."""
    page.goto(url)
    page.wait_for_function(f"window.jupyterapp && {PANEL}?.sessionContext", timeout=90_000)
    page.wait_for_function(
        f"{KERNEL}?.connectionStatus === 'connected' && {KERNEL}?.status === 'idle'", timeout=90_000
    )
    page.wait_for_function(f"{PANEL}.context.isReady && {PANEL}.sessionContext.isReady", timeout=90_000)
