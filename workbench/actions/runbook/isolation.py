"""As whom jobs run: an OS user of their own, who sees neither workspace nor keys; or nobody else, which is said.

In go the name of a user and folders that jobs must not see, out comes an `Isolation`: how to start a process so, and
what a job's record says of it. It is tried out before it is believed.
"""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workbench.base.diagnostics import runbook as diagnostics

DEFAULT_USER = "workbench-job"
NONE = "none"
_SECONDS = 60
_KEPT = (
    "PATH", "LANG", "LANGUAGE", "TZ", "TERM", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
"""Variables that a job's user gets of the service's environment, beside those of the locale."""
_LOOK = """
import json, os, sys
import importlib.util as u
missing = [n for n in ("workbench", "papermill", "ipykernel", "jupyter_client") if u.find_spec(n) is None]
def listed(path, true):
    try:
        about = os.stat(path)
        return [about.st_dev, about.st_ino] == true and bool(os.listdir(path))
    except OSError:
        return False
print(json.dumps({"uid": os.getuid(), "missing": missing, "seen": [p for p, true in json.loads(sys.argv[1]) if listed(p, true)]}))
"""


@dataclass(frozen=True, slots=True)
class JobUser:
    """A user of this machine."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Isolation:
    """How the processes of jobs are started.

    Attributes
    ----------
    user : JobUser or None
        Whose they are; None: of who runs the worker.
    why : str
        Why there is no such user.
    hidden, shown : tuple of str
        Folders that they must not see, and folders that they need.
    """

    user: JobUser | None = None
    why: str = ""
    hidden: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """As a job's record says it.

        Examples
        --------
        >>> Isolation().word, Isolation(JobUser("workbench-job", 990, 990)).word
        ('none', 'user workbench-job')
        """
        return NONE if self.user is None else f"user {self.user.name}"

    def command(self, program: Sequence[str], work: Path) -> list[str]:
        """The command that runs a program so, in that folder."""
        if self.user is None:
            return list(program)
        told = {
            "uid": self.user.uid, "gid": self.user.gid, "hide": self.hidden, "show": [*self.shown, str(work)],
            "work": str(work), "parent": os.getpid(),
        }  # fmt: skip
        return [
            sys.executable,
            "-I",
            "-S",
            str(Path(__file__).with_name("confine.py")),
            json.dumps(told),
            *program,
        ]

    def own(self, folder: Path) -> None:
        """Give a folder to the user."""
        if self.user is not None:
            os.chown(folder, self.user.uid, self.user.gid)

    def environment(self, environment: dict[str, str], home: Path) -> dict[str, str]:
        """The part of an environment that they get."""
        if self.user is None:
            return environment
        kept = {k: v for k, v in environment.items() if k in _KEPT or k.startswith(("LC_", "PYTHON", "JPY_"))}
        return {**kept, "HOME": str(home), "USER": self.user.name, "LOGNAME": self.user.name}


def asked(name: str) -> JobUser | None:
    """The user of that name, or for no name the usual one where it can be; None where not.

    Raises
    ------
    WorkbenchError
        JOB341 to JOB342 for a name that can't be.
    """
    if not name and (os.geteuid() != 0 or not _known(DEFAULT_USER)):
        return None
    if name and not _known(name):
        raise diagnostics.no_such_user(name)
    found = pwd.getpwnam(name or DEFAULT_USER)
    if os.geteuid() != 0 or found.pw_uid == 0:
        raise diagnostics.job_user_needs_root(name)
    return JobUser(found.pw_name, found.pw_uid, found.pw_gid)


def settled(name: str, hidden: Sequence[str], shown: Sequence[str] = ()) -> Isolation:
    """How jobs are to run here, tried out.

    Parameters
    ----------
    name : str
        Of the user; "" for the usual one where that can be, else none.
    hidden, shown : sequence of str
        Folders; those of this Python are shown anyway.

    Raises
    ------
    WorkbenchError
        JOB341 to JOB343 when a named user can't be.
    """
    user = asked(name)
    if user is None:
        who = "the service does not run as root" if os.geteuid() else f"there is no user {DEFAULT_USER}"
        return Isolation(why=who)
    out_of_sight = tuple(os.path.abspath(folder) for folder in hidden)
    needed = [p for p in _python_folders() if not any(f"{p}/".startswith(f"{h}/") for h in out_of_sight)]
    found = Isolation(user, "", out_of_sight, (*needed, *(os.path.abspath(folder) for folder in shown)))
    why = _tried(found)
    if not why:
        return found
    if name:
        raise diagnostics.can_not_isolate(name, why)
    return Isolation(why=why)


def _tried(isolation: Isolation) -> str:
    """Why it does not work; "" where it does."""
    folder = Path(tempfile.mkdtemp(prefix="wbj-"))
    try:
        isolation.own(folder)
        # By their numbers: where a hidden folder was, an empty one may lie.
        folders = [(p, [os.stat(p).st_dev, os.stat(p).st_ino]) for p in isolation.hidden if os.path.isdir(p)]
        program = [sys.executable, "-c", _LOOK, json.dumps(folders)]
        done = subprocess.run(
            isolation.command(program, folder), cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env=isolation.environment(dict(os.environ), folder), timeout=_SECONDS,
        )  # fmt: skip
        if done.returncode != 0:
            return f"it can't run {sys.executable} ({(done.stderr.strip().splitlines() or ['no word'])[-1]})"
        told = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError) as why:
        return f"a process of it could not be started ({why})"
    finally:
        folder.rmdir()
    if told["missing"]:
        return f"it can't read the packages {', '.join(told['missing'])}"
    if told["seen"]:
        return f"it can read {told['seen'][0]}"
    return ""


def _python_folders() -> list[str]:
    """Where this Python, its packages and Workbench lie."""
    import workbench

    own = [sys.prefix, sys.base_prefix, os.path.dirname(os.path.realpath(sys.executable))]
    return list(dict.fromkeys([*own, *(p for p in sys.path if os.path.isdir(p)), *workbench.__path__]))


def _known(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
