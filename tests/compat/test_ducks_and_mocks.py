"""Brokers that are no subclass of anything: mocks, ducks, and methods of every signature."""

from __future__ import annotations

import functools
from typing import Any
from unittest.mock import ANY, AsyncMock, MagicMock, Mock, NonCallableMock, create_autospec

import pytest
from tests.contract.brokers import catalog
from tests.contract.hosts import Serving
from tests.contract.ten import CATALOG, NINE, PROVISIONING, Sent, of

from openbrokerapi import errors
from openbrokerapi.service_broker import (
    Binding,
    DeprovisionServiceSpec,
    GetBindingSpec,
    GetInstanceDetailsSpec,
    LastOperation,
    OperationState,
    ProvisionedServiceSpec,
    ServiceBroker,
    UnbindSpec,
    UpdateServiceSpec,
)

ANSWERS: dict[str, Any] = {
    "provision": ProvisionedServiceSpec(),
    "update": UpdateServiceSpec(False, None),
    "deprovision": DeprovisionServiceSpec(False),
    "bind": Binding(credentials={"a": 1}),
    "unbind": UnbindSpec(False),
    "last_operation": LastOperation(OperationState.IN_PROGRESS),
    "last_binding_operation": LastOperation(OperationState.IN_PROGRESS),
    "get_instance": GetInstanceDetailsSpec("s", "p"),
    "get_binding": GetBindingSpec({"a": 1}),
}
# What 4.7.3 passed, by keyword and in this order.
PASSED: dict[str, dict[str, Any]] = {
    "provision": {"instance_id": "instance-1", "details": ANY, "async_allowed": False},
    "update": {"instance_id": "instance-1", "details": ANY, "async_allowed": False},
    "deprovision": {"instance_id": "instance-1", "details": ANY, "async_allowed": False},
    "bind": {"instance_id": "instance-1", "binding_id": "binding-1", "details": ANY, "async_allowed": False},
    "unbind": {"instance_id": "instance-1", "binding_id": "binding-1", "details": ANY, "async_allowed": False},
    "last_operation": {"instance_id": "instance-1", "operation_data": None, "service_id": None, "plan_id": None},
    "last_binding_operation": {
        "instance_id": "instance-1",
        "binding_id": "binding-1",
        "operation_data": None,
        "service_id": None,
        "plan_id": None,
    },
    "get_instance": {"instance_id": "instance-1"},
    "get_binding": {"instance_id": "instance-1", "binding_id": "binding-1"},
}
KINDS = {
    "Mock": Mock,
    "MagicMock": MagicMock,
    "AsyncMock": AsyncMock,
    "Mock(spec)": lambda: Mock(spec=ServiceBroker),
    "Mock(spec=instance)": lambda: Mock(spec=ServiceBroker()),
    "NonCallableMock": NonCallableMock,
    "autospec": lambda: create_autospec(ServiceBroker, instance=True),
}


def mocked(kind: str, *, with_catalog: bool) -> Any:
    broker = KINDS[kind]()
    if with_catalog:
        broker.catalog.return_value = catalog()
    for name, answer in ANSWERS.items():
        getattr(broker, name).return_value = answer
    return broker


@pytest.mark.parametrize("with_catalog", [True, False])
@pytest.mark.parametrize("kind", KINDS)
@of(NINE)
def test_a_mock_is_called_exactly_as_4_7_3_called_it(serve: Serving, sent: Sent, kind: str, with_catalog: bool) -> None:
    broker = mocked(kind, with_catalog=with_catalog)
    answer = sent.by(serve(broker))
    assert answer.status == sent.made
    called = getattr(broker, sent.name)
    called.assert_called_once()
    assert called.call_args.args == ()
    assert dict(called.call_args.kwargs) == PASSED[sent.name]
    assert list(called.call_args.kwargs) == list(PASSED[sent.name])


@pytest.mark.parametrize("kind", KINDS)
def test_hints_of_the_gets_are_not_passed_to_a_mock(serve: Serving, kind: str) -> None:
    broker = mocked(kind, with_catalog=True)
    serve(broker).send("GET", "/v2/service_instances/instance-1", query={"service_id": "s", "plan_id": "p"})
    passed = dict(broker.get_instance.call_args.kwargs)
    if "spec" not in kind:  # the autospecced method takes any keyword
        assert passed == PASSED["get_instance"]
    else:
        assert passed.items() >= PASSED["get_instance"].items()


@pytest.mark.parametrize("kind", KINDS)
def test_a_mocks_catalog_and_side_effects_are_answered(serve: Serving, kind: str) -> None:
    broker = mocked(kind, with_catalog=True)
    broker.provision.side_effect = errors.ErrInstanceAlreadyExists()
    platform = serve(broker)
    assert CATALOG.by(platform).json["services"][0]["name"] == "database"
    assert PROVISIONING.by(platform).status == 409


@pytest.mark.parametrize("kind", ["Mock", "MagicMock", "AsyncMock"])
def test_a_bare_mock_never_makes_the_host_fall_over(serve: Serving, kind: str) -> None:
    platform = serve(KINDS[kind]())
    for sent in (CATALOG, *NINE):
        answer = sent.by(platform)
        assert answer.headers["content-type"] == "application/json"
        assert answer.status in (sent.made, 422, 500)


@pytest.mark.parametrize("kind", KINDS)
def test_making_an_application_calls_no_method(serve: Serving, kind: str) -> None:
    broker = mocked(kind, with_catalog=True)
    serve(broker)
    assert broker.catalog.call_count == 0
    assert broker.provision.call_count == 0


def test_the_catalog_is_not_asked_for_polls_and_fetches(serve: Serving) -> None:
    broker = mocked("Mock", with_catalog=True)
    platform = serve(broker)
    for sent in NINE:
        if sent.method == "GET":
            sent.by(platform)
    assert broker.catalog.call_count == 0


def test_a_method_that_is_replaced_after_the_start_is_called(serve: Serving) -> None:
    broker = mocked("Mock", with_catalog=True)
    platform = serve(broker)

    def provision(instance_id: str, service_details: Any, async_allowed: bool) -> Any:
        return ProvisionedServiceSpec(False, f"http://{service_details.plan_id}", "")

    broker.provision = provision
    assert PROVISIONING.by(platform).json["dashboard_url"].startswith("http://0d1c")


def of_4_7_3(instance_id: Any, details: Any, async_allowed: Any, **kwargs: Any) -> Any:
    return instance_id, details, async_allowed


def of_0_3_6(instance_id: Any, service_details: Any, async_allowed: Any) -> Any:
    return instance_id, service_details, async_allowed


def of_own_names(one: Any, two: Any, three: Any) -> Any:
    return one, two, three


def of_another_order(details: Any, async_allowed: Any, instance_id: Any) -> Any:
    return instance_id, details, async_allowed


def of_keywords(*, instance_id: Any, details: Any, async_allowed: Any) -> Any:
    return instance_id, details, async_allowed


def of_any_keyword(**given: Any) -> Any:
    return given["instance_id"], given["details"], given["async_allowed"]


def of_anything(*args: Any, **given: Any) -> Any:
    return (*args, *given.values())


def of_more_with_a_default(instance_id: Any, details: Any, async_allowed: Any, more: int = 7) -> Any:
    return instance_id, details, async_allowed


SIGNATURES = (
    of_4_7_3,
    of_0_3_6,
    of_own_names,
    of_another_order,
    of_keywords,
    of_any_keyword,
    of_anything,
    of_more_with_a_default,
)


@pytest.mark.parametrize("method", SIGNATURES)
@pytest.mark.parametrize("asynchronous", [False, True], ids=["plain", "async"])
def test_a_method_is_called_as_its_signature_asks(serve: Serving, method: Any, asynchronous: bool) -> None:
    received: list[Any] = []

    @functools.wraps(method)
    def plain(*args: Any, **kwargs: Any) -> Any:
        received.extend(method(*args, **kwargs))
        return ProvisionedServiceSpec()

    @functools.wraps(method)
    async def later(*args: Any, **kwargs: Any) -> Any:
        return plain(*args, **kwargs)

    class Duck:
        provision = staticmethod(later if asynchronous else plain)

        def catalog(self) -> Any:
            return catalog()

    assert PROVISIONING.by(serve(Duck())).status == 201
    assert (received[0], received[1].plan_id, received[2]) == ("instance-1", PROVISIONING.body["plan_id"], False)


def test_a_broker_without_a_method_answers_501(serve: Serving) -> None:
    class Nothing:
        def catalog(self) -> Any:
            return catalog()

    platform = serve(Nothing())
    assert [sent.by(platform).status for sent in NINE] == [501] * 9


def test_the_base_class_can_be_used_as_it_is(serve: Serving) -> None:
    platform = serve(ServiceBroker())
    assert [sent.by(platform).status for sent in (CATALOG, *NINE)] == [501] * 10
