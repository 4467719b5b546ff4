"""Messages about the control database (`CTL`), and about keys, tokens and who may do what (`ACC`)."""

from __future__ import annotations

from workbench.base.errors import WorkbenchError

# ---- the control database --------------------------------------------------------------------


def database_away(where: str, why: str) -> WorkbenchError:
    return WorkbenchError("CTL001", f"the control database {where} does not answer: {why}")


def bad_database(why: str) -> WorkbenchError:
    return WorkbenchError(
        "CTL002",
        f"WORKBENCH_DATABASE names no database: {why}",
        hint="postgresql://user@host/name, or leave it unset",
    )


def no_driver() -> WorkbenchError:
    return WorkbenchError(
        "CTL003", "the driver of PostgreSQL is not installed", hint="pip install 'workbench[postgres]'"
    )


def foreign_database(where: str, workspace_id: str) -> WorkbenchError:
    return WorkbenchError(
        "CTL004",
        f"the control database {where} is that of another workspace ({workspace_id})",
        hint="each workspace has a database of its own",
    )


# ---- keys and tokens -------------------------------------------------------------------------


def no_such_token(name: str) -> WorkbenchError:
    return WorkbenchError("ACC101", f"no token {name!r}", hint="`workbench token list` shows them")


def unknown_role(name: str) -> WorkbenchError:
    return WorkbenchError("ACC102", f"no role {name!r}", hint="reader, contributor, operator or owner")


def bad_days(days: object) -> WorkbenchError:
    return WorkbenchError("ACC103", f"{days!r} is no number of days", hint="a whole number from 1 to 3660")


def unknown_key(name: str) -> WorkbenchError:
    return WorkbenchError("ACC104", f"no key {name!r}", hint="primary or secondary")


# ---- a request -------------------------------------------------------------------------------


def no_bearer() -> WorkbenchError:
    return WorkbenchError("ACC201", "a bearer token is needed", hint="Authorization: Bearer …")


def unknown_bearer() -> WorkbenchError:
    return WorkbenchError("ACC202", "this token is not known here, or has expired")


def not_allowed(wanted: str) -> WorkbenchError:
    return WorkbenchError("ACC203", f"this needs {wanted}")
