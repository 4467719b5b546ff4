"""Messages about webhooks: `WHK0xx` to who keeps them, `WHK1xx` to who calls one."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.base.errors import WorkbenchError
from workbench.base.registry import nearest


def no_such_webhook(name: str, known: Iterable[str]) -> WorkbenchError:
    near = nearest(name, known)
    hint = f"did you mean {near[0]!r}?" if near else "'workbench webhook list' lists them"
    return WorkbenchError("WHK001", f"there is no webhook named {name!r}", hint=hint)


def bad_name(name: str) -> WorkbenchError:
    return WorkbenchError(
        "WHK002",
        f"{name[:120]!r} can't be the name of a webhook",
        hint="letters, digits, '_', '.', '-', at most 100",
    )


def bad_days(most: int) -> WorkbenchError:
    return WorkbenchError(
        "WHK003", f"a webhook is open for 1 to {most} days", hint="'webhook rotate' opens it anew"
    )


def data_is_no_object(runbook: str, kind: str) -> WorkbenchError:
    return WorkbenchError(
        "WHK004", f"runbook {runbook!r} declares its WebhookData as {kind}",
        hint="WebhookData: dict = {} takes what the caller sends; str takes it as JSON",
    )  # fmt: skip


def data_is_the_callers() -> WorkbenchError:
    return WorkbenchError("WHK005", "WebhookData comes from who calls the webhook, and can't be set before")


# ---- to who calls one: nothing that only its keeper should know -------------------------------


def unknown_token() -> WorkbenchError:
    return WorkbenchError("WHK101", "the token opens nothing")


def expired() -> WorkbenchError:
    return WorkbenchError("WHK102", "the token has expired")


def disabled() -> WorkbenchError:
    return WorkbenchError("WHK103", "the webhook is switched off")


def bad_signature() -> WorkbenchError:
    return WorkbenchError(
        "WHK104", "the signature is missing or does not fit",
        hint="webhook-signature is v1, and the base64 HMAC-SHA256 of 'webhook-id.webhook-timestamp.body'",
    )  # fmt: skip


def stale(seconds: int) -> WorkbenchError:
    return WorkbenchError("WHK105", f"webhook-timestamp is more than {seconds} seconds away from now")


def replayed(job: str) -> WorkbenchError:
    return WorkbenchError("WHK106", f"the message was taken before, and made job {job}")


def cannot_start() -> WorkbenchError:
    return WorkbenchError("WHK107", "the webhook can't start its runbook now; who keeps it can see why")


def not_text() -> WorkbenchError:
    return WorkbenchError("WHK108", "the body is no text in UTF-8")


def too_long(most: int) -> WorkbenchError:
    return WorkbenchError("WHK109", f"body and headers have more than {most:,} bytes as JSON")
