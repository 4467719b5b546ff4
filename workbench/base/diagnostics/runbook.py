"""Messages inside of runbooks and of the workers that run them: `JOB3xx`."""

from __future__ import annotations

from workbench.base.errors import WorkbenchError


def no_job() -> WorkbenchError:
    return WorkbenchError("JOB301", "this is no job of Workbench", hint="'workbench runbook start' makes one")


def no_step() -> WorkbenchError:
    return WorkbenchError("JOB302", "no step is running", hint="workbench.step(name, function) runs one")


def bad_step_line(text: str) -> WorkbenchError:
    return WorkbenchError(
        "JOB307",
        f"{text!r} is no line of %%step",
        hint="it reads %%step NAME -o VAR; -o may stand several times",
    )


def nothing_to_keep(step: str, variable: str) -> WorkbenchError:
    return WorkbenchError("JOB308", f"step {step!r} left no variable {variable!r} to keep")


def not_ended(job: str, state: str) -> WorkbenchError:
    return WorkbenchError("JOB303", f"job {job} is {state} and has not ended in time")


def no_service(why: str) -> WorkbenchError:
    return WorkbenchError("JOB304", f"the service did not answer: {why}")


def not_all_rows(why: str) -> WorkbenchError:
    return WorkbenchError("JOB305", f"the query did not give all of its rows: {why}")


def refused(why: str) -> WorkbenchError:
    return WorkbenchError("JOB306", f"the service refused: {why}")


def ended_badly(job: str, state: str, why: str) -> WorkbenchError:
    return WorkbenchError("JOB309", f"job {job} is {state}" + (f": {why}" if why else ""))


def failed(name: str, value: str) -> WorkbenchError:
    return WorkbenchError("JOB310", f"{name}: {value}" if value else name)


def kernel_died() -> WorkbenchError:
    return WorkbenchError("JOB311", "the kernel of the notebook died")


def runner_died(status: int) -> WorkbenchError:
    return WorkbenchError("JOB312", f"the process that runs the notebook ended with status {status}")


def waits(question: str) -> WorkbenchError:
    return WorkbenchError("JOB313", f"waits for a person: {question}")


def evidence_not_kept(why: str) -> WorkbenchError:
    return WorkbenchError(
        "JOB314",
        f"the executed notebook could not be kept: {why}",
        hint="without its evidence a run is not complete; start it again, its effects may be there",
    )


def worker_runs(folder: str) -> WorkbenchError:
    return WorkbenchError("JOB320", f"a worker runs on {folder} already")


def bad_group(name: str) -> WorkbenchError:
    return WorkbenchError(
        "JOB321",
        f"{name!r} can't be the name of a worker group",
        hint="letters, digits, '_', '.', '-', at most 64",
    )


def unknown_worker(number: str) -> WorkbenchError:
    return WorkbenchError(
        "JOB322",
        f"there is no worker {number!r}",
        hint="'workbench worker list' has them; a removed one enrols anew",
    )


def worker_removed() -> WorkbenchError:
    return WorkbenchError(
        "JOB323",
        "this worker was removed from its workspace",
        hint="started again with a key of the workspace it is enrolled anew",
    )


def bad_runbook_line(why: str) -> WorkbenchError:
    return WorkbenchError(
        "JOB324", f"%runbook: {why}", hint="it reads %runbook NAME -p NAME=VALUE --group G --wait"
    )


def notebook_too_large(job: str, size: int) -> WorkbenchError:
    return WorkbenchError(
        "JOB325",
        f"the executed notebook of job {job} has {size:,} bytes, too many to be shown here",
        hint=f"'workbench runbook notebook {job} > executed.ipynb' writes it to a file",
    )


# ---- as whom jobs run ---------------------------------------------------------------------------


def no_such_user(name: str) -> WorkbenchError:
    return WorkbenchError(
        "JOB341", f"this machine has no user {name!r} that jobs could run as",
        hint=f"useradd --system --no-create-home --shell /usr/sbin/nologin {name}",
    )  # fmt: skip


def job_user_needs_root(name: str) -> WorkbenchError:
    return WorkbenchError(
        "JOB342", f"jobs can't run as {name!r}: only root can start processes of another user, who is not root",
        hint="start the service as root, or leave --job-user out",
    )  # fmt: skip


def can_not_isolate(name: str, why: str) -> WorkbenchError:
    return WorkbenchError("JOB343", f"jobs can't run as {name!r}: {why}")
