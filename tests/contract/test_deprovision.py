"""DELETE of an instance (section "Deprovisioning")."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.brokers import BIND, BINDING, IDS, INSTANCE, PROVISION, SERVICE, SMALL, RecordingBroker
from tests.contract.expectations import assert_answered, assert_refused, reached
from tests.contract.hosts import Platform

from openbrokerapi import errors
from openbrokerapi.service_broker import DeprovisionServiceSpec

ASYNC = {**IDS, "accepts_incomplete": "true"}


def test_the_whole_request_reaches_the_broker(platform: Platform, recording: RecordingBroker) -> None:
    assert platform.send("DELETE", INSTANCE, query=ASYNC).status == 200
    [(name, arguments)] = recording.calls
    details = arguments.pop("details")
    assert (name, arguments) == ("deprovision", {"instance_id": "instance-1", "async_allowed": True})
    assert (details.service_id, details.plan_id) == (SERVICE, SMALL)


@pytest.mark.rule("DEP-01", "DEP-16")
def test_a_deleted_instance_is_gone(living: Platform) -> None:
    assert_refused(living.send("DELETE", INSTANCE, query=IDS), 410)
    living.send("PUT", INSTANCE, PROVISION)
    living.send("PUT", BINDING, BIND)
    assert_answered(living.send("DELETE", INSTANCE, query=IDS), 200, {})
    assert_refused(living.send("GET", INSTANCE), 404)
    assert_refused(living.send("GET", BINDING), 404)
    assert_refused(living.send("DELETE", INSTANCE, query=IDS), 410)


@pytest.mark.rule("DEP-07", "DEP-08", "DEP-14")
@pytest.mark.parametrize("name", ["service_id", "plan_id"])
def test_both_ids_must_be_in_the_query(platform: Platform, recording: RecordingBroker, name: str) -> None:
    queries: list[dict[str, str] | None] = [
        None,
        {key: value for key, value in IDS.items() if key != name},
        {**IDS, name: ""},
    ]
    for query in queries:
        assert_refused(platform.send("DELETE", INSTANCE, query=query), 400)
    assert name in platform.send("DELETE", INSTANCE, query={**IDS, name: ""}).json["description"]
    assert recording.calls == []


@pytest.mark.rule("DEP-14")
@pytest.mark.parametrize("query", ["service_id=%zz&plan_id=a", "service_id=a&plan_id=%ff", "service_id=a&plan_id=%0a"])
def test_a_query_that_cannot_be_read_is_malformed(platform: Platform, recording: RecordingBroker, query: str) -> None:
    assert_refused(platform.send("DELETE", f"{INSTANCE}?{query}"), 400)
    assert recording.calls == []


@pytest.mark.rule("ORPH-04")
@pytest.mark.parametrize("ids", [{"service_id": "gone", "plan_id": "gone"}, {"service_id": SERVICE, "plan_id": "gone"}])
def test_a_plan_that_left_the_catalog_can_still_be_deleted(
    platform: Platform, recording: RecordingBroker, ids: dict[str, str]
) -> None:
    assert_answered(platform.send("DELETE", INSTANCE, query=ids), 200, {})
    assert (recording.details.service_id, recording.details.plan_id) == (ids["service_id"], ids["plan_id"])
    assert reached(recording) == ["deprovision"]


@pytest.mark.rule("DEP-09", "ASY-10")
@pytest.mark.parametrize("more", [{}, {"accepts_incomplete": "false"}])
def test_a_deletion_that_works_asynchronously_only_is_refused_without_the_flag(
    platform: Platform, recording: RecordingBroker, more: dict[str, str]
) -> None:
    recording.answers["deprovision"] = errors.ErrAsyncRequired()
    assert_refused(platform.send("DELETE", INSTANCE, query={**IDS, **more}), 422, "AsyncRequired")
    assert recording.calls[0][1]["async_allowed"] is False


@pytest.mark.rule("DEP-10", "ASY-05", "ASY-08", "ERR-02", "ORPH-09")
@pytest.mark.parametrize("query", [IDS, ASYNC])
@pytest.mark.parametrize("result", [DeprovisionServiceSpec(), DeprovisionServiceSpec(False, "ignored"), None])
def test_what_was_deleted_in_the_request_is_answered_with_200_and_an_empty_object(
    platform: Platform, recording: RecordingBroker, query: dict[str, str], result: Any
) -> None:
    recording.answers["deprovision"] = result
    assert_answered(platform.send("DELETE", INSTANCE, query=query), 200, {})


@pytest.mark.rule("DEP-11", "DEP-12", "DEP-13", "ASY-12")
@pytest.mark.parametrize(("operation", "body"), [("task 1", {"operation": "task 1"}), (None, {}), ("", {})])
def test_work_in_progress_is_answered_with_202_each_time(
    platform: Platform, recording: RecordingBroker, operation: str | None, body: dict[str, str]
) -> None:
    recording.answers["deprovision"] = DeprovisionServiceSpec(True, operation)
    for _ in range(2):
        assert_answered(platform.send("DELETE", INSTANCE, query=ASYNC), 202, body)


@pytest.mark.rule("DEP-15")
def test_data_that_the_broker_finds_invalid_is_refused_with_its_words(
    platform: Platform, recording: RecordingBroker
) -> None:
    recording.answers["deprovision"] = errors.ErrBadRequest("It is of another plan.")
    assert_refused(platform.send("DELETE", INSTANCE, query=IDS), 400, description="It is of another plan.")


@pytest.mark.rule("DEP-16")
def test_an_instance_that_does_not_exist_is_gone(platform: Platform, recording: RecordingBroker) -> None:
    recording.answers["deprovision"] = errors.ErrInstanceDoesNotExist()
    assert_answered(platform.send("DELETE", INSTANCE, query=IDS), 410, {})


@pytest.mark.rule("DEP-17", "BLK-02", "BLK-03", "ERR-06", "ERR-07")
def test_another_operation_on_the_instance_is_a_concurrency_error(
    platform: Platform, recording: RecordingBroker
) -> None:
    wrong = errors.ErrConcurrentInstanceAccess("It is being updated.", instance_usable=True, update_repeatable=True)
    recording.answers["deprovision"] = wrong
    answer = platform.send("DELETE", INSTANCE, query=IDS)
    assert_refused(answer, 422, "ConcurrencyError", "It is being updated.")
    assert answer.json["instance_usable"] is True
    assert "update_repeatable" not in answer.json


@pytest.mark.rule("DEP-20")
def test_an_operation_has_at_most_10000_characters(platform: Platform, recording: RecordingBroker) -> None:
    recording.answers["deprovision"] = DeprovisionServiceSpec(True, "ü" * 10_000)
    assert_answered(platform.send("DELETE", INSTANCE, query=ASYNC), 202, {"operation": "ü" * 10_000})
    recording.answers["deprovision"] = DeprovisionServiceSpec(True, "x" * 10_001)
    assert_refused(platform.send("DELETE", INSTANCE, query=ASYNC), 500)
