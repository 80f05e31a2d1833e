"""PUT of a binding, and what a binding consists of (section "Binding")."""

from __future__ import annotations

from collections import UserDict
from types import MappingProxyType
from typing import Any

import pytest
from tests.contract.brokers import (
    BIND,
    BINDING,
    IDS,
    INSTANCE,
    LARGE,
    OTHER_PLAN,
    OTHER_SERVICE,
    PROVISION,
    SERVICE,
    SMALL,
    RecordingBroker,
)
from tests.contract.expectations import assert_answered, assert_refused, reached
from tests.contract.hosts import Platform

from openbrokerapi import errors
from openbrokerapi.service_broker import (
    Binding,
    BindingMetadata,
    BindState,
    Endpoint,
    GetBindingSpec,
    SharedDevice,
    VolumeMount,
)

ASYNC = {"accepts_incomplete": "true"}
NOT_OBJECTS = [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe"]
NOT_AN_OBJECT: list[Any] = [[], [1], "text", 7, True]
CREDENTIALS = {"uri": "db://u:p@host:5432/d", "port": 5432, "x": {"deep": [1, None, True, "é\n"]}, "": ""}
MOUNT = VolumeMount("nfs", "/data", "rw", "shared", SharedDevice("v-1", {"key": "value"}))
REQUIRING: dict[str, tuple[str, Any]] = {
    "syslog_drain_url": ("syslog_drain", "syslog://host"),
    "route_service_url": ("route_forwarding", "https://route"),
    "volume_mounts": ("volume_mount", [MOUNT]),
}
METADATA = BindingMetadata("2030-01-02T00:00:00.0Z", "2030-01-01T00:00:00.0Z")
ALL: dict[str, Any] = {
    "credentials": CREDENTIALS,
    "metadata": METADATA,
    "endpoints": [Endpoint("host", [443, "9000-9010"]), {"host": "10.0.0.1", "ports": ["53"], "protocol": "udp"}],
    **{name: value for name, (_, value) in REQUIRING.items()},
}
ALL_SENT: dict[str, Any] = {
    "credentials": CREDENTIALS,
    "metadata": {"expires_at": "2030-01-02T00:00:00.0Z", "renew_before": "2030-01-01T00:00:00.0Z"},
    "endpoints": [
        {"host": "host", "ports": ["443", "9000-9010"]},
        {"host": "10.0.0.1", "ports": ["53"], "protocol": "udp"},
    ],
    "syslog_drain_url": "syslog://host",
    "route_service_url": "https://route",
    "volume_mounts": [
        {
            "driver": "nfs",
            "container_dir": "/data",
            "mode": "rw",
            "device_type": "shared",
            "device": {"volume_id": "v-1", "mount_config": {"key": "value"}},
        }
    ],
}


def bound(**fields: Any) -> Binding:
    return Binding(BindState.SUCCESSFUL_BOUND, **fields)


@pytest.mark.rule("BIND-02", "BIND-10")
def test_the_catalog_says_what_can_be_bound_and_what_it_needs(platform: Platform) -> None:
    first, second = platform.send("GET", "/v2/catalog").json["services"]
    assert (first["bindable"], second["bindable"]) == (True, False)
    assert first["requires"] == ["syslog_drain", "route_forwarding", "volume_mount"]


def test_the_whole_request_reaches_the_broker(platform: Platform, recording: RecordingBroker) -> None:
    body = {**BIND, "context": {"platform": "x"}, "parameters": {"role": "reader"}}
    assert platform.send("PUT", BINDING, body, query=ASYNC).status == 201
    [(name, arguments)] = recording.calls
    details = arguments.pop("details")
    expected = {"instance_id": "instance-1", "binding_id": "binding-1", "async_allowed": True}
    assert (name, arguments) == ("bind", expected)
    assert (details.service_id, details.plan_id, details.parameters) == (SERVICE, SMALL, {"role": "reader"})
    assert (details.context, details.predecessor_binding_id) == ({"platform": "x"}, None)


@pytest.mark.rule("BIND-03")
def test_a_plan_that_is_not_bindable_is_refused_without_asking_the_broker(
    platform: Platform, recording: RecordingBroker
) -> None:
    answer = platform.send("PUT", BINDING, {"service_id": OTHER_SERVICE, "plan_id": OTHER_PLAN})
    assert_refused(answer, 400)
    assert recording.calls == []


@pytest.mark.rule("BIND-17", "ASY-10")
@pytest.mark.parametrize("query", [None, {"accepts_incomplete": "false"}])
def test_a_binding_that_works_asynchronously_only_is_refused_without_the_flag(
    platform: Platform, recording: RecordingBroker, query: dict[str, str] | None
) -> None:
    recording.answers["bind"] = errors.ErrAsyncRequired()
    assert_refused(platform.send("PUT", BINDING, BIND, query=query), 422, "AsyncRequired")
    assert recording.calls[0][1]["async_allowed"] is False


@pytest.mark.rule("BIND-18", "BIND-19")
@pytest.mark.parametrize("name", ["service_id", "plan_id"])
def test_both_ids_must_be_there_and_be_text(platform: Platform, recording: RecordingBroker, name: str) -> None:
    bodies: list[dict[str, Any]] = [{key: value for key, value in BIND.items() if key != name}]
    bodies += [{**BIND, name: value} for value in ("", None, 7, True, ["a"], {"a": 1})]
    for body in bodies:
        answer = platform.send("PUT", BINDING, body)
        assert_refused(answer, 400)
        assert name in answer.json["description"]
    assert recording.calls == []


@pytest.mark.rule("BIND-20")
@pytest.mark.parametrize(
    "ids", [{"service_id": "unknown"}, {"plan_id": "unknown"}, {"plan_id": OTHER_PLAN}, {"service_id": OTHER_SERVICE}]
)
def test_ids_that_the_catalog_does_not_have_together_are_refused(
    platform: Platform, recording: RecordingBroker, ids: dict[str, str]
) -> None:
    assert_refused(platform.send("PUT", BINDING, {**BIND, **ids}), 400)
    assert recording.calls == []


@pytest.mark.rule("BIND-21", "BIND-35")
@pytest.mark.parametrize("name", ["context", "parameters", "bind_resource"])
def test_what_must_be_an_object_is_malformed_as_anything_else(
    platform: Platform, recording: RecordingBroker, name: str
) -> None:
    for value in NOT_AN_OBJECT:
        assert_refused(platform.send("PUT", BINDING, {**BIND, name: value}), 400)
    assert recording.calls == []
    assert platform.send("PUT", BINDING, {**BIND, name: {}}).status == 201


@pytest.mark.rule("BIND-22")
@pytest.mark.parametrize(
    "app", [{"app_guid": "app-1"}, {"bind_resource": {"app_guid": "app-1"}}, {"app_guid": "app-1", "bind_resource": {}}]
)
def test_the_application_is_found_in_both_places(
    platform: Platform, recording: RecordingBroker, app: dict[str, Any]
) -> None:
    assert platform.send("PUT", BINDING, {**BIND, **app}).status == 201
    assert recording.details.app_guid == "app-1"


@pytest.mark.rule("BIND-24")
def test_a_binding_needs_no_bind_resource(platform: Platform, recording: RecordingBroker) -> None:
    assert platform.send("PUT", BINDING, BIND).status == 201
    assert (recording.details.bind_resource, recording.details.app_guid) == (None, None)


@pytest.mark.parametrize("name", ["app_guid", "route"])
def test_the_fields_of_a_bind_resource_are_text(platform: Platform, recording: RecordingBroker, name: str) -> None:
    for value in (7, ["a"], {"a": 1}, True):
        answer = platform.send("PUT", BINDING, {**BIND, "bind_resource": {name: value}})
        assert_refused(answer, 400)
        assert f"bind_resource.{name}" in answer.json["description"]
    assert recording.calls == []


@pytest.mark.rule("BIND-12", "BIND-28")
@pytest.mark.parametrize("parameters", [{"role": "owner"}, {"role": 1}, {"unknown": 1}])
def test_parameters_that_break_the_schema_are_refused(
    platform: Platform, recording: RecordingBroker, parameters: dict[str, Any]
) -> None:
    answer = platform.send("PUT", BINDING, {**BIND, "parameters": parameters})
    assert_refused(answer, 400)
    assert next(iter(parameters)) in answer.json["description"]
    assert recording.calls == []
    assert platform.send("PUT", BINDING, {**BIND, "parameters": {"role": "writer"}}).status == 201


@pytest.mark.rule("BIND-08", "BIND-13", "BIND-15", "BIND-29", "BIND-31", "BIND-45", "BIND-51")
@pytest.mark.rule("ASY-05", "ASY-06", "ASY-08", "BMD-01", "EPT-01", "EPT-02", "EPT-03", "ORPH-09")
@pytest.mark.parametrize(
    ("state", "status"), [(BindState.SUCCESSFUL_BOUND, 201), (BindState.IDENTICAL_ALREADY_EXISTS, 200)]
)
@pytest.mark.parametrize("query", [None, ASYNC])
def test_the_whole_binding_is_in_the_answer(
    platform: Platform, recording: RecordingBroker, state: BindState, status: int, query: dict[str, str] | None
) -> None:
    recording.answers["bind"] = Binding(state, **ALL)
    assert_answered(platform.send("PUT", BINDING, BIND, query=query), status, ALL_SENT)


@pytest.mark.rule("BIND-14", "BIND-31")
@pytest.mark.parametrize("name", sorted(ALL))
def test_what_the_broker_leaves_out_is_absent(platform: Platform, recording: RecordingBroker, name: str) -> None:
    recording.answers["bind"] = bound(**{key: value for key, value in ALL.items() if key != name})
    expected = {key: value for key, value in ALL_SENT.items() if key != name}
    assert_answered(platform.send("PUT", BINDING, BIND), 201, expected)


@pytest.mark.rule("BIND-31", "ORPH-09")
def test_a_binding_without_anything_is_an_empty_object(platform: Platform, recording: RecordingBroker) -> None:
    recording.answers["bind"] = Binding()
    assert_answered(platform.send("PUT", BINDING, BIND), 201, {})


@pytest.mark.rule("BIND-45", "BIND-51")
@pytest.mark.parametrize("make", [dict, UserDict, MappingProxyType])
def test_credentials_of_any_mapping_are_sent_as_they_are(
    platform: Platform, recording: RecordingBroker, make: Any
) -> None:
    recording.answers["bind"] = bound(credentials=make(CREDENTIALS))
    assert_answered(platform.send("PUT", BINDING, BIND), 201, {"credentials": CREDENTIALS})


@pytest.mark.rule("BIND-30", "BIND-32", "BIND-33", "BIND-34", "BIND-42", "ASY-12")
@pytest.mark.parametrize(("operation", "body"), [("task 1", {"operation": "task 1"}), (None, {}), ("", {})])
def test_work_in_progress_is_answered_with_202_and_nothing_of_the_binding(
    platform: Platform, recording: RecordingBroker, operation: str | None, body: dict[str, str]
) -> None:
    recording.answers["bind"] = Binding(BindState.IS_ASYNC, operation=operation, **ALL)
    for _ in range(2):
        assert_answered(platform.send("PUT", BINDING, BIND, query=ASYNC), 202, body)


@pytest.mark.rule("BIND-35", "ERR-18")
@pytest.mark.parametrize("body", NOT_OBJECTS)
def test_a_body_that_is_no_json_object_is_malformed(
    platform: Platform, recording: RecordingBroker, body: bytes
) -> None:
    assert_refused(platform.send("PUT", BINDING, body), 400)
    assert recording.calls == []


@pytest.mark.rule("BIND-36")
@pytest.mark.parametrize("kind", [errors.ErrInvalidParameters, errors.ErrBadRequest])
def test_data_that_the_broker_finds_invalid_is_refused_with_its_words(
    platform: Platform, recording: RecordingBroker, kind: type[Exception]
) -> None:
    recording.answers["bind"] = kind("role must be reader.")
    assert_refused(platform.send("PUT", BINDING, BIND), 400, description="role must be reader.")


@pytest.mark.rule("BIND-37", "BIND-38")
@pytest.mark.parametrize("query", [None, ASYNC])
def test_an_id_with_other_attributes_is_a_conflict(
    platform: Platform, recording: RecordingBroker, query: dict[str, str] | None
) -> None:
    recording.answers["bind"] = errors.ErrBindingAlreadyExists()
    assert_refused(platform.send("PUT", BINDING, BIND, query=query), 409)


@pytest.mark.rule("BIND-29", "BIND-37")
def test_the_same_again_is_200_and_other_parameters_are_a_conflict(living: Platform) -> None:
    living.send("PUT", INSTANCE, PROVISION)
    first = living.send("PUT", BINDING, BIND)
    assert first.status == 201
    assert_answered(living.send("PUT", BINDING, BIND), 200, first.json)
    assert_refused(living.send("PUT", BINDING, {**BIND, "parameters": {"role": "reader"}}), 409)
    assert_answered(living.send("PUT", BINDING, BIND), 200, first.json)


@pytest.mark.rule("BIND-39", "ERR-12")
def test_a_binding_without_the_application_that_it_needs_is_refused(
    platform: Platform, recording: RecordingBroker
) -> None:
    recording.answers["bind"] = errors.ErrAppGuidNotProvided()
    answer = platform.send("PUT", BINDING, BIND)
    assert_refused(answer, 422, "RequiresApp")
    assert answer.json["description"]


@pytest.mark.rule("BIND-40", "BLK-02", "BLK-03", "ERR-05", "ERR-07")
def test_another_operation_is_a_concurrency_error(platform: Platform, recording: RecordingBroker) -> None:
    wrong = errors.ErrConcurrentInstanceAccess("Another bind.", instance_usable=True, update_repeatable=True)
    recording.answers["bind"] = wrong
    answer = platform.send("PUT", BINDING, BIND)
    assert_refused(answer, 422, "ConcurrencyError", "Another bind.")
    assert set(answer.json) == {"error", "description"}


@pytest.mark.rule("BIND-43")
def test_an_operation_has_at_most_10000_characters(platform: Platform, recording: RecordingBroker) -> None:
    recording.answers["bind"] = Binding(BindState.IS_ASYNC, operation="ü" * 10_000)
    assert_answered(platform.send("PUT", BINDING, BIND, query=ASYNC), 202, {"operation": "ü" * 10_000})
    recording.answers["bind"] = Binding(BindState.IS_ASYNC, operation="x" * 10_001)
    assert_refused(platform.send("PUT", BINDING, BIND, query=ASYNC), 500)


@pytest.mark.rule("BIND-43")
def test_an_operation_is_always_text(platform: Platform, recording: RecordingBroker) -> None:
    number: Any = 7  # as in the wild
    recording.answers["bind"] = Binding(BindState.IS_ASYNC, operation=number)
    assert_answered(platform.send("PUT", BINDING, BIND, query=ASYNC), 202, {"operation": "7"})


@pytest.mark.rule("BIND-46", "BIND-47", "BIND-48", "GETB-10")
@pytest.mark.parametrize("name", sorted(REQUIRING))
def test_what_the_offering_does_not_require_is_never_sent(
    platform: Platform, recording: RecordingBroker, name: str
) -> None:
    needed, value = REQUIRING[name]
    recording.answers["bind"] = bound(credentials=CREDENTIALS, **{name: value})
    recording.answers["get_binding"] = GetBindingSpec(CREDENTIALS, **{name: value})
    assert name in platform.send("PUT", BINDING, BIND).json
    for query in (None, IDS):
        assert name in platform.send("GET", BINDING, query=query).json
    recording.offerings[0].requires = [each for each, _ in REQUIRING.values() if each != needed]
    assert_answered(platform.send("PUT", BINDING, BIND), 201, {"credentials": CREDENTIALS})
    for query in (None, IDS):
        assert_answered(platform.send("GET", BINDING, query=query), 200, {"credentials": CREDENTIALS})


@pytest.mark.rule("BIND-46", "BIND-47", "BIND-48", "ORPH-09")
@pytest.mark.parametrize(
    "wrong",
    [
        {"credentials": ["a"]},
        {"credentials": "secret"},
        {"syslog_drain_url": 7},
        {"route_service_url": ["a"]},
        {"volume_mounts": {"driver": "nfs"}},
        {"volume_mounts": "nfs"},
        {"endpoints": "host"},
        {"endpoints": {"host": "a", "ports": ["1"]}},
        {"metadata": [1]},
        {"credentials": {"key": object()}},
    ],
)
def test_an_answer_of_the_wrong_form_is_never_sent(
    platform: Platform, recording: RecordingBroker, wrong: dict[str, Any]
) -> None:
    recording.answers["bind"] = bound(**wrong)
    recording.answers["get_binding"] = GetBindingSpec(**wrong)
    assert_refused(platform.send("PUT", BINDING, BIND), 500)
    assert_refused(platform.send("GET", BINDING), 500)


def test_a_binding_of_an_unknown_instance_is_404(living: Platform) -> None:
    assert_refused(living.send("PUT", BINDING, BIND), 404)


def test_a_plan_without_schemas_takes_any_parameters(platform: Platform, recording: RecordingBroker) -> None:
    assert platform.send("PUT", BINDING, {**BIND, "plan_id": LARGE, "parameters": {"any": [1]}}).status == 201
    assert reached(recording) == ["bind"]
