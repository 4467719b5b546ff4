"""An attack from its record to the finding: agent, alert rule, e-mail, runbook on a worker, log search in a cell.

The records are those of a real capture, their times moved so that the last one is now. Each part is the real one, as a
process of its own where it has one.
"""

from __future__ import annotations

import datetime as dt
import email.policy
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email import message_from_bytes
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import receivers
import yaml
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from runbook_service import Jobs, wait_for
from running_service import Running, serving

from workbench.base.access import Access
from workbench.base.database import Database
from workbench.collect.agent import enrolment

pytestmark = pytest.mark.slow
SHARED = Path(os.environ.get("WORKBENCH_SHARED") or Path(__file__).parents[2].parent / "shared")
CAPTURE = SHARED / "data" / "windows_events" / "cmd_bitsadmin_download_psh_script.zip"
RULE = r"""
id: 2d4a4ea6-6a5e-4a35-9e05-3c4a0f5c2f10
name: File fetched with bitsadmin
description: A process fetched a file over the Background Intelligent Transfer Service.
severity: High
kind: Scheduled
tactics: [DefenseEvasion, Persistence]
relevantTechniques: [T1197]
queryFrequency: 5m
queryPeriod: 1h
triggerOperator: gt
triggerThreshold: 0
query: |
  SecurityEvent
  | where TimeGenerated > ago(1h)
  | where EventID == 4688 and NewProcessName endswith @'\bitsadmin.exe' and CommandLine has '/transfer'
  | project TimeGenerated, Computer, SubjectUserName, CommandLine
entityMappings:
  - entityType: Host
    fieldMappings:
      - {identifier: HostName, columnName: Computer}
"""
# What the runbook is told it does not trust: it asks the records about each host itself.
TRIAGE = (
    "import json, re\nimport workbench\nsaid = json.loads(WebhookData['RequestBody'])",
    """for found in said["SearchResults"]["value"]:
    host, line = found["Computer"], found["CommandLine"]
    asked = f"SecurityEvent | where Computer == '{host}' and EventID == 4688 | count"
    processes = int(workbench.runbook.query(asked).frame["Count"][0])
    urls = re.findall(r"https?://[^ ]+", line)
    finding = {"Computer": host, "User": found["SubjectUserName"], "Url": urls[0], "Processes": processes}
    workbench.runbook.ingest("Finding_CL", [{**finding, "Rule": said["AlertRuleName"]}])
    print(f"{host}: {urls[0]}")""",
)


def shifted(capture: Path) -> tuple[bytes, int]:
    """The lines of a capture with their times moved to now, and how many there are."""
    with zipfile.ZipFile(capture) as archive:
        events = [json.loads(line) for line in archive.read(archive.namelist()[0]).splitlines()]
    times = [dt.datetime.fromisoformat(event["@timestamp"]) for event in events]
    by = dt.datetime.now(dt.UTC) - max(times)
    for event, time in zip(events, times, strict=True):
        event["@timestamp"] = (time + by).isoformat().replace("+00:00", "Z")
    return "".join(json.dumps(event) + "\n" for event in events).encode(), len(events)


@contextmanager
def process(log: Path, *words: str, key: str) -> Iterator[None]:
    """A command that runs until the test is over."""
    with log.open("ab") as file:
        started = subprocess.Popen(
            [sys.executable, "-m", "workbench.cli", *words], env={**os.environ, "WORKBENCH_KEY": key},
            stdout=file, stderr=file, start_new_session=True,
        )  # fmt: skip
    try:
        yield
    finally:
        os.killpg(started.pid, signal.SIGKILL)
        started.wait()


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Running, receivers.Mail, Path]]:
    """A service, a mail server that it trusts, an agent whose machine keeps its logs in a folder, a worker of a group."""
    if not CAPTURE.exists():
        pytest.skip(f"the shared captures are not at {CAPTURE.parent}")
    logs = tmp_path / "logs"
    logs.mkdir()
    (tmp_path / "agent").mkdir()
    (tmp_path / "agent" / "agent.yaml").write_text(f"allow_paths: [{logs}]\n")
    trusted = receivers.certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.file))
    with ExitStack() as running:
        mail = running.enter_context(receivers.mail(trusted))
        service = running.enter_context(serving(tmp_path))
        monkeypatch.setenv("WORKBENCH_WORKSPACE", str(service.workspace))
        key = Access(Database.open(service.workspace / "state"), service.workspace_id).keys().primary
        agent = ("agent", "run", "--service", service.url, "--state", str(tmp_path / "agent"))
        worker = (
            "worker",
            "run",
            "--group",
            "response",
            "--service",
            service.url,
            "--state",
            str(tmp_path / "worker"),
        )
        running.enter_context(process(tmp_path / "agent.log", *agent, key=key))
        running.enter_context(process(tmp_path / "worker.log", *worker, key=key))
        yield service, mail, logs


def said(*words: str) -> Any:
    """What a command answers."""
    done = subprocess.run(
        [sys.executable, "-m", "workbench.cli", *words, "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_an_attack_is_seen_told_and_answered(
    house: tuple[Running, receivers.Mail, Path], tmp_path: Path
) -> None:
    service, mail, logs = house
    jobs = Jobs(service)

    # The agent is told which files are Windows events; then they are written on its machine.
    events = yaml.safe_load(
        resources.files("workbench.collect").joinpath("rules_shipped/windows_events.yaml").read_text()
    )
    entry = {
        "name": "events", "streams": ["Custom-WindowsEvents"], "filePatterns": [f"{logs}/*.json"], "format": "json",
        "samplingFrequencyInSeconds": 1, "flushSeconds": 0,
    }  # fmt: skip
    file = tmp_path / "windows.yaml"
    file.write_text(yaml.safe_dump({**events, "dataSources": {"logFiles": [entry]}}))
    collected = said("rule", "create", str(file))["immutable_id"]
    known = wait_for(lambda: enrolment.load(tmp_path / "agent"))
    assert known is not None
    rules = tmp_path / "agent" / "rules.json"
    wait_for(lambda: rules.exists() and collected in rules.read_text())

    # Who is told, and what is looked for: a rule of Sentinel, unchanged.
    for path, body in (
        ("credential/mailbox", {"user": receivers.USER, "password": receivers.PASSWORD}),
        (
            "connection/mail",
            {"type": "smtp", "fields": {"host": "localhost", "port": mail.port, "from": "alerts@example.org", "credential": "mailbox"}},
        ),
    ):  # fmt: skip
        assert service.ask("PUT", f"/api/assets/{path}", body)[0] == 200
    jobs.bring("triage", *TRIAGE, parameters="WebhookData: dict = ...")
    (tmp_path / "ops.yaml").write_text(
        "name: response\nemail:\n  - {to: ada@example.org, connection: mail}\n"
        "runbooks:\n  - {runbook: triage, group: response}\n"
    )
    said("alert", "group", "create", str(tmp_path / "ops.yaml"))
    said("alert", "group", "allow", "localhost")
    said("alert", "group", "allow", "127.0.0.0/8")
    (tmp_path / "sentinel.yaml").write_text(RULE)
    (made,) = said("alert", "import", str(tmp_path / "sentinel.yaml"), "--to", str(tmp_path / "rules"))
    assert made["remarks"] == []
    with open(made["to"], "a") as text:
        text.write("actions: [response]\n")
    said("alert", "create", made["to"])
    assert jobs.rows("Alert | count") in ([], [[0]]), "nothing has happened yet"

    data, count = shifted(CAPTURE)
    (logs / "unready").write_bytes(data)
    (logs / "unready").rename(logs / "events.json")
    arrived = "union SecurityEvent, Event | where TimeGenerated > ago(1h) and Computer startswith 'WORKSTATION' | count"
    wait_for(lambda: jobs.rows(arrived) == [[count]])
    name = made["name"]
    said("alert", "run", name, "--wait")

    (alert,) = wait_for(
        lambda: jobs.rows(f"Alert | where AlertName == '{name}' | project Change, ResultCount")
    )
    assert alert == ["Fired", 1]
    (envelope,) = wait_for(lambda: mail.got)
    message = message_from_bytes(envelope.content or b"", policy=email.policy.default)
    assert message["Subject"] == f"[Error] Fired: {name}"
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        assert "WORKSTATION5" in body.get_content()
        assert "https://raw.githubusercontent.com/redcanaryco" in body.get_content()

    # The worker of the group runs the runbook with the records, and its finding is a record.
    started = "AlertDelivery | where ActionType == 'runbook' and State == 'Delivered' | project JobId"
    job = jobs.until(wait_for(lambda: jobs.rows(started))[0][0], "Completed", "Failed")
    assert (job["state"], job["trigger"], job["trigger_name"], job["worker_group"]) == (
        "Completed", "alert", name, "response",
    )  # fmt: skip
    assert job["worker"] != "service"
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "workbench")
    query = "Finding_CL | project Computer, User, Url, Rule, Processes"
    with capture_output():
        shell.run_cell_magic("logsearch", "--as finding", query)
    (found,) = shell.user_ns["finding"].frame.rows()
    url = "https://raw.githubusercontent.com/redcanaryco/atomic-red-team/master/atomics/T1197/T1197.md"
    assert found[:4] == ("WORKSTATION5", "wardog", url, name)
    assert found[4] > 1
