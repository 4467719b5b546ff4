"""JupyterLab as a child of `workbench up`: where its notebooks lie, how it is started, when it answers."""

from __future__ import annotations

import json
import os
import secrets
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import workbench
from workbench.base.config import is_url, state_folder
from workbench.base.diagnostics import service as diagnostics
from workbench.server import client
from workbench.server.children import Child

TOUR = "00_tour.ipynb"
SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
"""Defaults that the user can change: without them the first start asks whether to fetch news."""
START_SECONDS = 60.0


def notebooks_folder(workspace: str) -> Path:
    """The folder JupyterLab opens: `notebooks/` beside the package (a source tree), else the workspace's own.

    Raises
    ------
    WorkbenchError
        SRV006 when neither holds the tour.
    """
    beside = Path(workbench.__file__).parent.parent / "notebooks"
    own = (state_folder(workspace) if is_url(workspace) else Path(workspace)) / "notebooks"
    for folder in (beside, own):
        if (folder / TOUR).is_file():
            return folder
    raise diagnostics.no_tour(str(own))


@dataclass(frozen=True, slots=True)
class Lab:
    """A running JupyterLab."""

    child: Child
    base: str
    token: str

    @property
    def url(self) -> str:
        """The address that opens the tour, with its token."""
        return f"{self.base}/lab/tree/{TOUR}?token={self.token}"

    def answers(self) -> bool:
        found = client.get_json(
            f"{self.base}/api/status", {"Authorization": f"token {self.token}"}, seconds=5
        )
        return found is not None and found.status == 200


def start(workspace: str, folder: Path, log: Path) -> Lab:
    """Start JupyterLab on `folder`; its kernels know `workspace` by `WORKBENCH_WORKSPACE`."""
    port, token = _free_port(), secrets.token_hex(24)
    known = os.environ.get("JUPYTER_CONFIG_PATH")
    own = str(_settings(state_folder(workspace) / "jupyter"))
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_PATH": f"{known}{os.pathsep}{own}" if known else own,
        "WORKBENCH_WORKSPACE": workspace,
        "JUPYTER_TOKEN": token,  # not on the command line, where every user of the machine could read it
    }
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--no-browser",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={folder}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if os.getuid() == 0:
        command.append("--allow-root")
    return Lab(Child("JupyterLab", command, log, environment), f"http://127.0.0.1:{port}", token)


def _settings(folder: Path) -> Path:
    """Write the default settings where JupyterLab looks for them in a configuration folder."""
    path = folder / "labconfig" / "default_setting_overrides.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(SETTINGS))
    return folder


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
