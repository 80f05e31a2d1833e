"""Rotation of bindings (2.17): predecessors, what is carried over, when bindings end, and who revokes them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.contract.expectations import assert_answered, assert_refused
from tests.managed.stage import BINDING, CREDENTIALS, Clock, Managed, Script, Stage, Steered, plans, wait_until

from openbrokerapi.managed import Bound, Failed

NEXT = "binding-2"
HOUR = 3600.0


class Rotating(Steered):
    plans = plans({"binding_rotatable": True})


class Revoking(Rotating):
    revoke_expired = True


def moment(clock: Clock, ahead: float) -> datetime:
    return datetime.fromtimestamp(clock() + ahead, UTC)


def expiring(clock: Clock) -> Bound:
    return Bound(credentials=CREDENTIALS, expires_at=moment(clock, 2 * HOUR), renew_before=moment(clock, HOUR))


@pytest.fixture
def rotating(stage: Stage, script: Script) -> Managed:
    """A broker whose small plan's bindings can be rotated, with an instance of it."""
    managed = stage(Rotating(script))
    managed.provision()
    return managed


@pytest.mark.rule("ROT-03", "ROT-04", "ROT-07", "ROT-08", "GETB-11")
@pytest.mark.parametrize("ids", [{}, {"service_id": None}, {"plan_id": None}, {"service_id": None, "plan_id": None}])
def test_a_binding_takes_over_from_its_predecessor(rotating: Managed, script: Script, ids: dict[str, None]) -> None:
    rotating.bind(parameters={"role": "reader"}, bind_resource={"app_guid": "app-1"}, context={"platform": "x"})
    script.answers["bind"] = {"uri": "db://next"}
    answer = rotating.bind(NEXT, predecessor_binding_id=BINDING, **ids)
    assert_answered(answer, 201, {"credentials": {"uri": "db://next"}})
    call = script.calls[-1]
    assert (call.binding.id, call.binding.predecessor.id) == (NEXT, BINDING)
    assert call.binding.predecessor.credentials == CREDENTIALS
    # ROT-08: the platform may not have them any more.
    assert (call.binding.parameters, call.binding.app_guid) == ({"role": "reader"}, "app-1")
    assert rotating.fetch(None, NEXT).json["parameters"] == {"role": "reader"}
    # ROT-03: repeated, it is there already.
    assert rotating.bind(NEXT, predecessor_binding_id=BINDING, **ids).status == 200
    # ROT-04: both are usable until each is unbound.
    assert rotating.fetch(None, BINDING).json["credentials"] == CREDENTIALS
    assert_answered(rotating.unbind(BINDING), 200, {})
    assert rotating.fetch(None, NEXT).json["credentials"] == {"uri": "db://next"}


def test_what_a_rotation_says_is_not_carried_over(rotating: Managed, script: Script) -> None:
    rotating.bind(parameters={"role": "reader"}, bind_resource={"app_guid": "app-1"})
    rotating.bind(NEXT, predecessor_binding_id=BINDING, parameters={"role": "w"}, bind_resource={"app_guid": "app-2"})
    binding = script.calls[-1].binding
    assert (binding.parameters, binding.app_guid) == ({"role": "w"}, "app-2")


@pytest.mark.rule("ROT-03")
def test_a_rotation_may_be_asynchronous(rotating: Managed, script: Script) -> None:
    rotating.bind()
    with script.held("bind"):
        begun = rotating.bind(NEXT, predecessor_binding_id=BINDING, incomplete=True)
        assert rotating.bind(NEXT, predecessor_binding_id=BINDING, incomplete=True).json == begun.json
        assert rotating.fetch(None, NEXT).status == 404
        assert rotating.fetch(None, BINDING).status == 200
    assert rotating.finished(begun, binding_id=NEXT).json == {"state": "succeeded"}


@pytest.mark.rule("ROT-03")
def test_a_rotation_can_be_repeated_when_the_predecessor_has_gone(rotating: Managed, script: Script) -> None:
    rotating.bind(parameters={"role": "reader"})
    rotating.bind(NEXT, predecessor_binding_id=BINDING)
    rotating.unbind(BINDING)
    assert rotating.bind(NEXT, predecessor_binding_id=BINDING).status == 200
    assert rotating.bind(NEXT, predecessor_binding_id=BINDING, parameters={"role": "w"}).status == 409
    assert_refused(rotating.bind("binding-3", predecessor_binding_id=BINDING), 400)
    assert script.kinds() == ["provision", "bind", "bind", "unbind"]


@pytest.mark.rule("ROT-03", "BIND-33")
def test_a_rotation_that_runs_can_be_repeated_when_the_predecessor_has_expired(
    rotating: Managed, script: Script, stage: Stage
) -> None:
    script.answers["bind"] = expiring(stage.clock)
    rotating.bind()
    with script.held("bind"):
        begun = rotating.bind(NEXT, predecessor_binding_id=BINDING, incomplete=True)
        stage.clock.ahead += 3 * HOUR
        assert rotating.bind(NEXT, predecessor_binding_id=BINDING, incomplete=True).json == begun.json
    assert rotating.finished(begun, binding_id=NEXT).json == {"state": "succeeded"}


@pytest.mark.rule("ROT-06")
@pytest.mark.parametrize("which", ["unknown", "of another instance", "failed", "unbound", "expired"])
def test_a_predecessor_that_is_none_is_refused_and_no_binding_is_made(
    rotating: Managed, script: Script, stage: Stage, which: str
) -> None:
    _without(which, rotating, script, stage)
    calls = len(script.calls)
    assert_refused(rotating.bind(NEXT, predecessor_binding_id=BINDING), 400)
    assert len(script.calls) == calls
    assert rotating.fetch(None, NEXT).status == 404


def _without(which: str, managed: Managed, script: Script, stage: Stage) -> None:
    if which == "of another instance":
        managed.provision("instance-2")
        managed.bind(BINDING, "instance-2")
    if which == "unbound":
        managed.bind()
        managed.unbind()
    if which == "failed":
        script.answers["bind"] = Failed("No.")
        managed.bind()
    if which == "expired":
        script.answers["bind"] = expiring(stage.clock)
        managed.bind()
        stage.clock.ahead += 3 * HOUR
    managed.idle()
    script.answers.clear()


@pytest.mark.rule("ROT-01")
def test_a_plan_that_does_not_rotate_refuses(managed: Managed, script: Script) -> None:
    managed.provision()
    managed.bind()
    assert_refused(managed.bind(NEXT, predecessor_binding_id=BINDING), 400)
    assert script.kinds() == ["provision", "bind"]


@pytest.mark.rule("BMD-01", "BMD-02", "BMD-03", "BMD-04", "GETB-14")
def test_when_a_binding_ends_is_said_by_the_bind_and_by_the_fetch(
    rotating: Managed, script: Script, stage: Stage
) -> None:
    script.answers["bind"] = bound = expiring(stage.clock)
    metadata = rotating.bind().json["metadata"]
    assert set(metadata) == {"expires_at", "renew_before"}
    for name, written in metadata.items():
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", written)
        given: Any = getattr(bound, name)
        assert abs(datetime.fromisoformat(written) - given) <= timedelta(seconds=1)
    assert rotating.fetch(None, BINDING).json["metadata"] == metadata


@pytest.mark.rule("BMD-05", "BMD-06")
def test_a_renewal_after_the_end_fails_the_bind_and_is_cleaned_up(
    rotating: Managed, script: Script, stage: Stage
) -> None:
    script.answers["bind"] = Bound(expires_at=moment(stage.clock, HOUR), renew_before=moment(stage.clock, 2 * HOUR))
    assert_refused(rotating.bind(), 500)
    rotating.idle()
    assert script.kinds() == ["provision", "bind", "unbind"]


@pytest.mark.rule("ORPH-02", "UNB-02")
def test_what_has_expired_is_revoked_once_where_the_offering_says_so(stage: Stage, script: Script) -> None:
    managed = stage(Revoking(script))
    managed.provision()
    managed.bind("lasting")
    script.answers["bind"] = expiring(stage.clock)
    managed.bind()
    stage.clock.ahead += HOUR
    _looked_after(managed)
    assert "unbind" not in script.kinds()
    stage.clock.ahead += 2 * HOUR
    wait_until(lambda: managed.binding_row() is None)
    for _ in range(3):
        _looked_after(managed)
    assert [call.binding.id for call in script.calls if call.kind == "unbind"] == [BINDING]
    assert managed.fetch(None, BINDING).status == 404
    assert managed.fetch(None, "lasting").status == 200
    assert_answered(managed.unbind(), 410, {})
    [event] = [event for event in managed.events() if event.what == "unbind requested"]
    assert (event.who, event.detail) == (None, "it has expired")


def test_what_has_expired_is_the_platforms_where_the_offering_does_not_say_so(
    rotating: Managed, script: Script, stage: Stage
) -> None:
    script.answers["bind"] = expiring(stage.clock)
    rotating.bind()
    stage.clock.ahead += 3 * HOUR
    for _ in range(3):
        _looked_after(rotating)
    assert script.kinds() == ["provision", "bind"]
    assert rotating.fetch(None, BINDING).status == 200
    assert_answered(rotating.unbind(), 200, {})


def test_a_revocation_waits_for_what_is_under_way(stage: Stage, script: Script) -> None:
    managed = stage(Revoking(script))
    managed.provision()
    script.answers["bind"] = expiring(stage.clock)
    managed.bind()
    with script.held("update"):
        managed.update(parameters={"size": 2}, incomplete=True)
        stage.clock.ahead += 3 * HOUR
        _looked_after(managed)
        assert "unbind" not in script.kinds()
    wait_until(lambda: managed.binding_row() is None)


def _looked_after(managed: Managed) -> None:
    """Look once after what has expired, as the broker does from time to time."""
    engine = managed.broker._engine
    assert engine is not None
    managed.run(engine.upkeep.look())
