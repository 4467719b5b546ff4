"""The files by which a service is found, and the lock that makes it the only one."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.base.errors import WorkbenchError
from workbench.server.place import Address, ServicePlace


def test_nobody_is_there_before_a_service_runs(tmp_path: Path) -> None:
    place = ServicePlace(str(tmp_path))
    assert place.address() is None
    assert place.token() is None


def test_the_address_counts_only_while_the_lock_is_held(tmp_path: Path) -> None:
    place = ServicePlace(str(tmp_path))
    address = Address("http://127.0.0.1:1", 7, "id")
    with place.held():
        place.publish(address)
        assert ServicePlace(str(tmp_path)).address() == address
    assert (tmp_path / "state" / "service.json").exists()
    assert ServicePlace(str(tmp_path)).address() is None


def test_a_second_holder_is_refused_and_told_of_the_first(tmp_path: Path) -> None:
    place = ServicePlace(str(tmp_path))
    with place.held():
        place.publish(Address("http://127.0.0.1:1", 7, "id"))
        with pytest.raises(WorkbenchError, match=r"SRV001.*process 7"), ServicePlace(str(tmp_path)).held():
            pass
    with place.held():
        pass


def test_kill_9_frees_the_lock(tmp_path: Path) -> None:
    code = (
        "import sys, time; from workbench.server.place import *\n"
        "with ServicePlace(sys.argv[1]).held() as _: print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(WorkbenchError, match="SRV001"), ServicePlace(str(tmp_path)).held():
            pass
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(10)
    with ServicePlace(str(tmp_path)).held():
        pass


def test_the_token_is_made_once_and_private(tmp_path: Path) -> None:
    place = ServicePlace(str(tmp_path))
    token = place.token(create=True)
    assert token is not None
    assert len(token) >= 40
    assert place.token(create=True) == token
    assert stat.S_IMODE((tmp_path / "state" / "owner.token").stat().st_mode) == 0o600
