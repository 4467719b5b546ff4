"""Python packages that runbooks need, installed once for each list of requirements, beside those of Workbench itself.

In go requirements, out comes a folder for `sys.path`. The versions that this environment has are kept (the kernel has
loaded some of them before it is given a job), so a list that needs others is refused. Only wheels are installed:
nothing of a package runs while it is. Must not know jobs.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib import metadata, util
from pathlib import Path

from workbench.actions.assets.requirements import digest
from workbench.base.diagnostics import assets as diagnostics

SECONDS = 900
_LONGEST_REASON = 600


class Environments:
    """The folders of installed modules on a machine. Safe for threads, and for several processes.

    Parameters
    ----------
    folder : Path
        Where they are made; one a list, named by its hash.

    Examples
    --------
    >>> Environments(Path(tempfile.mkdtemp())).made([]) is None
    True
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def made(self, requirements: Sequence[str]) -> Path | None:
        """The folder with these packages, installed where they are not yet; None for no requirements.

        Raises
        ------
        WorkbenchError
            AST203, AST204.
        """
        if not requirements:
            return None
        ready = self.folder / digest([*requirements, sys.version, *_own_versions()])
        try:
            if not ready.is_dir():
                # Others who want the same wait here, and find it made.
                with ready.with_suffix(".lock").open("w") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX)
                    if not ready.is_dir():
                        self._install(requirements, ready)
        except OSError as why:
            raise diagnostics.modules_broken(why.strerror or str(why)) from None
        return ready

    def _install(self, requirements: Sequence[str], ready: Path) -> None:
        unready = Path(tempfile.mkdtemp(prefix=f"{ready.name}.", dir=self.folder))
        try:
            lists = {"wanted": requirements, "kept": _own_versions()}
            for name, lines in lists.items():
                (unready / name).write_text("\n".join(lines) + "\n")
            _run(
                [
                    *_installer(unready / "packages"),
                    "-r",
                    str(unready / "wanted"),
                    "-c",
                    str(unready / "kept"),
                ]
            )
            (unready / "packages").chmod(0o755)
            (unready / "packages").rename(ready)
        finally:
            shutil.rmtree(unready, ignore_errors=True)


def _installer(target: Path) -> list[str]:
    target.mkdir()
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is not None:
        command = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--no-build"]
    elif util.find_spec("pip") is not None:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"]  # fmt: skip
    else:
        raise diagnostics.no_installer()
    return [*command, "--target", str(target)]


def _run(command: Sequence[str]) -> None:
    hidden = ("WORKBENCH_", "PG", "AWS_", "SSH_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace", timeout=SECONDS, env=environment,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise diagnostics.modules_broken(f"it took longer than {SECONDS} s") from None
    if done.returncode != 0:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        raise diagnostics.modules_broken(" ".join(lines)[-_LONGEST_REASON:] or f"status {done.returncode}")


def _own_versions() -> list[str]:
    """What this environment has, as constraints; a package under work, which has no released version, is none."""
    found = {
        f"{dist.metadata['Name']}=={dist.version}"
        for dist in metadata.distributions()
        if dist.metadata["Name"] and dist.metadata["Name"].lower() != "workbench"
    }
    return sorted(found)
