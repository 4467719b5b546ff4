"""kill -9 of a service that evaluates alert rules, while records come in: each acknowledged record fires once.

`WORKBENCH_KILLS` says how often (`make soak`: 100), `WORKBENCH_KILL_SEED` where chance starts. Each record has a number of
its own. A rule that is split by it has to fire and to resolve once a number, one of an alert a row to fire once a record, in
the alerts, in their records and in the keys of the outbox; only the acknowledged records say what is right.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from workbench.base.database import VARIABLE, Database

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("WORKBENCH_KILLS", "3"))
SEED = int(os.environ.get("WORKBENCH_KILL_SEED", "1"))
DEADLINE = 180.0
STREAM = {
    "name": "faults",
    "streamDeclarations": {"Custom-Fault": {"columns": [{"name": "N", "type": "string"}]}},
    "destinations": {"logAnalytics": [{"name": "here"}]},
    "dataFlows": [{"streams": ["Custom-Fault"], "destinations": ["here"], "outputStream": "Custom-Fault_CL"}],
}  # fmt: skip
RULES: dict[str, dict[str, Any]] = {
    "numbers": {"query": "Fault_CL", "every": "1s", "over": "2s", "when": "count > 0", "split by": ["N"]},
    "rows": {"query": "Fault_CL", "every": "1s", "over": "1s", "when": "count > 0", "each row": True},
}


class Scene:
    """A service that is started again whenever it was killed, always at the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.start()

    def start(self) -> None:
        command = ["serve", "--workspace", str(self.folder / "w"), "--port", str(self.port)]
        with (self.folder / "service.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "workbench.cli", *command], stdout=subprocess.PIPE, stderr=log
            )
        assert self.process.stdout is not None
        assert json.loads(self.process.stdout.readline())["url"]
        self.token = (self.folder / "w" / "state" / "owner.token").read_text().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def ask(self, method: str, path: str, body: object = None, number: str = "") -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if number:
            headers["x-ms-client-request-id"] = number
        try:
            connection.request(method, path, json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def send(self, path: str, number: int) -> None:
        """Send a record until it is acknowledged, by whichever service; it is the same delivery each time."""
        name = str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))

        def sent() -> bool:
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self.ask("POST", path, [{"N": str(number)}], name)[0] == 204
            return False

        wait_for(sent)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()


def wait_for(look: Callable[[], Any]) -> Any:
    until = time.monotonic() + DEADLINE
    while not (found := look()):
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)
    return found


@pytest.fixture(params=["sqlite", "postgresql"])
def scene(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.delenv(VARIABLE, raising=False)
    if request.param == "postgresql":
        monkeypatch.setenv(VARIABLE, request.getfixturevalue("postgresql").fresh())
    made = Scene(tmp_path)
    try:
        yield made
    finally:
        made.close()
        Database.open(tmp_path / "w" / "state").close()


def test_each_acknowledged_record_fires_once_whenever_the_service_is_killed(scene: Scene) -> None:
    chance = random.Random(SEED)
    rule = scene.ask("POST", "/api/rules", STREAM)[1]["immutable_id"]
    path = f"/dataCollectionRules/{rule}/streams/Custom-Fault?api-version=2023-01-01"
    for name, text in RULES.items():
        assert scene.ask("PUT", f"/api/alertRules/{name}", text)[0] == 200
    number = 0
    for _ in range(KILLS):
        for _ in range(chance.randrange(1, 4)):
            number += 1
            scene.send(path, number)
        time.sleep(chance.random() * 2.2)  # aims: somewhere between acknowledged, evaluated and stored
        scene.kill()
        scene.start()
    number += 1
    scene.send(path, number)
    wanted = {str(n) for n in range(1, number + 1)}
    database = Database.open(scene.folder / "w" / "state")

    def alerts(rule: str) -> list[Any]:
        asked = sa.text("SELECT dimensions, condition FROM alerts WHERE rule_name = :rule")
        with database.read() as connection:
            return list(connection.execute(asked, {"rule": rule}).all())

    wait_for(lambda: len([c for _, c in alerts("numbers") if c == "Resolved"]) >= number)
    wait_for(lambda: len(alerts("rows")) >= number)
    fired = Counter(json.loads(dimensions)["N"] for dimensions, _ in alerts("numbers"))
    assert fired == Counter(wanted)
    assert len(alerts("rows")) == number
    with database.read() as connection:
        ids = {r.name: r.id for r in connection.execute(sa.text("SELECT name, id FROM alert_rules"))}
        keys = connection.scalars(sa.text("SELECT key FROM alert_notices")).all()
    assert sum(key.startswith(ids["numbers"]) for key in keys) == 2 * number
    assert sum(key.startswith(ids["rows"]) for key in keys) == number

    def rows(query: str) -> list[list[Any]]:
        workspace_id = scene.ask("GET", "/api/health")[1]["workspace_id"]
        status, told = scene.ask("POST", f"/v1/workspaces/{workspace_id}/query", {"query": query})
        return told["tables"][0]["rows"] if status == 200 else []

    counted = "Alert | summarize count() by AlertName, Change | sort by AlertName asc, Change asc"
    total = 3 * number
    wait_for(lambda: sum(r[2] for r in rows(counted) if r[0] in RULES) >= total)
    assert [r for r in rows(counted) if r[0] in RULES] == [
        ["numbers", "Fired", number], ["numbers", "Resolved", number], ["rows", "Fired", number],
    ]  # fmt: skip
    told = rows("Alert | where AlertName == 'numbers' and Change == 'Fired' | project tostring(Dimensions.N)")
    assert Counter(r[0] for r in told) == Counter(wanted)
    print(f"{KILLS} kills, {number} records")
