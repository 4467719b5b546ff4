"""Messages about the agent of a machine, its enrolment and its gateway."""

from __future__ import annotations

from workbench.base.errors import WorkbenchError


def no_service_url(url: str) -> WorkbenchError:
    return WorkbenchError(
        "AGT001", f"{url!r} is no URL of a service", hint="it reads https://host:port, without a path"
    )


def needs_tls(url: str) -> WorkbenchError:
    return WorkbenchError(
        "AGT002",
        f"{url!r} leaves this machine without TLS",
        hint="use https; SSL_CERT_FILE names the certificate of an authority of your own",
    )


def not_enrolled(state: str) -> WorkbenchError:
    return WorkbenchError(
        "AGT003",
        f"there is no identity in {state!r}",
        hint="workbench agent enrol URL --key KEY makes one; workbench key show prints the key",
    )


def enrolment_refused(url: str, why: str) -> WorkbenchError:
    return WorkbenchError(
        "AGT004", f"{url} did not enrol this machine ({why})", hint="workbench key show prints the key"
    )


def service_away(url: str, why: str) -> WorkbenchError:
    return WorkbenchError("AGT005", f"{url} does not answer ({why})")


def bad_key(why: str) -> WorkbenchError:
    return WorkbenchError(
        "AGT006", f"the key is none: {why}", hint="it is base64 text, as workbench key show prints it"
    )


def runs_already(state: str) -> WorkbenchError:
    return WorkbenchError(
        "AGT007", f"another agent runs with the state in {state!r}", hint="stop it, or use another --state"
    )


def bad_settings(path: str, why: str) -> WorkbenchError:
    return WorkbenchError(
        "AGT008", f"{path!r} can't be used: {why}", hint="known are allow_paths, commands, spool_bytes"
    )


def bad_listen(text: str, why: str) -> WorkbenchError:
    return WorkbenchError("AGT009", f"can't listen on {text!r}: {why}", hint="it reads HOST:PORT")


def enrolled_elsewhere(url: str, state: str) -> WorkbenchError:
    return WorkbenchError(
        "AGT011",
        f"the agent in {state!r} reports to {url} already",
        hint="what it has not sent goes there first; --state takes another folder",
    )


def unit_not_written(path: str, why: str) -> WorkbenchError:
    return WorkbenchError(
        "AGT012", f"{path} can't be written: {why}", hint="run it as root, or take the text from --print"
    )


def bad_batches(why: str) -> WorkbenchError:
    return WorkbenchError("AGT101", f"the body is no delivery of an agent: {why}")


def not_behind(agent: str) -> WorkbenchError:
    return WorkbenchError(
        "AGT102",
        f"agent {agent} does not report over this gateway",
        hint="it has to call there once with its token",
    )


def unknown_token() -> WorkbenchError:
    return WorkbenchError("AGT103", "this token is no agent's")


def bad_enrolment(why: str) -> WorkbenchError:
    return WorkbenchError("AGT104", f"the enrolment is refused: {why}")


def table_not_for_agents(table: str) -> WorkbenchError:
    return WorkbenchError("AGT105", f"{table!r} is no table that an agent may fill")


def posts_no_number() -> WorkbenchError:
    return WorkbenchError(
        "AGT106", "only an agent numbers its batches", hint='without numbers a body reads {"Table": […]}'
    )
