"""`workbench key show | rotate` and `workbench token create | list | revoke`: what lets senders and readers in.

They work on the control database itself, so no service need run; one that runs knows of a change at once.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from workbench.cli import options

if TYPE_CHECKING:
    from workbench.base.access import Access, Keys

Which = Literal["primary", "secondary"]
RoleName = Literal["reader", "contributor", "operator", "owner"]


def register(app: typer.Typer) -> None:
    keys = typer.Typer(
        name="key", help="The two keys that senders sign with and agents enrol with.", no_args_is_help=True
    )
    keys.command()(show)
    keys.command()(rotate)
    app.add_typer(keys)
    tokens = typer.Typer(name="token", help="Bearer tokens with a role.", no_args_is_help=True)
    tokens.command()(create)
    tokens.command("list")(list_all)
    tokens.command()(revoke)
    app.add_typer(tokens)


def show(
    which: Annotated[Which | None, typer.Option(help="Print this key alone.")] = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Show the keys; they are made when they are first asked for."""
    keys = opened(workspace, create=True).keys()
    if which is not None and not as_json:
        print(keys.primary if which == "primary" else keys.secondary)
        return
    _print(keys, as_json)


def rotate(
    which: Annotated[Which, typer.Option(help="Which key to make anew.")] = "primary",
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Make one key anew; the old one opens nothing from then on, the other still does."""
    _print(opened(workspace).rotate(which), as_json)


def create(
    role: Annotated[
        RoleName, typer.Option(help="What the token allows; each role allows what those before it do.")
    ],
    name: Annotated[str, typer.Option(help="What it is for; shown in lists, and as the sender.")] = "",
    days: Annotated[int | None, typer.Option(help="How long it is valid; else until it is revoked.")] = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Make a token; it is shown this once."""
    from workbench.base.access import Role
    from workbench.cli.output import emit_json

    number, token = opened(workspace, create=True).create_token(Role.named(role), name, days)
    if as_json:
        emit_json({"id": number, "role": role, "token": token})
        return
    print(f"token {number}, {role}; it is not shown again:", file=sys.stderr)
    print(token)


def list_all(as_json: options.Json = False, workspace: options.Workspace = None) -> None:
    """List the tokens, also those that are no longer valid; never the secrets."""
    from workbench.cli.output import listing

    rows = opened(workspace).tokens()
    listing(rows, ("id", "name", "role", "state", "created", "expires"), as_json=as_json)


def revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help="As `workbench token list` shows it.")],
    workspace: options.Workspace = None,
) -> None:
    """Have a token open nothing any more, from now on."""
    opened(workspace).revoke(token_id)
    print(f"{token_id}: revoked")


def opened(workspace: str | None, *, create: bool = False) -> Access:
    from workbench.base.access import Access
    from workbench.base.config import state_folder
    from workbench.base.database import Database
    from workbench.workspace import open as open_workspace

    path = options.chosen(workspace)
    workspace_id = open_workspace(path, create=create).repository.workspace_id
    return Access(Database.open(state_folder(path)), workspace_id)


def _print(keys: Keys, as_json: bool) -> None:
    from workbench.cli.output import emit_json

    values = {"workspace_id": keys.workspace_id, "primary": keys.primary, "secondary": keys.secondary}
    if as_json:
        emit_json(values)
        return
    for name, value in values.items():
        print(f"{name:<13} {value}")
