"""Where things lie on this machine: the default workspace and the state folder.

Tables may lie in an object store; spool, control database and result cache are always local.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def data_home() -> Path:
    """The user's data folder (`XDG_DATA_HOME`, else `~/.local/share`)."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def default_workspace() -> str:
    """`WORKBENCH_WORKSPACE`, else `workbench/default` in the user's data folder."""
    return os.environ.get("WORKBENCH_WORKSPACE") or str(data_home() / "workbench" / "default")


def external_folders() -> list[str]:
    """Folders whose files `externaldata` may read beside the workspace's own: `WORKBENCH_EXTERNAL_FOLDERS`,
    separated as in PATH; relative ones are left out."""
    listed = os.environ.get("WORKBENCH_EXTERNAL_FOLDERS", "").split(os.pathsep)
    return [folder for folder in listed if os.path.isabs(folder)]


def is_url(path: str) -> bool:
    return "://" in path


def state_folder(workspace: str) -> Path:
    """The local folder for spool, locks and service files of a workspace.

    A local workspace keeps them in itself; one that lies in an object store keeps them in the
    user's data folder, named by a hash of its URL.
    """
    if not is_url(workspace):
        return Path(workspace) / "state"
    digest = hashlib.sha256(workspace.rstrip("/").encode()).hexdigest()[:16]
    return data_home() / "workbench" / "state" / digest
