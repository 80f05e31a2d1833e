"""PUT of an instance (section "Provisioning")."""

from __future__ import annotations

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
from openbrokerapi.service_broker import InstanceMetadata, ProvisionedServiceSpec, ProvisionState

ASYNC = {"accepts_incomplete": "true"}
NOT_OBJECTS = [b"", b"{", b"[]", b"null", b'"text"', b"7", b"\xff\xfe", b'{"service_id": }', b"{} {}"]
NOT_TEXT: list[Any] = ["", None, 7, True, ["a"], {"a": 1}]
NOT_AN_OBJECT: list[Any] = [[], [1], "text", 7, True]
CLOUD_FOUNDRY = {"platform": "cloudfoundry", "organization_guid": "org-1", "space_guid": "space-1"}
URL = "http://dashboard/instance-1"


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in PROVISION.items() if key != name}


def test_the_whole_request_reaches_the_broker(platform: Platform, recording: RecordingBroker) -> None:
    body = {
        **PROVISION,
        "context": CLOUD_FOUNDRY,
        "parameters": {"size": 3},
        "maintenance_info": {"version": "2.1.1+abcdef"},
    }
    assert platform.send("PUT", INSTANCE, body).status == 201
    [(name, arguments)] = recording.calls
    details = arguments.pop("details")
    assert (name, arguments) == ("provision", {"instance_id": "instance-1", "async_allowed": False})
    assert (details.service_id, details.plan_id) == (SERVICE, SMALL)
    assert (details.organization_guid, details.space_guid) == ("org-1", "space-1")
    assert (details.context, details.parameters) == (CLOUD_FOUNDRY, {"size": 3})
    assert details.maintenance_info.version == "2.1.1+abcdef"


@pytest.mark.rule("PROV-01")
def test_what_was_provisioned_can_be_bound_fetched_and_deleted(living: Platform) -> None:
    assert living.send("PUT", INSTANCE, {**PROVISION, "parameters": {"size": 3}}).status == 201
    assert living.send("PUT", BINDING, BIND).status == 201
    assert living.send("GET", INSTANCE).json["parameters"] == {"size": 3}
    assert living.send("DELETE", INSTANCE, query=IDS).status == 200


@pytest.mark.rule("PROV-02", "ASY-10", "ASY-11", "ERR-10")
@pytest.mark.parametrize("query", [None, {"accepts_incomplete": "false"}])
def test_a_plan_that_works_asynchronously_only_is_refused_without_the_flag(
    platform: Platform, recording: RecordingBroker, query: dict[str, str] | None
) -> None:
    recording.answers["provision"] = errors.ErrAsyncRequired()
    answer = platform.send("PUT", INSTANCE, PROVISION, query=query)
    assert_refused(answer, 422, "AsyncRequired")
    assert answer.json["description"]
    assert recording.calls[0][1]["async_allowed"] is False


@pytest.mark.rule("PROV-03", "PROV-04", "PROV-05", "PROV-06")
@pytest.mark.parametrize("name", ["service_id", "plan_id", "organization_guid", "space_guid"])
def test_a_required_field_must_be_there_and_be_text(platform: Platform, recording: RecordingBroker, name: str) -> None:
    for context in ({}, {"context": CLOUD_FOUNDRY}):
        bodies = [without(name), *({**PROVISION, name: value} for value in NOT_TEXT)]
        for body in bodies:
            answer = platform.send("PUT", INSTANCE, {**body, **context})
            assert_refused(answer, 400)
            assert name in answer.json["description"]
    assert recording.calls == []


def test_organisation_and_space_are_asked_from_cloud_foundry_only(platform: Platform) -> None:
    body = {"service_id": SERVICE, "plan_id": SMALL, "context": {"platform": "kubernetes", "namespace": "a"}}
    assert platform.send("PUT", INSTANCE, body).status == 201


@pytest.mark.rule("PROV-07", "PROV-08")
@pytest.mark.parametrize(
    "ids",
    [
        {"service_id": "unknown", "plan_id": SMALL},
        {"service_id": SERVICE, "plan_id": "unknown"},
        {"service_id": SERVICE, "plan_id": OTHER_PLAN},
        {"service_id": OTHER_SERVICE, "plan_id": SMALL},
        {"service_id": SMALL, "plan_id": SERVICE},
    ],
)
def test_ids_that_the_catalog_does_not_have_together_are_refused(
    platform: Platform, recording: RecordingBroker, ids: dict[str, str]
) -> None:
    assert_refused(platform.send("PUT", INSTANCE, {**PROVISION, **ids}), 400)
    assert recording.calls == []


@pytest.mark.rule("PROV-10", "PROV-11")
@pytest.mark.parametrize("name", ["context", "parameters"])
def test_context_and_parameters_are_objects_or_absent(
    platform: Platform, recording: RecordingBroker, name: str
) -> None:
    assert platform.send("PUT", INSTANCE, PROVISION).status == 201
    assert getattr(recording.details, name) is None
    assert platform.send("PUT", INSTANCE, {**PROVISION, name: {}}).status == 201
    assert getattr(recording.details, name) == {}
    for value in NOT_AN_OBJECT:
        answer = platform.send("PUT", INSTANCE, {**PROVISION, name: value})
        assert_refused(answer, 400)
        assert name in answer.json["description"]
    assert len(recording.calls) == 2


@pytest.mark.rule("PROV-12")
@pytest.mark.parametrize("parameters", [{"size": 0}, {"size": "big"}, {"unknown": 1}])
def test_parameters_that_break_the_schema_are_refused(
    platform: Platform, recording: RecordingBroker, parameters: dict[str, Any]
) -> None:
    answer = platform.send("PUT", INSTANCE, {**PROVISION, "parameters": parameters})
    assert_refused(answer, 400)
    assert next(iter(parameters)) in answer.json["description"]
    assert recording.calls == []


@pytest.mark.rule("PROV-14", "ERR-13")
@pytest.mark.parametrize("version", ["2.1.0", "2.1.1", "2.1.1+ABCDEF", "3"])
def test_another_maintenance_version_is_refused(platform: Platform, recording: RecordingBroker, version: str) -> None:
    answer = platform.send("PUT", INSTANCE, {**PROVISION, "maintenance_info": {"version": version}})
    assert_refused(answer, 422, "MaintenanceInfoConflict")
    assert recording.calls == []


def test_a_maintenance_version_of_a_plan_that_has_none_is_refused(
    platform: Platform, recording: RecordingBroker
) -> None:
    body = {**PROVISION, "plan_id": LARGE, "maintenance_info": {"version": "1.0.0"}}
    assert_refused(platform.send("PUT", INSTANCE, body), 422, "MaintenanceInfoConflict")
    assert recording.calls == []


@pytest.mark.rule("PROV-15", "PROV-16")
def test_only_the_maintenance_version_counts_and_it_may_be_absent(
    platform: Platform, recording: RecordingBroker
) -> None:
    info = {"version": "2.1.1+abcdef", "description": "Other words.", "x-acme": [1]}
    assert platform.send("PUT", INSTANCE, {**PROVISION, "maintenance_info": info}).status == 201
    assert recording.details.maintenance_info.description == "Other words."
    assert platform.send("PUT", INSTANCE, PROVISION).status == 201
    assert recording.details.maintenance_info is None


@pytest.mark.parametrize("info", [{}, {"version": ""}, {"version": 2}, {"version": None}, "2.1.1+abcdef", [1]])
def test_a_maintenance_info_without_a_version_is_malformed(platform: Platform, info: Any) -> None:
    assert_refused(platform.send("PUT", INSTANCE, {**PROVISION, "maintenance_info": info}), 400)


@pytest.mark.rule("PROV-17", "ASY-06")
def test_what_is_there_already_is_answered_with_200_and_the_same_kind_of_body(
    platform: Platform, recording: RecordingBroker
) -> None:
    metadata = InstanceMetadata(labels={"team": "a"})
    for state, status in ((ProvisionState.SUCCESSFUL_CREATED, 201), (ProvisionState.IDENTICAL_ALREADY_EXISTS, 200)):
        recording.answers["provision"] = ProvisionedServiceSpec(state, URL, metadata=metadata)
        answer = platform.send("PUT", INSTANCE, PROVISION)
        assert_answered(answer, status, {"dashboard_url": URL, "metadata": {"labels": {"team": "a"}}})


@pytest.mark.rule("PROV-19", "ASY-05", "ASY-08", "ORPH-09")
@pytest.mark.parametrize("query", [None, ASYNC])
def test_what_was_made_in_the_request_is_answered_with_201_with_and_without_the_flag(
    platform: Platform, recording: RecordingBroker, query: dict[str, str] | None
) -> None:
    assert_answered(platform.send("PUT", INSTANCE, PROVISION, query=query), 201, {})
    assert recording.calls[0][1]["async_allowed"] is (query is not None)


@pytest.mark.rule("PROV-18", "PROV-20", "PROV-21", "PROV-22", "PROV-28", "PROV-30", "PROV-33", "ASY-12", "SIM-01")
def test_work_in_progress_is_answered_with_202_each_time(platform: Platform, recording: RecordingBroker) -> None:
    recording.answers["provision"] = ProvisionedServiceSpec(
        ProvisionState.IS_ASYNC, URL, "task 1", metadata={"labels": {"team": "a"}}
    )
    for _ in range(2):
        answer = platform.send("PUT", INSTANCE, PROVISION, query=ASYNC)
        metadata = {"labels": {"team": "a"}}
        assert_answered(answer, 202, {"operation": "task 1", "dashboard_url": URL, "metadata": metadata})


@pytest.mark.rule("PROV-30")
@pytest.mark.parametrize("operation", [None, ""])
def test_a_202_needs_no_operation(platform: Platform, recording: RecordingBroker, operation: str | None) -> None:
    recording.answers["provision"] = ProvisionedServiceSpec(ProvisionState.IS_ASYNC, operation=operation)
    assert_answered(platform.send("PUT", INSTANCE, PROVISION, query=ASYNC), 202, {})


@pytest.mark.rule("PROV-23", "ERR-18")
@pytest.mark.parametrize("body", NOT_OBJECTS)
def test_a_body_that_is_no_json_object_is_malformed(
    platform: Platform, recording: RecordingBroker, body: bytes
) -> None:
    assert_refused(platform.send("PUT", INSTANCE, body), 400)
    assert recording.calls == []


@pytest.mark.rule("PROV-24")
@pytest.mark.parametrize("kind", [errors.ErrInvalidParameters, errors.ErrBadRequest])
def test_data_that_the_broker_finds_invalid_is_refused_with_its_words(
    platform: Platform, recording: RecordingBroker, kind: type[Exception]
) -> None:
    recording.answers["provision"] = kind("size must be even.")
    assert_refused(platform.send("PUT", INSTANCE, PROVISION), 400, description="size must be even.")


@pytest.mark.rule("PROV-25", "PROV-26")
@pytest.mark.parametrize("query", [None, ASYNC])
def test_an_id_with_other_attributes_is_a_conflict(
    platform: Platform, recording: RecordingBroker, query: dict[str, str] | None
) -> None:
    recording.answers["provision"] = errors.ErrInstanceAlreadyExists()
    assert_refused(platform.send("PUT", INSTANCE, PROVISION, query=query), 409)


@pytest.mark.rule("PROV-25", "ERR-16")
def test_a_conflict_leaves_the_first_instance_as_it_was(living: Platform) -> None:
    living.send("PUT", INSTANCE, {**PROVISION, "parameters": {"size": 3}})
    for other in ({"plan_id": LARGE}, {"parameters": {"size": 4}}, {"space_guid": "space-2"}):
        assert living.send("PUT", INSTANCE, {**PROVISION, "parameters": {"size": 3}, **other}).status == 409
    fetched = living.send("GET", INSTANCE)
    assert_answered(fetched, 200, {"service_id": SERVICE, "plan_id": SMALL, "parameters": {"size": 3}})


@pytest.mark.rule("PROV-29", "ORPH-09")
@pytest.mark.parametrize("url", [7, ["http://a"], {"url": "http://a"}, b"http://a"])
def test_a_dashboard_url_that_is_no_text_is_never_sent(
    platform: Platform, recording: RecordingBroker, url: Any
) -> None:
    for state in ProvisionState:
        recording.answers["provision"] = ProvisionedServiceSpec(state, url)
        assert_refused(platform.send("PUT", INSTANCE, PROVISION, query=ASYNC), 500)


@pytest.mark.rule("PROV-31")
def test_an_operation_has_at_most_10000_characters(platform: Platform, recording: RecordingBroker) -> None:
    recording.answers["provision"] = ProvisionedServiceSpec(ProvisionState.IS_ASYNC, operation="ü" * 10_000)
    assert_answered(platform.send("PUT", INSTANCE, PROVISION, query=ASYNC), 202, {"operation": "ü" * 10_000})
    recording.answers["provision"] = ProvisionedServiceSpec(ProvisionState.IS_ASYNC, operation="x" * 10_001)
    assert_refused(platform.send("PUT", INSTANCE, PROVISION, query=ASYNC), 500)


@pytest.mark.rule("PROV-33", "SIM-01", "SIM-03")
@pytest.mark.parametrize(
    ("state", "status"), [("SUCCESSFUL_CREATED", 201), ("IDENTICAL_ALREADY_EXISTS", 200), ("IS_ASYNC", 202)]
)
def test_metadata_is_in_every_answer(platform: Platform, recording: RecordingBroker, state: str, status: int) -> None:
    metadata = InstanceMetadata({"team": "a"}, {"acme/size": 3})
    recording.answers["provision"] = ProvisionedServiceSpec(ProvisionState[state], metadata=metadata)
    answer = platform.send("PUT", INSTANCE, PROVISION, query=ASYNC)
    assert_answered(answer, status, {"metadata": {"labels": {"team": "a"}, "attributes": {"acme/size": 3}}})


@pytest.mark.rule("PROV-34", "BLK-02", "BLK-03", "ERR-11")
def test_another_operation_on_the_id_is_a_concurrency_error(platform: Platform, recording: RecordingBroker) -> None:
    recording.answers["provision"] = errors.ErrConcurrentInstanceAccess("It is being deleted.")
    answer = platform.send("PUT", INSTANCE, PROVISION)
    assert_refused(answer, 422, "ConcurrencyError", "It is being deleted.")
    assert reached(recording) == ["provision"]
