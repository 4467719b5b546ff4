"""Workbench: ask the records of your machines in KQL, from JupyterLab, Python and the shell.

`import workbench` loads no engine; the public names come when they are first used (PEP 562).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.actions.runbook import inside as runbook
    from workbench.actions.runbook.inside import step
    from workbench.base.errors import WorkbenchError
    from workbench.query.result import Result
    from workbench.workspace import Workspace, open

__all__ = ["Result", "Workspace", "WorkbenchError", "load_ipython_extension", "open", "runbook", "step"]

_HOMES = {
    "open": "workbench.workspace",
    "Workspace": "workbench.workspace",
    "Result": "workbench.query.result",
    "WorkbenchError": "workbench.base.errors",
    "step": "workbench.actions.runbook.inside",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "runbook":
        return import_module("workbench.actions.runbook.inside")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'workbench' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext workbench`: the magics `%%logsearch` and `%logsearch`."""
    from workbench.kernel_ext import load_ipython_extension as load

    load(shell)
