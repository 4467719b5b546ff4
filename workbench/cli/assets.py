"""`workbench asset …`: variables, credentials, certificates, connections and modules that runbooks use.

A secret is asked for at the terminal, or read from standard input; never taken from the command line, which every
process of the machine can see.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

import typer

from workbench.cli import options
from workbench.cli.asking import asked, place_of, quoted

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of the asset.")]
KindName = Literal["variable", "credential", "certificate", "connection", "modules"]
KindArgument = Annotated[KindName, typer.Argument(metavar="KIND", help="variable, credential, …")]
Description = Annotated[str, typer.Option(help="What it is for.")]
Runbooks = Annotated[
    list[str] | None,
    typer.Option("--runbook", metavar="NAME", help="Only this runbook may read it; several: repeat."),
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        name="asset", help="What runbooks use: variables, credentials, …", no_args_is_help=True
    )
    for command in (variable, credential, certificate, connection, modules, show, allow, remove):
        group.command()(command)
    group.command("list")(list_all)
    group.command("rotate-key")(rotate_key)
    app.add_typer(group)


def variable(
    name: Name,
    value: Annotated[
        str | None, typer.Argument(metavar="VALUE", help="JSON or text; without it, from standard input.")
    ] = None,
    kind: Annotated[
        Literal["string", "number", "boolean", "datetime", "json"], typer.Option("--type", help="Its type.")
    ] = "string",
    encrypted: Annotated[bool, typer.Option("--encrypted", help="Only jobs may read the value.")] = False,
    description: Description = "",
    runbook: Runbooks = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Set a variable; an encrypted value is read from standard input or asked for."""
    if encrypted and value is not None:
        raise typer.BadParameter("an encrypted value is read from standard input, not from the command line")
    text = value if value is not None else _secret("Value")
    body = {"type": kind, "value": _typed(kind, text), "encrypted": encrypted}
    _put("variable", name, body, description, runbook, as_json, workspace)


def credential(
    name: Name,
    user: Annotated[str, typer.Option(help="The user name.")],
    description: Description = "",
    runbook: Runbooks = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Set a user name and password; the password is read from standard input or asked for."""
    body = {"user": user, "password": _secret("Password")}
    _put("credential", name, body, description, runbook, as_json, workspace)


def certificate(
    name: Name,
    file: Annotated[str, typer.Argument(metavar="FILE", help="PEM, or PFX.")],
    password: Annotated[
        bool, typer.Option("--password", help="It has one: read from standard input or asked for.")
    ] = False,
    description: Description = "",
    runbook: Runbooks = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Set a certificate with its private key and chain."""
    import base64

    data = _file(file)
    text = data.decode("ascii", "replace") if b"-----BEGIN" in data else base64.b64encode(data).decode()
    body = {"data": text, **({"password": _secret("Password")} if password else {})}
    _put("certificate", name, body, description, runbook, as_json, workspace)


def connection(
    name: Name,
    kind: Annotated[str, typer.Option("--type", help="What it connects to.")] = "",
    field: Annotated[
        list[str] | None, typer.Option("--field", metavar="NAME=VALUE", help="A field that is no secret.")
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            "--secret", metavar="NAME", help="A secret field: a line of standard input, or asked for."
        ),
    ] = None,
    description: Description = "",
    runbook: Runbooks = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Set the fields of a connection."""
    plain: dict[str, Any] = {}
    for text in field or ():
        key, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"{text!r} is no NAME=VALUE")
        plain[key] = value
    hidden = {key: _secret(key, one_line=True) for key in secret or ()}
    body = {"type": kind, "fields": plain, "secret": hidden}
    _put("connection", name, body, description, runbook, as_json, workspace)


def modules(
    name: Name,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A requirements list.")],
    description: Description = "",
    runbook: Runbooks = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Set the Python packages that runbooks need; without --runbook all of them get these."""
    body = {"requirements": _file(file).decode("utf-8", "replace").splitlines()}
    _put("modules", name, body, description, runbook, as_json, workspace)


def list_all(
    kind: Annotated[KindName | None, typer.Option(help="Only of this kind.")] = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """List the assets; never what is secret."""
    from workbench.cli.output import listing

    rows = asked(place_of(workspace), "GET", f"/api/assets{f'?kind={kind}' if kind else ''}")["assets"]
    columns = ("kind", "name", "type", "encrypted", "version", "runbooks", "details", "description")
    if not as_json:
        rows = [{**r, "runbooks": ", ".join(r["runbooks"]) or "all", "details": _details(r)} for r in rows]
    listing(rows, columns, as_json=as_json)


def show(
    kind: KindArgument, name: Name, as_json: options.Json = False, workspace: options.Workspace = None
) -> None:
    """Show what is known of an asset; never what is secret."""
    _print(asked(place_of(workspace), "GET", _path(kind, name)), as_json)


def allow(
    kind: KindArgument,
    name: Name,
    runbook: Runbooks = None,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Say which runbooks may read an asset; without --runbook all of them."""
    body = {"runbooks": runbook or []}
    _print(asked(place_of(workspace), "POST", f"{_path(kind, name)}/allow", body), as_json)


def remove(kind: KindArgument, name: Name, workspace: options.Workspace = None) -> None:
    """Remove an asset, and what is stored of its value."""
    asked(place_of(workspace), "DELETE", _path(kind, name))
    print(f"{kind} {name}: removed")


def rotate_key(
    passphrase: Annotated[
        bool,
        typer.Option(
            "--passphrase", help="To a key made from a passphrase: read from standard input or asked for."
        ),
    ] = False,
    key_file: Annotated[
        bool, typer.Option("--key-file", help="To a key in the key file, from a passphrase.")
    ] = False,
    as_json: options.Json = False,
    workspace: options.Workspace = None,
) -> None:
    """Encrypt all assets under a new key, and drop the old one."""
    from workbench.cli.output import emit_json

    if passphrase and key_file:
        raise typer.BadParameter("--passphrase and --key-file exclude each other")
    body: dict[str, Any] = {"passphrase": _secret("New passphrase")} if passphrase else {}
    if key_file:
        body["file"] = True
    told = asked(place_of(workspace), "POST", "/api/asset-key/rotate", body)
    if as_json:
        emit_json(told)
        return
    print(f"{told['rewrapped']} values are under a new key: {told['source']}")
    if passphrase:
        print("give the service the new passphrase before it starts again", file=sys.stderr)
    if key_file:
        print("start the service without a passphrase the next time", file=sys.stderr)


def _put(
    kind: str, name: str, body: dict[str, Any], description: str, runbooks: list[str] | None, as_json: bool,
    workspace: str | None,
) -> None:  # fmt: skip
    body = {**body, "description": description, "runbooks": runbooks or []}
    _print(asked(place_of(workspace), "PUT", _path(kind, name), body), as_json)


def _path(kind: str, name: str) -> str:
    return f"/api/assets/{kind}/{quoted(name)}"


def _print(told: dict[str, Any], as_json: bool) -> None:
    from workbench.cli.output import emit_json, shown

    if as_json:
        emit_json(told)
    else:
        print(shown(f"{told['kind']} {told['name']} version {told['version']}: {_details(told)}"))


def _details(told: dict[str, Any]) -> str:
    """What is shown of an asset, in a line."""
    import json

    values = {**told["shown"]}
    values |= values.pop("fields", {}) if told["kind"] == "connection" else {}
    parts = [f"{k}={v if isinstance(v, str) else json.dumps(v)}" for k, v in values.items()]
    return ", ".join(parts) or ("encrypted" if told["encrypted"] else "")


def _secret(prompt: str, *, one_line: bool = False) -> str:
    """Asked for at a terminal without showing it, else read from standard input."""
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass(f"{prompt}: ")
    text = sys.stdin.readline() if one_line else sys.stdin.read()
    return text.removesuffix("\n").removesuffix("\r")


def _typed(kind: str, text: str) -> Any:
    """A value as JSON; text that is none goes as it is, and the service says what is wrong with it."""
    import json

    if kind in ("string", "datetime"):
        return text
    try:
        return json.loads(text)
    except ValueError:
        raise typer.BadParameter(f"the value is no {kind}") from None


def _file(path: str) -> bytes:
    from pathlib import Path

    from workbench.base.diagnostics import service as diagnostics

    try:
        return Path(path).read_bytes()
    except OSError as why:
        raise diagnostics.bad_request(f"{path} can't be read: {why.strerror}") from None
