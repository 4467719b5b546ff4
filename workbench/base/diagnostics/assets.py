"""Messages about assets: `AST0xx` what is kept, `AST1xx` the key they are encrypted under, `AST2xx` jobs and modules."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.base.errors import WorkbenchError
from workbench.base.registry import nearest


def no_such_asset(kind: str, name: str, known: Iterable[str]) -> WorkbenchError:
    names = sorted(known)
    near = nearest(name, names)
    hint = f"did you mean {near[0]!r}?" if near else "'workbench asset list' shows them"
    return WorkbenchError("AST001", f"there is no {kind} named {name!r}", hint=hint)


def bad_name(name: str) -> WorkbenchError:
    return WorkbenchError(
        "AST002", f"{name[:80]!r} can't be the name of an asset",
        hint="letters, digits, '_', '.', '-', at most 128, a letter or digit first",
    )  # fmt: skip


def bad_kind(kind: str, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError("AST003", f"{kind!r} is no kind of asset", hint=f"one of: {', '.join(known)}")


def bad_field(kind: str, field: str, why: str) -> WorkbenchError:
    return WorkbenchError("AST004", f"a {kind} can't have such a {field!r}: {why}")


def bad_value(wanted: str) -> WorkbenchError:
    # The value itself is not repeated: it may be a secret.
    return WorkbenchError("AST005", f"the value is no {wanted}")


def too_large(kind: str, size: int, most: int) -> WorkbenchError:
    return WorkbenchError("AST006", f"the {kind} has {size:,} characters, the most is {most:,}")


def too_short_a_secret(what: str, least: int) -> WorkbenchError:
    return WorkbenchError(
        "AST007", f"{what} has fewer than {least} characters, so it could not be kept out of what jobs print",
        hint="take a longer one, or keep it as a variable that is not encrypted",
    )  # fmt: skip


def bad_certificate(why: str) -> WorkbenchError:
    return WorkbenchError(
        "AST008", f"this is no certificate: {why}", hint="PEM (certificates and their key) or PFX with its password"
    )  # fmt: skip


def bad_requirement(line: str, why: str) -> WorkbenchError:
    return WorkbenchError("AST009", f"the requirement {line[:120]!r} can't be used: {why}")


# ---- the key ------------------------------------------------------------------------------------


def key_file_missing(path: str) -> WorkbenchError:
    return WorkbenchError(
        "AST101", f"assets are encrypted, and the key file {path} is not there",
        hint="restore it from where it was backed up, or name it with WORKBENCH_ASSET_KEY_FILE",
    )  # fmt: skip


def wrong_key(where: str) -> WorkbenchError:
    return WorkbenchError(
        "AST102", f"{where} is not the key that this asset was encrypted under",
        hint="restore the key of this workspace",
    )  # fmt: skip


def wrong_passphrase() -> WorkbenchError:
    return WorkbenchError(
        "AST103", "the passphrase is not the one that the assets are encrypted under",
        hint="WORKBENCH_ASSET_PASSPHRASE has it, or the file that WORKBENCH_ASSET_PASSPHRASE_FILE names",
    )  # fmt: skip


def bad_key_file(path: str, why: str) -> WorkbenchError:
    return WorkbenchError("AST104", f"the key file {path} can't be used: {why}")


def passphrase_wanted() -> WorkbenchError:
    return WorkbenchError(
        "AST105", "the assets are encrypted under a passphrase, and none was given",
        hint="set WORKBENCH_ASSET_PASSPHRASE_FILE to a file that holds it, and start the service",
    )  # fmt: skip


def short_passphrase(least: int) -> WorkbenchError:
    return WorkbenchError("AST106", f"a passphrase has at least {least} characters")


def other_source(wanted: str) -> WorkbenchError:
    return WorkbenchError("AST107", f"the assets are encrypted under {wanted}")


def damaged(kind: str, name: str) -> WorkbenchError:
    return WorkbenchError(
        "AST108", f"what is stored of {kind} {name!r} is damaged, or was stored for another one",
        hint="set it again",
    )  # fmt: skip


# ---- jobs ---------------------------------------------------------------------------------------


def not_for_runbook(kind: str, name: str, runbook: str) -> WorkbenchError:
    return WorkbenchError(
        "AST201", f"{kind} {name!r} is not for runbook {runbook!r}",
        hint=f"'workbench asset allow {kind} {name} --runbook {runbook}' lets it",
    )  # fmt: skip


def carries_secret(what: str) -> WorkbenchError:
    return WorkbenchError(
        "AST202", f"{what} holds the value of a secret that this job has read",
        hint="hand the name of the asset over instead; whoever needs the value reads it",
    )  # fmt: skip


def no_installer() -> WorkbenchError:
    return WorkbenchError(
        "AST203", "modules are installed by uv or pip, and this Python has neither", hint="pip install uv"
    )


def modules_broken(why: str) -> WorkbenchError:
    return WorkbenchError("AST204", f"the modules of this runbook can't be installed: {why}")


def bad_reference() -> WorkbenchError:
    return WorkbenchError("AST205", 'an asset is named by text, or by {"$credential": "NAME"} and its like')
