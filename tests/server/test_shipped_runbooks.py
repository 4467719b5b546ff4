"""The runbooks that ship, run as jobs: what each does to this machine, tells, and refuses."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from runbook_service import Jobs, wait_for

from workbench.base.access import Access
from workbench.base.database import Database
from workbench.base.errors import WorkbenchError
from workbench.collect.services import Supervisord

pytestmark = pytest.mark.slow
FOLDER = Path(__file__).parents[2] / "runbooks"
SUPERVISOR = """
[unix_http_server]
file={folder}/s.sock
[supervisord]
logfile={folder}/s.log
pidfile={folder}/s.pid
nodaemon=true
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:web]
command=/bin/sleep 600
startsecs=0
[program:broken]
command=/bin/sh -c "exit 7"
startsecs=1
startretries=0
"""


@pytest.fixture(scope="module")
def jobs(service: Any) -> Jobs:
    found = Jobs(service)
    for path in sorted(FOLDER.glob("*.ipynb")):
        body = {"notebook": json.loads(path.read_text())}
        status, told = service.ask("PUT", f"/api/runbooks/{path.stem}", body)
        assert status == 200, told
    return found


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status = 503 if self.path == "/ill" else 200
        self.send_response(status)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_: object) -> None:
        """Tests read no access log."""


@pytest.fixture
def page() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def tls_port(tmp_path: Path) -> Iterator[int]:
    """A server with a certificate of ten days that nobody vouches for."""
    command = f"openssl req -x509 -newkey rsa:2048 -nodes -keyout {tmp_path}/k -out {tmp_path}/c -days 10 -subj /CN=web01.example"
    subprocess.run(command.split(), check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c", tmp_path / "k")
    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def ended(jobs: Jobs, job: str) -> tuple[str, str]:
    found = jobs.until(job, "Completed", "Failed", "Suspended")
    return found["state"], found["error"]


def test_a_service_is_restarted_once_and_runs(jobs: Jobs, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("sv")
    (folder / "conf").write_text(SUPERVISOR.replace("{folder}", str(folder)))
    program = "/usr/bin/supervisord"
    if not Path(program).exists():
        pytest.skip("no supervisord on this machine")
    child = subprocess.Popen([program, "-c", folder / "conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    services, socket = Supervisord(folder / "s.sock"), str(folder / "s.sock")

    def running() -> int:
        try:
            return services.state("web").pid
        except WorkbenchError:
            return 0

    try:
        before = wait_for(running)
        given = {"supervisor_socket": socket}
        job = jobs.start("restart_service", parameters={"name": "web", **given})
        broken = jobs.start("restart_service", parameters={"name": "broken", **given})
        unknown = jobs.start("restart_service", parameters={"name": "wbe", **given})
        assert ended(jobs, job) == ("Completed", "")
        assert services.state("web").pid not in (0, before)
        assert ended(jobs, broken)[0] == "Failed"
        assert ended(jobs, unknown) == ("Failed", ended(jobs, unknown)[1])
        assert "MAC001" in str(jobs.lines(unknown))
        rows = "ServiceRestart_CL | where Service == 'web' | project State, long(ProcessBefore), Manager"
        assert jobs.rows(rows.replace("long", "tolong")) == [["Running", before, "supervisord"]]
    finally:
        child.terminate()
        child.wait(30)


def test_addresses_are_probed(jobs: Jobs, page: str) -> None:
    urls = [f"{page}/", f"{page}/ill", "http://127.0.0.1:9/", "file:///etc/passwd"]
    job = jobs.start("http_probe", parameters={"urls": urls})
    other = jobs.start("http_probe", parameters={"urls": [page], "contains": "goodbye", "fail": False})
    assert ended(jobs, job) == ("Failed", "RuntimeError: 3 of 4 addresses are not available")
    assert ended(jobs, other)[0] == "Completed"
    found = jobs.rows("AppAvailabilityResults | project Name, tobool(Success), Message")
    by_name = {name: (success, message) for name, success, message in found}
    assert by_name[urls[0]] == (True, "available")
    assert by_name[urls[1]] == (False, "status 503")
    assert by_name[urls[2]][0] is by_name[urls[3]][0] is False
    assert by_name[page] == (False, "the answer does not contain 'goodbye'")


def test_a_folder_is_cleaned_and_nothing_beside_it(jobs: Jobs, tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "logs"
    for path in (outside / "keep.log", folder / "old.log", folder / "deep" / "old.log", folder / "old.txt"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("x" * 100)
        os.utime(path, (time.time() - 90 * 86_400,) * 2)
    (folder / "new.log").touch()
    (folder / "link.log").symlink_to(outside / "keep.log")
    (folder / "aside").symlink_to(outside)
    given = {"folder": str(folder), "pattern": "*.log"}
    told = jobs.start("disk_cleanup", parameters=given)
    assert ended(jobs, told)[0] == "Completed"
    assert (folder / "old.log").exists()
    done = jobs.start("disk_cleanup", parameters={**given, "remove": True})
    refused = [
        jobs.start("disk_cleanup", parameters={"folder": f}) for f in ("/", "logs", str(folder / "aside"))
    ]
    assert ended(jobs, done)[0] == "Completed"
    assert sorted(p.name for p in folder.rglob("*") if p.is_file()) == ["link.log", "new.log", "old.txt"]
    assert (outside / "keep.log").exists()
    assert all(ended(jobs, job)[0] == "Failed" for job in refused)
    rows = jobs.rows("DiskCleanup_CL | sort by TimeGenerated asc | project tolong(Found), tolong(Removed)")
    assert rows == [[2, 0], [2, 2]]


def test_certificates_tell_their_end(jobs: Jobs, tls_port: int) -> None:
    host = f"127.0.0.1:{tls_port}"
    job = jobs.start("certificate_expiry", parameters={"hosts": [host, "127.0.0.1:9"], "days": 30})
    fine = jobs.start("certificate_expiry", parameters={"hosts": [host], "days": 5})
    assert ended(jobs, job)[0] == "Failed"
    assert ended(jobs, fine)[0] == "Completed"
    found = jobs.rows("CertificateExpiry_CL | project Host, tolong(DaysLeft), Subject, Error")
    assert [host, 9, "CN=web01.example", ""] in found
    assert any(name == "127.0.0.1:9" and days is None and error for name, days, _, error in found)


@pytest.mark.parametrize("format", ["csv", "parquet", "xlsx", "jsonl"])
def test_a_saved_search_is_exported(jobs: Jobs, tmp_path: Path, format: str) -> None:
    from workbench.collect.searches import Search
    from workbench.workspace import open as open_workspace

    query = "range n from 1 to 3 step 1 | extend t = datetime(2026-01-01), name = strcat('a,', n)"
    open_workspace(str(jobs.service.workspace)).searches.save(Search("Three rows", query))
    job = jobs.start("export_search", parameters={"name": "Three rows", "folder": str(tmp_path), "format": format})  # fmt: skip
    none = jobs.start("export_search", parameters={"name": "No rows", "folder": str(tmp_path)})
    assert ended(jobs, job) == ("Completed", "")
    assert "SAV003" in ended(jobs, none)[1]
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("three-rows-")
    readers: dict[str, Any] = {
        "csv": pl.read_csv, "parquet": pl.read_parquet, "jsonl": pl.read_ndjson,
        "xlsx": lambda p: pl.read_excel(p, engine="openpyxl"),
    }  # fmt: skip
    assert readers[format](path)["name"].to_list() == ["a,1", "a,2", "a,3"]


def test_an_inventory_is_posted_with_a_key_that_stands_nowhere(jobs: Jobs) -> None:
    service = jobs.service
    key = Access(Database.open(service.workspace / "state"), service.workspace_id).keys().primary
    fields = {"url": service.url, "workspace_id": service.workspace_id}
    body = {"type": "workspace", "fields": fields, "secret": {"key": key}}
    assert service.ask("PUT", "/api/assets/connection/service", body)[0] == 200
    job = jobs.start("collect_inventory")
    assert ended(jobs, job) == ("Completed", "")
    by_kind = dict(jobs.rows("Inventory_CL | summarize count() by Kind_s"))
    assert by_kind["System"] == 1
    assert by_kind["Package"] > 100
    evidence = json.dumps(service.ask("GET", f"/api/jobs/{job}/notebook")[1])
    assert key not in evidence + str(jobs.lines(job))
