"""Becomes another OS user that does not see some folders, and then another program. Runs as root, and loads nothing.

    python -I -S confine.py '{"uid", "gid", "hide": [], "show": [], "work": FOLDER, "parent": PID}' PROGRAM ARGUMENT…

`hide` are folders over which an empty one is laid. `show` are folders that the program needs (the Python that runs it):
where they lie below a hidden folder, or below one that the user may not pass (a home of root), they are laid there
again, to be read only. All of it is in a mount namespace of this process, so nobody else sees a change; where the
system allows none, the permissions of files alone decide what the user sees.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys

_CLONE_NEWNS = 0x00020000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REMOUNT = 1, 2, 4, 32
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    told, program = json.loads(sys.argv[1]), sys.argv[2:]
    if _LIBC.unshare(_CLONE_NEWNS) == 0:
        _mount("none", "/", "", _MS_REC | _MS_PRIVATE)
        _lay(told)
    os.chdir(told["work"])
    os.setgroups([])
    os.setresgid(*[told["gid"]] * 3)
    os.setresuid(*[told["uid"]] * 3)
    # A change of the user takes this back, so only now; execve keeps it.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != told["parent"]:
        sys.exit(1)  # it was gone before
    os.execv(program[0], program)


def _lay(told: dict) -> None:  # type: ignore[type-arg]
    shown = {os.path.realpath(p) for p in told["show"] if os.path.isdir(p)}
    hidden = {os.path.realpath(p) for p in told["hide"] if os.path.isdir(p)} - shown
    hidden |= {c for p in shown for c in _closed_above(p, told["uid"], told["gid"])} - shown
    # Opened before they are covered; a path of /proc leads to what is open.
    handles = {p: os.open(p, os.O_PATH) for p in shown if any(_below(p, c) for c in hidden)}
    covers: list[str] = []
    # What lies deeper comes later, and so on top.
    for path in sorted({*hidden, *handles}, key=len):
        if path in handles:
            _made(path, covers)
            _mount(f"/proc/self/fd/{handles[path]}", path, "", _MS_BIND | _MS_REC)
            os.close(handles[path])
            if path != os.path.realpath(told["work"]):
                _mount("none", path, "", _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID)
        elif os.path.isdir(path):
            _mount("tmpfs", path, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=711,size=64k")
            covers.append(path)
    for cover in covers:
        _mount("none", cover, "", _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)


def _made(path: str, covers: list[str]) -> None:
    """Make the folders to a path in what covers it: to pass, not to list."""
    if not os.path.isdir(path) and any(_below(path, c) for c in covers):
        _made(os.path.dirname(path), covers)
        os.mkdir(path)
        os.chmod(path, 0o711)


def _closed_above(path: str, uid: int, gid: int) -> list[str]:
    """The folders above a path that the user may not pass."""
    found, above = [], os.path.dirname(path)
    while above != "/":
        about = os.stat(above)
        needed = 0o100 if about.st_uid == uid else 0o010 if about.st_gid == gid else 0o001
        if not about.st_mode & needed:
            found.append(above)
        above = os.path.dirname(above)
    return found


def _below(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip("/") + "/")


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    if (
        _LIBC.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode())
        != 0
    ):
        number = ctypes.get_errno()
        sys.exit(f"confine: {target}: {os.strerror(number)}")


if __name__ == "__main__":
    main()
