"""What is wrong with an offering is said where the broker is made, with what to change."""

from __future__ import annotations

from typing import Any

import pytest
from tests.managed.stage import SMALL, Clock, Managed, Stage, Steered, plans, ring

from openbrokerapi.managed import Broker, ManagedSettings, Offering, Plan
from openbrokerapi.stores.contract import StoreError
from openbrokerapi.stores.sqlite.store import SqliteStore


class Complete(Offering):
    id = "service-1"
    name = "complete"
    description = "All there"
    plans = (Plan(id=SMALL, name="small", description="Small"),)

    def provision(self, instance: Any, work: Any) -> None: ...

    def deprovision(self, instance: Any, work: Any) -> None: ...


class Bindable(Complete):
    def bind(self, instance: Any, binding: Any, work: Any) -> dict[str, Any]:
        return {}

    def unbind(self, instance: Any, binding: Any, work: Any) -> None: ...


def made(base: type[Offering], **attributes: Any) -> Offering:
    offering: Offering = type("Mine", (base,), attributes)()
    return offering


@pytest.mark.parametrize(
    ("offering", "said"),
    [
        (made(Complete, id=""), "Mine.id is missing"),
        (made(Complete, name=""), "Mine.name is missing"),
        (made(Complete, description=None), "Mine.description is missing"),
        (made(Complete, plans=()), "Mine.plans is missing"),
        (made(Complete, provision=Offering.provision), r"Mine has no method provision\(self, instance, work\)"),
        (made(Complete, deprovision=Offering.deprovision), r"Mine has no method deprovision\(self, instance, work\)"),
        (made(Complete, bindable=True), "Mine is bindable and has no method bind"),
        (made(Bindable, unbind=Offering.unbind), "Mine is bindable and has no method unbind"),
        (made(Complete, plans=Complete.plans * 2), "Mine.plans: two plans have the same id"),
        (made(Complete, provision=lambda self, instance: None), r"Mine.provision must take 2 arguments"),
        (made(Bindable, bind=lambda self, instance, work: {}), r"Mine.bind must take 3 arguments"),
        (made(Complete, update=lambda self, instance, work: None), r"Mine.update must take 3 arguments"),
        (made(Complete, parameters=int), "cannot be the type of parameters"),
        (made(Complete, parameters=object), "cannot be the type of parameters"),
    ],
)
def test_an_offering_that_cannot_be_served_says_what_to_change(offering: Offering, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        Broker(offering)


def test_two_offerings_need_two_ids() -> None:
    with pytest.raises(TypeError, match="two offerings have the same id"):
        Broker(Complete(), Complete())


def test_a_store_needs_keys(tmp_path: Any) -> None:
    with pytest.raises(TypeError, match="a store needs a ring of keys"):
        Broker(Complete(), store=SqliteStore(tmp_path / "broker.db"))


def test_a_store_of_one_process_has_no_workers_elsewhere(tmp_path: Any) -> None:
    with pytest.raises(StoreError, match="PostgreSQL"):
        Broker(Complete()).connect(SqliteStore(tmp_path / "broker.db", Clock()), ring(), works=False)


@pytest.mark.parametrize(
    ("name", "value"), [("lease", 0), ("concurrency", 0), ("look_after_every", 0), ("answer_within", -1.0)]
)
def test_a_setting_that_cannot_be_is_named(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        ManagedSettings(**{name: value})  # type: ignore[arg-type]  # not all are whole numbers


@pytest.mark.rule("SVC-10", "SVC-11", "GETI-01", "GETB-01", "BIND-02", "UPD-01", "UPD-02", "CAT-01")
def test_the_catalog_says_what_the_package_does_by_itself(stage: Stage) -> None:
    managed = stage(made(Bindable), made(Complete, id="service-2", name="other", plans=plans({"id": "a"}, {"id": "b"})))
    bindable, other = managed.send("GET", "catalog").json["services"]
    assert (bindable["bindable"], bindable["bindings_retrievable"], bindable["instances_retrievable"]) == (True,) * 3
    assert (other["bindable"], other["instances_retrievable"]) == (False, True)
    assert not other.get("bindings_retrievable", False)
    assert bindable["plan_updateable"] is False


@pytest.mark.rule("BIND-03", "UNB-01", "BIND-02")
def test_an_offering_without_bindings_serves_the_rest(stage: Stage) -> None:
    managed = stage(made(Complete))
    assert managed.provision().status == 201
    assert managed.bind().status == 400
    assert managed.unbind().status == 410
    assert managed.deprovision().status == 200


@pytest.mark.rule("BIND-02")
def test_a_plan_may_be_unbindable(stage: Stage) -> None:
    managed: Managed = stage(made(Bindable, plans=plans({"bindable": False})))
    managed.provision("instance-1")
    managed.provision("instance-2", plan_id="plan-large")
    assert managed.bind("binding-1", "instance-1").status == 400
    assert managed.bind("binding-1", "instance-2", plan_id="plan-large").status == 201


@pytest.mark.rule("BIND-39", "ERR-12", "BIND-22")
@pytest.mark.parametrize("named", [{"app_guid": "app-1"}, {"bind_resource": {"app_guid": "app-1"}}])
def test_an_offering_may_require_an_application(stage: Stage, named: dict[str, Any]) -> None:
    managed = stage(made(Steered, requires_app=True))
    managed.provision()
    answer = managed.bind()
    assert (answer.status, answer.json["error"]) == (422, "RequiresApp")
    assert managed.binding_row() is None
    assert managed.bind(**named).status == 201


@pytest.mark.rule("BLK-01", "BLK-05", "BIND-40")
def test_bindings_may_be_made_side_by_side_where_the_offering_says_so(stage: Stage) -> None:
    offering = made(Steered, concurrent_bindings=True)
    assert isinstance(offering, Steered)
    managed = stage(offering)
    managed.provision()
    with offering.script.held("bind"):
        first = managed.bind("binding-1", incomplete=True)
        second = managed.bind("binding-2", incomplete=True)
        assert managed.update(parameters={"size": 2}).json["error"] == "ConcurrencyError"
        offering.script.reached("bind", "binding-2")
    for begun, binding_id in ((first, "binding-1"), (second, "binding-2")):
        assert managed.finished(begun, binding_id=binding_id).json["state"] == "succeeded"
