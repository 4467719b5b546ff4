"""The assets of a workspace: people set them and see names, jobs read values; each read and change is a record.

In go bodies of JSON from people, and names from who holds a job; out come what may be shown, and values for that job
alone. A value is read in the transaction that checks the claim and records the read. Must not know jobs' states.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from workbench.actions.assets import envelope, told
from workbench.actions.assets.keys import Keys, PassphraseKeys
from workbench.actions.assets.kinds import Content, Kind, checked_name, content, spoken, typed
from workbench.actions.assets.schema import metadata, table
from workbench.base import clock
from workbench.base.diagnostics import assets as diagnostics

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from workbench.base.errors import WorkbenchError
    from workbench.collect.record_outbox import RecordOutbox

MOST_DESCRIPTION = 1000


class Assets:
    """The assets in a control database. Safe for threads, and for several processes.

    Parameters
    ----------
    outbox : RecordOutbox
        Knows `told.TYPES`.
    workspace_id : str
    keys : Keys

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from workbench.actions.assets.keys import FileKeys
    >>> from workbench.base.database import Database
    >>> from workbench.collect.record_outbox import RecordOutbox
    >>> folder = Path(tempfile.mkdtemp())
    >>> assets = Assets(RecordOutbox(Database.open(folder), told.TYPES), "w", FileKeys(folder / "assets.key"))
    >>> assets.put("credential", "db", {"user": "ada", "password": "tr0ub4dor"}, by="ada")["shown"]
    {'user': 'ada'}
    >>> with assets.database.begin() as connection:
    ...     assets.read(connection, {"id": "1", "runbook": "r", "worker": "w"}, "credential", "db")
    {'user': 'ada', 'password': 'tr0ub4dor'}
    """

    def __init__(self, outbox: RecordOutbox, workspace_id: str, keys: Keys) -> None:
        self._outbox = outbox
        self._workspace_id = workspace_id
        self._keys = keys
        self.database = outbox.database
        self.database.ensure(metadata())

    # ---- people ----------------------------------------------------------------------------------

    def put(self, kind: str, name: str, body: Mapping[str, Any], *, by: str) -> dict[str, Any]:
        """Make an asset or change it; what may be shown of it.

        Parameters
        ----------
        kind, name : str
        body : mapping
            What `kinds.content` reads; `description` and `runbooks` (names, or none for all).

        Raises
        ------
        WorkbenchError
            AST002 to AST009, AST101 to AST107.
        """
        kind, name = Kind.named(kind), checked_name(name)
        made = content(kind, body)
        description = str(body.get("description") or "")[:MOST_DESCRIPTION]
        runbooks = _names(body.get("runbooks"))
        with self.database.begin() as connection:
            return self._put(connection, kind, name, made, description, runbooks, by, None)

    def all(self, kind: str | None = None) -> list[dict[str, Any]]:
        """What may be shown of all assets, by kind and name. Raises AST003."""
        assets = table("assets")
        chosen = assets.select().where(~assets.c.removed).order_by(assets.c.kind, assets.c.name)
        if kind:
            chosen = chosen.where(assets.c.kind == Kind.named(kind))
        with self.database.read() as connection:
            return [_shown(row._mapping) for row in connection.execute(chosen)]

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """What may be shown of one; raises AST001, AST003."""
        with self.database.read() as connection:
            return _shown(self._row(connection, Kind.named(kind), name))

    def allow(self, kind: str, name: str, runbooks: object, *, by: str) -> dict[str, Any]:
        """Say which runbooks may read it (none: all), and leave the value; raises AST001 to AST004."""
        kind = Kind.named(kind)
        assets = table("assets")
        with self.database.begin() as connection:
            row = self._row(connection, kind, name)
            change = assets.update().where(assets.c.kind == kind, assets.c.name == name)
            connection.execute(change.values(runbooks=json.dumps(_names(runbooks)), changed=clock.now_us(), changed_by=by))  # fmt: skip
            self._tell(connection, told.row(kind, name, "Allowed", row["version"], by=by))
            return _shown(self._row(connection, kind, name))

    def remove(self, kind: str, name: str, *, by: str) -> None:
        """Remove an asset with all that is stored of its values. Raises AST001, AST003."""
        kind = Kind.named(kind)
        assets, versions = table("assets"), table("asset_versions")
        with self.database.begin() as connection:
            row = self._row(connection, kind, name)
            change = assets.update().where(assets.c.kind == kind, assets.c.name == name)
            connection.execute(change.values(removed=True, shown="{}", changed=clock.now_us(), changed_by=by))
            connection.execute(
                versions.delete().where(
                    versions.c.kind == kind, versions.c.name == name, ~_read_by_a_job(versions)
                )
            )
            self._tell(connection, told.row(kind, name, "Removed", row["version"], by=by))

    def rotate_key(self, *, by: str, passphrase: str | None = None, to_file: bool = False) -> int:
        """Encrypt all data keys under a new key; how many. Killed at any moment, each value can still be read.

        Parameters
        ----------
        by : str
        passphrase : str, optional
            Have the new key made from this passphrase, whatever the old one came from.
        to_file : bool
            Have the new key in the key file, whatever the old one came from.

        Raises
        ------
        WorkbenchError
            AST101 to AST108; nothing was changed.
        """
        old = self._keys
        new: Keys = old
        if passphrase is not None:
            new = PassphraseKeys(passphrase, old.file)
        elif to_file and old.file is not None:
            new = old.file
        try:
            with self.database.begin() as connection:
                count = self._wrapped_anew(connection, old, new, by)
                self._keys = new  # before others can write
        except BaseException:
            self._keys = old
            raise
        # Only now: had the rows been lost with the transaction, the old key would still be needed.
        versions = table("asset_versions")
        with self.database.begin() as connection:
            needed = set(connection.scalars(versions.select().with_only_columns(versions.c.key).distinct()))
            new.forget_all_but(needed)
        return count

    @property
    def key_source(self) -> str:
        """Where the key comes from, in words."""
        return self._keys.words

    def _wrapped_anew(self, connection: Connection, old: Keys, new: Keys, by: str) -> int:
        """Wrap all rows under a new key; how many there are."""
        versions, of_passphrase = table("asset_versions"), table("asset_keys")
        old.current(connection)  # refuses a wrong key where no row would
        number, key = new.renewed(connection)
        rows = connection.execute(versions.select().where(versions.c.key != number)).all()
        for row in rows:
            belongs = self._belongs(row.kind, row.name, row.version)
            try:
                wrapped = envelope.rewrap(old.find(connection, row.key), key, row.wrapped, belongs)
            except envelope.Refused:
                raise diagnostics.damaged(row.kind, row.name) from None
            one = (versions.c.kind == row.kind, versions.c.name == row.name, versions.c.version == row.version)  # fmt: skip
            connection.execute(versions.update().where(*one).values(key=number, wrapped=wrapped))
        connection.execute(of_passphrase.delete().where(of_passphrase.c.id != number))
        self._tell(connection, told.row("", "", "KeyRotated", 0, by=by))
        return len(rows)

    # ---- jobs, in the transaction that checked their claim ----------------------------------------

    def read(self, connection: Connection, job: Mapping[str, Any], kind: str, name: str) -> dict[str, Any]:
        """The value of an asset for a job, which is recorded: what is shown of it, and what is secret.

        Raises
        ------
        WorkbenchError
            AST001, AST003, AST101 to AST108. Ask `may_read` first.
        """
        kind = Kind.named(kind)
        row = self._row(connection, kind, name)
        found = dict(json.loads(row["shown"]))
        if row["encrypted"]:
            secret = self.opened(connection, kind, name, row["version"])
            if kind is Kind.CONNECTION:
                found = {**found["fields"], **secret}
            else:
                found |= secret
            self._remember(connection, job, kind, name, row["version"])
        elif kind is Kind.CONNECTION:
            found = dict(found["fields"])
        self._tell(connection, told.row(kind, name, "Read", row["version"], job=job))
        return {**found, "type": row["type"]} if kind is Kind.VARIABLE else found

    def may_read(self, connection: Connection, job: Mapping[str, Any], kind: str, name: str) -> WorkbenchError | None:  # fmt: skip
        """Why a job may not read an asset (AST201), which is recorded; None where it may."""
        kind = Kind.named(kind)
        row = self._row(connection, kind, name)
        runbooks = json.loads(row["runbooks"])
        if not runbooks or job["runbook"] in runbooks:
            return None
        self._tell(connection, told.row(kind, name, "Refused", row["version"], job=job))
        return diagnostics.not_for_runbook(kind, name, job["runbook"])

    def set_variable(self, connection: Connection, job: Mapping[str, Any], name: str, value: Any) -> None:
        """Let a job give a variable another value; its type, and whether it is encrypted, stay.

        Raises
        ------
        WorkbenchError
            AST001, AST005 to AST007, AST101 to AST107. Ask `may_read` first.
        """
        row = self._row(connection, Kind.VARIABLE, name)
        body = {"type": row["type"], "value": typed(row["type"], value), "encrypted": row["encrypted"]}
        made = content(Kind.VARIABLE, body)
        runbooks = json.loads(row["runbooks"])
        shown = self._put(connection, Kind.VARIABLE, name, made, row["description"], runbooks, "", job)
        if made.secret is not None:
            self._remember(connection, job, Kind.VARIABLE, name, shown["version"])

    def modules_for(self, runbook: str) -> list[str]:
        """The requirements of all modules that are for a runbook."""
        found: set[str] = set()
        for one in self.all(Kind.MODULES):
            if not one["runbooks"] or runbook in one["runbooks"]:
                found.update(one["shown"]["requirements"])
        return sorted(found)

    def spoken(self, connection: Connection, job: str) -> list[str]:
        """The texts of all secrets that a job has read or set, which must not be in what it says."""
        reads = table("asset_reads")
        rows = connection.execute(reads.select().where(reads.c.job == job)).all()
        found: list[str] = []
        for row in rows:
            found += spoken(Kind(row.kind), self.opened(connection, Kind(row.kind), row.name, row.version))
        return list(dict.fromkeys(found))

    def count_reads(self, connection: Connection, job: str) -> int:
        """How many secrets a job has read or set; it only grows while the job lives."""
        import sqlalchemy as sa

        reads = table("asset_reads")
        return int(
            connection.scalar(sa.select(sa.func.count()).select_from(reads).where(reads.c.job == job)) or 0
        )

    def readers(self) -> list[str]:
        """Ids of the jobs for which values are kept."""
        reads = table("asset_reads")
        with self.database.read() as connection:
            return list(connection.scalars(reads.select().with_only_columns(reads.c.job).distinct()))

    def forget(self, jobs: Iterable[str]) -> None:
        """Jobs have ended and say no more: drop old values that were kept for their sake."""
        gone = list(jobs)
        if not gone:
            return
        reads, versions = table("asset_reads"), table("asset_versions")
        with self.database.begin() as connection:
            connection.execute(reads.delete().where(reads.c.job.in_(gone)))
            # Of assets only: what else is sealed here has no row among them.
            old = (versions.c.kind.in_(list(Kind)), ~_read_by_a_job(versions), ~_current(versions))
            connection.execute(versions.delete().where(*old))

    # ---- the service itself --------------------------------------------------------------------------

    def value_for(self, reader: str, kind: str, name: str) -> dict[str, Any]:
        """The value of an asset for a part of the service (`alerts`), which is recorded; what a job would read.

        Raises
        ------
        WorkbenchError
            AST001, AST003, AST101 to AST108; AST201 where it is for runbooks alone, and the reader is not named among them.
        """
        asset, found = Kind.named(kind), dict[str, Any]()
        with self.database.begin() as connection:
            row = self._row(connection, asset, name)
            runbooks = json.loads(row["runbooks"])
            allowed = not runbooks or reader in runbooks
            if allowed:
                found = dict(json.loads(row["shown"]))
                found = dict(found.get("fields", {})) if asset is Kind.CONNECTION else found
                if row["encrypted"]:
                    found |= self.opened(connection, asset, name, row["version"])
            action = "Read" if allowed else "Refused"
            self._tell(connection, told.row(asset, name, action, row["version"], by=reader))
        if not allowed:
            raise diagnostics.not_for_runbook(asset, name, reader)
        return found

    # ---- secrets, in a transaction of the caller -------------------------------------------------

    def seal(self, connection: Connection, kind: str, name: str, version: int, secret: Mapping[str, Any]) -> None:  # fmt: skip
        """Keep a secret under the key of the workspace: of an asset, or of another thing that has one (`webhook`).

        Raises
        ------
        WorkbenchError
            AST101 to AST105.
        """
        number, key = self._keys.current(connection)
        sealed = envelope.seal(key, json.dumps(dict(secret)).encode(), self._belongs(kind, name, version))
        values = {"kind": kind, "name": name, "version": version, "key": number}
        connection.execute(
            table("asset_versions").insert().values(**values, wrapped=sealed.wrapped, data=sealed.data)
        )

    def opened(self, connection: Connection, kind: str, name: str, version: int) -> dict[str, Any]:
        """A secret that was sealed; raises AST101 to AST108."""
        versions = table("asset_versions")
        one = (versions.c.kind == kind, versions.c.name == name, versions.c.version == version)
        row = connection.execute(versions.select().where(*one)).one_or_none()
        if row is None:
            raise diagnostics.damaged(kind, name)
        key = self._keys.find(connection, row.key)
        try:
            found = envelope.open_sealed(key, envelope.Sealed(row.wrapped, row.data), self._belongs(kind, name, version))  # fmt: skip
        except envelope.Refused:
            raise diagnostics.damaged(kind, name) from None
        return dict(json.loads(found))

    def drop(self, connection: Connection, kind: str, name: str, but: int = 0) -> None:
        """Drop what was sealed of a thing that is no asset, all versions or all but one."""
        versions = table("asset_versions")
        same = (versions.c.kind == kind, versions.c.name == name, versions.c.version != but)
        connection.execute(versions.delete().where(*same))

    # ---- inside a transaction --------------------------------------------------------------------

    def _put(
        self, connection: Connection, kind: Kind, name: str, made: Content, description: str, runbooks: list[str],
        by: str, job: Mapping[str, Any] | None,
    ) -> dict[str, Any]:  # fmt: skip
        assets, versions = table("assets"), table("asset_versions")
        before = connection.execute(
            assets.select().where(assets.c.kind == kind, assets.c.name == name)
        ).one_or_none()
        version = 1 if before is None else before.version + 1
        now = clock.now_us()
        created = now if before is None or before.removed else before.created
        values = {
            "version": version, "type": made.type, "encrypted": made.secret is not None, "description": description,
            "shown": json.dumps(dict(made.shown)), "runbooks": json.dumps(runbooks), "removed": False,
            "created": created, "changed": now, "changed_by": by or f"job {job['id'] if job else ''}",
        }  # fmt: skip
        if before is None:
            connection.execute(assets.insert().values(kind=kind, name=name, **values))
        else:
            change = assets.update().where(assets.c.kind == kind, assets.c.name == name)
            connection.execute(change.values(values))
        if made.secret is not None:
            self.seal(connection, kind, name, version, made.secret)
        connection.execute(
            versions.delete().where(
                versions.c.kind == kind,
                versions.c.name == name,
                versions.c.version != version,
                ~_read_by_a_job(versions),
            )
        )
        action = "Created" if created == now else "Changed"
        self._tell(connection, told.row(kind, name, action, version, by=by, job=job))
        return _shown(self._row(connection, kind, name))

    def _row(self, connection: Connection, kind: Kind, name: str) -> Mapping[str, Any]:
        assets = table("assets")
        found = connection.execute(
            assets.select().where(assets.c.kind == kind, assets.c.name == str(name)[:128], ~assets.c.removed)
        ).one_or_none()
        if found is None:
            names = assets.select().with_only_columns(assets.c.name)
            known = connection.scalars(names.where(assets.c.kind == kind, ~assets.c.removed)).all()
            raise diagnostics.no_such_asset(kind, str(name)[:128], known)
        return dict(found._mapping)

    def _belongs(self, kind: str, name: str, version: int) -> bytes:
        return envelope.context(self._workspace_id, str(kind), name, version)

    def _remember(self, connection: Connection, job: Mapping[str, Any], kind: Kind, name: str, version: int) -> None:  # fmt: skip
        reads = table("asset_reads")
        values = {"job": job["id"], "kind": kind, "name": name, "version": version}
        same = [reads.c[n] == v for n, v in values.items()]
        if connection.execute(reads.select().where(*same)).first() is None:
            connection.execute(reads.insert().values(values))

    def _tell(self, connection: Connection, row: Mapping[str, Any]) -> None:
        self._outbox.add(connection, told.ASSET_ACCESS, [row])


def _read_by_a_job(versions: Any) -> Any:
    import sqlalchemy as sa

    reads = table("asset_reads")
    return sa.exists().where(
        reads.c.kind == versions.c.kind,
        reads.c.name == versions.c.name,
        reads.c.version == versions.c.version,
    )


def _current(versions: Any) -> Any:
    import sqlalchemy as sa

    assets = table("assets")
    return sa.exists().where(
        assets.c.kind == versions.c.kind,
        assets.c.name == versions.c.name,
        assets.c.version == versions.c.version,
        ~assets.c.removed,
    )


def _names(value: object) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list | tuple) or not all(isinstance(n, str) and 0 < len(n) <= 200 for n in value):  # fmt: skip
        raise diagnostics.bad_field("asset", "runbooks", "it is a list of names")
    return sorted(set(value))


def _shown(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "kind": str(row["kind"]), "name": row["name"], "version": row["version"], "type": row["type"],
        "encrypted": bool(row["encrypted"]), "description": row["description"], "shown": json.loads(row["shown"]),
        "runbooks": json.loads(row["runbooks"]), "created": row["created"], "changed": row["changed"],
        "changed_by": row["changed_by"],
    }  # fmt: skip
