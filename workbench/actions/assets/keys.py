"""The key of a workspace that all data keys are wrapped under: from a file, or from a passphrase.

In go connections of the control database, out come 32 bytes and the id that stored rows name them by. A rotation, also
one that moves to the other source, leaves each row with its key when it is killed at any moment: a new key is written, rows
are wrapped anew in one transaction, then keys that no row names are dropped. What stands in the control database of a
passphrase changes with that transaction, so it alone says which source is the current one.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import stat
import tempfile
import uuid
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from workbench.actions.assets import envelope
from workbench.actions.assets.schema import table
from workbench.base.diagnostics import assets as diagnostics

if TYPE_CHECKING:
    from sqlalchemy import Connection

FILE = "assets.key"
FILE_VARIABLE = "WORKBENCH_ASSET_KEY_FILE"
PASSPHRASE_VARIABLE = "WORKBENCH_ASSET_PASSPHRASE"
PASSPHRASE_FILE_VARIABLE = "WORKBENCH_ASSET_PASSPHRASE_FILE"
LEAST_PASSPHRASE = 12
_SCRYPT_COST = 1 << 15
"""With r=8: 32 MiB and about 0.1 s."""


class Keys(Protocol):
    """Where keys come from. Every call is made inside of a write transaction, so one at a time."""

    def current(self, connection: Connection) -> tuple[str, bytes]:
        """Id and bytes of the key for new values; made at first use, and only where nothing is encrypted yet."""
        ...

    def find(self, connection: Connection, number: str) -> bytes:
        """The key of that id; raises AST101 to AST105, AST107."""
        ...

    def renewed(self, connection: Connection) -> tuple[str, bytes]:
        """Another key, current as soon as the transaction that wraps all rows under it is committed."""
        ...

    def forget_all_but(self, needed: Collection[str]) -> None:
        """Drop keys of the file that no row names any more; after that transaction."""
        ...

    @property
    def file(self) -> FileKeys | None:
        """Where the key file is, or would be."""
        ...

    @property
    def words(self) -> str:
        """What the source is called."""
        ...


def from_environment(state: Path, environment: Mapping[str, str]) -> Keys:
    """The keys of a workspace: of a passphrase where the environment has one, else of a file.

    Parameters
    ----------
    state : Path
        The state folder; the key file lies there where the environment names no other.
    environment : mapping

    Raises
    ------
    WorkbenchError
        AST104 when the passphrase's file can't be read, AST106.
    """
    passphrase = environment.get(PASSPHRASE_VARIABLE, "")
    if path := environment.get(PASSPHRASE_FILE_VARIABLE, ""):
        try:
            passphrase = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as why:
            raise diagnostics.bad_key_file(path, str(why)) from None
    file = FileKeys(Path(environment.get(FILE_VARIABLE) or state / FILE))
    return PassphraseKeys(passphrase, file) if passphrase else file


class FileKeys:
    """Keys in a file of mode 0600: `{"current": ID, "keys": {ID: base64}}`, replaced as a whole and synced.

    Examples
    --------
    >>> FileKeys(Path("/etc/workbench/assets.key")).path.name
    'assets.key'
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def file(self) -> FileKeys:
        return self

    @property
    def words(self) -> str:
        return f"the key in {self.path}"

    def current(self, connection: Connection) -> tuple[str, bytes]:
        if connection.execute(table("asset_keys").select().limit(1)).first() is not None:
            raise diagnostics.passphrase_wanted()  # a file may be left of a move that was killed
        # Read each time: another process may have rotated it, and dropped what was read before.
        found = self._read()
        if found is None:
            _refuse_if_used(connection, diagnostics.key_file_missing(str(self.path)))
            found = self._with_new({})  # at first use
        return found[0], found[1][found[0]]

    def find(self, connection: Connection, number: str) -> bytes:
        found = self._read()
        if found is not None and number in found[1]:
            return found[1][number]
        keys = table("asset_keys")
        if connection.execute(keys.select().where(keys.c.id == number)).first() is not None:
            raise diagnostics.passphrase_wanted()
        if found is None:
            raise diagnostics.key_file_missing(str(self.path))
        raise diagnostics.wrong_key(self.words)

    def renewed(self, connection: Connection) -> tuple[str, bytes]:
        found = self._read()
        number, keys = self._with_new({} if found is None else found[1])
        return number, keys[number]

    def forget_all_but(self, needed: Collection[str]) -> None:
        found = self._read()
        if found is not None:
            current, keys = found
            self._write(current, {n: k for n, k in keys.items() if n in needed or n == current})

    def remove_unless(self, needed: Collection[str]) -> None:
        """Remove the file, unless a row names a key of it."""
        found = self._read()
        if found is None or not found[1].keys().isdisjoint(needed):
            return
        try:
            os.unlink(self.path)
            _sync(self.path.parent)
        except OSError as why:
            raise diagnostics.bad_key_file(str(self.path), why.strerror or str(why)) from None

    def _with_new(self, keys: Mapping[str, bytes]) -> tuple[str, dict[str, bytes]]:
        number = str(uuid.uuid4())
        all_ = {**keys, number: os.urandom(envelope.KEY_BYTES)}
        self._write(number, all_)
        return number, all_

    def _read(self) -> tuple[str, dict[str, bytes]] | None:
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        except OSError as broken:
            raise diagnostics.bad_key_file(str(self.path), broken.strerror or str(broken)) from None
        with os.fdopen(handle, "rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                why = "others than its owner may read it (chmod 600, and rotate the key)"
                raise diagnostics.bad_key_file(str(self.path), why)
            text = file.read()
        try:
            told = json.loads(text)
            keys = {str(n): base64.b64decode(k, validate=True) for n, k in told["keys"].items()}
            current = str(told["current"])
            if current not in keys or any(len(k) != envelope.KEY_BYTES for k in keys.values()):
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
            raise diagnostics.bad_key_file(str(self.path), "it is no key file of Workbench") from None
        return current, keys

    def _write(self, current: str, keys: Mapping[str, bytes]) -> None:
        told = {"current": current, "keys": {n: base64.b64encode(k).decode() for n, k in keys.items()}}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Made with mode 0600 by mkstemp; whoever reads sees the old file or the new one, also after a power cut.
            handle, unready = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
            try:
                with os.fdopen(handle, "w", encoding="ascii") as file:
                    json.dump(told, file)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(unready, self.path)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(unready)
                raise
            _sync(self.path.parent)
        except OSError as why:
            raise diagnostics.bad_key_file(str(self.path), why.strerror or str(why)) from None


class PassphraseKeys:
    """Keys made from a passphrase by scrypt; salt and proof stand in the control database, the key nowhere.

    Parameters
    ----------
    passphrase : str
        At least 12 characters.
    file : FileKeys, optional
        Where the key would lie if it were none of a passphrase.

    Raises
    ------
    WorkbenchError
        AST106.
    """

    words = "a passphrase"

    def __init__(self, passphrase: str, file: FileKeys | None = None) -> None:
        if len(passphrase) < LEAST_PASSPHRASE:
            raise diagnostics.short_passphrase(LEAST_PASSPHRASE)
        self._passphrase = passphrase
        self._known: dict[bytes, bytes] = {}  # by their salts
        self.file = file

    def current(self, connection: Connection) -> tuple[str, bytes]:
        number = _newest(connection)
        if number is None:
            _refuse_if_used(connection, diagnostics.other_source("the key of a file"))
            return self.renewed(connection)
        return number, self.find(connection, number)

    def find(self, connection: Connection, number: str) -> bytes:
        keys = table("asset_keys")
        row = connection.execute(keys.select().where(keys.c.id == number)).one_or_none()
        if row is None:
            raise diagnostics.other_source("the key of a file")
        if row.salt not in self._known:
            key = _derived(self._passphrase, row.salt, row.cost)
            try:
                envelope.open_sealed(key, envelope.Sealed(row.proof[:60], row.proof[60:]), number.encode())
            except envelope.Refused:
                raise diagnostics.wrong_passphrase() from None
            self._known[row.salt] = key
        return self._known[row.salt]

    def renewed(self, connection: Connection) -> tuple[str, bytes]:
        number = f"{int(_newest(connection) or 0) + 1:06}"
        salt = os.urandom(16)
        key = _derived(self._passphrase, salt, _SCRYPT_COST)
        proof = envelope.seal(key, b"", number.encode())
        values = {"id": number, "salt": salt, "cost": _SCRYPT_COST, "proof": proof.wrapped + proof.data}
        connection.execute(table("asset_keys").insert().values(values))
        return number, key

    def forget_all_but(self, needed: Collection[str]) -> None:
        if self.file is not None:
            self.file.remove_unless(needed)


def _derived(passphrase: str, salt: bytes, cost: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=envelope.KEY_BYTES, n=cost, r=8, p=1).derive(passphrase.encode())


def _newest(connection: Connection) -> str | None:
    """The id of the passphrase's key that is the current one; None where the key is none of a passphrase."""
    keys = table("asset_keys")
    found: str | None = connection.scalar(
        keys.select().with_only_columns(keys.c.id).order_by(keys.c.id.desc())
    )
    return found


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _refuse_if_used(connection: Connection, why: Exception) -> None:
    """A new key beside values of another one would only hide that the other is lost."""
    import sqlalchemy as sa

    for name in ("asset_keys", "asset_versions"):
        if connection.execute(sa.select(table(name)).limit(1)).first() is not None:
            raise (diagnostics.passphrase_wanted() if name == "asset_keys" else why)
