"""PATCH of an instance (section "Updating a Service Instance")."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.brokers import (
    BIND,
    BINDING,
    INSTANCE,
    LARGE,
    OTHER_PLAN,
    PROVISION,
    SERVICE,
    SMALL,
    RecordingBroker,
)
from tests.contract.expectations import assert_answered, assert_refused, reached
from tests.contract.hosts import Platform

from openbrokerapi import errors
from openbrokerapi.service_broker import InstanceMetadata, ServicePlan, UpdateServiceSpec

ASYNC = {"accepts_incomplete": "true"}
UPDATE = {"service_id": SERVICE}
VERSION = "2.1.1+abcdef"
URL = "http://dashboard/new"
NOT_OBJECTS = [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe"]
NOT_AN_OBJECT: list[Any] = [[], [1], "text", 7, True]


@pytest.mark.rule("UPD-01", "UPD-02")
def test_the_catalog_says_which_updates_the_offering_knows(platform: Platform) -> None:
    offering = platform.send("GET", "/v2/catalog").json["services"][0]
    assert (offering["allow_context_updates"], offering["plan_updateable"]) == (True, True)
    assert [plan.get("plan_updateable") for plan in offering["plans"]] == [None, False]


def test_the_whole_request_reaches_the_broker(platform: Platform, recording: RecordingBroker) -> None:
    body = {
        **UPDATE,
        "plan_id": SMALL,
        "context": {"platform": "x"},
        "parameters": {"size": 3},
        "maintenance_info": {"version": VERSION},
    }
    assert_answered(platform.send("PATCH", INSTANCE, body, query=ASYNC), 200, {})
    [(name, arguments)] = recording.calls
    details = arguments.pop("details")
    assert (name, arguments) == ("update", {"instance_id": "instance-1", "async_allowed": True})
    assert (details.service_id, details.plan_id, details.parameters) == (SERVICE, SMALL, {"size": 3})
    assert (details.context, details.maintenance_info.version) == ({"platform": "x"}, VERSION)


@pytest.mark.rule("UPD-04")
@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"size": 3}},
        {"context": {"platform": "x"}},
        {"plan_id": LARGE},
        {"plan_id": LARGE, "parameters": {}},
    ],
)
def test_a_plan_that_cannot_be_left_can_be_updated_otherwise(
    platform: Platform, recording: RecordingBroker, change: dict[str, Any]
) -> None:
    answer = platform.send("PATCH", INSTANCE, {**UPDATE, **change, "previous_values": {"plan_id": LARGE}})
    assert_answered(answer, 200, {})
    assert reached(recording) == ["update"]


@pytest.mark.rule("UPD-04")
def test_maintenance_of_a_plan_that_cannot_be_left_is_possible(platform: Platform, recording: RecordingBroker) -> None:
    plan = ServicePlan("p", "p", "p", plan_updateable=False, maintenance_info={"version": "1.0.0"})
    recording.offerings[0].plans.append(plan)
    body = {**UPDATE, "maintenance_info": {"version": "1.0.0"}, "previous_values": {"plan_id": "p"}}
    assert_answered(platform.send("PATCH", INSTANCE, body), 200, {})


@pytest.mark.rule("UPD-05", "UPD-28")
def test_a_plan_that_cannot_be_left_is_refused_with_a_reason(platform: Platform, recording: RecordingBroker) -> None:
    body = {**UPDATE, "plan_id": SMALL, "previous_values": {"plan_id": LARGE}}
    answer = platform.send("PATCH", INSTANCE, body)
    assert_refused(answer, 422)
    assert "plan" in answer.json["description"]
    assert recording.calls == []


@pytest.mark.rule("UPD-05", "UPD-28", "UPD-29", "ERR-06", "ERR-08")
@pytest.mark.parametrize("kind", [errors.ErrPlanChangeNotSupported, errors.ErrUpdateNotPossible])
def test_a_change_that_is_not_possible_is_refused_with_the_words_of_the_broker(
    platform: Platform, recording: RecordingBroker, kind: Any
) -> None:
    recording.answers["update"] = kind("Only to a larger plan.", instance_usable=True, update_repeatable=False)
    answer = platform.send("PATCH", INSTANCE, {**UPDATE, "plan_id": LARGE})
    assert_refused(answer, 422, description="Only to a larger plan.")
    assert (answer.json["instance_usable"], answer.json["update_repeatable"]) == (True, False)


@pytest.mark.rule("UPD-07", "ASY-10")
@pytest.mark.parametrize("query", [None, {"accepts_incomplete": "false"}])
def test_an_update_that_works_asynchronously_only_is_refused_without_the_flag(
    platform: Platform, recording: RecordingBroker, query: dict[str, str] | None
) -> None:
    recording.answers["update"] = errors.ErrAsyncRequired()
    assert_refused(platform.send("PATCH", INSTANCE, UPDATE, query=query), 422, "AsyncRequired")
    assert recording.calls[0][1]["async_allowed"] is False


@pytest.mark.rule("UPD-08")
@pytest.mark.parametrize("body", [{}, *({"service_id": value} for value in ("", None, 7, True, ["a"], {"a": 1}))])
def test_the_service_id_must_be_there_and_be_text(
    platform: Platform, recording: RecordingBroker, body: dict[str, Any]
) -> None:
    answer = platform.send("PATCH", INSTANCE, {**body, "plan_id": SMALL})
    assert_refused(answer, 400)
    assert "service_id" in answer.json["description"]
    assert recording.calls == []


@pytest.mark.rule("UPD-09")
@pytest.mark.parametrize(
    "ids",
    [
        {"service_id": "unknown"},
        {"service_id": SERVICE, "plan_id": "unknown"},
        {"service_id": SERVICE, "plan_id": OTHER_PLAN},
    ],
)
def test_ids_that_the_catalog_does_not_have_together_are_refused(
    platform: Platform, recording: RecordingBroker, ids: dict[str, str]
) -> None:
    assert_refused(platform.send("PATCH", INSTANCE, ids), 400)
    assert recording.calls == []


@pytest.mark.rule("UPD-10", "UPD-11", "UPD-14", "UPD-15", "UPD-16")
def test_what_is_absent_is_none_and_what_is_empty_is_empty(platform: Platform, recording: RecordingBroker) -> None:
    assert platform.send("PATCH", INSTANCE, UPDATE).status == 200
    details = recording.details
    assert (details.plan_id, details.parameters, details.context) == (None, None, None)
    assert (details.previous_values, details.maintenance_info) == (None, None)
    assert platform.send("PATCH", INSTANCE, {**UPDATE, "parameters": {}, "context": {}}).status == 200
    assert (recording.details.parameters, recording.details.context) == ({}, {})


@pytest.mark.rule("UPD-10", "UPD-11", "UPD-15")
def test_an_update_of_the_context_changes_neither_plan_nor_parameters(living: Platform) -> None:
    living.send("PUT", INSTANCE, {**PROVISION, "parameters": {"size": 3}})
    body = {**UPDATE, "context": {"platform": "cloudfoundry", "space_name": "new"}}
    assert_answered(living.send("PATCH", INSTANCE, body), 200, {})
    fetched = living.send("GET", INSTANCE)
    assert_answered(fetched, 200, {"service_id": SERVICE, "plan_id": SMALL, "parameters": {"size": 3}})


@pytest.mark.rule("UPD-12")
@pytest.mark.parametrize("parameters", [{"size": 0}, {"size": "big"}, {"unknown": 1}])
@pytest.mark.parametrize("plan", [{"plan_id": SMALL}, {"previous_values": {"plan_id": SMALL}}])
def test_parameters_that_break_the_schema_of_the_plan_are_refused(
    platform: Platform, recording: RecordingBroker, parameters: dict[str, Any], plan: dict[str, Any]
) -> None:
    answer = platform.send("PATCH", INSTANCE, {**UPDATE, **plan, "parameters": parameters})
    assert_refused(answer, 400)
    assert next(iter(parameters)) in answer.json["description"]
    assert recording.calls == []


@pytest.mark.rule("UPD-14", "UPD-16", "UPD-26")
@pytest.mark.parametrize("name", ["context", "parameters", "previous_values", "maintenance_info"])
@pytest.mark.parametrize("value", NOT_AN_OBJECT)
def test_what_must_be_an_object_is_malformed_as_anything_else(
    platform: Platform, recording: RecordingBroker, name: str, value: Any
) -> None:
    assert_refused(platform.send("PATCH", INSTANCE, {**UPDATE, name: value}), 400)
    assert recording.calls == []


@pytest.mark.rule("UPD-16")
def test_previous_values_reach_the_broker_as_they_were_sent(platform: Platform, recording: RecordingBroker) -> None:
    previous = {"service_id": SERVICE, "plan_id": SMALL, "organization_id": "o", "space_id": "s"}
    body = {**UPDATE, "previous_values": {**previous, "maintenance_info": {"version": "1.0.0"}, "x-acme": 1}}
    assert platform.send("PATCH", INSTANCE, body).status == 200
    held = recording.details.previous_values
    assert {name: getattr(held, name) for name in previous} == previous
    assert held.maintenance_info.version == "1.0.0"
    for part in ({}, {"plan_id": SMALL}, {"organization_id": "o"}):
        assert platform.send("PATCH", INSTANCE, {**UPDATE, "previous_values": part}).status == 200


@pytest.mark.rule("UPD-19", "ERR-13")
@pytest.mark.parametrize("named", [{"plan_id": SMALL}, {"previous_values": {"plan_id": SMALL}}, {}])
def test_another_maintenance_version_is_refused(
    platform: Platform, recording: RecordingBroker, named: dict[str, Any]
) -> None:
    body = {**UPDATE, **named, "maintenance_info": {"version": "2.1.0"}}
    assert_refused(platform.send("PATCH", INSTANCE, body), 422, "MaintenanceInfoConflict")
    assert recording.calls == []


@pytest.mark.rule("UPD-19")
def test_the_maintenance_version_of_a_plan_change_is_that_of_the_new_plan(
    platform: Platform, recording: RecordingBroker
) -> None:
    recording.offerings[0].plans.append(ServicePlan("p", "p", "p", maintenance_info={"version": "9.0.0"}))
    body = {**UPDATE, "plan_id": "p", "previous_values": {"plan_id": SMALL}}
    answer = platform.send("PATCH", INSTANCE, {**body, "maintenance_info": {"version": VERSION}})
    assert_refused(answer, 422, "MaintenanceInfoConflict")
    assert platform.send("PATCH", INSTANCE, {**body, "maintenance_info": {"version": "9.0.0"}}).status == 200
    assert reached(recording) == ["update"]


@pytest.mark.rule("UPD-20")
@pytest.mark.parametrize("named", [{"plan_id": SMALL}, {}])
def test_only_the_maintenance_version_counts(
    platform: Platform, recording: RecordingBroker, named: dict[str, Any]
) -> None:
    info = {"version": VERSION, "description": "Other words.", "x-acme": [1]}
    assert platform.send("PATCH", INSTANCE, {**UPDATE, **named, "maintenance_info": info}).status == 200
    assert recording.details.maintenance_info.version == VERSION


@pytest.mark.rule("UPD-21", "UPD-22", "UPD-40", "ASY-05", "ASY-08", "SIM-01", "SIM-03", "ORPH-09")
@pytest.mark.parametrize("query", [None, ASYNC])
def test_what_was_changed_in_the_request_is_answered_with_200(
    platform: Platform, recording: RecordingBroker, query: dict[str, str] | None
) -> None:
    assert_answered(platform.send("PATCH", INSTANCE, UPDATE, query=query), 200, {})
    metadata = InstanceMetadata({"team": "b"}, {"acme/size": 4})
    recording.answers["update"] = UpdateServiceSpec(dashboard_url=URL, metadata=metadata)
    body = {"dashboard_url": URL, "metadata": {"labels": {"team": "b"}, "attributes": {"acme/size": 4}}}
    assert_answered(platform.send("PATCH", INSTANCE, UPDATE, query=query), 200, body)


def test_an_update_that_returns_nothing_is_done(platform: Platform, recording: RecordingBroker) -> None:
    recording.answers["update"] = None
    assert_answered(platform.send("PATCH", INSTANCE, UPDATE), 200, {})


@pytest.mark.rule("UPD-23", "UPD-24", "UPD-25", "UPD-35", "UPD-37", "UPD-40", "ASY-12", "SIM-01")
def test_work_in_progress_is_answered_with_202_each_time(platform: Platform, recording: RecordingBroker) -> None:
    recording.answers["update"] = UpdateServiceSpec(True, "task 1", URL, metadata=InstanceMetadata({"team": "b"}))
    for _ in range(2):
        answer = platform.send("PATCH", INSTANCE, UPDATE, query=ASYNC)
        metadata = {"labels": {"team": "b"}}
        assert_answered(answer, 202, {"operation": "task 1", "dashboard_url": URL, "metadata": metadata})


@pytest.mark.rule("UPD-37", "UPD-38")
@pytest.mark.parametrize("operation", [None, ""])
def test_an_operation_is_never_null_nor_empty(
    platform: Platform, recording: RecordingBroker, operation: str | None
) -> None:
    recording.answers["update"] = UpdateServiceSpec(True, operation)
    assert_answered(platform.send("PATCH", INSTANCE, UPDATE, query=ASYNC), 202, {})


@pytest.mark.rule("UPD-26", "ERR-18")
@pytest.mark.parametrize("body", NOT_OBJECTS)
def test_a_body_that_is_no_json_object_is_malformed(
    platform: Platform, recording: RecordingBroker, body: bytes
) -> None:
    assert_refused(platform.send("PATCH", INSTANCE, body), 400)
    assert recording.calls == []


@pytest.mark.rule("UPD-27")
@pytest.mark.parametrize("kind", [errors.ErrInvalidParameters, errors.ErrBadRequest])
def test_data_that_the_broker_finds_invalid_is_refused_with_its_words(
    platform: Platform, recording: RecordingBroker, kind: type[Exception]
) -> None:
    recording.answers["update"] = kind("size must be even.")
    assert_refused(platform.send("PATCH", INSTANCE, UPDATE), 400, description="size must be even.")


@pytest.mark.rule("UPD-31", "ERR-16")
def test_what_the_package_refuses_changes_nothing(living: Platform) -> None:
    living.send("PUT", INSTANCE, {**PROVISION, "parameters": {"size": 3}})
    wrong: list[dict[str, Any]] = [
        {"plan_id": LARGE, "parameters": {"size": 9}, "maintenance_info": {"version": "9"}},
        {"plan_id": "unknown", "parameters": {"size": 9}},
        {"plan_id": SMALL, "parameters": {"size": 0}},
        {"parameters": {"size": 9}, "context": []},
    ]
    for change in wrong:
        assert living.send("PATCH", INSTANCE, {**UPDATE, **change}).status in (400, 422)
    fetched = living.send("GET", INSTANCE)
    assert_answered(fetched, 200, {"service_id": SERVICE, "plan_id": SMALL, "parameters": {"size": 3}})


@pytest.mark.parametrize("url", [7, ["http://a"]])
def test_a_dashboard_url_that_is_no_text_is_never_sent(
    platform: Platform, recording: RecordingBroker, url: Any
) -> None:
    recording.answers["update"] = UpdateServiceSpec(dashboard_url=url)
    assert_refused(platform.send("PATCH", INSTANCE, UPDATE), 500)


@pytest.mark.rule("UPD-41", "BLK-02", "BLK-03")
def test_another_operation_on_the_instance_is_a_concurrency_error(
    platform: Platform, recording: RecordingBroker
) -> None:
    recording.answers["update"] = errors.ErrConcurrentInstanceAccess("It is being deleted.")
    assert_refused(platform.send("PATCH", INSTANCE, UPDATE), 422, "ConcurrencyError", "It is being deleted.")


def test_an_unknown_instance_is_404(living: Platform) -> None:
    assert_refused(living.send("PATCH", INSTANCE, UPDATE), 404)


def test_the_parameters_of_an_update_join_the_old_ones_where_the_broker_wants_it(living: Platform) -> None:
    living.send("PUT", INSTANCE, {**PROVISION, "parameters": {"size": 3}})
    living.send("PUT", BINDING, BIND)
    assert living.send("PATCH", INSTANCE, {**UPDATE, "parameters": {"name": "a"}}).status == 200
    assert living.send("GET", INSTANCE).json["parameters"] == {"size": 3, "name": "a"}
