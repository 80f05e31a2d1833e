"""GET of an instance (section "Fetching a Service Instance")."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.brokers import (
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
from tests.contract.expectations import assert_answered, assert_refused
from tests.contract.hosts import Platform

from openbrokerapi import errors
from openbrokerapi.service_broker import GetInstanceDetailsSpec, InstanceMetadata, MaintenanceInfo

URL = "http://dashboard/instance-1"


@pytest.mark.rule("GETI-01", "GETI-14")
def test_an_instance_of_each_plan_can_be_fetched_as_long_as_it_exists(living: Platform) -> None:
    assert_refused(living.send("GET", INSTANCE), 404)
    for plan in (SMALL, LARGE):
        living.send("PUT", INSTANCE, {**PROVISION, "plan_id": plan})
        answer = living.send("GET", INSTANCE)
        assert_answered(answer, 200, {"service_id": SERVICE, "plan_id": plan, "parameters": {}})
        living.send("DELETE", INSTANCE, query={"service_id": SERVICE, "plan_id": plan})
        assert_refused(living.send("GET", INSTANCE), 404)


@pytest.mark.rule("GETI-07")
def test_the_plan_is_the_new_one_after_an_update(living: Platform) -> None:
    living.send("PUT", INSTANCE, PROVISION)
    assert living.send("PATCH", INSTANCE, {"service_id": SERVICE, "plan_id": LARGE}).status == 200
    answer = living.send("GET", INSTANCE)
    assert_answered(answer, 200, {"service_id": SERVICE, "plan_id": LARGE, "parameters": {}})


@pytest.mark.rule("GETI-06")
@pytest.mark.parametrize(
    "query", [{}, IDS, {"service_id": SERVICE}, {"plan_id": SMALL}, {"service_id": "", "plan_id": ""}]
)
def test_the_query_parameters_are_hints(platform: Platform, recording: RecordingBroker, query: dict[str, str]) -> None:
    answer = platform.send("GET", INSTANCE, query=query)
    assert_answered(answer, 200, {"service_id": SERVICE, "plan_id": SMALL})
    assert recording.calls == [("get_instance", {"instance_id": "instance-1", **query})]


@pytest.mark.rule("GETI-06")
@pytest.mark.parametrize("ids", [{"service_id": "gone"}, {"service_id": OTHER_SERVICE, "plan_id": OTHER_PLAN}])
def test_a_hint_that_the_catalog_does_not_have_is_no_reason_to_refuse(platform: Platform, ids: dict[str, str]) -> None:
    assert platform.send("GET", INSTANCE, query=ids).status == 200


@pytest.mark.rule("GETI-07", "GETI-09", "GETI-11", "GETI-13", "SIM-01", "SIM-03", "SIM-04", "ORPH-09")
def test_the_whole_answer_is_what_the_broker_gave(platform: Platform, recording: RecordingBroker) -> None:
    recording.answers["get_instance"] = GetInstanceDetailsSpec(
        SERVICE,
        SMALL,
        URL,
        {"size": 3, "nested": {"a": [1, None, "é"]}},
        maintenance_info=MaintenanceInfo("2.0.0", "Old."),
        metadata=InstanceMetadata({"team": "a"}, {"acme/size": 3}),
    )
    expected = {
        "service_id": SERVICE,
        "plan_id": SMALL,
        "dashboard_url": URL,
        "parameters": {"size": 3, "nested": {"a": [1, None, "é"]}},
        "maintenance_info": {"version": "2.0.0", "description": "Old."},
        "metadata": {"labels": {"team": "a"}, "attributes": {"acme/size": 3}},
    }
    assert_answered(platform.send("GET", INSTANCE), 200, expected)


@pytest.mark.rule("GETI-10")
@pytest.mark.parametrize(
    ("parameters", "expected"), [(None, {}), ({}, {"parameters": {}}), ({"size": 3}, {"parameters": {"size": 3}})]
)
def test_what_the_broker_withholds_is_absent(
    platform: Platform, recording: RecordingBroker, parameters: Any, expected: dict[str, Any]
) -> None:
    recording.answers["get_instance"] = GetInstanceDetailsSpec(SERVICE, SMALL, parameters=parameters)
    assert_answered(platform.send("GET", INSTANCE), 200, {"service_id": SERVICE, "plan_id": SMALL, **expected})


@pytest.mark.rule("GETI-07", "GETI-09")
@pytest.mark.parametrize(
    "wrong",
    [
        {"service_id": 7},
        {"plan_id": ["a"]},
        {"dashboard_url": 7},
        {"parameters": [1]},
        {"parameters": "size"},
        {"metadata": [1]},
        {"metadata": "team"},
        {"maintenance_info": "2.0.0"},
    ],
)
def test_an_answer_of_the_wrong_form_is_never_sent(
    platform: Platform, recording: RecordingBroker, wrong: dict[str, Any]
) -> None:
    given: dict[str, Any] = {"service_id": SERVICE, "plan_id": SMALL, **wrong}
    recording.answers["get_instance"] = GetInstanceDetailsSpec(**given)
    assert_refused(platform.send("GET", INSTANCE), 500)


@pytest.mark.rule("GETI-14", "GETI-15")
def test_what_is_unknown_or_not_yet_there_is_404(platform: Platform, recording: RecordingBroker) -> None:
    recording.answers["get_instance"] = errors.ErrInstanceDoesNotExist()
    assert_refused(platform.send("GET", INSTANCE), 404)
    assert_refused(platform.send("GET", INSTANCE, query=IDS), 404)


@pytest.mark.rule("GETI-16", "BLK-02")
def test_an_instance_that_cannot_be_fetched_while_it_is_updated_is_a_concurrency_error(
    platform: Platform, recording: RecordingBroker
) -> None:
    recording.answers["get_instance"] = errors.ErrConcurrentInstanceAccess()
    assert_refused(platform.send("GET", INSTANCE), 422, "ConcurrencyError")
