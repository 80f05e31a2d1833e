"""GET of the last operation of an instance and of a binding (sections "Polling Last Operation ...")."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from tests.contract import ten
from tests.contract.brokers import BINDING, IDS, INSTANCE, OTHER_PLAN, OTHER_SERVICE, SERVICE, SMALL, RecordingBroker
from tests.contract.expectations import assert_answered, assert_refused
from tests.contract.hosts import Platform

from openbrokerapi import errors
from openbrokerapi.service_broker import (
    Binding,
    BindState,
    DeprovisionServiceSpec,
    LastOperation,
    OperationState,
    ProvisionedServiceSpec,
    ProvisionState,
    UnbindSpec,
    UpdateServiceSpec,
)

POLL_INSTANCE = f"{INSTANCE}/last_operation"
POLL_BINDING = f"{BINDING}/last_operation"
POLLS = {"last_operation": POLL_INSTANCE, "last_binding_operation": POLL_BINDING}
STATES = {
    OperationState.IN_PROGRESS: "in progress",
    OperationState.SUCCEEDED: "succeeded",
    OperationState.FAILED: "failed",
}
ODD = "a b/c?d=é&e+f%20#;\"\\'日"
both = pytest.mark.parametrize(("method", "target"), list(POLLS.items()), ids=list(POLLS))


@pytest.mark.rule("LOI-09", "LOI-13", "LOB-07", "LOB-11", "LOB-15", "ASY-13", "LOI-17")
@both
@pytest.mark.parametrize("state", OperationState)
@pytest.mark.parametrize("description", [None, "50 % done."])
def test_the_state_is_one_of_three(
    platform: Platform, recording: RecordingBroker, method: str, target: str, state: OperationState, description: Any
) -> None:
    recording.answers[method] = LastOperation(state, description)
    more = {} if description is None else {"description": description}
    for _ in range(2):
        answer = platform.send("GET", target, query=IDS)
        assert_answered(answer, 200, {"state": STATES[state], **more})
        assert "retry-after" not in answer.headers


@pytest.mark.rule("LOI-09", "LOB-07")
@both
@pytest.mark.parametrize("state", ["done", "", None, 7, "IN_PROGRESS"])
def test_another_state_is_never_sent(
    platform: Platform, recording: RecordingBroker, method: str, target: str, state: Any
) -> None:
    recording.answers[method] = LastOperation(state)
    assert_refused(platform.send("GET", target), 500)


@pytest.mark.rule("LOI-04", "LOI-08", "LOB-06")
@both
@pytest.mark.parametrize(
    "query",
    [
        {},
        IDS,
        {"service_id": SERVICE},
        {"plan_id": SMALL},
        {"service_id": SERVICE, "plan_id": "a plan that left the catalog"},
        {"service_id": OTHER_SERVICE, "plan_id": OTHER_PLAN},
        {"service_id": "unknown", "plan_id": "unknown"},
    ],
)
def test_the_ids_are_hints_and_never_held_against_the_catalog(
    platform: Platform, recording: RecordingBroker, method: str, target: str, query: dict[str, str]
) -> None:
    assert_answered(platform.send("GET", target, query=query), 200, {"state": "in progress"})
    [(name, arguments)] = recording.calls
    assert name == method
    assert arguments["operation_data"] is None
    assert (arguments["service_id"], arguments["plan_id"]) == (query.get("service_id"), query.get("plan_id"))
    assert arguments["instance_id"] == "instance-1"
    assert arguments.get("binding_id") == ("binding-1" if target == POLL_BINDING else None)


def asynchronous(operation: str) -> dict[str, Any]:
    return {
        "provision": ProvisionedServiceSpec(ProvisionState.IS_ASYNC, operation=operation),
        "update": UpdateServiceSpec(True, operation),
        "deprovision": DeprovisionServiceSpec(True, operation),
        "bind": Binding(BindState.IS_ASYNC, operation=operation),
        "unbind": UnbindSpec(True, operation),
    }


@pytest.mark.rule("LOI-05", "LOI-06", "LOB-03")
@ten.of(ten.WORKING)
def test_an_operation_comes_back_as_the_broker_gave_it(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent
) -> None:
    target = POLL_BINDING if "bindings" in sent.target else POLL_INSTANCE
    for operation in ("task-1", ODD, "+", "%2F", "{}", "x" * 2000):
        recording.answers |= asynchronous(operation)
        begun = sent.by(platform, accepts_incomplete="true")
        assert (begun.status, begun.json["operation"]) == (202, operation)
        encoded = quote(begun.json["operation"], safe="")
        for query in (encoded, encoded.replace("%20", "+")):
            assert platform.send("GET", f"{target}?operation={query}").status == 200
            name, arguments = recording.calls[-1]
            assert name == ("last_binding_operation" if target == POLL_BINDING else "last_operation")
            assert arguments["operation_data"] == operation


@pytest.mark.rule("LOI-10", "LOB-08")
@both
@pytest.mark.parametrize("query", ["operation=", "operation=%zz", "operation=%ff", "service_id=%", "plan_id=%e9"])
def test_a_query_that_cannot_be_read_is_malformed(
    platform: Platform, recording: RecordingBroker, method: str, target: str, query: str
) -> None:
    assert_refused(platform.send("GET", f"{target}?{query}"), 400)
    assert recording.calls == []


@pytest.mark.rule("LOI-11", "LOB-09")
@both
def test_data_that_the_broker_finds_invalid_is_refused_with_its_words(
    platform: Platform, recording: RecordingBroker, method: str, target: str
) -> None:
    recording.answers[method] = errors.ErrBadRequest("There is no such operation.")
    answer = platform.send("GET", target, query={"operation": "x"})
    assert_refused(answer, 400, description="There is no such operation.")


@pytest.mark.rule("LOI-12", "LOB-10")
@both
@pytest.mark.parametrize("kind", [errors.ErrInstanceDoesNotExist, errors.ErrBindingDoesNotExist])
def test_what_the_broker_does_not_know_is_404(
    platform: Platform, recording: RecordingBroker, method: str, target: str, kind: type[Exception]
) -> None:
    recording.answers[method] = kind()
    assert_refused(platform.send("GET", target, query=IDS), 404)


@pytest.mark.rule("LOI-12", "LOB-10")
def test_an_unknown_id_is_404(living: Platform) -> None:
    assert_refused(living.send("GET", POLL_INSTANCE), 404)
    assert_refused(living.send("GET", POLL_BINDING), 404)


@pytest.mark.rule("LOI-13", "LOB-11")
@both
@pytest.mark.parametrize("kind", [errors.ErrInstanceGone, errors.ErrBindingGone])
def test_the_end_of_an_asynchronous_deletion_is_410(
    platform: Platform, recording: RecordingBroker, method: str, target: str, kind: type[Exception]
) -> None:
    recording.answers[method] = kind()
    assert_answered(platform.send("GET", target, query=IDS), 410, {})


@pytest.mark.rule("LOI-17")
@both
@pytest.mark.parametrize("description", ["", None, 7, ["a"]])
def test_a_description_that_is_no_text_or_is_empty_is_never_sent(
    platform: Platform, recording: RecordingBroker, method: str, target: str, description: Any
) -> None:
    recording.answers[method] = LastOperation(OperationState.FAILED, description)
    assert_answered(platform.send("GET", target), 200, {"state": "failed"})


@pytest.mark.rule("LOI-18", "LOI-20")
@pytest.mark.parametrize("usable", [None, True, False])
@pytest.mark.parametrize("repeatable", [None, True, False])
def test_a_failure_may_say_what_still_works(
    platform: Platform, recording: RecordingBroker, usable: bool | None, repeatable: bool | None
) -> None:
    failed = LastOperation(OperationState.FAILED, instance_usable=usable, update_repeatable=repeatable)
    recording.answers["last_operation"] = failed
    flags = {"instance_usable": usable, "update_repeatable": repeatable}
    expected = {name: value for name, value in flags.items() if value is not None}
    assert_answered(platform.send("GET", POLL_INSTANCE), 200, {"state": "failed", **expected})


@pytest.mark.rule("LOI-18", "LOI-20", "LOB-20")
@pytest.mark.parametrize(
    ("method", "state"),
    [
        ("last_operation", OperationState.IN_PROGRESS),
        ("last_operation", OperationState.SUCCEEDED),
        *(("last_binding_operation", state) for state in OperationState),
    ],
)
def test_only_the_failure_of_an_instance_says_what_still_works(
    platform: Platform, recording: RecordingBroker, method: str, state: OperationState
) -> None:
    recording.answers[method] = LastOperation(state, instance_usable=False, update_repeatable=False)
    assert_answered(platform.send("GET", POLLS[method]), 200, {"state": STATES[state]})


@pytest.mark.rule("LOI-22", "LOI-23", "LOB-16", "LOB-17")
@both
@pytest.mark.parametrize(
    ("pause", "seconds"), [(10, "10"), (0, "0"), (2.1, "3"), (timedelta(minutes=2), "120"), (-5, "0")]
)
def test_a_pause_is_sent_in_seconds(
    platform: Platform, recording: RecordingBroker, method: str, target: str, pause: Any, seconds: str
) -> None:
    recording.answers[method] = LastOperation(OperationState.IN_PROGRESS, retry_after=pause)
    assert platform.send("GET", target).headers["retry-after"] == seconds


@pytest.mark.rule("LOI-22", "LOB-16")
@both
@pytest.mark.parametrize("state", [OperationState.SUCCEEDED, OperationState.FAILED])
def test_what_is_finished_needs_no_pause(
    platform: Platform, recording: RecordingBroker, method: str, target: str, state: OperationState
) -> None:
    recording.answers[method] = LastOperation(state, retry_after=10)
    assert "retry-after" not in platform.send("GET", target).headers


@pytest.mark.rule("POL-02", "LOI-09")
def test_the_catalog_says_how_long_a_plan_may_take(platform: Platform) -> None:
    small, _ = platform.send("GET", "/v2/catalog").json["services"][0]["plans"]
    assert small["maximum_polling_duration"] == 600


@pytest.mark.rule("ASY-09", "ASY-10", "ERR-10")
@ten.of(ten.WORKING)
def test_no_endpoint_answers_202_without_the_flag(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent
) -> None:
    recording.answers |= asynchronous("task-1")
    answers = {flag: sent.by(platform, accepts_incomplete=flag) for flag in ("false", "", "1", "True", "TRUE", "true ")}
    answers["absent"] = sent.by(platform)
    for answer in answers.values():
        assert_refused(answer, 422, "AsyncRequired")
    assert [arguments["async_allowed"] for _, arguments in recording.calls] == [False] * len(answers)


@pytest.mark.rule("ASY-04", "ASY-08", "ASY-12")
@ten.of(ten.WORKING)
def test_the_broker_chooses_for_each_request_whether_it_works_asynchronously(
    platform: Platform, recording: RecordingBroker, sent: ten.Sent
) -> None:
    at_once = sent.by(platform, accepts_incomplete="true")
    assert at_once.status == sent.made
    recording.answers |= asynchronous("task-1")
    assert_answered(sent.by(platform, accepts_incomplete="true"), 202, {"operation": "task-1"})
    assert recording.calls[-1][1]["async_allowed"] is True
