"""Assets: what people see, what jobs get, what lies in the database; keys that are missing, wrong and rotated."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import signal
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from toldrows import rows

from workbench.actions.assets import Assets, envelope, told
from workbench.actions.assets.keys import FileKeys, PassphraseKeys, from_environment
from workbench.actions.assets.kinds import Kind, content
from workbench.base.database import Database
from workbench.base.errors import WorkbenchError
from workbench.collect.record_outbox import RecordOutbox

JOB = {"id": "j1", "runbook": "clean", "worker": "w1"}
SECRET = "Tr0ub4dor&3 über"


def read(assets: Assets, kind: str, name: str) -> dict[str, Any]:
    with assets.database.begin() as connection:
        return assets.read(connection, JOB, kind, name)


def refused(code: str, work: Callable[[], Any]) -> None:
    with pytest.raises(WorkbenchError) as why:
        work()
    assert why.value.code == code
    assert SECRET not in why.value.render()


def stored(database: Database) -> bytes:
    """All that stands in the tables of the control database."""
    found = b""
    with database.read() as connection:
        for name in sa.inspect(connection).get_table_names():
            for row in connection.execute(sa.text(f"SELECT * FROM {name}")):
                found += b"".join(v if isinstance(v, bytes) else str(v).encode() for v in row)
    return found


# ---- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "given"),
    [
        ("string", "a", "a"),
        ("number", 1.5, 1.5),
        ("boolean", False, False),
        ("datetime", "2026-03-01T02:00:00+02:00", "2026-03-01T00:00:00Z"),
        ("datetime", "2026-03-01", "2026-03-01T00:00:00Z"),
        ("json", {"a": [1, None]}, {"a": [1, None]}),
        ("json", None, None),
    ],
)
def test_a_variable_keeps_its_type(kind: str, value: Any, given: Any) -> None:
    assert content(Kind.VARIABLE, {"type": kind, "value": value}).shown == {"value": given}


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("variable", {"type": "number", "value": "1"}, "AST005"),
        ("variable", {"type": "number", "value": True}, "AST005"),
        ("variable", {"type": "number", "value": float("nan")}, "AST005"),
        ("variable", {"type": "datetime", "value": "soon"}, "AST005"),
        ("variable", {"type": "color", "value": "red"}, "AST004"),
        ("variable", {"value": "x" * (1 << 20)}, "AST006"),
        ("variable", {"value": "abc", "encrypted": True}, "AST007"),
        ("variable", {"type": "boolean", "value": True, "encrypted": True}, "AST007"),
        ("credential", {"user": "ada"}, "AST004"),
        ("credential", {"user": "ada", "password": "abc"}, "AST007"),
        ("certificate", {"data": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"}, "AST008"),
        ("certificate", {"data": "no base64!"}, "AST008"),
        ("connection", {"fields": {"a b": 1}}, "AST004"),
        ("connection", {"fields": {"a": 1}, "secret": {"a": "secret"}}, "AST004"),
        ("modules", {"requirements": ["-r other.txt"]}, "AST009"),
        ("modules", {"requirements": ["x @ https://ada:secret@host/x.whl"]}, "AST009"),
        ("modules", {"requirements": ["a; b; c ; ???", "two words"]}, "AST009"),
        ("color", {}, "AST003"),
    ],
)
def test_what_can_not_be_an_asset_is_refused(kind: str, body: dict[str, Any], code: str) -> None:
    refused(code, lambda: content(Kind.named(kind), body))


def test_a_name_is_plain(assets: Assets) -> None:
    for name in ("", "a b", "../a", "-a", "x" * 129, "a\n"):
        refused("AST002", lambda n=name: assets.put("variable", n, {"value": "1"}, by="ada"))


def test_people_see_names_and_jobs_get_values(assets: Assets, outbox: RecordOutbox) -> None:
    shown = assets.put("credential", "db", {"user": "ada", "password": SECRET, "description": "d"}, by="ada")
    assert (shown["shown"], shown["encrypted"], shown["version"]) == ({"user": "ada"}, True, 1)
    fields = {"type": "sql", "fields": {"host": "db01"}, "secret": {"key": SECRET}}
    assets.put("connection", "c", fields, by="ada")
    assets.put("variable", "v", {"value": SECRET, "encrypted": True}, by="ada")
    assert [(a["kind"], a["name"]) for a in assets.all()] == [
        ("connection", "c"), ("credential", "db"), ("variable", "v"),
    ]  # fmt: skip
    assert SECRET not in json.dumps(assets.all(), ensure_ascii=False)
    assert read(assets, "credential", "db") == {"user": "ada", "password": SECRET}
    assert read(assets, "connection", "c") == {"host": "db01", "key": SECRET}
    assert read(assets, "variable", "v") == {"value": SECRET, "type": "string"}
    assert SECRET.encode() not in stored(assets.database)
    told = [(r["Action"], r["AssetName"], r["Actor"], r["JobId"]) for r in rows(outbox, "AssetAccess")]
    assert told == [
        ("Created", "db", "ada", ""), ("Created", "c", "ada", ""), ("Created", "v", "ada", ""),
        ("Read", "db", "job j1", "j1"), ("Read", "c", "job j1", "j1"), ("Read", "v", "job j1", "j1"),
    ]  # fmt: skip


def test_an_asset_can_be_for_some_runbooks(assets: Assets, outbox: RecordOutbox) -> None:
    assets.put("variable", "v", {"value": "1", "runbooks": ["other"]}, by="ada")
    with assets.database.begin() as connection:
        why = assets.may_read(connection, JOB, "variable", "v")
    assert why is not None
    assert why.code == "AST201"
    assert rows(outbox, "AssetAccess")[-1]["Action"] == "Refused"
    assets.allow("variable", "v", ["clean"], by="ada")
    with assets.database.begin() as connection:
        assert assets.may_read(connection, JOB, "variable", "v") is None


def test_a_value_that_a_job_read_is_known_until_the_job_ends(assets: Assets) -> None:
    assets.put("variable", "v", {"value": SECRET, "encrypted": True}, by="ada")
    read(assets, "variable", "v")
    assets.put("variable", "v", {"value": "another one", "encrypted": True}, by="ada")
    with assets.database.begin() as connection:
        assets.set_variable(connection, JOB, "v", "a third one")
    assets.remove("variable", "v", by="ada")
    with assets.database.begin() as connection:
        assert sorted(assets.spoken(connection, "j1")) == [SECRET, "a third one"]
    assets.forget(["j1"])
    versions = sa.text("SELECT count(*) FROM asset_versions")
    with assets.database.read() as connection:
        assert connection.scalar(versions) == 0


def test_what_else_is_sealed_stays_when_a_job_ends_and_when_the_key_is_rotated(assets: Assets) -> None:
    with assets.database.begin() as connection:
        assets.seal(connection, "webhook", "w1", 1, {"secret": SECRET})
    assets.put("variable", "v", {"value": SECRET, "encrypted": True}, by="ada")
    read(assets, "variable", "v")
    assets.forget(["j1"])
    assert assets.rotate_key(by="ada") == 2
    with assets.database.begin() as connection:
        assert assets.opened(connection, "webhook", "w1", 1) == {"secret": SECRET}


def test_a_job_sets_a_variable_of_the_same_type(assets: Assets) -> None:
    assets.put("variable", "n", {"type": "number", "value": 1}, by="ada")
    with assets.database.begin() as connection:
        assets.set_variable(connection, JOB, "n", 2)
    assert assets.get("variable", "n")["shown"] == {"value": 2}
    with pytest.raises(WorkbenchError, match="no number"), assets.database.begin() as connection:
        assets.set_variable(connection, JOB, "n", "2")


def test_rows_can_not_be_swapped(assets: Assets) -> None:
    for name in ("a", "b"):
        assets.put("variable", name, {"value": SECRET + name, "encrypted": True}, by="ada")
    swap = "UPDATE asset_versions SET data = (SELECT o.data FROM asset_versions o WHERE o.name = 'b'), wrapped = (SELECT o.wrapped FROM asset_versions o WHERE o.name = 'b') WHERE name = 'a'"  # fmt: skip
    with assets.database.begin() as connection:
        connection.execute(sa.text(swap))
    refused("AST108", lambda: read(assets, "variable", "a"))
    assert read(assets, "variable", "b")["value"] == SECRET + "b"


def test_a_version_number_is_never_given_again(assets: Assets) -> None:
    assets.put("variable", "a", {"value": SECRET, "encrypted": True}, by="ada")
    assets.remove("variable", "a", by="ada")
    refused("AST001", lambda: assets.get("variable", "a"))
    assert assets.put("variable", "a", {"value": SECRET, "encrypted": True}, by="ada")["version"] == 2


# ---- certificates ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate() -> tuple[Any, Any]:
    """A key, and a certificate of it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "web01")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(dt.datetime(2026, 1, 1)).not_valid_after(dt.datetime(2027, 1, 1))  # fmt: skip
    return key, builder.sign(key, hashes.SHA256())


@pytest.mark.parametrize("form", ["pem", "encrypted pem", "pfx"])
def test_a_certificate_shows_its_expiry_and_thumbprint(certificate: tuple[Any, Any], form: str) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import (  # fmt: skip
        BestAvailableEncryption,
        Encoding,
        NoEncryption,
        PrivateFormat,
        pkcs12,
    )

    key, own = certificate
    hidden = BestAvailableEncryption(b"pass") if form != "pem" else NoEncryption()
    if form == "pfx":
        data = base64.b64encode(
            pkcs12.serialize_key_and_certificates(b"web01", key, own, None, hidden)
        ).decode()
    else:
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, hidden)
        data = (text + own.public_bytes(Encoding.PEM)).decode()
    found = content(Kind.CERTIFICATE, {"data": data, "password": "pass"} if form != "pem" else {"data": data})
    assert found.shown == {
        "subject": "CN=web01", "issuer": "CN=web01", "thumbprint": own.fingerprint(hashes.SHA1()).hex().upper(),
        "starts": "2026-01-01T00:00:00+00:00", "expires": "2027-01-01T00:00:00+00:00", "private_key": True,
    }  # fmt: skip
    assert found.secret is not None
    assert found.secret["private_key"].startswith("-----BEGIN PRIVATE KEY-----")
    if form != "pem":
        for password, words in (("wrong", "the password is wrong"), (None, "needs its password")):
            with pytest.raises(WorkbenchError, match=words):
                content(Kind.CERTIFICATE, {"data": data, "password": password})


# ---- the key --------------------------------------------------------------------------------------


def test_the_key_file_is_the_owners_alone(assets: Assets, keys: FileKeys) -> None:
    assets.put("variable", "a", {"value": SECRET, "encrypted": True}, by="ada")
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600
    keys.path.chmod(0o644)
    refused("AST104", lambda: read(assets, "variable", "a"))
    keys.path.write_text("{}")
    keys.path.chmod(0o600)
    refused("AST104", lambda: read(assets, "variable", "a"))


def test_a_lost_or_foreign_key_is_one_sentence(assets: Assets, keys: FileKeys, tmp_path: Path) -> None:
    assets.put("variable", "a", {"value": SECRET, "encrypted": True}, by="ada")
    saved = keys.path.read_bytes()
    keys.path.unlink()
    refused("AST101", lambda: read(assets, "variable", "a"))
    refused("AST101", lambda: assets.put("variable", "b", {"value": SECRET, "encrypted": True}, by="ada"))
    assert not keys.path.exists(), "no new key may hide that the old one is lost"
    keys.path.write_text(json.dumps({"current": "k", "keys": {"k": base64.b64encode(bytes(32)).decode()}}))
    keys.path.chmod(0o600)
    refused("AST102", lambda: read(assets, "variable", "a"))
    keys.path.write_bytes(saved)
    assert read(assets, "variable", "a")["value"] == SECRET


def test_a_passphrase_makes_the_key(outbox: RecordOutbox, tmp_path: Path) -> None:
    first = {"WORKBENCH_ASSET_PASSPHRASE": "correct horse battery"}
    assets = Assets(outbox, "w", from_environment(tmp_path, first))
    assets.put("variable", "a", {"value": SECRET, "encrypted": True}, by="ada")
    again = Assets(outbox, "w", from_environment(tmp_path, first))
    assert read(again, "variable", "a")["value"] == SECRET
    refused(
        "AST103", lambda: read(Assets(outbox, "w", PassphraseKeys("another passphrase")), "variable", "a")
    )
    without = Assets(outbox, "w", from_environment(tmp_path, {}))
    refused("AST105", lambda: read(without, "variable", "a"))
    refused("AST105", lambda: without.put("variable", "b", {"value": SECRET, "encrypted": True}, by="ada"))
    refused("AST106", lambda: PassphraseKeys("short"))
    assert again.rotate_key(by="ada", passphrase="a new passphrase") == 1
    assert read(again, "variable", "a")["value"] == SECRET
    refused("AST103", lambda: read(Assets(outbox, "w", from_environment(tmp_path, first)), "variable", "a"))
    assert read(Assets(outbox, "w", PassphraseKeys("a new passphrase")), "variable", "a")["value"] == SECRET


def test_a_passphrase_beside_a_key_file_is_refused(assets: Assets, outbox: RecordOutbox) -> None:
    assets.put("variable", "a", {"value": SECRET, "encrypted": True}, by="ada")
    other = Assets(outbox, "w", PassphraseKeys("correct horse battery"))
    refused("AST107", lambda: read(other, "variable", "a"))
    refused("AST107", lambda: other.put("variable", "b", {"value": SECRET, "encrypted": True}, by="ada"))


@pytest.mark.parametrize("first", ["file", "passphrase"])
def test_the_key_moves_between_file_and_passphrase(first: str, outbox: RecordOutbox, keys: FileKeys) -> None:
    word = PassphraseKeys("correct horse battery", keys)
    assets = Assets(outbox, "w", keys if first == "file" else word)
    assets.put("variable", "a", {"value": SECRET, "encrypted": True}, by="ada")
    for to_file in (first != "file", first == "file"):
        move = {"to_file": True} if to_file else {"passphrase": "correct horse battery"}
        assert assets.rotate_key(by="ada", **move) >= 1
        assert read(assets, "variable", "a")["value"] == SECRET, "the service goes on"
        assert keys.path.exists() == to_file
        assets.put("variable", "b", {"value": SECRET, "encrypted": True}, by="ada")
        known, other = (keys, word) if to_file else (word, keys)
        assert read(Assets(outbox, "w", known), "variable", "b")["value"] == SECRET
        old = Assets(outbox, "w", other)
        code = "AST107" if to_file else "AST105"
        refused(code, lambda: read(old, "variable", "a"))  # noqa: B023
        refused(code, lambda: old.put("variable", "c", {"value": SECRET, "encrypted": True}, by="ada"))  # noqa: B023
    refused("AST106", lambda: assets.rotate_key(by="ada", passphrase="short"))


def test_rotation_wraps_all_anew_and_drops_the_old_key(assets: Assets, keys: FileKeys) -> None:
    for name in ("a", "b"):
        assets.put("variable", name, {"value": SECRET + name, "encrypted": True}, by="ada")
    before = json.loads(keys.path.read_text())
    assert assets.rotate_key(by="ada") == 2
    after = json.loads(keys.path.read_text())
    assert set(after["keys"]).isdisjoint(before["keys"])
    assert [read(assets, "variable", n)["value"] for n in ("a", "b")] == [SECRET + "a", SECRET + "b"]


WORD = "correct horse battery"
MOVES: dict[str, dict[str, Any]] = {"stay": {}, "passphrase": {"passphrase": WORD}, "file": {"to_file": True}}


def rotate_and_die(place: Path, key_file: Path, move: str, moment: int) -> int:
    """Rotate in a process that is killed at the n-th moment; its exit status, or minus the signal."""
    child = os.fork()
    if child == 0:
        seen = 0

        def watched(work: Callable[..., Any]) -> Callable[..., Any]:
            def call(*arguments: Any, **named: Any) -> Any:
                nonlocal seen
                for before in (True, False):
                    if not before:
                        found = work(*arguments, **named)
                    if seen == moment:
                        os.kill(os.getpid(), signal.SIGKILL)
                    seen += 1
                return found

            return call

        for module, names in ((os, ("fsync", "replace", "unlink")), (envelope, ("rewrap",))):
            for name in names:
                setattr(module, name, watched(getattr(module, name)))
        outbox = RecordOutbox(Database.open(place), told.TYPES)
        keys = FileKeys(key_file)
        Assets(outbox, "w", PassphraseKeys(WORD, keys) if move == "file" else keys).rotate_key(
            by="ada", **MOVES[move]
        )
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("move", MOVES)
def test_rotation_killed_at_any_moment_loses_no_value(
    outbox: RecordOutbox, keys: FileKeys, control_place: Path, move: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workbench.actions.assets.keys._SCRYPT_COST", 1 << 8)  # many are made
    word = PassphraseKeys(WORD, keys)

    def before() -> Assets:
        return Assets(outbox, "w", word if move == "file" else keys)

    def after() -> Assets:
        return Assets(outbox, "w", word if move == "passphrase" else keys)

    for name in ("a", "b"):
        before().put("variable", name, {"value": SECRET + name, "encrypted": True}, by="ada")
    moved = 0
    # Moments: before and after each sync, replacement and removal of the key file, and each value.
    for moment in range(99):
        status = rotate_and_die(control_place, keys.path, move, moment)
        # All of it opens under one source, and the other one seals nothing beside it.
        over = _opens(after())
        now, other = (after(), before()) if over else (before(), after())
        assert [read(now, "variable", n)["value"] for n in ("a", "b")] == [SECRET + "a", SECRET + "b"]
        if move != "stay":
            new = {"value": "hidden", "encrypted": True}
            seal = partial(other.put, "variable", "c", new, by="ada")
            refused("AST105" if (move == "passphrase") == over else "AST107", seal)
        if status == 0:
            break
        assert status == -signal.SIGKILL
        if move != "stay" and over:
            moved += 1
            now.rotate_key(by="ada", **MOVES["file" if move == "passphrase" else "passphrase"])
    assert moment >= 8
    assert move == "stay" or moved > 0
    after().rotate_key(by="ada")
    left = json.loads(keys.path.read_text())["keys"] if keys.path.exists() else {}
    assert len(left) == (0 if move == "passphrase" else 1), "what a killed rotation left is dropped"


def _opens(assets: Assets) -> bool:
    try:
        read(assets, "variable", "a")
    except WorkbenchError:
        return False
    return True
