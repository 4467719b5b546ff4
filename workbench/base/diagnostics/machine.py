"""Messages about a machine that is watched: `MAC0xx` services, `MAC1xx` commands, `MAC2xx` paths and rules.

They meet a user on the agent's log, in an `Operation` record, or as the answer of a runbook that
asked for a service.
"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.base.errors import WorkbenchError
from workbench.base.registry import nearest


def _near(name: str, known: Sequence[str]) -> str | None:
    near = nearest(name, known, 2)
    return f"did you mean {' or '.join(repr(n) for n in near)}?" if near else None


# ---- services -------------------------------------------------------------------------------


def no_such_service(name: str, manager: str, known: Sequence[str] = ()) -> WorkbenchError:
    return WorkbenchError("MAC001", f"{manager} knows no service {name!r}", hint=_near(name, known))


def manager_away(manager: str, why: str) -> WorkbenchError:
    return WorkbenchError("MAC002", f"{manager} does not answer: {why}")


def service_action_failed(action: str, name: str, why: str) -> WorkbenchError:
    return WorkbenchError("MAC003", f"the service {name!r} can't be told to {action}: {why}")


def no_service_name(name: str) -> WorkbenchError:
    return WorkbenchError("MAC004", f"{name[:60]!r} can't be the name of a service")


# ---- commands -------------------------------------------------------------------------------


def no_command_name(name: str) -> WorkbenchError:
    return WorkbenchError(
        "MAC101",
        f"{name[:60]!r} can't be the name of a command",
        hint="a rule names a command of the machine's commands.d, never a command line",
    )


def no_such_command(name: str, folder: str, known: Sequence[str]) -> WorkbenchError:
    return WorkbenchError("MAC102", f"{folder} holds no command {name!r}", hint=_near(name, known))


def not_ours_alone(path: str, why: str) -> WorkbenchError:
    return WorkbenchError(
        "MAC103",
        f"{path} is not used, because {why}",
        hint="it and every folder above it must belong to root or the agent's user and be writable by the owner only",
    )


def bad_command(path: str, why: str) -> WorkbenchError:
    return WorkbenchError("MAC104", f"the command in {path} can't be used: {why}")


def rule_with_command_line(keys: Sequence[str]) -> WorkbenchError:
    return WorkbenchError(
        "MAC105",
        f"a rule may not carry {', '.join(sorted(keys))}",
        hint="what is run is written in the machine's own commands.d; a rule names it",
    )


# ---- paths and settings of rules ------------------------------------------------------------


def path_not_allowed(path: str, allowed: Sequence[str]) -> WorkbenchError:
    return WorkbenchError(
        "MAC201",
        f"{path!r} lies outside of what this machine lets be read",
        hint=f"allowed: {', '.join(allowed)}",
    )


def bad_setting(name: str, found: object, wanted: str) -> WorkbenchError:
    return WorkbenchError("MAC202", f"{name} is {str(found)[:60]!r}, but must be {wanted}")
