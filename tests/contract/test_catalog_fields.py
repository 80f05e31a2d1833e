"""Every field of the catalog goes out as the author wrote it: explicit false stays, absent stays absent."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.brokers import RecordingBroker
from tests.contract.hosts import Serving
from tests.contract.ten import CATALOG, FETCHING, PROVISIONING, UPDATING

from openbrokerapi.catalog import (
    MaintenanceInfo,
    Schemas,
    Service,
    ServiceDashboardClient,
    ServiceMetadata,
    ServicePlan,
    ServicePlanCost,
    ServicePlanMetadata,
)
from openbrokerapi.service_broker import (
    GetInstanceDetailsSpec,
    InstanceMetadata,
    ProvisionedServiceSpec,
    UpdateServiceSpec,
)

SCHEMA = {
    "$schema": "http://json-schema.org/draft-06/schema#",
    "type": "object",
    "definitions": {"size": {"type": "integer"}},
    "properties": {"size": {"$ref": "#/definitions/size"}},
}


def service_of(serve: Serving, **fields: Any) -> dict[str, Any]:
    plans = fields.pop("plans", [ServicePlan("p", "plan", "A plan")])
    broker = RecordingBroker()
    broker.offerings = Service(
        **{"id": "s", "name": "service", "description": "A service", "bindable": True, **fields}, plans=plans
    )
    found: dict[str, Any] = CATALOG.by(serve(broker)).json["services"][0]
    return found


def plan_of(serve: Serving, **fields: Any) -> dict[str, Any]:
    found: dict[str, Any] = service_of(serve, plans=[ServicePlan("p", "plan", "A plan", **fields)])["plans"][0]
    return found


@pytest.mark.rule("SVC-01", "SVC-03", "SVC-06", "SVC-09", "SVC-16")
def test_an_offering_with_nothing_but_what_is_required(serve: Serving) -> None:
    assert service_of(serve) == {
        "id": "s",
        "name": "service",
        "description": "A service",
        "bindable": True,
        "plans": [{"id": "p", "name": "plan", "description": "A plan"}],
        "plan_updateable": False,
        "instances_retrievable": False,
        "bindings_retrievable": False,
    }


OFFERING_FIELDS = [
    pytest.param(name, value, marks=pytest.mark.rule(*rules.split()))
    for name, value, rules in [
        ("tags", ["mysql", "ünicode"], "SVC-07"),
        ("tags", [], "SVC-07"),
        ("requires", ["syslog_drain", "route_forwarding", "volume_mount"], "SVC-08"),
        ("requires", [], "SVC-08"),
        ("bindable", False, "SVC-09"),
        ("bindable", True, "SVC-09"),
        ("instances_retrievable", True, "SVC-10"),
        ("instances_retrievable", False, "SVC-10"),
        ("bindings_retrievable", True, "SVC-11"),
        ("bindings_retrievable", False, "SVC-11"),
        ("allow_context_updates", True, "SVC-12"),
        ("allow_context_updates", False, "SVC-12"),
        ("metadata", {"any": {"key": [1, None, 2.5]}, "x y/z": "ü", "false": False}, "SVC-13"),
        ("metadata", {}, "SVC-13"),
        ("plan_updateable", True, "SVC-15"),
        ("plan_updateable", False, "SVC-15"),
        ("dashboard_client", {"id": "c", "secret": "x", "redirect_uri": "http://d", "more": 1}, "SVC-14 DSH-04"),
    ]
]


@pytest.mark.parametrize(("name", "value"), OFFERING_FIELDS)
def test_a_field_of_an_offering_goes_out_as_it_is(serve: Serving, name: str, value: Any) -> None:
    assert service_of(serve, **{name: value})[name] == value


OPTIONAL = ("tags", "requires", "metadata", "dashboard_client", "allow_context_updates")


@pytest.mark.rule("SVC-07", "SVC-08", "SVC-12", "SVC-13", "SVC-14")
@pytest.mark.parametrize("name", OPTIONAL)
def test_a_field_of_an_offering_that_is_not_set_is_not_sent(serve: Serving, name: str) -> None:
    assert name not in service_of(serve)
    assert name not in service_of(serve, **{name: None})


PLAN_FIELDS = [
    pytest.param(name, value, marks=pytest.mark.rule(rule))
    for name, value, rule in [
        ("metadata", {"any": {"key": [1, None, 2.5]}, "x y/z": "ü", "false": False}, "PLAN-07"),
        ("metadata", {}, "PLAN-07"),
        ("free", False, "PLAN-08"),
        ("free", True, "PLAN-08"),
        ("bindable", False, "PLAN-09"),
        ("bindable", True, "PLAN-09"),
        ("binding_rotatable", False, "PLAN-10"),
        ("binding_rotatable", True, "PLAN-10"),
        ("plan_updateable", False, "PLAN-11"),
        ("plan_updateable", True, "PLAN-11"),
        ("schemas", {}, "PLAN-12"),
        ("schemas", {"service_binding": {"create": {"parameters": SCHEMA}}}, "PLAN-12"),
        ("maximum_polling_duration", 0, "PLAN-13"),
        ("maximum_polling_duration", 86400, "PLAN-13"),
        ("maintenance_info", {"version": "2.1.1+abcdef"}, "PLAN-14"),
    ]
]


@pytest.mark.parametrize(("name", "value"), PLAN_FIELDS)
def test_a_field_of_a_plan_goes_out_as_it_is(serve: Serving, name: str, value: Any) -> None:
    found = plan_of(serve, **{name: value})
    assert found == {"id": "p", "name": "plan", "description": "A plan", name: value}
    assert type(found[name]) is type(value)


@pytest.mark.rule(
    "PLAN-01", "PLAN-04", "PLAN-06", "PLAN-08", "PLAN-09", "PLAN-10", "PLAN-11", "PLAN-12", "PLAN-13", "PLAN-14"
)
def test_a_field_of_a_plan_that_is_not_set_is_not_sent(serve: Serving) -> None:
    names = "metadata free bindable schemas plan_updateable binding_rotatable maximum_polling_duration maintenance_info"
    unset = dict.fromkeys(names.split())
    assert plan_of(serve, **unset) == {"id": "p", "name": "plan", "description": "A plan"}


@pytest.mark.rule("SCH-01", "SCH-02", "SCH-03", "SCH-04", "SCH-05")
def test_schemas_go_out_untouched(serve: Serving) -> None:
    instance = {"create": {"parameters": SCHEMA}, "update": {"parameters": {"$schema": SCHEMA["$schema"]}}}
    binding = {"create": {"parameters": SCHEMA}}
    assert plan_of(serve, schemas=Schemas(instance, binding))["schemas"] == {
        "service_instance": instance,
        "service_binding": binding,
    }
    assert plan_of(serve, schemas=Schemas(service_binding=binding))["schemas"] == {"service_binding": binding}
    only_update = {"update": {"parameters": SCHEMA}}
    assert plan_of(serve, schemas=Schemas(only_update))["schemas"] == {"service_instance": only_update}


@pytest.mark.rule("MNT-01", "MNT-02")
def test_maintenance_goes_out_with_and_without_a_description(serve: Serving) -> None:
    assert plan_of(serve, maintenance_info=MaintenanceInfo("2.1.1+abcdef"))["maintenance_info"] == {
        "version": "2.1.1+abcdef"
    }
    told = MaintenanceInfo("2.1.1", "OS image update. Expect downtime.")
    assert plan_of(serve, maintenance_info=told)["maintenance_info"] == {
        "version": "2.1.1",
        "description": "OS image update. Expect downtime.",
    }


@pytest.mark.rule("META-01", "META-02")
def test_the_metadata_of_an_offering_has_the_names_of_the_profile(serve: Serving) -> None:
    names: dict[str, Any] = {
        "displayName": "CloudAMQP",
        "imageUrl": "data:image/png;base64,AAAA",
        "longDescription": "Managed clusters",
        "providerDisplayName": "84codes AB",
        "documentationUrl": "http://docs.example.com",
        "supportUrl": "http://support.example.com",
    }
    assert service_of(serve, metadata=ServiceMetadata(**names))["metadata"] == names
    assert service_of(serve, metadata=ServiceMetadata(*names.values()))["metadata"] == names
    assert service_of(serve, metadata=ServiceMetadata("Only a name"))["metadata"] == {"displayName": "Only a name"}


@pytest.mark.rule("META-07")
@pytest.mark.parametrize("value", [True, False])
def test_shareable_is_a_boolean_of_the_metadata(serve: Serving, value: bool) -> None:
    assert service_of(serve, metadata=ServiceMetadata(shareable=value))["metadata"] == {"shareable": value}


@pytest.mark.rule("SVC-13", "PLAN-07")
def test_metadata_of_other_names_passes_through(serve: Serving) -> None:
    more: dict[str, Any] = {"acme": {"deep": [1, {"er": None}]}, "with-dash": "ü", "zero": 0, "empty": "", "no": False}
    assert service_of(serve, metadata=ServiceMetadata(**more))["metadata"] == more
    assert plan_of(serve, metadata=ServicePlanMetadata(**more))["metadata"] == more


@pytest.mark.rule("META-03", "META-04", "META-05")
def test_the_metadata_of_a_plan_has_the_names_of_the_profile(serve: Serving) -> None:
    costs = [ServicePlanCost({"usd": 99.0, "eur": 49}, "MONTHLY"), ServicePlanCost({"usd": 0.99}, "1GB over 20GB")]
    metadata = ServicePlanMetadata("Big Bunny", ["20 GB of messages", "20 connections"], costs)
    assert plan_of(serve, metadata=metadata)["metadata"] == {
        "displayName": "Big Bunny",
        "bullets": ["20 GB of messages", "20 connections"],
        "costs": [
            {"amount": {"usd": 99.0, "eur": 49}, "unit": "MONTHLY"},
            {"amount": {"usd": 0.99}, "unit": "1GB over 20GB"},
        ],
    }


@pytest.mark.rule("DSH-01", "DSH-02", "DSH-03", "DSH-04")
def test_a_dashboard_client_has_the_names_of_the_profile(serve: Serving) -> None:
    client = ServiceDashboardClient(id="c-1", secret="p-mysql-secret", redirect_uri="http://localhost:1234")
    assert service_of(serve, dashboard_client=client)["dashboard_client"] == {
        "id": "c-1",
        "secret": "p-mysql-secret",
        "redirect_uri": "http://localhost:1234",
    }
    assert service_of(serve, dashboard_client=ServiceDashboardClient("c-1", "x"))["dashboard_client"] == {
        "id": "c-1",
        "secret": "x",
    }


@pytest.mark.rule("META-06")
def test_metadata_of_an_instance_goes_its_own_way(serve: Serving) -> None:
    told = InstanceMetadata(labels={"key": "value"}, attributes={"attr": "x"})
    broker = RecordingBroker(
        provision=ProvisionedServiceSpec(metadata=told),
        update=UpdateServiceSpec(metadata=told),
        get_instance=GetInstanceDetailsSpec("s", "p", metadata=told),
    )
    platform = serve(broker)
    for sent in (PROVISIONING, UPDATING, FETCHING):
        assert sent.by(platform).json["metadata"] == {"labels": {"key": "value"}, "attributes": {"attr": "x"}}
    assert "labels" not in CATALOG.by(platform).body.decode()


def test_text_goes_out_as_utf_8(serve: Serving) -> None:
    assert (
        service_of(serve, description='Größe 日本 🚀 "quoted" \\ \n')["description"] == 'Größe 日本 🚀 "quoted" \\ \n'
    )


def test_a_catalog_that_is_not_json_is_a_500_without_python_text(serve: Serving) -> None:
    broker = RecordingBroker()
    for broken in (Service("s", "n", "d", True, [object()]), 7, object(), None):  # type: ignore[list-item]
        broker.offerings = broken
        answer = CATALOG.by(serve(broker))
        assert (answer.status, set(answer.json)) == (500, {"description"})
        assert "object" not in answer.json["description"]
