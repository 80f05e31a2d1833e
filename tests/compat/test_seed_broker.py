"""A broker written for 0.3.6, with its names, its arguments and its return values, on every host."""

# mypy: disable-error-code="override"
from __future__ import annotations

import logging
from typing import Any

import pytest
from tests.contract.hosts import Platform, Serving

from openbrokerapi import api, errors
from openbrokerapi.api import *  # noqa: F403 - brokers of 2017 did so
from openbrokerapi.catalog import (
    ServiceDashboardClient,
    ServiceMetadata,
    ServicePlan,
    ServicePlanCost,
    ServicePlanMetaData,
)

SERVICE = "acb56d7c-XXXX-XXXX-XXXX-feb140a59a66"
PLAN = "d3031751-XXXX-XXXX-XXXX-a42377d3320e"
INSTANCE = "/v2/service_instances/instance-1"
BINDING = f"{INSTANCE}/service_bindings/binding-1"
PROVISION = {"service_id": SERVICE, "plan_id": PLAN, "organization_guid": "org", "space_guid": "space"}
IDS = {"service_id": SERVICE, "plan_id": PLAN}


class SeedBroker(api.ServiceBroker):
    """Everything as 0.3.6 had it: `service_details`, no `async_allowed` on bind and unbind, unbind returns nothing."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.asynchronous = False

    def catalog(self) -> List[api.Service]:  # noqa: F405 - by the star import
        plan = ServicePlan(
            PLAN,
            "fake-plan-1",
            "Shared fake Server",
            metadata=ServicePlanMetaData("Fake", ["Shared fake server"], [ServicePlanCost({"usd": 99}, "MONTHLY")]),
            free=False,
            bindable=True,
        )
        return [
            api.Service(
                SERVICE,
                "fake-service",
                "A fake service",
                True,
                [plan],
                ["no-sql", "relational"],
                ["route_forwarding"],
                ServiceMetadata("The Fake Broker", "http://i", "A long one", "provider", "http://d", "http://s"),
                ServiceDashboardClient("398e2f8e", "277cabb0", "http://localhost:1234"),
                True,
            )
        ]

    def provision(
        self, instance_id: str, service_details: api.ProvisionDetails, async_allowed: bool
    ) -> api.ProvisionedServiceSpec:
        self.calls.append(("provision", instance_id, service_details.plan_id, async_allowed))
        return api.ProvisionedServiceSpec(self.asynchronous, "http://dashboard", "operation-1")

    def update(self, instance_id: str, details: Any, async_allowed: bool) -> api.UpdateServiceSpec:
        self.calls.append(("update", instance_id, details.previous_values.plan_id, async_allowed))
        return api.UpdateServiceSpec(self.asynchronous, "operation-2")

    def deprovision(
        self, instance_id: str, details: api.DeprovisionDetails, async_allowed: bool
    ) -> api.DeprovisionServiceSpec:
        self.calls.append(("deprovision", instance_id, details.plan_id, async_allowed))
        return api.DeprovisionServiceSpec(self.asynchronous, "operation-3")

    def bind(self, instance_id: str, binding_id: str, details: Any) -> api.Binding:
        self.calls.append(("bind", instance_id, binding_id, details.bind_resource.app_guid))
        mount = api.VolumeMount("nfs", "/mnt", "rw", "shared", api.SharedDevice("v1", {"a": 1}))
        return api.Binding({"uri": "db://host"}, None, "https://route", [mount])

    def unbind(self, instance_id: str, binding_id: str, details: api.UnbindDetails) -> None:
        self.calls.append(("unbind", instance_id, binding_id, details.service_id))

    def last_operation(self, instance_id: str, operation_data: str) -> api.LastOperation:
        self.calls.append(("last_operation", instance_id, operation_data))
        return api.LastOperation(api.OperationState.IN_PROGRESS, "...")


@pytest.fixture
def broker() -> SeedBroker:
    return SeedBroker()


@pytest.fixture
def platform(serve: Serving, broker: SeedBroker) -> Platform:
    return serve(broker, api.BrokerCredentials("platform", "s3cret-of-the-platform"))


def test_the_catalog_of_a_broker_of_0_3_6(platform: Platform) -> None:
    service = platform.send("GET", "/v2/catalog").json["services"][0]
    assert (service["plan_updateable"], service["requires"], service["tags"]) == (
        True,
        ["route_forwarding"],
        ["no-sql", "relational"],
    )
    assert service["plans"][0]["metadata"]["costs"] == [{"amount": {"usd": 99}, "unit": "MONTHLY"}]
    assert service["dashboard_client"]["redirect_uri"] == "http://localhost:1234"


def test_every_endpoint_of_a_broker_of_0_3_6(platform: Platform, broker: SeedBroker) -> None:
    made = platform.send("PUT", INSTANCE, PROVISION)
    assert (made.status, made.json) == (201, {"dashboard_url": "http://dashboard"})
    changed = platform.send("PATCH", INSTANCE, {"service_id": SERVICE, "previous_values": {"plan_id": PLAN}})
    assert (changed.status, changed.json) == (200, {})
    bound = platform.send("PUT", BINDING, {**IDS, "bind_resource": {"app_guid": "app"}})
    assert (bound.status, bound.json["credentials"]) == (201, {"uri": "db://host"})
    polled = platform.send("GET", f"{INSTANCE}/last_operation", query={"operation": "operation-1", **IDS})
    assert (polled.status, polled.json) == (200, {"state": "in progress", "description": "..."})
    for target in (BINDING, INSTANCE):
        gone = platform.send("DELETE", target, query=IDS)
        assert (gone.status, gone.json) == (200, {})
    assert broker.calls == [
        ("provision", "instance-1", PLAN, False),
        ("update", "instance-1", PLAN, False),
        ("bind", "instance-1", "binding-1", "app"),
        ("last_operation", "instance-1", "operation-1"),
        ("unbind", "instance-1", "binding-1", SERVICE),
        ("deprovision", "instance-1", PLAN, False),
    ]


@pytest.mark.parametrize(
    ("method", "body", "operation"),
    [
        ("PUT", PROVISION, "operation-1"),
        ("PATCH", {"service_id": SERVICE, "previous_values": {"plan_id": PLAN}}, "operation-2"),
        ("DELETE", None, "operation-3"),
    ],
)
def test_asynchronous_work_of_a_broker_of_0_3_6(
    platform: Platform, broker: SeedBroker, method: str, body: Any, operation: str
) -> None:
    broker.asynchronous = True
    answer = platform.send(method, INSTANCE, body, query={"accepts_incomplete": "true", **IDS})
    assert (answer.status, answer.json["operation"], broker.calls[-1][-1]) == (202, operation, True)


def test_what_0_3_6_did_not_have_is_501(platform: Platform) -> None:
    for target in (INSTANCE, BINDING, f"{BINDING}/last_operation"):
        assert platform.send("GET", target).status == 501


def test_an_error_of_0_3_6_is_raised_under_its_old_name(serve: Serving) -> None:
    class Refusing(SeedBroker):
        def unbind(self, instance_id: str, binding_id: str, details: Any) -> None:
            raise errors.ErrBindingDoesNotExist

        def deprovision(self, instance_id: str, details: Any, async_allowed: bool) -> Any:
            raise errors.ServiceExeption("mine")

    platform = serve(Refusing())
    assert platform.send("DELETE", BINDING, query=IDS).status == 410
    assert platform.send("DELETE", INSTANCE, query=IDS).status == 500


def test_a_platform_of_2_10_is_served_where_the_minimum_says_so(
    serve: Serving, broker: SeedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openbrokerapi.settings.MIN_VERSION", (2, 10))  # C16, read at each request
    platform = serve(broker)
    assert platform.send("GET", "/v2/catalog", headers={"X-Broker-Api-Version": "2.10"}).status == 200
    assert platform.send("GET", "/v2/catalog", headers={"X-Broker-Api-Version": "2.9"}).status == 412


def test_the_seeds_blueprint_takes_its_three_arguments_by_position(broker: SeedBroker) -> None:
    blueprint = api.get_blueprint(broker, api.BrokerCredentials("u", "p"), logging.getLogger("seed"))
    assert blueprint.name == "open_broker"
