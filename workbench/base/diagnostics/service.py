"""Messages about the command line, the service, the agent and `workbench up`."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.base.errors import WorkbenchError


def service_runs_already(url: str, pid: int) -> WorkbenchError:
    return WorkbenchError(
        "SRV001",
        f"a service of this workspace runs already (process {pid}, {url})",
        hint="stop it first, or use another workspace with --workspace",
    )


def child_ended(name: str, status: int, log: str) -> WorkbenchError:
    return WorkbenchError("SRV003", f"{name} ended by itself with status {status}", hint=f"its log: {log}")


def child_not_ready(name: str, seconds: float, log: str) -> WorkbenchError:
    return WorkbenchError("SRV004", f"{name} was not ready within {seconds:.0f} s", hint=f"its log: {log}")


def no_records(tables: Iterable[str], seconds: float, log: str) -> WorkbenchError:
    return WorkbenchError(
        "SRV005",
        f"no records in {', '.join(tables)} within {seconds:.0f} s",
        hint=f"the agent's log: {log}",
    )


def no_tour(folder: str) -> WorkbenchError:
    return WorkbenchError(
        "SRV006",
        f"no notebook 00_tour.ipynb in {folder}",
        hint="put the folder notebooks of the source tree there",
    )


def tour_failed(cell: int, source: str, error: str, kept: str) -> WorkbenchError:
    return WorkbenchError(
        "SRV007",
        f"the tour stopped at cell {cell} ({source}): {error}",
        hint=f"the notebook as far as it ran: {kept}",
    )


def tour_slow(seconds: float, kept: str) -> WorkbenchError:
    return WorkbenchError(
        "SRV008", f"the tour was not through within {seconds:.0f} s", hint=f"as far as it ran: {kept}"
    )


def tour_broke(status: int, log: str) -> WorkbenchError:
    return WorkbenchError("SRV009", f"the tour could not be run (status {status})", hint=f"its log: {log}")


def parquet_to_terminal() -> WorkbenchError:
    return WorkbenchError(
        "SRV010", "Parquet is no text for a terminal", hint="send it to a file: … > rows.parquet"
    )


def bad_schemas(path: str, why: str) -> WorkbenchError:
    return WorkbenchError(
        "SRV011",
        f"{path} is no file of table schemas: {why}",
        hint='a schema reads {"Table": [["Column", "type"], …]}',
    )


def port_taken(port: int, why: str) -> WorkbenchError:
    return WorkbenchError("SRV012", f"port {port} can't be used: {why}", hint="--port 0 takes any free port")


def bad_request(why: str) -> WorkbenchError:
    return WorkbenchError("SRV013", why)


def several_as_parquet(tables: int) -> WorkbenchError:
    return WorkbenchError(
        "SRV015",
        f"the query gives {tables} tables, and a Parquet file holds one",
        hint="ask for JSON, or for one table at a time",
    )


def result_cut(rows: int) -> WorkbenchError:
    return WorkbenchError(
        "SRV014",
        f"the result was cut after {rows:,} rows, so it is not all there",
        hint="narrow the query, or count first",
    )


def result_partial(note: str) -> WorkbenchError:
    return WorkbenchError(
        "SRV016",
        f"the result is not all there ({note})",
        hint="raise the limit, or narrow the query; --format table shows the rows that there are",
    )


def query_process_ended(status: int) -> WorkbenchError:
    return WorkbenchError(
        "SRV017",
        f"the process of the query ended by itself with status {status}",
        hint="ask again; if it happens again ask for less time or fewer columns",
    )


def query_fault(why: str) -> WorkbenchError:
    return WorkbenchError(
        "SRV018",
        f"internal error: {why}",
        hint="this is a fault of the service; its log has the details",
    )


def half_of_tls() -> WorkbenchError:
    return WorkbenchError("SRV019", "TLS needs both --tls-cert and --tls-key")


def tls_needed(host: str) -> WorkbenchError:
    return WorkbenchError(
        "SRV020",
        f"{host} can be reached from other machines, so it needs TLS",
        hint="give --tls-cert and --tls-key, or leave --host out to listen on this machine only",
    )


def bad_certificate(certificate: str, key: str, why: str) -> WorkbenchError:
    return WorkbenchError(
        "SRV021",
        f"the certificate {certificate} and the key {key} can't be used: {why}",
        hint="both are PEM files, the key belongs to the certificate and is not encrypted",
    )


def no_such_host(host: str, why: str) -> WorkbenchError:
    return WorkbenchError("SRV022", f"this machine can't listen on {host!r}: {why}")


def needs_service(workspace: str) -> WorkbenchError:
    return WorkbenchError(
        "SRV023",
        "no service of this workspace is running",
        hint=f"'workbench serve --workspace {workspace}' or 'workbench up' starts one",
    )
