"""Services: a real supervisord asked and told, and the records that follow; systemd where it runs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.base.errors import WorkbenchError
from workbench.collect.services import Supervisord, Systemd, manager_of, managers
from workbench.collect.services.systemd import parse_units
from workbench.collect.sources.services import Services

PROGRAM = Path("/usr/bin/supervisord")
SETTINGS = """
[unix_http_server]
file={folder}/s.sock
username=watch
password=s%cret ; not the last word
[supervisord]
logfile={folder}/s.log
pidfile={folder}/s.pid
nodaemon=true
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:web]
command=/bin/sleep 600
startsecs=0
[program:batch]
command=/bin/sleep 600
autostart=false
startsecs=0
[program:broken]
command=/bin/sh -c "exit 7"
autostart=false
startsecs=1
startretries=0
[program:pair]
command=/bin/sleep 600
process_name=%(program_name)s_%(process_num)d
numprocs=2
startsecs=0
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sv") / "supervisord.conf"
    # supervisord itself expands `%`.
    path.write_text(SETTINGS.replace("{folder}", str(path.parent)).replace("s%cret", "secret"))
    return path


@pytest.fixture(scope="module")
def manager(settings: Path) -> Iterator[Supervisord]:
    if not PROGRAM.exists():
        pytest.skip("no supervisord on this machine")
    import time

    child = subprocess.Popen([PROGRAM, "-c", settings], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        found = Supervisord.of_settings(settings)
        assert found is not None
        deadline = time.monotonic() + 30
        while True:
            try:
                found.list()
                break
            except WorkbenchError:
                assert time.monotonic() < deadline
                assert child.poll() is None
                time.sleep(0.05)
        yield found
    finally:
        child.terminate()
        child.wait(30)


@pytest.mark.slow
class TestSupervisord:
    def test_it_lists_programs_with_state_and_startup(self, manager: Supervisord, eventually) -> None:
        eventually(lambda: manager.state("web").state == "Running")
        by_name = {s.name: s for s in manager.list()}
        assert set(by_name) == {"web", "batch", "broken", "pair:pair_0", "pair:pair_1"}
        assert (by_name["web"].startup, by_name["batch"].startup) == ("Auto", "Manual")
        assert by_name["batch"].state == "Stopped"
        assert by_name["web"].path == "/bin/sleep 600"
        assert by_name["web"].pid > 0

    def test_start_stop_and_restart_may_be_repeated(self, manager: Supervisord) -> None:
        assert [manager.start("batch").state for _ in range(2)] == ["Running"] * 2
        first = manager.state("batch").pid
        assert manager.restart("batch").pid != first
        assert [manager.stop("batch").state for _ in range(2)] == ["Stopped"] * 2
        assert manager.stop("pair:pair_1").state == "Stopped"
        assert manager.restart("pair:pair_1").state == "Running"

    def test_a_program_that_can_t_run_is_told(self, manager: Supervisord) -> None:
        with pytest.raises(WorkbenchError) as told:
            manager.start("broken")
        assert told.value.code == "MAC003"

    def test_an_unknown_name_is_told_with_the_nearest(self, manager: Supervisord) -> None:
        with pytest.raises(WorkbenchError, match="wb") as told:
            manager.restart("wb")
        assert told.value.code == "MAC001"
        assert "web" in str(told.value.hint)
        with pytest.raises(WorkbenchError):
            manager_of("nothing", [manager])
        assert manager_of("web", [manager]) is manager

    @pytest.mark.parametrize("name", ["", "a b", "--all", "x\n", "all;"])
    def test_what_is_no_name_is_told(self, manager: Supervisord, name: str) -> None:
        with pytest.raises(WorkbenchError) as told:
            manager.stop(name)
        assert told.value.code == "MAC004"

    def test_a_wrong_password_is_no_answer(self, manager: Supervisord, settings: Path) -> None:
        with pytest.raises(WorkbenchError) as told:
            Supervisord(settings.parent / "s.sock", "watch", "wrong").list()
        assert told.value.code == "MAC002"

    def test_changes_are_records_once_also_over_a_restart(self, manager: Supervisord, run) -> None:
        manager.stop("batch")

        def watch(machine, settings):
            return Services(machine, settings, [manager])

        services = run(watch, {"services": ["batch"]})
        first = services.collect()
        assert set(first) == {"ConfigurationData"}
        (row,) = first["ConfigurationData"]
        assert (row["ConfigDataType"], row["SvcName"], row["SvcState"], row["SvcStartupType"]) == (
            "Daemons", "batch", "Stopped", "Manual",
        )  # fmt: skip
        assert services.collect() == {}
        manager.start("batch")
        services.restart()  # what changed while nobody looked
        assert services.collect(keep=False)["ConfigurationChange"]
        services.restart()  # the agent died before the change was on disk
        (change,) = services.collect()["ConfigurationChange"]
        assert (change["ConfigChangeType"], change["ChangeCategory"]) == ("Daemons", "Modified")
        assert (change["SvcPreviousState"], change["SvcState"]) == ("Stopped", "Running")
        assert change["FieldsChanged"] == "SvcState"
        manager.restart("batch")
        assert "ConfigurationChange" not in services.collect()


def test_a_manager_that_does_not_answer_changes_no_service(run, machine, tmp_path: Path) -> None:
    away = Supervisord(tmp_path / "nobody.sock")
    known = {"manager": "supervisord", "name": "web", "state": "Running", "display_name": "web"}
    known |= dict.fromkeys(("startup", "account", "path", "runlevels", "description", "detail"), "")
    object.__setattr__(machine, "marks", {"supervisord/web": known})
    services = run(lambda machine, settings: Services(machine, settings, [away]), {})
    found = services.collect()
    assert set(found) == {"ConfigurationData", "Operation"}
    assert "MAC002" in found["Operation"][0]["Detail"]
    assert services.collect() == {}
    assert services.marks == {"supervisord/web": known}


def test_units_of_systemd_are_read() -> None:
    text = """Id=ssh.service
Names=ssh.service sshd.service
LoadState=loaded
ActiveState=failed
SubState=failed
UnitFileState=enabled
User=
WantedBy=multi-user.target
MainPID=0
Description=OpenBSD Secure Shell server
ExecStart={ path=/usr/sbin/sshd ; argv[]=/usr/sbin/sshd -D $OPTS ; ignore_errors=no }

Id=gone.service
LoadState=not-found
ActiveState=inactive

Id=off.service
LoadState=masked
ActiveState=inactive
SubState=dead
UnitFileState=masked
"""
    ssh, off = parse_units(text)
    assert (ssh.name, ssh.state, ssh.startup, ssh.account, ssh.runlevels) == (
        "ssh", "Failed", "Auto", "root", "multi-user.target",
    )  # fmt: skip
    assert (off.name, off.state, off.startup) == ("off", "Stopped", "Disabled")


def test_a_systemctl_that_fails_is_no_answer() -> None:
    with pytest.raises(WorkbenchError) as told:
        Systemd(sys.executable).list()
    assert told.value.code == "MAC002"


def test_systemd_is_asked_where_it_runs_and_nowhere_else() -> None:
    here = [manager for manager in managers() if isinstance(manager, Systemd)]
    assert bool(here) == Path("/run/systemd/system").is_dir()
    for manager in here:
        assert any(service.name.startswith("systemd-") for service in manager.list())
