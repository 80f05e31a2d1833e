"""Synchronous and asynchronous operations, and concurrency (sections of these names)."""

# mypy: disable-error-code="override"
from __future__ import annotations

import threading
from typing import Any

import pytest
from tests.contract.brokers import BIND, BINDING, INSTANCE, LARGE, PROVISION, SMALL, RecordingBroker
from tests.contract.hosts import Platform, Serving
from tests.contract.ten import (
    BINDING_UP,
    CATALOG,
    POLLING,
    POLLING_BINDING,
    PROVISIONING,
    WORKING,
    Sent,
    of,
)

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

BEGUN: dict[str, Any] = {
    "provision": ProvisionedServiceSpec(ProvisionState.IS_ASYNC, operation="task_10"),
    "update": UpdateServiceSpec(is_async=True, operation="task_10"),
    "deprovision": DeprovisionServiceSpec(is_async=True, operation="task_10"),
    "bind": Binding(BindState.IS_ASYNC, operation="task_10"),
    "unbind": UnbindSpec(is_async=True, operation="task_10"),
}
COMPLETED = {"provision": 201, "bind": 201, "update": 200, "unbind": 200, "deprovision": 200}


@pytest.mark.rule("ASY-05")
@of(WORKING)
def test_work_that_is_done_in_the_request_has_the_status_of_its_endpoint(platform: Platform, sent: Sent) -> None:
    assert sent.by(platform).status == COMPLETED[sent.name]


@pytest.mark.rule("ASY-06")
def test_a_repeated_provision_is_200_where_the_broker_says_that_it_is_the_same(serve: Serving) -> None:
    same = ProvisionedServiceSpec(ProvisionState.IDENTICAL_ALREADY_EXISTS)
    assert PROVISIONING.by(serve(RecordingBroker(provision=same))).status == 200
    same_binding = Binding(BindState.IDENTICAL_ALREADY_EXISTS, credentials={})
    assert BINDING_UP.by(serve(RecordingBroker(bind=same_binding))).status == 200


@pytest.mark.rule("ASY-08")
@of(WORKING)
def test_a_broker_may_be_synchronous_although_it_need_not(
    platform: Platform, recording: RecordingBroker, sent: Sent
) -> None:
    assert sent.by(platform, accepts_incomplete="true").status == COMPLETED[sent.name]
    assert recording.calls[-1][1]["async_allowed"] is True


NOT_ALLOWED: list[dict[str, str]] = [
    {},
    *({"accepts_incomplete": text} for text in ("false", "", "True", "1", "yes", "true ")),
]


@pytest.mark.rule("ASY-09", "ASY-10", "ASY-11", "ERR-10")
@pytest.mark.parametrize("query", NOT_ALLOWED, ids=str)
@of(WORKING)
def test_no_answer_is_202_unless_the_platform_allows_it(serve: Serving, sent: Sent, query: dict[str, str]) -> None:
    recording = RecordingBroker(**BEGUN)
    answer = sent.by(serve(recording), **query)
    assert recording.calls[-1][1]["async_allowed"] is False
    assert (answer.status, answer.json["error"]) == (422, "AsyncRequired")
    assert answer.json["description"]


@pytest.mark.rule("ASY-10", "ASY-11")
@of(WORKING)
def test_a_broker_can_require_asynchronous_work_in_its_own_words(serve: Serving, sent: Sent) -> None:
    recording = RecordingBroker(**{sent.name: errors.ErrAsyncRequired("It takes an hour.")})
    answer = sent.by(serve(recording))
    assert (answer.status, answer.json) == (422, {"error": "AsyncRequired", "description": "It takes an hour."})


@pytest.mark.rule("ASY-12")
@of(WORKING)
def test_work_that_goes_on_is_202_with_its_operation(serve: Serving, sent: Sent) -> None:
    answer = sent.by(serve(RecordingBroker(**BEGUN)), accepts_incomplete="true")
    assert (answer.status, answer.json) == (202, {"operation": "task_10"})


class ByPlan(RecordingBroker):
    """Large instances take their time."""

    def provision(self, **arguments: Any) -> ProvisionedServiceSpec:
        large = arguments["details"].plan_id == LARGE
        return ProvisionedServiceSpec(ProvisionState.IS_ASYNC if large else ProvisionState.SUCCESSFUL_CREATED)


@pytest.mark.rule("ASY-04")
def test_each_plan_may_decide_for_itself(serve: Serving) -> None:
    platform = serve(ByPlan())
    for plan, status in ((SMALL, 201), (LARGE, 202)):
        body = {**PROVISION, "plan_id": plan}
        assert platform.send("PUT", INSTANCE, body, query={"accepts_incomplete": "true"}).status == status


@pytest.mark.rule("ASY-13")
@pytest.mark.parametrize("state", list(OperationState))
@of((POLLING, POLLING_BINDING))
def test_a_poll_may_tell_how_far_the_work_is(serve: Serving, sent: Sent, state: OperationState) -> None:
    answer = sent.by(serve(RecordingBroker(**{sent.name: LastOperation(state, "Restored 3 of 7 tables.")})))
    assert (answer.status, answer.json) == (200, {"state": state.value, "description": "Restored 3 of 7 tables."})


class Waiting(RecordingBroker):
    """Its provisions end when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Semaphore(0)
        self.may_end = threading.Event()

    def provision(self, **arguments: Any) -> Any:
        self.entered.release()
        assert self.may_end.wait(30)
        return self._answer("provision", arguments)


@pytest.mark.rule("ASY-01")
def test_slow_provisions_keep_no_other_request_waiting(serve: Serving) -> None:
    broker = Waiting()
    platform = serve(broker)
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(PROVISIONING.by(platform).status)) for _ in range(20)]
    for thread in threads:
        thread.start()
    try:
        for _ in threads:
            assert broker.entered.acquire(timeout=30)
        assert CATALOG.by(platform).status == 200
        assert POLLING.by(platform).status == 200
        assert BINDING_UP.by(platform).status == 201
        assert statuses == []
    finally:
        broker.may_end.set()
        for thread in threads:
            thread.join()
    assert statuses == [201] * 20


@pytest.mark.rule("BLK-02", "BLK-03", "ERR-11")
@pytest.mark.parametrize("description", [None, "The instance is being updated."])
@of(WORKING)
def test_a_concurrent_request_is_refused_with_the_code_of_the_specification(
    serve: Serving, sent: Sent, description: str | None
) -> None:
    error = errors.ErrConcurrentInstanceAccess(description)
    answer = sent.by(serve(RecordingBroker(**{sent.name: error})), accepts_incomplete="true")
    assert (answer.status, answer.json["error"]) == (422, "ConcurrencyError")
    assert answer.json["description"]
    if description is not None:
        assert answer.json["description"] == description


@pytest.mark.parametrize(("target", "body"), [(INSTANCE, PROVISION), (BINDING, BIND)])
def test_the_same_request_many_times_at_once_makes_one_resource(living: Platform, target: str, body: Any) -> None:
    if target == BINDING:
        living.send("PUT", INSTANCE, PROVISION)
    start = threading.Barrier(8)
    statuses: list[int] = []

    def put() -> None:
        start.wait(30)
        statuses.append(living.send("PUT", target, body).status)

    threads = [threading.Thread(target=put) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 7 + [201]
