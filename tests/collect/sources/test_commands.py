"""Commands by name: what a rule may say, whose files are believed, limits, and how output becomes records."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from workbench.base.errors import WorkbenchError
from workbench.collect import programs
from workbench.collect.sources import Machine
from workbench.collect.sources._command_files import named
from workbench.collect.sources.commands import Commands


def offer(machine: Machine, name: str, *run: str, mode: int = 0o644, **more: object) -> Path:
    path = machine.commands / f"{name}.yaml"
    path.write_text("".join(f"{key}: {value}\n" for key, value in more.items()) + f"run: {json.dumps(run)}\n")
    path.chmod(mode)
    return path


def shell(text: str) -> tuple[str, str, str]:
    return ("/bin/sh", "-c", text)


@pytest.fixture
def output(run, eventually):
    """The first records that a command gives."""

    def read(name: str) -> dict[str, list[dict[str, object]]]:
        return eventually(run(Commands, {"commands": [name]}).collect)

    return read


# ---- what comes out ---------------------------------------------------------------------------


def test_lines_of_output_are_records_with_the_exit_status(machine: Machine, output) -> None:
    offer(machine, "two", *shell("echo one; echo; echo two"))
    records = output("two")["CommandOutput_CL"]
    assert [(r["RawData"], r["ExitCode"], r["CommandName"]) for r in records] == [
        ("one", 0, "two"),
        ("two", 0, "two"),
    ]


def test_json_and_csv_become_fields_in_the_command_s_table(machine: Machine, output) -> None:
    offer(
        machine,
        "disks",
        *shell('echo "[{\\"Disk\\": \\"sda\\", \\"Free\\": 7}]"'),
        parse="json",
        table="Disk_CL",
    )
    assert [(r["Disk"], r["Free"]) for r in output("disks")["Disk_CL"]] == [("sda", 7)]
    offer(machine, "table", *shell("printf 'Name,Free\\nsda,7\\nbroken\\n'"), parse="csv", table="Disk_CL")
    first, second = output("table")["Disk_CL"]
    assert (first["Name"], first["Free"], second["RawData"]) == ("sda", "7", "broken")


def test_output_can_t_claim_another_exit_status_or_computer(machine: Machine, output) -> None:
    offer(
        machine, "liar", *shell('echo "{\\"ExitCode\\": 0, \\"Computer\\": \\"x\\"}"; exit 4'), parse="json"
    )
    found = output("liar")
    (record,) = found["CommandOutput_CL"]
    assert (record["ExitCode"], record["Computer"]) == (4, machine.computer)


def test_a_failure_is_a_record_and_told_once(machine: Machine, run, eventually) -> None:
    offer(machine, "fails", *shell("echo broken >&2; exit 3"))
    commands = run(Commands, {"commands": ["fails"]})
    found = eventually(commands.collect)
    assert [(r["ExitCode"], r["RawData"]) for r in found["CommandOutput_CL"]] == [(3, "")]
    told = found.get("Operation") or eventually(commands.collect)["Operation"]
    assert "status 3: broken" in told[0]["Detail"]
    for turn in commands.source._turns:
        turn.due = 0.0
    again = eventually(commands.collect)
    eventually(lambda: not commands.source._turns[0].thread.is_alive())
    assert "Operation" not in again | commands.collect()


# ---- limits -----------------------------------------------------------------------------------


def test_time_ends_a_command_and_all_it_started(tmp_path: Path, eventually) -> None:
    script = f"sleep 300 & echo $! > {tmp_path}/pid; echo whole; printf part; wait"
    ended = programs.run(["/bin/sh", "-c", script], seconds=0.5)
    assert (ended.timed_out, ended.out) == (True, b"whole\npart")
    pid = int((tmp_path / "pid").read_text())
    eventually(lambda: not _lives(pid))


def test_what_a_command_leaves_behind_is_ended_too(tmp_path: Path, eventually) -> None:
    script = f"sleep 300 & echo $! > {tmp_path}/pid; echo done"
    ended = programs.run(["/bin/sh", "-c", script], seconds=30)
    assert (ended.code, ended.out, ended.timed_out) == (0, b"done\n", False)
    assert ended.seconds < 10
    eventually(lambda: not _lives(int((tmp_path / "pid").read_text())))


@pytest.mark.slow
def test_a_command_that_ignores_the_first_signal_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "_AFTER_TERM", 0.2)
    script = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(99)"
    ended = programs.run([sys.executable, "-c", script], seconds=1.0)
    assert (ended.code, ended.timed_out) == (-9, True)


def test_no_command_outlives_its_source(machine: Machine, run, eventually, tmp_path: Path) -> None:
    offer(machine, "long", *shell(f"echo $$ > {tmp_path}/pid; exec sleep 300"), seconds=600)
    commands = run(Commands, {"commands": ["long"]})
    commands.collect()
    eventually(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    commands.source.close()
    assert not _lives(int((tmp_path / "pid").read_text()))


def test_too_much_output_ends_a_command(machine: Machine, output) -> None:
    offer(machine, "flood", *shell("yes"), bytes=1000)
    found = output("flood")
    records = found["CommandOutput_CL"]
    assert records
    assert all(r["RawData"] == "y" and r["OutputCut"] for r in records)
    assert len(records) <= 500


def test_a_command_sees_nothing_of_the_agent_s_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_TOKEN", "secret")
    assert b"secret" not in programs.run(["env"], seconds=10).out


def _lives(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2]
    except OSError:
        return False


# ---- what a rule may say ----------------------------------------------------------------------


@pytest.mark.parametrize("key", ["commandLine", "run", "arguments", "env", "script"])
def test_a_rule_never_carries_a_command_line(machine: Machine, key: str) -> None:
    with pytest.raises(WorkbenchError) as told:
        Commands(machine, {"commands": ["x"], key: ["rm", "-rf", "/"]})
    assert told.value.code == "MAC105"


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a b", "x;y", "", "-rf", ".hidden", "a" * 65])
def test_what_is_no_name_is_told(machine: Machine, name: str) -> None:
    with pytest.raises(WorkbenchError) as told:
        named(name, machine.commands)
    assert told.value.code == "MAC101"


def test_an_unknown_name_is_told_with_the_nearest(machine: Machine, output) -> None:
    offer(machine, "disk_health", *shell("true"))
    (record,) = output("disk_helth")["Operation"]
    assert "MAC102" in record["Detail"]
    assert "'disk_health'" in record["Detail"]


# ---- whose files are believed -----------------------------------------------------------------


def test_a_file_that_others_may_write_is_not_believed(machine: Machine) -> None:
    offer(machine, "ok", *shell("true"))
    assert named("ok", machine.commands).arguments[0] == "/bin/sh"
    for mode in (0o664, 0o646):
        offer(machine, "ok", *shell("true"), mode=mode)
        with pytest.raises(WorkbenchError) as told:
            named("ok", machine.commands)
        assert told.value.code == "MAC103"


def test_a_folder_that_others_may_write_is_not_believed(machine: Machine, tmp_path: Path) -> None:
    offer(machine, "ok", *shell("true"))
    for folder in (machine.commands, tmp_path):
        before = folder.stat().st_mode
        folder.chmod(0o777)
        with pytest.raises(WorkbenchError) as told:
            named("ok", machine.commands)
        assert told.value.code == "MAC103"
        folder.chmod(before)
    named("ok", machine.commands)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_not_believed(machine: Machine) -> None:
    path = offer(machine, "ok", *shell("true"))
    os.chown(path, 65534, 65534)
    with pytest.raises(WorkbenchError) as told:
        named("ok", machine.commands)
    assert told.value.code == "MAC103"


def test_a_link_is_not_believed(machine: Machine, tmp_path: Path) -> None:
    path = offer(machine, "ok", *shell("true"))
    path.rename(tmp_path / "elsewhere.yaml")
    path.symlink_to(tmp_path / "elsewhere.yaml")
    with pytest.raises(WorkbenchError):
        named("ok", machine.commands)


def test_a_program_that_others_may_write_is_not_run(machine: Machine, tmp_path: Path) -> None:
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\necho ran\n")
    program.chmod(0o777)
    offer(machine, "tool", str(program))
    with pytest.raises(WorkbenchError) as told:
        named("tool", machine.commands)
    assert told.value.code == "MAC103"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("run: ls", "list"),
        ("run: [ls]", "whole path"),
        ("run: [/bin/nothing_here]", "not there"),
        ("run: [/bin/true]\ntable: Heartbeat", "_CL"),
        ("run: [/bin/true]\nparse: xml", "lines, json, csv"),
        ("run: [/bin/true]\nseconds: 0", "seconds"),
        ("run: [/bin/true]\nuser: root", "only"),
        ("run: [", "no YAML"),
        ("[]", "only"),
    ],
)
def test_what_a_file_may_not_say_is_told(machine: Machine, text: str, told: str) -> None:
    path = machine.commands / "bad.yaml"
    path.write_text(text)
    path.chmod(0o644)
    with pytest.raises(WorkbenchError, match=told) as found:
        named("bad", machine.commands)
    assert found.value.code == "MAC104"
