"""Every constructor takes the arguments of 0.3.6 and of 4.7.3, by position and by name."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from openbrokerapi.service_broker import (
    Binding,
    BindState,
    DeprovisionDetails,
    ProvisionedServiceSpec,
    ProvisionState,
    UnbindDetails,
)

# module.Class | parameters in their order, after * by name only.
METADATA = "displayName imageUrl longDescription providerDisplayName documentationUrl supportUrl"
SERVICE = "id name description bindable plans tags requires metadata dashboard_client plan_updateable"
OF_0_3_6 = f"""
api.BrokerCredentials | username password
catalog.Service | {SERVICE}
catalog.ServiceDashboardClient | id secret redirect_uri
catalog.ServiceMetadata | {METADATA}
catalog.ServicePlan | id name description metadata free bindable
catalog.ServicePlanCost | amount unit
catalog.ServicePlanMetaData | displayName bullets costs
response.CatalogResponse | services
response.DeprovisionResponse | operation
response.EmptyResponse |
response.ErrorResponse | error description
response.LastOperationResponse | state description
response.ProvisioningResponse | dashboard_url operation
response.UpdateResponse | operation
service_broker.BindDetails | service_id plan_id app_guid bind_resource parameters * x_unknown
service_broker.BindResource | app_guid route * x_unknown
service_broker.Binding | credentials syslog_drain_url route_service_url volume_mounts
service_broker.DeprovisionDetails | * plan_id service_id
service_broker.DeprovisionServiceSpec | is_async operation
service_broker.LastOperation | state description
service_broker.PreviousValues | plan_id service_id organization_id space_id * x_unknown
service_broker.ProvisionDetails | service_id plan_id organization_guid space_guid parameters * x_unknown
service_broker.ProvisionedServiceSpec | is_async dashboard_url operation
service_broker.SharedDevice | volume_id mount_config
service_broker.UnbindDetails | * plan_id service_id
service_broker.UpdateDetails | service_id plan_id parameters previous_values * x_unknown
service_broker.UpdateServiceSpec | is_async operation
service_broker.VolumeMount | driver container_dir mode device_type device
"""
OF_4_7_3 = f"""
auth.BrokerCredentials | username password
catalog.Schemas | service_instance service_binding * x_unknown
catalog.ServiceDashboardClient | * id secret redirect_uri x_unknown
catalog.ServiceMetadata | {METADATA} shareable * x_unknown
catalog.ServicePlan | id name description metadata free bindable schemas * x_unknown
catalog.ServicePlanCost | amount unit * x_unknown
catalog.ServicePlanMetadata | displayName bullets costs * x_unknown
errors.ErrBadRequest | msg
errors.ErrInvalidParameters | msg
response.BindResponse | credentials syslog_drain_url route_service_url volume_mounts operation
response.GetBindingResponse | credentials syslog_drain_url route_service_url volume_mounts parameters
response.GetInstanceResponse | service_id plan_id dashboard_url parameters
response.UnbindResponse | operation
response.UpdateResponse | operation dashboard_url
service_broker.BindDetails | service_id plan_id app_guid bind_resource parameters context * x_unknown
service_broker.Binding | state credentials syslog_drain_url route_service_url volume_mounts operation
service_broker.DeprovisionDetails | service_id plan_id
service_broker.GetBindingSpec | credentials syslog_drain_url route_service_url volume_mounts parameters * x_unknown
service_broker.GetInstanceDetailsSpec | service_id plan_id dashboard_url parameters
service_broker.PreviousValues | plan_id service_id organization_id space_id * x_unknown
service_broker.ProvisionDetails | service_id plan_id organization_guid space_guid parameters context * x_unknown
service_broker.ProvisionedServiceSpec | state dashboard_url operation
service_broker.Service | {SERVICE} instances_retrievable bindings_retrievable * x_unknown
service_broker.UnbindDetails | service_id plan_id
service_broker.UnbindSpec | is_async operation
service_broker.UpdateDetails | service_id plan_id parameters previous_values context * x_unknown
service_broker.UpdateServiceSpec | is_async operation dashboard_url
"""
ODD: dict[str, Any] = {
    "is_async": True,
    "bindable": True,
    "plan_updateable": True,
    "parameters": {"size": 1},
    "context": {"platform": "cloudfoundry"},
    "credentials": {"uri": "x"},
    "bind_resource": {"app_guid": "a"},
    "previous_values": {"plan_id": "p"},
    "plans": [],
    "volume_mounts": [],
    "services": [],
}
ELSEWHERE = {"is_async", "x_unknown", "bind_resource", "previous_values", "msg", "app_guid", "username", "password"}


def rows(text: str, version: str) -> list[Any]:
    found = []
    for line in text.strip().splitlines():
        path, _, parameters = line.partition("|")
        positional, _, named = parameters.partition("*")
        found.append(pytest.param(path.strip(), positional.split(), named.split(), id=f"{version}-{path.strip()}"))
    return found


def value(path: str, name: str) -> Any:
    if name == "state" and "LastOperation" not in path:
        return BindState.IS_ASYNC if "Binding" in path else ProvisionState.IS_ASYNC
    return ODD.get(name, f"the {name}")


@pytest.mark.parametrize(("path", "positional", "named"), [*rows(OF_0_3_6, "0.3.6"), *rows(OF_4_7_3, "4.7.3")])
def test_a_constructor_takes_its_arguments_by_position_and_by_name(
    path: str, positional: list[str], named: list[str]
) -> None:
    module, _, name = path.partition(".")
    kind = getattr(importlib.import_module(f"openbrokerapi.{module}"), name)
    more = {each: value(path, each) for each in named}
    ways = [
        kind(*(value(path, each) for each in positional), **more),
        kind(**{each: value(path, each) for each in positional}, **more),
    ]
    for made in ways:
        for each in (*positional, *named):
            if each not in ELSEWHERE:
                assert getattr(made, each) == value(path, each)
        if "is_async" in positional:
            assert made.is_async is True


@pytest.mark.parametrize(
    "path", ["catalog.Schemas", "catalog.ServiceMetadata", "catalog.ServicePlanMetadata", "service_broker.Binding"]
)
@pytest.mark.parametrize(
    "more", ["service_broker.ProvisionedServiceSpec", "service_broker.GetBindingSpec", "service_broker.PreviousValues"]
)
def test_what_was_optional_is_optional(path: str, more: str) -> None:
    for each in (path, more):
        module, _, name = each.partition(".")
        getattr(importlib.import_module(f"openbrokerapi.{module}"), name)()


def test_a_provisioned_spec_takes_both_styles() -> None:  # C6
    assert ProvisionedServiceSpec().state is ProvisionState.SUCCESSFUL_CREATED
    assert ProvisionedServiceSpec(False, "http://d", "op").state is ProvisionState.SUCCESSFUL_CREATED
    assert ProvisionedServiceSpec(True, "http://d", "op").state is ProvisionState.IS_ASYNC
    assert ProvisionedServiceSpec(is_async=False, dashboard_url="http://d", operation="op").is_async is False
    made = ProvisionedServiceSpec(ProvisionState.IDENTICAL_ALREADY_EXISTS, "http://d")
    assert (made.state, made.dashboard_url, made.is_async) == (
        ProvisionState.IDENTICAL_ALREADY_EXISTS,
        "http://d",
        False,
    )


def test_a_binding_takes_both_styles() -> None:  # C7
    old = Binding({"uri": "x"}, "syslog://")
    assert (old.state, old.credentials, old.syslog_drain_url) == (BindState.SUCCESSFUL_BOUND, {"uri": "x"}, "syslog://")
    new = Binding(BindState.IDENTICAL_ALREADY_EXISTS, {"uri": "x"})
    assert (new.state, new.credentials) == (BindState.IDENTICAL_ALREADY_EXISTS, {"uri": "x"})
    assert Binding(credentials={"a": 1}, route_service_url="https://r").route_service_url == "https://r"
    none = Binding(None, "syslog://")
    assert (none.credentials, none.syslog_drain_url) == (None, "syslog://")


def test_details_of_the_deletes_have_the_order_of_4_7_3() -> None:  # C8
    for kind in (DeprovisionDetails, UnbindDetails):
        made = kind("the service", "the plan")
        assert (made.service_id, made.plan_id) == ("the service", "the plan")
        by_name = kind(plan_id="the plan", service_id="the service")
        assert (by_name.service_id, by_name.plan_id) == ("the service", "the plan")


def test_nested_values_of_requests_are_objects() -> None:
    broker = importlib.import_module("openbrokerapi.service_broker")
    bind = broker.BindDetails("s", "p", bind_resource={"app_guid": "a", "route": "r", "x": 1})
    assert (bind.bind_resource.app_guid, bind.bind_resource.route, bind.app_guid) == ("a", "r", "a")
    update = broker.UpdateDetails("s", previous_values={"plan_id": "p", "x": 1})
    assert update.previous_values.plan_id == "p"


def test_a_provision_without_organization_is_refused_unless_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    broker, settings = (
        importlib.import_module("openbrokerapi.service_broker"),
        importlib.import_module("openbrokerapi.settings"),
    )
    with pytest.raises(TypeError):
        broker.ProvisionDetails("s", "p")
    monkeypatch.setattr(settings, "DISABLE_SPACE_ORG_GUID_CHECK", True)
    assert broker.ProvisionDetails("s", "p").organization_guid is None
