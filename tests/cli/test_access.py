"""Keys and tokens by the command line, without a service."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def said(ran: Any) -> Any:
    assert ran.returncode == 0, ran.stderr.decode()
    return json.loads(ran.stdout)


def test_keys_stay_until_one_is_rotated(run: Any, tmp_path: Path) -> None:
    where = ("--json", "--workspace", str(tmp_path / "new"))
    first = said(run("key", "show", *where))
    assert list(first) == ["workspace_id", "primary", "secondary"]
    assert [len(base64.b64decode(first[k])) for k in ("primary", "secondary")] == [64, 64]
    assert said(run("key", "show", *where)) == first
    rotated = said(run("key", "rotate", "--which", "secondary", *where))
    assert rotated["primary"] == first["primary"]
    assert rotated["secondary"] != first["secondary"]
    alone = run("key", "show", "--which", "primary", *where[1:])
    assert alone.stdout.decode() == first["primary"] + "\n"


def test_a_token_is_made_listed_and_revoked(run: Any, workspace: str) -> None:
    where = ("--workspace", workspace)
    made = said(
        run("token", "create", "--role", "reader", "--name", "grafana", "--days", "30", "--json", *where)
    )
    rows = said(run("token", "list", "--json", *where))
    assert [(r["id"], r["name"], r["role"], r["state"]) for r in rows] == [
        (made["id"], "grafana", "reader", "active")
    ]
    assert made["token"] not in json.dumps(rows)
    plain = run("token", "create", "--role", "owner", *where)
    assert len(plain.stdout.split()) == 1
    assert b"not shown again" in plain.stderr
    assert run("token", "revoke", made["id"], *where).returncode == 0
    assert said(run("token", "list", "--json", *where))[0]["state"] == "revoked"


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (("token", "revoke", "none"), 1, b"ACC101: no token 'none'"),
        (("token", "create", "--role", "reader", "--days", "0"), 1, b"ACC103"),
        (("token", "create", "--role", "king"), 2, b"Usage: workbench"),
        (("key", "rotate", "--which", "third"), 2, b"Usage: workbench"),
    ],
)
def test_mistakes_are_told(
    run: Any, workspace: str, arguments: tuple[str, ...], status: int, text: bytes
) -> None:
    ran = run(*arguments, "--workspace", workspace)
    assert (ran.returncode, ran.stdout) == (status, b"")
    assert text in ran.stderr
