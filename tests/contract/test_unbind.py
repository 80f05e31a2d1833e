"""DELETE of a binding (section "Unbinding")."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.brokers import (
    BIND,
    BINDING,
    IDS,
    INSTANCE,
    PROVISION,
    SERVICE,
    SMALL,
    MemoryBroker,
    RecordingBroker,
)
from tests.contract.expectations import assert_answered, assert_refused, reached
from tests.contract.hosts import Platform, Serving

from openbrokerapi import errors
from openbrokerapi.service_broker import UnbindSpec

ASYNC = {**IDS, "accepts_incomplete": "true"}


def test_the_whole_request_reaches_the_broker(platform: Platform, recording: RecordingBroker) -> None:
    assert platform.send("DELETE", BINDING, query=ASYNC).status == 200
    [(name, arguments)] = recording.calls
    details = arguments.pop("details")
    expected = {"instance_id": "instance-1", "binding_id": "binding-1", "async_allowed": True}
    assert (name, arguments) == ("unbind", expected)
    assert (details.service_id, details.plan_id) == (SERVICE, SMALL)


@pytest.mark.rule("UNB-14")
def test_a_deleted_binding_is_gone_and_the_other_one_stays(living: Platform) -> None:
    other = f"{INSTANCE}/service_bindings/binding-2"
    living.send("PUT", INSTANCE, PROVISION)
    assert_refused(living.send("DELETE", BINDING, query=IDS), 410)
    first, second = (living.send("PUT", target, BIND).json for target in (BINDING, other))
    assert first != second
    assert_answered(living.send("DELETE", BINDING, query=IDS), 200, {})
    assert_refused(living.send("GET", BINDING), 404)
    assert_refused(living.send("DELETE", BINDING, query=IDS), 410)
    assert living.send("GET", other).json["credentials"] == second["credentials"]


@pytest.mark.rule("UNB-06", "UNB-07", "UNB-12")
@pytest.mark.parametrize("name", ["service_id", "plan_id"])
def test_both_ids_must_be_in_the_query(platform: Platform, recording: RecordingBroker, name: str) -> None:
    queries: list[dict[str, str] | None] = [
        None,
        {key: value for key, value in IDS.items() if key != name},
        {**IDS, name: ""},
    ]
    for query in queries:
        assert_refused(platform.send("DELETE", BINDING, query=query), 400)
    assert name in platform.send("DELETE", BINDING, query={**IDS, name: ""}).json["description"]
    assert recording.calls == []


@pytest.mark.rule("UNB-12")
@pytest.mark.parametrize("query", ["service_id=%zz&plan_id=a", "service_id=a&plan_id=%ff", "service_id=a&plan_id=%0a"])
def test_a_query_that_cannot_be_read_is_malformed(platform: Platform, recording: RecordingBroker, query: str) -> None:
    assert_refused(platform.send("DELETE", f"{BINDING}?{query}"), 400)
    assert recording.calls == []


@pytest.mark.rule("ORPH-04")
def test_a_plan_that_left_the_catalog_can_still_be_unbound(platform: Platform, recording: RecordingBroker) -> None:
    answer = platform.send("DELETE", BINDING, query={"service_id": "gone", "plan_id": "gone"})
    assert_answered(answer, 200, {})
    assert (recording.details.service_id, recording.details.plan_id) == ("gone", "gone")
    assert reached(recording) == ["unbind"]


@pytest.mark.rule("UNB-08", "ASY-10")
@pytest.mark.parametrize("more", [{}, {"accepts_incomplete": "false"}])
def test_an_unbind_that_works_asynchronously_only_is_refused_without_the_flag(
    platform: Platform, recording: RecordingBroker, more: dict[str, str]
) -> None:
    recording.answers["unbind"] = errors.ErrAsyncRequired()
    assert_refused(platform.send("DELETE", BINDING, query={**IDS, **more}), 422, "AsyncRequired")
    assert recording.calls[0][1]["async_allowed"] is False


@pytest.mark.rule("UNB-09", "ASY-05", "ASY-08", "ERR-02", "ORPH-09")
@pytest.mark.parametrize("query", [IDS, ASYNC])
@pytest.mark.parametrize("result", [UnbindSpec(), UnbindSpec(False, "ignored"), None])
def test_what_was_deleted_in_the_request_is_answered_with_200_and_an_empty_object(
    platform: Platform, recording: RecordingBroker, query: dict[str, str], result: Any
) -> None:
    recording.answers["unbind"] = result
    assert_answered(platform.send("DELETE", BINDING, query=query), 200, {})


@pytest.mark.rule("UNB-10", "UNB-11", "ASY-12")
@pytest.mark.parametrize(("operation", "body"), [("task 1", {"operation": "task 1"}), (None, {}), ("", {})])
def test_work_in_progress_is_answered_with_202_each_time(
    platform: Platform, recording: RecordingBroker, operation: str | None, body: dict[str, str]
) -> None:
    recording.answers["unbind"] = UnbindSpec(True, operation)
    for _ in range(2):
        assert_answered(platform.send("DELETE", BINDING, query=ASYNC), 202, body)


@pytest.mark.rule("UNB-13")
def test_data_that_the_broker_finds_invalid_is_refused_with_its_words(
    platform: Platform, recording: RecordingBroker
) -> None:
    recording.answers["unbind"] = errors.ErrBadRequest("It is of another plan.")
    assert_refused(platform.send("DELETE", BINDING, query=IDS), 400, description="It is of another plan.")


@pytest.mark.rule("UNB-14")
@pytest.mark.parametrize("kind", [errors.ErrBindingDoesNotExist, errors.ErrInstanceDoesNotExist])
def test_what_does_not_exist_is_gone(platform: Platform, recording: RecordingBroker, kind: type[Exception]) -> None:
    recording.answers["unbind"] = kind()
    assert_answered(platform.send("DELETE", BINDING, query=IDS), 410, {})


@pytest.mark.rule("UNB-15", "BLK-02", "BLK-03", "ERR-05", "ERR-07")
def test_another_operation_on_the_binding_is_a_concurrency_error(
    platform: Platform, recording: RecordingBroker
) -> None:
    wrong = errors.ErrConcurrentInstanceAccess("It is being made.", instance_usable=True, update_repeatable=True)
    recording.answers["unbind"] = wrong
    answer = platform.send("DELETE", BINDING, query=IDS)
    assert_refused(answer, 422, "ConcurrencyError", "It is being made.")
    assert set(answer.json) == {"error", "description"}


@pytest.mark.rule("UNB-17")
def test_an_operation_has_at_most_10000_characters(platform: Platform, recording: RecordingBroker) -> None:
    recording.answers["unbind"] = UnbindSpec(True, "ü" * 10_000)
    assert_answered(platform.send("DELETE", BINDING, query=ASYNC), 202, {"operation": "ü" * 10_000})
    recording.answers["unbind"] = UnbindSpec(True, "x" * 10_001)
    assert_refused(platform.send("DELETE", BINDING, query=ASYNC), 500)


class WithoutBindings:
    """A broker with nothing bindable, that has no methods for bindings."""

    def __init__(self) -> None:
        self.catalog = lambda: MemoryBroker().offerings[1]


@pytest.mark.rule("BIND-03", "UNB-01")
def test_a_broker_without_bindings_needs_no_methods_for_them(serve: Serving) -> None:
    platform = serve(WithoutBindings())
    offering = platform.send("GET", "/v2/catalog").json["services"][0]
    ids = {"service_id": offering["id"], "plan_id": offering["plans"][0]["id"]}
    assert_refused(platform.send("PUT", BINDING, ids), 400)
    assert_refused(platform.send("DELETE", BINDING, query=ids), 501)
