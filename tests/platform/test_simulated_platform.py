"""What the simulated platform does and leaves undone around the ten requests: the duties of a platform."""

from __future__ import annotations

from typing import Any

import pytest
from tests.platform.odd import IDS, LARGE, OFFERING, PLAN, Odd, answer, catalog, offering, state

from openbrokerapi.platform import (
    AsyncPlatform,
    BrokerError,
    Failed,
    MaintenanceInfo,
    MaintenanceInfoConflict,
    NotAllowed,
    NotFound,
    OperationFailed,
    Platform,
    PlatformError,
    ServiceInstance,
    cloud_foundry,
)


@pytest.mark.rule("PROV-09", "PROV-13", "CTX-01", "CTX-05", "CTX-06", "CTX-07", "URL-04", "URL-05")
def test_a_creation_says_all_that_a_platform_knows(obliging: Odd) -> None:
    info = {"version": "1.2.3", "description": "New"}
    obliging.answers("GET /v2/catalog", answer(200, catalog(plan={"maintenance_info": info})))
    platform = obliging.platform(context=cloud_foundry(organization_guid="org-1", space_guid="space-1"))
    one = platform.create("name-of-offering", "name-of-plan-1", parameters={"a": 1}, name="mine")
    two = platform.create(OFFERING, PLAN)

    sent = obliging.requests("PUT instance")[0]
    assert sent.query == {"accepts_incomplete": "true"}
    assert sent.json == {
        **IDS,
        "organization_guid": "org-1",
        "space_guid": "space-1",
        "parameters": {"a": 1},
        "maintenance_info": {"version": "1.2.3"},
        "context": {
            "platform": "cloudfoundry",
            "organization_guid": "org-1",
            "space_guid": "space-1",
            "organization_name": "organization",
            "space_name": "space",
            "instance_name": "mine",
        },
    }
    assert one.id != two.id
    assert platform.instances == {one.id: one, two.id: two}
    assert len(obliging.requests("GET /v2/catalog")) == 1


def test_an_unknown_offering_or_plan_is_not_asked_for(obliging: Odd) -> None:
    with pytest.raises(LookupError, match="there is name-of-offering"):
        obliging.platform().create("unknown", PLAN)
    with pytest.raises(LookupError, match="there is name-of-plan-1, name-of-plan-2"):
        obliging.platform().create(OFFERING, "unknown")
    assert obliging.requests("PUT instance") == []


def test_an_instance_is_remembered_before_the_broker_hears_of_it(obliging: Odd) -> None:
    platform = obliging.platform()
    seen: list[str] = []

    def interrupted(_request: Any) -> Any:
        seen.extend(platform.instances)
        raise KeyboardInterrupt

    obliging.answers("PUT instance", interrupted)
    with pytest.raises(KeyboardInterrupt):
        platform.create(OFFERING, PLAN, instance_id="one")

    assert seen == list(platform.instances) == ["one"]
    assert platform.clean_up() == []
    assert obliging["DELETE instance"].query == {**IDS, "accepts_incomplete": "true"}


@pytest.mark.rule("PROV-27")
@pytest.mark.parametrize("status", [400, 409, 422])
def test_a_rejected_instance_is_forgotten(obliging: Odd, status: int) -> None:
    obliging.answers("PUT instance", answer(status))
    platform = obliging.platform()
    with pytest.raises(BrokerError):
        platform.create(OFFERING, PLAN)
    assert platform.instances == {}


@pytest.mark.rule("LOI-01", "LOI-02", "LOI-03", "UPD-39")
@pytest.mark.parametrize("end", ["succeeded", "failed"])
def test_the_old_plan_is_named_while_the_plan_is_being_changed(
    obliging: Odd, instance: ServiceInstance, end: str
) -> None:
    obliging.answers("PATCH instance", answer(202, {"operation": "change"}))
    obliging.answers("GET instance poll", state("in progress"), state(end))
    if end == "failed":
        with pytest.raises(OperationFailed):
            instance.update(plan="name-of-plan-2")
    else:
        instance.update(plan="name-of-plan-2")

    polls = obliging.requests("GET instance poll")
    assert [sent.query for sent in polls] == [{**IDS, "operation": "change"}] * 2
    assert instance.plan.id == (LARGE if end == "succeeded" else PLAN)
    instance.delete()
    assert obliging["DELETE instance"].query["plan_id"] == instance.plan.id


@pytest.mark.rule("UPD-17", "UPD-13")
def test_an_update_tells_what_was_before(obliging: Odd) -> None:
    one = offering(obliging, plan={"maintenance_info": {"version": "1.0.0"}})
    one.update(plan=LARGE)
    one.update(parameters={"b": 2})

    first, second = (sent.json for sent in obliging.requests("PATCH instance"))
    assert first == {
        "service_id": OFFERING,
        "plan_id": LARGE,
        "context": first["context"],
        "previous_values": {"plan_id": PLAN, "maintenance_info": {"version": "1.0.0"}},
    }
    assert second["previous_values"]["plan_id"] == LARGE
    assert second["parameters"] == {"b": 2}
    assert "plan_id" not in second


@pytest.mark.rule("UPD-18", "PLAN-15")
def test_maintenance_is_an_update_of_the_version_alone(obliging: Odd) -> None:
    one = offering(obliging, plan={"maintenance_info": {"version": "2.0.0"}})
    one.maintenance_info = MaintenanceInfo(version="1.0.0")
    one.update(maintenance_info=one.plan.maintenance_info)

    sent = obliging["PATCH instance"].json
    assert sent["maintenance_info"] == {"version": "2.0.0"}
    assert sent["previous_values"]["maintenance_info"] == {"version": "1.0.0"}
    assert one.maintenance_info == MaintenanceInfo(version="2.0.0")


@pytest.mark.rule("UPD-03")
def test_a_plan_that_is_not_updateable_is_not_changed(obliging: Odd) -> None:
    one = offering(obliging, plan={"plan_updateable": False})
    with pytest.raises(NotAllowed, match="cannot be changed"):
        one.update(plan=LARGE)
    one.update(plan=PLAN, parameters={"a": 1})  # the plan that it has is no change
    assert "plan_id" not in obliging["PATCH instance"].json


@pytest.mark.parametrize("allowed", [True, False])
def test_an_update_of_the_name_alone_needs_the_offerings_word(obliging: Odd, allowed: bool) -> None:
    one = offering(obliging, allow_context_updates=allowed)
    if allowed:
        one.update(name="renamed")
        assert obliging["PATCH instance"].json["context"]["instance_name"] == one.name == "renamed"
    else:
        with pytest.raises(NotAllowed, match="context alone"):
            one.update(name="renamed")
        assert one.name == "one"


@pytest.mark.rule("UPD-34")
def test_an_update_that_would_fail_again_is_not_repeated(obliging: Odd, instance: ServiceInstance) -> None:
    obliging.answers("PATCH instance", answer(422, {"update_repeatable": False}), answer(200))
    with pytest.raises(BrokerError):
        instance.update(plan=LARGE)
    with pytest.raises(NotAllowed, match="fail again"):
        instance.update(plan=LARGE)
    instance.update(parameters={"a": 1})  # another one is
    instance.update(plan=LARGE)  # and after it has succeeded, the first may do as well
    assert len(obliging.requests("PATCH instance")) == 3


@pytest.mark.rule("UPD-34", "ERR-09")
def test_an_update_that_has_failed_may_be_repeated_unless_told(obliging: Odd, instance: ServiceInstance) -> None:
    obliging.answers("PATCH instance", answer(500), answer(200))
    with pytest.raises(Failed):
        instance.update(plan=LARGE)
    assert instance.usable
    instance.update(plan=LARGE)
    assert instance.plan.id == LARGE


@pytest.mark.rule("UPD-33", "DEP-19")
@pytest.mark.parametrize("method", ["update", "delete"])
@pytest.mark.parametrize("asynchronously", [True, False])
def test_an_unusable_instance_gets_no_binding_until_it_is_repaired(
    obliging: Odd, method: str, asynchronously: bool
) -> None:
    instance = obliging.platform(mitigates=False).create(OFFERING, PLAN)
    what = "PATCH instance" if method == "update" else "DELETE instance"
    flag = {"instance_usable": False}
    obliging.answers(what, answer(202) if asynchronously else answer(422, flag), answer(422, flag), answer(200))
    obliging.answers("GET instance poll", state("failed", **flag))

    with pytest.raises(PlatformError):
        instance.update(plan=LARGE) if method == "update" else instance.delete()
    assert (instance.usable, instance.deleted) == (False, False)
    with pytest.raises(NotAllowed, match="not usable"):
        instance.bind()

    obliging.answers("PATCH instance", answer(200))
    instance.update(parameters={"a": 1})
    assert instance.bind().id


@pytest.mark.rule("UPD-36", "SIM-02")
def test_dashboard_and_labels_are_kept_until_there_are_others(obliging: Odd) -> None:
    labels = {"labels": {"a": "1", "b": "2"}}
    first = {"dashboard_url": "https://one", "metadata": labels, "operation": "task"}
    obliging.answers("PUT instance", answer(202, first))
    one = obliging.platform().create(OFFERING, PLAN)
    assert (one.dashboard_url, one.metadata.labels) == ("https://one", {"a": "1", "b": "2"})

    obliging.answers("PATCH instance", answer(200, {"dashboard_url": None}))
    one.update(parameters={"a": 1})
    assert (one.dashboard_url, one.metadata.labels) == ("https://one", {"a": "1", "b": "2"})

    obliging.answers(
        "PATCH instance", answer(202, {"dashboard_url": "https://two", "metadata": {"labels": {"c": "3"}}})
    )
    one.update(parameters={"a": 2})
    assert (one.dashboard_url, one.metadata.labels) == ("https://two", {"c": "3"})


@pytest.mark.rule("GETI-03", "GETI-04", "GETI-17", "LOI-01")
def test_an_instance_is_fetched_only_where_the_offering_says_so(obliging: Odd) -> None:
    with pytest.raises(NotAllowed, match="cannot be fetched"):
        offering(obliging, instances_retrievable=False).fetch()
    assert obliging.requests("GET instance") == []

    one = offering(obliging)
    obliging.answers("GET instance", answer(200, {"dashboard_url": "https://new"}), answer(404))
    assert one.fetch().dashboard_url == one.dashboard_url == "https://new"
    assert obliging["GET instance"].query == IDS
    with pytest.raises(NotFound):
        one.fetch()
    assert not one.deleted


@pytest.mark.rule("ERR-15")
@pytest.mark.parametrize("method", ["create", "update"])
def test_a_conflict_of_maintenance_has_the_catalog_fetched_anew(obliging: Odd, method: str) -> None:
    old, new = (catalog(plan={"maintenance_info": {"version": version}}) for version in ("1.0.0", "2.0.0"))
    obliging.answers("GET /v2/catalog", answer(200, old), answer(200, new))
    conflict = answer(422, {"error": "MaintenanceInfoConflict"})
    platform = obliging.platform()
    if method == "create":
        obliging.answers("PUT instance", conflict, answer(201))
        with pytest.raises(MaintenanceInfoConflict):
            platform.create(OFFERING, PLAN)
        one = platform.create(OFFERING, PLAN)
        assert obliging.requests("PUT instance")[-1].json["maintenance_info"] == {"version": "2.0.0"}
    else:
        obliging.answers("PATCH instance", conflict, answer(200))
        one = platform.create(OFFERING, PLAN)
        with pytest.raises(MaintenanceInfoConflict):
            one.update(maintenance_info=one.plan.maintenance_info)
    assert one.plan.maintenance_info == MaintenanceInfo(version="2.0.0")
    assert len(obliging.requests("GET /v2/catalog")) == 2


@pytest.mark.rule("DEP-02", "DEP-21", "UNB-18")
def test_bindings_go_before_their_instance(obliging: Odd, instance: ServiceInstance) -> None:
    one, two = instance.bind(binding_id="a"), instance.bind(binding_id="b")
    instance.delete()

    paths = [sent.path.rpartition("/")[2] for sent in obliging.sent if sent.method == "DELETE"]
    assert paths == ["a", "b", "one"]
    assert all(sent.query == {**IDS, "accepts_incomplete": "true"} for sent in obliging.requests("DELETE binding"))
    assert (one.deleted, two.deleted, instance.deleted) == (True, True, True)
    instance.delete()
    one.delete()
    assert len([sent for sent in obliging.sent if sent.method == "DELETE"]) == 3


@pytest.mark.rule("UPD-06", "BIND-16", "GETB-03")
def test_nothing_is_asked_of_what_is_deleted(obliging: Odd, instance: ServiceInstance) -> None:
    instance.delete()
    sent = len(obliging.sent)
    for ask in (lambda: instance.update(plan=LARGE), instance.bind):
        with pytest.raises(NotAllowed, match="is deleted"):
            ask()
    assert len(obliging.sent) == sent


@pytest.mark.rule("DEP-18", "UNB-16")
def test_what_could_not_be_deleted_is_remembered(obliging: Odd, instance: ServiceInstance) -> None:
    binding = instance.bind(binding_id="a")
    obliging.answers("DELETE binding", answer(400), answer(410))
    obliging.answers("DELETE instance", answer(400), answer(410))
    with pytest.raises(BrokerError):
        instance.delete()
    assert (binding.deleted, list(instance.bindings), obliging.requests("DELETE instance")) == (False, ["a"], [])
    with pytest.raises(BrokerError):
        instance.delete()
    assert (binding.deleted, instance.deleted, instance.bindings) == (True, False, {})
    instance.delete()  # 410
    assert instance.deleted


def test_cleaning_up_goes_on_after_a_failure(obliging: Odd) -> None:
    platform = obliging.platform()
    for name in ("one", "two", "three"):
        platform.create(OFFERING, PLAN, instance_id=name)
    obliging.answers("DELETE instance", answer(200), answer(400), answer(200))
    (error,) = platform.clean_up()
    assert isinstance(error, BrokerError)
    assert list(platform.instances) == ["two"]


def test_what_another_process_has_made_is_taken_up(obliging: Odd) -> None:
    platform = obliging.platform()
    one = platform.known(OFFERING, PLAN, instance_id="one", name="mine")
    binding = one.known_binding("a")
    assert [sent.method for sent in obliging.sent] == ["GET"]
    binding.delete()
    one.delete()
    assert obliging["DELETE binding"].path == "/v2/service_instances/one/service_bindings/a"
    assert platform.instances == {}


def test_handles_and_platforms_show_no_secret(obliging: Odd, instance: ServiceInstance) -> None:
    obliging.answers("PUT binding", answer(201, {"credentials": {"password": "secret"}}))
    binding = instance.bind(parameters={"key": "secret"})
    instance.update(parameters={"key": "secret"})
    assert "mine" in repr(instance)
    assert "secret" not in repr([instance, binding, binding.details])


def test_both_platforms_have_the_same_methods_with_the_same_words() -> None:
    for name in ("catalog", "create", "known", "clean_up"):
        blocking, awaited = getattr(Platform, name), getattr(AsyncPlatform, name)
        assert blocking.__doc__ == awaited.__doc__
        assert blocking.__doc__
