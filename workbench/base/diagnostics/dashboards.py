"""Messages about dashboards: `DSH0xx` their text, `DSH1xx` their parameters, `DSH2xx` serving them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.base.errors import WorkbenchError
from workbench.base.registry import nearest


def _at(name: str, line: int | None) -> str:
    return f"{name}:{line}" if line else name


def not_yaml(name: str, line: int | None, why: str) -> WorkbenchError:
    return WorkbenchError("DSH001", f"{_at(name, line)}: this is no YAML: {why}")


def no_file(path: str, why: str) -> WorkbenchError:
    return WorkbenchError("DSH002", f"the dashboard {path} can't be read: {why}")


def unknown_key(name: str, line: int | None, key: str, place: str, known: Sequence[str]) -> WorkbenchError:
    near = nearest(key, known, 1)
    hint = (f"did you mean {near[0]!r}? " if near else "") + f"keys there: {', '.join(known)}"
    return WorkbenchError("DSH003", f"{_at(name, line)}: {place} has no key {key!r}", hint=hint)


def missing_key(name: str, line: int | None, key: str, place: str) -> WorkbenchError:
    return WorkbenchError("DSH004", f"{_at(name, line)}: {place} needs {key}")


def bad_value(name: str, line: int | None, key: str, value: object, wanted: Iterable[str]) -> WorkbenchError:
    shown = ascii(value)[:60]
    return WorkbenchError(
        "DSH005", f"{_at(name, line)}: {key} can't be {shown}", hint=f"it can be {', '.join(wanted)}"
    )


def too_large(name: str, what: str, most: int) -> WorkbenchError:
    return WorkbenchError("DSH006", f"{name}: more than {most:,} {what}")


def twice(name: str, line: int | None, what: str, value: str) -> WorkbenchError:
    return WorkbenchError("DSH007", f"{_at(name, line)}: {what} {value!r} is there twice")


def bad_parameter(parameter: str, kql: str, why: str) -> WorkbenchError:
    return WorkbenchError("DSH101", f"the parameter {parameter!r} is a {kql}: {why}")


def unknown_parameter(parameter: str, known: Sequence[str]) -> WorkbenchError:
    hint = f"parameters: {', '.join(known)}" if known else "it has none"
    return WorkbenchError("DSH102", f"the dashboard has no parameter {parameter!r}", hint=hint)


def not_a_choice(parameter: str, value: str) -> WorkbenchError:
    return WorkbenchError("DSH103", f"{value[:60]!r} is none of the choices of {parameter!r}")


def wrong_columns(kind: str, wanted: str, columns: Sequence[tuple[str, str]]) -> WorkbenchError:
    there = ", ".join(f"{name} ({kql})" for name, kql in columns)
    return WorkbenchError(
        "DSH104", f"a tile of the kind {kind} needs {wanted}", hint=f"columns here: {there or 'none'}"
    )


def no_voila() -> WorkbenchError:
    return WorkbenchError(
        "DSH201",
        "dashboards are served by Voilà, which is not installed",
        hint="pip install 'workbench[dashboards]'",
    )


def no_notebook(path: str) -> WorkbenchError:
    return WorkbenchError("DSH202", f"there is no notebook {path}")


def no_dashboard(path: str) -> WorkbenchError:
    return WorkbenchError(
        "DSH203",
        f"the notebook {path} has no dashboard",
        hint="a cell of it has to say: %dashboard FILE.yaml",
    )


def needs_tls(host: str) -> WorkbenchError:
    return WorkbenchError(
        "DSH204",
        f"{host} can be reached by other machines, so tokens need TLS",
        hint="give --tls-cert and --tls-key, or --host 127.0.0.1",
    )


def same_name(name: str) -> WorkbenchError:
    return WorkbenchError(
        "DSH205", f"two notebooks are named {name!r}", hint="the name is the address, so each needs its own"
    )
