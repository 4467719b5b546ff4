"""The hunt: one job says a secret in ten encodings over five channels; no file and no row of anything may have it after.

It also tries to read the workspace and the key file, as another OS user where this machine can have one.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from runbook_service import Jobs, wait_for
from wheels import wheel

from workbench.actions.runbook import isolation
from workbench.base.errors import WorkbenchError

pytestmark = pytest.mark.slow
SECRET = 'kX9"vQ2/ü%wL7\\mZ4&pR8+tY3=hB6'
DECOY = "decoy-that-is-no-secret-4711"
USER = "nobody"


@cache
def possible() -> isolation.Isolation:
    """How jobs run on this machine as another user; without one where that can't be."""
    if os.geteuid() != 0:
        return isolation.Isolation()
    try:
        return isolation.settled(USER, [])
    except WorkbenchError:
        return isolation.Isolation()


def SERVE() -> tuple[str, ...]:
    return ("--job-user", USER) if possible().user else ()


# The forms are made by the same text here and in the notebook, which has no secret in it.
FORMS = """
import base64, json, urllib.parse
def core(data, at):
    text = base64.b64encode(b"x" * at + data).decode().rstrip("=")
    return text[-(-8 * at // 6) : 8 * (at + len(data)) // 6]
def forms(s):
    data = s.encode()
    return {
        "raw": s, "base64 at 0": core(data, 0), "base64 at 1": core(data, 1), "base64 at 2": core(data, 2),
        "base64url": core(data, 0).replace("+", "-").replace("/", "_"), "hex": data.hex(),
        "URL": urllib.parse.quote(s, safe=""), "JSON": json.dumps(s)[1:-1],
        "UTF-16": s.encode("utf-16-le").decode("latin-1").strip(chr(0)),
    }
"""
SAYS = f"""
import sys, time, workbench
from IPython.display import display
secret = workbench.runbook.credential("hunted").password
said, half = forms(secret), len(secret) // 2
for name, text in said.items():
    print("stdout", name, text)
    print("stderr", name, text, file=sys.stderr)
    display({{"text/plain": f"display {{name}} {{text}}", "text/html": f"<b>{{text}}</b>"}}, raw=True)
print({DECOY!r})
workbench.runbook.progress(50, said["hex"])
workbench.runbook.ingest("Hunt_CL", [{{"Form": n, "Text": t, "Bag": {{"a": [t]}}}} for n, t in said.items()])
workbench.runbook.ingest("Hunt_CL", [{{"Text": {DECOY!r}}}, {{"Text": secret[:half]}}, {{"Text": secret[half:]}}])
try:
    workbench.runbook.query(f"print x = '{{said['hex']}}' | where")
except workbench.WorkbenchError as why:
    print("refused", why.code)
"""
SPLITS = """
for out, pause in (sys.stdout, 0.5), (sys.stderr, 3):  # the longer one is more than the service waits for
    print("", file=out)
    for piece in (secret[:half], secret[half:]):
        print(piece, end="", file=out, flush=True)
        time.sleep(pause)
    print("", file=out)
for piece in (secret[:half], secret[half:]):
    display({"text/plain": piece}, raw=True)
"""
WAITS = """
import os
print("folder", os.getcwd())
while not os.path.exists("go"):
    time.sleep(0.1)
"""
FAILS = 'raise ValueError(" ".join(said.values()))'


@pytest.fixture(scope="module")
def jobs(service: Any) -> Jobs:
    return Jobs(service)


def hunted() -> list[bytes]:
    """The bytes that may be nowhere: each form as it is, and as JSON has it; and the two halves."""
    space: dict[str, Any] = {}
    exec(FORMS, space)  # noqa: S102
    half = len(SECRET) // 2
    texts = [*space["forms"](SECRET).values(), SECRET[:half], SECRET[half:]]
    texts += [json.dumps(text, ensure_ascii=ascii)[1:-1] for text in texts for ascii in (True, False)]
    return [text.encode() for text in dict.fromkeys(texts)]


def places(service: Any, *folders: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below folders, every row of the control database, every row of every table."""
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file():
                yield str(path), path.read_bytes()
    engine = sa.create_engine(f"sqlite:///{service.workspace / 'state' / 'control.db'}")
    with engine.connect() as connection:
        for name in sa.inspect(connection).get_table_names():
            for row in connection.execute(sa.text(f"SELECT * FROM {name}")):
                yield f"table {name}", b"".join(v if isinstance(v, bytes) else str(v).encode() for v in row)
    engine.dispose()
    import workbench

    workspace = workbench.open(str(service.workspace))
    for name in workspace.tables:
        for row in workspace.query(f"['{name}']").frame.rows():
            yield f"records of {name}", "\n".join(map(str, row)).encode("utf-8", "surrogateescape")


def test_a_job_can_not_say_a_secret_nor_read_the_house(jobs: Jobs) -> None:
    service = jobs.service
    status, told = service.ask("PUT", "/api/assets/credential/hunted", {"user": "ada", "password": SECRET})
    assert status == 200, told
    jobs.bring("hunt", FORMS, SAYS, SPLITS, WAITS, FAILS)
    job = jobs.start("hunt")
    lines = wait_for(lambda: [m for _, m in jobs.lines(job) if "folder /" in m])
    folder = Path(lines[0].partition("folder ")[2].split()[0])
    try:
        assert found_in(places(service, folder, service.workspace.parent)) == []
    finally:
        (folder / "go").touch()
    found = jobs.until(job, "Failed", "Completed", "Suspended")
    assert (found["state"], found["error_code"], found["isolation"]) == ("Failed", "JOB310", possible().word)
    assert "***" in found["error"]
    wait_for(lambda: jobs.rows("LAQueryLogs | where QueryText has 'print x'"))

    everywhere = list(places(service, service.workspace.parent))
    assert found_in(everywhere) == []
    # The hunter has eyes: what is no secret is found in the same places.
    seen = {place for place, data in everywhere if DECOY.encode() in data}
    (evidence,) = (service.workspace / "state" / "jobs").glob(f"{job}*.ipynb")
    assert {str(evidence), "records of JobStream", "records of Hunt_CL", "table runbook_versions"} <= seen
    messages = [m for _, m in jobs.lines(job)]
    text = "".join(messages)
    for channel in ("stdout", "stderr", "display"):
        assert text.count(f"{channel} URL ***") == 1, text
    assert "refused JOB306" in text
    assert jobs.rows("Hunt_CL | where Text == '***' | count") == [[10]]


def found_in(everywhere: Any) -> list[str]:
    wanted = hunted()
    return [f"{place}: {w!r}" for place, data in everywhere for w in wanted if w in data]


TRIES = """
import os
def tried(work):
    try:
        return "read" if work() else "nothing"
    except OSError:
        return "nothing"
for folder in folders:
    print("list", tried(lambda: os.listdir(folder)))
for file in files:
    print("open", tried(lambda: open(file, "rb").read()))
print("environment", tried(lambda: open(f"/proc/{service}/environ", "rb").read()))
print("memory", tried(lambda: open(f"/proc/{service}/mem", "rb")))
print("root", tried(lambda: os.listdir(f"/proc/{service}/root")))
open("own", "w").write("x")
print("user", os.getuid())
"""


def test_a_job_sees_neither_workspace_nor_key_but_its_modules(jobs: Jobs, tmp_path: Path) -> None:
    service = jobs.service
    status, told = service.ask("PUT", "/api/assets/credential/hunted", {"user": "ada", "password": SECRET})
    assert status == 200, told
    state = service.workspace / "state"
    folders = [service.workspace, state, state / "spool", state / "jobs"]
    files = [
        state / "assets.key",
        state / "control.db",
        state / "owner.token",
        service.workspace / "workspace.json",
    ]
    assert all(p.exists() for p in (*folders, *files))
    status, told = service.ask(
        "PUT", "/api/assets/modules/tiny", {"requirements": [wheel(tmp_path)], "runbooks": ["looks"]}
    )
    assert status == 200, told
    jobs.bring(
        "looks",
        "import tinymodule\n" + TRIES,
        parameters="folders: list = []\nfiles: list = []\nservice: int = 0",
    )
    given = {"folders": [*map(str, folders)], "files": [*map(str, files)], "service": service.process.pid}
    job = jobs.start("looks", parameters=given)
    found = jobs.until(job, "Completed", "Failed", "Suspended")
    assert found["state"] == "Completed", found
    said = "".join(m for s, m in jobs.lines(job) if s == "Output").split("\n")
    user = possible().user
    assert jobs.rows(f"Job | where JobId == '{job}' and State == 'Completed' | project Isolation") == [
        [possible().word]
    ]
    if user is None:  # it says so, and is true
        assert "list read" in said
    else:
        assert [line for line in said if line.endswith(" read")] == []
        assert f"user {user.uid}" in said


def test_a_user_that_can_not_be_is_told_before_the_service_starts() -> None:
    for name, code in (("no-such-user-here", "JOB341"), ("root", "JOB342")):
        with pytest.raises(WorkbenchError) as why:
            isolation.settled(name, [])
        assert why.value.code == code
    if possible().user:
        open_to_all = Path(tempfile.mkdtemp())
        (open_to_all / "seen").touch()
        open_to_all.chmod(0o755)
        try:  # it is covered, or where a container allows no mounts, it is told that it can be read
            told = isolation.settled(USER, [str(open_to_all)]).word
        except WorkbenchError as refused:
            told = refused.message
        assert told in (f"user {USER}", f"jobs can't run as {USER!r}: it can read {open_to_all}")
        shutil.rmtree(open_to_all)
    assert isolation.settled("", []).word in ("none", f"user {isolation.DEFAULT_USER}")
