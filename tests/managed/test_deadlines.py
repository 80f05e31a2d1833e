"""Operations end within the plan's maximum polling duration (POL-04); the clock is the test's."""

from __future__ import annotations

from typing import Any

import pytest
from tests.managed.stage import BINDING, LARGE, SMALL, Managed, Script, Stage, Steered, plans, wait_until

from openbrokerapi.managed.endings import LATE

MOST = 600


class Limited(Steered):
    plans = plans({"maximum_polling_duration": MOST})


@pytest.fixture
def limited(stage: Stage, script: Script) -> Managed:
    """A broker whose small plan's operations take at most ten minutes."""
    return stage(Limited(script))


@pytest.mark.rule("POL-02")
def test_the_catalog_says_how_long_it_takes_at_most(limited: Managed) -> None:
    small, large = limited.send("GET", "catalog").json["services"][0]["plans"]
    assert small["maximum_polling_duration"] == MOST
    assert "maximum_polling_duration" not in large


@pytest.mark.rule("POL-04", "LOI-09", "LOI-25")
@pytest.mark.parametrize("on", ["asgi", "postgresql"])
def test_a_provision_that_takes_longer_fails_and_is_rolled_back_when_its_method_has_ended(
    stage: Stage, script: Script
) -> None:
    managed = stage(Limited(script))
    with script.held("provision"):
        begun = managed.provision(incomplete=True)
        script.reached("provision", managed.instance_id)
        stage.clock.ahead += MOST - 10
        assert managed.poll().json["state"] == "in progress"
        stage.clock.ahead += 20
        assert managed.finished(begun).json == {"state": "failed", "description": LATE}
        assert managed.fetch().status == 404
        assert script.ended == []
    managed.idle()
    wait_until(lambda: managed.row() is None)
    assert script.kinds() == script.ended == ["provision", "deprovision"]
    assert managed.poll().json == {"state": "failed", "description": LATE}


@pytest.mark.rule("POL-04", "UPD-31")
@pytest.mark.parametrize(
    ("kind", "state"), [("update", "update failed"), ("deprovision", "delete failed"), ("unbind", "ready")]
)
def test_what_else_takes_longer_fails(limited: Managed, stage: Stage, script: Script, kind: str, state: str) -> None:
    limited.provision(parameters={"size": 1})
    if kind == "unbind":
        limited.bind()
    with script.held(kind):
        begun = {
            "update": lambda: limited.update(incomplete=True, parameters={"size": 2}),
            "deprovision": lambda: limited.deprovision(incomplete=True),
            "unbind": lambda: limited.unbind(incomplete=True),
        }[kind]()
        script.reached(kind, limited.instance_id)
        stage.clock.ahead += MOST + 10
        binding_id = BINDING if kind == "unbind" else None
        assert limited.finished(begun, binding_id=binding_id).json == {"state": "failed", "description": LATE}
    limited.idle()
    row: Any = limited.row()
    assert row.state == state
    assert limited.fetch().json["parameters"] == {"size": 1}


@pytest.mark.rule("POL-04")
def test_a_late_bind_is_rolled_back(limited: Managed, stage: Stage, script: Script) -> None:
    limited.provision()
    with script.held("bind"):
        begun = limited.bind(incomplete=True)
        script.reached("bind", limited.instance_id)
        stage.clock.ahead += MOST + 10
        assert limited.finished(begun, binding_id=BINDING).json["state"] == "failed"
    limited.idle()
    assert script.kinds()[-1] == "unbind"
    assert limited.binding_row() is None


def test_a_change_to_another_plan_has_the_time_of_the_wanted_one(
    limited: Managed, stage: Stage, script: Script
) -> None:
    limited.provision()
    with script.held("update"):
        begun = limited.update(incomplete=True, plan_id=LARGE)
        stage.clock.ahead += 10 * MOST
        _looked_after(limited)
        assert limited.poll().json["state"] == "in progress"
    assert limited.finished(begun).json["state"] == "succeeded"


def test_without_a_duration_nothing_is_late(managed: Managed, stage: Stage, script: Script) -> None:
    with script.held("provision"):
        begun = managed.provision(incomplete=True, plan_id=SMALL)
        stage.clock.ahead += 1e6
        _looked_after(managed)
        assert managed.poll().json["state"] == "in progress"
    assert managed.finished(begun).json["state"] == "succeeded"


def _looked_after(managed: Managed) -> None:
    engine = managed.broker._engine
    assert engine is not None
    managed.run(engine.upkeep.look())
