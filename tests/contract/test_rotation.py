"""PUT of a binding that takes over from another (section "Binding Rotation")."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.brokers import BIND, BINDING, INSTANCE, LARGE, SERVICE, SMALL, RecordingBroker
from tests.contract.expectations import assert_answered, assert_refused, reached
from tests.contract.hosts import Platform, Serving

from openbrokerapi import errors
from openbrokerapi.router import Router
from openbrokerapi.service_broker import Binding, BindState

ASYNC = {"accepts_incomplete": "true"}
ROTATION = {"predecessor_binding_id": "binding-0"}
CREDENTIALS: dict[str, Any] = {"credentials": {"uri": "db://host"}}


@pytest.mark.rule("ROT-01")
def test_the_catalog_says_which_plans_rotate(platform: Platform) -> None:
    small, large = platform.send("GET", "/v2/catalog").json["services"][0]["plans"]
    assert small["binding_rotatable"] is True
    assert large.get("binding_rotatable", False) is False


@pytest.mark.rule("ROT-03", "ROT-07")
@pytest.mark.parametrize(
    "ids", [{}, BIND, {"service_id": SERVICE}, {"plan_id": SMALL}, {"service_id": None, "plan_id": None}]
)
@pytest.mark.parametrize(
    ("state", "status"), [(BindState.SUCCESSFUL_BOUND, 201), (BindState.IDENTICAL_ALREADY_EXISTS, 200)]
)
def test_a_rotation_is_answered_as_a_bind_with_and_without_the_ids(
    platform: Platform, recording: RecordingBroker, ids: dict[str, Any], state: BindState, status: int
) -> None:
    recording.answers["bind"] = Binding(state, **CREDENTIALS)
    assert_answered(platform.send("PUT", BINDING, {**ROTATION, **ids}), status, CREDENTIALS)
    [(name, arguments)] = recording.calls
    assert (name, arguments["instance_id"], arguments["binding_id"]) == ("bind", "instance-1", "binding-1")
    details = arguments["details"]
    assert details.predecessor_binding_id == "binding-0"
    assert (details.service_id, details.plan_id) == (ids.get("service_id"), ids.get("plan_id"))


@pytest.mark.rule("ROT-03")
def test_a_rotation_may_be_asynchronous(platform: Platform, recording: RecordingBroker) -> None:
    recording.answers["bind"] = Binding(BindState.IS_ASYNC, operation="task 1")
    for _ in range(2):
        assert_answered(platform.send("PUT", BINDING, ROTATION, query=ASYNC), 202, {"operation": "task 1"})


@pytest.mark.rule("ROT-05", "ASY-10")
def test_a_rotation_that_works_asynchronously_only_is_refused_without_the_flag(
    platform: Platform, recording: RecordingBroker
) -> None:
    recording.answers["bind"] = errors.ErrAsyncRequired()
    assert_refused(platform.send("PUT", BINDING, ROTATION), 422, "AsyncRequired")


@pytest.mark.rule("ROT-06")
def test_a_predecessor_that_the_broker_does_not_know_is_refused(platform: Platform, recording: RecordingBroker) -> None:
    recording.answers["bind"] = errors.ErrBindingDoesNotExist("The predecessor has expired.")
    assert_refused(platform.send("PUT", BINDING, ROTATION), 400, description="The predecessor has expired.")


@pytest.mark.rule("ROT-06")
@pytest.mark.parametrize("predecessor", ["", 7, ["a"], {"id": "a"}, True])
def test_a_predecessor_is_text(platform: Platform, recording: RecordingBroker, predecessor: Any) -> None:
    answer = platform.send("PUT", BINDING, {**BIND, "predecessor_binding_id": predecessor})
    assert_refused(answer, 400)
    assert "predecessor_binding_id" in answer.json["description"]
    assert recording.calls == []


@pytest.mark.rule("ROT-07")
def test_without_a_predecessor_both_ids_are_required(platform: Platform, recording: RecordingBroker) -> None:
    for body in ({}, {"predecessor_binding_id": None}):
        assert_refused(platform.send("PUT", BINDING, body), 400)
    assert recording.calls == []


@pytest.mark.rule("ROT-01", "ROT-06")
def test_a_plan_that_does_not_rotate_is_refused(platform: Platform, recording: RecordingBroker) -> None:
    body = {**ROTATION, "service_id": SERVICE, "plan_id": LARGE}
    assert_refused(platform.send("PUT", BINDING, body), 400)
    assert recording.calls == []


@pytest.mark.rule("ROT-08")
def test_parameters_that_the_platform_does_not_have_are_not_asked_for(
    platform: Platform, recording: RecordingBroker
) -> None:
    create = recording.offerings[0].plans[0].schemas.service_binding["create"]
    create["parameters"]["required"] = ["role"]
    assert_refused(platform.send("PUT", BINDING, BIND), 400)
    assert platform.send("PUT", BINDING, {**BIND, **ROTATION}).status == 201
    assert recording.details.parameters is None
    assert reached(recording) == ["bind"]


@pytest.mark.rule("ROT-07")
def test_a_router_finds_the_broker_of_a_rotation_without_ids(serve: Serving, recording: RecordingBroker) -> None:
    platform = serve(Router(recording))
    assert_answered(platform.send("PUT", BINDING, ROTATION), 201, CREDENTIALS)
    assert reached(recording) == ["get_instance", "bind"]
    assert recording.details.predecessor_binding_id == "binding-0"


def test_a_rotation_of_an_unknown_instance_is_404(platform: Platform, recording: RecordingBroker) -> None:
    recording.answers["bind"] = errors.ErrInstanceDoesNotExist()
    assert_refused(platform.send("PUT", f"{INSTANCE}/service_bindings/b", ROTATION), 404)


@pytest.mark.rule("ROT-03", "BIND-46")
def test_a_rotation_without_ids_carries_nothing_that_no_offering_requires(
    platform: Platform, recording: RecordingBroker
) -> None:
    recording.answers["bind"] = Binding(syslog_drain_url="syslog://host", **CREDENTIALS)
    assert "syslog_drain_url" in platform.send("PUT", BINDING, ROTATION).json
    recording.offerings[0].requires = []
    assert_answered(platform.send("PUT", BINDING, ROTATION), 201, CREDENTIALS)
