"""What has left the catalog is still there for those who have it."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from tests.contract.expectations import assert_answered, assert_refused
from tests.managed.stage import BINDING, CREDENTIALS, SMALL, Managed, Script, Stage, Steered, plans, wait_until


class Retired(Steered):
    retired = True


class WithoutPlan(Steered):
    plans: ClassVar[Any] = plans()[1:]


class RetiredPlan(Steered):
    plans = plans({"retired": True})


class Other(Steered):
    id = "service-2"
    name = "other"
    plans = plans({"id": "plan-2"}, {"id": "plan-3"})


def _again(stage: Stage, script: Script, offering: type[Steered], *more: type[Steered]) -> Managed:
    """Have an instance and a binding, and serve them by another catalog."""
    managed = stage()
    managed.provision(parameters={"size": 1})
    managed.bind()
    stage.end(managed)
    return stage(offering(script), *(other(script) for other in more))


@pytest.mark.rule("CAT-07", "ORPH-04")
@pytest.mark.parametrize("left", [Retired, WithoutPlan, RetiredPlan])
def test_what_has_left_the_catalog_can_be_fetched_polled_unbound_and_deprovisioned(
    stage: Stage, script: Script, left: type[Steered]
) -> None:
    managed = _again(stage, script, left, Other)
    plans_left = [
        plan["id"] for service in managed.send("GET", "catalog").json["services"] for plan in service["plans"]
    ]
    assert SMALL not in plans_left
    assert managed.fetch().json["plan_id"] == SMALL
    assert managed.fetch(None, BINDING).json["credentials"] == CREDENTIALS
    assert managed.poll().json == {"state": "succeeded"}
    with script.held("unbind"):
        begun = managed.unbind(incomplete=True)
        assert managed.poll(None, BINDING).json["state"] == "in progress"
    managed.finished(begun, binding_id=BINDING)
    assert managed.script.calls[-1].instance.plan.id == SMALL
    assert_answered(managed.deprovision(), 200, {})
    assert_answered(managed.deprovision(), 410, {})
    assert script.kinds() == ["provision", "bind", "unbind", "deprovision"]


@pytest.mark.parametrize("left", [Retired, WithoutPlan, RetiredPlan])
def test_what_has_left_the_catalog_cannot_be_had_any_more(stage: Stage, script: Script, left: type[Steered]) -> None:
    managed = _again(stage, script, left, Other)
    assert_refused(managed.provision("instance-2"), 400)
    assert managed.fetch("instance-2").status == 404


def test_an_offering_that_has_gone_loses_nothing_and_the_log_says_what_to_do(
    stage: Stage, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    managed = _again(stage, script, Other)
    assert managed.fetch().json["parameters"] == {"size": 1}
    assert managed.fetch(None, BINDING).json["credentials"] == CREDENTIALS
    answer = managed.unbind()
    assert_refused(answer, 500)
    assert "keep it in the broker, with retired = True" in caplog.text
    assert script.kinds() == ["provision", "bind"]
    assert managed.fetch(None, BINDING).json["credentials"] == CREDENTIALS
    # What is bound must not be lost by the deletion of the instance, either.
    assert_refused(managed.deprovision(), 422)
    stage.end(managed)
    back = stage()
    assert_answered(back.unbind(), 200, {})
    assert_answered(back.deprovision(), 200, {})


def test_work_of_an_offering_that_has_gone_waits_for_nobody_and_is_kept(
    stage: Stage, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    managed = stage(settings={"stop_within": 0.0})
    script.hold("provision")
    begun = managed.provision(incomplete=True)
    script.reached("provision", managed.instance_id)
    stage.end(managed)
    gone = stage(Other(script))
    gone.send("GET", "service_instances/none")
    assert gone.finished(begun).json["state"] == "failed"
    assert "keep it in the broker, with retired = True" in caplog.text
    wait_until(lambda: _state(gone) == "create failed")
    stage.end(gone)
    script.go_on()
    back = stage()
    assert_answered(back.deprovision(), 200, {})
    assert script.kinds()[-1] == "deprovision"


def _state(managed: Managed) -> Any:
    row = managed.row()
    return row and row.state
