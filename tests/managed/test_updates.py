"""PATCH of an instance: what is handed over, what is in force afterwards, and what is refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.contract.expectations import assert_answered, assert_refused
from tests.managed.stage import DASHBOARD, INSTANCE, LARGE, SMALL, Managed, Script, Stage, Steered, plans

from openbrokerapi.managed import Failed, Provisioned

CONTEXT = {"platform": "cloudfoundry", "instance_name": "one", "organization_guid": "organization-1"}
PARAMETERS = {"size": 1, "color": "red"}


def offering(script: Script, **attributes: Any) -> Steered:
    """Give the offering with other attributes of its class."""
    made: Steered = type("Changed", (Steered,), attributes)(script)
    return made


def last(script: Script) -> Any:
    assert script.kinds()[-1] == "update"
    return script.calls[-1]


@pytest.mark.rule("UPD-02", "UPD-21", "GETI-07")
def test_a_plan_change_hands_over_what_is_wanted_and_what_is_in_force(managed: Managed, script: Script) -> None:
    managed.provision(parameters=PARAMETERS)
    assert managed.update(plan_id=LARGE).status == 200
    call = last(script)
    assert (call.instance.plan.id, call.previous.plan.id) == (LARGE, SMALL)
    assert call.instance.parameters == call.previous.parameters == PARAMETERS
    assert managed.fetch().json["plan_id"] == LARGE


@pytest.mark.rule("UPD-10", "UPD-11", "UPD-15")
@pytest.mark.parametrize(
    ("merged", "after"), [(True, {"size": 2, "color": "red"}), (False, {"size": 2})], ids=["merged", "replaced"]
)
def test_parameters_are_merged_or_replaced(stage: Stage, script: Script, merged: bool, after: dict[str, Any]) -> None:
    managed = stage(offering(script, merge_parameters=merged))
    managed.provision(parameters=PARAMETERS)
    managed.update(parameters={"size": 2})
    call = last(script)
    assert (call.instance.parameters, call.previous.parameters) == (after, PARAMETERS)
    assert managed.fetch().json["parameters"] == after
    # A plan alone leaves the parameters as they are (UPD-11), parameters alone the plan (UPD-10).
    managed.update(plan_id=LARGE)
    assert managed.fetch().json["parameters"] == after
    managed.update(parameters={"size": 3})
    assert managed.fetch().json["plan_id"] == LARGE


@pytest.mark.rule("UPD-01", "UPD-14", "UPD-16")
def test_a_context_alone_is_the_authors_where_the_offering_says_so(stage: Stage, script: Script) -> None:
    managed = stage(offering(script, allow_context_updates=True))
    managed.provision(context=CONTEXT)
    renamed = {**CONTEXT, "instance_name": "two"}
    assert managed.update(context=renamed).status == 200
    call = last(script)
    assert (call.instance.context, call.previous.context) == (renamed, CONTEXT)
    row = managed.row()
    assert row is not None
    assert row.name == "two"


@pytest.mark.rule("UPD-16")
def test_a_context_that_is_nobodys_to_act_upon_is_noted(managed: Managed, script: Script) -> None:
    managed.provision(context=CONTEXT)
    assert managed.update(context={**CONTEXT, "instance_name": "two"}).status == 200
    assert script.kinds() == ["provision"]
    assert managed.whats()[-1] == "context updated"
    managed.update(parameters={"size": 2})
    assert last(script).instance.context["instance_name"] == "two"


@pytest.mark.rule("UPD-22", "UPD-21")
@pytest.mark.parametrize(
    "change", [{}, {"plan_id": SMALL}, {"parameters": {}}, {"parameters": {"size": 1}}, {"context": CONTEXT}]
)
def test_a_change_that_changes_nothing_is_200_and_calls_nobody(
    managed: Managed, script: Script, change: dict[str, Any]
) -> None:
    managed.provision(parameters=PARAMETERS, context=CONTEXT)
    events = managed.events()
    answer = managed.update(incomplete=True, **change)
    assert (answer.status, answer.json["dashboard_url"]) == (200, DASHBOARD + INSTANCE)
    assert script.kinds() == ["provision"]
    assert managed.events() == events


@pytest.mark.rule("UPD-31", "UPD-32", "ERR-06", "ERR-08", "LOI-18", "LOI-20", "UPD-05")
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, {}),
        ({"usable": True, "repeatable": False}, {"instance_usable": True, "update_repeatable": False}),
        ({"usable": False, "repeatable": True}, {"instance_usable": False, "update_repeatable": True}),
    ],
)
def test_a_failed_update_leaves_the_old_values_in_force(
    managed: Managed, script: Script, given: dict[str, bool], told: dict[str, bool]
) -> None:
    managed.provision(parameters=PARAMETERS)
    script.answers["update"] = Failed("The disk holds more than plan small.", **given)
    answer = managed.update(plan_id=LARGE, parameters={"size": 2})
    body = {"description": "The disk holds more than plan small.", **told}
    assert_answered(answer, 500, body)
    assert managed.poll().json == {"state": "failed", **body}
    fetched = managed.fetch().json
    assert (fetched["plan_id"], fetched["parameters"]) == (SMALL, PARAMETERS)
    assert managed.provision(parameters=PARAMETERS).status == 200
    # A further update may repair it.
    script.answers.clear()
    assert managed.update(plan_id=LARGE).status == 200
    assert last(script).previous.plan.id == SMALL
    assert managed.bind(plan_id=LARGE).status == 201


@pytest.mark.rule("UPD-28", "UPD-05", "UPD-04", "ERR-16")
def test_a_plan_that_may_not_be_left_keeps_its_instances(stage: Stage, script: Script) -> None:
    managed = stage(offering(script, plans=plans({"plan_updateable": False}, {"plan_updateable": True})))
    managed.provision()
    answer = managed.update(plan_id=LARGE, parameters={"size": 2})
    assert_refused(answer, 422)
    assert answer.json["description"]
    assert script.kinds() == ["provision"]
    assert managed.fetch().json["plan_id"] == SMALL
    # UPD-04: only the plan is held.
    assert managed.update(parameters={"size": 2}).status == 200
    managed.provision("instance-2", plan_id=LARGE)
    assert managed.update("instance-2", plan_id=SMALL).status == 200


@pytest.mark.rule("UPD-28")
@pytest.mark.parametrize("change", [{"plan_id": LARGE}, {"parameters": {"size": 2}}])
def test_an_offering_without_updates_refuses_them(stage: Stage, script: Script, change: dict[str, Any]) -> None:
    from openbrokerapi.managed import Offering

    managed = stage(offering(script, update=Offering.update, plan_updateable=False))
    managed.provision()
    assert_refused(managed.update(**change), 422)
    assert managed.update(plan_id=SMALL).status == 200
    assert managed.fetch().json["plan_id"] == SMALL


class Sized(msgspec.Struct):
    size: int
    color: str = "red"


@pytest.mark.rule("UPD-12", "UPD-27")
def test_what_an_update_comes_to_is_held_to_the_type(stage: Stage, script: Script) -> None:
    managed = stage(offering(script, parameters=Sized))
    managed.provision(parameters={"size": 1})
    assert managed.update(parameters={"color": "blue"}).status == 200
    assert last(script).instance.parameters == Sized(1, "blue")
    assert last(script).previous.parameters == Sized(1, "red")
    answer = managed.update(parameters={"size": "large"})
    assert_refused(answer, 400, "InvalidParameters")
    assert managed.fetch().json["parameters"] == {"size": 1, "color": "blue"}


def versioned(script: Script, small: str | None = "2.1.0", large: str | None = "3.0.0") -> Steered:
    return offering(script, plans=plans({"maintenance_info": small}, {"maintenance_info": large}))


@pytest.mark.rule("UPD-19", "UPD-20", "PROV-14", "PROV-15", "PROV-16", "ERR-13", "GETI-11")
def test_maintenance_versions_are_those_of_the_catalog(stage: Stage, script: Script) -> None:
    managed = stage(versioned(script))
    refuse = (422, "MaintenanceInfoConflict")
    assert_refused(managed.provision(maintenance_info={"version": "2.0.0"}), *refuse)
    assert managed.provision(maintenance_info={"version": "2.1.0"}).status == 201
    assert managed.fetch().json["maintenance_info"] == {"version": "2.1.0"}
    assert_refused(managed.update(maintenance_info={"version": "2.2.0"}), *refuse)
    # That of another plan of the offering is not the instance's either.
    assert_refused(managed.update(maintenance_info={"version": "3.0.0"}), *refuse)
    # With a plan change the version is that of the plan that is wanted.
    assert_refused(managed.update(plan_id=LARGE, maintenance_info={"version": "2.1.0"}), *refuse)
    assert script.kinds() == ["provision"]
    assert managed.update(plan_id=LARGE, maintenance_info={"version": "3.0.0"}).status == 200
    assert managed.fetch().json["maintenance_info"] == {"version": "3.0.0"}


@pytest.mark.rule("PROV-16", "UPD-21")
def test_a_newer_version_of_the_catalog_is_an_update(stage: Stage, script: Script) -> None:
    managed = stage(versioned(script))
    managed.provision()
    assert managed.update(maintenance_info={"version": "2.1.0"}).status == 200
    assert script.kinds() == ["provision"]
    stage.end(managed)
    newer = stage(versioned(script, small="2.2.0"))
    assert newer.fetch().json["maintenance_info"] == {"version": "2.1.0"}
    assert newer.update(maintenance_info={"version": "2.2.0"}).status == 200
    call = last(script)
    assert (call.instance.maintenance_version, call.previous.maintenance_version) == ("2.2.0", "2.1.0")
    assert newer.fetch().json["maintenance_info"] == {"version": "2.2.0"}


@pytest.mark.rule("UPD-35", "UPD-40", "SIM-01", "SIM-03", "SIM-04", "GETI-13", "PROV-33")
def test_an_update_brings_a_new_dashboard_and_new_metadata(managed: Managed, script: Script) -> None:
    managed.provision()
    metadata = {"labels": {"tier": "gold"}, "attributes": {"zone": "b"}}
    script.answers["update"] = Provisioned(dashboard_url="https://new.example/", metadata=metadata)
    assert_answered(managed.update(plan_id=LARGE), 200, {"dashboard_url": "https://new.example/", "metadata": metadata})
    body = managed.fetch().json
    assert (body["dashboard_url"], body["metadata"]) == ("https://new.example/", metadata)


def test_an_update_that_gives_nothing_keeps_what_is_in_force(managed: Managed, script: Script) -> None:
    script.answers["provision"] = Provisioned(dashboard_url="https://one.example/", private={"host": "h-1"})
    managed.provision()
    managed.update(plan_id=LARGE)
    assert last(script).instance.private == {"host": "h-1"}
    assert managed.fetch().json["dashboard_url"] == "https://one.example/"
    managed.deprovision()
    assert script.calls[-1].instance.private == {"host": "h-1"}


@pytest.mark.rule("UPD-09")
def test_an_update_names_the_instances_own_offering(stage: Stage, script: Script) -> None:
    other_plans = plans()
    other = type("Other", (Steered,), {"id": "service-2", "name": "other", "plans": other_plans})(script)
    managed = stage(Steered(script), other)
    managed.provision()
    assert_refused(managed.update(service_id="service-2", plan_id=LARGE), 400)
    assert script.kinds() == ["provision"]
