"""Keys, tokens and agents, on SQLite and on PostgreSQL."""

from __future__ import annotations

import base64
import hashlib
import hmac
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from workbench.base import clock
from workbench.base.access import Access, Identity, Role
from workbench.base.database import Database
from workbench.base.errors import WorkbenchError

DAY = 864_000_000_000  # ticks


@pytest.fixture
def access(control_place: Path) -> Access:
    return Access(Database.open(control_place), "ws", "the owner's")


def signed(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()).decode()


# ---- keys ------------------------------------------------------------------------------------


def test_the_keys_are_made_once(control_place: Path) -> None:
    database = Database.open(control_place)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda _: Access(database, "ws", "o").keys(), range(6)))
    assert len(set(found)) == 1
    assert found[0].primary != found[0].secondary
    assert [len(base64.b64decode(k)) for k in (found[0].primary, found[0].secondary)] == [64, 64]


def test_both_keys_sign(access: Access) -> None:
    keys = access.keys()
    assert access.verify_signature("POST\nü", signed(keys.primary, "POST\nü")) == "primary"
    assert access.verify_signature("POST\nü", signed(keys.secondary, "POST\nü")) == "secondary"


@pytest.mark.parametrize("signature", ["", "AAAA", "no base64!", "ü", "=" * 44])
def test_what_is_no_signature_opens_nothing(access: Access, signature: str) -> None:
    assert access.verify_signature("text", signature) is None


def test_a_signature_of_another_text_opens_nothing(access: Access) -> None:
    assert access.verify_signature("text", signed(access.keys().primary, "texts")) is None


def test_a_rotated_key_opens_nothing_and_the_other_still_does(access: Access) -> None:
    before = access.keys()
    after = access.rotate("primary")
    assert after.secondary == before.secondary
    assert access.verify_signature("t", signed(before.primary, "t")) is None
    assert access.verify_signature("t", signed(after.primary, "t")) == "primary"
    with pytest.raises(WorkbenchError, match="no key 'third'"):
        access.rotate("third")


def test_a_database_of_another_workspace_is_refused(access: Access, control_place: Path) -> None:
    with pytest.raises(WorkbenchError) as caught:
        Access(Database.open(control_place), "another", "o")
    assert caught.value.code == "CTL004"


# ---- tokens ----------------------------------------------------------------------------------


def test_a_token_says_who_it_is(access: Access) -> None:
    token_id, token = access.create_token(Role.OPERATOR, "ci")
    assert access.identify(token) == Identity(token_id, "token", Role.OPERATOR, "ci")


def test_the_owners_token_is_above_all(access: Access) -> None:
    found = access.identify("the owner's")
    assert found is not None
    assert found.kind == "owner"
    assert found.may(Role.OWNER)


@pytest.mark.parametrize("bearer", ["", "wbt_", "the owner", "x" * 10_000, "ü\udcff"])
def test_other_texts_are_nobody(access: Access, bearer: str) -> None:
    assert access.identify(bearer) is None


def test_the_database_holds_no_token(access: Access) -> None:
    _, token = access.create_token(Role.READER)
    _, agent = access.enrol_agent("host")
    with access._database.read() as connection:
        texts = [str(tuple(row)) for row in connection.execute(sa.text("SELECT * FROM access_tokens"))]
    assert len(texts) == 2
    assert not any(secret in text for text in texts for secret in (token, agent))


def test_a_token_ends_when_its_days_are_over(access: Access) -> None:
    now = 20_000 * DAY
    with clock.frozen(now):
        _, token = access.create_token(Role.READER, days=2)
    with clock.frozen(now + 2 * DAY - 10):
        assert access.identify(token) is not None
    with clock.frozen(now + 2 * DAY):
        assert access.identify(token) is None
        assert [(t["state"], t["expires"]) for t in access.tokens()] == [("expired", "2024-10-06T00:00:00Z")]


@pytest.mark.parametrize("days", [0, -1, 0.5, 40_000, True])
def test_a_token_lives_a_sensible_time(access: Access, days: int) -> None:
    with pytest.raises(WorkbenchError) as caught:
        access.create_token(Role.READER, days=days)
    assert caught.value.code == "ACC103"


def test_a_revoked_token_is_nobody_at_once_and_stays_listed(access: Access) -> None:
    token_id, token = access.create_token(Role.READER, "old")
    _, other = access.create_token(Role.READER, "new")
    access.revoke(token_id)
    access.revoke(token_id)
    assert access.identify(token) is None
    assert access.identify(other) is not None
    assert {t["name"]: t["state"] for t in access.tokens()} == {"old": "revoked", "new": "active"}
    with pytest.raises(WorkbenchError, match="no token 'zzz'"):
        access.revoke("zzz")


def test_a_name_keeps_no_control_sign(access: Access) -> None:
    access.create_token(Role.READER, "a\0b\x1b[2J")
    assert access.tokens()[0]["name"] == "a\ufffdb\ufffd[2J"


# ---- agents ----------------------------------------------------------------------------------


def test_an_agent_has_an_identity_and_no_role(access: Access) -> None:
    agent_id, token = access.enrol_agent("web1")
    assert access.identify(token) == Identity(agent_id, "agent", None, "web1")
    assert not Identity(agent_id, "agent", None, "web1").may(Role.READER)
    assert [(a["id"], a["name"]) for a in access.agents()] == [(agent_id, "web1")]
    assert access.agents("worker") == []
    assert access.tokens() == []


def test_a_forgotten_agent_is_nobody(access: Access) -> None:
    agent_id, token = access.enrol_agent("web1", kind="worker")
    with pytest.raises(WorkbenchError, match="no token"):
        access.forget_agent(agent_id)
    access.forget_agent(agent_id, kind="worker")
    assert access.identify(token) is None
    assert access.agents("worker") == []
