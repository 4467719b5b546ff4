"""A real service process over a workspace of its own, and what tests ask of it."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Running:
    """A service that answers."""

    workspace: Path
    url: str
    workspace_id: str
    process: subprocess.Popen[str]
    token: str

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        host: str | None = None,
    ) -> tuple[int, Any]:
        """Status and JSON body; `token=""` sends none."""
        parts = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        headers = {"Content-Type": "application/json"}
        if token != "":
            headers["Authorization"] = f"Bearer {self.token if token is None else token}"
        if host is not None:
            headers["Host"] = host
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text)

    def query(self, text: str, **more: Any) -> tuple[int, Any]:
        return self.ask("POST", f"/v1/workspaces/{self.workspace_id}/query", {"query": text, **more})

    def log(self) -> str:
        return (self.workspace.parent / "service.log").read_text()


@contextmanager
def serving(folder: Path, *more: str) -> Iterator[Running]:
    """A service over `folder/workspace`, with more arguments; it has to end in peace."""
    workspace = folder / "workspace"
    with (folder / "service.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workbench.cli", "serve", "--workspace", str(workspace), *more],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    try:
        said = json.loads(process.stdout.readline())
        token = (workspace / "state" / "owner.token").read_text().strip()
        yield Running(workspace, said["url"], said["workspace_id"], process, token)
    finally:
        process.terminate()
        rest = process.stdout.read()
        process.stdout.close()
        assert process.wait(20) == 0
        assert rest == "", "the service says one line on standard output and no more"
