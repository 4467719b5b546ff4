"""The rules that ship, over the records that the workspace makes of itself."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from toldrows import rows

from workbench.actions.jobs import Jobs, Outcome, Start
from workbench.alerts import told
from workbench.alerts.reading import read, written
from workbench.alerts.shipped import load, shipped, text_of
from workbench.base.diagnostics import access as access_messages
from workbench.base.diagnostics import jobs as job_messages
from workbench.base.errors import WorkbenchError
from workbench.collect.care import Care
from workbench.collect.intake import Intake

MINUTE = 60_000_000


def put(scene: Any, name: str) -> str:
    rule = load(name)
    scene.alerts.put(rule, "ada")
    return rule.name


def settle(scene: Any, intake: Intake) -> None:
    """Store what the intake counted."""
    taken = intake.operations.take(whole=True)
    assert taken is not None
    for batch in taken.batches:
        intake.accept(batch)
    scene.until(scene.now + 1_000_000)


@pytest.mark.parametrize("name", shipped())
def test_its_text_reads_and_writes(name: str) -> None:
    rule = load(name)
    assert rule.description
    assert read(text_of(name)) == rule
    assert written(rule)["name"] == rule.name


def test_another_name_is_refused() -> None:
    with pytest.raises(WorkbenchError) as refused:
        load("agent_silnt")
    assert refused.value.hint == "did you mean 'agent_silent'?"


def test_on_a_new_workspace_nothing_fires_and_nothing_is_an_error(scene: Any) -> None:
    names = [put(scene, name) for name in shipped()]
    end = scene.now + 6 * MINUTE
    while scene.now < end:  # each rule comes up at least once
        assert scene.evaluate() == []
    assert {scene.shown(name)["state"] for name in names} == {"NoData"}


def test_refused_requests(scene: Any) -> None:
    intake = Intake(scene.workspace.repository)
    put(scene, "records_refused")
    intake.refused("OTLP", access_messages.no_bearer())
    settle(scene, intake)
    assert scene.evaluate() == ["Fired"]
    assert scene.alerts.alerts()[0]["dimensions"]["OperationCategory"] == "OTLP"


def test_a_disk_that_fills(scene: Any) -> None:
    reserve = int(shutil.disk_usage(scene.workspace.path).free * 0.75)
    spool = scene.workspace.repository.open_spool(reserve)
    try:
        intake = Intake(scene.workspace.repository, spool)
        put(scene, "disk_reserve")
        Care(intake, scene.workspace.source).turn()
        settle(scene, intake)
        assert scene.evaluate() == ["Fired"]
    finally:
        spool.close()


def test_an_agent_that_falls_silent_and_one_that_does_not(scene: Any) -> None:
    put(scene, "agent_silent")
    scene.come({"Computer": "web01"}, {"Computer": "web02"}, table="Heartbeat")
    said: list[str] = []
    for _ in range(4):
        said += scene.evaluate()
        scene.come({"Computer": "web02"}, table="Heartbeat")
    assert said == ["Pending", "Fired"]
    assert [a["dimensions"] for a in scene.alerts.alerts()] == [{"Computer": "web01"}]
    scene.come({"Computer": "web01"}, table="Heartbeat")
    assert scene.evaluate() == []
    assert scene.evaluate() == ["Resolved"]


@pytest.mark.parametrize(
    ("outcome", "why", "fires"),
    [
        (Outcome.FAILED, WorkbenchError("JOB999", "it broke"), True),
        (Outcome.COMPLETED, None, False),
        (Outcome.WAITS, WorkbenchError("JOB999", "may it go on?"), False),
    ],
)
def test_a_job_that_fails(scene: Any, outcome: Outcome, why: WorkbenchError | None, fires: bool) -> None:
    put(scene, "job_failed")
    jobs = Jobs(scene.alerts.records)
    jobs.start(Start("clean", 1, "person"))
    claim = jobs.claim(["default"], "w1")
    assert claim is not None
    jobs.running(claim.token)
    jobs.finish(claim.token, outcome, why)
    scene.come(*rows(scene.alerts.records, "Job"), table="Job")
    assert scene.evaluate() == (["Fired"] if fires else [])


def test_the_code_of_a_lost_job_is_the_one_that_is_asked_for() -> None:
    assert f'startswith "{job_messages.lost_too_often(3).code}"' in load("job_failed").query


def test_a_rule_that_can_not_be_evaluated(scene: Any) -> None:
    scene.come({"N": 1})
    scene.put("E | where Nothing == 1")
    scene.evaluate()
    put(scene, "rule_failed")
    scene.come(*rows(scene.alerts.records, told.ALERT_RULE), table="AlertRule")
    assert scene.evaluate() == ["Fired"]
    (notice,) = scene.notices()
    record = dict(zip([name for name, _ in notice["columns"]], notice["records"][0], strict=True))
    assert (record["AlertName"], record["Code"]) == ("R", "KQL101")
