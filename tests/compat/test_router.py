"""Several brokers as one: plain and async, of 0.3.6 and of 4.7.3, on every host."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.brokers import (
    BINDING,
    IDS,
    INSTANCE,
    OTHER_PLAN,
    OTHER_SERVICE,
    PROVISION,
    SERVICE,
    SMALL,
    RecordingBroker,
    asynchronous,
    catalog,
)
from tests.contract.hosts import Platform, Serving
from tests.contract.ten import CATALOG, WORKING, Sent, of

from openbrokerapi import errors
from openbrokerapi.router import Router
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

OTHER = {**PROVISION, "service_id": OTHER_SERVICE, "plan_id": OTHER_PLAN}
BEGUN: dict[str, Any] = {
    "provision": lambda: ProvisionedServiceSpec(ProvisionState.IS_ASYNC, operation="op 1"),
    "update": lambda: UpdateServiceSpec(True, "op 1"),
    "deprovision": lambda: DeprovisionServiceSpec(True, "op 1"),
    "bind": lambda: Binding(BindState.IS_ASYNC, operation="op 1"),
    "unbind": lambda: UnbindSpec(True, "op 1"),
}


class Pair:
    """Two brokers, one with the databases and one with the queues."""

    def __init__(self, *kinds: str) -> None:
        self.brokers = []
        for kind, offering in zip(kinds, catalog(), strict=True):
            broker = RecordingBroker(last_operation=LastOperation(OperationState.SUCCEEDED, kind))
            broker.offerings = [offering]
            self.brokers.append(asynchronous(broker) if kind == "async" else broker)
        self.databases, self.queues = self.brokers


@pytest.fixture(params=["plain plain", "async async", "plain async", "async plain"])
def pair(request: pytest.FixtureRequest) -> Pair:
    return Pair(*request.param.split())


@pytest.fixture
def platform(serve: Serving, pair: Pair) -> Platform:
    return serve(Router(*pair.brokers))


def test_the_catalog_has_the_offerings_of_all(platform: Platform) -> None:
    assert [each["id"] for each in CATALOG.by(platform).json["services"]] == [SERVICE, OTHER_SERVICE]


def test_each_request_goes_to_the_broker_of_its_offering(platform: Platform, pair: Pair) -> None:
    assert platform.send("PUT", INSTANCE, PROVISION).status == 201
    assert platform.send("PUT", INSTANCE, OTHER).status == 201
    assert platform.send("DELETE", INSTANCE, query={"service_id": OTHER_SERVICE, "plan_id": OTHER_PLAN}).status == 200
    assert [name for name, _ in pair.databases.calls] == ["provision"]
    assert [name for name, _ in pair.queues.calls] == ["provision", "deprovision"]


@of(WORKING)
def test_an_operation_leads_its_poll_to_its_broker(platform: Platform, pair: Pair, sent: Sent) -> None:
    pair.databases.answers[sent.name] = BEGUN[sent.name]()
    answer = sent.by(platform, accepts_incomplete="true")
    assert answer.status == 202
    operation = answer.json["operation"]
    target = sent.target + "/last_operation"
    assert platform.send("GET", target, query={"operation": operation}).status == 200
    assert pair.databases.calls[-1][1]["operation_data"] == "op 1"
    assert pair.queues.calls == []


@of(WORKING)
def test_a_repeated_request_has_the_same_operation(platform: Platform, pair: Pair, sent: Sent) -> None:
    pair.databases.answers[sent.name] = BEGUN[sent.name]()
    operations = {sent.by(platform, accepts_incomplete="true").json["operation"] for _ in range(3)}
    assert len(operations) == 1
    platform.send("GET", sent.target + "/last_operation", query={"operation": operations.pop()})
    assert pair.databases.calls[-1][1]["operation_data"] == "op 1"


@of(WORKING)
def test_a_broker_that_goes_asynchronous_unasked_is_answered_with_async_required(
    platform: Platform, pair: Pair, sent: Sent
) -> None:
    pair.databases.answers[sent.name] = BEGUN[sent.name]()
    answer = sent.by(platform)
    assert (answer.status, answer.json["error"]) == (422, "AsyncRequired")


def test_a_poll_with_a_hint_goes_to_the_broker_of_the_hint(platform: Platform, pair: Pair) -> None:
    query = {"service_id": OTHER_SERVICE, "plan_id": OTHER_PLAN}
    assert platform.send("GET", f"{INSTANCE}/last_operation", query=query).status == 200
    assert pair.databases.calls == []
    assert pair.queues.calls[-1][1]["service_id"] == OTHER_SERVICE


@pytest.mark.parametrize(
    ("target", "method", "error"),
    [
        (INSTANCE, "get_instance", errors.ErrInstanceDoesNotExist()),
        (BINDING, "get_binding", errors.ErrBindingDoesNotExist()),
        (f"{INSTANCE}/last_operation", "last_operation", errors.ErrInstanceDoesNotExist()),
        (f"{BINDING}/last_operation", "last_binding_operation", errors.ErrBindingDoesNotExist()),
    ],
)
def test_a_request_without_a_hint_goes_to_the_broker_that_knows_the_id(
    platform: Platform, pair: Pair, target: str, method: str, error: Exception
) -> None:
    pair.databases.answers[method] = error
    assert platform.send("GET", target).status == 200
    assert [name for name, _ in pair.queues.calls] == [method]
    pair.queues.answers[method] = error
    assert platform.send("GET", target).status == 404


def test_an_unknown_offering_is_400_and_reaches_nobody(platform: Platform, pair: Pair) -> None:
    assert platform.send("PUT", INSTANCE, {**PROVISION, "service_id": "unknown"}).status == 400
    assert platform.send("PUT", INSTANCE, {**PROVISION, "plan_id": OTHER_PLAN}).status == 400
    assert pair.databases.calls == pair.queues.calls == []


@pytest.mark.rule("CAT-07")
def test_what_left_the_catalog_is_deleted_by_the_broker_that_knows_it(platform: Platform, pair: Pair) -> None:
    pair.databases.answers["deprovision"] = errors.ErrInstanceDoesNotExist()
    gone = {"service_id": "gone", "plan_id": SMALL}
    assert platform.send("DELETE", INSTANCE, query=gone).status == 200
    assert [name for name, _ in pair.queues.calls] == ["deprovision"]
    pair.queues.answers["deprovision"] = errors.ErrInstanceDoesNotExist()
    assert platform.send("DELETE", INSTANCE, query=gone).status == 410


def test_an_operation_with_a_space_that_a_broker_began_alone_is_handed_on_whole(platform: Platform, pair: Pair) -> None:
    answer = platform.send(
        "GET", f"{INSTANCE}/last_operation", query={"operation": "step 1", "service_id": PROVISION["service_id"]}
    )
    assert answer.status == 200
    assert pair.databases.calls[-1][1]["operation_data"] == "step 1"


def test_errors_of_a_broker_are_answered_as_if_it_were_alone(platform: Platform, pair: Pair) -> None:
    pair.databases.answers["provision"] = errors.ErrInstanceAlreadyExists()
    pair.databases.answers["deprovision"] = errors.ErrInstanceDoesNotExist()
    assert platform.send("PUT", INSTANCE, PROVISION).status == 409
    assert platform.send("DELETE", INSTANCE, query=IDS).status == 410


def test_a_catalog_that_changes_at_run_time_is_followed(platform: Platform, pair: Pair) -> None:
    CATALOG.by(platform)
    new = catalog()[0]
    new.id, new.plans[0].id = "new-service", "new-plan"
    pair.queues.offerings.append(new)
    assert (
        platform.send("PUT", INSTANCE, {**PROVISION, "service_id": "new-service", "plan_id": "new-plan"}).status == 201
    )
    assert [name for name, _ in pair.queues.calls] == ["provision"]


def test_a_broker_of_0_3_6_can_stand_behind_a_router(serve: Serving) -> None:
    calls: list[Any] = []

    class Seed:
        def catalog(self) -> Any:
            return catalog()[:1]

        def provision(self, instance_id: str, service_details: Any, async_allowed: bool) -> Any:
            calls.append((instance_id, service_details.plan_id, async_allowed))
            return ProvisionedServiceSpec(False, "", "")

        def unbind(self, instance_id: str, binding_id: str, details: Any) -> None:
            calls.append((instance_id, binding_id))

    platform = serve(Router(Seed(), RecordingBrokerOfQueues()))
    assert platform.send("PUT", INSTANCE, PROVISION).status == 201
    assert platform.send("DELETE", BINDING, query=IDS).status == 200
    assert calls == [("instance-1", SMALL, False), ("instance-1", "binding-1")]


class RecordingBrokerOfQueues(RecordingBroker):
    def catalog(self) -> Any:
        return catalog()[1]


def test_two_brokers_with_one_offering_are_refused(serve: Serving) -> None:
    with pytest.raises(ValueError, match="two brokers"):
        Router(RecordingBroker(), RecordingBroker()).catalog()


def test_the_router_is_itself_a_broker_for_a_router(serve: Serving) -> None:
    pair = Pair("plain", "async")
    platform = serve(Router(Router(*pair.brokers)))
    pair.queues.answers["provision"] = BEGUN["provision"]()
    answer = platform.send("PUT", INSTANCE, OTHER, query={"accepts_incomplete": "true"})
    assert answer.status == 202
    platform.send("GET", f"{INSTANCE}/last_operation", query={"operation": answer.json["operation"]})
    assert pair.queues.calls[-1][1]["operation_data"] == "op 1"


def test_the_prefix_of_an_operation_is_that_of_4_7_3() -> None:
    begun = Router.add_service_id_to_async_response(BEGUN["provision"](), "service")
    assert begun.operation == "service op 1"
    done = Router.add_service_id_to_async_response(ProvisionedServiceSpec(), "service")
    assert done.operation is None
