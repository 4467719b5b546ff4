"""Messages about jobs: `JOB0xx` their life, `JOB1xx` what a runbook declares and is given, `JOB2xx` runbooks."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.base.errors import WorkbenchError
from workbench.base.registry import nearest


def no_such_job(number: str) -> WorkbenchError:
    return WorkbenchError(
        "JOB001", f"there is no job {number!r}", hint="'workbench runbook status' lists them"
    )


def claim_over(number: str) -> WorkbenchError:
    return WorkbenchError(
        "JOB002", f"the claim on job {number} is over: it was given to another worker, or has ended"
    )


def not_now(number: str, state: str, wanted: str) -> WorkbenchError:
    return WorkbenchError("JOB003", f"job {number} is {state}, so it can't be {wanted}")


def bad_policy(policy: str, known: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "JOB004", f"{policy!r} is no policy for jobs of one key", hint=f"one of: {', '.join(known)}"
    )


def step_twice(name: str) -> WorkbenchError:
    return WorkbenchError(
        "JOB005", f"a step named {name!r} was committed by another claim of this job with another result"
    )


def result_not_json(name: str, why: str) -> WorkbenchError:
    return WorkbenchError(
        "JOB006", f"the result of step {name!r} can't be kept: {why}", hint="a step gives what JSON can hold"
    )


def result_too_large(name: str, size: int, most: int) -> WorkbenchError:
    return WorkbenchError(
        "JOB007", f"the result of step {name!r} has {size:,} bytes, the most is {most:,}",
        hint="store it as records, and give what finds them",
    )  # fmt: skip


def no_notebook_yet(number: str) -> WorkbenchError:
    return WorkbenchError("JOB008", f"job {number} has no executed notebook yet")


# ---- how a job ended ----------------------------------------------------------------------------


def worker_lost(worker: str) -> WorkbenchError:
    return WorkbenchError("JOB020", f"worker {worker!r} was not heard of while the job ran")


def lost_too_often(times: int) -> WorkbenchError:
    return WorkbenchError(
        "JOB021", f"the job was started {times} times and its worker or kernel was lost each time",
        hint="look at its streams; 'workbench runbook resume' starts it again",
    )  # fmt: skip


def dependency_failed(number: str, state: str) -> WorkbenchError:
    return WorkbenchError("JOB022", f"it waits for job {number}, which ended {state}")


def another_has_key(key: str) -> WorkbenchError:
    return WorkbenchError("JOB023", f"another job of {key!r} was there, and this one was to be skipped then")


def replaced(number: str) -> WorkbenchError:
    return WorkbenchError("JOB024", f"job {number} of the same key took its place")


def out_of_time(seconds: int) -> WorkbenchError:
    return WorkbenchError("JOB025", f"the job ran longer than its limit of {seconds} s")


# ---- what a runbook declares, and what it is given ----------------------------------------------


def no_parameters_cell(runbook: str) -> WorkbenchError:
    return WorkbenchError(
        "JOB101", f"runbook {runbook!r} takes no parameters: no cell of it has the tag 'parameters'",
        hint="tag the cell that assigns them",
    )  # fmt: skip


def unknown_parameter(name: str, known: Iterable[str]) -> WorkbenchError:
    names = sorted(known)
    near = nearest(name, names)
    hint = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(names)}" if names else "it has none"
    return WorkbenchError("JOB102", f"the runbook declares no parameter {_short(name)}", hint=hint)


def missing_parameters(names: Iterable[str]) -> WorkbenchError:
    return WorkbenchError("JOB103", f"the runbook needs a value for {', '.join(map(repr, names))}")


def bad_value(name: str, wanted: str, value: object) -> WorkbenchError:
    return WorkbenchError("JOB104", f"parameter {name!r} is {wanted}, and {_short(value)} is none")


def not_a_choice(name: str, value: object, choices: Iterable[str]) -> WorkbenchError:
    return WorkbenchError(
        "JOB105", f"parameter {name!r} can't be {_short(value)}", hint=f"one of: {', '.join(choices)}"
    )


def too_many_bytes(size: int, most: int) -> WorkbenchError:
    return WorkbenchError("JOB106", f"the parameters have {size:,} bytes, the most is {most:,}")


def bad_declaration(line: str, why: str) -> WorkbenchError:
    return WorkbenchError(
        "JOB107", f"the parameters cell can't be read at {_short(line)}: {why}",
        hint="each line assigns a literal: name: type = default  # help",
    )  # fmt: skip


def too_many_parameters(count: int, most: int) -> WorkbenchError:
    return WorkbenchError("JOB108", f"{count} parameters are given, the most is {most}")


# ---- runbooks -----------------------------------------------------------------------------------


def no_pair(text: str) -> WorkbenchError:
    return WorkbenchError("JOB109", f"{_short(text)} is no NAME=VALUE")


def no_such_runbook(name: str, known: Iterable[str]) -> WorkbenchError:
    names = sorted(known)
    near = nearest(name, names)
    hint = f"did you mean {near[0]!r}?" if near else "'workbench runbook import FILE' brings one in"
    return WorkbenchError("JOB201", f"there is no runbook named {name!r}", hint=hint)


def not_published(name: str) -> WorkbenchError:
    return WorkbenchError(
        "JOB202", f"runbook {name!r} is only a draft", hint=f"'workbench runbook publish {name}'"
    )


def not_a_notebook(name: str, why: str) -> WorkbenchError:
    return WorkbenchError("JOB203", f"{name} can't be a runbook: {why}")


def nothing_to_publish(name: str) -> WorkbenchError:
    return WorkbenchError("JOB204", f"runbook {name!r} has no draft to publish")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…" + text[-1]
