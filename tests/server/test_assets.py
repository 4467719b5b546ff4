"""Assets through a real service: jobs read them with their token, people never see what is secret, and no place has it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from runbook_service import Jobs
from wheels import wheel

from workbench.cli import main

pytestmark = pytest.mark.slow
SECRET = "Tr0ub4dor&3 ü/x+y"


@pytest.fixture(scope="module")
def jobs(service: Any) -> Jobs:
    return Jobs(service)


def put(jobs: Jobs, kind: str, name: str, **body: Any) -> None:
    status, told = jobs.service.ask("PUT", f"/api/assets/{kind}/{name}", body)
    assert status == 200, told
    assert SECRET not in json.dumps(told, ensure_ascii=False)


def test_a_runbook_reads_and_sets_assets(jobs: Jobs) -> None:
    put(jobs, "variable", "count", type="number", value=1)
    put(jobs, "variable", "since", type="datetime", value="2026-03-01T00:00:00Z")
    put(jobs, "credential", "db", user="ada", password=SECRET)
    put(jobs, "connection", "host", type="sql", fields={"host": "db01", "port": 5432}, secret={"key": SECRET})
    put(jobs, "variable", "theirs", value="1", runbooks=["other"])
    jobs.bring(
        "uses",
        "import workbench\nr = workbench.runbook\nr.set_variable('count', r.variable('count') + 1)\nprint(r.variable('count'), r.variable('since').year)",
        f"db = r.credential(reference)\nprint(db, db.password == {SECRET!r}, sorted(r.connection('host')))",
        "for ask in (lambda: r.variable('theirs'), lambda: r.variable('cuont'), lambda: r.set_variable('count', 'x'),\n"
        "            lambda: r.set_variable('theirs', '2'), lambda: r.start('uses', {'reference': {'a': db.password}}),\n"
        "            lambda: workbench.step('s', lambda: db.password)):\n"
        "    try:\n        ask()\n    except workbench.WorkbenchError as why:\n        print(why.code)",
        parameters="reference: dict = {}",
    )
    # The source of this runbook has the secret in it, which is masked in what is kept of its run.
    job = jobs.start("uses", parameters={"reference": {"$credential": "db"}})
    found = jobs.until(job, "Completed", "Failed")
    assert found["state"] == "Completed", found
    assert "".join(m for s, m in jobs.lines(job) if s == "Output").split("\n") == [
        "2 2026",
        "Credential(user='ada') True ['host', 'key', 'port']",
        *("AST201", "AST001", "AST005", "AST201", "AST202", "AST202", ""),
    ]
    told = jobs.rows(f"AssetAccess | where JobId == '{job}' | project strcat(Action, ' ', AssetName)")
    assert sorted(t for (t,) in told) == [
        "Changed count", "Read count", "Read count", "Read db", "Read host", "Read since", "Refused theirs", "Refused theirs",
    ]  # fmt: skip


def test_a_runbook_has_its_modules(jobs: Jobs, tmp_path: Path) -> None:
    wanted = wheel(tmp_path)
    put(jobs, "modules", "tiny", requirements=[wanted], runbooks=["modular"])
    jobs.bring("modular", "import tinymodule\nprint(tinymodule.answer)")
    job = jobs.start("modular")
    assert jobs.until(job, "Completed", "Failed")["state"] == "Completed"
    assert jobs.lines(job) == [["Output", "42\n"]]
    put(
        jobs,
        "modules",
        "tiny",
        requirements=["tinymodule @ file:///none-1-py3-none-any.whl"],
        runbooks=["modular"],
    )
    found = jobs.until(jobs.start("modular"), "Completed", "Failed")
    assert (found["state"], found["error_code"]) == ("Failed", "AST204")


def test_values_are_for_jobs_alone(jobs: Jobs) -> None:
    from workbench.base.access import Access, Role
    from workbench.base.database import Database

    put(jobs, "credential", "db", user="ada", password=SECRET)
    access = Access(Database.open(jobs.service.workspace / "state"), jobs.service.workspace_id)
    _, reader = access.create_token(Role.READER)
    _, operator = access.create_token(Role.OPERATOR)
    for token in (reader, operator, jobs.service.token):
        assert jobs.service.ask("GET", "/api/job/assets/credential/db", token=token)[0] == 409
    for method, path in (("GET", "/api/assets"), ("GET", "/api/assets/credential/db"), ("PUT", "/api/assets/variable/x")):  # fmt: skip
        assert jobs.service.ask(method, path, {"value": "1"}, token=reader)[0] == 403
    assert jobs.service.ask("GET", "/api/assets/credential/db", token=operator)[1]["shown"] == {"user": "ada"}
    assert jobs.service.ask("POST", "/api/asset-key/rotate", {}, token=operator)[0] == 403
    assert jobs.service.ask("POST", "/api/asset-key/rotate", {})[1]["rewrapped"] >= 1
    assert jobs.service.ask("DELETE", "/api/assets/credential/nothing")[0] == 404


def test_a_secret_is_not_taken_from_the_command_line(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str, stdin: str = "") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        status = main(["asset", *words, "--workspace", str(jobs.service.workspace)])
        said = capsys.readouterr()
        assert SECRET not in said.out + said.err
        return status, said.out

    assert run("variable", "v", "x" * 9, "--encrypted")[0] == 2
    status, said = run("variable", "v", "--encrypted", "--json", stdin=SECRET + "\n")
    assert (status, json.loads(said)["encrypted"]) == (0, True)
    assert run("variable", "n", "7", "--type", "number") == (0, "variable n version 1: value=7\n")
    assert run("credential", "c", "--user", "ada", stdin=SECRET) == (0, "credential c version 1: user=ada\n")
    fields = ("--type", "sql", "--field", "host=db01", "--secret", "key", "--secret", "token")
    assert run("connection", "d", *fields, stdin=f"{SECRET}\n{SECRET}2\n") == (
        0, 'connection d version 1: secret=["key", "token"], host=db01\n',
    )  # fmt: skip
    (tmp_path / "wanted.txt").write_text("attrs\n# nothing\n")
    assert run("modules", "m", str(tmp_path / "wanted.txt"), "--runbook", "none")[0] == 0
    (tmp_path / "cert.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----")
    assert run("certificate", "x", str(tmp_path / "cert.pem"))[0] == 1
    assert run("allow", "variable", "v", "--runbook", "uses")[0] == 0
    status, said = run("list", "--kind", "variable")
    assert status == 0
    assert [line.split()[1] for line in said.splitlines()[2:]] == ["count", "n", "since", "theirs", "v"]
    assert run("show", "variable", "v") == (0, "variable v version 1: encrypted\n")
    status, said = run("rotate-key")
    assert (status, "under a new key: the key in " in said) == (0, True)
    status, said = run("rotate-key", "--passphrase", stdin="correct horse battery")
    assert (status, said.endswith("under a new key: a passphrase\n")) == (0, True)
    assert run("variable", "v2", "--encrypted", stdin=SECRET)[0] == 0
    assert run("rotate-key", "--key-file")[0] == 0
    assert run("rotate-key", "--key-file", "--passphrase")[0] == 2
    assert run("remove", "variable", "v2")[0] == 0
    assert run("remove", "variable", "v") == (0, "variable v: removed\n")
    assert run("show", "variable", "v")[0] == 1
